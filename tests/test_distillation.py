"""The two ends of the mix, the factor T squared, and the table of words. (The gradient: the crosscheck.)"""

import inspect

import numpy as np
import pytest

from fmkit.distillation import distillation_loss, distillation_loss_backward, word_table
from fmkit.losses import cross_entropy


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(5, 4)), rng.normal(size=(5, 4)), np.array([0, 3, 1, 1, 2])


def test_without_the_teacher_it_is_cross_entropy(batch):
    student, teacher, targets = batch
    assert distillation_loss(student, teacher, targets, 3.0, 0.0)[0] == cross_entropy(student, targets)[0]


def test_a_student_like_its_teacher_pays_nothing(batch):
    student, _, targets = batch
    loss, cache = distillation_loss(student, student + 7.0, targets, 2.0, 1.0)
    assert abs(loss) < 1e-12
    np.testing.assert_allclose(distillation_loss_backward(1.0, cache), 0.0, atol=1e-12)


def test_the_slopes_keep_their_size_at_any_temperature(batch):
    student, teacher, targets = batch
    sizes = []
    for temperature in (10.0, 100.0, 1000.0):
        cache = distillation_loss(student, teacher, targets, temperature, 1.0)[1]
        sizes.append(np.linalg.norm(distillation_loss_backward(1.0, cache)))
    assert max(sizes) < 1.2 * min(sizes)


def test_at_a_high_temperature_logits_are_compared(batch):
    """Hinton et al. (2015), equation 4: the slope becomes the difference of centred logits over V."""
    student, teacher, targets = batch
    cache = distillation_loss(student, teacher, targets, 1e4, 1.0)[1]
    centred = (student - student.mean(1, keepdims=True)) - (teacher - teacher.mean(1, keepdims=True))
    np.testing.assert_allclose(distillation_loss_backward(5.0, cache), centred / 4, atol=1e-3)


def test_the_teacher_must_fit(batch):
    student, teacher, targets = batch
    with pytest.raises(ValueError, match="teacher: expected"):
        inspect.unwrap(distillation_loss)(student, teacher[:, :3], targets)
    with pytest.raises(ValueError, match="temperature: expected"):
        distillation_loss(student, teacher, targets, 0.0)


def test_a_table_of_all_directions_keeps_all_distances():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(30, 6))
    table = word_table(vectors, np.ones(30, int), 6, smooth=1e9)  # all weights 1
    pairs = np.linalg.norm(vectors[:, None] - vectors, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(table[:, None] - table, axis=-1), pairs, atol=1e-6)


def test_frequent_words_weigh_less():
    vectors = np.random.default_rng(2).normal(size=(10, 4))
    counts = np.array([0, 1, 10, 100, 1000, 5, 5, 5, 5, 5])
    even, weighed = (word_table(vectors, counts, 4, smooth) for smooth in (1e9, 1e-2))
    ratio = np.linalg.norm(weighed, axis=1) / np.linalg.norm(even, axis=1)
    share = counts / counts.sum()
    np.testing.assert_allclose(ratio, 0.01 / (0.01 + share), rtol=1e-5)
