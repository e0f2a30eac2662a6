"""The backward of a block whose two branches stand side by side."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, c, f):
        a = np.tril(rng.uniform(0.1, 1.0, (t, t)))
        a /= a.sum(1, keepdims=True)
        wo, w1, w2 = (rng.normal(size=s) / np.sqrt(s[0]) for s in ((c, c), (c, f), (f, c)))
        return rng.normal(size=(b, t, c)), 2.0 * rng.normal(size=(b, t, c)) + 0.5, a, wo, w1, w2

    return [case(2, 4, 3, 5), case(3, 3, 6, 4), case(1, 5, 2, 3), as_float32(case(2, 3, 4, 6))]


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
    dx, dwo, dw1, dw2 = np.zeros_like(x), np.zeros_like(wo), np.zeros_like(w1), np.zeros_like(w2)
    C = x.shape[-1]
    for b in range(len(x)):
        rms = np.sqrt((x[b] * x[b]).sum(-1, keepdims=True) / C)
        n = x[b] / rms
        z = n @ w1
        dwo += (a @ n).T @ dout[b]
        dw2 += np.maximum(z, 0).T @ dout[b]
        dz = np.where(z > 0, dout[b] @ w2.T, 0 * z)
        dw1 += n.T @ dz
        dn = dz @ w1.T
        for t in range(len(n)):
            dn[t] += sum(a[u, t] * (wo @ dout[b, u]) for u in range(len(n)))
        for t in range(len(n)):
            jacobian = (np.eye(C) - np.outer(n[t], n[t]) / C) / rms[t]
            dx[b, t] = dout[b, t] + jacobian @ dn[t]
    return dx, dwo, dw1, dw2.astype(w2.dtype)


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
    minutes=25,
    difficulty=4,
    cases=cases,
    reference=parallel_block_backward,
    alternatives=(loop, einsum),
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
            "a left out of dwo", "dwo = flat(n).T @ flat(dout)", "What meets wo is the mixed a @ n, not n."
        ),
        mistake(
            "the branches fed with x, not with n",
            ("dwo = flat(a @ x).T @ flat(dout)", "dw1 = flat(x).T @ flat(dz)"),
            "What meets the weights is n, after the norm.",
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
            "w1's gradient averaged over the positions",
            "return dx, dwo / len(flat(x)), dw1 / len(flat(x)), dw2 / len(flat(x))",
            "A layer only adds up what comes back from every position.",
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
