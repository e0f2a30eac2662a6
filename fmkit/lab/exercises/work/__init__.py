"""The exercises of chapter 16, at work."""

CHAPTER = "16"
ORDER = (
    "fields",
    "fused",
    "tied_ndcg",
    "threshold",
    "shelf",
    "shift",
    "discoveries",
    "error_rate",
    "gru_step",
    "spot_the_bug",
)
USES = (
    "significance",
    "retrieval",
    "recommend",
    "monitoring",
    "speech",
    "translation",
)  # of the reference, by the notebook
