"""What a device holds and sends under ZeRO, in mixed precision."""

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    some = [(int(rng.integers(1, 2000)) * 64, int(2 ** rng.integers(1, 7)), stage) for stage in range(4)]
    return [
        (1000, 4, 1),
        (1000, 4, 3),
        *((1000, 1, stage) for stage in range(4)),  # alone there is nobody to send to
        *((7_500_000_000, 64, stage) for stage in range(4)),
        *((960, 2, stage) for stage in range(4)),
        (10, 3, 2),  # no whole numbers
        (11, 3, 3),
        *some,
    ]


def zero_bytes(parameters, ranks, stage):
    held = parameters * (
        2 / (ranks if stage >= 3 else 1)  # weights
        + 2 / (ranks if stage >= 2 else 1)  # gradients
        + 12 / (ranks if stage >= 1 else 1)  # weights in float32, and Adam's two averages
    )
    rounds = 3 if stage == 3 else 2  # how often the whole model goes round
    sent = rounds * (ranks - 1) / ranks * 2 * parameters
    return held, sent


def by_table(parameters, ranks, stage):
    whole, cut = {0: (16, 0), 1: (4, 12), 2: (2, 14), 3: (0, 16)}[stage]
    moves = {0: 2, 1: 2, 2: 2, 3: 3}[stage]
    return (whole + cut / ranks) * parameters, moves * 2 * parameters * (1 - 1 / ranks)


def loop(parameters, ranks, stage):
    held = 0.0
    for needed, size in ((3, 2), (2, 2), (1, 12)):
        held += parameters * size / (ranks if stage >= needed else 1)
    sent = 0.0
    for _ in range(2 + stage // 3):
        for _ in range(ranks - 1):
            sent += 2 * parameters / ranks
    return held, sent


EXERCISE = Exercise(
    title="ZeRO in bytes",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=zero_bytes,
    alternatives=(by_table, loop),
    equal=(
        (
            "rounds = 3 if stage >= 3 else 2",
            "there is no stage 4",
        ),
    ),
    teaches=("scaling.state_bytes", "scaling.data_parallel_bytes", "scaling.zero3_bytes"),
    parts=True,
    mistakes=(
        mistake(
            "no weights in float32",
            "12 / -> 8 /",
            "Adam needs the weights in 4 bytes, and two averages of 4.",
        ),
        mistake(
            "Adam's part in two bytes each", "12 / -> 6 /", "Its weights and averages have 4 bytes each."
        ),
        mistake(
            "one matrix only for Adam",
            "12 / -> 4 /",
            "Adam needs the weights in 4 bytes, and two averages of 4.",
        ),
        mistake(
            "gradients of four bytes",
            "+ 2 / (ranks if stage >= 2 else 1) -> + 4 / (ranks if stage >= 2 else 1)",
            "Here the gradients have 2 bytes, as the weights.",
        ),
        mistake(
            "gradients forgotten",
            "+ 2 / (ranks if stage >= 2 else 1) -> + 0 / (ranks if stage >= 2 else 1)",
            "Weights, gradients and Adam's part: three things are kept.",
        ),
        mistake(
            "stage 1 cuts the gradients, too",
            "(ranks if stage >= 2 else 1) -> (ranks if stage >= 1 else 1)",
            "Stage 1 cuts Adam's part only.",
        ),
        mistake(
            "stage 2 does not cut the gradients",
            "(ranks if stage >= 2 else 1) -> (ranks if stage >= 3 else 1)",
            "Stage 2 cuts Adam's part and the gradients.",
        ),
        mistake(
            "stage 2 cuts everything",
            "(ranks if stage >= 3 else 1) -> (ranks if stage >= 2 else 1)",
            "The weights are cut in stage 3 only.",
        ),
        mistake(
            "each stage cuts its own part only",
            (
                "(ranks if stage >= 2 else 1) -> (ranks if stage == 2 else 1)",
                "(ranks if stage >= 1 else 1) -> (ranks if stage == 1 else 1)",
            ),
            "The stages build on each other: 3 cuts all three.",
        ),
        mistake(
            "cut in stage 0, too",
            "(ranks if stage >= 1 else 1) -> ranks",
            "Stage 0 is plain data parallelism: every device has everything.",
        ),
        mistake(
            "stage 3 sends as much as the others",
            "rounds = 2",
            "In stage 3 the weights are gathered twice, and the gradients summed.",
        ),
        mistake(
            "stage 3 sends twice as much",
            "rounds = 4 if stage == 3 else 2",
            "Weights, weights, gradients: three times round.",
        ),
        mistake(
            "stages 1 and 2 send half as much",
            "rounds = {0: 2, 1: 1, 2: 1, 3: 3}[stage]",
            "Gradients are scattered, new weights gathered: twice round, as without ZeRO.",
        ),
        mistake(
            "stage 2 sends more",
            "rounds = {0: 2, 1: 2, 2: 3, 3: 3}[stage]",
            "Stage 2 gives its gradients away sooner, not more often.",
        ),
        mistake(
            "the whole model to every other",
            "sent = rounds * (ranks - 1) * 2 * parameters",
            "In a ring each device sends one piece a step: (n - 1) pieces of 1 / n.",
        ),
        mistake(
            "(n - 1) / n forgotten", "sent = rounds * 2 * parameters", "Of n pieces, n - 1 have to be sent."
        ),
        mistake(
            "n where n - 1 belongs",
            "sent = rounds * ranks / max(ranks - 1, 1) * 2 * parameters",
            "Of n pieces, n - 1 have to be sent: (n - 1) / n.",
        ),
        mistake(
            "four bytes are sent",
            "sent = rounds * (ranks - 1) / ranks * 4 * parameters",
            "What goes round has 2 bytes a number.",
        ),
        mistake(
            "numbers, not bytes, are sent",
            "sent = rounds * (ranks - 1) / ranks * parameters",
            "A number of 16 bits has 2 bytes.",
        ),
        mistake(
            "what all devices hold",
            "return held * ranks, sent",
            "How much does one device hold?",
        ),
        mistake(
            "held in whole bytes",
            "return held // 1, sent",
            "Divide with /: a piece need not be a whole number of bytes.",
        ),
        mistake(
            "sent in pieces of whole bytes",
            "sent = rounds * (2 * parameters // ranks) * (ranks - 1)",
            "Divide with /: a piece need not be a whole number of bytes.",
        ),
    ),
    hints=(
        "Weights 2 bytes, gradients 2, and 4 + 4 + 4 for Adam: the weights in float32 and its two averages.",
        "Stage 1 divides the 12 by n, stage 2 the gradients as well, stage 3 everything.",
        "A reduce-scatter or an all-gather sends (n - 1) / n of the model. How many does a step need?",
    ),
)
