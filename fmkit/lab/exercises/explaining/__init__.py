"""The exercises of chapter 12, explaining, and being fair."""

CHAPTER = "12"
ORDER = (
    "path_attribution",
    "local_line",
    "shapley_values",
    "relevance",
    "probe_split",
    "error_rates",
    "implied_ppv",
    "same_recall",
    "word_effect",
    "spot_the_bug",
)
USES = ("curves", "significance", "explain", "fairness")  # of the reference, by the chapter's notebook
