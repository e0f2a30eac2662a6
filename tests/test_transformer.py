"""GPT as a whole: against torch, and what must hold of any causal language model."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fmkit.attention import causal_mask
from fmkit.optimizers import adam, apply
from fmkit.params import count, flatten, tree_map
from fmkit.transformer import Config, block, block_backward, gpt, gpt_backward, gpt_loss, init_gpt
from fmkit.twins.cases.transformer import shake

CONFIG = Config(vocab_size=23, block_size=10, n_layers=3, n_heads=4, d_model=16, d_ff=40)


@pytest.fixture
def rng():
    return np.random.default_rng(66)


@pytest.mark.parametrize("tied", [True, False])
def test_loss_and_every_gradient_equal_torch(rng, tied):
    torch = pytest.importorskip("torch")
    from fmkit.twins.models import from_params

    config = replace(CONFIG, tied=tied)
    params = shake(rng, init_gpt(rng, config))
    ids, targets = rng.integers(0, config.vocab_size, (2, 3, 7))
    targets[0, 2] = -100
    loss, grads = gpt_loss(params, ids, targets, config)

    model = from_params(params, config)
    logits = model(torch.from_numpy(ids))
    torch_loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets).flatten())
    torch_loss.backward()
    assert float(loss) == pytest.approx(torch_loss.item(), abs=1e-12)
    ours, theirs = flatten(grads), dict(model.named_parameters())
    assert ours.keys() == theirs.keys() == flatten(params).keys()
    for name, grad in ours.items():
        np.testing.assert_allclose(grad, theirs[name].grad.numpy(), rtol=0, atol=1e-10, err_msg=name)
        assert np.abs(grad).max() > 1e-4, f"the gradient of {name} is too small to prove anything"


def test_a_future_token_does_not_change_past_logits(rng):
    params = shake(rng, init_gpt(rng, CONFIG))
    ids = rng.integers(0, CONFIG.vocab_size, (2, 8))
    before, _ = gpt(params, ids, CONFIG)
    ids[0, 5] = (ids[0, 5] + 1) % CONFIG.vocab_size
    after, _ = gpt(params, ids, CONFIG)
    np.testing.assert_array_equal(after[0, :5], before[0, :5])
    np.testing.assert_array_equal(after[1], before[1])  # nor does it change another row of the batch
    assert np.abs(after[0, 5:] - before[0, 5:]).max(-1).min() > 1e-6


def test_a_prefix_gives_the_same_logits(rng):
    params = shake(rng, init_gpt(rng, CONFIG))
    ids = rng.integers(0, CONFIG.vocab_size, (2, 8))
    whole, prefix = gpt(params, ids, CONFIG)[0], gpt(params, ids[:, :3], CONFIG)[0]
    np.testing.assert_allclose(prefix, whole[:, :3], rtol=1e-10, atol=1e-12)


def test_tied_is_untied_with_a_copied_head(rng):
    tied = shake(rng, init_gpt(rng, CONFIG))
    untied = tied | {"head": tied["wte"].T.copy()}
    ids, targets = rng.integers(0, CONFIG.vocab_size, (2, 3, 7))
    loss, grads = gpt_loss(tied, ids, targets, CONFIG)
    untied_loss, untied_grads = gpt_loss(untied, ids, targets, replace(CONFIG, tied=False))
    assert float(loss) == pytest.approx(float(untied_loss), abs=1e-12)
    np.testing.assert_allclose(
        grads["wte"], untied_grads["wte"] + untied_grads["head"].T, rtol=1e-12, atol=1e-14
    )
    np.testing.assert_allclose(grads["wpe"], untied_grads["wpe"], rtol=1e-12, atol=1e-14)


def test_positions_that_were_not_used_get_no_gradient(rng):
    params = init_gpt(rng, CONFIG)
    ids, targets = rng.integers(0, CONFIG.vocab_size, (2, 3, 7))
    _, grads = gpt_loss(params, ids, targets, CONFIG)
    assert np.abs(grads["wpe"][:7]).max(-1).all()
    assert not grads["wpe"][7:].any()


def test_float32_stays_float32_and_nothing_is_overwritten(rng):
    params = init_gpt(rng, CONFIG)
    before = tree_map(np.copy, params)
    ids, targets = rng.integers(0, CONFIG.vocab_size, (2, 3, 7))
    loss, grads = gpt_loss(params, ids, targets, CONFIG)
    assert {loss.dtype, *(grad.dtype for grad in flatten(grads).values())} == {np.dtype(np.float32)}
    tree_map(np.testing.assert_array_equal, params, before)


def test_the_cache_can_be_used_twice(rng):
    params = init_gpt(rng, CONFIG)
    ids = rng.integers(0, CONFIG.vocab_size, (3, 7))
    logits, cache = gpt(params, ids, CONFIG)
    first, second = gpt_backward(logits, cache), gpt_backward(logits, cache)
    tree_map(np.testing.assert_array_equal, first, second)


def test_a_new_model_has_the_size_and_the_loss_of_one_that_knows_nothing(rng):
    config = Config(vocab_size=65, block_size=64, n_layers=4, n_heads=4, d_model=128, d_ff=512)
    params = init_gpt(rng, config)
    # a block: 4 C² of attention, 8 C² of the mlp, 4 C + 5 C biases, 4 C of the norms
    C = 128
    assert count(params) == 65 * C + 64 * C + 4 * (12 * C * C + 13 * C) + 2 * C
    ids, targets = rng.integers(0, 65, (2, 4, 64))
    loss, _ = gpt_loss(params, ids, targets, config)
    assert float(loss) == pytest.approx(math.log(65), abs=0.1)
    assert params["blocks"][0]["mlp"]["w1"].std() == pytest.approx(0.02, rel=0.03)
    assert params["blocks"][0]["mlp"]["w2"].std() == pytest.approx(0.02 / math.sqrt(8), rel=0.03)


def test_a_text_longer_than_the_block_is_refused(rng):
    with pytest.raises(ValueError, match="11 tokens"):
        gpt(init_gpt(rng, CONFIG), np.zeros((1, 11), int), CONFIG)


@pytest.mark.parametrize("tied", [True, False])
def test_one_batch_can_be_learned_by_heart(rng, tied):
    config = replace(CONFIG, n_layers=2, tied=tied)
    params, state = init_gpt(rng, config), None
    ids, targets = rng.integers(0, config.vocab_size, (2, 4, 8))
    for _ in range(150):
        loss, grads = gpt_loss(params, ids, targets, config)
        params, state = apply(adam, params, grads, state, lr=0.01)
    assert loss < 0.05


# ------------------------------------------------------------------------------------------------- refusals

PARAMS = init_gpt(np.random.default_rng(0), CONFIG)
IDS = np.array([[3, 1, 4], [1, 5, 9]])


def without(params, **changed):
    return {**params, **changed}


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: gpt(PARAMS, IDS[0], CONFIG), ValueError, r"ids: expected \(B, T\), got \(3,\)"),
        (lambda: gpt(PARAMS, IDS[:, :0], CONFIG), ValueError, "ids: expected a token to read"),
        (lambda: gpt(PARAMS, IDS + 20, CONFIG), ValueError, "ids: expected 0 to 22, got 21 to 29"),
        (lambda: gpt(PARAMS, -IDS, CONFIG), ValueError, "ids: expected 0 to 22, got -9 to -1"),
        (lambda: gpt(PARAMS, IDS / 1, CONFIG), TypeError, "ids: .* got float64"),
        (lambda: gpt(PARAMS, IDS > 3, CONFIG), TypeError, "ids: .* got bool"),
        (lambda: gpt(PARAMS, IDS.tolist(), CONFIG), TypeError, "ids: .* got a list"),
        (lambda: gpt(PARAMS, np.ones((1, 11), int), CONFIG), ValueError, "11 tokens do not fit"),
        (
            lambda: gpt(without(PARAMS, wpe=PARAMS["wpe"][:1]), IDS, CONFIG),
            ValueError,
            r"wpe: .* got \(1, 16\)",
        ),
        (
            lambda: gpt(without(PARAMS, wte=PARAMS["wte"][:9]), IDS, CONFIG),
            ValueError,
            r"wte: .* got \(9, 16\)",
        ),
        (
            lambda: gpt(without(PARAMS, head=PARAMS["wte"].T), IDS, CONFIG),
            ValueError,
            "a head is expected if",
        ),
        (lambda: gpt(PARAMS, IDS, replace(CONFIG, tied=False)), ValueError, "a head is expected if"),
        (
            lambda: gpt_loss(PARAMS, IDS, IDS[:, :1], CONFIG),
            ValueError,
            r"targets: .* = \(2, 3\), got \(2, 1\)",
        ),
        (lambda: gpt_loss(PARAMS, IDS, IDS[:1], CONFIG), ValueError, r"targets: .* got \(1, 3\)"),
        (lambda: gpt_loss(PARAMS, IDS, IDS[0], CONFIG), ValueError, r"targets: .* got \(3,\)"),
        (lambda: gpt_loss(PARAMS, IDS, IDS.tolist(), CONFIG), TypeError, "targets: .* got a list"),
        (lambda: gpt_loss(PARAMS, IDS, IDS / 1, CONFIG), TypeError, "targets: .* got float64"),
        (lambda: gpt_loss(PARAMS, IDS[:0], IDS[:0], CONFIG), ValueError, "no loss"),
        (lambda: Config(0, 4, 1, 1, 4, 4), ValueError, "vocab_size: expected a whole number >= 1, got 0"),
        (lambda: replace(CONFIG, n_heads=3), ValueError, "n_heads: expected a divisor of 16, got 3"),
        (lambda: replace(CONFIG, n_layers=0), ValueError, "n_layers: .* got 0"),
        (
            lambda: block(np.ones((1, 2, 16)), PARAMS["blocks"][0], 4, np.tri(2, dtype=int)),
            TypeError,
            "mask: .* got int64",
        ),
        (lambda: block(np.ones((2, 16)), PARAMS["blocks"][0], 4), ValueError, r"x: expected \(B, T, C\)"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.usefixtures("as_a_learner")
def test_a_gradient_of_another_shape_is_refused():
    logits, cache = gpt(PARAMS, IDS, CONFIG)
    for dlogits in (logits[:, :1], logits[:1], logits[..., :1]):
        with pytest.raises(ValueError, match=r"dlogits: expected \(B, T, V\) = \(2, 3, 23\)"):
            gpt_backward(dlogits, cache)
    x = np.ones((2, 3, 16))
    _, cache = block(x, PARAMS["blocks"][0], 4)
    with pytest.raises(ValueError, match="dout: expected"):
        block_backward(x[:, :1], cache)


def test_a_boolean_mask_of_a_block_is_the_causal_one(rng):
    x, dout = rng.standard_normal((2, 2, 5, 16))
    p = shake(rng, PARAMS["blocks"][0])
    results = []
    for mask in (causal_mask(5, np.float64), np.tri(5, dtype=bool)):
        out, cache = block(x, p, 4, mask)
        results.append({"out": out, "dx": block_backward(dout, cache)[0]})
    np.testing.assert_array_equal(results[0]["out"], results[1]["out"])
    np.testing.assert_array_equal(results[0]["dx"], results[1]["dx"])


def test_no_row_gives_no_logits():
    logits, _ = gpt(PARAMS, IDS[:0], CONFIG)
    assert logits.shape == (0, 3, 23)
