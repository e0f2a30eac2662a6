"""The exercises of chapter 09, generation."""

CHAPTER = "09"
ORDER = (
    "nucleus",
    "min_p",
    "penalty",
    "beam_step",
    "cache_step",
    "perplexity",
    "self_bleu",
    "stop_string",
    "spot_the_bug",
    "chat",
)
USES = (
    "activations",
    "layers",
    "decoding",
    "generation",
    "llama",
)  # of the reference, by the chapter's notebook
