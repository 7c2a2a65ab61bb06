"""Fitness functions of your own: of a matrix of genomes and the episodes' seeds, or of one network.

A function of two arguments, `genomes, episode_seeds -> returns`, scores a whole generation at once. A function of one
argument, `network -> number`, scores one network. `function_fitness` tells the two apart by the number of arguments,
because a call with the wrong number would fail anyway; `FunctionFitness` and `NetworkFitness` say which one is meant.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evonet.architecture import Architecture
from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import EvonetError, FitnessFunctionFailed
from evonet.evaluation.aggregation import aggregate
from evonet.evaluation.arrays import read_only
from evonet.evaluation.results import EpisodeResults, Fault
from evonet.files.text import short_repr
from evonet.foreign import ANY_ERROR, INTERRUPTS, described
from evonet.network import NeuralNetwork
from evonet.settings import Episodes, check
from evonet.task import Task
from evonet.types import FloatArray, IntArray

FitnessFunction: TypeAlias = Callable[[FloatArray, IntArray], ArrayLike]
"""Scores a generation: `genomes (n, genome_size), episode_seeds (episodes,) -> returns (n,) or (n, episodes)`."""

NetworkFunction: TypeAlias = Callable[[NeuralNetwork], float]
"""Scores one network."""


class FunctionFitness:
    """Your own function as fitness.

    Args:
        function: `genomes (n, genome_size), episode_seeds (episodes,) -> returns (n, episodes)`, or `(n,)` or `(n, 1)`,
            higher is fitter; its random numbers should come from the seeds alone. A return that is not finite is a
            fault. Both arrays are read-only: a function that repairs genomes must work on a copy, and nothing that it
            changes comes back.
        architecture: architecture of the networks that it scores.
        episodes: seeds of an evaluation.
        name: how errors name the function; by default as Python does.
        measures: names of k measures; with them the function returns two arrays, the returns and the measures
            `(n, k)`, or `(n, episodes, k)` for several episodes. A measure that is not finite is a fault.

    Attributes:
        measure_names: names of the measures, in order.
    """

    task: Task | None = None

    def __init__(
        self,
        function: FitnessFunction,
        architecture: Architecture,
        episodes: Episodes = 1,
        name: str = "",
        measures: Sequence[str] = (),
    ) -> None:
        check(type(self), {"episodes": episodes})
        self.measure_names = tuple(measures)
        self.function = function
        self._name = name or _name_of(function)
        self.architecture = architecture
        self.episodes = episodes

    def __call__(
        self, genomes: FloatArray, episode_seeds: IntArray, normaliser: ObservationNormaliser | None = None
    ) -> EpisodeResults:
        """The function's returns as `(n, episodes)`; one return for all episodes counts as a single episode.

        Args:
            genomes: `(n, genome_size)`.
            episode_seeds: `(episodes,)`.
            normaliser: not used, because a function has no observations.

        Raises:
            FitnessFunctionFailed: the function raised an error, left the program, or returned something else.
        """
        n, episodes, k = len(genomes), len(episode_seeds), len(self.measure_names)
        returned, measured = self._called(read_only(genomes), read_only(episode_seeds)), None
        if k:
            if not isinstance(returned, tuple) or len(returned) != 2:
                rule = f"{self._name} must return two arrays, the returns and {k} measures of each network"
                raise FitnessFunctionFailed(f"{rule}, got {short_repr(returned)}")
            returned, measured = returned
        shapes = f"({n},) or ({n}, {episodes}) for {n} genomes and {episodes} seeds"
        returns = self._numbers(returned, ((n,), (n, 1), (n, episodes)), shapes).reshape(n, -1)
        bad, measures = ~np.isfinite(returns), None
        if measured is not None:
            shape = (*returns.shape, k)
            allowed = (shape, (n, k)) if returns.shape[1] == 1 else (shape,)
            measures = self._numbers(measured, allowed, f"{allowed[-1]} for the measures").reshape(shape)
            bad |= ~np.isfinite(measures).all(axis=2)
        faults = [
            Fault(int(i), int(e), int(episode_seeds[e]), "nonfinite", 0, self._fault(i, e, returns, measures))
            for i, e in np.argwhere(bad)
        ]
        returns[bad] = np.nan
        if measures is not None:
            measures[bad] = np.nan
        steps, ends = np.zeros(returns.shape, np.int64), np.zeros(returns.shape, np.bool_)
        return EpisodeResults(returns, steps, ends, faults, measures=measures)

    def _fault(self, row: int, episode: int, returns: FloatArray, measures: FloatArray | None) -> str:
        values = {} if measures is None else dict(zip(self.measure_names, measures[row, episode].tolist(), strict=True))
        if not np.isfinite(returns[row, episode]):
            return f"the function returned {returns[row, episode]}"
        return next(f"the measure {name!r} is {value}" for name, value in values.items() if not np.isfinite(value))

    def _called(self, genomes: FloatArray, episode_seeds: IntArray) -> Any:
        """What the function returns."""
        try:
            return self.function(genomes, episode_seeds)
        except (EvonetError, *INTERRUPTS):
            raise
        except ANY_ERROR as error:
            hint = "; genomes and seeds are read-only: change a copy of them" if "read-only" in str(error) else ""
            raise FitnessFunctionFailed(f"{self._name} failed: {described(error)}{hint}") from error

    def _numbers(self, returned: Any, allowed: Sequence[tuple[int, ...]], shapes: str) -> FloatArray:
        """What the function returned as an array of its own, of one of the `allowed` shapes; errors name `shapes`."""
        try:
            numbers = np.asarray(returned)
            if numbers.dtype.kind not in "biufO" or _has_text(numbers):
                raise TypeError
            array = np.array(numbers, dtype=np.float64)
        except INTERRUPTS:
            raise
        except ANY_ERROR as error:
            rule = f"{self._name} must return numbers, of shape {shapes}"
            raise FitnessFunctionFailed(f"{rule}, got {short_repr(returned)}") from error
        if array.shape not in allowed:
            got = array.shape or short_repr(returned)
            raise FitnessFunctionFailed(f"{self._name} must return shape {shapes}, got {got}")
        return array

    def aggregate(self, returns: FloatArray) -> FloatArray:
        """The mean over episodes `(n,)`; -inf for an individual with a fault."""
        return aggregate(returns, "mean")

    def close(self) -> None:
        """Do nothing: a function opens nothing."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._name.removeprefix('the fitness function ')}: {self.architecture}>"


class NetworkFitness(FunctionFitness):
    """Your own function of one network as fitness; it has no episodes and no random numbers.

    Args:
        function: `network -> number`, higher is fitter. The weights are read-only: a function that changes them must
            work on a copy. The memory of a recurrent network is empty at first. A number that is not finite is a fault.
        architecture: architecture of the networks that it scores.
        name: how errors name the function; by default as Python does.
    """

    def __init__(self, function: NetworkFunction, architecture: Architecture, name: str = "") -> None:
        super().__init__(self._of_networks, architecture, name=name or _name_of(function))
        self._of_network = function

    def _of_networks(self, genomes: FloatArray, episode_seeds: IntArray) -> ArrayLike:
        return [self._number(self._of_network(NeuralNetwork.from_genome(self.architecture, row))) for row in genomes]

    def _number(self, value: Any) -> float:
        if np.shape(value) == () and np.asarray(value).dtype.kind in "biuf":
            return float(value)
        raise FitnessFunctionFailed(f"{self._name} must return one number for a network, got {short_repr(value)}")


def function_fitness(
    function: FitnessFunction | NetworkFunction, architecture: Architecture, episodes: Episodes = 1, name: str = ""
) -> FunctionFitness:
    """The fitness of a function, by the arguments that it takes: genomes and seeds, or one network.

    A function that takes either number of arguments is called with genomes and seeds.

    Args:
        function: `genomes, episode_seeds -> returns`, or `network -> number`.
        architecture: architecture of the networks that it scores.
        episodes: seeds of an evaluation, for a function that takes seeds.
        name: how errors name the function; by default as Python does.

    Raises:
        TypeError: the function takes neither two arguments nor one.
    """
    if not callable(function):
        raise TypeError(
            "a fitness must be an EpisodeReturn, or a function `genomes, episode_seeds -> returns` or "
            f"`network -> number`, got {short_repr(function)}"
        )
    matrix: Any = function
    if _takes(function, 2):
        return FunctionFitness(matrix, architecture, episodes, name)
    if _takes(function, 1):
        return NetworkFitness(matrix, architecture, name)
    raise TypeError(
        f"{name or _name_of(function)} must take two arguments, `genomes, episode_seeds`, or one, `network`, "
        f"got {inspect.signature(function)}"
    )


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function can be called with `count` arguments; one whose signature Python does not know can."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _name_of(function: object) -> str:
    return f"the fitness function {getattr(function, '__qualname__', type(function).__name__)}"


def _has_text(numbers: NDArray[Any]) -> bool:
    return numbers.dtype.kind == "O" and any(isinstance(number, str | bytes) for number in numbers.flat)
