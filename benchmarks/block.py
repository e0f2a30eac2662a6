"""One pre-norm transformer block, forward and backward: our NumPy against torch (eager, fused attention).

Run: python benchmarks/block.py
"""

import numpy as np
from _timing import compare

from fmkit.transformer import Config, block, block_backward, init_block

B, T = 8, 64
CONFIG = Config(vocab_size=65, block_size=T, n_layers=4, n_heads=4, d_model=128, d_ff=512)


def inputs():
    rng = np.random.default_rng(0)
    params = init_block(rng, CONFIG)
    x, dout = rng.standard_normal((2, B, T, CONFIG.d_model), dtype=np.float32)
    return params, x, dout


def numpy_step():
    from fmkit.attention import causal_mask

    params, x, dout = inputs()
    mask = causal_mask(T)

    def step():
        _, cache = block(x, params, CONFIG.n_heads, mask)
        block_backward(dout, cache)

    return step


def torch_step():
    import torch

    from fmkit.params import flatten
    from fmkit.twins.models import Block

    params, x, dout = inputs()
    model = Block(CONFIG)
    model.load_state_dict({name: torch.from_numpy(w) for name, w in flatten(params).items()})
    x, dout = torch.from_numpy(x).requires_grad_(), torch.from_numpy(dout)

    def step():
        x.grad = None
        model.zero_grad()
        model(x).backward(dout)

    return step


if __name__ == "__main__":
    compare(numpy=numpy_step, torch=torch_step)
