"""Measures in a kernel: running sums and extremes, as source that NumPy runs over lanes and Numba compiles.

A measure keeps up to three numbers of an episode, its *rows*: what it takes of the steps that count, their number where
not all count, and what it takes of all steps. `evonet.evaluation.measuring` has the rules; the operations and their
order are the same here, and so are the bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from evonet.environments.known.arithmetic import where
from evonet.measures import Condition, Measure, Measures, Take
from evonet.types import FloatArray, IntArray

_STARTS: Mapping[Take, float] = {"min": math.inf, "max": -math.inf}
_AVERAGES = ("mean", "share")


def unmeasurable(measures: Measures, infos: Sequence[str]) -> str | None:
    """The first measure that a kernel with these infos cannot take; None if it can take all.

    A function of the user's own reads what only the environment returns, and an info with an index may be an array.
    """
    for name, measure in measures:
        parts = (measure, measure.when) if measure.when is not None else (measure,)
        unknown = [part for part in parts if part.of == "info" and (part.key not in infos or part.index is not None)]
        if measure.function is not None or unknown:
            return name
    return None


@dataclass(frozen=True)
class _Rows:
    """The rows of one measure.

    Attributes:
        taken: row of what is taken of the steps that count.
        count: row of their number; None if all count.
        whole: row of what is taken of all steps; None if nothing is.
    """

    taken: int
    count: int | None
    whole: int | None


@dataclass(frozen=True)
class KernelMeasures:
    """The measures of a task that a kernel runs.

    Attributes:
        measures: names and settings.
        inputs: how many numbers an observation has.
        actions: how many numbers an action has.
        infos: keys of the infos that the kernel has, in its order.
    """

    measures: Measures
    inputs: int
    actions: int
    infos: Sequence[str] = field(default=())

    @cached_property
    def _rows(self) -> list[_Rows]:
        rows, free = [], 0
        for _, measure in self.measures:
            if measure.of == "length":
                rows.append(_Rows(0, None, None))  # no row: the results have the length anyway
                continue
            count = None if measure.when is None else free + 1
            whole = free + 2 if isinstance(measure.otherwise, str) and count is not None else None
            rows.append(_Rows(free, count, whole))
            free += 1 + (count is not None) + (whole is not None)
        return rows

    @cached_property
    def initial_values(self) -> tuple[float, ...]:
        """The rows' values at the start of an episode."""
        values = []
        for (_, measure), rows in zip(self.measures, self._rows, strict=True):
            if measure.of == "length":
                continue
            takes: list[Any] = [measure.take] + [None] * (rows.count is not None)
            takes += [measure.otherwise] * (rows.whole is not None)
            values += [_STARTS.get(take, 0.0) for take in takes]
        return tuple(values)

    def initial_rows(self, lanes: int) -> FloatArray:
        """The rows of lanes whose episodes begin, `(rows, lanes)`."""
        return np.repeat(np.array(self.initial_values, np.float64)[:, None], lanes, axis=1)

    def reads(self, source: str) -> bool:
        """Whether a measure reads `source`, "observation", "action", "reward" or "info", at its steps."""
        return any(measure.reads(source) for _, measure in self.measures)

    def steps(self) -> Iterator[tuple[Measure, list[str]]]:
        """Each measure that reads steps, with the lines that take a step into account.

        The lines read `observation`, `action` and `info`, tuples of columns, `reward`, and `length`, the steps so far;
        they read and write `rows[k, lane]`, and call `where`.
        """
        for place, ((_, measure), rows) in enumerate(zip(self.measures, self._rows, strict=True)):
            if measure.of == "length":
                continue
            value, first = f"value_{place}", "length == 1.0"
            lines = [f"{value} = {self._value(measure)}"]
            if rows.count is None or measure.when is None:
                lines.append(_taken(measure.take, rows.taken, value, first))
            else:
                holds, count = f"holds_{place}", f"rows[{rows.count}, lane]"
                lines.append(f"{holds} = {self._any_in_range(measure.when, self._numbers(measure.when))}")
                lines.append(f"{count} = {count} + where({holds}, 1.0, 0.0)")
                lines.append(_taken(measure.take, rows.taken, value, f"{count} == 1.0", holds))
            if rows.whole is not None:
                lines.append(_taken(measure.otherwise, rows.whole, value, first))  # type: ignore[arg-type]
            yield measure, lines

    @cached_property
    def add_step(self) -> Callable[..., None]:
        """The function `add(rows, lane, observation, action, reward, info, length)` for NumPy: a step in each lane."""
        lines = [line for _, lines in self.steps() for line in lines] or ["pass"]
        arguments = "rows, lane, observation, action, reward, info, length"
        names: dict[str, Any] = {"where": where}
        exec(f"def add({arguments}):\n    " + "\n    ".join(lines), names)  # noqa: S102 - written above, of checked settings
        add: Callable[..., None] = names["add"]
        return add

    def lanes_source(self) -> str:
        """The function `measure_lanes(lanes, width)` for Numba: a loop over lanes for each measure.

        With all measures in one loop, compilers would have too many arrays to compare.
        """
        names = {"observation": "as_observed(observe(here))", "action": "decode(load_outputs(outputs, lane))"}
        names |= {
            "reward": "rewards[lane]",
            "info": f"({''.join(f'info_{k}(here), ' for k in range(len(self.infos)))})",
        }
        source = ["def measure_lanes(lanes, width):"]
        source += ["    state, outputs, rewards = lanes.state, lanes.outputs, lanes.rewards"]
        source += ["    lengths, rows = lanes.lengths, lanes.rows"]
        for measure, lines in self.steps():
            read = [f"{name} = {value}" for name, value in names.items() if measure.reads(name)]
            here = ["here = load_state(state, lane)"] if measure.reads("observation") or measure.reads("info") else []
            body = [*here, *read, "length = lengths[lane]", *lines]
            source += ["    for lane in range(width):", *(f"        {line}" for line in body)]
        return "\n".join(source)

    def clearing_source(self) -> str:
        """The function `clear_rows(rows, lane)` for Numba: the start of an episode."""
        starts = [str(start).replace("inf", "numpy.inf") for start in self.initial_values]
        lines = [f"rows[{row}, lane] = {start}" for row, start in enumerate(starts)] or ["pass"]
        return "def clear_rows(rows, lane):\n    " + "\n    ".join(lines)

    def finish(self, rows: FloatArray, lengths: IntArray, measured: FloatArray) -> None:
        """Fill in the measures of m episodes.

        Args:
            rows: `(m, rows)`, at the episodes' ends.
            lengths: steps taken, `(m,)`.
            measured: `(m, measures)`, to be filled.
        """
        steps = lengths.astype(np.float64)
        for column, (_, measure), own in zip(measured.T, self.measures, self._rows, strict=True):
            count = steps if own.count is None else rows[:, own.count]
            column[:] = steps if measure.of == "length" else _result(measure.take, rows[:, own.taken], count)
            if own.count is not None:
                other: Any = 0.0 if measure.otherwise is None else measure.otherwise
                if own.whole is not None:
                    other = _result(other, rows[:, own.whole], steps)
                column[:] = np.where(count > 0.0, column, other)

    def _value(self, measure: Measure) -> str:
        """The expression for a step's value."""
        numbers = [" * ".join([number] * measure.power) for number in self._numbers(measure)]
        if measure.above is None and measure.below is None:
            return " + ".join(numbers)
        return f"where({self._any_in_range(measure, numbers)}, 1.0, 0.0)"

    def _numbers(self, part: Measure | Condition) -> list[str]:
        """Expressions for the numbers that are read of a step."""
        if part.of == "reward":
            return ["reward"]
        if part.of == "info":
            return [f"info[{self.infos.index(part.key or '')}]"]
        size = self.inputs if part.of == "observation" else self.actions
        return [f"{part.of}[{index}]" for index in part.indices or range(size)]

    def _any_in_range(self, part: Measure | Condition, numbers: Sequence[str]) -> str:
        """The expression for whether one of the numbers lies in the range."""
        bounds = [f"({{0}} > {part.above!r})"] * (part.above is not None)
        bounds += [f"({{0}} < {part.below!r})"] * (part.below is not None)
        return " | ".join(f"({' & '.join(bounds)})".format(number) for number in numbers)


def _taken(take: Take, row: int, value: str, first: str, holds: str | None = None) -> str:
    """The line that takes a value into account, where the step counts.

    Args:
        take: what is taken.
        row: the row of what was taken so far.
        value: name of the value.
        first: expression for whether the step is the first that counts.
        holds: name of whether the step counts; None if all do.
    """
    old = f"rows[{row}, lane]"
    if take == "first":
        counts = first if holds is None else f"{holds} & ({first})"
        return f"{old} = where({counts}, {value}, {old})"
    new = {
        "last": value,
        "min": f"where({value} < {old}, {value}, {old})",
        "max": f"where({value} > {old}, {value}, {old})",
    }
    taken = new.get(take, f"{old} + {value}")
    return f"{old} = {taken if holds is None else f'where({holds}, {taken}, {old})'}"


def _result(take: Take, taken: FloatArray, count: FloatArray) -> FloatArray:
    return taken / count if take in _AVERAGES else taken
