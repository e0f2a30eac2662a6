"""The backward of a block whose two branches stand side by side."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, c, f, is_causal=True):
        a = rng.uniform(0.1, 1.0, (t, t))
        a = np.tril(a) if is_causal else a
        a /= a.sum(1, keepdims=True)
        wo, w1, w2 = (rng.normal(size=s) / np.sqrt(s[0]) for s in ((c, c), (c, f), (f, c)))
        return rng.normal(size=(b, t, c)), 2.0 * rng.normal(size=(b, t, c)) + 0.5, a, wo, w1, w2

    dout, x, a, wo, w1, w2 = case(1, 1, 2, 1)
    no_weights = dout, x, a, 0 * wo, 0 * w1, 0 * w2
    dead = case(2, 2, 4, 3, is_causal=False)
    dead[4][:, 1] = 0.0  # z is exactly 0 there
    return [
        no_weights,
        _lively(case(1, 1, 2, 1)),
        case(2, 4, 3, 5),
        case(3, 3, 6, 4, is_causal=False),
        case(1, 5, 2, 3),
        dead,
        as_float32(case(2, 3, 4, 6)),
    ]


def _lively(case):
    """The same with a feed-forward that is not shut: the only z is above 0."""
    dout, x, a, wo, w1, w2 = case
    return dout, x, a, wo, w1 * np.sign((x @ w1).item()), w2


def parallel_block_backward(dout, x, a, wo, w1, w2):
    rms = np.sqrt((x * x).mean(-1, keepdims=True))
    n = x / rms
    mixed = a @ n  # (B, T, C)
    z = n @ w1  # (B, T, F)
    h = np.maximum(0, z)

    def flat(array):
        return array.reshape(-1, array.shape[-1])

    dwo = flat(mixed).T @ flat(dout)
    dw2 = flat(h).T @ flat(dout)
    dz = (dout @ w2.T) * (z > 0)
    dw1 = flat(n).T @ flat(dz)
    dn = a.T @ (dout @ wo.T) + dz @ w1.T  # two branches leave n: add
    dx = dout + (dn - n * (dn * n).mean(-1, keepdims=True)) / rms  # the road, and through the norm
    return dx, dwo, dw1, dw2


def loop(dout, x, a, wo, w1, w2):
    dx, dwo, dw1, dw2 = np.empty_like(x), np.zeros_like(wo), np.zeros_like(w1), np.zeros_like(w2)
    for b in range(len(x)):
        rms = np.sqrt((x[b] * x[b]).mean(1, keepdims=True))
        n = x[b] / rms
        z = n @ w1
        dwo += (a @ n).T @ dout[b]
        dw2 += np.maximum(z, 0).T @ dout[b]
        dz = dout[b] @ w2.T
        dz[z <= 0] = 0.0
        dw1 += n.T @ dz
        dn = dz @ w1.T
        for t, u in np.ndindex(a.shape):
            dn[u] += np.dot(wo, dout[b, t]) * a[t, u]
        for t in range(len(n)):
            along = (dn[t] * n[t]).mean()  # what changes the length is taken off
            dx[b, t] = dout[b, t] + (dn[t] - along * n[t]) / rms[t]
    return dx, dwo, dw1, dw2


def einsum(dout, x, a, wo, w1, w2):
    inverse = 1 / np.sqrt(np.einsum("btc,btc->bt", x, x) / x.shape[-1])[..., None]
    n = x * inverse
    gate = (n @ w1 > 0).astype(x.dtype)
    dz = np.einsum("btc,fc->btf", dout, w2) * gate
    dn = np.einsum("ut,bud,cd->btc", a, dout, wo) + np.einsum("btf,cf->btc", dz, w1)
    dx = dout + inverse * dn - inverse**3 * x * (dn * x).mean(-1, keepdims=True)
    dwo = np.einsum("ut,btc,bud->cd", a, n, dout)
    return dx, dwo, np.einsum("btc,btf->cf", n, dz), np.einsum("btf,btc->fc", (n @ w1) * gate, dout)


EXERCISE = Exercise(
    title="The backward of a parallel block",
    points=5,
    minutes=35,
    difficulty=4,
    cases=cases,
    reference=parallel_block_backward,
    alternatives=(loop, einsum),
    equal=(
        ("return array.reshape(-2, array.shape[-1])", "any negative number leaves the length to NumPy"),
        ("rms = np.sqrt((x[b] * x[b]).mean(-1, keepdims=True))", "of two axes, 1 is the last"),
    ),
    mistakes=(
        mistake(
            "forgot the residual",
            "dx = (dn - n * (dn * n).mean(-1, keepdims=True)) / rms",
            "out = x + ...: the gradient also flows straight down, untouched.",
        ),
        mistake(
            "the residual twice, once for each branch",
            "dx = dout -> dx = 2 * dout",
            "x is added once, however many branches there are.",
        ),
        mistake(
            "the residual sent through the norm",
            (
                "dn = a.T @ (dout @ wo.T) + dz @ w1.T + dout",
                "dx = (dn - n * (dn * n).mean(-1, keepdims=True)) / rms",
            ),
            "The residual stream goes around the norm: dout joins below it.",
        ),
        mistake(
            "only the attention's branch",
            "dn = a.T @ (dout @ wo.T)",
            "n is used twice: over several wires, add.",
        ),
        mistake(
            "only the feed-forward branch", "dn = dz @ w1.T", "n is used twice: over several wires, add."
        ),
        mistake(
            "the branches averaged",
            "dn = (a.T @ (dout @ wo.T) + dz @ w1.T) / 2",
            "Over several wires gradients add up; nothing is averaged.",
        ),
        mistake(
            "the norm left out", "dx = dout + dn", "dn is the gradient of n; on the way to x stands the norm."
        ),
        mistake(
            "the norm as a division only",
            "dx = dout + dn / rms",
            "Moving one entry of x moves the length of the row, too: there is a second path.",
        ),
        mistake(
            "x in place of n in the norm's second path",
            "dx = dout + (dn - x * (dn * x).mean(-1, keepdims=True)) / rms",
            "Written with x, the second path needs two more divisions by rms: n has them in it already.",
        ),
        mistake(
            "the norm's second path added, not taken off",
            "dx = dout + (dn + n * (dn * n).mean(-1, keepdims=True)) / rms",
            "A longer row is divided by more: the second path works against the first.",
        ),
        mistake(
            "multiplied by rms instead of divided",
            "dx = dout + (dn - n * (dn * n).mean(-1, keepdims=True)) * rms",
            "The norm divides by rms on the way up, and so it does on the way back.",
        ),
        mistake(
            "not divided by rms",
            "dx = dout + dn - n * (dn * n).mean(-1, keepdims=True)",
            "The norm divides by rms on the way up, and so it does on the way back.",
        ),
        mistake(
            "the norm's mean over the positions",
            "(dn * n).mean(-1 -> (dn * n).mean(1",
            "Each position has a norm of its own: its mean runs over C.",
        ),
        mistake(
            "only the norm's first path divided by rms",
            "dx = dout + dn / rms - n * (dn * n).mean(-1, keepdims=True)",
            "Both paths lead through the division by rms.",
        ),
        mistake(
            "a sum instead of the mean in the norm",
            "(dn * n).mean -> (dn * n).sum",
            "The root holds a mean over C: what does that leave in the second path?",
        ),
        mistake(
            "LayerNorm's backward: the mean taken off as well",
            "dx = dout + (dn - dn.mean(-1, keepdims=True) - n * (dn * n).mean(-1, keepdims=True)) / rms",
            "This norm subtracts no mean, so there is no path through one.",
        ),
        mistake(
            "a not transposed",
            "a.T -> a",
            "Position u used position t with weight a[u, t]: on the way back that is column t.",
        ),
        mistake(
            "a left out on the way back to n",
            "a.T @ (dout @ wo.T) -> dout @ wo.T",
            "n came to the output by way of a: what position u used of t must come back to t.",
        ),
        mistake(
            "wo not transposed",
            "wo.T -> wo",
            "wo is square, so no shape complains: on the way back a matrix is transposed.",
        ),
        mistake(
            "wo left out on the way back",
            "a.T @ (dout @ wo.T) -> a.T @ dout",
            "Between a @ n and the output stands wo.",
        ),
        mistake(
            "the feed-forward's gradient joins below the norm",
            (
                "dn = a.T @ (dout @ wo.T)",
                "dx = dout + dz @ w1.T + (dn - n * (dn * n).mean(-1, keepdims=True)) / rms",
            ),
            "Both branches read n: both come back through the norm.",
        ),
        mistake(
            "a not transposed in dwo: a.T @ n",
            "flat(mixed) -> flat(a.T @ n)",
            "What meets wo is what the forward pass made: a @ n.",
        ),
        mistake(
            "a left out of dwo", "dwo = flat(n).T @ flat(dout)", "What meets wo is the mixed a @ n, not n."
        ),
        mistake(
            "the branches fed with x, not with n",
            ("dwo = flat(a @ x).T @ flat(dout)", "dw1 = flat(x).T @ flat(dz)"),
            "What meets the weights is n, after the norm.",
        ),
        mistake(
            "dwo made with x, not with n",
            "flat(mixed) -> flat(a @ x)",
            "What meets the weights is n, after the norm.",
        ),
        mistake(
            "dw1 made with x, not with n",
            "flat(n) -> flat(x)",
            "What meets the weights is n, after the norm.",
        ),
        mistake(
            "dw2 made with z, not with h",
            "flat(h) -> flat(z)",
            "What meets w2 is h, after the ReLU.",
        ),
        mistake(
            "the gate is h, not 0 or 1",
            "(z > 0) -> h",
            "The slope of ReLU is 1 where z is above 0, however large z is.",
        ),
        mistake(
            "the gate is z, not 0 or 1",
            "(z > 0) -> z",
            "The slope of ReLU is 1 where z is above 0, and 0 elsewhere.",
        ),
        mistake(
            "the gate open at exactly 0",
            "z > 0 -> z >= 0",
            "At exactly 0 the slope is taken as 0.",
        ),
        mistake(
            "the ReLU's gate left out", "dz = dout @ w2.T", "Where z was below zero, nothing comes back."
        ),
        mistake(
            "the gate of dh, not of z",
            "dz = np.maximum(0, dout @ w2.T)",
            "ReLU asks what came in on the way up, z; the gradient's own sign does not matter.",
        ),
        mistake(
            "the weights' gradients averaged over the positions",
            "return dx, dwo / len(flat(x)), dw1 / len(flat(x)), dw2 / len(flat(x))",
            "A layer only adds up what comes back from every position.",
        ),
        mistake(
            "the weights' gradients averaged over the batch",
            "return dx, dwo / len(x), dw1 / len(x), dw2 / len(x)",
            "A layer only adds up what comes back from every text.",
        ),
        mistake(
            "one gradient for each text of the batch",
            (
                "dwo = mixed.swapaxes(1, 2) @ dout",
                "dw2 = h.swapaxes(1, 2) @ dout",
                "dw1 = n.swapaxes(1, 2) @ dz",
            ),
            "All texts use the same weights: their gradients add up.",
        ),
    ),
    hints=(
        "Three wires lead from x to out: the residual, and two through n. Find dn first: two of them "
        "add up there.",
        "Through a @ n @ wo: dn gets a.T @ (dout @ wo.T), and dwo is (a @ n) against dout, over all "
        "positions.",
        "Through the norm: (dn - n * mean of dn * n) / rms. Then add dout, which came straight down.",
    ),
)
