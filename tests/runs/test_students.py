"""Students: they begin as the teacher's blocks, pay what the reference says, and learn."""

import numpy as np
import pytest
import torch

from fmkit.bert import BertConfig, init_bert
from fmkit.distillation import distillation_loss
from fmkit.lab.workbench import smaller
from fmkit.losses import cross_entropy
from fmkit.runs.finetuning import students

CONFIG = BertConfig(vocab_size=11, block_size=8, n_layers=4, n_heads=2, d_model=8, d_ff=16)


@pytest.fixture
def params():
    rng = np.random.default_rng(0)
    made = init_bert(rng, CONFIG, n_classes=2)
    return smaller.changed(made, lambda i, name, w: w + rng.normal(0, 0.3, w.shape).astype(np.float32))


def texts(n):
    rng = np.random.default_rng(1)
    return [[1, *rng.integers(3, 11, rng.integers(1, 6)).tolist(), 2] for _ in range(n)]


def test_a_student_begins_as_these_blocks(params):
    ids, few = texts(5), smaller.fewer_blocks(params, (0, 3))
    model = students.student(params, CONFIG, (0, 3)).merged()
    ours, theirs = (smaller.vectors(each, ids, CONFIG) for each in (model, few))
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert not model["classifier"]["w"].any(), "every class is as likely at first"


@pytest.mark.parametrize("taught", [False, True])
def test_it_pays_what_the_reference_says(params, taught):
    rng, ids = np.random.default_rng(2), texts(6)
    model, labels = students.student(params, CONFIG, (1, 2)), rng.integers(0, 2, 6)
    model.w.data += torch.from_numpy(rng.normal(size=(8, 2)).astype(np.float32))
    teacher = 2.0 * rng.normal(size=(6, 2)) if taught else None
    said = smaller.logits(model.merged(), ids, CONFIG)
    wanted = distillation_loss(said, teacher, labels, 3.0, 0.7) if taught else cross_entropy(said, labels)
    paid = students.learn_answers(model, ids, labels, teacher, 3.0, 0.7, epochs=1, lr=0.0)
    assert paid == pytest.approx(float(wanted[0]), rel=1e-5)


def test_it_learns_the_same_with_the_same_seed_and_leaves_the_words_alone(params):
    ids = texts(24)
    scores = smaller.logits(params, ids, CONFIG)

    def learned(seed, teacher, epochs=12):
        model = students.student(params, CONFIG, (0, 3))
        settings = {"epochs": epochs, "lr": 0.01, "seed": seed, "batch_size": 8}
        return students.learn_answers(model, ids, scores.argmax(1), teacher, **settings), model.merged()

    for teacher in (None, scores):
        (cost, model), (_, again), (_, other) = (learned(seed, teacher) for seed in (0, 0, 1))
        assert cost < learned(0, teacher, epochs=1)[0]
        ours, theirs, others = (smaller.logits(m, ids, CONFIG) for m in (model, again, other))
        np.testing.assert_array_equal(ours, theirs)
        assert np.abs(ours - others).max() > 1e-4
        np.testing.assert_array_equal(model["wte"], params["wte"])
