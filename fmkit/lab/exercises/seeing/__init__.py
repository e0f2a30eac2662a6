"""The exercises of chapter 10, seeing."""

CHAPTER = "10"
ORDER = (
    "gaps",
    "channel_patches",
    "denoising_step",
    "mask_patches",
    "spot_the_bug",
    "gan_step",
    "views",
    "clip_loss",
    "zero_shot",
)
USES = (
    "images",
    "metrics",
    "activations",
    "losses",
    "layers",
    "params",
    "optimizers",
    "attention",
    "convolution",
    "vision",
    "mobilenet",
    "unlabelled",
)  # of the reference, by the chapter's notebook
