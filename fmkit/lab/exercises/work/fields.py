"""BM25 over documents that have a title and a body."""

from collections import Counter

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    words = ["sun", "moon", "ice", "tea", "sea", "oak"]

    def text(n):
        return [str(word) for word in rng.choice(words, n)]

    def case(n, weight, k1=1.2, b=0.75, query=None):
        titles = [text(rng.integers(0, 4)) for _ in range(n)]
        bodies = [text(rng.integers(1, 12)) for _ in range(n)]
        return (query or text(3)), titles, bodies, weight, k1, b

    example = ["sea"], [["sea"], ["ice"]], [["tea", "sun"], ["sea", "tea"]], 2, 1.0, 0.5
    everywhere = ["tea"], [["tea"], [], []], [["tea"], ["tea", "sun"], ["sea", "tea", "tea"]], 3, 1.2, 0.75
    twice = (
        ["ice", "ice", "oak"],
        [["ice"], [], ["oak"]],
        [["sun"], ["ice", "oak", "sea"], ["tea"]],
        2,
        1.5,
        0.4,
    )
    only_in_title = ["oak"], [["oak"], ["sun"], []], [["sun", "sea"], ["ice"], ["tea", "tea"]], 4, 1.2, 0.9
    return [
        example,
        everywhere,
        twice,
        only_in_title,
        case(5, 2.5, query=["comet", "sun"]),  # a word that nobody has
        case(6, 3, query=[]),
        case(7, 0),
        case(1, 2),
        case(8, 2, b=0.0),
        case(8, 2, b=1.0, k1=0.4),
        case(20, 5, query=["moon", "sea", "moon"]),
    ]


def field_scores(query, titles, bodies, weight, k1, b):
    N = len(bodies)
    documents = list(zip(titles, bodies, strict=True))
    lengths = np.array([weight * len(t) + len(d) for t, d in documents])
    scores = np.zeros(N)
    for word in set(query):
        counts = np.array([weight * t.count(word) + d.count(word) for t, d in documents])
        n = np.count_nonzero(counts)
        rarity = np.log(1 + (N - n + 0.5) / (n + 0.5))
        room = k1 * (1 - b + b * lengths / lengths.mean())
        scores += rarity * counts * (k1 + 1) / (counts + room)
    return scores


def tables(query, titles, bodies, weight, k1, b):
    bags = []
    for title, body in zip(titles, bodies, strict=True):
        bag = Counter(body)
        for word in title:
            bag[word] += weight
        bags.append(bag)
    sizes = [sum(bag.values()) for bag in bags]
    middle = sum(sizes) / len(sizes)
    scores = []
    for bag, size in zip(bags, sizes, strict=True):
        score = 0.0
        for word in dict.fromkeys(query):
            holders = sum(other[word] > 0 for other in bags)
            rarity = np.log((len(bags) + 1) / (holders + 0.5))
            if bag[word]:
                score += rarity * bag[word] * (k1 + 1) / (bag[word] + k1 * (1 - b + b * size / middle))
        scores.append(score)
    return np.array(scores)


def matrix(query, titles, bodies, weight, k1, b):
    words = sorted(set(query))
    pairs = list(zip(titles, bodies, strict=True))
    count = np.array([[weight * t.count(w) + d.count(w) for w in words] for t, d in pairs])
    count = count.reshape(len(bodies), len(words)).astype(float)
    length = np.array([len(t) * weight + len(d) for t, d in pairs], dtype=float)
    share = (length / length.mean())[:, None]
    n = (count > 0).sum(0)
    rarity = np.log1p((len(bodies) - n + 0.5) / (n + 0.5))
    return (rarity * count * (k1 + 1) / (count + k1 * (1 - b) + k1 * b * share)).sum(1)


def apart(query, titles, bodies, weight, k1, b):
    """Title and body scored each by itself, with the same rarity."""
    documents = list(zip(titles, bodies, strict=True))
    scores = np.zeros(len(bodies))
    for word in set(query):
        n = sum(word in d or (weight > 0 and word in t) for t, d in documents)
        rarity = np.log(1 + (len(bodies) - n + 0.5) / (n + 0.5))
        for part, texts in ((weight, titles), (1, bodies)):
            lengths = np.array([len(text) for text in texts])
            counts = np.array([text.count(word) for text in texts])
            share = lengths / max(lengths.mean(), 1e-9)
            scores += part * rarity * counts * (k1 + 1) / (counts + k1 * (1 - b + b * share) + 1e-12)
    return scores


def two_searches(query, titles, bodies, weight, k1, b):
    """BM25 of the titles, times the weight, plus BM25 of the bodies."""
    nothing = [[] for _ in bodies]
    by_title = field_scores(query, nothing, titles, 1, k1, b) if any(titles) else np.zeros(len(bodies))
    return weight * by_title + field_scores(query, nothing, bodies, 1, k1, b)


EXERCISE = Exercise(
    title="BM25 with titles",
    points=3,
    minutes=20,
    difficulty=3,
    cases=cases,
    teaches=("retrieval.bm25",),
    reference=field_scores,
    alternatives=(tables, matrix),
    equal=(("if True:", "a count of 0 adds 0"),),
    mistakes=(
        mistake(
            "a word asked twice counts twice",
            "set(query) -> query",
            "Each different word of the question counts once.",
        ),
        mistake(
            "frequent words count against a document",
            "np.log(1 + (N - n + 0.5) / (n + 0.5)) -> np.log((N - n + 0.5) / (n + 0.5))",
            "Without the 1 in the logarithm a word in most documents has a negative weight.",
        ),
        mistake(
            "the rarity as log(N / n)",
            "np.log(1 + (N - n + 0.5) / (n + 0.5)) -> np.log(N / max(n, 1))",
            "Look at the formula for rarity again: it has a half, and a 1.",
        ),
        mistake(
            "no rarity at all",
            "rarity * counts -> counts",
            "A word that few documents hold says more.",
        ),
        mistake(
            "a title's words weigh 1 in the length",
            "weight * len(t) + len(d) -> len(t) + len(d)",
            "A word of the title stands for `weight` words, in the length as well.",
        ),
        mistake(
            "the length of the body alone",
            "weight * len(t) + len(d) -> len(d)",
            "The title adds to the length, too.",
        ),
        mistake(
            "the weight on the body",
            "weight * t.count(word) + d.count(word) -> t.count(word) + weight * d.count(word)",
            "It is the title whose words count `weight` times.",
        ),
        mistake(
            "the title left out of the counts",
            "weight * t.count(word) + d.count(word) -> d.count(word)",
            "A word in the title counts `weight` times.",
        ),
        mistake(
            "no saturation: every repetition counts the same",
            "counts * (k1 + 1) / (counts + room) -> counts / (1 - b + b * lengths / lengths.mean())",
            "The tenth time a word comes says less than the first.",
        ),
        mistake(
            "long documents preferred",
            "lengths / lengths.mean() -> lengths.mean() / lengths",
            "A long document holds a word more easily: its length belongs above the line.",
        ),
        mistake(
            "b turned round",
            "1 - b + b * lengths / lengths.mean() -> b + (1 - b) * lengths / lengths.mean()",
            "With b = 0 the length does not count at all.",
        ),
        mistake(
            "forgot the factor k1 + 1",
            "counts * (k1 + 1) -> counts",
            "A word that comes once in a document of mean length has the factor 1.",
        ),
        mistake(
            "how often for in how many documents",
            "np.count_nonzero(counts) -> counts.sum()",
            "n is the number of documents that hold the word.",
        ),
        mistake(
            "n_w counts the bodies alone",
            "n = sum(word in body for body in bodies)",
            "n_w is the number of documents with the word, be it only in the title.",
        ),
        mistake(
            "a word that no body holds is passed over",
            "scores += rarity * counts * (k1 + 1) / (counts + room) * any(word in body for body in bodies)",
            "n_w is the number of documents with the word, be it only in the title.",
        ),
        mistake(
            "title and body scored apart",
            apart,
            "Two scores are added; the weighted counts go into *one* formula.",
        ),
        mistake(
            "two searches, of titles and of bodies",
            two_searches,
            "Two scores are added; the weighted counts go into *one* formula.",
        ),
        mistake(
            "k1 outside the length's part",
            "k1 * (1 - b + b * lengths / lengths.mean()) -> k1 * (1 - b) + b * lengths / lengths.mean()",
            "k1 multiplies the whole bracket.",
        ),
        mistake(
            "the rarity twice",
            "scores += rarity**2 * counts * (k1 + 1) / (counts + room)",
            "The rarity counts once.",
        ),
    ),
    hints=(
        "First a count for each document: weight times the title's plus the body's. The length likewise.",
        "For each different word of the question: n = the number of counts that are not 0.",
        "rarity = log(1 + (N - n + 0.5) / (n + 0.5)); room = k1 * (1 - b + b * length / mean length).",
    ),
)
