"""Chapter 10's CLIP: words of two languages, its gradient, and that it learns."""

import numpy as np
import pytest

from fmkit.data.assets import AssetError
from fmkit.lab.workbench import emoji_clip as clip
from fmkit.unlabelled import contrastive


@pytest.fixture(scope="module")
def emoji():
    try:
        return clip.load()
    except AssetError as error:
        pytest.skip(str(error))


def test_words_of_both_languages():
    assert clip.words_of("Woman: red hair") == ["woman", "red", "hair"]
    assert clip.words_of("女科学家 T恤") == ["t", "女", "科", "学", "家", "女科", "科学", "学家", "恤"]
    assert clip.words_of("") == []


def test_unknown_words_leave_no_trace_and_long_names_are_cut():
    ids = clip.numbers(["b a x", "", "a " * 40], {"a": 0, "b": 1})
    assert ids.shape == (3, clip.LENGTH)
    assert ids[0, :3].tolist() == [1, 0, -1] and (ids[1] == -1).all() and (ids[2] == 0).all()


def test_a_name_is_the_sum_of_its_words():
    params = clip.init(0, 9)["text"]
    ids = clip.numbers(["a b", "b a", "c", "nothing"], {"a": 3, "b": 5, "c": 8})
    out, (bag, used, _, _) = clip.read(params, ids)
    assert np.array_equal(out[0], out[1]) and not np.allclose(out[0], out[2])
    x = (params["table"][3] + params["table"][5]) / np.sqrt(2)
    np.testing.assert_allclose((bag @ params["table"][used])[0], x, rtol=1e-5)
    assert np.array_equal(out[3], clip.read(params, clip.numbers(["other"], {}))[0][0])  # no word: one place


def test_the_gradient_of_reading():
    rng = np.random.default_rng(0)
    params = clip.init(0, 7)["text"]
    params = {
        "table": params["table"].astype(float),
        "mlp": {k: v.astype(float) for k, v in params["mlp"].items()},
    }
    ids = clip.numbers(["a b a", "c"], {"a": 1, "b": 4, "c": 6})
    out, cache = clip.read(params, ids)
    dout = rng.normal(size=out.shape)
    grads = clip.read_backward(dout, cache)
    direction = rng.normal(size=params["table"].shape)
    ends = [
        (clip.read(params | {"table": params["table"] + sign * 1e-4 * direction}, ids)[0] * dout).sum()
        for sign in (1, -1)
    ]
    assert (ends[0] - ends[1]) / 2e-4 == pytest.approx((grads["table"] * direction).sum(), rel=1e-3)
    assert (grads["table"][[0, 2, 3, 5]] == 0).all()  # words that nobody said
    assert grads["mlp"].keys() == params["mlp"].keys()


def test_the_split_hides_combinations_only(emoji):
    assert len(emoji.test) == clip.HELD_OUT and not set(emoji.test) & set(emoji.train)
    assert all("skin tone" in emoji.english[i] for i in emoji.test)
    assert abs(emoji.pictures).max() <= 1 and emoji.pictures.dtype == np.float32
    assert (emoji.ids[:, :, 0] >= 0).mean() > 0.99  # nearly every name has a word that is learned from
    assert not np.array_equal(clip.load(1).test, emoji.test)


def test_found_at():
    asked, answers = np.eye(3), np.array([[1, 0, 0], [0, 0.1, 0.9], [0, 0.5, 0.6]])
    assert clip.found_at(asked, answers) == pytest.approx(1 / 3)
    assert clip.found_at(asked, answers, k=2) == 1.0


def test_it_learns_from_the_first_steps(emoji):
    params, losses = clip.train(emoji, 12, batch=64)
    assert losses[-1] < losses[0]
    assert params["log_scale"].dtype == np.float32
    again, same = clip.train(emoji, 12, batch=64)
    assert same == losses


def test_an_interrupted_run_gives_what_it_has(emoji):
    def enough(step, loss):
        if step == 2:
            raise KeyboardInterrupt

    params, losses = clip.train(emoji, 50, batch=16, say=enough)
    assert len(losses) == 3 and clip.see(params, emoji.pictures[:5]).shape == (5, clip.SIZE)


def test_a_step_goes_downhill(emoji):
    rows = emoji.train[:32]
    images, ids = emoji.pictures[rows], emoji.ids[0, rows]
    params = clip.init(0, len(emoji.words))

    def loss(p):
        return float(contrastive(clip.see(p, images), clip.say(p, ids), p["log_scale"][0])[0])

    after, _, said = clip.step(params, None, images, ids, 1e-4)
    assert said == pytest.approx(loss(params), rel=1e-4)
    assert loss(after) < loss(params)


@pytest.mark.slow
def test_it_finds_combinations_that_it_has_never_seen(emoji):
    params, _ = clip.train(emoji, 400)
    right = clip.unseen(params, emoji)
    assert min(right.values()) > 0.5, right  # chance is 0.0025
