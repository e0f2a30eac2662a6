"""The best model for a budget, when there are only so many tokens."""

import math

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(tokens):
        E, a, b = rng.uniform((1.0, 0.2, 0.2), (2.0, 0.5, 0.5)).tolist()
        A, B = math.exp(rng.uniform(4, 7)), math.exp(rng.uniform(4, 7))
        return E, A, a, B, b, 10 ** float(rng.uniform(19, 24)), tokens

    chinchilla = 1.69, 406.4, 0.34, 410.7, 0.28
    return [
        (0.0, 1.0, 0.5, 1.0, 0.5, 600.0, 100.0),
        (1.0, 1.0, 0.5, 1.0, 0.5, 600.0, 5.0),  # only five tokens
        (*chinchilla, 5.76e23, 1e15),
        (*chinchilla, 5.76e23, 1e11),
        (0.5, 3.0, 0.5, 2.0, 0.4, 100.0, 30.0),  # small numbers, no whole ones
        (2.0, 100.0, 0.5, 100.0, 0.25, 6e12, 1e30),
        (1.5, 10.0, 0.3, 1000.0, 0.6, 1e18, 1e30),
        case(1e40),
        case(1e40),
        case(1e6),
        case(1e8),
    ]


def best_size(E, A, a, B, b, flops, tokens):
    product = flops / 6  # parameters times tokens
    G = (a * A / (b * B)) ** (1 / (a + b))
    D = min(product ** (a / (a + b)) / G, tokens)
    N = product / D
    loss = E + A / N**a + B / D**b
    return N, D, loss


def logs(E, A, a, B, b, flops, tokens):
    log_product = math.log(flops) - math.log(6)
    log_n = (math.log(a * A) - math.log(b * B) + b * log_product) / (a + b)
    log_d = min(log_product - log_n, math.log(tokens))
    log_n = log_product - log_d
    return math.exp(log_n), math.exp(log_d), E + A * math.exp(-a * log_n) + B * math.exp(-b * log_d)


def bisection(E, A, a, B, b, flops, tokens):
    product, low, high = flops / 6, -200.0, 200.0  # of log N
    for _ in range(200):
        middle = (low + high) / 2
        N, D = math.exp(middle), product / math.exp(middle)
        if a * A * N**-a > b * B * D**-b:  # more parameters would still pay
            low = middle
        else:
            high = middle
    D = min(product / math.exp(low), tokens)
    N = product / D
    return N, D, E + A * N**-a + B * D**-b


G = "G = (a * A / (b * B)) ** (1 / (a + b))"
BEST = "D = min(product ** (a / (a + b)) / G, tokens)"

EXERCISE = Exercise(
    title="The best size for a budget",
    points=3,
    minutes=20,
    difficulty=3,
    cases=cases,
    reference=best_size,
    alternatives=(logs, bisection),
    equal=(
        (
            "D = min(tokens, product ** (a / (a + b)) / G)",
            "the smaller of two, either way",
        ),
        (
            "log_d = min(math.log(tokens), log_product - log_n)",
            "the smaller of two, either way",
        ),
    ),
    teaches=("scaling.optimum", "scaling.fit_law"),
    parts=True,
    mistakes=(
        mistake(
            "exponents exchanged",
            f"{BEST} -> D = min(product ** (b / (a + b)) / G, tokens)",
            "Where data help fast (b large) fewer are needed: tokens grow with a / (a + b).",
        ),
        mistake(
            "half and half, whatever the exponents",
            f"{BEST} -> D = min(product**0.5 / G, tokens)",
            "Equal shares are right only if both exponents are equal.",
        ),
        mistake(
            "the 6 forgotten",
            "product = flops",
            "A parameter costs 6 operations for each token.",
        ),
        mistake(
            "multiplied by 6",
            "product = flops * 6",
            "N times D is the budget divided by 6.",
        ),
        mistake(
            "forward only: 2 for 6",
            "product = flops / 2",
            "Training goes backward, too: 6.",
        ),
        mistake(
            "parameters and tokens exchanged",
            "return D, N, loss",
            "First parameters, then tokens.",
        ),
        mistake(
            "the factor without the exponents",
            f"{G} -> G = (A / B) ** (1 / (a + b))",
            "The slope of A / N**a has the factor a.",
        ),
        mistake(
            "the factor upside down",
            f"{G} -> G = (b * B / (a * A)) ** (1 / (a + b))",
            "A large A asks for more parameters, so for fewer tokens.",
        ),
        mistake(
            "no factor",
            "G = 1.0",
            "Where both parts fall equally fast is not where N equals D.",
        ),
        mistake(
            "no root of the factor",
            f"{G} -> G = a * A / (b * B)",
            "Solve a A N**-a = b B D**-b for N: there is a root of order a + b.",
        ),
        mistake(
            "the tokens there are: not asked",
            f"{BEST} -> D = product ** (a / (a + b)) / G",
            "There are only `tokens` of them.",
        ),
        mistake(
            "always all the tokens",
            "D = tokens",
            "With all tokens the model may become too small for the budget.",
        ),
        mistake(
            "fewer tokens, and the model as before",
            "N = product / (product ** (a / (a + b)) / G)",
            "What the tokens do not need, a larger model can use: N is the budget by 6 D.",
        ),
        mistake(
            "the model from the budget without the 6",
            "N = product / D -> N = flops / D",
            "N is the budget by 6 D.",
        ),
        mistake(
            "twenty tokens a parameter, whatever the law",
            f"{BEST} -> D = min((20 * product) ** 0.5, tokens)",
            "Twenty came out of one law; this one has its own numbers.",
        ),
        mistake(
            "the larger of both",
            "min(product -> max(product",
            "D cannot be more than there are tokens.",
        ),
        mistake(
            "the loss without what cannot be learned",
            "loss = A / N**a + B / D**b",
            "E belongs to the loss.",
        ),
        mistake(
            "the loss with the exponents exchanged",
            "loss = E + A / N**b + B / D**a",
            "a belongs to N, b to D.",
        ),
        mistake(
            "multiplied by the powers",
            "loss = E + A * N**a + B * D**b",
            "The loss falls with N and with D.",
        ),
    ),
    hints=(
        "N D = flops / 6. On that line, where is the slope of A / N**a + B / D**b zero?",
        "There a A / N**a = b B / D**b. Put D = product / N in, and solve for N.",
        "If that D is more than there are tokens, take all tokens and the larger N.",
    ),
)
