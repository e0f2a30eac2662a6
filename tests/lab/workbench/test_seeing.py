"""Chapter 10's workbench: what it trains learns, gradients are those of its losses, figures hold."""

import numpy as np
import pytest

from fmkit import unlabelled, vision
from fmkit.data.assets import AssetError
from fmkit.data.graphs import karate_club
from fmkit.images import warp
from fmkit.lab.workbench import seeing as lab
from fmkit.params import flatten, unflatten


@pytest.fixture(scope="module")
def digits():
    try:
        return lab.digits()
    except AssetError as error:
        pytest.skip(str(error))


def test_the_split_is_one_and_its_labels_go_with_it(digits):
    x, y, x_test, y_test = digits
    assert x.shape == (4000, 28, 28, 1) and x.dtype == np.float32 and 0 <= x.min() < x.max() <= 1
    assert not np.array_equal(lab.digits(1)[0], x)
    assert (np.bincount(np.r_[y, y_test]) == 500).all()
    rows = lab.some_of_each(y, 100, np.random.default_rng(0))
    assert (np.bincount(y[rows]) == 10).all() and len(set(rows)) == 100


def test_warped_is_warp_of_each():
    rng = np.random.default_rng(0)
    images = rng.random((3, 8, 8, 1)).astype(np.float32)
    rng, same = np.random.default_rng(1), np.random.default_rng(1)
    turn, size, shift = (
        same.uniform(-0.35, 0.35, 3),
        same.uniform(0.8, 1.2, 3),
        same.uniform(-2, 2, (2, 3, 1)),
    )
    got = lab.warped(images, rng)
    for n in range(3):
        moved = float(shift[0, n, 0]), float(shift[1, n, 0])
        want = warp(images[n], float(np.degrees(turn[n])), float(size[n]), moved)
        np.testing.assert_allclose(got[n], want, atol=1e-5)


@pytest.mark.parametrize("kind, least", [("linear", 0.8), ("CNN", 0.85)])
def test_readers_learn(digits, kind, least):
    x, y, x_test, y_test = digits
    assert lab.read_right(*lab.train_reader(kind, x, y, steps=150), x_test, y_test) > least


def test_hidden_patches_are_black_and_three_quarters(digits):
    shown, hidden = lab.hide_patches(digits[0][:4], np.random.default_rng(0))
    assert (hidden.sum(1) == 37).all() and not np.array_equal(hidden[0], hidden[1])
    tokens = vision.patches(shown, 4)
    assert (tokens[hidden] == 0).all()
    assert np.array_equal(tokens[~hidden], vision.patches(digits[0][:4], 4)[~hidden])


@pytest.mark.parametrize("kind", lab.LOSSES)
def test_the_gradients_are_those_of_the_loss(kind):
    rng = np.random.default_rng(0)
    x = rng.random((5, 28, 28, 1))
    params = {"encoder": vision.init_cnn(rng, (28, 28, 1), (2, 3, 4), lab.CODES), "top": lab._top(kind, rng)}
    flat = {name: w.astype(np.float64) for name, w in flatten(params).items()}
    exact = flatten(lab.LOSSES[kind](unflatten(flat), x, np.random.default_rng(1))[1])
    assert exact.keys() == flat.keys()
    for name in ("encoder.convs.0.w", "encoder.head.w", "top.w1", "top.b2"):
        direction = rng.normal(size=flat[name].shape)
        step = 1e-5
        moved = [flat | {name: flat[name] + sign * step * direction} for sign in (1, -1)]
        up, down = (lab.LOSSES[kind](unflatten(m), x, np.random.default_rng(1))[0] for m in moved)
        assert (up - down) / (2 * step) == pytest.approx(
            (exact[name] * direction).sum(), rel=2e-3, abs=1e-7
        ), name


@pytest.mark.parametrize("kind", ["denoising", "contrastive"])
def test_pretraining_lowers_its_loss_and_random_does_nothing(digits, kind):
    encoder, losses = lab.pretrain(kind, digits[0], 30)
    assert np.mean(losses[-5:]) < 0.9 * losses[0]
    assert lab.codes_of(encoder, digits[2][:7]).shape == (7, lab.CODES)
    start, none = lab.pretrain("random", digits[0], 30)
    assert none == [] and not np.array_equal(start["head"]["w"], encoder["head"]["w"])


def test_a_gan_trains_its_detective(digits):
    encoder, losses = lab.pretrain("GAN", digits[0], 12)
    assert losses[-1] < losses[0] and np.isfinite(lab.codes_of(encoder, digits[2][:3])).all()


def test_the_probe_reads_pixels(digits):
    x, y, x_test, y_test = digits
    rows = lab.some_of_each(y, 100, np.random.default_rng(0))
    pixels, asked = lab.codes_of(None, x[rows]), lab.codes_of(None, x_test)
    assert 0.65 < lab.probe(pixels, y[rows], asked, y_test) < 0.8
    assert lab.probe(pixels, np.roll(y[rows], 10), asked, y_test) < 0.3  # of wrong labels it learns nothing


def test_a_hasty_forger_makes_one_thing(digits):
    made = lab.forge(digits[0], 500, forger_rate=1e-2, detective_rate=1e-4, count=50)
    assert made.shape == (50, 28, 28, 1) and made.min() >= 0 and made.max() <= 1
    patient = lab.forge(digits[0], 500, count=50)
    assert made.std(0).mean() < 0.5 * patient.std(0).mean()


def test_the_guesser_learns_more_than_nothing(digits):
    params = lab.train_guesser(digits[0], 80)
    shown, hidden = lab.hide_patches(digits[2], np.random.default_rng(0))
    said, target = lab.guess(params, shown, hidden), vision.patches(digits[2], 4)
    learned = unlabelled.masked_image_loss(said, target, hidden, normalize=True)[0]
    nothing = unlabelled.masked_image_loss(0 * said, target, hidden, normalize=True)[0]
    assert learned < 0.95 * nothing


def test_a_member_is_guessed_along_edges_only():
    edges, club = karate_club()
    assert edges.shape == (78, 2) and np.bincount(club).tolist() == [17, 17]
    assert (edges[:, 0] < edges[:, 1]).all() and club[0] == 0 and club[33] == 1
    friends = np.eye(34, dtype=bool)
    friends[edges[:, 0], edges[:, 1]] = friends[edges[:, 1], edges[:, 0]] = True
    asked = [4, 14, 16, 22, 26, 29]
    guesses, weights = zip(*(lab.club_guess(club, friends, n) for n in asked), strict=True)
    assert list(guesses) == club[asked].tolist()
    for n, w in zip(asked, weights, strict=True):
        assert w.sum() == pytest.approx(1) and (w[~friends[n]] == 0).all()


def test_nobody_tells_the_member_that_is_asked():
    edges, club = karate_club()
    friends = np.eye(34, dtype=bool)
    friends[edges[:, 0], edges[:, 1]] = friends[edges[:, 1], edges[:, 0]] = True
    other = club.copy()
    other[14] = 1 - other[14]
    one, two = (lab.club_guess(c, friends, 14, steps=30) for c in (club, other))
    assert one[0] == two[0] and np.array_equal(one[1], two[1])


def test_what_is_kept_says_what_the_chapter_says():
    kept = lab.results()
    mean = {}
    for group in ("probe", "supervised"):
        for name, runs in kept["pretraining"][group].items():
            mean[name] = np.concatenate([run["right"] for run in runs], axis=1).mean(1)  # (labels,)
    assert set(mean) == {"pixels", *lab.KINDS, "plain", "augmented"}
    assert (mean["random"] < mean["pixels"]).all()
    others = [mean[k] for k in mean if k not in ("contrastive", "augmented")]
    assert all((mean["contrastive"] > other).all() for other in others)
    assert (mean["augmented"] > mean["contrastive"]).all()
    readers = kept["readers"]
    assert min(r["right"] for r in readers["CNN, augmented"]) > max(r["right"] for r in readers["CNN, plain"])
    assert {tuple(run["languages"]) for run in kept["clip"]} == {(0, 1), (0,)}
    assert len(kept["clip"]) == 4
    for run in kept["clip"]:
        both = len(run["languages"]) == 2
        assert run["right"]["picture to English"] > 0.5
        assert (run["right"]["picture to Chinese"] > 0.5) == both
        assert (run["right"]["English to Chinese"] > 0.5) == both


def test_the_long_run_in_small_makes_what_is_kept(digits, monkeypatch):
    for name, value in {"LABELS": (20,), "DRAWS": 1, "SEEDS": (0,)}.items():
        monkeypatch.setattr(lab, name, value)
    lines, kept = [], lab.results()
    made = lab.compare(lines.append, steps=2)
    assert made.keys() == kept["pretraining"].keys()
    for group in ("probe", "supervised"):
        assert made[group].keys() == kept["pretraining"][group].keys()
        for runs in made[group].values():
            ((right,),) = (run["right"] for run in runs)
            assert len(right) == 1 and 0 <= right[0] <= 1
    readers = lab.compare_readers(lines.append, steps=2)
    assert readers.keys() == kept["readers"].keys()
    clips = lab.compare_clip(lines.append, steps=1)
    assert [(run["languages"], run["seed"]) for run in clips] == [
        (run["languages"], run["seed"]) for run in kept["clip"]
    ]
    assert len(lines) == 9 + 6 + 4
