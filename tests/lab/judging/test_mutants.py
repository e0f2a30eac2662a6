"""One edit in a function: each is valid, another function, and told in words that complete "as if"."""

import numpy as np
import pytest

from fmkit.lab import exercises
from fmkit.lab.judging.mutants import mutants


def reference(x, w, limit):
    """Not code: a + b."""
    total = 0.0
    for i in range(len(x)):
        if x[i] > limit:
            total += x[i] * w[i]
    scale = np.sqrt(np.mean(x) ** 2) - 1
    return total / scale, x[1:].sum(axis=0)


FOUND = mutants(reference)
WORDS = {mutant.words for mutant in FOUND}


@pytest.mark.parametrize(
    "words",
    [
        "a comparison let its boundary in",
        "a comparison looked the other way",
        "a loop stopped one step too early",
        "a loop left out its first step",
        "a factor (with w) were left out",
        "a term (1) were left out",
        "a size of w stood where one of x belongs",
        "only the last of several were kept",
        "a square root were left out",
        "a mean were a sum",
        "a plus and a minus were exchanged",
        "a multiplication and a division were exchanged",
        "a slice began elsewhere",
        "it ran over all axes at once",
        "a case of its own were not thought of",
    ],
)
def test_the_usual_slips_are_made(words):
    assert words in WORDS


def test_what_goes_from_an_index_is_no_term_of_a_formula():
    def parts(x):
        h = len(x) // 3
        return [x[h + i] + x[h * i :].sum() * (h + i) for i in range(h)]

    words = [mutant.words for mutant in mutants(parts)]
    assert words.count("an index were another one") == 4  # two ways in each index
    assert words.count("a factor were left out") == 1 and words.count("a term were left out") == 2


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_each_is_another_function_and_the_original_stays():
    args = np.array([1.0, 2.0, 4.0]), np.array([0.5, -1.0, 2.0]), 1.5
    before = reference(*args)
    texts = [mutant.source for mutant in FOUND]
    assert len(set(texts)) > 0.9 * len(texts) > 50
    differ = 0
    for mutant in FOUND:
        try:
            after = mutant.fn(*args)
        except Exception:
            differ += 1
            continue
        differ += not all(np.array_equal(a, b) for a, b in zip(before, after, strict=False))
    assert differ > 0.8 * len(FOUND)
    assert reference(*args) == before and [mutant.source for mutant in FOUND] == texts


def test_the_vaguest_words_come_last():
    vague = [mutant.is_vague for mutant in FOUND]
    assert vague == sorted(vague) and any(vague) and not all(vague)


def test_the_edited_line_is_told():
    (mutant,) = [m for m in FOUND if m.words == "a comparison let its boundary in"]
    assert mutant.edited == "if x[i] >= limit:"


def test_of_every_exercise_there_are_some_and_they_compile():
    for exercise in exercises.every()[::9]:
        found = mutants(exercise.reference)
        assert len(found) >= 5, exercise.id
        assert all(callable(mutant.fn) for mutant in found)
