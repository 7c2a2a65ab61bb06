"""Verdicts on whether two runs or studies differ in one measure, in numbers and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import numpy as np

from evonet.inspection.phrases import number
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
Measure: TypeAlias = Literal["test score", "evaluations to success"]


@dataclass(frozen=True)
class Verdict:
    """The difference between two runs or studies in one measure.

    Attributes:
        measure: the measure.
        first: name of the first run or study.
        second: name of the second run or study.
        values: number of values of the first and of the second.
        medians: median of the first and of the second; None if the median run was not solved, or failed.
        difference: statistic of the first minus that of the second; the statistic is the interquartile mean of a
            study's test scores, the mean of a run's returns, or the median of the evaluations of solved runs.
        interval: 95 % bootstrap interval of the difference.
        superiority: share of pairs in which the first is better, ties counted half (Vargha and Delaney's A).
        p: p-value of the two-sided Mann-Whitney test.
        p_adjusted: p-value after Holm's correction for all pairs that are compared in this measure.
        better: name of the better run or study; None if the difference is not significant.
        words: the verdict as a sentence.
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


def compare_evaluations(name: str, other: str, spent: FloatArray, other_spent: FloatArray) -> Verdict:
    """The verdict on evaluations to success: fewer are better, and infinity, for no success, is worst."""
    verdict = _verdict("evaluations to success", name, other, -spent, -other_spent, None)
    first, second = (each[np.isfinite(each)] for each in (spent, other_spent))
    if not (first.size and second.size):
        return verdict
    difference = difference_of(median)
    interval = bootstrap_interval(difference, first, second)
    return replace(verdict, difference=float(difference(first, second)), interval=interval)


def compare_scores(name: str, other: str, first: FloatArray, second: FloatArray, statistic: Statistic) -> Verdict:
    """The verdict on test scores, summarised by `statistic`: higher is better, and -inf, for a failure, is worst."""
    finite = bool(np.isfinite(first).all() and np.isfinite(second).all())
    return _verdict("test score", name, other, first, second, statistic if finite else None)


def _verdict(
    measure: Measure, name: str, other: str, first: FloatArray, second: FloatArray, statistic: Statistic | None
) -> Verdict:
    """The verdict on values of which higher ones are better; `adjust_for_pairs` adds the sentence."""
    p = mann_whitney(first, second).p
    # Evaluations are negated, because fewer are better; their medians are given without the sign.
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


def adjust_for_pairs(verdicts: Sequence[Verdict], values: str) -> list[Verdict]:
    """The verdicts on all pairs in one measure, with p-values adjusted for the number of pairs, and with sentences.

    Args:
        verdicts: verdicts on the single pairs, not adjusted.
        values: name of the compared values, "seeds" or "episodes".
    """
    adjusted = holm([verdict.p for verdict in verdicts])
    adjusted_verdicts = []
    for verdict, p in zip(verdicts, adjusted, strict=True):
        better = None
        if p < SIGNIFICANCE and verdict.superiority != 0.5:
            better = verdict.first if verdict.superiority > 0.5 else verdict.second
        found = replace(verdict, p_adjusted=p, better=better)
        adjusted_verdicts.append(replace(found, words=_in_words(found, len(verdicts), values)))
    return adjusted_verdicts


def p_value(p: float) -> str:
    """A p-value as text, for example `= 0.032`, `< 0.0001` or `= 1`; a p that rounds to 1 is `> 0.99`."""
    if p < 0.0001:
        return "< 0.0001"
    return f"= {p:.2g}" if p < 0.995 else "> 0.99"


def _in_words(verdict: Verdict, pairs: int, values: str) -> str:
    names, medians, share = [verdict.first, verdict.second], list(verdict.medians), verdict.superiority
    if share < 0.5:
        names, medians, share = names[::-1], medians[::-1], 1 - share
    evaluations = verdict.measure == "evaluations to success"
    if verdict.better is not None:
        claim = f"{names[0]} {'needs fewer evaluations' if evaluations else 'scores higher'} than {names[1]}"
    else:
        claim = f"no significant difference in {verdict.measure}: {names[0]} vs {names[1]}"
    absent = "not solved" if evaluations else "failed"
    first, second = (absent if value is None else number(value, 4) for value in medians)
    p = f"p {p_value(verdict.p_adjusted)}"
    p += " after Holm's correction" if pairs > 1 else ""
    text = f"{claim} (median {first} against {second}; {p}; {names[0]} is ahead in {100 * share:.0f} % of pairs)"
    least = min(1.0, pairs * least_p(*verdict.values))
    if least >= SIGNIFICANCE:
        text += (
            f"; with {verdict.values[0]} and {verdict.values[1]} {values} no difference can be significant: run more"
        )
    return text
