"""LoRA, adapters, prefixes: each begins as the frozen model; merged is the same. (Gradients: crosscheck.)"""

import numpy as np
import pytest

from fmkit.adapters import (
    adapter,
    lora_linear,
    lora_linear_backward,
    merge_lora,
    prefix_attention,
    prefix_attention_backward,
)
from fmkit.attention import attention, padding_mask
from fmkit.layers import linear, linear_backward


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def layer(rng, c_in=7, c_out=5, rank=3):
    shapes = (4, 6, c_in), (c_in, c_out), (c_out,), (c_in, rank), (rank, c_out)
    return [rng.standard_normal(shape) for shape in shapes]


def test_lora_with_a_zero_half_is_the_pretrained_layer(rng):
    x, w, b, a, bb = layer(rng)
    out, _ = lora_linear(x, w, b, a, 0.0 * bb)
    np.testing.assert_array_equal(out, linear(x, w, b)[0])


def test_merged_and_unmerged_lora_agree(rng):
    x, w, b, a, bb = layer(rng)
    merged = merge_lora(w, a, bb, alpha=5.0)
    np.testing.assert_allclose(lora_linear(x, w, b, a, bb, alpha=5.0)[0], linear(x, merged, b)[0], rtol=1e-12)
    assert np.linalg.matrix_rank(merged - w) == 3


def test_lora_passes_the_gradient_of_the_merged_layer_down(rng):
    x, w, b, a, bb = layer(rng)
    out, cache = lora_linear(x, w, b, a, bb)
    dout = rng.standard_normal(out.shape)
    dx = lora_linear_backward(dout, cache)[0]
    want = linear_backward(dout, linear(x, merge_lora(w, a, bb), b)[1])[0]
    np.testing.assert_allclose(dx, want, rtol=1e-10, atol=1e-10)


def test_lora_without_bias(rng):
    x, w, b, a, bb = layer(rng)
    without = lora_linear(x, w, None, a, bb)[0]
    np.testing.assert_allclose(without + b, lora_linear(x, w, b, a, bb)[0], rtol=1e-10, atol=1e-12)


def test_another_rank_keeps_the_scale(rng):
    """alpha / R: two copies of the same direction, at twice the rank, change as much as one."""
    x, w, b, a, bb = layer(rng)
    twice = lora_linear(x, w, b, np.hstack([a, a]), np.vstack([bb, bb]))[0]
    np.testing.assert_allclose(twice, lora_linear(x, w, b, a, bb)[0], rtol=1e-9, atol=1e-10)


def test_a_new_adapter_changes_nothing(rng):
    x, w, b, w_up, _ = layer(rng, c_out=3)
    out, _ = adapter(x, w, b, np.zeros((3, 7)), np.zeros(7))
    np.testing.assert_array_equal(out, x)


def test_a_prefix_that_nobody_looks_at_changes_nothing(rng):
    q, k, v = rng.standard_normal((3, 2, 3, 4, 6))
    pk = np.full((3, 5, 6), 0.0)
    q[..., 0], pk[..., 0] = 1.0, -1e4  # scores of about -4000: a weight of exactly 0
    out, cache = prefix_attention(q, k, v, pk, rng.standard_normal((3, 5, 6)))
    np.testing.assert_allclose(out, attention(q, k, v)[0], rtol=1e-12)
    assert not prefix_attention_backward(np.ones_like(out), cache)[4].any()  # so it does not learn either


def test_the_prefix_is_seen_where_all_of_the_text_is_masked(rng):
    q, k, v = rng.standard_normal((3, 1, 2, 4, 6))
    pk, pv = rng.standard_normal((2, 2, 1, 6))
    out, _ = prefix_attention(q, k, v, pk, pv, padding_mask(np.zeros((1, 4)), np.float64))
    np.testing.assert_allclose(out, np.broadcast_to(pv, (1, 2, 4, 6)), rtol=1e-12)
