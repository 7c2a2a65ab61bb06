"""Parts of an experiment that are not evonet's: one of each kind, which a config names as `module:Class`."""

import math
from dataclasses import dataclass
from typing import ClassVar

import gymnasium as gym
import numpy as np

from evonet.activations import Activation
from evonet.environments.known import Kernel
from evonet.operators.crossover import Crossover
from evonet.operators.mutation import Gaussian
from evonet.settings import Probability, Schedule, Settings
from evonet.strategies.strategy import Strategy

MODULE = __name__
_ORIGIN = np.zeros(1)


@dataclass(frozen=True)
class SignFlip(Settings):
    """Turns the sign of some genes."""

    rate: Probability = 0.05

    def __call__(self, rng, genomes, parents):
        return np.where(rng.random(genomes.shape) < self.rate, -genomes, genomes)


class Noise:
    """A mutation that names its last argument otherwise."""

    def __call__(self, rng, genomes, everybody):
        return genomes + rng.standard_normal(genomes.shape)


@dataclass(frozen=True)
class Finer(Gaussian):
    """A normal step, for its settings may follow schedules."""


@dataclass(frozen=True)
class Best(Settings):
    """Chooses the fittest, always."""

    def __call__(self, rng, parents, count):
        return np.full(count, parents.fitness.argmax())


@dataclass(frozen=True)
class Halves(Crossover):
    """The first half of one parent, the second of the other."""

    def combine(self, rng, first, second, architecture):
        half = first.shape[1] // 2
        return np.concatenate([first[:, :half], second[:, half:]], axis=1)


class KeepBest:
    """Keeps the fittest alone; neither a dataclass nor a class of evonet's."""

    def __init__(self, extra: int = 0, note=None):
        self.extra, self.note = extra, note

    def __call__(self, rng, fitness, ids, elites):
        return np.argsort(-fitness, kind="stable")[: elites + self.extra], None


@dataclass(frozen=True)
class InOrder(Settings):
    """Pairs as they come."""

    def __call__(self, rng, parents, count, selection):
        return selection(rng, parents, 2 * count)


@dataclass(frozen=True)
class Zeros(Settings):
    """Begins with zeros."""

    def __call__(self, rng, count, architecture):
        return np.zeros((count, architecture.genome_size))


@dataclass(frozen=True)
class Halving(Schedule):
    """Halves a number each generation."""

    start: float = 0.8

    @property
    def extremes(self):
        return (self.start, 0.01)

    def following(self, number, generation, success, stagnation):
        return max(number / 2, 0.01)


def _softsign(x):
    x /= 1.0 + np.abs(x)


SOFTSIGN = Activation(_softsign, -1.0, 1.0, "x / (1 + |x|), from -1 to 1")


class HillClimber(Strategy):
    """Keeps the best genome and samples around it; most of its arguments have no annotation."""

    saved_attributes = ("best", "best_fitness")

    def __init__(self, architecture, population_size=6, sigma: float = 0.3, start=_ORIGIN, *, seed=0):
        super().__init__(architecture, seed=seed)
        self.population_size, self.sigma = population_size, sigma
        self.best, self.best_fitness = np.zeros(architecture.genome_size), -math.inf

    def propose(self, rng):
        return self.best + self.sigma * rng.standard_normal((self.population_size, self.best.size))

    def learn(self, rng, genomes, fitness):
        if fitness.max() > self.best_fitness:
            self.best, self.best_fitness = genomes[fitness.argmax()].copy(), float(fitness.max())


@dataclass(frozen=True)
class Fussy(Settings):
    """Cannot be made."""

    level: int = 1

    def check_together(self):
        raise LookupError("there is no list of levels")

    def __call__(self, rng, genomes, parents):
        return genomes


class Unfinished(Crossover):
    """Lacks the method that crosses."""


class NeverLearns(Strategy):
    """Lacks a method, and could not be made."""

    def propose(self, rng):
        return np.zeros((2, self.architecture.genome_size))


class NoSeed(HillClimber):
    """Takes no seed."""

    def __init__(self, architecture):
        super().__init__(architecture)


class BadInitialisation(Zeros):
    """Raises an error when the algorithm is made."""

    def __call__(self, rng, count, architecture):
        raise LookupError("no first genomes")


class Tuner(HillClimber):
    """Climbs from given weights."""

    def __init__(self, architecture, sigma: float = 0.3, *, seed=0, initial=None):
        from evonet.strategies.warm_start import starting_genomes

        if sigma > 1:
            raise LookupError("no such step is known")
        super().__init__(architecture, sigma=sigma, seed=seed)
        if initial is not None:
            self.best = starting_genomes("Tuner.initial", initial, architecture, most=1)[0]


def flip(rng, genomes, parents):
    """A function in place of a class."""
    return -genomes


class Line(gym.Env):
    """Stay near the middle of a line."""

    metadata: ClassVar = {"render_modes": [], "observation_names": ["place"], "action_names": ["left", "right"]}
    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = self.np_random.uniform(-1.0, 1.0, (1,))
        return self.place.copy(), {}

    def step(self, action):
        self.place = self.place + (0.5 if action == 1 else -0.5)
        return self.place.copy(), 1.0, bool(abs(self.place[0]) > 3.0), False, {}


def _step(state, actions, parameters):
    from evonet.environments.known.arithmetic import where

    (place,) = state
    place = place + where(actions[0] == 1.0, 0.5, -0.5)
    return (place,), 1.0 + 0.0 * place, np.abs(place) > 3.0


LINE_KERNEL = Kernel(Line, lambda rng: rng.uniform(-1.0, 1.0, (1,)).tolist(), lambda state: state, _step)


def nearness(genomes, episode_seeds):
    """A fitness function: how near a genome is to zeros."""
    return -(genomes**2).sum(axis=1)
