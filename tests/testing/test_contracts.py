"""The contracts of `evonet.testing`: evonet's own parts keep them, and each kind of broken promise is named."""

import functools
import random
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

import evonet
from evonet import Architecture, EpisodeReturn, FunctionFitness, GeneticAlgorithm, testing
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import EnvironmentUnavailable
from evonet.operators.crossover import Crossover, UniformCrossover
from evonet.operators.mutation import Gaussian
from evonet.operators.selection import Tournament
from evonet.settings import Probability, Settings
from tests.environments_for_tests import MODULE, Forgetful, Impossible, Moody, Walk, closeness, failing

ARCHITECTURE = Architecture(2, 2, 1)


@testing.parametrize_checks(
    "environment", {"id": "CartPole-v1", "specification": EnvironmentSpec("MountainCar-v0"), "class": Walk}
)
def test_a_sound_environment_keeps_the_contract(check):
    check()


@testing.parametrize_checks(
    "fitness",
    {
        "episodes": EpisodeReturn(Walk, hidden=3),
        "one episode": EpisodeReturn("CartPole-v1", episodes=1, max_steps=50),
        "function": FunctionFitness(closeness, ARCHITECTURE, episodes=2),
        "faults": EpisodeReturn(functools.partial(Walk, "raise", 1), hidden=3),
    },
)
def test_a_sound_fitness_keeps_the_contract(check):
    check()


def unpicklable():
    return lambda: Walk("")


@pytest.mark.parametrize(
    ("environment", "broken"),
    [
        (
            Moody,
            r"^Gymnasium's checker: Deterministic step rewards|^the same genomes and seeds must give the same returns$",
        ),
        (Forgetful, r"^Gymnasium's checker: Deterministic|^the same genomes and seeds must give the same returns$"),
        (functools.partial(Walk, "raise"), r"^Gymnasium's checker: .*broken at step 1$|^an episode failed: exception"),
        (functools.partial(Walk, "nan reward", 5), r"^an episode failed: nonfinite, seed \d, step 5"),
        (functools.partial(Walk, "wrong shape", 5), r"^an episode failed: malformed"),
        (unpicklable(), r"^it must be possible to send it to worker processes"),
        (f"{MODULE}:evonet-tests/Wordy-v0", r"^a network must be able to act in it: "),
    ],
    ids=range(7),
)
def test_a_broken_environment_is_found_out(environment, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_environment(environment)


@pytest.mark.parametrize("environment", [Moody, Forgetful])
def test_an_environment_that_no_seed_decides_is_found_out_without_gymnasium_too(environment):
    with pytest.raises(AssertionError, match=r"^the same genomes and seeds must give the same returns$"):
        testing.environment.check_a_seed_decides_an_episode(environment)


def test_an_environment_that_cannot_be_made_says_so_itself():
    with pytest.raises(EnvironmentUnavailable, match="the robot is not plugged in"):
        testing.check_environment(Impossible)


def luck(genomes, episode_seeds):
    return np.random.normal(size=len(genomes))  # noqa: NPY002


def rivalry(genomes, episode_seeds):
    return genomes.sum(axis=1) - genomes.sum()


class Vandalism(FunctionFitness):
    """Writes the genomes that it was given."""

    def __call__(self, genomes, episode_seeds, normaliser=None):
        genomes[0] = 0.0
        return super().__call__(genomes, episode_seeds, normaliser)


class Forgiving(FunctionFitness):
    """Does not say which returns are none, and takes them for nothing."""

    def __call__(self, genomes, episode_seeds):
        results = super().__call__(genomes, episode_seeds)
        results.faults.clear()
        return results


class Lenient(FunctionFitness):
    def aggregate(self, returns):
        return np.nanmean(returns, axis=1)


@pytest.mark.parametrize(
    ("fitness", "broken"),
    [
        (FunctionFitness(luck, ARCHITECTURE), "drew from a global one"),
        (FunctionFitness(rivalry, ARCHITECTURE), "a genome must score alone|the order of the genomes"),
        (Vandalism(closeness, ARCHITECTURE), "must not write its arguments"),
        (Forgiving(failing, ARCHITECTURE), "must be a fault"),
        (Lenient(closeness, ARCHITECTURE, episodes=2), "aggregate must give -inf where a return is NaN"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_broken_fitness_is_found_out(fitness, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_fitness(fitness)


@dataclass(frozen=True)
class Timid(Tournament):
    """Takes the least fit."""

    def __call__(self, rng, parents, count):
        return super().__call__(rng, replace(parents, fitness=-parents.fitness), count)


@dataclass(frozen=True)
class Sorted(Tournament):
    """Returns the parents in order."""

    def __call__(self, rng, parents, count):
        return np.sort(super().__call__(rng, parents, count))


@dataclass(frozen=True)
class Stubborn(Tournament):
    """Draws from a generator of its own."""

    def __call__(self, rng, parents, count):
        return super().__call__(np.random.default_rng(1), parents, count)


@dataclass(frozen=True)
class Worldly(Tournament):
    """Draws from Python's generator."""

    def __call__(self, rng, parents, count):
        return np.array([random.randrange(len(parents)) for _ in range(count)], dtype=np.int64)


@pytest.mark.parametrize(
    ("selection", "broken"),
    [
        (Timid(), "must not give a fitter individual the smaller chance"),
        (Sorted(), "must return parents in random order"),
        (Stubborn(), "must choose other parents with another generator"),
        (Worldly(), "drew from a global one"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_broken_selection_is_found_out(selection, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_selection(selection)


@dataclass(frozen=True)
class Greedy(Crossover):
    """Takes all from the second parent, in the parent's own memory."""

    def combine(self, rng, first, second, architecture):
        return second


@dataclass(frozen=True)
class FirstGeneStays(UniformCrossover):
    """As a crossover with a cut that can never lie before the first gene."""

    def combine(self, rng, first, second, architecture):
        children = super().combine(rng, first, second, architecture)
        children[:, 0] = first[:, 0]
        return children


@pytest.mark.parametrize(
    ("crossover", "broken"),
    [
        (Greedy(), "must return children in a new array"),
        (FirstGeneStays(), r"genes \[0\] can never come from the second parent"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_broken_crossover_is_found_out(crossover, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_crossover(crossover)


@dataclass(frozen=True)
class InPlace(Settings):
    """Writes what it is given."""

    def __call__(self, rng, genomes, parents):
        genomes += rng.normal(size=genomes.shape)
        return genomes


@dataclass(frozen=True)
class Alike(Settings):
    """The same step for all."""

    def __call__(self, rng, genomes, parents):
        return genomes + rng.normal(size=genomes.shape[1])


@dataclass(frozen=True)
class Spared(Gaussian):
    """Never touches the last gene."""

    def __call__(self, rng, genomes, parents):
        mutants = super().__call__(rng, genomes, parents)
        mutants[:, -1] = genomes[:, -1]
        return mutants


@dataclass(frozen=True)
class Unchecked:
    """Takes any setting."""

    rate: Probability = 0.5

    def __call__(self, rng, genomes, parents):
        return genomes + rng.normal(size=genomes.shape)


@dataclass(frozen=True)
class Boundless(Settings):
    """A setting without a range."""

    steps: int = 3


@dataclass(unsafe_hash=True)
class Soft:
    """Its settings may be changed."""

    rate: Probability = 0.5


@dataclass(frozen=True)
class Silent(Settings):
    rate: Probability = 0.5


@pytest.mark.parametrize(
    ("mutation", "broken"),
    [
        (InPlace(), "must not write its arguments"),
        (Alike(), "must not change two genomes by the same steps"),
        (Spared(), r"genes \[1\] are never mutated"),
        (Unchecked(), "Unchecked.rate must refuse '0.5'; derive the class from evonet.settings.Settings"),
        (Boundless(), "Boundless.steps needs a range"),
        (Soft(), "Soft must be frozen"),
        (Silent(), "Silent must have a docstring"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_broken_mutation_is_found_out(mutation, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_mutation(mutation)


class Restless(GeneticAlgorithm):
    def ask(self):
        return super().ask() + np.random.default_rng(len(self.population)).normal()


class Amnesiac(GeneticAlgorithm):
    def restore(self, state):
        super().restore({**state, "generation": 0})


class Lazy(GeneticAlgorithm):
    def tell(self, fitness):
        super().tell(np.zeros(len(self.population)) if len(fitness) == len(self.population) else fitness)


@pytest.mark.parametrize(
    ("strategy", "broken"),
    [
        (Restless, "population.genomes must be what ask returned"),
        (Amnesiac, "it must ask for the genomes that it would have asked for"),
        (Lazy, "population.fitness must be what tell was given"),
    ],
)
def test_a_broken_strategy_is_found_out(strategy, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_strategy(functools.partial(strategy, population_size=20))


def test_a_contract_that_there_is_not_is_refused_with_those_that_there_are():
    with pytest.raises(
        ValueError,
        match=r"must be a known name, got 'mutations'; did you mean 'mutation'\? Known: archive, crossover, env",
    ):
        testing.parametrize_checks("mutations", {})


def test_every_contract_has_its_function():
    assert set(testing.__all__) >= {f"check_{contract}" for contract in testing.CHECKS}


def test_the_checks_do_without_pytest_and_hold_where_python_leaves_out_asserts():
    program = (
        "import sys\n"
        "sys.modules['pytest'] = sys.modules['hypothesis'] = None\n"
        "from evonet.operators.mutation import Gaussian\n"
        "from evonet.testing import check_mutation\n"
        "class Deaf(Gaussian):\n"
        '    """Does nothing."""\n'
        "    def __call__(self, rng, genomes, parents):\n"
        "        return genomes.copy()\n"
        "check_mutation(Gaussian())\n"
        "try:\n"
        "    check_mutation(Deaf())\n"
        "except AssertionError as error:\n"
        "    print(error)\n"
    )
    root = Path(evonet.__file__).parents[1]
    done = subprocess.run([sys.executable, "-O", "-c", program], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "Deaf on 1-1-1 (sigmoid/sigmoid, no bias): genes [0 1] are never mutated\n"
