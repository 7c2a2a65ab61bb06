"""What can be said of two runs or studies by one measure, in numbers and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evonet.statistics import (
    Interval,
    Statistic,
    bootstrap_interval,
    difference_of,
    holm,
    least_p,
    mann_whitney,
    median,
    superiority,
)
from evonet.types import FloatArray

SIGNIFICANCE = 0.05
Measure = Literal["test score", "evaluations to success"]


@dataclass(frozen=True)
class Verdict:
    """What can be said of two of them by one measure.

    Attributes:
        measure: what is compared.
        first: name of one.
        second: name of the other.
        values: how many there are of each.
        medians: of each; None where the median run was not solved, or failed.
        difference: first less second: of the interquartile means of studies' test scores, of the means of two runs'
            returns, of the medians of evaluations among the runs that were solved.
        interval: 95 % bootstrap interval of that.
        superiority: share of pairs in which the first is the better one, ties counted half (Vargha and Delaney's A).
        p: of the two-sided Mann-Whitney test.
        p_adjusted: by Holm's correction for all pairs that are compared by this measure.
        better: name of the better one, None if no difference can be told.
        words: all that as a sentence.
    """

    measure: Measure
    first: str
    second: str
    values: tuple[int, int]
    medians: tuple[float | None, float | None]
    difference: float | None
    interval: Interval | None
    superiority: float
    p: float
    p_adjusted: float
    better: str | None = None
    words: str = ""


def on_evaluations(name: str, other: str, spent: FloatArray, other_spent: FloatArray) -> Verdict:
    """By evaluations to success, of which fewer are better and infinitely many, no success, are worst."""
    verdict = _verdict("evaluations to success", name, other, -spent, -other_spent, None)
    first, second = (each[np.isfinite(each)] for each in (spent, other_spent))
    if not (first.size and second.size):
        return verdict
    difference = difference_of(median)
    interval = bootstrap_interval(difference, first, second)
    return replace(verdict, difference=float(difference(first, second)), interval=interval)


def on_scores(name: str, other: str, first: FloatArray, second: FloatArray, statistic: Statistic) -> Verdict:
    """By test scores, of which higher ones are better and -inf, a failure, is worst; summed up by `statistic`."""
    finite = bool(np.isfinite(first).all() and np.isfinite(second).all())
    return _verdict("test score", name, other, first, second, statistic if finite else None)


def _verdict(
    measure: Measure, name: str, other: str, first: FloatArray, second: FloatArray, statistic: Statistic | None
) -> Verdict:
    """A verdict on values of which higher ones are better, before it is put in words."""
    p = mann_whitney(first, second).p
    medians = [abs(value) if measure != "test score" else value for value in (median(first), median(second))]
    difference = None if statistic is None else difference_of(statistic)
    return Verdict(
        measure=measure,
        first=name,
        second=other,
        values=(len(first), len(second)),
        medians=tuple(float(value) if np.isfinite(value) else None for value in medians),  # type: ignore[arg-type]
        difference=None if difference is None else float(difference(first, second)),
        interval=None if difference is None else bootstrap_interval(difference, first, second),
        superiority=superiority(first, second),
        p=p,
        p_adjusted=p,
    )


def settled(verdicts: Sequence[Verdict], values: str) -> list[Verdict]:
    """The verdicts on all pairs by one measure, corrected for their number and put in words.

    Args:
        verdicts: as they are without the others.
        values: what is compared, "seeds" or "episodes".
    """
    adjusted = holm([verdict.p for verdict in verdicts])
    settled = []
    for verdict, p in zip(verdicts, adjusted, strict=True):
        better = None
        if p < SIGNIFICANCE and verdict.superiority != 0.5:
            better = verdict.first if verdict.superiority > 0.5 else verdict.second
        found = replace(verdict, p_adjusted=p, better=better)
        settled.append(replace(found, words=_in_words(found, len(verdicts), values)))
    return settled


def _in_words(verdict: Verdict, pairs: int, values: str) -> str:
    names, medians, share = [verdict.first, verdict.second], list(verdict.medians), verdict.superiority
    if share < 0.5:
        names, medians, share = names[::-1], medians[::-1], 1 - share
    evaluations = verdict.measure == "evaluations to success"
    if verdict.better is not None:
        claim = f"{names[0]} {'needs fewer evaluations' if evaluations else 'scores higher'} than {names[1]}"
    else:
        what = "in evaluations to success" if evaluations else "in test scores"
        claim = f"no difference {what} can be told between {names[0]} and {names[1]}"
    absent = "not solved" if evaluations else "failed"
    first, second = (absent if value is None else f"{value:.6g}" for value in medians)
    p = f"p = {verdict.p_adjusted:.2g}" if verdict.p_adjusted >= 0.0001 else "p < 0.0001"
    p += " after Holm's correction" if pairs > 1 else ""
    text = f"{claim} (median {first} against {second}; {p}; {names[0]} is ahead in {100 * share:.0f} % of pairs)"
    least = min(1.0, pairs * least_p(*verdict.values))
    if least >= SIGNIFICANCE:
        text += f"; with {verdict.values[0]} and {verdict.values[1]} {values} none ever could be: run more"
    return text
