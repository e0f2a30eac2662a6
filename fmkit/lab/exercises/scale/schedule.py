"""One forward, one backward: the order of a stage's work, and what it has to keep."""

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    p = int(rng.integers(3, 7))
    return [
        (4, 6, 1),
        (2, 3, 0),
        (2, 3, 1),
        (1, 3, 0),  # a pipeline of one
        (4, 1, 0),
        (4, 2, 0),  # fewer micro-batches than stages
        (5, 3, 1),
        (3, 3, 0),
        (4, 12, 3),
        (4, 12, 0),
        (8, 2, 6),
        (p, int(rng.integers(p, 12)), int(rng.integers(p))),
        (p, int(rng.integers(1, p)), int(rng.integers(p))),
        (p, 2 * p, p - 1),
    ]


def schedule(stages, micro, stage):
    ahead = min(stages - 1 - stage, micro)  # forwards before the first gradient can be there
    order = [f"F{i}" for i in range(ahead)]
    for i in range(micro):
        if ahead + i < micro:
            order.append(f"F{ahead + i}")
        order.append(f"B{i}")
    most = min(stages - stage, micro)
    return order, most


def while_loop(stages, micro, stage):
    order, begun, ended, most = [], 0, 0, 0
    while ended < micro:
        if begun < micro and begun - ended < stages - stage:
            order.append(f"F{begun}")
            begun += 1
            most = max(most, begun - ended)
        else:
            order.append(f"B{ended}")
            ended += 1
    return order, most


def three_parts(stages, micro, stage):
    ahead = min(micro, stages - stage - 1)
    warm = ["F" + str(i) for i in range(ahead)]
    steady = [word + str(n) for i in range(micro - ahead) for word, n in (("F", ahead + i), ("B", i))]
    cool = ["B" + str(i) for i in range(micro - ahead, micro)]
    return warm + steady + cool, ahead + (micro > ahead)


AHEAD = "ahead = min(stages - 1 - stage, micro)"

EXERCISE = Exercise(
    title="One forward, one backward",
    points=3,
    minutes=20,
    difficulty=3,
    cases=cases,
    reference=schedule,
    alternatives=(while_loop, three_parts),
    equal=(
        (
            "ahead = min(micro, stages - 1 - stage)",
            "the smaller of two, either way",
        ),
        (
            "most = min(micro, stages - stage)",
            "the smaller of two, either way",
        ),
        (
            "order, begun, ended, most = ([], 0, 0, 1)",
            "one is kept at least",
        ),
        (
            "order, begun, ended, most = ([], 0, 0, -1)",
            "one is kept at least",
        ),
        (
            "most = max(begun - ended, most)",
            "the larger of two, either way",
        ),
    ),
    teaches=("parallel.pipeline_schedule", "parallel.pipeline_times", "parallel.pipeline"),
    parts=True,
    mistakes=(
        mistake(
            "one forward too many ahead",
            "ahead = min(stages - stage, micro)",
            "The last stage has nothing to wait for: it begins its first backward after its first forward.",
        ),
        mistake(
            "as many ahead as there are stages before",
            "ahead = min(stage, micro)",
            "The first stage waits longest for a gradient: it runs farthest ahead.",
        ),
        mistake(
            "the same number ahead on every stage",
            "ahead = min(stages - 1, micro)",
            "A later stage gets its first gradient sooner.",
        ),
        mistake(
            "one forward ahead on every stage",
            "ahead = min(1, micro)",
            "The first stage must run ahead by all the stages after it.",
        ),
        mistake(
            "nothing ahead",
            "ahead = 0",
            "Then each stage would wait until the whole pipeline has worked on one micro-batch.",
        ),
        mistake(
            "more forwards than there are micro-batches",
            "ahead = stages - 1 - stage",
            "There may be fewer micro-batches than stages.",
        ),
        mistake(
            "GPipe: all forward, then all backward",
            f"{AHEAD} -> ahead = micro",
            "In turns: as soon as a gradient can be there, one backward follows each forward.",
        ),
        mistake(
            "backward from the last to the first",
            'f"B{i}" -> f"B{micro - 1 - i}"',
            "The gradient of the micro-batch that went first comes back first.",
        ),
        mistake(
            "backward before forward",
            (
                'order.append(f"F{ahead + i}") -> order.append(f"B{i}")\n'
                'order.append(f"F{ahead + i}")\ncontinue',
            ),
            "First the forward, which the next stage waits for, then the backward.",
        ),
        mistake(
            "counted from 1",
            (
                'order = [f"F{i + 1}" for i in range(ahead)]',
                'order.append(f"F{ahead + i}") -> order.append(f"F{ahead + i + 1}")',
                'f"B{i}" -> f"B{i + 1}"',
            ),
            "The first micro-batch is number 0.",
        ),
        mistake(
            "the last gradients forgotten",
            "if ahead + i < micro: -> if ahead + i >= micro:\n    break\nif ahead + i < micro:",
            "When no forward is left, the gradients still under way must come home.",
        ),
        mistake(
            "keeps every micro-batch",
            "most = micro",
            "What has gone backward is forgotten: count what was begun and not ended.",
        ),
        mistake(
            "keeps as many as there are stages",
            "most = min(stages, micro)",
            "A later stage keeps fewer.",
        ),
        mistake(
            "the kept ones without the one in work",
            "most = min(stages - 1 - stage, micro)",
            "After the forwards ahead comes one more forward before the first backward.",
        ),
        mistake(
            "more kept than there are",
            "most = stages - stage",
            "There may be fewer micro-batches than stages.",
        ),
        mistake(
            "counted from the wrong end: as many ahead as there are stages before, and so many kept",
            ("ahead = min(stage, micro)", "most = min(stage + 1, micro)"),
            "The first stage waits longest for a gradient: it runs farthest ahead, and keeps most.",
        ),
        mistake(
            "the newest backward, not the oldest",
            (
                'order = [f"F{i}" for i in range(ahead)] -> live = list(range(ahead))\n'
                'order = [f"F{i}" for i in range(ahead)]',
                'order.append(f"F{ahead + i}") -> live.append(ahead + i)\norder.append(f"F{ahead + i}")',
                'f"B{i}" -> f"B{live.pop()}"',
            ),
            "The gradient of the micro-batch that went first comes back first: a queue, not a stack.",
        ),
        mistake(
            "GPipe, and it keeps every micro-batch",
            (f"{AHEAD} -> ahead = micro", "most = micro"),
            "In turns: as soon as a gradient can be there, one backward follows each forward.",
        ),
        mistake(
            "backward before forward in each turn, so one fewer is kept",
            (
                f"{AHEAD} -> ahead = max(min(stages - 1 - stage, micro), 1)",
                'order.append(f"F{ahead + i}") -> order.append(f"B{i}")\n'
                'order.append(f"F{ahead + i}")\ncontinue',
                "most = ahead",
            ),
            "First the forward, which the next stage waits for, then the backward.",
        ),
    ),
    hints=(
        "How many stages come after this one? So many forwards go ahead, if there are so many.",
        "Then by turns: the next forward, if one is left, and the oldest backward.",
        "The most kept: the forwards ahead, and the one after them.",
    ),
)
