"""The exercises of chapter 02, activations."""

CHAPTER = "02"
ORDER = (
    "fold",
    "softplus",
    "scaled_tanh",
    "channel_leaky",
    "swish",
    "masked_softmax",
    "predicted_rms",
    "layer_health",
    "spot_the_bug",
)
USES = ("activations",)  # of the reference, by the chapter's notebook
