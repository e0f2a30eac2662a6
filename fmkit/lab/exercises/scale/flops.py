"""Operations of a training step of a Llama, recomputation included."""

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(recompute, groups=2):
        kv, d = int(rng.integers(1, 5)), int(rng.integers(2, 9)) * 8
        heads = kv * groups
        layers, vocabulary = (int(n) for n in rng.integers(2, (9, 400)))
        return layers, heads * d, heads, kv, int(rng.integers(20, 300)), vocabulary, 3, 17, recompute

    return [
        (1, 4, 2, 1, 8, 10, 1, 2, False),
        (1, 4, 2, 1, 8, 10, 1, 2, True),
        (2, 16, 4, 4, 24, 50, 1, 1, False),  # one token; as many keys as queries
        (3, 8, 2, 1, 12, 5, 2, 500, False),  # a long text: attention costs most
        (3, 8, 2, 1, 12, 5, 2, 500, True),
        (2, 8, 2, 1, 12, 9000, 4, 7, True),  # a large vocabulary
        (32, 4096, 32, 8, 14336, 128256, 1, 8192, False),  # Llama 3, 8B
        case(False),
        case(True, 3),
        case(True, 1),
        case(False, 4),
    ]


def flops(layers, C, heads, kv_heads, F, V, rows, T, recompute):
    attention = 2 * C * C + 2 * C * C * kv_heads // heads  # queries and output; keys and values
    layer = 2 * (attention + 3 * C * F) + 4 * T * C  # a token through one layer
    forward = layers * layer + 2 * C * V
    total = 3 * forward  # backward costs twice as much
    if recompute:
        total += layers * layer
    return float(total * rows * T)


def matrices(layers, C, heads, kv_heads, F, V, rows, T, recompute):
    D, tokens = C // heads, rows * T
    shapes = [(C, heads * D), (C, kv_heads * D), (C, kv_heads * D), (heads * D, C), (C, F), (C, F), (F, C)]
    block = sum(2 * tokens * a * b for a, b in shapes)
    block += 2 * (2 * rows * heads * T * T * D)  # scores, and the weighted mean
    times = 4 if recompute else 3
    return layers * times * block + 3 * 2 * tokens * C * V


def by_parts(layers, C, heads, kv_heads, F, V, rows, T, recompute):
    n_inner = layers * (2 * C * C + 2 * C * (C // heads * kv_heads) + 3 * C * F)
    attention = layers * 4 * T * C
    cost = 6 * n_inner + 3 * attention + 6 * C * V
    cost += (2 * n_inner + attention) if recompute else 0
    return rows * T * cost


LAYER = "layer = 2 * (attention + 3 * C * F) + 4 * T * C"
ATTENTION = "attention = 2 * C * C + 2 * C * C * kv_heads // heads"

EXERCISE = Exercise(
    title="Operations of a Llama",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    reference=flops,
    alternatives=(matrices, by_parts),
    equal=(
        ("attention = 2 * C * C + 2 * C * C * kv_heads / heads", "the heads divide the width"),
        ("D, tokens = (C / heads, rows * T)", "the heads divide the width"),
    ),
    teaches=("scaling.training_flops", "scaling.matrix_parameters", "scaling.count_flops"),
    mistakes=(
        mistake(
            "multiply-and-add counted as one",
            "return total * rows * T / 2",
            "A multiplication and an addition are two operations.",
        ),
        mistake(
            "multiply-and-add counted as one, but not in attention",
            ("layer = attention + 3 * C * F + 4 * T * C", "forward = layers * layer + C * V"),
            "A multiplication and an addition are two operations, in every product.",
        ),
        mistake(
            "the embedding table counted as a product",
            "forward = layers * layer + 2 * 2 * C * V",
            "To look a row up costs nothing: only the head is a product with V columns.",
        ),
        mistake(
            "the head left out",
            "forward = layers * layer",
            "The scores for V words are a product, too.",
        ),
        mistake(
            "backward as dear as forward",
            "total = 2 * forward",
            "Backward needs two products for each: one for the input, one for the weight.",
        ),
        mistake(
            "the head only once",
            "total = 2 * layers * layer + 2 * C * V",
            "Layers and head both go forward once and backward, which costs twice as much.",
        ),
        mistake(
            "the forward pass alone",
            "total = forward",
            "A step goes backward, too, which costs twice as much.",
        ),
        mistake(
            "attention's T times T left out",
            "layer = 2 * (attention + 3 * C * F)",
            "Every query meets every key, and every weight a value: two products that grow with T.",
        ),
        mistake(
            "scores counted, the weighted mean not",
            "layer = 2 * (attention + 3 * C * F) + 2 * T * C",
            "Attention has two products with T keys: the scores, and the mean of the values.",
        ),
        mistake(
            "the future left out",
            f"{LAYER} -> layer = 2 * (attention + 3 * C * F) + 2 * (T + 1) * C",
            "The task says it: masked scores are computed like the others.",
        ),
        mistake(
            "attention in one layer only",
            (
                "layer = 2 * (attention + 3 * C * F)",
                "forward = layers * layer + 4 * T * C + 2 * C * V",
            ),
            "Each layer has its own attention.",
        ),
        mistake(
            "T times T with the keys' heads only",
            f"{LAYER} -> layer = 2 * (attention + 3 * C * F) + 4 * T * C * kv_heads // heads",
            "Every query head has its own scores, though some share their keys.",
        ),
        mistake(
            "as many keys and values as queries",
            "attention = 4 * C * C",
            "Keys and values have kv_heads heads of C / heads each.",
        ),
        mistake(
            "keys counted, values not",
            f"{ATTENTION} -> attention = 2 * C * C + C * C * kv_heads // heads",
            "Keys and values are two matrices.",
        ),
        mistake(
            "no output matrix",
            f"{ATTENTION} -> attention = C * C + 2 * C * C * kv_heads // heads",
            "After the heads comes one more (C, C).",
        ),
        mistake(
            "two feed-forward matrices",
            f"{LAYER} -> layer = 2 * (attention + 2 * C * F) + 4 * T * C",
            "A Llama's feed-forward part has three: gate, up, down.",
        ),
        mistake(
            "the head recomputed, too",
            "total += forward",
            "Only the layers are run again.",
        ),
        mistake(
            "recomputing costs a backward pass",
            "total += 2 * layers * layer",
            "What is recomputed is one forward pass.",
        ),
        mistake(
            "recomputing is free",
            "total += 0",
            "The layers are run forward once more.",
        ),
        mistake(
            "per token",
            "return float(total)",
            "The step has rows times T tokens.",
        ),
        mistake(
            "one row only",
            "return float(total * T)",
            "The step has rows times T tokens.",
        ),
    ),
    hints=(
        "A matrix (a, b) costs 2ab for each token.",
        "The scores: for each token T dot products of length C, over all heads. The mean as much.",
        "Forward once, backward twice; with recomputing the layers once more.",
    ),
)
