"""Numbers of operators that follow schedules."""

import math

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.genetic_algorithm import GeneticAlgorithm
from evonet.operators.crossover import NoCrossover, OnePoint
from evonet.operators.mutation import Gaussian, SelfAdaptive, UniformReset
from evonet.operators.schedules import SCHEDULES, Constant, Exponential, Linear, OneFifth, Stagnation
from evonet.operators.selection import Tournament
from evonet.settings import Count, Probability, argument_hints, fitted
from evonet.strategies.restarts import Restarts

ARCHITECTURE = Architecture(3, 4, 2)
EXAMPLES = {
    "constant": Constant(0.3),
    "linear": Linear(0.5, 0.1, 4),
    "exponential": Exponential(0.8, 0.1, 3),
    "one_fifth": OneFifth(0.4),
    "stagnation": Stagnation(0.2, patience=2),
}


def course(schedule, generations, success=math.nan, stagnation=lambda generation: 1):
    numbers, number = [], schedule.extremes[0]
    for generation in range(generations):
        number = schedule.following(number, generation, success, stagnation(generation))
        numbers.append(number)
    return numbers


def test_a_linear_course_ends_where_it_is_told_and_stays():
    assert course(Linear(0.5, 0.1, 4), 7) == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1])
    assert course(Linear(1, 3, 2), 3) == [1, 2, 3]


def test_an_exponential_course_has_equal_factors():
    assert course(Exponential(0.8, 0.1, 3), 5) == pytest.approx([0.8, 0.4, 0.2, 0.1, 0.1])
    assert course(Exponential(0.3, 0.7, 9), 12)[0] == 0.3
    assert course(Exponential(0.3, 0.7, 9), 12)[-1] == 0.7


def test_a_constant_course_stays():
    assert course(Constant(0.3), 3) == [0.3] * 3


def test_the_one_fifth_rule_grows_above_a_fifth_shrinks_below_and_rests_there():
    rule = OneFifth(1.0, factor=2.0, least=0.1, most=5.0)
    assert course(rule, 4, success=0.3) == [2.0, 4.0, 5.0, 5.0]
    assert course(rule, 2, success=0.1) == pytest.approx([2**-0.25, 2**-0.5])
    assert course(rule, 30, success=0.0)[-1] == 0.1
    assert course(rule, 3, success=0.2) == [1.0] * 3
    assert course(rule, 3) == [1.0] * 3, "as long as nobody was born there is nothing to judge by"
    four_failures_undo_one_success = 2.0 * (2**-0.25) ** 4
    assert four_failures_undo_one_success == pytest.approx(1.0)


def test_stagnation_triggers_after_each_patience_and_a_better_one_starts_again():
    stagnation = [0, 1, 2, 3, 4, 5, 0, 1, 2].__getitem__
    assert course(Stagnation(1.0, 2.0, patience=2), 9, stagnation=stagnation) == [1, 1, 2, 2, 4, 4, 1, 1, 2]
    assert max(course(Stagnation(1.0, 2.0, 1, limit=3.0), 9, stagnation=lambda g: g)) == 3.0
    assert min(course(Stagnation(1.0, 0.5, 1, limit=0.3), 9, stagnation=lambda g: g)) == 0.3


@pytest.mark.parametrize("name", SCHEDULES)
def test_each_schedule_stands_for_a_number_and_its_state_goes_on_with_the_same_bits(name):
    def make():
        mutation = [SelfAdaptive(sigma=EXAMPLES[name]), Gaussian(sigma=EXAMPLES[name], rate=EXAMPLES[name])]
        return GeneticAlgorithm(ARCHITECTURE, 12, 2, mutation=mutation, seed=4)

    original, other = make(), make()
    for generation in range(9):
        original.tell(np.floor(-(original.ask() ** 2).sum(axis=1)))
        other.restore(original.state())
        assert np.array_equal(original.ask(), other.ask()), generation


def used(algorithm, generations, fitness=lambda genomes: genomes.sum(axis=1)):
    """The operators at work in each generation."""
    at_work = []
    for _ in range(generations):
        algorithm.tell(fitness(algorithm.ask()))
        algorithm.ask()
        resolve = algorithm._scheduled.resolve
        at_work.append(
            {
                "selection": resolve("selection", algorithm.selection),
                **{f"mutation {n}": resolve(f"mutation {n}", m) for n, m in enumerate(algorithm.mutations, start=1)},
            }
        )
    return at_work


def test_every_generation_works_with_its_own_numbers():
    algorithm = GeneticAlgorithm(
        ARCHITECTURE,
        12,
        Linear(0, 4, 4),
        Tournament(size=Linear(1, 3, 4)),
        mutation=[Gaussian(), Gaussian(sigma=Linear(0.5, 0.1, 4))],
    )
    at_work = used(algorithm, 6)
    assert [work["selection"].size for work in at_work] == [1, 2, 2, 2, 3, 3]  # halves are rounded to even
    assert [work["mutation 2"].sigma for work in at_work] == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1, 0.1])
    assert all(work["mutation 1"] == Gaussian() for work in at_work)


def test_elites_may_follow_a_schedule():
    algorithm = GeneticAlgorithm(ARCHITECTURE, 8, Linear(0, 6, 3), mutation=Gaussian(rate=1.0))
    kept = []
    for _ in range(5):
        before = set(algorithm.ask() and [] if False else map(bytes, algorithm.ask()))
        algorithm.tell(algorithm.population.genomes.sum(axis=1))
        kept.append(len(before & set(map(bytes, algorithm.ask()))))
    assert kept == [0, 2, 4, 6, 6]
    with pytest.raises(ValueError, match=r"GeneticAlgorithm.elites must be below population_size \(8\), got 8"):
        GeneticAlgorithm(ARCHITECTURE, 8, Linear(0, 8, 3))


def test_success_is_that_of_newborn_over_both_parents():
    algorithm = GeneticAlgorithm(
        ARCHITECTURE, 10, 2, crossover=NoCrossover(), mutation=Gaussian(OneFifth(1.0, factor=2.0), rate=1.0)
    )
    for fitness in (np.zeros(10), np.arange(10.0), np.zeros(10)):
        algorithm.ask()
        algorithm.tell(fitness)
    sigmas = [algorithm._scheduled.resolve("mutation 1", algorithm.mutations[0]).sigma]
    algorithm.ask()
    sigmas.append(algorithm._scheduled.resolve("mutation 1", algorithm.mutations[0]).sigma)
    assert sigmas == pytest.approx([2.0, 2.0 * 2**-0.25])  # all born of 0 got more; then all got less


def test_a_number_out_of_its_range_is_refused_wherever_in_the_course_it_lies():
    with pytest.raises(ValueError, match=r"^Gaussian.sigma must be greater than 0, got -1"):
        Gaussian(sigma=Linear(1.0, -1.0, 5))
    with pytest.raises(ValueError, match=r"^Gaussian.rate must be at most 1, got 1.5"):
        Gaussian(rate=Linear(1.5, 0.5, 5))
    with pytest.raises(ValueError, match=r"^UniformReset.low must be below high"):
        UniformReset(low=Linear(-1.0, 2.0, 5), high=1.0)
    with pytest.raises(ValueError, match=r"^OnePoint.points must be 1"):
        OnePoint(points=Linear(1, 2, 5))


def test_a_course_that_leaves_the_range_stays_at_its_edge():
    assert fitted(Probability, 3.0) == 1.0
    assert fitted(argument_hints(Gaussian)["sigma"], -3.0) > 0.0
    assert fitted(Count, 0.2) == 1
    algorithm = GeneticAlgorithm(ARCHITECTURE, 6, mutation=Gaussian(rate=Stagnation(0.5, 3.0, patience=1)))
    used(algorithm, 5, lambda genomes: np.zeros(len(genomes)))
    assert algorithm._scheduled.resolve("mutation 1", algorithm.mutations[0]).rate == 1.0


def test_only_numbers_of_operators_may_follow_schedules():
    with pytest.raises(TypeError, match=r"^Restarts.factor must be a number, got Linear"):
        Restarts(ARCHITECTURE, GeneticAlgorithm, factor=Linear(1, 2, 3))
    with pytest.raises(ValueError, match=r"^SelfAdaptive.scope must be one of 'gene', 'individual', got Linear"):
        SelfAdaptive(scope=Linear(1, 2, 3))


def test_what_follows_no_schedule_is_itself():
    gaussian = Gaussian()
    algorithm = GeneticAlgorithm(ARCHITECTURE, 6, mutation=gaussian)
    assert used(algorithm, 2)[1]["mutation 1"] is gaussian
    assert "schedules" not in algorithm.state()
