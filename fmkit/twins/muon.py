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
    """

    def __init__(self, params, lr: float = 0.02, beta: float = 0.95):
        super().__init__(params, {"lr": lr, "beta": beta})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta = group["beta"]
            for w in group["params"]:
                state = self.state[w]
                if not state:
                    state["m"] = torch.zeros_like(w)
                m = state["m"].lerp_(w.grad, 1 - beta)
                direction = orthogonalize(m.lerp(w.grad, 1 - beta))
                w -= direction * (group["lr"] * math.sqrt(max(1.0, w.shape[1] / w.shape[0])))


def orthogonalize(g, steps: int = 5):
    """All singular values of a matrix to about 1, as `fmkit.optimizers.orthogonalize`."""
    x = g.T if g.shape[0] > g.shape[1] else g  # (n, m), n <= m
    x = x / x.norm().clamp(min=1e-7)
    gram = x @ x.T  # (n, n)
    poly = factor = _newton_schulz_factor(gram)
    for _ in range(steps - 1):
        gram = poly @ gram @ poly
        poly = _newton_schulz_factor(gram)
        factor = poly @ factor
    return x.T @ factor if g.shape[0] > g.shape[1] else factor @ x


def _newton_schulz_factor(gram):
    """a * I + b * gram + c * gram @ gram."""
    out = torch.addmm(gram, gram, gram, beta=-4.7750, alpha=2.0315)
    out.diagonal().add_(3.4445)
    return out
