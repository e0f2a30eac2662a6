"""`Exercise` and `Mistake` are plain frozen data."""

import dataclasses

import pytest
from helpers.samples import CENTER

from fmkit.lab.judging.exercise import Exercise, Mistake


def test_defaults():
    assert CENTER.tolerance == 1e-5
    assert CENTER.allowed == ("numpy",)


def test_an_exercise_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CENTER.points = 100


def test_fields_are_those_that_chapters_are_written_against():
    fields = [f.name for f in dataclasses.fields(Exercise)]
    assert fields == [
        "title",
        "reference",
        "cases",
        "alternatives",
        "mistakes",
        "hints",
        "points",
        "minutes",
        "difficulty",
        "tolerance",
        "equal",
        "teaches",
        "parts",
        "attack",
        "allowed",
        "id",
        "chapter",
        "recorded",
    ]
    assert [f.name for f in dataclasses.fields(Mistake)] == ["name", "wrong", "hint"]
