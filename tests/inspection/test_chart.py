"""Curves drawn with characters."""

import pytest

from evonet.inspection.chart import chart


def rows(text):
    """The drawing's rows without their labels."""
    return [line.partition("|")[2] for line in text.splitlines() if "|" in line]


def test_a_rising_curve_rises_and_the_axes_show_its_range():
    text = chart({"best": [0.0, 1.0, 2.0, 3.0]}, height=4)
    assert rows(text) == ["   *", "  *", " *", "*"]
    lines = text.splitlines()
    assert lines[0].split("|")[0].strip() == "3"
    assert lines[3].split("|")[0].strip() == "0"
    assert lines[-2].split() == ["0", "3"]
    assert lines[-1].strip() == "* best"


def test_the_first_curve_lies_on_top_and_each_has_its_mark():
    text = chart({"a": [0.0, 2.0], "b": [0.0, 1.0], "c": [0.0, 0.0]}, height=3)
    assert rows(text) == [" *", " +", "*."]
    assert text.splitlines()[-1].strip() == "* a   + b   . c"


def test_missing_values_leave_gaps():
    assert rows(chart({"a": [None, 1.0, None, 2.0]}, height=2)) == ["   *", " *"]


@pytest.mark.parametrize("values", [[None, None], []])
def test_without_values_it_says_so(values):
    assert chart({"a": values}) == "  (no values)"


def test_equal_values_make_a_flat_line_not_a_division_by_zero():
    drawn = rows(chart({"a": [7.0] * 5}, height=5))
    assert sorted(drawn) == ["", "", "", "", "*****"]


def test_one_value_is_a_point():
    assert [row for row in rows(chart({"a": [3.0]})) if row] == ["*"]


def test_long_curves_fit_the_width_and_keep_their_ends():
    text = chart({"a": [float(i) for i in range(1000)]}, width=40, height=5)
    assert max(map(len, rows(text))) == 40
    assert rows(text)[0][-1] == "*"
    assert rows(text)[-1][0] == "*"
    assert text.splitlines()[-2].split() == ["0", "999"]


def test_huge_numbers_are_drawn_too():
    assert len(rows(chart({"a": [-1e300, 1e300]}))) == 12
