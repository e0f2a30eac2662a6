"""Recipes: every field does what it says, models are those of torch_models, batches depend on no state."""

import dataclasses
import json
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from fmkit import optimizers  # noqa: E402
from fmkit.runs.pretraining import recipes  # noqa: E402
from fmkit.runs.pretraining.model import SpeedrunModel, gram_rows  # noqa: E402
from fmkit.runs.pretraining.recipes import CLASSIC, FAST, RECIPES, Recipe  # noqa: E402
from fmkit.twins.models import GPT, Llama  # noqa: E402
from fmkit.twins.muon import Muon, orthogonalize  # noqa: E402

V = 23
SMALL = {"n_layers": 2, "n_heads": 2, "d_model": 16, "d_ff": 24, "block_size": 8, "batch_size": 4}
GPT_RECIPE = Recipe("gpt", **SMALL)
LLAMA_RECIPE = replace(GPT_RECIPE, name="llama", body="llama", rotary=True, qk_norm=True)
TEXT = np.random.default_rng(0).integers(0, V, 500)
IDS = torch.from_numpy(TEXT[:24].reshape(3, 8))


def trained(recipe, steps, text=TEXT):
    """A model after a few steps, and the losses before each."""
    model = recipes.make_model(recipe, V)
    optimizer, losses = recipes.make_optimizer(model, recipe), []
    for step in range(steps):
        ids, targets = recipes.get_batch(text, recipe, step)
        loss = torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), targets.flatten())
        loss.backward()
        recipes.set_lr(optimizer, recipes.lr_multiplier(step, recipe))
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return model, losses


# ----------------------------------------------------------------------------------------------------- models


@pytest.mark.parametrize("recipe", [GPT_RECIPE, LLAMA_RECIPE], ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("tied", [True, False])
def test_the_speedrun_model_is_gpt_at_one_end_and_llama_at_the_other(recipe, tied):
    recipe = replace(recipe, tied=tied)
    plain = recipes.make_model(recipe, V)
    assert type(plain) is {"gpt": GPT, "llama": Llama}[recipe.body]
    ours = SpeedrunModel(recipe, V)
    with torch.no_grad():
        for w in plain.parameters():
            w += 0.3 * torch.randn_like(w)
    ours.load_state_dict(plain.state_dict())  # the same names
    torch.testing.assert_close(ours(IDS), plain(IDS))


CHANGES = [
    {"rotary": True},
    {"qk_norm": True},
    {"relu_squared": True},
    {"tied": False},
    {"soft_cap": 0.05},
    {"ngram_rows": 64},
    {"ngram_rows": 64, "longest_gram": 4},
    {"previous": 2},
    {"n_layers": 0},
    {"seed": 1},
    {"lr": 1e-2},
    {"table_lr": 1e-2},
    {"muon_lr": 0.02},
    {"muon_lr": 0.02, "newton_schulz": 3},
    {"warmup": 1},
    {"beta2": 0.5},
    {"weight_decay": 50.0},
    {"clip": 1e-9},
    {"zero_init": True},
    {"decay": "linear"},
    {"floor": 0.9},
    {"batch_size": 6},
    {"d_model": 32},
    {"block_size": 6},
]
BASE = replace(GPT_RECIPE, steps=6, warmup=2)
BASE_LOSSES = trained(BASE, 6)[1]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: list(change)[-1])
def test_every_field_counts(change):
    _, losses = trained(replace(BASE, **change), 6)
    assert np.isfinite(losses).all()
    assert abs(losses[-1] - BASE_LOSSES[-1]) > 1e-6


def test_a_model_that_does_not_exist_is_refused():
    for recipe in (replace(LLAMA_RECIPE, rotary=False), replace(GPT_RECIPE, body="rnn")):
        with pytest.raises(ValueError, match="no model has body="):
            recipes.make_model(recipe, V)


@pytest.mark.parametrize("change", [{"ngram_rows": 4096}, {"previous": 2}], ids=["tables", "previous"])
def test_what_is_added_to_a_token_is_of_the_two_before_and_never_ahead(change):
    model = recipes.make_model(replace(GPT_RECIPE, **change), V)
    before = model.embed(IDS)
    changed = IDS.clone()
    changed[:, 3] = (changed[:, 3] + 1) % V
    moved = (model.embed(changed) - before).abs().amax((0, 2)) > 1e-6
    assert moved.tolist() == [False, False, False, True, True, True, False, False]


def test_without_a_block_the_tables_are_all_that_a_model_sees():
    """Four tokens with quadruples; the same model with a block sees all of them."""
    recipe = replace(GPT_RECIPE, rotary=True, ngram_rows=64, longest_gram=4)
    changed = IDS.clone()
    changed[:, 2] = (changed[:, 2] + 1) % V
    for n_layers, last in ((0, 5), (1, 7)):
        model = recipes.make_model(replace(recipe, n_layers=n_layers), V)
        moved = (model(changed) - model(IDS)).abs().amax((0, 2)) > 1e-6
        assert moved.tolist() == [2 <= place <= last for place in range(8)]


def test_each_gram_has_a_row_of_its_own_where_there_is_room():
    every = torch.cartesian_prod(torch.arange(V), torch.arange(V))
    for rows, of_its_own in ((V * V, V * V), (V * V - 1, None)):
        found = gram_rows(every, 2, V, rows)[:, 1]
        assert found.min() >= 0 and found.max() < rows
        assert of_its_own is None or len(found.unique()) == of_its_own
    model = recipes.make_model(replace(GPT_RECIPE, ngram_rows=1000, longest_gram=4), V)
    assert [len(table) for table in model.grams] == [V * V, 1000, 1000]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_a_recipe_is_json_and_learns(recipe):
    assert Recipe(**json.loads(json.dumps(dataclasses.asdict(recipe)))) == recipe
    small = replace(recipe, **SMALL, ngram_rows=min(recipe.ngram_rows, 64), warmup=2, steps=60)
    small = replace(small, lr=max(small.lr, 3e-3))
    model = recipes.make_model(small, V)
    text = np.arange(500) * 7 % V  # each token has one successor
    before = recipes.validation_loss(model, text, small)
    assert abs(before - np.log(V)) < 0.1
    model, _ = trained(small, 60, text)
    assert recipes.validation_loss(model, text, small) < before - 1


def test_the_same_seed_gives_the_same_model_and_leaves_torch_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, second, other = (recipes.make_model(replace(FAST, **SMALL, seed=s), V) for s in (3, 3, 4))
    torch.testing.assert_close(torch.rand(3), expected)
    assert torch.equal(first.wte, second.wte) and not torch.equal(first.wte, other.wte)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
@pytest.mark.filterwarnings("error")
def test_mixed_precision_gives_gradients_in_float32(recipe):
    model = recipes.make_model(replace(recipe, **SMALL, ngram_rows=min(recipe.ngram_rows, 64)), V)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(IDS)
    torch.testing.assert_close(logits.float(), model(IDS), rtol=0.1, atol=0.05)
    logits.float().square().sum().backward()
    assert {w.grad.dtype for w in model.parameters()} == {torch.float32}


# -------------------------------------------------------------------------------------------------- optimizer


@pytest.mark.parametrize("shape", [(6, 10), (10, 6), (7, 7)])
def test_muon_is_the_reference(shape):
    rng = np.random.default_rng(0)
    w, state = rng.standard_normal(shape), None
    theirs = torch.nn.Parameter(torch.from_numpy(w.copy()))
    optimizer = Muon([theirs], lr=0.03)
    for _ in range(3):
        dw = rng.standard_normal(shape)
        w, state = optimizers.muon(w, dw, state, lr=0.03)
        theirs.grad = torch.from_numpy(dw)
        optimizer.step()
        np.testing.assert_allclose(theirs.detach(), w, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rounds", [5, 3])
def test_muon_on_gram_matrices_is_newton_and_schulz_on_the_matrices_themselves(rounds):
    """All in one call: wide, tall and square ones, of two short sides, large and small."""
    rng = np.random.default_rng(1)
    shapes = [(6, 10), (10, 6), (6, 6), (4, 9), (9, 4)]
    matrices = [rng.standard_normal(shape) * 10.0**i for i, shape in enumerate(shapes, -2)]
    found = orthogonalize([torch.from_numpy(g) for g in matrices], rounds)
    for g, ours in zip(matrices, found, strict=True):
        size = np.linalg.norm(g) if rounds == 5 else np.sqrt(np.linalg.norm(g @ g.T))
        assert np.linalg.svd(g / size, compute_uv=False).max() <= 1 + 1e-12
        x = g / size
        for _ in range(rounds):
            x = 3.4445 * x - 4.7750 * x @ x.T @ x + 2.0315 * x @ x.T @ x @ x.T @ x
        np.testing.assert_allclose(ours, x, rtol=1e-10, atol=1e-10)
    assert all(w.isfinite().all() for w in orthogonalize([torch.zeros(3, 4), torch.zeros(4, 3)], rounds))


@pytest.mark.parametrize("recipe", [BASE, replace(BASE, muon_lr=0.02, ngram_rows=64, previous=2)])
def test_every_weight_is_in_one_group_and_a_saved_optimizer_goes_on(recipe):
    model = recipes.make_model(recipe, V)
    optimizer = recipes.make_optimizer(model, recipe)
    weights = [id(w) for group in optimizer.param_groups for w in group["params"]]
    assert sorted(weights) == sorted(id(w) for w in model.parameters())

    def step(model, optimizer, n):
        ids, targets = recipes.get_batch(TEXT, recipe, n)
        torch.nn.functional.cross_entropy(model(ids).flatten(0, 1), targets.flatten()).backward()
        recipes.set_lr(optimizer, 0.5)
        optimizer.step()
        optimizer.zero_grad()

    step(model, optimizer, 0)
    again = recipes.make_model(replace(recipe, seed=9), V)
    again.load_state_dict(model.state_dict())
    its_optimizer = recipes.make_optimizer(again, recipe)
    its_optimizer.load_state_dict(deepcopy(optimizer.state_dict()))
    step(model, optimizer, 1)
    step(again, its_optimizer, 1)
    for name, w in model.state_dict().items():
        assert torch.equal(w, again.state_dict()[name]), name


def test_learning_rates_rise_and_fall():
    cosine = [recipes.lr_multiplier(step, CLASSIC) for step in (0, 49, 99, 1049, 1999, 2000)]
    np.testing.assert_allclose(cosine, [0.01, 0.5, 1.0, 0.55, 0.1, 0.1], atol=2e-3)
    linear = replace(CLASSIC, decay="linear", floor=0.0, warmup=10, steps=110)
    values = [recipes.lr_multiplier(step, linear) for step in (0, 9, 10, 60, 109)]
    np.testing.assert_allclose(values, [0.1, 1.0, 1.0, 0.5, 0.01])
    optimizer = recipes.make_optimizer(recipes.make_model(BASE, V), replace(BASE, table_lr=4e-3))
    recipes.set_lr(optimizer, 0.25)
    recipes.set_lr(optimizer, 0.5)
    assert {group["lr"] for group in optimizer.param_groups} == {2e-3, 5e-4}


# ------------------------------------------------------------------------------------------------------- data


def test_a_batch_depends_on_seed_and_step_only():
    ids, targets = recipes.get_batch(TEXT, BASE, 7)
    assert ids.shape == targets.shape == (4, 8)
    assert torch.equal(ids[:, 1:], targets[:, :-1])
    same, _ = recipes.get_batch(TEXT.astype(np.uint8), BASE, 7)
    assert torch.equal(ids, same)
    for recipe, step in ((BASE, 8), (replace(BASE, seed=1), 7)):
        assert not torch.equal(ids, recipes.get_batch(TEXT, recipe, step)[0])
    parts = [recipes.get_batch(TEXT, BASE, 7, rank=rank, world=2)[0] for rank in range(2)]
    assert torch.equal(torch.cat(parts), ids)


def test_the_shortest_text_gives_its_one_window():
    ids, targets = recipes.get_batch(TEXT[:9], BASE, 0)
    assert (ids == torch.from_numpy(TEXT[:8])).all() and (targets == torch.from_numpy(TEXT[1:9])).all()


@pytest.mark.parametrize("n", [500, 17, 9, 5])
def test_validation_scores_every_token_once(n):
    model = recipes.make_model(BASE, V)
    nats = []
    for start in range(0, n - 1, 8):
        piece = torch.from_numpy(TEXT[start : min(start + 9, n)])
        logits = model(piece[None, :-1])[0]
        nats += torch.nn.functional.cross_entropy(logits, piece[1:], reduction="none").tolist()
    assert len(nats) == n - 1
    assert recipes.validation_loss(model, TEXT[:n], BASE) == pytest.approx(np.mean(nats), abs=1e-5)
