"""The exercises of chapter 07, pretraining."""

CHAPTER = "07"
ORDER = (
    "windows",
    "kneser_ney",
    "bits_per_character",
    "mask_tokens",
    "sentence_pairs",
    "power_law",
    "hashed_rows",
    "masked_loss",
)
USES = (
    "losses",
    "params",
    "optimizers",
    "transformer",
    "training",
    "ngram",
)  # of the reference, by the chapter's notebook
