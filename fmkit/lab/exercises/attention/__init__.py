"""The exercises of chapter 06, self-attention."""

CHAPTER = "06"
ORDER = (
    "fading",
    "self_attention",
    "mask",
    "heads",
    "rotary",
    "backward",
    "block",
    "rollout",
    "spot_the_bug",
)
USES = (
    "wordpiece",
    "activations",
    "losses",
    "layers",
    "params",
    "optimizers",
    "attention",
    "transformer",
    "bert",
)  # of the reference, by the chapter's notebook
