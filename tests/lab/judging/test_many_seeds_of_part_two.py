"""No check depends on the luck of a draw: part two. (A file for each part, so that they run side by side.)"""

import pytest
from helpers.proof import unproven

from fmkit.lab import exercises

PART = [exercise for exercise in exercises.every() if exercise.chapter >= "10"]


@pytest.mark.slow
@pytest.mark.parametrize("exercise", PART, ids=lambda e: e.id)
def test_sixty_draws(exercise):
    assert not unproven(exercise, range(60))
