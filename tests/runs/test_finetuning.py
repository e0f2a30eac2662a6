"""Fine-tuning: clean splits; only what may learn learns, and it does; Hugging Face sees the same model."""

import numpy as np
import pytest
import torch

from fmkit.adapters import adapter, lora_linear, prefix_attention
from fmkit.bert import BertConfig, init_bert
from fmkit.errors import AssetError
from fmkit.runs.finetuning import data as finetuning_data
from fmkit.runs.finetuning import run as ft
from fmkit.runs.finetuning.blend import RIDGE_WEIGHT, train_blend
from fmkit.runs.finetuning.multitask import accuracies, forgetting, multitask, train_together
from fmkit.text import clean, deduplicate
from fmkit.twins.adapters import METHODS, Classifier, NewParts
from fmkit.wordpiece import WordPieceTokenizer

WORDS = ["good", "fine", "great", "bad", "poor", "awful", "film", "plot", "cast", "the", "a", "was", "and"]
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
CONFIG = BertConfig(len(PIECES), 12, n_layers=3, n_heads=2, d_model=16, d_ff=24)
TRAINED = ("head", "last2", "full", "lora", "adapter", "prefix")


def make(method="full", seed=0, device="cpu", classes=2, **settings):
    params = init_bert(np.random.default_rng(3), CONFIG, n_classes=classes)
    rng = np.random.default_rng(4)
    params["wte"] *= 10.0
    for block in params["blocks"]:  # far from the start, so that every part matters
        for part in ("attn", "mlp"):
            block[part] = {k: w + rng.normal(0, 0.2, w.shape).astype(w.dtype) for k, w in block[part].items()}
    return Classifier(params, CONFIG, method, classes, seed, device, **{"rank": 4, "positions": 3} | settings)


def shake(model, seed=0, by=0.3):
    """Move what learns away from its start, where the new parts change nothing."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for w in model.parameters():
            if w.requires_grad:
                w += by * torch.randn(w.shape, generator=rng)
    return model.eval()


def reviews(n, seed=0):
    rng = np.random.default_rng(seed)
    fill, rows = WORDS[6:], []
    for i in range(n):
        words = rng.choice(fill, rng.integers(2, 7)).tolist()
        words.insert(rng.integers(len(words)), str(rng.choice(WORDS[:3] if i % 2 else WORDS[3:6])))
        rows.append((" ".join(words), i % 2))
    return rows


@pytest.fixture
def small(monkeypatch):
    """The tiny model and its words in the place of MiniLM."""
    monkeypatch.setattr(finetuning_data, "tokenizer", lambda: WordPieceTokenizer(PIECES))
    monkeypatch.setattr(ft, "tokenizer", lambda: WordPieceTokenizer(PIECES))
    monkeypatch.setattr(ft, "make_model", make)
    monkeypatch.setattr("fmkit.runs.finetuning.multitask.make_model", make)


def batch(n=5):
    ids = [[2, *np.random.default_rng(i).integers(5, len(PIECES), 2 + i).tolist(), 3] for i in range(n)]
    return finetuning_data.make_batch(ids)


# ------------------------------------------------------------------------------------------------------- data


def test_the_splits_are_clean_and_fixed():
    try:
        parts = ft.rated_splits()
    except AssetError as error:
        pytest.skip(str(error))
    texts = [text for part in parts for text, _ in part]
    assert len(deduplicate(texts)) == len(texts) and all(text == clean(text) for text in texts)
    assert [len(part) for part in parts] == [8453, 1057, 1056]
    assert all(rating for part in parts for _, rating in part)
    for part, labelled in zip(parts, ft.splits(), strict=True):
        assert [text for text, _ in part] == [text for text, _ in labelled]
        assert [int(rating > 0) for _, rating in part] == [label for _, label in labelled]
        assert 0.45 < np.mean([label for _, label in labelled]) < 0.55  # the file is ordered: it was shuffled
        runs = np.diff([label for _, label in labelled])
        assert 0.4 < np.mean(runs != 0) < 0.6


def test_copies_end_up_in_one_part_only():
    rows = [(f"text {i // 3}".upper() if i % 2 else f"text {i // 3}", 1.0) for i in range(90)]
    texts = [text.lower() for part in ft.splits([*rows, ("neither", 0.0)]) for text, _ in part]
    assert sorted(texts) == sorted({f"text {i}" for i in range(30)})


def test_soft_labels_keep_the_side():
    rows = ft.soft_labels([("a", 3.0), ("b", 0.1), ("c", -2.0)])
    assert rows[0][1] > 0.95 and 0.5 < rows[1][1] < 0.6 and rows[2][1] < 0.1


def test_a_batch_is_as_long_as_its_longest_text(small):
    ids = ft.encode(["good film", "the plot was poor and very awful"])
    padded, mask = finetuning_data.make_batch(ids)
    assert padded.shape == (2, 9) and mask.sum(1).tolist() == [4, 9]
    assert finetuning_data.make_batch(ids[:1])[1] is None
    long = ft.encode(["good " * 300])[0]
    assert len(long) == 128 and long[0] == 2 and long[-1] == 3


# ----------------------------------------------------------------------------------------------- what learns


@pytest.mark.parametrize("method", METHODS)
def test_no_gradient_reaches_frozen_weights(method):
    model = shake(make(method))
    model.train()
    model(*batch()).square().sum().backward()
    moved = {name for name, w in model.named_parameters() if w.grad is not None and w.grad.abs().sum() > 0}
    allowed = {
        "frozen": (),
        "head": ("bert.pooler",),
        "last2": ("bert.pooler", "bert.blocks.1", "bert.blocks.2"),
        "full": ("bert.pooler", "bert.blocks"),
    }.get(method, ("bert.pooler", "new."))
    assert {"w", "b"} <= moved
    assert all(name in ("w", "b") or name.startswith(allowed) for name in moved)
    learned = {name for name, w in model.named_parameters() if w.requires_grad}
    dead = {name for name in learned - moved if not name.endswith(("bqkv",))}  # a key's bias has no effect
    assert not dead
    assert model.trainable() == sum(w.numel() for n, w in model.named_parameters() if n in learned)


@pytest.mark.parametrize("method", ["lora", "adapter"])
def test_new_parts_change_nothing_at_first(method):
    ids, mask = batch()
    with torch.no_grad():
        np.testing.assert_allclose(make(method).cls(ids, mask), make("frozen").cls(ids, mask), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_working_out_cls_alone_gives_the_same_numbers(method):
    model, (ids, mask) = shake(make(method)), batch()
    with torch.no_grad():
        np.testing.assert_allclose(model.cls(ids, mask), model.hidden(ids, mask)[:, 0], atol=2e-6)


def test_padding_changes_nothing():
    model, ids = shake(make("prefix")), [[2, 5, 7, 3], [2, 6, 8, 9, 10, 11, 3]]
    with torch.no_grad():
        together = model(*finetuning_data.make_batch(ids))
        alone = torch.cat([model(*finetuning_data.make_batch([text])) for text in ids])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_the_new_parts_are_those_of_the_reference():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2, 5, 16)).astype(np.float32)
    w, b = rng.standard_normal((16, 48)).astype(np.float32), rng.standard_normal(48).astype(np.float32)
    lora = shake(NewParts(CONFIG, "lora", 4, 3))
    a, bb = (lora.lora["wqkv"][name].detach().numpy() for name in ("a", "bb"))
    got = lora.linear("wqkv", *map(torch.from_numpy, (x, w, b))).detach()
    np.testing.assert_allclose(got, lora_linear(x, w, b, a, bb, NewParts.ALPHA)[0], rtol=1e-4, atol=1e-4)

    down = shake(NewParts(CONFIG, "adapter", 4, 3))
    p = {name: w.detach().numpy() for name, w in down.adapters[1].items()}
    got = down.adapt(1, torch.from_numpy(x)).detach()
    np.testing.assert_allclose(got, adapter(x, **p)[0], rtol=1e-4, atol=1e-5)

    prefix = shake(NewParts(CONFIG, "prefix", 4, 3))
    q, k, v = rng.standard_normal((3, 2, 2, 5, 8)).astype(np.float32)
    see = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], bool)[:, None, None]
    mask = np.where(see, 0.0, -np.inf).astype(np.float32)
    pk, pv = (prefix.prefix[name].detach().numpy() for name in ("pk", "pv"))
    got = prefix.attention(*map(torch.from_numpy, (q, k, v, see))).detach()
    np.testing.assert_allclose(got, prefix_attention(q, k, v, pk, pv, mask)[0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_no_tensor_is_left_on_the_cpu(method):
    """On "meta", a device that is not the CPU: a mix with CPU tensors raises."""
    model = make(method, device="meta")
    ids = torch.zeros(3, 7, dtype=torch.long, device="meta")
    model(ids, ids + 1).sum().backward()
    assert {w.device.type for w in model.parameters()} == {"meta"}


def test_lower_blocks_get_smaller_learning_rates():
    groups = make("full").parameter_groups(lr=0.1, head_lr=1.0, decay=0.5)
    assert [group["lr"] for group in groups] == pytest.approx([0.025, 0.05, 0.1, 1.0])
    groups = make("lora").parameter_groups(lr=0.1, head_lr=1.0)
    assert [group["lr"] for group in groups] == [0.1, 1.0]


def test_an_unknown_method_is_named():
    with pytest.raises(ValueError, match="'magic' is not a method; choose from frozen, head"):
        make("magic")


# --------------------------------------------------------------------------------------------------- training


@pytest.mark.parametrize("method", TRAINED)
def test_it_learns(method, small):
    model = make(method)
    start = {name: w.clone() for name, w in model.state_dict().items()}
    settings = {"epochs": 8, "lr": 1e-2, "head_lr": 1e-2, "batch_size": 8, "patience": 8}
    history = ft.fit(model, reviews(240), reviews(60, seed=1), **settings)
    assert history[-1]["loss"] < history[0]["loss"]
    assert max(row["val_accuracy"] for row in history) > (0.6 if method in ("head", "prefix") else 0.8)
    kept = {name for name, w in model.state_dict().items() if torch.equal(w, start[name])}
    frozen = {name for name, w in model.named_parameters() if not w.requires_grad}
    assert frozen <= kept and len(kept) < len(start)


def test_a_run_repeats(small):
    parts = {"train": reviews(40), "val": reviews(20, 1), "test": reviews(20, 2)}
    first, again, other = (ft.finetune("lora", seed=seed, epochs=1, **parts) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first["positive"], again["positive"])
    assert not np.array_equal(first["positive"], other["positive"])
    assert first["trainable"] == first["model"].trainable()
    low, high = first["interval"]
    assert low <= first["accuracy"] <= high


def test_it_stops_early_and_keeps_the_best_epoch(small, monkeypatch):
    scores = iter([0.6, 0.8, 0.7, 0.5, 0.9])
    weights, model = [], make("full")

    def judge(positive, labels):
        weights.append(model.w.detach().clone())
        return {"accuracy": next(scores)}

    monkeypatch.setattr(ft, "evaluate", judge)
    history = ft.fit(model, reviews(40), reviews(10), epochs=9, patience=2)
    assert [row["val_accuracy"] for row in history] == [0.6, 0.8, 0.7, 0.5]
    assert torch.equal(model.w, weights[1])


def test_the_bootstrap_knows_how_sure_one_can_be():
    right = np.arange(1000) % 5 > 0
    low, high = ft.bootstrap_interval(right)
    assert low == pytest.approx(0.8 - 0.0248, abs=0.004) and high == pytest.approx(0.8 + 0.0248, abs=0.004)
    assert ft.bootstrap_interval(np.ones(50, bool)) == (1.0, 1.0)


# ------------------------------------------------------------------------------------- several tasks, vectors


def test_two_tasks_share_a_body(small):
    parts = [(reviews(60, s), reviews(20, s + 1), reviews(20, s + 2)) for s in (0, 10)]
    parts[1] = tuple([(text, 1 - label) for text, label in rows] for rows in parts[1])  # the opposite task
    result = multitask(parts=parts)
    assert {"reviews", "tweets", "cpu_seconds"} <= result.keys()
    model, _ = train_together([part[0] for part in parts], lr=5e-3, head_lr=1e-2)
    assert model.w[0].abs().sum() > 0 and model.w[1].abs().sum() > 0
    assert torch.equal(model.body.w, torch.zeros_like(model.body.w))
    assert len(accuracies(model, [part[2] for part in parts])) == 2


def test_forgetting_compares_before_and_after(small):
    parts = [(reviews(40, s), reviews(10, s + 1), reviews(20, s + 2)) for s in (0, 10)]
    model = make("full")
    ft.fit(model, parts[0][0], parts[0][1], epochs=3, lr=5e-3, head_lr=1e-2, patience=3)
    opposite = tuple([(text, 1 - label) for text, label in rows] for rows in parts[1])
    result = forgetting(model, (parts[0], opposite), lr=1e-2)
    assert result["tweets_after"] >= result["tweets_before"]
    assert result["reviews_after"] <= result["reviews_before"]


def test_a_task_may_be_read_twice_and_count_half(small):
    tasks, seen = [reviews(64), reviews(32, 1)], []
    settings = {"passes": [2, 1], "progress": lambda step, steps, loss: seen.append((step, steps))}
    model, _ = train_together(tasks, **settings)
    assert seen[-1] == (5, 5)  # 2 * 64 + 32 texts in batches of 32
    none, _ = train_together(tasks, weights=[1.0, 0.0])
    assert none.w[0].abs().sum() > 0 and none.w[1].abs().sum() == 0
    low, _ = train_together(tasks, bfloat16=True, passes=[2, 1])
    assert low.w[0].dtype == torch.float32 and not torch.equal(low.w[0], model.w[0])
    torch.testing.assert_close(low.w[0], model.w[0], atol=2e-3, rtol=0.5)


def test_a_network_and_counted_words_vote(small, monkeypatch):
    rated = [(text, 3.0 * label - 1.5) for text, label in reviews(400)]
    parts = rated[:300], rated[300:350], rated[350:]
    monkeypatch.setattr(finetuning_data.datasets, "tweets", lambda: [*rated[:340], ("neither", 0.0)])
    seen = []
    model, seconds = train_blend(
        passes=2, sources=("tweets",), parts=parts, progress=lambda step, steps, loss: seen.append(steps)
    )
    held = {text for text, _ in (*parts[1], *parts[2])}
    tweets = {clean(text) for text, _ in rated[:340]} - held
    assert seen[-1] == 2 * 10 + -(-len(tweets) // 32) and seconds > 0
    texts = [text for text, _ in parts[2]]
    logit, rating = model.both(texts)
    np.testing.assert_allclose(model.positive(texts), 1 / (1 + np.exp(-logit - RIDGE_WEIGHT * rating)))
    right = (model.positive(texts) > 0.5) == (np.array([rating for _, rating in parts[2]]) > 0)
    assert right.mean() > 0.9


def test_features_are_worked_out_once(monkeypatch, tmp_path):
    from fmkit.runs.finetuning import vectors as sv

    calls = []
    monkeypatch.setattr(sv.assets, "home", lambda: tmp_path)
    monkeypatch.setattr(sv, "make_model", make)
    monkeypatch.setattr(sv, "encode", lambda texts: calls.append(1) or [[2, 5, 3]] * len(texts))
    first = ft.features(["good", "bad"])
    np.testing.assert_array_equal(first, ft.features(["good", "bad"]))
    assert len(calls) == 1 and first.shape == (2, 16)
    ft.features(["bad", "good"])
    assert len(calls) == 2  # other texts, another file


def test_features_do_without_a_cache_that_cannot_be_written(monkeypatch, tmp_path):
    from fmkit.runs.finetuning import vectors as sv

    (tmp_path / "file").touch()  # root may write into any folder, but not into a file
    monkeypatch.setattr(sv.assets, "home", lambda: tmp_path / "file")
    monkeypatch.setattr(sv, "make_model", make)
    monkeypatch.setattr(sv, "encode", lambda texts: [[2, 5, 3]] * len(texts))
    assert ft.features(["good", "bad"]).shape == (2, 16)


# ----------------------------------------------------------------------------------------------- Hugging Face


@pytest.mark.parametrize("method", ["head", "last2", "full", "lora"])
def test_hugging_face_gives_the_same_predictions(method, tmp_path, small):
    transformers = pytest.importorskip("transformers")
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES))
    model = shake(make(method), by=0.1)
    ft.save(model, tmp_path / "out", transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")))
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {p.name for p in tmp_path.glob("out/*")}

    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").eval()
    cut = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    texts = [text for text, _ in reviews(9)]
    with torch.no_grad():
        logits = theirs(**cut(texts, padding=True, return_tensors="pt")).logits
        ours = model(*finetuning_data.make_batch(ft.encode(texts)))
    assert ours.std(0).min() > 0.01  # not all the same
    np.testing.assert_allclose(logits, ours, atol=1e-5)
    np.testing.assert_allclose(logits.softmax(-1)[:, 1], ft.predict(model, ft.encode(texts)), atol=1e-5)
    assert theirs.config.id2label == {0: "negative", 1: "positive"}


def test_a_model_that_was_there_stays_whole_when_saving_is_stopped(tmp_path, small):
    transformers = pytest.importorskip("transformers")
    (tmp_path / "vocab.txt").write_text("\n".join(PIECES))
    tokenizer = transformers.BertTokenizerFast(str(tmp_path / "vocab.txt"))
    out = tmp_path / "out"
    ft.save(make("full"), out, tokenizer)
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def stop(folder):
        raise KeyboardInterrupt

    tokenizer.save_pretrained = stop
    with pytest.raises(KeyboardInterrupt):
        ft.save(shake(make("full"), by=0.1), out, tokenizer)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_merged_lora_equals_unmerged():
    lora, ids_mask = shake(make("lora"), by=0.1), batch()
    plain = Classifier(lora.merged(), CONFIG, "frozen")
    assert not plain.new[0].lora
    with torch.no_grad():
        plain.w[:], plain.b[:] = lora.w, lora.b
        np.testing.assert_allclose(plain(*ids_mask), lora(*ids_mask), atol=1e-5)
        assert (lora(*ids_mask) - make("frozen")(*ids_mask)).abs().max() > 0.01


@pytest.mark.parametrize("method", ["adapter", "prefix"])
def test_what_a_plain_bert_cannot_hold_is_refused(method, tmp_path):
    with pytest.raises(ValueError, match="no place"):
        ft.save(make(method), tmp_path)
    assert not list(tmp_path.iterdir())


# ------------------------------------------------------------------------------------------- shipped results


def test_the_shipped_results_follow_from_the_shipped_probabilities():
    try:
        labels = np.array([label for _, label in ft.splits()[2]])
    except AssetError as error:
        pytest.skip(str(error))
    found = ft.results()
    assert found["sizes"] == [8453, 1057, 1056]
    assert {run["method"] for run in found["runs"]} >= {*METHODS, "vader", "tfidf", "lstm", "lstm_padded"}
    for run in found["runs"]:
        again = ft.evaluate(np.array(run["positive"]), labels)
        close = {"abs": 0.003}  # the probabilities are rounded: one or two may have crossed 0.5
        assert run["accuracy"] == pytest.approx(again["accuracy"], **close)
        assert run["macro_f1"] == pytest.approx(again["macro_f1"], **close)
        assert run["interval"] == pytest.approx(again["interval"], **close)
