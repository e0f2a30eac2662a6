"""BERT as a whole: against torch, and what must hold of an encoder with padding and masked tokens."""

import numpy as np
import pytest

from fmkit.bert import (
    BertConfig,
    bert,
    bert_backward,
    classification_head,
    classification_loss,
    init_bert,
    mlm_head,
    mlm_loss,
)
from fmkit.optimizers import adam, apply
from fmkit.params import flatten, tree_map
from fmkit.twins.cases.transformer import shake

CONFIG = BertConfig(vocab_size=23, block_size=10, n_layers=3, n_heads=4, d_model=16, d_ff=40)
B, T = 3, 7
MASK = (np.arange(T) < np.array([[7], [4], [5]])).astype(int)


@pytest.fixture
def rng():
    return np.random.default_rng(66)


def batch(rng):
    ids = rng.integers(0, CONFIG.vocab_size, (B, T))
    return ids, MASK, (np.arange(T) >= 3).astype(int) * MASK


def masked_targets():
    targets = np.full((B, T), -100)
    targets[0, 2], targets[0, 5], targets[2, 1] = 3, 9, 3
    return targets


def check_against_torch(params, inputs, targets, loss_and_grads, logits_of):
    torch = pytest.importorskip("torch")
    from fmkit.twins.models import from_params

    loss, grads = loss_and_grads(params, *inputs, targets, CONFIG)
    model = from_params(params, CONFIG)
    logits = getattr(model, logits_of)(*map(torch.from_numpy, inputs))
    rows = logits.reshape(-1, logits.shape[-1])
    torch_loss = torch.nn.functional.cross_entropy(rows, torch.from_numpy(targets).flatten())
    torch_loss.backward()
    assert float(loss) == pytest.approx(torch_loss.item(), abs=1e-10)
    ours, theirs = flatten(grads), dict(model.named_parameters())
    assert ours.keys() == theirs.keys() == flatten(params).keys()
    for name, grad in ours.items():
        np.testing.assert_allclose(grad, theirs[name].grad.numpy(), rtol=0, atol=1e-10, err_msg=name)
        assert np.abs(grad).max() > 1e-4, f"the gradient of {name} is too small to prove anything"


def test_mlm_loss_and_every_gradient_equal_torch(rng):
    params = shake(rng, init_bert(rng, CONFIG, mlm=True))
    check_against_torch(params, batch(rng), masked_targets(), mlm_loss, "mlm_logits")


def test_classification_loss_and_every_gradient_equal_torch(rng):
    params = shake(rng, init_bert(rng, CONFIG, n_classes=4))
    check_against_torch(params, batch(rng), np.array([3, 0, 1]), classification_loss, "class_logits")


def test_what_stands_at_a_padded_position_changes_no_real_one(rng):
    params = shake(rng, init_bert(rng, CONFIG))
    ids, mask, segments = batch(rng)
    before, _ = bert(params, ids, mask, segments, CONFIG)
    ids[mask == 0] = (ids[mask == 0] + 1) % CONFIG.vocab_size
    after, _ = bert(params, ids, mask, segments, CONFIG)
    np.testing.assert_array_equal(after[mask == 1], before[mask == 1])


def test_padding_on_or_off_is_the_same(rng):
    params = shake(rng, init_bert(rng, CONFIG))
    ids, mask, segments = batch(rng)
    padded, _ = bert(params, ids, mask, segments, CONFIG)
    for b, n in enumerate(mask.sum(1)):
        alone, _ = bert(params, ids[b : b + 1, :n], mask[b : b + 1, :n], segments[b : b + 1, :n], CONFIG)
        np.testing.assert_allclose(padded[b, :n], alone[0], rtol=1e-9, atol=1e-11)


def test_a_token_sees_both_sides(rng):
    params = shake(rng, init_bert(rng, CONFIG))
    ids, mask, segments = batch(rng)
    before, _ = bert(params, ids, mask, segments, CONFIG)
    ids[0, 3] = (ids[0, 3] + 1) % CONFIG.vocab_size
    after, _ = bert(params, ids, mask, segments, CONFIG)
    assert np.abs(after[0] - before[0]).max(-1).min() > 1e-6
    np.testing.assert_array_equal(after[1:], before[1:])


def test_a_text_of_nothing_but_padding_stays_finite(rng):
    params = init_bert(rng, CONFIG)
    ids, mask, segments = batch(rng)
    with np.errstate(all="raise", under="ignore"):
        hidden, _ = bert(params, ids, np.zeros_like(mask), segments, CONFIG)
    assert np.isfinite(hidden).all()


def test_only_masked_positions_count(rng):
    params = shake(rng, init_bert(rng, CONFIG, mlm=True))
    inputs, targets = batch(rng), masked_targets()
    loss, _ = mlm_loss(params, *inputs, targets, CONFIG)
    every = np.where(targets == -100, inputs[0], targets)
    assert float(mlm_loss(params, *inputs, every, CONFIG)[0]) != pytest.approx(float(loss), rel=1e-3)
    singles = []
    for position in zip(*np.nonzero(targets != -100), strict=True):
        one = np.full((B, T), -100)
        one[position] = targets[position]
        singles.append(float(mlm_loss(params, *inputs, one, CONFIG)[0]))
    assert float(loss) == pytest.approx(np.mean(singles), rel=1e-12)  # the mean over the masked tokens
    with pytest.raises(ValueError, match="ignored"):
        mlm_loss(params, *inputs, np.full((B, T), -100), CONFIG)


def test_float32_stays_float32_and_nothing_is_overwritten(rng):
    params = init_bert(rng, CONFIG, mlm=True)
    before = tree_map(np.copy, params)
    loss, grads = mlm_loss(params, *batch(rng), masked_targets(), CONFIG)
    assert {loss.dtype, *(grad.dtype for grad in flatten(grads).values())} == {np.dtype(np.float32)}
    tree_map(np.testing.assert_array_equal, params, before)


def test_a_text_longer_than_the_block_is_refused(rng):
    ids = np.zeros((1, 11), int)
    with pytest.raises(ValueError, match="11 tokens"):
        bert(init_bert(rng, CONFIG), ids, ids + 1, ids, CONFIG)


def test_one_batch_can_be_learned_by_heart(rng):
    params, state = init_bert(rng, CONFIG, n_classes=3), None
    inputs, labels = batch(rng), np.array([2, 0, 1])
    for _ in range(150):
        loss, grads = classification_loss(params, *inputs, labels, CONFIG)
        params, state = apply(adam, params, grads, state, lr=0.005)
    assert loss < 0.05


# ------------------------------------------------------------------------------- refusals, ignored positions

PARAMS = init_bert(np.random.default_rng(0), CONFIG, mlm=True, n_classes=2)
IDS, SEGMENTS, LABELS = np.ones((B, T), int), np.zeros((B, T), int), np.array([0, 1, 1])


def loss_of(labels):
    return classification_loss(PARAMS, IDS, MASK, SEGMENTS, labels, CONFIG)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: bert(PARAMS, IDS[0], MASK, SEGMENTS, CONFIG),
            ValueError,
            r"ids: expected \(B, T\), got \(7,\)",
        ),
        (
            lambda: bert(PARAMS, IDS, MASK[:1], SEGMENTS, CONFIG),
            ValueError,
            r"mask: .* = \(3, 7\), got \(1, 7\)",
        ),
        (lambda: bert(PARAMS, IDS, MASK[:, :1], SEGMENTS, CONFIG), ValueError, r"mask: .* got \(3, 1\)"),
        (
            lambda: bert(PARAMS, IDS, -np.inf * (1 - MASK + 1e-9), SEGMENTS, CONFIG),
            ValueError,
            "mask: .* got -inf",
        ),
        (lambda: bert(PARAMS, IDS, MASK.tolist(), SEGMENTS, CONFIG), TypeError, "mask: .* got a list"),
        (lambda: bert(PARAMS, IDS, MASK, SEGMENTS[0], CONFIG), ValueError, r"segments: .* got \(7,\)"),
        (lambda: bert(PARAMS, IDS, MASK, SEGMENTS[:1], CONFIG), ValueError, r"segments: .* got \(1, 7\)"),
        (
            lambda: bert(PARAMS, IDS, MASK, SEGMENTS + 2, CONFIG),
            ValueError,
            "segments: expected 0 to 1, got 2 to 2",
        ),
        (lambda: bert(PARAMS, IDS, MASK, SEGMENTS > 0, CONFIG), TypeError, "segments: .* got bool"),
        (
            lambda: bert(PARAMS, IDS * 23, MASK, SEGMENTS, CONFIG),
            ValueError,
            "ids: expected 0 to 22, got 23 to 23",
        ),
        (
            lambda: bert(PARAMS, IDS[:, :0], MASK[:, :0], SEGMENTS[:, :0], CONFIG),
            ValueError,
            "a token to read",
        ),
        (
            lambda: bert(PARAMS | {"wpe": PARAMS["wpe"][:1]}, IDS, MASK, SEGMENTS, CONFIG),
            ValueError,
            "wpe: expected",
        ),
        (lambda: loss_of(LABELS[:1]), ValueError, r"labels: expected \(B,\) = \(3,\), got \(1,\)"),
        (lambda: loss_of(LABELS[:, None]), ValueError, r"labels: .* got \(3, 1\)"),
        (lambda: loss_of(LABELS.tolist()), TypeError, "labels: .* got a list"),
        (lambda: loss_of(LABELS + 1), ValueError, "but 2 classes"),
        (
            lambda: mlm_loss(PARAMS, IDS, MASK, SEGMENTS, IDS[:, :1], CONFIG),
            ValueError,
            r"targets: expected \(B, T\) = \(3, 7\), got \(3, 1\)",
        ),
        (
            lambda: classification_head(np.ones((3, 16)), {}, {}),
            ValueError,
            r"hidden: expected \(B, T, C\), got",
        ),
        (
            lambda: classification_head(np.ones((3, 0, 16)), {}, {}),
            ValueError,
            "hidden: expected a first token",
        ),
        (lambda: mlm_head(np.ones((3, 7, 16)), {}, np.ones((23, 1))), ValueError, r"wte: .* got \(23, 1\)"),
        (
            lambda: init_bert(np.random.default_rng(0), CONFIG, n_classes=0),
            ValueError,
            "n_classes: expected a whole number >= 1, got 0",
        ),
        (lambda: BertConfig(23, 10, 3, 5, 16, 40), ValueError, "n_heads: expected a divisor of 16, got 5"),
        (
            lambda: BertConfig(23, 0, 3, 4, 16, 40),
            ValueError,
            "block_size: expected a whole number >= 1, got 0",
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.usefixtures("as_a_learner")
def test_a_gradient_of_another_shape_is_refused():
    hidden, cache = bert(PARAMS, IDS, MASK, SEGMENTS, CONFIG)
    with pytest.raises(ValueError, match=r"dhidden: expected \(B, T, C\) = \(3, 7, 16\), got \(3, 1, 16\)"):
        bert_backward(hidden[:, :1], cache)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_token_that_is_ruled_out_does_no_harm_beside_ignored_positions(dtype):
    params = tree_map(lambda w: w.astype(dtype), PARAMS)
    params["mlm"] = params["mlm"] | {"bias": params["mlm"]["bias"].copy()}
    params["mlm"]["bias"][0] = -np.inf  # [PAD] is never the answer
    with np.errstate(all="raise", under="ignore"):
        loss, grads = mlm_loss(params, IDS, MASK, SEGMENTS, masked_targets(), CONFIG)
    assert loss == pytest.approx(np.log(22), rel=0.05)
    assert all(np.isfinite(grad).all() for grad in flatten(grads).values())


def test_a_text_whose_label_is_ignored_does_not_count(rng):
    params = shake(rng, PARAMS)
    params["classifier"]["b"][0] = -np.inf  # class 0 is ruled out; the ignored text is not asked
    ids, mask, segments = batch(rng)
    loss, grads = classification_loss(params, ids, mask, segments, np.array([1, -100, 1]), CONFIG)
    kept = [0, 2]
    want, want_grads = classification_loss(
        params, ids[kept], mask[kept], segments[kept], np.array([1, 1]), CONFIG
    )
    assert loss == pytest.approx(want, abs=1e-12)
    for name, grad in flatten(grads).items():
        np.testing.assert_allclose(grad, flatten(want_grads)[name], atol=1e-12)
