"""Muon in torch (chapter 07), as `fmkit.optimizers.muon`: in float32, iterating on the small Gram matrix."""

import math

import torch


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose matrices are made orthogonal before the step (Jordan et al. 2024).

    Parameters
    ----------
    params : matrices (C_in, C_out), used as ``x @ w``
    lr, beta : float
        Learning rate, momentum.
    rounds : int
        Of Newton and Schulz's iteration. Five, as in the reference; with fewer the matrices begin larger, see
        `orthogonalize`.
    """

    def __init__(self, params, lr: float = 0.02, beta: float = 0.95, rounds: int = 5):
        super().__init__(params, {"lr": lr, "beta": beta, "rounds": rounds})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            weights, beta, rounds = group["params"], group["beta"], group["rounds"]
            ahead = []
            for w in weights:
                state = self.state[w]
                if not state:
                    state["m"] = torch.zeros_like(w)
                m = state["m"].lerp_(w.grad, 1 - beta)
                ahead.append(m.lerp(w.grad, 1 - beta))
            for w, direction in zip(weights, orthogonalize(ahead, rounds), strict=True):
                w.sub_(direction, alpha=group["lr"] * math.sqrt(max(1.0, w.shape[1] / w.shape[0])))


def orthogonalize(matrices: list, rounds: int = 5) -> list:
    """All singular values of each matrix to about 1, as `fmkit.optimizers.orthogonalize`.

    A round makes a polynomial p(G) X of X, with G = X Xᵀ, and G becomes p G p: so the rounds can be done with
    the small G alone, of all matrices with an equal short side at once, and X is needed only at the end.

    With fewer rounds than five, X is first divided by the root of G's Frobenius norm instead of by its own
    (Frobenius) norm: that, too, is no smaller than the largest singular value, but nearer to it.
    """
    flat = [g.T if g.shape[0] > g.shape[1] else g for g in matrices]  # (n, m), n <= m
    out: list = [None] * len(matrices)
    for n in {x.shape[0] for x in flat}:
        those = [i for i, x in enumerate(flat) if x.shape[0] == n]
        gram = torch.stack([flat[i] @ flat[i].T for i in those])  # (N, n, n)
        trace = gram.diagonal(dim1=1, dim2=2).sum(1)  # the square of the norm of each X
        square = gram.flatten(1).norm(dim=1) if rounds < 5 else trace
        square = square.clamp(min=1e-14)[:, None, None]
        gram = gram / square
        poly = factor = _polynomial(gram)
        for _ in range(rounds - 1):
            gram = poly @ gram @ poly
            poly = _polynomial(gram)
            factor = poly @ factor
        factor = factor / square.sqrt()
        for i, f in zip(those, factor, strict=True):
            out[i] = flat[i].T @ f if flat[i] is not matrices[i] else f @ flat[i]
    return out


def _polynomial(gram):
    """a * I + b * gram + c * gram @ gram."""
    out = torch.baddbmm(gram, gram, gram, beta=-4.7750, alpha=2.0315)
    out.diagonal(dim1=1, dim2=2).add_(3.4445)
    return out
