"""The exercises of chapter 02, activations."""

CHAPTER = "02"
ORDER = (
    "fold",
    "softplus",
    "scaled_tanh",
    "channel_leaky",
    "swish",
    "masked_softmax",
    "layer_health",
    "predicted_rms",
    "spot_the_bug",
)
USES = ("activations",)  # of the reference, by the chapter's notebook
