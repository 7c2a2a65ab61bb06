"""The words and numbers that overviews, reports and comparisons share."""

import math

import pytest

from evonet.inspection.phrases import (
    counted,
    duration,
    interval,
    listed,
    number,
    percent,
    score,
    shortened,
    where_scored,
    with_minus,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (500.0, "500"),
        (-109.25, "-109.25"),
        (1234.5, "1,234.5"),
        (1947679.5, "1,947,680"),
        (12345678, "12,345,678"),
        (1e20, "1e+20"),
        (0.000012345, "1.2345e-05"),
        (-0.0, "0"),
        (None, "–"),
        (math.nan, "–"),
        (math.inf, "failed"),
        (-math.inf, "failed"),
    ],
)
def test_a_number_reads_as_a_person_writes_it(value, text):
    assert number(value) == text


def test_a_score_without_a_mean_has_failed():
    assert score(None) == "failed"
    assert score(-3.14159265) == "-3.14159"
    assert interval(None) == "failed to failed"
    assert interval((473.2, 491.0)) == "473.2 to 491"


def test_counts_shares_and_lists():
    assert counted(1, "episode") == "1 episode"
    assert counted(1000, "episode") == "1,000 episodes"
    assert percent(0.125, 1) == "12.5 %"
    assert [listed(words) for words in (["a"], ["a", "b"], ["a", "b", "c"])] == ["a", "a and b", "a, b and c"]


def test_a_long_or_unprintable_text_fits_one_line():
    assert shortened("x" * 30) == "x" * 23 + "…"
    assert shortened("a\x1b[2J\nb") == r"a\x1b[2J\nb"


def test_numbers_get_true_minus_signs_and_names_keep_their_hyphens():
    assert with_minus("-3 (-.5 to 2), [-1, 4]") == "−3 (−.5 to 2), [−1, 4]"
    for name in ("a-1", "runs/x-2026", "CartPole-v1", "x--1"):
        assert with_minus(name) == name


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.5284, "0.528 s"), (75.0, "75 s"), (720.0, "12 min"), (5400.0, "90 min"), (12240.0, "3.4 h")],
)
def test_a_time_has_the_unit_that_makes_it_short(seconds, text):
    assert duration(seconds) == text


LETTER = "x"
POLES = {"id": "evonet/DoublePole-v0", "kwargs": {"velocities": False}}


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({}, ""),
        ({"environment": None, "evaluation": None, "validation": None}, ""),
        ({"environment": POLES, "evaluation": {"engine": "auto"}, "validation": {"environment": None}}, ""),
        (
            {
                "environment": {**POLES, "kwargs": {"velocities": False, "damping": True}},
                "validation": {"environment": POLES},
            },
            (
                "Trained on evonet/DoublePole-v0 (velocities False and damping True); "
                "validated and tested on evonet/DoublePole-v0 (velocities False)."
            ),
        ),
        (
            {"environment": {"id": "Ant-v5"}, "evaluation": {"engine": "envpool"}},
            "Trained on Ant-v5, in EnvPool; validated and tested on Ant-v5, in Gymnasium.",
        ),
        (
            {"environment": {"id": "A"}, "evaluation": {"max_steps": 2000}},
            "Trained on A, in episodes of at most 2,000 steps; validated and tested on A.",
        ),
        (
            {"environment": {"id": "A"}, "evaluation": {"max_steps": {"schedule": "linear", "start": 9, "end": 2000}}},
            "Trained on A, in episodes of at most 9 steps at first, 2,000 later; validated and tested on A.",
        ),
        (
            {"environment": {"id": "A"}, "evaluation": {"max_steps": {"schedule": "own:Steps", "first": 9}}},
            "Trained on A, in episodes whose most steps follow a schedule; validated and tested on A.",
        ),
        (
            {"environment": {"id": "A", "max_steps": 9}, "validation": {"environment": {"id": "A"}}},
            "Trained on A (max_steps 9); validated and tested on A.",
        ),
        (
            {
                "environment": {"id": "A", "kwargs": {f"k{i}": 999 * LETTER for i in range(99)}},
                "validation": {"environment": {"id": "B"}},
            },
            (
                f"Trained on A ({', '.join(f'k{i} {20 * LETTER}…' for i in range(8))} and 91 more); "
                "validated and tested on B."
            ),
        ),
    ],
)
def test_where_a_run_was_scored_is_said_where_training_differs(settings, sentence):
    assert where_scored(settings) == sentence
