"""The exercises of chapter 03, losses."""

CHAPTER = "03"
ORDER = (
    "gaussian",
    "weighted_bce",
    "logit_slopes",
    "log_mean_exp",
    "class_weights",
    "smoothed_gradient",
    "calibration_error",
    "text_bits",
    "spot_the_bug",
)
USES = ("text", "metrics", "activations", "losses")  # of the reference, by the chapter's notebook
