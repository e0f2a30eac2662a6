"""The exercises of chapter 04, backprop by hand."""

CHAPTER = "04"
ORDER = (
    "nudge",
    "neuron",
    "linear",
    "capped_relu",
    "weighted_ce",
    "network",
    "channel_norm",
    "unbroadcast",
    "tied",
    "spot_the_bug",
)
USES = ("activations", "losses", "layers")  # of the reference, by the chapter's notebook
