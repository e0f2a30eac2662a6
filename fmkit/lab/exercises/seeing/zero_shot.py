"""Classes given in words: several sentences each, in any order."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, d, owner, scale):
        owner = np.array(owner)
        prompts = rng.normal(size=(owner.max() + 1, d))[owner] + 0.9 * rng.normal(size=(len(owner), d))
        return (
            rng.normal(size=(n, d)) * rng.uniform(0.5, 4.0, (n, 1)),
            prompts * rng.uniform(0.3, 6.0, (len(owner), 1)),
            owner,
            scale,
        )

    example = np.array([[3.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0, 1]), 1.0
    long = np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [0.0, 9.0], [0.6, 0.8]]), np.array([0, 0, 1]), 5.0
    return [
        example,
        long,  # a class whose sentences quarrel, one much longer than the other
        case(3, 2, [0, 1, 0], 2.0),
        case(2, 4, [1, 0, 2, 1, 1], 10.0),
        case(4, 3, [2, 1, 0, 0, 2, 1], 3.0),
        case(3, 5, [0, 0, 0, 1], 100.0),
        case(1, 3, [1, 1, 0, 2, 3], 0.5),
        (
            np.array([[1.0, 0.0], [-1.0, 0.0]]),
            long[1] * np.array([[1.0], [1.0], [-1.0]]),
            long[2],
            40000.0,
        ),  # exp of the scores themselves overflows
        as_float32(case(5, 4, [1, 0, 0, 2], 20.0)),
    ]


def zero_shot(images, prompts, owner, scale):
    prompts = prompts / np.linalg.norm(prompts, axis=1, keepdims=True)
    classes = np.stack([prompts[owner == k].mean(0) for k in range(owner.max() + 1)])
    classes = classes / np.linalg.norm(classes, axis=1, keepdims=True)
    images = images / np.linalg.norm(images, axis=1, keepdims=True)
    logits = scale * (images @ classes.T)
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def with_a_table(images, prompts, owner, scale):
    def unit(x):
        return x / np.sqrt((x**2).sum(-1))[:, None]

    belongs = (np.arange(owner.max() + 1)[:, None] == owner).astype(images.dtype)  # (K, M)
    z = (unit(images) @ unit(belongs @ unit(prompts)).T) * scale  # a sum points where the mean does
    e = np.exp(z - np.max(z, -1)[:, None])
    return e / np.sum(e, -1)[:, None]


def loop(images, prompts, owner, scale):
    out = np.zeros((len(images), max(owner.tolist()) + 1), images.dtype)
    for n, x in enumerate(images):
        scores = []
        for k in range(out.shape[1]):
            total = sum(p / np.sqrt(p @ p) for p, o in zip(prompts, owner, strict=True) if o == k)
            scores.append(float(scale * (x @ total) / np.sqrt((x @ x) * (total @ total))))
        out[n] = np.exp(np.array(scores) - np.logaddexp.reduce(scores))
    return out


EXERCISE = Exercise(
    title="Classes in words",
    points=3,
    minutes=12,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    reference=zero_shot,
    alternatives=(with_a_table, loop),
    teaches=("unlabelled.zero_shot", "unlabelled.unit_vectors"),
    mistakes=(
        mistake(
            "not normalised again after the mean",
            "classes = classes / np.linalg.norm(classes, axis=1, keepdims=True) ->",
            "A mean of unit vectors is shorter than 1, and shortest where its sentences quarrel.",
        ),
        mistake(
            "the sentences not normalised before their mean",
            "prompts = prompts / np.linalg.norm(prompts, axis=1, keepdims=True) ->",
            "A long vector would have more to say in the mean than a short one.",
        ),
        mistake(
            "the pictures not normalised",
            "images = images / np.linalg.norm(images, axis=1, keepdims=True) ->",
            "The length of a picture's vector would make it surer or less sure.",
        ),
        mistake(
            "the nearest sentence of each class",
            "logits = [(images @ prompts[owner == k].T).max(1) for k in range(owner.max() + 1)]\n"
            "logits = scale * np.stack(logits, 1)",
            "A class is the mean of its sentences, one vector; not its best sentence.",
        ),
        mistake(
            "probabilities over the pictures",
            ("e = np.exp(logits - logits.max(0))", "return e / e.sum(0)"),
            "Each picture asks which class: a row sums to 1.",
        ),
        mistake(
            "the scale forgotten",
            "logits = images @ classes.T",
            "Cosines lie between -1 and 1: without the scale no softmax is ever sure.",
        ),
        mistake(
            "divided by the scale",
            "logits = (images @ classes.T) / scale",
            "The scale is one over the temperature: it multiplies.",
        ),
        mistake(
            "the sentences taken in pairs of order, whoever owns them",
            "np.stack([prompts[owner == k].mean(0) for k in range(owner.max() + 1)])"
            " -> np.stack([p.mean(0) for p in np.array_split(prompts, owner.max() + 1)])",
            "owner says to which class a sentence belongs; they come in any order.",
        ),
        mistake(
            "scores instead of probabilities",
            "return logits",
            "Asked are probabilities: what makes them of scores?",
        ),
        mistake(
            "the exponential of the scores themselves",
            "e = np.exp(logits)",
            "A scale of 40,000 is too much for the exponential: take the largest of a row out first.",
        ),
        mistake(
            "the first sentence of each class only",
            "prompts[owner == k].mean(0) -> prompts[owner == k][0]",
            "All sentences of a class have a say.",
        ),
        mistake(
            "divided by the count of all sentences",
            (
                "prompts[owner == k].mean(0) -> prompts[owner == k].sum(0) / len(prompts)",
                "classes = classes / np.linalg.norm(classes, axis=1, keepdims=True) ->",
            ),
            "A class with more sentences must not come out longer: to length 1 at the end.",
        ),
        mistake(
            "the answer instead of probabilities",
            "return np.eye(e.shape[1])[e.argmax(1)]",
            "Asked are the probabilities, not which class has the largest.",
        ),
        mistake(
            "the sentences taken as sorted by their class",
            "np.stack([prompts[owner == k].mean(0) for k in range(owner.max() + 1)])"
            " -> np.stack([prompts[np.sort(owner) == k].mean(0) for k in range(owner.max() + 1)])",
            "owner says to which class a sentence belongs; they come in any order.",
        ),
        mistake(
            "each class the sum of its sentences' probabilities",
            (
                "logits = scale * (images @ prompts.T)",
                "return np.stack([(e / e.sum(1, keepdims=True))[:, owner == k].sum(1)"
                " for k in range(owner.max() + 1)], 1)",
            ),
            "A class is one vector, the mean of its sentences; the softmax is over the classes.",
        ),
        mistake(
            "every class as likely as the other",
            "return np.full_like(e, 1 / e.shape[1])",
            "The pictures do not appear in your result.",
        ),
    ),
    equal=(
        ("e = np.exp(logits - logits.max(-1, keepdims=True))", "of two axes 1 is the last"),
        ("return e / e.sum(-1, keepdims=True)", "of two axes 1 is the last"),
        ("return x / np.sqrt((x ** 2).sum(1))[:, None]", "of two axes 1 is the last"),
        ("belongs = np.arange(owner.max() + 1)[:, None] == owner", "a boolean counts as 0 and 1"),
        ("e = np.exp(z - np.max(z, 1)[:, None])", "of two axes 1 is the last"),
        ("return e / np.sum(e, 1)[:, None]", "of two axes 1 is the last"),
        (
            "classes = np.stack([prompts[owner == k].sum(0) for k in range(owner.max() + 1)])",
            "a sum points where the mean does, and its length goes",
        ),
        ("prompts = prompts / np.linalg.norm(prompts, axis=-1, keepdims=True)", "of two axes 1 is the last"),
        ("classes = classes / np.linalg.norm(classes, axis=-1, keepdims=True)", "of two axes 1 is the last"),
        ("images = images / np.linalg.norm(images, axis=-1, keepdims=True)", "of two axes 1 is the last"),
    ),
    hints=(
        "Length 1 three times: the sentences, the class that is their mean, the pictures.",
        "prompts[owner == k] are the sentences of class k.",
        "Then a softmax over the classes, of scale times the cosines.",
    ),
)
