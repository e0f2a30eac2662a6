"""The exercises of chapter 15, scale."""

CHAPTER = "15"
ORDER = (
    "flops",
    "ring_state",
    "one_batch",
    "zero_bytes",
    "cut_mlp",
    "cut_loss",
    "schedule",
    "loss_scale",
    "best_size",
    "spot_the_bug",
)
USES = (
    "losses",
    "params",
    "transformer",
    "training",
    "parallel",
    "scaling",
)  # of the reference, by the chapter's notebook
