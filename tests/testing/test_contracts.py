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
from evonet import Architecture, EpisodeReturn, EvonetError, FunctionFitness, GeneticAlgorithm, testing
from evonet.activations import Activation
from evonet.environments.specification import EnvironmentSpec
from evonet.operators.crossover import Crossover, Uniform
from evonet.operators.initialisation import Normal
from evonet.operators.mutation import Gaussian
from evonet.operators.niching import NoNiching
from evonet.operators.replacement import Plus
from evonet.operators.schedules import Constant
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
        (functools.partial(Walk, "raise"), r"^Gymnasium's checker: broken at step 1$|^an episode failed: exception"),
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
    with pytest.raises((EvonetError, OSError), match="the robot is not plugged in"):
        testing.check_environment(Impossible)


def luck(genomes, episode_seeds):
    return np.random.normal(size=len(genomes))  # noqa: NPY002


def rivalry(genomes, episode_seeds):
    return genomes.sum(axis=1) - genomes.sum()


def vandalism(genomes, episode_seeds):
    genomes[0] = 0.0
    return genomes.sum(axis=1)


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
        (FunctionFitness(vandalism, ARCHITECTURE), "must not write its arguments"),
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
class FirstGeneStays(Uniform):
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


@dataclass(frozen=True)
class Crowded(Plus):
    """Lets all live on."""

    def __call__(self, rng, fitness, ids, elites):
        everyone = np.argsort(-fitness, kind="stable")
        return everyone, everyone


@dataclass(frozen=True)
class Merciless(Plus):
    """Forgets the elites."""

    def __call__(self, rng, fitness, ids, elites):
        return super().__call__(rng, fitness, ids, 0)


@dataclass(frozen=True)
class Unordered(Plus):
    """Names the least fit survivor first."""

    def __call__(self, rng, fitness, ids, elites):
        survivors, breeders = super().__call__(rng, fitness, ids, elites)
        return survivors[::-1], breeders


@dataclass(frozen=True)
class ByIds(Plus):
    """Takes ids for rows."""

    def __call__(self, rng, fitness, ids, elites):
        survivors, _ = super().__call__(rng, fitness, ids, elites)
        return survivors, ids[survivors]


@dataclass(frozen=True)
class Childless(Plus):
    """Lets nobody breed."""

    def __call__(self, rng, fitness, ids, elites):
        survivors, breeders = super().__call__(rng, fitness, ids, elites)
        return survivors, breeders[:0]


@pytest.mark.parametrize(
    ("replacement", "broken"),
    [
        (Crowded(), r"must leave room for a child, got \d+ survivors"),
        (Merciless(mu=0.01), r"must let the \d+ fittest live on"),
        (Unordered(), "must return the fittest survivors first"),
        (ByIds(), r"breeders must be rows below \d+"),
        (Childless(), "must let somebody breed"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_broken_replacement_is_found_out(replacement, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_replacement(replacement)


@dataclass(frozen=True)
class Halved(NoNiching):
    """Gives each child one parent."""

    def __call__(self, rng, parents, count, selection):
        return selection(rng, parents, count)


@dataclass(frozen=True)
class LastLeftOut(NoNiching):
    """Never looks at the last row."""

    def __call__(self, rng, parents, count, selection):
        return selection(rng, parents[np.arange(max(1, len(parents) - 1))], 2 * count)


@dataclass(frozen=True)
class Upside(NoNiching):
    """Prefers the least fit."""

    def __call__(self, rng, parents, count, selection):
        return selection(rng, replace(parents, fitness=-parents.fitness), 2 * count)


@dataclass(frozen=True)
class Mismatched(NoNiching):
    """Has fewer genomes than fitness."""

    def __call__(self, rng, parents, count, selection):
        return selection(rng, replace(parents, genomes=parents.genomes[:1]), 2 * count)


@dataclass(frozen=True)
class Unnumbered(NoNiching):
    """Divides by distances of which some are none."""

    def __call__(self, rng, parents, count, selection):
        with np.errstate(all="ignore"):
            distances = ((parents.genomes - parents.genomes[0]) ** 2).sum(axis=1)
            return selection(rng, replace(parents, fitness=parents.fitness / distances), 2 * count)


@pytest.mark.parametrize(
    ("niching", "broken"),
    [
        (Halved(), r"must return \d+ rows, got the shape"),
        (LastLeftOut(), r"rows \[15\] never became parents"),
        (Upside(), "must leave the fitter their advantage"),
        (Mismatched(), "must select among the parents"),
        (Unnumbered(), "must select by finite float64 fitness"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_broken_niching_is_found_out(niching, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_niching(niching)


@dataclass(frozen=True)
class OneForAll(Normal):
    """Draws one genome and copies it."""

    def __call__(self, rng, count, architecture):
        return np.repeat(super().__call__(rng, 1, architecture), count, axis=0)


@dataclass(frozen=True)
class Deaf(Normal):
    """Has a generator of its own."""

    def __call__(self, rng, count, architecture):
        return super().__call__(np.random.default_rng(7), count, architecture)


@dataclass(frozen=True)
class LayerAsleep(Normal):
    """Leaves the weights of a layer at 0."""

    def __call__(self, rng, count, architecture):
        genomes = super().__call__(rng, count, architecture)
        architecture.views(genomes)["hidden_output_weights"][...] = 0.0
        return genomes


@dataclass(frozen=True)
class Symmetric(Normal):
    """Gives all neurons of a layer the same weights, so that they never differ."""

    def __call__(self, rng, count, architecture):
        genomes = super().__call__(rng, count, architecture)
        weights = architecture.views(genomes)["input_hidden_weights"]
        weights[...] = weights[:, :, :1]
        return genomes


@pytest.mark.parametrize(
    ("initialisation", "broken"),
    [
        (OneForAll(), "must not draw two equal genomes"),
        (Deaf(), "must draw other genomes with another generator"),
        (LayerAsleep(), "must vary every weight, some hidden_output_weights never do"),
        (Symmetric(), "must not draw two input_hidden_weights alike in all"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_broken_initialisation_is_found_out(initialisation, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_initialisation(initialisation)


@dataclass(frozen=True)
class Whimsical(Constant):
    """Draws its numbers."""

    def following(self, number, generation, success, stagnation):
        return number * random.random()


@dataclass(frozen=True)
class Counting(Constant):
    """Remembers how often it was asked."""

    def following(self, number, generation, success, stagnation):
        asked = self.__dict__.setdefault("asked", [])
        asked.append(generation)
        return 1.0 / len(asked)


@dataclass(frozen=True)
class Endless(Constant):
    """Grows by the success, which may be none."""

    def following(self, number, generation, success, stagnation):
        return number * (1.0 + success)


@dataclass(frozen=True)
class Startless(Constant):
    """Does not say where it starts."""

    extremes = ()


@pytest.mark.parametrize(
    ("schedule", "broken"),
    [
        (Whimsical(1.0), "drew from a global one|must depend on its arguments only"),
        (Counting(1.0), "must depend on its arguments only"),
        (Endless(1.0), "following must be a finite number, got nan"),
        (Startless(1.0), "extremes must have the first number"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_a_broken_schedule_is_found_out(schedule, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_schedule(schedule)


def in_place(function):
    def apply(x):
        x[...] = function(x)

    return apply


@pytest.mark.parametrize(
    ("apply", "low", "high", "broken"),
    [
        (np.tanh, -1.0, 1.0, "must work in place and return nothing"),
        (in_place(lambda x: x / x.sum()), -np.inf, np.inf, "must look at each number by itself"),
        (in_place(lambda x: np.log1p(np.exp(x))), 0.0, np.inf, "must not overflow"),
        (in_place(lambda x: np.nan_to_num(np.tanh(x))), -1.0, 1.0, "must keep NaN"),
        (in_place(np.tanh), 0.0, 1.0, r"must stay within \[0.0, 1.0\]"),
        (in_place(np.tanh), -2.0, 1.0, "low and high must be the bounds of its image"),
        (in_place(np.tanh), -np.inf, np.inf, "low and high must be the bounds of its image"),
    ],
)
def test_a_broken_activation_is_found_out(apply, low, high, broken):
    with pytest.raises(AssertionError, match=broken):
        testing.check_activation(Activation(apply, low, high, "of somebody's own"))


def test_an_activation_must_say_what_it_is():
    with pytest.raises(AssertionError, match="summary must be a line"):
        testing.check_activation(Activation(in_place(np.tanh), -1.0, 1.0, " "))


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
        ValueError, match=r"must be a known name, got 'mutations'; did you mean 'mutation'\? Known: act"
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
