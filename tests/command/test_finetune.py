"""`fmkit finetune`: what it saves predicts the same in Hugging Face, and mistakes are one line."""

import csv

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from fmkit.command import finetune as command
from fmkit.command.cli import main
from fmkit.data.datasets import pretrained_path
from fmkit.errors import AssetError, FinetuneError
from fmkit.runs.bars import batches_bar
from fmkit.runs.finetuning import run as ft
from fmkit.runs.finetuning.data import read_csv

transformers = pytest.importorskip("transformers")
TEXTS = ["a good film", "a bad film", "good plot and a fine cast", "what an awful plot"]


def call(*words):
    return CliRunner().invoke(main, ["finetune", *map(str, words)])


def refused(*words):
    """The one line it was refused with."""
    done = call("--device", "cpu", *words)
    assert done.exit_code == 1 and done.output.startswith("Error: ") and done.output.count("\n") == 1
    return done.output


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "own.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["label", "text"])
        for i in range(40):
            writer.writerow([i % 2, f"{'good' if i % 2 else 'bad'}, film number {i}"])
    return path


@pytest.fixture
def tiny_hub(tmp_path):
    """A folder as on the hub: a DistilBERT with a head for five classes, and its tokenizer."""
    words = ["good", "bad", "film", "number", "a", "plot", ",", "and"]
    words += [f"{mark}{i}" for mark in ("", "##") for i in range(10)]
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]))
    config = transformers.DistilBertConfig(
        vocab_size=5 + len(words), dim=16, n_layers=2, n_heads=2, hidden_dim=24, num_labels=5
    )
    transformers.DistilBertForSequenceClassification(config).save_pretrained(tmp_path / "hub")
    transformers.BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "hub")
    return tmp_path / "hub"


def judge(folder, texts):
    """P(positive) by Hugging Face alone."""
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    cut = transformers.AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        logits = model(**cut(texts, padding=True, truncation=True, return_tensors="pt")).logits
    return logits.softmax(-1)[:, 1].numpy()


@pytest.mark.parametrize("method", ["lora", "head"])
def test_minilm_saved_and_loaded_predicts_the_same(method, texts, tmp_path):
    try:
        pretrained_path("minilm")
    except AssetError as error:
        pytest.skip(str(error))
    result = command.run(method, 1, 0, "cpu", tmp_path / "out", None, texts, say=lambda text: None)
    ours = ft.predict(result["model"], ft.encode(TEXTS))
    assert np.ptp(ours) > 1e-4
    np.testing.assert_allclose(judge(tmp_path / "out", TEXTS), ours, atol=1e-5)


@pytest.mark.parametrize("method", ["head", "full"])
def test_a_model_of_the_hub(method, tiny_hub, texts, tmp_path):
    words = ["--model", tiny_hub, "--method", method, "--csv", texts, "--device", "cpu"]
    done = call(*words, "--output", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "test accuracy" in done.output and "from_pretrained" in done.output
    before = transformers.AutoModel.from_pretrained(tiny_hub).state_dict()
    after = transformers.AutoModel.from_pretrained(tmp_path / "out").state_dict()
    same = [torch.equal(w, after[name]) for name, w in before.items()]
    assert all(same) if method == "head" else not all(same)
    assert judge(tmp_path / "out", TEXTS).shape == (4,)


def test_the_saved_model_of_the_hub_predicts_the_same(tiny_hub, texts, tmp_path):
    result = command.run("full", 2, 0, "cpu", tmp_path / "out", str(tiny_hub), texts, say=lambda text: None)
    test = read_csv(texts).test
    np.testing.assert_allclose(judge(tmp_path / "out", [t for t, _ in test]), result["positive"], atol=1e-5)


# -------------------------------------------------------------------------------------------------- refusals


def test_an_unknown_method():
    assert "'magic' is not a method; choose from frozen, head" in refused("--method", "magic")


@pytest.mark.parametrize("method", ["frozen", "adapter", "prefix"])
def test_what_cannot_be_saved(method, tmp_path):
    assert "Leave --output out" in refused("--method", method, "--output", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_method_that_needs_minilm():
    assert "the methods are head and full" in refused("--model", "some/model", "--method", "lora")


def test_files_that_go_with_another(texts):
    assert "go with --csv FILE" in refused("--test", texts)


def test_a_device_that_is_not_there(texts):
    done = call("--device", "abacus", "--csv", texts)
    assert done.exit_code == 1 and "device 'abacus' cannot be used" in done.output
    assert done.output.count("\n") == 1


def test_a_folder_that_cannot_be_written(tmp_path, texts):
    (tmp_path / "file").write_text("")
    assert "cannot write into" in refused("--output", tmp_path / "file" / "out", "--csv", texts)


def test_a_hub_model_without_a_network(texts):
    said = refused("--model", "nobody/no-such-model", "--csv", texts)
    assert "'nobody/no-such-model' could not be loaded" in said and "packaged MiniLM" in said


@pytest.mark.parametrize(
    "content, reason",
    [
        (None, "cannot read"),
        ("", "columns text and label"),
        ("sentence,label\ngood,1\n", "columns text and label"),
        ("sentence,label\ngood,1\n", "has the columns sentence, label"),
        ("text,label\ngood,1\nbad,\n", "row 3: needs a text and a label"),
        ("sep=;\ntext;label\ngood;1\n ;1\n", "row 4"),
        ("text,label\ngood\n", "row 2: has 1 cells, not 2"),
        ("text,label\ngood,1\nbad,0\n", "too few texts"),
        ("text,label\n" + "".join(f"the same,{i % 3}\n" for i in range(30)), "none is left for validation"),
        ("text,label\n" + "".join(f"film {i},1\n" for i in range(30)), "two different labels"),
        ("text,label\n" + "".join(f"film {i},{i / 7}\n" for i in range(30)), "30 labels for 24"),
        ("PK\x03\x04", "is a spreadsheet: save it as CSV"),
    ],
)
def test_a_table_that_does_not_fit(content, reason, tmp_path):
    if content is not None:
        (tmp_path / "own.csv").write_text(content)
    assert reason in refused("--csv", tmp_path / "own.csv")


def test_the_same_text_is_never_learned_and_tested(tmp_path):
    rows = [(f"film number {i}", "ab"[i % 2]) for i in range(20)]
    own = _table(tmp_path / "own.csv", [*rows, ("Both", "a"), ("Both", "a")])
    val = _table(tmp_path / "val.csv", [("both", "a"), ("Film  number 3", "b"), ("x", "A")])
    test = _table(tmp_path / "test.csv", [("both", "a"), ("film number 4", "a")])
    data = read_csv(own, val, test)
    assert [len(part) for part in (data.train, data.val, data.test)] == [18, 2, 2]
    assert {text for text, _ in data.train}.isdisjoint({"film number 3", "film number 4", "Both"})
    assert [label for _, label in data.val] == [1, 0]  # "A" is "a"
    assert data.notes[0] == f"3 texts of {own} are in another file, too: not learned from"
    assert data.notes[1:] == ("no test text has the label b: nothing is said of it",)
    only_test = read_csv(own, test=test)
    assert len(only_test.val) == 1 and len(only_test.test) == 2 and len(only_test.train) == 18
    with pytest.raises(FinetuneError, match="test.csv has the label 'c', and no training text has"):
        read_csv(own, test=_table(test, [("x", "c")]))
    with pytest.raises(FinetuneError, match="none is left for training, copies counted once"):
        read_csv(own, own)


def test_a_label_that_is_never_asked_is_said(tmp_path):
    own = _table(tmp_path / "own.csv", [(f"text number {i}", "abc"[i % 3]) for i in range(60)])
    val = _table(tmp_path / "val.csv", [("first", "a"), ("second", "B")])
    assert read_csv(own).notes == ()
    assert read_csv(own, val).notes == ("no validation text has the label c: nothing is said of it",)


def _table(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return path


@pytest.mark.parametrize(
    "labels, classes",
    [
        ("1.0 0.0", ("0", "1")),
        ("1 0 1.0 0,0", ("0", "1")),
        ("10 9 -1", ("-1", "9", "10")),
        ("sports Politics SPORTS weather", ("Politics", "sports", "weather")),
        ("2 sports", ("2", "sports")),
        ("是 否", ("否", "是")),
        ("1.5 1.50 2", ("1.5", "1.50", "2")),
    ],
)
def test_any_labels(tmp_path, labels, classes):
    labels = labels.split()
    rows = [(f"text number {i}", labels[i % len(labels)]) for i in range(60)]
    data = read_csv(_table(tmp_path / "own.csv", rows))
    assert data.classes == classes and [len(p) for p in (data.train, data.val, data.test)] == [48, 6, 6]
    folded = {text: label for text, label in rows}
    for text, number in data.train:
        said = folded[text].replace(",", ".")
        assert classes[number].casefold() in (said.casefold(), said.removesuffix(".0"))


@pytest.mark.parametrize("method", ["head", "full"])
def test_more_than_two_classes_on_a_model_of_the_hub(method, tiny_hub, tmp_path):
    kinds = [("good", "yes"), ("bad", "no"), ("film", "perhaps")]
    rows = [(f"{word} number {i}", label) for i in range(20) for word, label in kinds]
    own = _table(tmp_path / "own.csv", rows)
    said = []
    result = command.run(method, 2, 0, "cpu", tmp_path / "out", str(tiny_hub), own, say=said.append)
    assert "3 labels: no, perhaps, yes" in said
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").eval()
    assert model.config.id2label == {0: "no", 1: "perhaps", 2: "yes"}
    cut = transformers.AutoTokenizer.from_pretrained(tmp_path / "out")
    texts = [text for text, _ in read_csv(own).test]
    with torch.no_grad():
        probs = model(**cut(texts, padding=True, return_tensors="pt")).logits.double().softmax(-1).numpy()
    np.testing.assert_allclose(result["positive"], probs, atol=1e-5)


@pytest.mark.parametrize("method", ["frozen", "head"])
def test_more_than_two_classes_on_minilm(method, tmp_path):
    try:
        pretrained_path("minilm")
    except AssetError as error:
        pytest.skip(str(error))
    kinds = {"sports": "the team won match", "weather": "rain and wind on", "cooking": "bake the cake"}
    rows = [(f"{words} {i}", kind) for kind, words in kinds.items() for i in range(20)]
    out = tmp_path / "out" if method == "head" else None
    own = _table(tmp_path / "own.csv", rows)
    result = command.run(method, 3, 0, "cpu", out, None, own, say=lambda text: None)
    assert result["positive"].shape == (6, 3) and result["accuracy"] == 1.0
    if out:
        model = transformers.AutoModelForSequenceClassification.from_pretrained(out)
        assert model.config.id2label == {0: "cooking", 1: "sports", 2: "weather"}


def test_a_model_is_never_written_over_silently(tiny_hub, texts, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "model.safetensors").write_text("weeks of work")
    words = ["--model", tiny_hub, "--method", "head", "--csv", texts, "--output", out]
    assert "out is not empty: name another, or write over what is there with --force" in refused(*words)
    assert (out / "model.safetensors").read_text() == "weeks of work"
    assert call("--device", "cpu", *words, "--force").exit_code == 0
    assert judge(out, TEXTS).shape == (4,)


def test_a_small_test_set_is_called_small():
    result = {"method": "lora", "epochs": 2, "trainable": 12345, "cpu_seconds": 9.4, "val_accuracy": 0.851,
              "accuracy": 1.0, "interval": (1.0, 1.0), "macro_f1": 1.0}  # fmt: skip
    said = command.table(result, 3)  # three of three: in 2.5 % of tests even if the accuracy is 29 %
    assert "100.0%  (95 %: 29.2% to 100.0%)" in said
    assert said.endswith("With 3 test texts the accuracy is known to 71% only: test on more (--test FILE)")
    assert "test on more" not in command.table(result, 1000)
    assert command.interval(result | {"accuracy": 0.0}, 3) == pytest.approx((0, 0.7076), abs=1e-4)


def test_the_bar_and_the_table(capsys):
    with batches_bar() as show:
        show(1, 10, 0.5)
        show(10, 10, 0.25)
    said = capsys.readouterr().err
    assert "10/10" in said and "0.25" in said
    result = {"method": "lora", "epochs": 2, "trainable": 12345, "cpu_seconds": 9.4, "val_accuracy": 0.851,
              "accuracy": 0.8, "interval": (0.75, 0.85), "macro_f1": 0.79}  # fmt: skip
    printed = command.table(result, 200)
    assert "12,345" in printed and "80.0%  (95 %: 75.0% to 85.0%)" in printed
    assert len({line[26] != " " for line in printed.splitlines()}) == 1
