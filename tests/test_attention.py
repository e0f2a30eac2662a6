"""Properties of attention that the cross-check of single cases cannot show."""

import numpy as np
import pytest

from fmkit.attention import (
    attention,
    attention_backward,
    attention_weights,
    causal_mask,
    masked_softmax,
    merge_heads,
    multihead_attention,
    multihead_attention_backward,
    padding_mask,
    rope,
    rope_tables,
    split_heads,
)

B, H, T, D = 2, 4, 5, 6


@pytest.fixture
def rng():
    return np.random.default_rng(6)


def qkv(rng, T=T, dtype=np.float64):
    return rng.standard_normal((3, B, H, T, D)).astype(dtype)


def test_masks():
    inf = np.inf
    np.testing.assert_array_equal(causal_mask(3), [[0, -inf, -inf], [0, 0, -inf], [0, 0, 0]])
    mask = padding_mask(np.array([[1, 1, 0], [True, False, False]]))
    np.testing.assert_array_equal(mask[:, 0, 0], [[0, 0, -inf], [0, -inf, -inf]])
    assert causal_mask(3).dtype == mask.dtype == np.float32
    assert (
        causal_mask(3, np.float64).dtype == padding_mask(np.ones((1, 2), int), np.float64).dtype == np.float64
    )


def test_split_heads_is_a_view_and_merge_undoes_it(rng):
    x = rng.standard_normal((B, T, H * D))
    heads = split_heads(x, H)
    assert heads.shape == (B, H, T, D)
    assert np.shares_memory(heads, x)
    np.testing.assert_array_equal(heads[1, 2, 3], x[1, 3, 2 * D : 3 * D])
    np.testing.assert_array_equal(merge_heads(heads), x)


def test_widths_that_do_not_divide_are_refused(rng):
    with pytest.raises(ValueError, match="5 heads"):
        split_heads(rng.standard_normal((B, T, H * D)), 5)
    with pytest.raises(ValueError, match="3 key/value heads"):
        attention(np.zeros((1, 4, 2, 6)), np.zeros((1, 3, 2, 6)), np.zeros((1, 3, 2, 6)))
    with pytest.raises(ValueError, match="even"):
        rope_tables(np.arange(3), 5)


def test_weights_of_every_query_sum_to_one(rng):
    _, cache = attention(*qkv(rng), causal_mask(T, np.float64))
    weights = attention_weights(cache)
    assert weights.shape == (B, H, T, T)
    np.testing.assert_allclose(weights.sum(-1), 1.0, rtol=1e-12)
    assert (weights[..., np.triu_indices(T, 1)[0], np.triu_indices(T, 1)[1]] == 0).all()


def test_scores_are_divided_by_the_root_of_the_width():
    q = np.full((1, 1, 1, 4), 3.0)
    k = np.array([[[[1.0] * 4, [0.0] * 4]]])  # scores 12 and 0, divided by 2
    _, cache = attention(q, k, k)
    weights = attention_weights(cache)
    np.testing.assert_allclose(np.log(weights[..., 0] / weights[..., 1]), 6.0, rtol=1e-12)


def test_the_future_does_not_change_the_past(rng):
    q, k, v = qkv(rng)
    before, _ = attention(q, k, v, causal_mask(T))
    for changed in (k, v):
        changed[:, :, 3:] += 5.0
    after, _ = attention(q, k, v, causal_mask(T))
    np.testing.assert_array_equal(after[:, :, :3], before[:, :, :3])
    assert np.abs(after[:, :, 3:] - before[:, :, 3:]).min() > 0


def test_padding_changes_nothing(rng):
    q, k, v = qkv(rng)
    short, _ = attention(q, k, v)
    wide = [np.concatenate([a, 50 * rng.standard_normal((B, H, 3, D))], axis=2) for a in (k, v)]
    mask = padding_mask(np.array([[1] * T + [0] * 3] * B))
    long, cache = attention(q, *wide, mask)
    np.testing.assert_allclose(long, short, rtol=1e-13)
    _, dk, dv = attention_backward(np.ones_like(long), cache)
    assert not dk[:, :, T:].any()
    assert not dv[:, :, T:].any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_row_without_any_key_gives_zeros(rng, dtype):
    q, k, v = qkv(rng, dtype=dtype)
    mask = padding_mask(np.array([[1] * T, [0] * T]), dtype)
    with np.errstate(all="raise"):
        out, cache = attention(q, k, v, mask)
        grads = attention_backward(np.ones_like(out), cache)
    assert out[0].all()
    assert not out[1].any()
    for grad in grads:
        assert grad.dtype == dtype
        assert np.isfinite(grad).all()
        assert not grad[1].any()


def test_masked_softmax_is_softmax_and_survives_huge_scores():
    probs, _ = masked_softmax(np.array([[1000.0, 999.0, -np.inf], [-1e4, -1e4, -1e4], [-np.inf] * 3]))
    e = 1 / (1 + np.exp(-1.0))
    np.testing.assert_allclose(probs, [[e, 1 - e, 0], [1 / 3] * 3, [0] * 3], rtol=1e-12)


def test_grouped_heads_equal_repeated_heads(rng):
    q, k, v = qkv(rng)
    k, v = k[:, :2], v[:, :2]  # 2 key/value heads, each for 2 query heads
    mask = causal_mask(T)
    out, cache = attention(q, k, v, mask)
    repeated, repeated_cache = attention(q, k.repeat(2, axis=1), v.repeat(2, axis=1), mask)
    np.testing.assert_allclose(out, repeated, rtol=1e-13)

    dout = rng.standard_normal(out.shape)
    dq, dk, dv = attention_backward(dout, cache)
    dq_all, dk_all, dv_all = attention_backward(dout, repeated_cache)
    np.testing.assert_allclose(dq, dq_all, rtol=1e-12)
    for grouped, every in [(dk, dk_all), (dv, dv_all)]:
        np.testing.assert_allclose(grouped, every[:, 0::2] + every[:, 1::2], rtol=1e-12, atol=1e-14)


def test_rope_shows_only_the_distance(rng):
    q, k = rng.standard_normal((2, 1, 1, 1, D))

    def score(m, n):
        turned_q, _ = rope(q, *rope_tables(np.array([m]), D))
        turned_k, _ = rope(k, *rope_tables(np.array([n]), D))
        return (turned_q * turned_k).sum()

    assert score(3, 1) == pytest.approx(score(103, 101), rel=1e-10)
    assert score(0, 0) == pytest.approx((q * k).sum(), rel=1e-12)
    assert abs(score(3, 1) - score(1, 3)) > 1e-3  # before and after are told apart
    assert abs(score(3, 1) - score(4, 1)) > 1e-3


def test_rope_keeps_lengths_and_dtype(rng):
    x = qkv(rng, dtype=np.float32)[0]
    turned, _ = rope(x, *rope_tables(np.arange(T), D))
    assert turned.dtype == np.float32
    np.testing.assert_allclose((turned**2).sum(-1), (x**2).sum(-1), rtol=1e-5)
    np.testing.assert_array_equal(turned[:, :, 0], x[:, :, 0])  # position 0 does not turn


def test_rope_takes_positions_of_their_own_for_every_row(rng):
    x = qkv(rng)[0]
    positions = np.array([np.arange(T), np.arange(T) + 9])
    together, _ = rope(x, *rope_tables(positions[:, None, :], D))
    for b in range(B):
        alone, _ = rope(x[b : b + 1], *rope_tables(positions[b], D))
        np.testing.assert_array_equal(together[b : b + 1], alone)


def test_without_positions_the_order_of_the_others_does_not_matter(rng):
    C = H * D
    p = {"wqkv": rng.standard_normal((C, 3 * C)), "wo": rng.standard_normal((C, C))}
    x = rng.standard_normal((B, T, C))
    order = [2, 0, 1, 3, 4]
    tables = rope_tables(np.arange(T), D)
    np.testing.assert_allclose(
        multihead_attention(x, p, H)[0][:, order],
        multihead_attention(x[:, order], p, H)[0],
        rtol=1e-9,
        atol=1e-9,
    )
    moved = (
        multihead_attention(x, p, H, rope=tables)[0] - multihead_attention(x[:, order], p, H, rope=tables)[0]
    )
    assert np.abs(moved[:, 4]).max() > 1e-3


def test_multihead_gradients_have_the_names_shapes_and_dtype_of_the_parameters(rng):
    C, G = 7, 2
    shapes = {"wqkv": (C, (H + 2 * G) * D), "bqkv": ((H + 2 * G) * D,), "wo": (H * D, C), "bo": (C,)}
    p = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    x = rng.standard_normal((B, T, C)).astype(np.float32)
    out, cache = multihead_attention(x, p, H, G, causal_mask(T), rope_tables(np.arange(T), D))
    dx, grads = multihead_attention_backward(out, cache)
    assert {name: grad.shape for name, grad in grads.items()} == shapes
    assert {out.dtype, dx.dtype, *(grad.dtype for grad in grads.values())} == {np.dtype(np.float32)}

    del p["bqkv"], p["bo"]
    _, cache = multihead_attention(x, p, H, G)
    assert list(multihead_attention_backward(out, cache)[1]) == ["wqkv", "wo"]
