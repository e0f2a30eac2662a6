"""The exercises of chapter 14, private and robust."""

CHAPTER = "14"
ORDER = (
    "caught",
    "norms",
    "dp_step",
    "epsilon",
    "server_step",
    "secure_sum",
    "fgsm",
    "pgd",
    "spot_the_bug",
)
USES = (
    "privacy",
    "federated",
    "adversarial",
    "losses",
    "layers",
)  # of the reference, by the chapter's notebook
