"""A champion's robustness to noise and to changed parameters of the environment, and its fitness landscape."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium import spaces

from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.environments.known import Parameter
from evonet.environments.normaliser import ObservationNormaliser
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import EvonetError
from evonet.evaluation.gymnasium_engine import GymnasiumEngine
from evonet.inspection.analysis.trials import Trials
from evonet.policy import Policy
from evonet.scores import Score
from evonet.seeding import Purpose, generator
from evonet.task import Task
from evonet.types import FloatArray, IntArray

WEIGHT_NOISE = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Standard deviations of weight noise, in root mean squares of the champion's weights."""

OBSERVATION_NOISE = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Standard deviations of observation noise, in standard deviations of each input."""

MISREADINGS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5)
"""Probabilities that an observation is mistaken for another."""

_PERTURBED = 16  # genomes for each level of weight noise
_MIN_PERTURBED = 4
LEVELS = 4
"""Values of a parameter besides that of the champion's evolution."""

_MIN_EPISODES = 8  # episodes, unless they would take twice the time limit


@dataclass(frozen=True, eq=False)
class Sweep:
    """Mean return over the levels of one disturbance or parameter.

    Attributes:
        name: the disturbance or parameter.
        levels: levels of the disturbance or values of the parameter, `(k,)`, ascending.
        means: mean return at each level, `(k,)`; NaN where an episode failed.
        low: lower ends of the 95 % intervals, `(k,)`.
        high: upper ends of the 95 % intervals, `(k,)`.
        own: the level under which the champion evolved.
        episodes: number of episodes at each level.
        champions: number of perturbed champions at each level; 1 if the champion is not perturbed.
    """

    name: str
    levels: FloatArray
    means: FloatArray
    low: FloatArray
    high: FloatArray
    own: float
    episodes: int
    champions: int = 1

    @classmethod
    def of(
        cls,
        name: str,
        levels: Sequence[float],
        returns: Sequence[FloatArray],
        own: float,
        episodes: int,
        champions: int = 1,
    ) -> Sweep:
        """The sweep with means and intervals of `returns`, which are `(m,)` at each level."""
        scores = [Score(values) for values in returns]
        numbers = np.array([(score.mean, *score.interval) for score in scores])
        numbers[~np.isfinite(numbers)] = np.nan
        means, low, high = numbers.T
        return cls(name, np.array(levels, dtype=np.float64), means, low, high, own, episodes, champions)


@dataclass(frozen=True, eq=False)
class _Noise:
    """Noise in observations: normal noise in numbers; any other observation is replaced by one of `seen`.

    Attributes:
        level: standard deviation of the noise, in standard deviations of `seen`, or probability of a replacement.
        seen: observations of the champion, `(m, inputs)`.
        rng: generator of the noise.
    """

    level: float
    seen: FloatArray
    rng: np.random.Generator

    def policy(self, task: Task, genomes: FloatArray, normaliser: ObservationNormaliser | None) -> Policy:
        """A policy that gets noisy observations."""
        return _NoisyPolicy(task, genomes, normaliser, self)

    def add_to(self, row: FloatArray, *, numeric: bool) -> None:
        """Add the noise to an encoded observation, in place."""
        if numeric:
            row += self._deviations * self.rng.standard_normal(row.size)
        elif self.rng.random() < self.level:
            row[:] = self.seen[self.rng.integers(len(self.seen))]

    @cached_property
    def _deviations(self) -> FloatArray:
        deviations: FloatArray = self.level * self.seen.std(axis=0)
        return deviations


class _NoisyPolicy(Policy):
    def __init__(
        self, task: Task, genomes: FloatArray, normaliser: ObservationNormaliser | None, noise: _Noise
    ) -> None:
        super().__init__(task, genomes, normaliser)
        self._noise = noise
        self._numeric = isinstance(task.observation_space, spaces.Box)

    @cached_property
    def observers(self) -> list[Callable[[Any], None]]:
        return [self._noisy(*each) for each in zip(super().observers, self.observations, strict=True)]

    def _noisy(self, observe: Callable[[Any], None], row: FloatArray) -> Callable[[Any], None]:
        def observe_noisily(observation: Any) -> None:
            observe(observation)
            self._noise.add_to(row, numeric=self._numeric)

        return observe_noisily


def observation_noise(champion: Champion, task: Task, seeds: IntArray, seen: FloatArray, seconds: float) -> Sweep:
    """Mean return under noisy observations.

    Numbers get normal noise, in standard deviations of each input over `seen (m, inputs)`; any other observation is
    replaced by a random one of `seen` with a given probability.
    """
    is_box = isinstance(task.observation_space, spaces.Box)
    levels = OBSERVATION_NOISE if is_box else MISREADINGS
    returns, episodes = [], 0
    for number, level in enumerate(levels):
        noise = _Noise(level, seen, generator(0, Purpose.INSPECTION, number))
        engine = GymnasiumEngine(task, make_policy=noise.policy)
        with Trials(task, champion.normaliser, champion.genome, seeds, engine) as trials:
            episodes = episodes or trials.episodes(len(levels), seconds, fewest=_MIN_EPISODES)
            returns.append(trials.run(champion.genome[None, :], episodes).returns[0])
    name = "observation noise (× deviation)" if is_box else "share of observations misread"
    return Sweep.of(name, levels, returns, 0.0, episodes)


def weight_noise(champion: Champion, trials: Trials, seconds: float) -> Sweep | None:
    """Mean return of 16 champions with normal noise in all weights, at each level of noise.

    Where an episode or a genome is long, there are fewer champions, and the result is None for fewer than four.
    """
    count = trials.affordable(_PERTURBED * len(WEIGHT_NOISE)) // len(WEIGHT_NOISE)
    if count < _MIN_PERTURBED:
        return None
    rng = generator(0, Purpose.INSPECTION, 100)
    noise = rng.standard_normal((count, len(champion.genome))) * np.sqrt((champion.genome**2).mean())
    perturbed = np.concatenate([champion.genome + level * noise for level in WEIGHT_NOISE])
    episodes = trials.episodes(len(perturbed), seconds)
    results = trials.run(perturbed, episodes, count).returns
    # One mean for each perturbed champion: episodes of the same genome are not independent of each other.
    returns = list(results.mean(axis=1).reshape(-1, count))
    return Sweep.of("weight noise (× root mean square)", WEIGHT_NOISE, returns, 0.0, episodes, count)


def parameter_sweeps(
    champion: Champion, task: Task, seeds: IntArray, parameters: Sequence[Parameter], seconds: float
) -> Iterator[Sweep]:
    """Mean return over values of each of the environment's `parameters`, except values that the environment refuses."""
    if not isinstance(task.environment, EnvironmentSpec):
        return
    with Trials(task, champion.normaliser, champion.genome, seeds, GymnasiumEngine(task)) as trials:
        episodes = trials.episodes(LEVELS * max(1, len(parameters)), seconds, fewest=_MIN_EPISODES)
        unchanged = trials.run(champion.genome[None, :], episodes).returns[0]
    for parameter in parameters:
        own, values = parameter.values(task.environment)
        found = {own: unchanged}
        for value in values:
            changed = replace(task, environment=parameter.changed(task.environment, value))
            with contextlib.suppress(EvonetError):  # the environment refuses the value
                if value != own:
                    engine = GymnasiumEngine(changed)
                    with Trials(changed, champion.normaliser, champion.genome, seeds, engine) as trials:
                        found[value] = trials.run(champion.genome[None, :], episodes).returns[0]
        if len(found) > 1:
            levels = sorted(found)
            yield Sweep.of(parameter.name, levels, [found[level] for level in levels], own, episodes)


@dataclass(frozen=True, eq=False)
class Landscape:
    """Mean returns in a plane of genomes with the champion in the middle.

    Attributes:
        steps: distances from the champion along both directions, `(n,)`, in lengths of its weights.
        means: mean returns, `(n, n)`, rows over the second direction; NaN where an episode failed.
        episodes: number of episodes at each point.
    """

    steps: FloatArray
    means: FloatArray
    episodes: int


def landscape(champion: Champion, trials: Trials, seconds: float, reach: float = 1.0) -> Landscape | None:
    """The landscape in two random directions, each neuron's part scaled to the neuron's weights (Li et al. 2018).

    The result is None where an episode or a genome is too long for the coarsest grid.

    Args:
        champion: the middle of the plane.
        trials: runner of the genomes.
        seconds: time limit; more time makes the grid finer.
        reach: the largest step, in lengths of the champion's weights.
    """
    most = trials.affordable(21 * 21)
    points = next((n for n in (21, 17, 13, 9) if n * n <= most and trials.episodes(n * n, seconds) >= 8), 0)
    points = points or next((n for n in (7, 5) if n * n <= most), 0)
    if not points:
        return None
    steps = np.linspace(-reach, reach, points)
    rng = generator(0, Purpose.INSPECTION, 200)
    first, second = (_direction(champion.architecture, champion.genome, rng) for _ in range(2))
    genomes = champion.genome + np.concatenate([steps[:, None] * first + step * second for step in steps])
    results = trials.within(genomes, seconds, most=32)
    return Landscape(steps, results.returns.mean(axis=1).reshape(points, points), results.returns.shape[1])


def _direction(architecture: Architecture, genome: FloatArray, rng: np.random.Generator) -> FloatArray:
    direction = rng.standard_normal(len(genome))
    neurons = architecture.gene_neurons
    size = np.sqrt(np.bincount(neurons, genome**2, architecture.num_neurons))
    drawn = np.sqrt(np.bincount(neurons, direction**2, architecture.num_neurons))
    scale = np.divide(size, drawn, out=np.zeros_like(size), where=drawn > 0)
    scaled: FloatArray = direction * scale[neurons]
    return scaled
