"""The accountant, for a training in which the noise changes from step to step."""

import math

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(q, steps, low, high, delta, orders=(2, 20)):
        return q, rng.uniform(low, high, steps), delta, np.arange(*orders)

    example = 0.01, np.array([2.0, 2.0, 4.0]), 1e-5, np.array([2, 8, 32])
    abadi = 0.01, np.full(9, 4.0), 1e-5, np.arange(2, 64, 4)
    little = 0.05, np.array([0.3, 5.0]), 1e-3, np.arange(40, 44)  # e to the power of 8,000 on the way
    return [
        example,
        little,
        abadi,
        case(0.2, 1, 1.0, 1.2, 1e-2),
        case(0.02, 9, 0.7, 3.0, 1e-4),
        case(0.3, 4, 2.0, 6.0, 1e-3, (3, 20)),
        case(0.004, 7, 0.9, 1.4, 1e-6, (2, 40, 3)),
        case(0.5, 6, 3.0, 9.0, 0.05, (2, 20)),
    ]


def epsilon(q, sigmas, delta, orders):
    found = []
    for order in orders.tolist():
        k = np.arange(order + 1)
        ways = np.array([math.lgamma(order + 1) - math.lgamma(i + 1) - math.lgamma(order - i + 1) for i in k])
        spent = 0.0
        for sigma in sigmas.tolist():
            logs = ways + (order - k) * math.log(1 - q) + k * math.log(q) + (k * k - k) / (2 * sigma**2)
            spent += np.logaddexp.reduce(logs) / (order - 1)
        found.append(spent + math.log(1 / delta) / (order - 1))
    best = int(np.argmin(found))
    return float(found[best]), int(orders[best])


def exact(q, sigmas, delta, orders):
    best = math.inf, 0
    for order in map(int, orders):
        spent = 0.0
        for sigma in map(float, sigmas):
            logs = [
                math.log(math.comb(order, k)) + (order - k) * math.log1p(-q) + k * math.log(q)
                for k in range(order + 1)
            ]
            logs = [value + k * (k - 1) / 2 / sigma**2 for k, value in enumerate(logs)]
            top = max(logs)
            spent += top + math.log(sum(math.exp(value - top) for value in logs))
        best = min(best, ((spent - math.log(delta)) / (order - 1), order))
    return best


def all_at_once(q, sigmas, delta, orders):
    a, k = orders[:, None], np.arange(orders.max() + 1)[None]  # (A, 1), (1, K)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, orders.max() + 1)))])
    inside = k <= a
    rest = np.where(inside, a - k, 0)
    ways = log_factorial[a] - log_factorial[k] - log_factorial[rest] + rest * np.log1p(-q) + k * np.log(q)
    grown = (k * k - k) / (2 * sigmas[:, None, None] ** 2)  # (S, 1, K)
    logs = np.where(inside, ways + grown, -np.inf)
    total = np.logaddexp.reduce(logs, axis=2).sum(0)
    figures = (total - np.log(delta)) / (orders - 1)
    return float(figures.min()), int(orders[figures.argmin()])


def each_step_alone(q, sigmas, delta, orders):
    """A mistake: for every step the order that is best for it, and delta paid each time."""
    found = [epsilon(q, np.array([sigma]), delta, orders) for sigma in sigmas.tolist()]
    return sum(spent for spent, _ in found), found[-1][1]


LOGS = "logs = ways + (order - k) * math.log(1 - q) + k * math.log(q) + (k * k - k) / (2 * sigma**2)"
BEST = "best = int(np.argmin(found))"

EXERCISE = Exercise(
    title="The accountant",
    points=4,
    minutes=25,
    difficulty=4,
    cases=cases,
    reference=epsilon,
    alternatives=(exact, all_at_once),
    equal=(
        ("best = (math.inf, 1)", "every order beats infinity"),
        ("best = (math.inf, -1)", "every order beats infinity"),
        ("best = (math.inf, 2)", "every order beats infinity"),
        (
            "best = min(((spent - math.log(delta)) / (order - 1), order), best)",
            "the smaller of two, in either order",
        ),
        (
            "logs = [value + k * (k - 1) // 2 / sigma ** 2 for k, value in enumerate(logs)]",
            "of two whole numbers in a row one is even",
        ),
    ),
    teaches=("privacy.epsilon", "privacy.renyi"),
    parts=True,
    mistakes=(
        mistake(
            "q left out: as if everybody took part in each step",
            "spent += order / (2 * sigma**2)",
            "Most examples sit most steps out, and that protects them: the sum over k knows q.",
        ),
        mistake(
            "the first order taken",
            "best = 0",
            "Every order gives a true bound: take the smallest.",
        ),
        mistake(
            "the last order taken",
            "best = len(found) - 1",
            "A higher order is not always better: try all of them, and take the smallest bound.",
        ),
        mistake(
            "the largest bound",
            "best = int(np.argmax(found))",
            "Every order gives a true bound: take the smallest.",
        ),
        mistake(
            "the sign of log delta",
            "found.append(spent + math.log(delta) / (order - 1))",
            "log delta is negative, and a smaller delta costs more.",
        ),
        mistake(
            "delta not divided by order - 1",
            "found.append(spent + math.log(1 / delta))",
            "A high order pays less for delta: divide by order - 1.",
        ),
        mistake(
            "delta divided by the order",
            "found.append(spent + math.log(1 / delta) / order)",
            "Divide by order - 1.",
        ),
        mistake(
            "delta paid in each step",
            "found.append(spent + len(sigmas) * math.log(1 / delta) / (order - 1))",
            "Divergences add up over the steps; delta is paid once, at the end.",
        ),
        mistake(
            "the first step's noise for all",
            "for sigma in [float(sigmas[0])] * len(sigmas):",
            "Each step has its own sigma.",
        ),
        mistake(
            "the mean noise for all",
            "for sigma in [float(sigmas.mean())] * len(sigmas):",
            "Each step has its own sigma, and a step with little noise costs more than one with much saves.",
        ),
        mistake(
            "for each step an order of its own",
            each_step_alone,
            "One order for all steps: add up over them, pay delta once, and only then take the smallest.",
        ),
        mistake(
            "the steps averaged",
            "found.append(spent / len(sigmas) + math.log(1 / delta) / (order - 1))",
            "What the steps give away adds up.",
        ),
        mistake(
            "sigma not squared",
            f"{LOGS} -> {LOGS.replace('sigma**2', 'sigma')}",
            "The exponent has sigma squared.",
        ),
        mistake(
            "2 sigma squared, without the brackets",
            f"{LOGS} -> {LOGS.replace('(2 * sigma**2)', '2 * sigma**2')}",
            "Divide by both, 2 and sigma squared: brackets.",
        ),
        mistake(
            "k squared for k squared minus k",
            f"{LOGS} -> {LOGS.replace('(k * k - k)', '(k * k)')}",
            "With k = 1 the exponent is 0: one factor more is one of the density itself.",
        ),
        mistake(
            "the sum stops one term early",
            "k = np.arange(order)",
            "k runs up to alpha, and alpha is one of them: order + 1 terms.",
        ),
        mistake(
            "the ways not counted",
            f"{LOGS} -> {LOGS.replace('ways + ', '')}",
            "The binomial coefficient is missing.",
        ),
        mistake(
            "the divergence not divided by order - 1",
            "spent += np.logaddexp.reduce(logs)",
            "A divergence of order a is the log of the moment divided by a - 1.",
        ),
        mistake(
            "without logs: it overflows",
            "spent += np.log(np.exp(logs).sum()) / (order - 1)",
            "With little noise the exponentials pass 1e308: take the largest out, or np.logaddexp.",
        ),
        mistake(
            "the place of the order, not the order",
            "return float(found[best]), int(orders[best]) -> return float(found[best]), best",
            "The order itself is asked for: orders[best].",
        ),
    ),
    hints=(
        "math.lgamma(n + 1) is the log of n factorial.",
        "Add the logs of each term's factors; np.logaddexp.reduce(logs) is the log of the sum.",
        "For each order: add up over the steps, then log(1 / delta) / (order - 1) once. Take the smallest.",
    ),
)
