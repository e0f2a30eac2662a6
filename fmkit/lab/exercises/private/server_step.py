"""The server's side of federated learning: it moves towards the clients' weighted mean."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(sizes, rate=1.0, shape=(3, 2)):
        def model():
            return {"w": rng.normal(size=shape), "b": rng.normal(size=shape[1])}

        return model(), [model() for _ in sizes], np.array(sizes), rate

    example = (
        {"w": np.array([1.0, 1.0])},
        [{"w": np.array([5.0, 1.0])}, {"w": np.array([1.0, 9.0])}],
        np.array([3, 1]),
        0.5,
    )
    missing = case([4, 0, 2], 0.7)
    missing[1][1]["w"][:] = np.nan  # a client without an example: nobody knows what its model holds
    return [
        example,
        missing,
        case([5, 5, 5], 1.0),
        case([1, 99], 1.0, (2, 4)),
        case([7], 0.3),
        case([2, 3, 50, 8], 1.5, (4, 1)),
        case([10, 20], 0.0),
        case([6, 1, 3], 0.9),
    ]


def server_step(model, clients, sizes, rate):
    total = sizes.sum()
    moved = {}
    for name, w in model.items():
        change = np.zeros_like(w)
        for client, size in zip(clients, sizes.tolist(), strict=True):
            if size:
                change += (client[name] - w) * float(size / total)
        moved[name] = w + rate * change
    return moved


def by_mean(model, clients, sizes, rate):
    some = [k for k in range(len(sizes)) if sizes[k] > 0]
    shares = [float(sizes[k]) / float(sizes.sum()) for k in some]
    moved = {}
    for name in model:
        mean = sum(share * clients[k][name] for k, share in zip(some, shares, strict=True))
        moved[name] = (1 - rate) * model[name] + rate * mean
    return moved


def stacked(model, clients, sizes, rate):
    there = sizes > 0
    out = {}
    for name, w in model.items():
        stack = np.stack([client[name] for client in clients])[there]
        shares = (sizes[there] / sizes.sum()).astype(w.dtype)
        out[name] = w + rate * (np.tensordot(shares, stack, axes=1) - w)
    return out


CHANGE = "change += (client[name] - w) * float(size / total)"

EXERCISE = Exercise(
    title="The server's step",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    reference=server_step,
    alternatives=(by_mean, stacked),
    teaches=("federated.average",),
    mistakes=(
        mistake(
            "every client counts the same",
            "change += (client[name] - w) / len(clients)",
            "A client with many examples counts more: its share is its size by the sum of all.",
        ),
        mistake(
            "every client that has examples counts the same",
            "change += (client[name] - w) / float((sizes > 0).sum())",
            "A client with many examples counts more: its share is its size by the sum of all.",
        ),
        mistake(
            "the sum, not the mean",
            "change += (client[name] - w) * float(size)",
            "The shares have to add up to 1.",
        ),
        mistake(
            "divided by the number of clients, too",
            "change += (client[name] - w) * float(size / total) / len(clients)",
            "The shares add up to 1 already.",
        ),
        mistake(
            "away from the clients",
            "change += (w - client[name]) * float(size / total)",
            "The change points from the server's model to the clients'.",
        ),
        mistake(
            "the mean itself added",
            "change += client[name] * float(size / total)",
            "Add the *change*, the client's parameters minus the server's.",
        ),
        mistake(
            "rate left out",
            "moved[name] = w + change",
            "The server goes only part of the way: rate.",
        ),
        mistake(
            "the change instead of the model",
            "moved[name] = rate * change",
            "Return the new model, not how it moved.",
        ),
        mistake(
            "the server's model overwritten",
            "moved[name] = w + rate * change -> w += rate * change\nmoved[name] = w",
            "Make new arrays: whoever compares with the old model still needs it.",
        ),
        mistake(
            "a client without examples is read",
            "if size: -> if size >= 0:",
            "0 times NaN is NaN: leave out who has no example.",
        ),
        mistake(
            "one client after the other",
            f"{CHANGE} -> change += (client[name] - (w + rate * change)) * float(size / total)",
            "Every change starts at the server's old model, not where the last client left it.",
        ),
        mistake(
            "the last client only",
            f"{CHANGE} -> change = (client[name] - w) * float(size / total)",
            "Add up over the clients.",
        ),
        mistake(
            "the largest client only",
            "change += (client[name] - w) * float(size == sizes.max()) / (sizes == sizes.max()).sum().item()",
            "Every client counts with its share.",
        ),
    ),
    hints=(
        "For each parameter: what did a client change, client[name] - model[name]?",
        "Its share is size / sizes.sum(). Skip a client whose size is 0.",
        "The new parameter is the old one plus rate times the weighted sum of the changes.",
    ),
)
