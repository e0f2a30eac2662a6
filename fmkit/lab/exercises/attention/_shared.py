"""What several exercises of the chapter use in their inputs and alternatives."""

import numpy as np


def softmax(scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def loud(rng):
    """Numbers for queries and for keys, (2, 3) each, whose products are scores of hundreds.

    In text 0 the scores of a row are all near 900, or all near -900, and differ by 1 or 2; in text 1 a row
    holds about 900, 0 and -900.
    """
    queries = 30.0 * np.array([rng.permutation([1, -1, s]) for s in (1, -1)])
    keys = np.stack([30.0 + 0.04 * rng.permutation(3), rng.permutation([-30.0, 0.02, 30.0])])
    return queries, keys
