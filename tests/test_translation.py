"""GRU and translators: numbers by hand, what must not be seen, refusals, and that it learns."""

import numpy as np
import pytest

from fmkit.losses import cross_entropy, cross_entropy_backward
from fmkit.optimizers import adam, apply
from fmkit.translation import gru, gru_backward, init_translator, translate, translator, translator_backward


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def weights(rng, C, H, dtype=np.float64):
    shapes = (C, 3 * H), (H, 3 * H), (3 * H,), (3 * H,)
    return [(0.3 * rng.standard_normal(shape)).astype(dtype) for shape in shapes]


def test_gates_by_hand():
    wx, wh = np.zeros((1, 3)), np.array([[0.0, 0.0, 2.0]])
    x, h0 = np.zeros((1, 1, 1)), np.array([[0.5]])
    for r, z, bias, wanted in (
        (9e9, -9e9, 0.0, np.tanh(1.0)),  # all new, from the whole state
        (-9e9, -9e9, 7.0, 0.0),  # the reset gate shuts out what comes of the state, its bias too
        (9e9, 9e9, 0.0, 0.5),  # kept as it is
        (9e9, 0.0, 0.0, (np.tanh(1.0) + 0.5) / 2),
    ):
        h, _ = gru(x, wx, wh, np.array([r, z, 0.0]), np.array([0.0, 0.0, bias]), h0)
        assert h.item() == pytest.approx(wanted)


def test_rows_do_not_mix_and_the_past_does_not_see_the_future(rng):
    x, ws = rng.standard_normal((3, 6, 2)), weights(rng, 2, 4)
    h, _ = gru(x, *ws)
    changed = x.copy()
    changed[1, 3:] += 1.0
    h_changed, _ = gru(changed, *ws)
    np.testing.assert_array_equal(h_changed[[0, 2]], h[[0, 2]])
    np.testing.assert_array_equal(h_changed[1, :3], h[1, :3])
    assert (h_changed[1, 3:] != h[1, 3:]).all()


def test_an_open_update_gate_carries_a_gradient_over_200_steps(rng):
    H = 4
    wx, wh, bx, bh = weights(rng, 3, H)
    bx[H : 2 * H] = 20.0  # keep
    h, cache = gru(rng.standard_normal((2, 200, 3)), wx, wh, bx, bh, rng.standard_normal((2, H)))
    dout = np.zeros_like(h)
    dout[:, -1] = 1.0
    assert (gru_backward(dout, cache)[-1] > 0.99).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_huge_inputs_stay_finite(rng, dtype):
    x = (1e4 * rng.standard_normal((2, 5, 3))).astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        h, cache = gru(x, *weights(rng, 3, 4, dtype))
        grads = gru_backward(np.ones_like(h), cache)
    assert np.isfinite(h).all() and grads[-1] is None
    assert all(np.isfinite(grad).all() for grad in grads[:-1])


# ------------------------------------------------------------------------------------------- the translators


@pytest.fixture
def params():
    return init_translator(np.random.default_rng(1), 9, 7, d_embed=4, d_model=6, dtype=np.float64)


both = pytest.mark.parametrize("attend", [True, False])
SOURCE, MASK = np.array([[3, 5, 8, 0], [4, 2, 1, 6]]), np.array([[1, 1, 1, 0], [1, 1, 1, 1]])
WORDS = np.array([[1, 2, 4], [1, 3, 5]])


@both
def test_filling_changes_nothing(params, attend):
    scores, _ = translator(params, SOURCE, MASK, WORDS, attend)
    filled = np.where(MASK, SOURCE, 7)
    np.testing.assert_array_equal(translator(params, filled, MASK, WORDS, attend)[0], scores)
    alone, _ = translator(params, SOURCE[:1, :3], MASK[:1, :3], WORDS[:1], attend)
    np.testing.assert_allclose(alone, scores[:1], atol=1e-12)


@both
def test_a_word_does_not_see_those_after_it(params, attend):
    scores, _ = translator(params, SOURCE, MASK, WORDS, attend)
    changed = WORDS.copy()
    changed[:, 2] = 6
    np.testing.assert_array_equal(translator(params, SOURCE, MASK, changed, attend)[0][:, :2], scores[:, :2])


@both
def test_writing_follows_the_scores(params, attend):
    written, looks = translate(params, SOURCE, MASK, begin=1, end=0, attend=attend, max_words=5)
    for source, mask, row in zip(SOURCE, MASK, written, strict=True):
        words = np.array([[1, *row]])
        best = translator(params, source[None], mask[None], words, attend)[0][0].argmax(-1).tolist()
        assert best[: len(row)] == row and (len(row) == 5 or best[len(row)] == 0)
    if attend:
        np.testing.assert_allclose(looks.sum(-1), 1.0)
        assert (looks[0, :, 3] == 0).all()
    else:
        assert looks is None


@both
def test_it_learns_to_turn_three_numbers_around(attend):
    rng = np.random.default_rng(0)
    params, state = init_translator(rng, 5, 6, d_embed=8, d_model=24), None
    for _ in range(250):
        source = rng.integers(1, 5, (32, 3))
        targets = np.concatenate([source[:, ::-1] + 1, np.ones((32, 1), int)], axis=1)  # 1 ends
        words = np.concatenate([np.zeros((32, 1), int), targets[:, :-1]], axis=1)
        scores, cache = translator(params, source, np.ones_like(source), words, attend)
        _, loss_cache = cross_entropy(scores, targets)
        grads = translator_backward(cross_entropy_backward(1.0, loss_cache), cache)
        params, state = apply(adam, params, grads, state, lr=1e-2)
    source = np.array([[a, b, c] for a in range(1, 5) for b in range(1, 5) for c in range(1, 5)])
    written, _ = translate(params, source, np.ones_like(source), begin=0, end=1, attend=attend)
    assert np.mean([row == (s[::-1] + 1).tolist() for row, s in zip(written, source, strict=True)]) > 0.9


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: gru(np.ones((2, 3)), **p["reader"]), ValueError, r"x: expected \(B, T, C\)"),
        (lambda p: gru(np.ones((2, 3, 5)), **p["reader"]), ValueError, r"wx: expected \(C, 3H\) = \(5, 18\)"),
        (lambda p: gru(np.ones((2, 3, 4)), **p["reader"], h0=np.ones((2, 5))), ValueError, "h0: expected"),
        (lambda p: gru(np.ones((2, 3, 4)), **p["reader"] | {"bh": np.ones(6)}), ValueError, "bh: expected"),
        (lambda p: translator(p, SOURCE, MASK[:, :3], WORDS), ValueError, r"mask: expected \(B, S\)"),
        (lambda p: translator(p, SOURCE, 2 * MASK, WORDS), ValueError, "mask: "),
        (lambda p: translator(p, SOURCE, 0 * MASK, WORDS), ValueError, "mask: expected a 1 at least"),
        (lambda p: translator(p, SOURCE, MASK[:, ::-1], WORDS), ValueError, "mask: expected no 1 behind a 0"),
        (lambda p: translator(p, SOURCE, MASK, WORDS[:1]), ValueError, r"words: expected \(B, T\)"),
        (lambda p: translator(p, SOURCE + 9, MASK, WORDS), IndexError, "ids: expected 0 to 8"),
        (lambda p: translator({"read": p["read"]}, SOURCE, MASK, WORDS), ValueError, "params: "),
        (lambda p: translate(p, SOURCE, MASK, 1, 0, max_words=0), ValueError, "max_words: "),
        (lambda p: init_translator(np.random.default_rng(0), 0, 7, 4, 6), ValueError, "n_read: "),
        (
            lambda p: gru_backward(np.ones((2, 3, 5)), gru(np.ones((2, 3, 4)), **p["reader"])[1]),
            ValueError,
            "dout",
        ),
    ],
)
def test_refusals(params, call, error, message):
    with pytest.raises(error, match=message):
        call(params)
