"""Measures: named numbers of an episode beside its return, such as where it ended or what it cost.

A measure reads one thing at every step: the observation that the step returned, the action, the reward, or a number of
the step's info. From these it takes one number of the episode. The observation of the reset is not counted, because no
action led to it.

>>> from evonet.measures import Condition, Measure
>>> effort = Measure("action", power=2)  # the mean over the steps of the squared action
>>> contact = Measure("observation", index=8, above=0.5, take="share")  # of the steps with observation[8] > 0.5
>>> touches = Condition("observation", index=[6, 7], above=0.5)
>>> touch_x = Measure("observation", index=0, take="first", when=touches, otherwise="last")
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Annotated, Any, Literal, TypeAlias, get_args

from annotated_types import Ge, Le

from evonet.settings import Natural, Schedule, Settings, check_by_generation, did_you_mean
from evonet.types import RETURN

Take = Literal["first", "last", "mean", "sum", "min", "max", "share"]
"""What is taken of a measure's numbers, one for each step."""

Index: TypeAlias = Natural | Sequence[Natural]

PER_STEP = ("observation", "action", "reward", "info")
"""What a measure can read at each step."""


class WrongMeasure(ValueError):
    """A measure does not fit the task, or a weight the measures.

    Attributes:
        setting: path of the setting in a config.
    """

    def __init__(self, setting: Sequence[Any], message: str) -> None:
        super().__init__(message)
        self.setting = tuple(setting)


_WEIGHTS = ("fitness", "weights")
_FROM_EMPTY = ("sum", "share")  # what can be taken of no steps
_MAX_POWER = 8
_NAME = r"\w[\w -]{0,99}"  # which a table, a path of keys and a page take as it is


@dataclass(frozen=True)
class Condition(Settings):
    """A condition on a step: one of the numbers that are read lies in a range.

    Attributes:
        of: what is read: "observation", "action", "reward" or "info".
        index: position of a number of the observation or the action, or of an array in the info; or several positions.
            By default all numbers are read.
        key: the key of the info.
        above: the number is greater than this.
        below: the number is less than this.
    """

    of: str
    _: KW_ONLY
    index: Index | None = None
    key: str | None = None
    above: float | None = None
    below: float | None = None

    def check_together(self) -> None:
        """Check rules that involve several settings.

        Raises:
            ValueError: the settings violate a rule.
        """
        name = type(self).__name__
        _check_reading(self, name)
        if self.above is None and self.below is None:
            raise ValueError(f"{name}.above or {name}.below must be given, because a condition needs a bound")

    @property
    def indices(self) -> tuple[int, ...] | None:
        """The positions of the numbers that are read; None for all."""
        return _indices(self.index)


@dataclass(frozen=True)
class Measure(Settings):
    """A number of an episode.

    Of each step that counts, the numbers that are read are raised to `power` and added up; with `above` or `below` the
    step counts 1 if one of these numbers lies in that range, and 0 if none does. `take` makes one number of the steps.

    In a config `otherwise` is the key `else`, a word that Python keeps for itself.

    Attributes:
        of: what is read: "observation", "action", "reward" or "info" at each step; "length" is the number of steps;
            `module:function` is a function of yours, `(observations, actions, rewards, infos) -> number`, that is
            called once an episode with `(steps, inputs)`, `(steps, actions)`, `(steps,)` and a list of dicts.
        index: position of a number of the observation or the action, or of an array in the info; or several positions.
            By default all numbers are read. Observations are counted as the network reads them, before they are
            normalised: a discrete one has a number for each value.
        key: the key of the info. Steps whose info does not have it are left out.
        above: a step counts 1 if a number is greater than this, else 0.
        below: a step counts 1 if a number is less than this, else 0; with `above`, if it lies between the two.
        power: each number is raised to this power, 1 to 8.
        take: what is taken of the steps: "first", "last", "mean", "sum", "min", "max", or "share", the mean of the 0
            and 1 that `above` and `below` make.
        when: only steps at which this condition holds count.
        otherwise: the measure of an episode without a step that counts: a number, or what is taken of all steps.
    """

    of: str
    _: KW_ONLY
    index: Index | None = None
    key: str | None = None
    above: float | None = None
    below: float | None = None
    power: Annotated[int, Ge(1), Le(_MAX_POWER)] = 1
    take: Take = "mean"
    when: Condition | None = None
    otherwise: float | Take | None = field(default=None, metadata={"key": "else"})

    def check_together(self) -> None:
        """Check rules that involve several settings.

        Raises:
            ValueError: the settings violate a rule.
        """
        if self.of == "length" or ":" in self.of:
            given = [name for name in _DEFAULTS if getattr(self, name) != _DEFAULTS[name]]
            if given:
                whole = "the length of an episode" if self.of == "length" else "a function of whole episodes"
                raise ValueError(f"Measure.{given[0]} must be left out where the measure is {whole}")
            return
        _check_reading(self, "Measure", ("length",), "module:function")
        if self.when is not None and not isinstance(self.when, Condition):
            raise TypeError(f"Measure.when must be a Condition, got {self.when!r}")
        if self.take == "share" and self.above is None and self.below is None:
            raise ValueError("Measure.above or Measure.below must be given where take is 'share'")
        self._check_otherwise()

    def _check_otherwise(self) -> None:
        otherwise, takes, key = self.otherwise, get_args(Take), "Measure.otherwise, in a config `else`,"
        if otherwise not in (None, *takes) and not (isinstance(otherwise, int | float) and math.isfinite(otherwise)):
            hint = f"; {did_you_mean(otherwise, takes)}" if isinstance(otherwise, str) else ""
            raise ValueError(f"{key} must be a finite number or what is taken of all steps, got {otherwise!r}{hint}")
        if otherwise is not None and self.when is None and self.of != "info":
            raise ValueError(f"{key} must go with `when`, or every step counts")
        if self.when is not None and otherwise is None and self.take not in _FROM_EMPTY:
            raise ValueError(
                f"{key} must be given where `when` is and take is {self.take!r}, for an episode in which the condition "
                "never holds: a number, or what is taken of all steps, such as 'last'"
            )

    @property
    def indices(self) -> tuple[int, ...] | None:
        """The positions of the numbers that are read; None for all."""
        return _indices(self.index)

    @property
    def function(self) -> str | None:
        """The function of the user's own, `module:function`; None for any other measure."""
        return self.of if ":" in self.of else None

    def reads(self, source: str) -> bool:
        """Whether the measure or its condition reads `source`, one of `PER_STEP`; a function reads all of them."""
        return source in (self.of, self.when and self.when.of) or self.function is not None


_DEFAULTS: dict[str, Any] = {
    "index": None,
    "key": None,
    "above": None,
    "below": None,
    "power": 1,
    "take": "mean",
    "when": None,
    "otherwise": None,
}

Measures: TypeAlias = tuple[tuple[str, Measure], ...]
"""Measures with their names, in order."""


def checked_measures(measures: Mapping[str, Measure], sizes: Mapping[str, int]) -> Measures:
    """The measures of a task, checked against what there is to read.

    Args:
        measures: measures by name.
        sizes: how many numbers an "observation" and an "action" have.

    Raises:
        TypeError: one is no measure.
        WrongMeasure: a name cannot be a measure's, or there is no number at an index; the message has the name.
    """
    for name, measure in measures.items():
        setting = ("measures", name)
        if not isinstance(name, str) or not re.fullmatch(_NAME, name):
            raise WrongMeasure(setting, f"a measure's name must be letters, digits, '_', '-' and spaces, got {name!r}")
        if name == RETURN:
            raise WrongMeasure(setting, f"{name!r} must not be a measure's name: it is the name of the return")
        if not isinstance(measure, Measure):
            raise TypeError(f"{name} must be a Measure, got {measure!r}")
        parts: list[Measure | Condition] = [measure, *([] if measure.when is None else [measure.when])]
        for part in parts:
            size = sizes.get(part.of)
            if size is not None and part.indices is not None and max(part.indices) >= size:
                rule = f"must be less than {size}, because the {part.of} has {size} number{'s' if size > 1 else ''}"
                owner = f"the measure {name!r}" if part is measure else f"the condition of the measure {name!r}"
                raise WrongMeasure(setting, f"the index of {owner} {rule}, got {max(part.indices)}")
    return tuple(measures.items())


def checked_weights(weights: Mapping[str, float | Schedule], names: Sequence[str]) -> tuple[float | Schedule, ...]:
    """The weights of the return and of the measures called `names`, in order; 0 for what has none.

    Raises:
        TypeError: a weight is no number.
        WrongMeasure: a weight has an unknown name, or is not finite, or all are 0, or a schedule does not go by the
            generation alone.
    """
    for name, weight in weights.items():
        if name not in (RETURN, *names):
            known = did_you_mean(name, (RETURN, *names))
            message = f"weights must be those of the return and of measures, got {name!r}; {known}"
            raise WrongMeasure((*_WEIGHTS, name), message)
        if isinstance(weight, Schedule):
            try:
                check_by_generation("weights", weight)
            except ValueError as error:
                raise WrongMeasure((*_WEIGHTS, name), f"{error} for {name!r}") from error
            continue
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise TypeError(f"weights must be numbers, got {weight!r} for {name!r}")
        if not math.isfinite(weight):
            raise WrongMeasure((*_WEIGHTS, name), f"weights must be finite, got {weight!r} for {name!r}")
    for place, when in ((0, ""), (-1, " at the end of their schedules")):
        numbers = [each.extremes[place] if isinstance(each, Schedule) else each for each in weights.values()]
        if not any(numbers):
            rule = f"weights must not all be 0{when}, because every network would have the same fitness"
            raise WrongMeasure(_WEIGHTS, rule)
    chosen = [weights.get(name, 0.0) for name in (RETURN, *names)]
    return tuple(each if isinstance(each, Schedule) else float(each) for each in chosen)


def _indices(index: Index | None) -> tuple[int, ...] | None:
    if index is None:
        return None
    return (index,) if isinstance(index, int) else tuple(index)


def _check_reading(part: Measure | Condition, owner: str, further: Collection[str] = (), more: str = "") -> None:
    """Check what a measure or a condition reads, and that its index and key go with it.

    Raises:
        TypeError, ValueError: they do not.
    """
    if part.of not in PER_STEP:
        rule = f"must be one of {', '.join((*PER_STEP, *further))}" + (f", or {more}" if more else "")
        raise ValueError(f"{owner}.of {rule}, got {part.of!r}; {did_you_mean(part.of, (*PER_STEP, *further))}")
    if (part.of == "info") != (part.key is not None):
        rule = "must be given where" if part.key is None else "must be left out where no"
        raise ValueError(f"{owner}.key {rule} info is read, got {part.key!r}")
    if part.index is not None:
        if part.of == "reward":
            raise ValueError(f"{owner}.index must be left out where the reward is read, which is one number")
        indices = list(part.index) if isinstance(part.index, Sequence) else [part.index]
        rule = f"{owner}.index must be a whole number of at least 0, or several different ones"
        if not all(isinstance(index, int) and not isinstance(index, bool) for index in indices):
            raise TypeError(f"{rule}, got {part.index!r}")
        if not indices or min(indices) < 0 or len(set(indices)) < len(indices):  # `Settings` checks a single one
            raise ValueError(f"{rule}, got {part.index!r}")
    if part.above is not None and part.below is not None and part.above >= part.below:
        raise ValueError(f"{owner}.above must be less than {owner}.below, got {part.above} and {part.below}")
