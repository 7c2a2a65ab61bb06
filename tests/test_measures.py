"""Settings of measures and weights: what does not make sense is refused; weights make the fitness of measures."""

import re

import numpy as np
import pytest

from evonet.champion_selection import Validation
from evonet.evaluation.aggregation import episode_fitness
from evonet.evolution import evolve
from evonet.fitness import EpisodeReturn
from evonet.genetic_algorithm import GeneticAlgorithm
from evonet.measures import Condition, Measure, WrongMeasure
from evonet.seeding import Purpose, episode_seeds

PLACE = "the index of {}the measure 'x' must be less than"
FAR = Condition("reward", above=1.0)
ONE_OF = "Measure.of must be one of observation, action, reward, info, length, or module:function"
KNOWN = "Known: action, info, length, observation, reward"
INDEX = "Measure.index must be a whole number of at least 0, or several different ones"
LEFT_OUT = "Measure.{} must be left out where the measure is"
ELSE = "Measure.otherwise, in a config `else`,"
OTHERWISE = f"{ELSE} must be a finite number or what is taken of all steps"
TAKES = "Known: first, last, max, mean, min, share, sum"
NEVER = (
    f"{ELSE} must be given where `when` is and take is 'mean', for an episode in which the condition never holds: "
    "a number, or what is taken of all steps, such as 'last'"
)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"of": "observations"}, f"{ONE_OF}, got 'observations'; did you mean 'observation'? {KNOWN}"),
        ({"of": "info"}, "Measure.key must be given where info is read, got None"),
        ({"of": "action", "key": "x"}, "Measure.key must be left out where no info is read, got 'x'"),
        ({"of": "reward", "index": 0}, "Measure.index must be left out where the reward is read, which is one number"),
        ({"of": "action", "index": -1}, "Measure.index must be at least 0, got -1"),
        ({"of": "action", "index": [0, -1]}, f"{INDEX}, got [0, -1]"),
        ({"of": "action", "index": [1, 1]}, f"{INDEX}, got [1, 1]"),
        ({"of": "action", "power": 9}, "Measure.power must be at most 8, got 9"),
        ({"of": "action", "above": 2, "below": 1}, "Measure.above must be less than Measure.below, got 2 and 1"),
        ({"of": "action", "take": "share"}, "Measure.above or Measure.below must be given where take is 'share'"),
        ({"of": "length", "take": "sum"}, f"{LEFT_OUT.format('take')} the length of an episode"),
        ({"of": "a:b", "power": 2}, f"{LEFT_OUT.format('power')} a function of whole episodes"),
        (
            {"of": "action", "when": FAR, "otherwise": "latest"},
            f"{OTHERWISE}, got 'latest'; did you mean 'last'? {TAKES}",
        ),
        (
            {"of": "action", "otherwise": "last"},
            f"{ELSE} must go with `when`, or every step counts",
        ),
        ({"of": "action", "when": FAR}, NEVER),
    ],
)
def test_a_measure_that_makes_no_sense_is_refused(settings, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        Measure(**settings)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Measure("action", index="x"), "Measure.index must be a whole number of at least 0, or several "),
        (lambda: Measure("action", index=[True]), "Measure.index must be a whole number of at least 0, or several "),
        (lambda: Measure("action", when="reward"), "Measure.when must be a Condition, got 'reward'"),
        (lambda: EpisodeReturn("CartPole-v1", measures={"x": "action"}), "x must be a Measure, got 'action'"),
    ],
)
def test_a_setting_of_another_type_is_refused(make, message):
    with pytest.raises(TypeError, match="^" + message):
        make()


def test_a_condition_needs_a_bound():
    with pytest.raises(ValueError, match=r"^Condition.above or Condition.below must be given, because a condition "):
        Condition("reward")


@pytest.mark.parametrize(
    ("measures", "message"),
    [
        ({"x": Measure("observation", index=4)}, f"{PLACE.format('')} 4, because the observation has 4 numbers, got 4"),
        ({"x": Measure("action", index=1)}, f"{PLACE.format('')} 1, because the action has 1 number, got 1"),
        (
            {"x": Measure("reward", when=Condition("observation", index=[2, 5], above=0.0), otherwise=0)},
            f"{PLACE.format('the condition of ')} 4, because the observation has 4 numbers, got 5",
        ),
        ({"return": Measure("reward")}, "'return' must not be a measure's name: it is the name of the return"),
        ({"a,b": Measure("reward")}, "a measure's name must be letters, digits, '_', '-' and spaces, got 'a,b'"),
    ],
)
def test_measures_that_do_not_fit_the_environment_are_refused(measures, message):
    with pytest.raises(ValueError, match="^" + message):
        EpisodeReturn("CartPole-v1", measures=measures)


MEASURED = {"x": Measure("observation", index=0, take="last"), "effort": Measure("action", power=2)}
SEEDS = np.arange(3)


def scored(weights, aggregation="mean", engine="auto"):
    """Results and fitness of five random networks in CartPole."""
    settings = {"hidden": 2, "max_steps": 12, "aggregation": aggregation, "engine": engine}
    with EpisodeReturn("CartPole-v1", measures=MEASURED, weights=weights, **settings) as fitness:
        genomes = np.random.default_rng(0).standard_normal((5, fitness.architecture.genome_size))
        results = fitness(genomes, SEEDS)
        return results, fitness.aggregate(episode_fitness(fitness.task, results))


@pytest.mark.parametrize("engine", ["gymnasium", "numpy"])
def test_weights_make_the_fitness_of_return_and_measures_in_every_engine(engine):
    results, fitness = scored({"effort": -2.5, "return": 0.5}, "min", engine)
    worth = 0.5 * results.returns - 2.5 * results.measures[:, :, 1]
    assert fitness == pytest.approx(worth.min(axis=1), rel=1e-12)
    _, other = scored({"return": 0.5, "effort": -2.5}, "min", engine)
    assert other.tobytes() == fitness.tobytes()


def test_without_weights_the_fitness_is_the_return():
    results, fitness = scored(None)
    assert fitness.tobytes() == results.returns.mean(axis=1).tobytes()
    assert scored({"return": 1})[1].tobytes() == fitness.tobytes()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            {"efort": 1},
            "weights must be those of the return and of measures, got 'efort'; did you mean 'effort'? ",
        ),
        ({"effort": float("nan")}, "weights must be finite, got nan for 'effort'"),
        ({"effort": 0, "return": 0}, "weights must not all be 0, because every network would have the same fitness"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, message):
    with pytest.raises(WrongMeasure, match=f"^{re.escape(message)}"):
        scored(weights)
    with pytest.raises(TypeError, match=r"^weights must be numbers, got 'a' for 'x'"):
        scored({"x": "a"})


class Told(GeneticAlgorithm):
    """A genetic algorithm that keeps what it is told."""

    def tell(self, fitness, *, returns=None, measures=None):
        self.told = fitness, returns, measures
        super().tell(fitness)


def test_the_algorithm_and_the_choice_of_the_champion_go_by_the_weighed_fitness():
    weights = {"return": 1, "effort": -300}  # so that pushing left counts for more than balancing
    with EpisodeReturn("CartPole-v1", hidden=2, measures=MEASURED, weights=weights) as fitness:
        algorithm = Told(fitness.architecture, population_size=12, seed=1)
        generation = next(evolve(algorithm, fitness, seed=1, validation=Validation(episodes=4, candidates=12)))
        held_out = fitness(generation.population.genomes, episode_seeds(1, Purpose.VALIDATION, 0, 4))
        scores = generation.fitness
        worth = episode_fitness(fitness.task, held_out)
    told, episodes, measures = algorithm.told
    assert told.tobytes() == scores.tobytes() == episodes.mean(axis=1).tobytes()
    assert measures["return"].tobytes() == generation.results.returns.mean(axis=1).tobytes() != told.tobytes()
    best = int(worth.mean(axis=1).argmax())
    champion = generation.champion
    assert champion.id == generation.population.ids[best]
    assert best != int(held_out.returns.mean(axis=1).argmax())
    assert champion.validation.returns.tobytes() == held_out.returns[best].tobytes()
    assert champion.validation.fitness.tobytes() == worth[best].tobytes()
    assert champion.validation.mean == held_out.returns[best].mean()
    assert generation.weighted
