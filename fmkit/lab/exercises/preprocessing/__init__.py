"""The exercises of chapter 01, preprocessing."""

CHAPTER = "01"
ORDER = (
    "clean_review",
    "merge_copies",
    "mend_ratings",
    "stratified_split",
    "learn_merges",
    "apply_merges",
    "pad_batch",
    "token_batches",
    "log_tfidf",
    "jitter",
    "spot_the_bug",
)
USES = (
    "text",
    "tokenizers",
    "batching",
    "wordpiece",
    "images",
    "metrics",
)  # of the reference, by the chapter's notebook
