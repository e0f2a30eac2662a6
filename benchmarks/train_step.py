"""A whole training step of a 0.8 M-parameter GPT (forward, backward, AdamW): our NumPy against torch.

Run: python benchmarks/train_step.py
"""

import numpy as np
from _timing import compare

from fmkit.transformer import Config, init_gpt

B = 12
CONFIG = Config(vocab_size=65, block_size=64, n_layers=4, n_heads=4, d_model=128, d_ff=512)


def inputs():
    rng = np.random.default_rng(0)
    ids, targets = rng.integers(0, CONFIG.vocab_size, (2, B, CONFIG.block_size))
    return init_gpt(rng, CONFIG), ids, targets


def numpy_step():
    from fmkit.optimizers import adamw, apply
    from fmkit.transformer import gpt_loss

    params, ids, targets = inputs()
    state = None

    def step():
        nonlocal params, state
        _, grads = gpt_loss(params, ids, targets, CONFIG)
        params, state = apply(adamw, params, grads, state)

    return step


def torch_step():
    import torch

    from fmkit.twins.models import from_params

    params, ids, targets = inputs()
    model = from_params(params, CONFIG)
    ids, targets = torch.from_numpy(ids), torch.from_numpy(targets)
    optimizer = torch.optim.AdamW(model.parameters())

    def step():
        optimizer.zero_grad()
        logits = model(ids)
        torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten()).backward()
        optimizer.step()

    return step


if __name__ == "__main__":
    compare(numpy=numpy_step, torch=torch_step)
