"""How measures are taken from the episodes of an engine that runs one step of one environment at a time.

Sums run in the order of the steps, and the numbers of a step are added up in their own order, so that every engine gets
the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from evonet.environments.instance import MalformedResult
from evonet.environments.spaces import Space
from evonet.errors import EnvironmentUnavailable
from evonet.files.text import short_repr
from evonet.foreign import ANY_ERROR, INTERRUPTS, described, guarded, import_module
from evonet.measures import Condition, Measure, Measures, Take, WrongMeasure, checked_measures
from evonet.policy import Policy
from evonet.settings import did_you_mean
from evonet.task import Task
from evonet.types import FloatArray

Numbers: TypeAlias = list[float] | tuple[float, ...]


class StepRecord(NamedTuple):
    """What measures can read of a step.

    Attributes:
        observation: the observation that the step returned, encoded, `(num_inputs,)`.
        action: the action's numbers.
        reward: the reward.
        info: what the environment returned as info.
    """

    observation: FloatArray
    action: Numbers
    reward: float
    info: Any


class MeasureRecorder:
    """Takes the measures of the episodes that run in an engine's slots.

    Args:
        task: the task, which has measures.
        policy: the engine's policy; an episode's observations are encoded in its lane.
    """

    def __init__(self, task: Task, policy: Policy) -> None:
        self._policy = policy
        self._read_action = action_reader(task.action_space)
        self._tallies = [[_tally(name, measure) for name, measure in task.measures] for _ in policy.observations]

    def begin(self, slot: int) -> None:
        """Forget the episode in a slot."""
        for tally in self._tallies[slot]:
            tally.begin()

    def recorded(self, step: Callable[[Any], Any], slot: int) -> Callable[[Any], Any]:
        """The function `step` of the environment in a slot, with each of its steps recorded."""
        tallies, row, read_action = self._tallies[slot], self._policy.observations[slot], self._read_action
        observe = self._policy.observe

        def recorded_step(action: Any) -> Any:
            numbers = read_action(action)  # before the step, in which an environment may change the action
            result = step(action)
            observation, reward, _, _, info = result
            observe(slot, observation)
            record = StepRecord(row, numbers, reward, info)
            for tally in tallies:
                tally.add(record)
            return result

        return recorded_step

    def end(self, slot: int) -> list[float]:
        """The measures of the episode in a slot, in the order of the task's.

        Raises:
            MalformedResult: no step had the info that a measure reads, or a function returned no number.
            BaseException: whatever a function of the user's own raises.
        """
        return [tally.result() for tally in self._tallies[slot]]


def measures_of_task(measures: Mapping[str, Measure], inputs: int, action_space: Space) -> Measures:
    """The measures of a task, checked against what there is to read; functions of the user's own are imported.

    Args:
        measures: measures by name.
        inputs: how many numbers an encoded observation has.
        action_space: the action space.

    Raises:
        TypeError: one is no measure.
        WrongMeasure: a name cannot be a measure's, there is no number at an index, or a function cannot be imported.
    """
    checked = checked_measures(measures, {"observation": inputs, "action": action_size(action_space)})
    for name, measure in checked:
        if measure.function is None:
            continue
        try:
            function_named(measure.function)
        except INTERRUPTS:
            raise
        except ANY_ERROR as error:
            message = f"the measure {name!r} cannot be taken: {measure.function!r} cannot be used: {described(error)}"
            raise WrongMeasure(("measures", name), message) from error
    return checked


def action_reader(space: Space) -> Callable[[Any], Numbers]:
    """The function that returns the numbers of an action, those of a Tuple's or Dict's parts one after another."""
    if isinstance(space, spaces.Discrete):
        return lambda action: (float(action),)
    if isinstance(space, spaces.Tuple | spaces.Dict):
        parts = space.spaces.items() if isinstance(space, spaces.Dict) else enumerate(space.spaces)
        readers = [(key, action_reader(part)) for key, part in parts]
        return lambda action: [number for key, read in readers for number in read(action[key])]
    return lambda action: np.asarray(action, np.float64).ravel().tolist()


def action_size(space: Space) -> int:
    """How many numbers an action has."""
    if isinstance(space, spaces.Discrete):
        return 1
    if isinstance(space, spaces.Tuple | spaces.Dict):
        return sum(map(action_size, space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces))
    return int(np.prod(space.shape or ()))


class _Tally(Protocol):
    """One measure of the episode in one slot."""

    def begin(self) -> None:
        """Forget the last episode."""

    def add(self, step: StepRecord) -> None:
        """Record a step."""

    def result(self) -> float:
        """The measure of the episode."""
        ...


def _tally(name: str, measure: Measure) -> _Tally:
    if measure.of == "length":
        return _Length()
    return _Steps(name, measure) if measure.function is None else _WholeEpisode(name, measure.function)


class _Length:
    """The number of steps."""

    def begin(self) -> None:
        self._count = 0

    def add(self, step: StepRecord) -> None:
        self._count += 1

    def result(self) -> float:
        return float(self._count)


class _Steps:
    """What is taken of the steps that count."""

    def __init__(self, name: str, measure: Measure) -> None:
        self._name, self._key = name, measure.key or ""
        self._value = _value_reader(measure)
        self._holds = None if measure.when is None else _test(measure.when)
        self._taken = _Taken(measure.take)
        other = measure.otherwise
        self._all = _Taken(other) if isinstance(other, str) else None
        self._otherwise = None if isinstance(other, str) else other
        self._keys: list[Any] = []

    def begin(self) -> None:
        self._read = False
        self._taken.begin()
        if self._all is not None:
            self._all.begin()

    def add(self, step: StepRecord) -> None:
        try:
            value = self._value(step)
            counts = value is not None and (self._holds is None or self._holds(step))
        except MalformedResult as error:
            raise MalformedResult(f"the measure {self._name!r} cannot be taken: {error}") from None
        if value is None:
            self._keys = list(step.info)
            return
        self._read = True
        if counts:
            self._taken.add(value)
        if self._all is not None:
            self._all.add(value)

    def result(self) -> float:
        if self._taken.count:
            return self._taken.result()
        if self._otherwise is not None:
            return float(self._otherwise)
        if self._all is not None and self._all.count:
            return self._all.result()
        if self._read:  # a sum or a share of no steps
            return 0.0
        hint = did_you_mean(self._key, map(str, self._keys)) if self._keys else "the info was empty"
        message = f"the measure {self._name!r} cannot be taken: no step's info has the key {self._key!r}; {hint}"
        raise MalformedResult(message)


class _WholeEpisode:
    """A function of the user's own, called at the end of the episode."""

    def __init__(self, name: str, function: str) -> None:
        self._name = name
        with guarded(f"the measure {name!r} cannot be taken", EnvironmentUnavailable):
            self.function = function_named(function)
        self.begin()

    def begin(self) -> None:
        self._observations: list[FloatArray] = []
        self._actions: list[Numbers] = []
        self._rewards: list[float] = []
        self._infos: list[Any] = []

    def add(self, step: StepRecord) -> None:
        self._observations.append(step.observation.copy())
        self._actions.append(step.action)
        self._rewards.append(step.reward)
        self._infos.append(step.info)

    def result(self) -> float:
        arrays = (np.array(each) for each in (self._observations, self._actions, self._rewards))
        value = self.function(*arrays, self._infos)
        numbers = _numbers_of(value)
        if numbers is None or len(numbers) != 1:
            raise MalformedResult(
                f"the measure {self._name!r} must be a number, its function returned {short_repr(value)}"
            )
        return numbers[0]


def function_named(name: str) -> Callable[..., Any]:
    """The function `module:function`, whose module is imported.

    Raises:
        AttributeError: the module has no such function.
        BaseException: whatever the module's code raises.
    """
    module_name, _, function_name = name.partition(":")
    function: Callable[..., Any] = getattr(import_module(module_name), function_name)
    return function


class _Taken:
    """One number of many: the first, the sum, and so on.

    Attributes:
        take: which number.
        count: how many numbers there were.
    """

    def __init__(self, take: Take) -> None:
        self.take = take
        self._combine = _COMBINATIONS[take]
        self._averaged, self._starts_at_0 = take in ("mean", "share"), take in ("mean", "share", "sum")
        self.begin()

    def begin(self) -> None:
        self.count, self._value = 0, 0.0

    def add(self, value: float) -> None:
        self.count += 1
        self._value = self._combine(self._value, value) if self.count > 1 or self._starts_at_0 else value

    def result(self) -> float:
        return self._value / self.count if self._averaged and self.count else self._value


_COMBINATIONS: Mapping[Take, Callable[[float, float], float]] = {
    "first": lambda value, _: value,
    "last": lambda _, new: new,
    "mean": lambda value, new: value + new,
    "share": lambda value, new: value + new,
    "sum": lambda value, new: value + new,
    "min": min,
    "max": max,
}


def _value_reader(measure: Measure) -> Callable[[StepRecord], float | None]:
    """The function that returns a step's value; None if the step's info has not the key."""
    read, power = _reader(measure), measure.power
    in_range, one = _in_range(measure), _reader_of_one(measure)
    if one is not None and power == 1:  # most measures: they take half the time without a list
        return one if in_range is None else lambda step: float(in_range(one(step)))

    def value(step: StepRecord) -> float | None:
        numbers = read(step)
        if numbers is None:
            return None
        if power > 1:
            numbers = [_powered(number, power) for number in numbers]
        if in_range is not None:
            return float(any(map(in_range, numbers)))
        total = numbers[0]
        for number in numbers[1:]:  # `sum` begins with 0, and makes up for rounding
            total += number
        return total

    return value


def _reader_of_one(part: Measure | Condition) -> Callable[[StepRecord], float] | None:
    """The function that returns the one number that is read of a step; None if it may be another number of numbers."""
    if part.of == "reward":
        return lambda step: step.reward
    if part.of == "info" or part.indices is None or len(part.indices) > 1:
        return None
    (index,) = part.indices
    if part.of == "observation":
        return lambda step: step.observation.item(index)
    return lambda step: step.action[index]


def _powered(number: float, power: int) -> float:
    result = number
    for _ in range(power - 1):
        result *= number
    return result


def _test(condition: Condition) -> Callable[[StepRecord], bool]:
    """The function that says whether a condition holds at a step."""
    read, in_range = _reader(condition), _in_range(condition)
    assert in_range is not None

    def holds(step: StepRecord) -> bool:
        return any(map(in_range, read(step) or ()))

    return holds


def _in_range(part: Measure | Condition) -> Callable[[float], bool] | None:
    """The function that says whether a number is above and below what it should; None if there is no bound."""
    if part.above is None and part.below is None:
        return None
    above = -np.inf if part.above is None else part.above
    below = np.inf if part.below is None else part.below
    return lambda number: above < number < below


def _reader(part: Measure | Condition) -> Callable[[StepRecord], Numbers | None]:
    """The function that returns the numbers that are read of a step; None if the step's info has not the key."""
    indices = part.indices
    if part.of == "reward":
        return lambda step: (step.reward,)
    if part.of == "observation":
        if indices is None:
            return lambda step: step.observation.tolist()
        return lambda step: [step.observation.item(index) for index in indices]
    if part.of == "action":
        if indices is None:
            return lambda step: step.action
        return lambda step: [step.action[index] for index in indices]
    key = part.key or ""
    return lambda step: _info_numbers(step.info, key, indices)


def _info_numbers(info: Any, key: str, indices: tuple[int, ...] | None) -> Numbers | None:
    if not isinstance(info, Mapping):
        raise MalformedResult(f"the info must be a dict, got {short_repr(info)}")
    if key not in info:
        return None
    value = info[key]
    numbers = [value] if value.__class__ is float else _numbers_of(value)
    if not numbers:
        raise MalformedResult(f"the info {key!r} is {short_repr(value)}; numbers are wanted")
    if indices is None:
        return numbers
    if max(indices) >= len(numbers):
        raise MalformedResult(f"the info {key!r} has no number at index {max(indices)}, it has {len(numbers)}")
    return [numbers[index] for index in indices]


def _numbers_of(value: Any) -> list[float] | None:
    """The numbers of a number or an array, flat; None if it is neither."""
    try:
        array: NDArray[Any] = np.asarray(value)
    except ValueError:  # lists of different lengths
        return None
    return array.astype(np.float64).ravel().tolist() if array.dtype.kind in "biuf" else None
