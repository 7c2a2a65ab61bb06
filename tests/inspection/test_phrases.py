"""The words and numbers that accounts, reports and comparisons share."""

import math

import pytest

from evonet.inspection.phrases import counted, interval, listed, number, percent, score, shortened


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
