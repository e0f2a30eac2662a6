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
