"""The exercises of chapter 13, smaller and faster."""

CHAPTER = "13"
ORDER = (
    "outliers",
    "affine_rows",
    "byte_product",
    "spot_the_bug",
    "n_of_m",
    "distil",
    "text_vectors",
    "speculate",
    "speedups",
)
USES = (
    "optimizers",
    "ngram",
    "generation",
    "llama",
    "folded",
    "significance",
    "quantization",
    "pruning",
    "distillation",
    "speculative",
)  # of the reference, by the chapter's notebook
