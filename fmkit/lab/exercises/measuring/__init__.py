"""The exercises of chapter 11, measuring."""

CHAPTER = "11"
ORDER = (
    "calibration",
    "clipped_precision",
    "corpus_bleu",
    "character_score",
    "common_words",
    "agreement",
    "human_ceiling",
    "bits_per_byte",
    "spot_the_bug",
)
USES = (
    "text",
    "tokenizers",
    "metrics",
    "ngram",
    "curves",
    "textmetrics",
    "agreement",
    "significance",
)  # of the reference, by the chapter's notebook
