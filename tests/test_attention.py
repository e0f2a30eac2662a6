"""Properties of attention that the cross-check of single cases cannot show."""

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

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
    rope_backward,
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


# ---------------------------------------------------------------------------------------------------- masks


def torch_attention(q, k, v, mask):
    """torch's plain path: its fused one for the CPU adds up the values of a row of very low numbers."""
    inputs = [torch.tensor(a, requires_grad=True) for a in (q, k, v)]
    mask = torch.tensor(np.broadcast_to(mask, (B, H, T, T)))
    with sdpa_kernel(SDPBackend.MATH):
        out = torch.nn.functional.scaled_dot_product_attention(*inputs, attn_mask=mask)
    out.backward(torch.ones_like(out))
    return [out.detach().numpy(), *(a.grad.numpy() for a in inputs)]


def with_gradients(q, k, v, mask):
    out, cache = attention(q, k, v, mask)
    return [out, *attention_backward(np.ones_like(out), cache)]


@pytest.mark.parametrize("shape", [(B, H, T, T), (B, 1, T, T), (1, H, 1, T), (T, T), (T,), (B, 1, T, 1)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_boolean_mask_says_where_a_query_may_look_as_in_torch(rng, shape, dtype):
    q, k, v = qkv(rng, dtype=dtype)
    mask = rng.random(shape) < 0.7
    mask[..., 0] = True
    kept = mask.copy()
    for got, want in zip(with_gradients(q, k, v, mask), torch_attention(q, k, v, mask), strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, want, atol=1e-12 if dtype == np.float64 else 2e-5)
    np.testing.assert_array_equal(mask, kept)
    added = np.where(mask, 0.0, -np.inf).astype(dtype)
    for got, want in zip(with_gradients(q, k, v, mask), with_gradients(q, k, v, added), strict=True):
        np.testing.assert_array_equal(got, want)  # the same mask in the other form


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("low", ["finfo.min", -1e9, -1e30, -1e38])
def test_only_minus_infinity_masks_a_row_of_low_numbers_gives_the_mean_as_in_torch(rng, dtype, low):
    q, k, v = qkv(rng, dtype=dtype)
    mask = np.zeros((T, T), dtype)
    mask[2] = np.finfo(dtype).min if low == "finfo.min" else low  # a query whose keys are all hidden so
    mask[3, 1:] = mask[2, 0]
    with np.errstate(all="raise", under="ignore"):
        got = with_gradients(q, k, v, mask)
    for ours, theirs in zip(got, torch_attention(q, k, v, mask), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(got[0][:, :, 3], v[:, :, 0], rtol=1e-6)
    if low != -1e9:
        np.testing.assert_allclose(got[0][:, :, 2], v.mean(2), atol=1e-5)


def test_no_key_at_all_gives_zeros(rng):
    q, k, v = qkv(rng)
    for mask in (None, np.zeros((T, 0)), np.ones((T, 0), bool)):
        out, cache = attention(q, k[:, :, :0], v[:, :, :0], mask)
        assert out.shape == q.shape
        assert not out.any()
        dq, dk, dv = attention_backward(np.ones_like(out), cache)
        assert not dq.any()
        assert dk.shape == dv.shape == (B, H, 0, D)
    assert attention(q[:, :, :0], k, v)[0].shape == (B, H, 0, D)
    assert attention(q[:0], k[:0], v[:0])[0].shape == (0, H, T, D)


Q = np.random.default_rng(6).standard_normal((B, H, T, D))
X, P = np.ones((2, 3, 4)), {"wqkv": np.ones((4, 12)), "wo": np.ones((4, 4))}
SEEN = np.tri(T, dtype=int)
TABLES = rope_tables(np.arange(T), D)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: attention(Q, Q, Q, SEEN),
            TypeError,
            r"mask: expected booleans .* got int64; mask == 1 makes",
        ),
        (lambda: attention(Q, Q, Q, SEEN.astype(np.uint8)), TypeError, "got uint8"),
        (lambda: attention(Q, Q, Q, SEEN * 0), TypeError, "got int64"),
        (lambda: attention(Q, Q, Q, SEEN.astype(float)), TypeError, "got 1 and 0; mask == 1"),
        (lambda: attention(Q, Q, Q, SEEN.tolist()), TypeError, "mask: .* got a list"),
        (lambda: attention(Q, Q, Q, SEEN * 1j), TypeError, "got complex128"),
        (lambda: attention(Q, Q, Q, SEEN[:3] == 1), ValueError, r"mask: .* \(2, 4, 5, 5\), got \(3, 5\)"),
        (lambda: attention(Q, Q, Q, np.zeros((3, 1, 1, T))), ValueError, r"got \(3, 1, 1, 5\)"),
        (lambda: attention(Q, Q, Q, np.zeros((1, 1, 1, T, T))), ValueError, r"got \(1, 1, 1, 5, 5\)"),
        (lambda: attention(Q[0], Q, Q), ValueError, r"q: expected \(B, H, T, D\), got shape \(4, 5, 6\)"),
        (lambda: attention(Q, Q[0], Q), ValueError, r"k: expected \(B, G, S, D\), got shape"),
        (lambda: attention(Q, Q[:1], Q[:1]), ValueError, r"k: .* = \(2, 4, 5, 6\), got \(1, 4, 5, 6\)"),
        (lambda: attention(Q, Q[..., :5], Q), ValueError, r"k: .* got \(2, 4, 5, 5\)"),
        (lambda: attention(Q, Q, Q[..., :3]), ValueError, r"v: .* got \(2, 4, 5, 3\)"),
        (lambda: attention(Q, Q, Q[:, :1]), ValueError, r"v: .* got \(2, 1, 5, 6\)"),
        (lambda: attention(Q, Q[:, :0], Q[:, :0]), ValueError, "0 key/value heads"),
        (lambda: attention(Q[..., :0], Q[..., :0], Q[..., :0]), ValueError, "q: expected a width D above 0"),
        (lambda: attention(Q.astype(np.float16), Q, Q), TypeError, "q: .* got float16"),
        (lambda: attention(Q.tolist(), Q, Q), TypeError, "q: .* got a list"),
        (lambda: masked_softmax(np.zeros(2, np.float16)), TypeError, "scores: .* got float16"),
        (lambda: masked_softmax(np.zeros(())), ValueError, "scores: expected 1 axis"),
        (lambda: causal_mask(-1), ValueError, "T: expected a whole number >= 0"),
        (lambda: causal_mask(3, bool), TypeError, "dtype: .* got bool"),
        (lambda: causal_mask(3, int), TypeError, "dtype: .* got int64"),
        (lambda: causal_mask(3, np.float16), TypeError, "dtype: .* got float16"),
        (lambda: padding_mask(SEEN, bool), TypeError, "dtype: .* got bool"),
        (lambda: padding_mask(SEEN[0]), ValueError, r"attention_mask: expected \(B, S\), got \(5,\)"),
        (lambda: padding_mask(causal_mask(3)), ValueError, "attention_mask: expected 0 or 1 .* got -inf"),
        (lambda: padding_mask([[1, 0]]), TypeError, "attention_mask: .* got a list"),
        (lambda: attention_weights(multihead_attention(X, P, 2)[1]), TypeError, r"cache: .* cache\[0\]"),
        (lambda: attention_weights((1, 2)), TypeError, "cache: expected that of attention"),
        (lambda: split_heads(Q, 2), ValueError, r"x: expected \(B, T, H\*D\), got shape \(2, 4, 5, 6\)"),
        (lambda: split_heads(X, 0), ValueError, "n_heads: expected a whole number >= 1, got 0"),
        (lambda: merge_heads(X), ValueError, r"x: expected \(B, H, T, D\), got shape \(2, 3, 4\)"),
        (lambda: rope_tables([0, 1], 4), TypeError, "positions: .* got a list"),
        (lambda: rope_tables(np.array(3), 4), ValueError, "positions: expected 1 axis"),
        (lambda: rope_tables(np.arange(3), 0), ValueError, "even head width, got 0"),
        (
            lambda: rope_tables(np.arange(3), 4, base=-2.0),
            ValueError,
            "base: expected a number > 0, got -2.0",
        ),
        (lambda: rope(X, *TABLES), ValueError, r"x: expected \(B, H, T, D\), got shape"),
        (lambda: rope(Q[..., :5], *TABLES), ValueError, "x: expected an even width D, got 5"),
        (lambda: rope(Q[:, :, :3], *TABLES), ValueError, r"cos: .* = \(3, 3\), got \(5, 3\)"),
        (lambda: rope(Q, TABLES[0], TABLES[1][:1]), ValueError, r"sin: .* = \(5, 3\), got \(1, 3\)"),
        (lambda: rope(Q, TABLES[0][:1], TABLES[1][:1]), ValueError, r"cos: .* got \(1, 3\)"),
        (lambda: multihead_attention(X[0], P, 2), ValueError, r"x: expected \(B, T, C\), got shape \(3, 4\)"),
        (lambda: multihead_attention(X, P, 0), ValueError, "n_heads: expected a whole number >= 1"),
        (lambda: multihead_attention(X, P, 2, 0), ValueError, "n_kv_heads: expected a whole number >= 1"),
        (lambda: multihead_attention(X, P, 5), ValueError, "width 12 does not divide into 15 heads"),
        (
            lambda: multihead_attention(X, P | {"b_qkv": np.ones(12)}, 2),
            ValueError,
            "p: expected .* got wqkv, wo, b_qkv",
        ),
        (lambda: multihead_attention(X, {"wqkv": P["wqkv"]}, 2), ValueError, "p: expected wqkv and wo"),
        (lambda: multihead_attention(X, P | {"q_norm": np.ones(2)}, 2), ValueError, "both q_norm and k_norm"),
        (lambda: multihead_attention(X, P | {"bqkv": np.ones(1)}, 2), ValueError, r"bqkv: .* got \(1,\)"),
        (lambda: multihead_attention(X, P | {"bo": np.ones((4, 1))}, 2), ValueError, r"bo: .* got \(4, 1\)"),
        (lambda: multihead_attention(X, P | {"wo": np.ones((4, 1))}, 2), ValueError, r"wo: .* got \(4, 1\)"),
        (
            lambda: multihead_attention(X, P | {"wqkv": np.ones((3, 12))}, 2),
            ValueError,
            r"wqkv: .* got \(3, 12\)",
        ),
        (
            lambda: multihead_attention(X, P | {"q_norm": np.ones(1), "k_norm": np.ones(2)}, 2),
            ValueError,
            r"q_norm: expected \(D,\) = \(2,\), got \(1,\)",
        ),
        (lambda: multihead_attention(X, P, 2, mask=np.tri(3, dtype=int)), TypeError, "mask: .* got int64"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.usefixtures("as_a_learner")
def test_positions_of_every_row_need_the_axis_of_the_heads():
    x = np.ones((4, 4, T, D))  # as many rows as heads: tables (B, T, D/2) would turn by head
    positions = np.arange(4 * T).reshape(4, T)
    with pytest.raises(ValueError, match=r"from positions \(B, 1, T\), got \(4, 5, 3\)"):
        rope(x, *rope_tables(positions, D))
    with pytest.raises(ValueError, match=r"got \(4, 5, 3\)"):
        multihead_attention(
            np.ones((4, T, 24)),
            {"wqkv": np.ones((24, 72)), "wo": np.ones((24, 24))},
            4,
            rope=rope_tables(positions, D),
        )
    turned, _ = rope(x, *rope_tables(positions[:, None], D))
    np.testing.assert_array_equal(turned[1, 0], rope(x, *rope_tables(positions[1], D))[0][1, 0])
    np.testing.assert_array_equal(
        rope(x, *rope_tables(positions[:1], D))[0], rope(x, *rope_tables(positions[0], D))[0]
    )


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (lambda: attention(Q, Q, Q), attention_backward),
        (lambda: rope(Q, *TABLES), rope_backward),
        (lambda: multihead_attention(X, P, 2), multihead_attention_backward),
    ],
)
def test_a_gradient_of_another_shape_is_refused(forward, backward):
    out, cache = forward()
    for dout in (out[..., :1], out.swapaxes(-1, -2), out[0]):
        with pytest.raises(ValueError, match="dout: expected"):
            backward(dout, cache)
