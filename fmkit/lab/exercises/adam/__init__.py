"""The exercises of chapter 05, from gradient descent to Adam."""

CHAPTER = "05"
ORDER = (
    "momentum_step",
    "smoothed",
    "adagrad_rows",
    "rmsprop_momentum",
    "overshoot",
    "adamw_model",
    "rate_at",
    "accumulate_and_clip",
    "newton_schulz",
    "mended_adam",
)
USES = (
    "text",
    "activations",
    "losses",
    "layers",
    "optimizers",
)  # of the reference, by the chapter's notebook
