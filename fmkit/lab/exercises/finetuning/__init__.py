"""The exercises of chapter 08, fine-tuning."""

CHAPTER = "08"
ORDER = (
    "clean_split",
    "class_report",
    "paired_interval",
    "last_real",
    "stop_early",
    "mean_and_max",
    "layer_rates",
    "merge_query_value",
    "lora_gradients",
    "train_epoch",
)
USES = (
    "text",
    "batching",
    "wordpiece",
    "metrics",
    "activations",
    "losses",
    "layers",
    "params",
    "optimizers",
    "attention",
    "bert",
    "adapters",
)  # of the reference, by the chapter's notebook
