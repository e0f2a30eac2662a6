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


X, W, A, BB = np.ones((2, 4)), np.ones((4, 3)), np.ones((4, 1)), np.ones((1, 3))
KEYS, PREFIX = np.ones((2, 3, 4, 5)), np.ones((3, 6, 5))
SEEN = np.tri(4, dtype=bool)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: lora_linear(X, W.T, None, A, BB),
            ValueError,
            r"w: expected \(C_in, C_out\) = \(4, any\), got \(3, 4\)",
        ),
        (
            lambda: lora_linear(X, W, None, A.T, BB),
            ValueError,
            r"a: expected \(C_in, R\) = \(4, any\), got \(1, 4\)",
        ),
        (
            lambda: lora_linear(X, W, None, A, BB[:, :1]),
            ValueError,
            r"bb: expected \(R, C_out\) = \(1, 3\), got \(1, 1\)",
        ),
        (lambda: lora_linear(X, W, np.ones(1), A, BB), ValueError, r"b: .* got \(1,\)"),
        (
            lambda: lora_linear(X, W, None, A[:, :0], BB[:0]),
            ValueError,
            "a: expected a row and a column at least",
        ),
        (lambda: lora_linear(X.tolist(), W, None, A, BB), TypeError, "x: .* got a list"),
        (lambda: merge_lora(W[:, :1], A, BB), ValueError, r"bb: .* = \(1, 1\), got \(1, 3\)"),
        (lambda: merge_lora(W[:1], A, BB), ValueError, r"a: .* got \(4, 1\)"),
        (lambda: merge_lora(W[0], A, BB), ValueError, r"w: .* got \(3,\)"),
        (
            lambda: adapter(X, A, np.ones(1), BB, np.ones(3)),
            ValueError,
            r"w_up: expected \(R, C\) = \(1, 4\), got \(1, 3\)",
        ),
        (
            lambda: adapter(X[:, :1], A[:1], np.ones(1), BB, np.ones(3)),
            ValueError,
            r"w_up: .* = \(1, 1\), got",
        ),
        (lambda: adapter(X, A, np.ones((1, 1)), A.T, np.ones(4)), ValueError, r"b_down: .* got \(1, 1\)"),
        (lambda: adapter(X, A, np.ones(1), A.T, np.ones(1)), ValueError, r"b_up: .* = \(4,\), got \(1,\)"),
        (
            lambda: prefix_attention(KEYS, KEYS, KEYS, PREFIX[:1], PREFIX),
            ValueError,
            r"pk: .* got \(1, 6, 5\)",
        ),
        (
            lambda: prefix_attention(KEYS, KEYS, KEYS, PREFIX, PREFIX[:, :1]),
            ValueError,
            r"pv: .* got \(3, 1, 5\)",
        ),
        (
            lambda: prefix_attention(KEYS, KEYS, KEYS[:1], PREFIX, PREFIX),
            ValueError,
            r"v: .* got \(1, 3, 4, 5\)",
        ),
        (
            lambda: prefix_attention(KEYS, KEYS[0], KEYS[0], PREFIX, PREFIX),
            ValueError,
            r"k: expected \(B, H, S, D\)",
        ),
        (
            lambda: prefix_attention(KEYS, KEYS, KEYS, PREFIX, PREFIX, SEEN * 1),
            TypeError,
            "mask: .* got int64",
        ),
        (
            lambda: prefix_attention(KEYS, KEYS, KEYS, PREFIX, PREFIX, SEEN * 1.0),
            TypeError,
            "mask: .* got 1 and 0",
        ),
        (
            lambda: prefix_attention(KEYS, KEYS, KEYS, PREFIX, PREFIX, SEEN[:3]),
            ValueError,
            r"mask: .* got \(3, 4\)",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("shape", [(2, 3, 4, 4), (2, 1, 1, 4), (4, 4), (4,), (2, 1, 4, 1), (1,), ()])
def test_every_form_of_a_mask_hides_the_texts_keys_only(rng, shape):
    q, k, v = rng.standard_normal((3, 2, 3, 4, 5))
    pk, pv = rng.standard_normal((2, 3, 6, 5))
    may = rng.random(shape) < 0.6
    added = np.where(may, 0.0, -np.inf)
    whole = np.concatenate([np.ones((2, 3, 4, 6), bool), np.broadcast_to(may, (2, 3, 4, 4))], axis=-1)
    keys, values = (
        np.concatenate([np.broadcast_to(p, (2, *p.shape)), a], axis=2) for p, a in ((pk, k), (pv, v))
    )
    want, _ = attention(q, keys, values, whole)
    for mask in (np.asarray(may), np.asarray(added)):
        np.testing.assert_array_equal(prefix_attention(q, k, v, pk, pv, mask)[0], want)
