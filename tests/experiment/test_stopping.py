"""The stop rule: each limit alone, the first of several, and the target."""

import numpy as np
import pytest

from evonet import Champion, Generation, Population, Score
from evonet.architecture import Architecture
from evonet.evaluation.results import EpisodeResults
from evonet.experiment.stopping import Stop, StopRule

ARCHITECTURE = Architecture(1, 1, 1)


def generation(number=0, *, best=0.0, validation=None, evaluations=0, steps=0):
    population = Population(ARCHITECTURE, np.zeros((2, 4)), fitness=np.array([best, -np.inf]))
    champion = None
    if validation is not None:
        champion = Champion(ARCHITECTURE, np.zeros(4), validation=Score(np.array(validation, dtype=np.float64)))
    return Generation(number, population, EpisodeResults.empty(2, None), evaluations, steps, 0, champion)


def reasons(stop, turns, target=None, seconds=(), test_episodes=100):
    rule = StopRule(stop, target, test_episodes)
    times = seconds or [0.0] * len(turns)
    return [rule.update(turn, time) for turn, time in zip(turns, times, strict=True)]


def test_generations_are_counted_from_one():
    turns = [generation(n) for n in range(3)]
    assert reasons(Stop(generations=3), turns) == [None, None, "generations"]
    assert reasons(Stop(generations=1), turns[:1]) == ["generations"]


def test_evaluations_steps_and_seconds_stop_where_they_are_reached_or_passed():
    turns = [generation(n, evaluations=10 * (n + 1), steps=7 * (n + 1)) for n in range(3)]
    assert reasons(Stop(None, evaluations=20), turns) == [None, "evaluations", "evaluations"]
    assert reasons(Stop(None, environment_steps=15), turns) == [None, None, "environment_steps"]
    assert reasons(Stop(None, seconds=2), turns, seconds=[0.5, 1.9, 2.1]) == [None, None, "seconds"]


def test_without_a_limit_a_run_goes_on():
    turns = [generation(n, best=5.0, validation=[5.0], evaluations=n, steps=n) for n in range(2000)]
    assert set(reasons(Stop(None, target=None), turns)) == {None}


def test_stagnation_counts_generations_without_a_better_champion():
    best = [1, 2, 2, 2, 3, 3, 3, 3]
    turns = [generation(n, best=9.0 + n, validation=[v]) for n, v in enumerate(best)]
    assert reasons(Stop(stagnation=3), turns) == [None] * 7 + ["stagnation"]


def test_stagnation_counts_generations_without_better_fitness_where_nothing_is_validated():
    turns = [generation(n, best=b) for n, b in enumerate([1.0, 3.0, 2.0, 2.5, 1.0])]
    assert reasons(Stop(stagnation=2), turns) == [None, None, None, "stagnation", "stagnation"]


def test_a_run_in_which_every_evaluation_fails_stagnates_too():
    turns = [generation(n, best=-np.inf) for n in range(4)]
    assert reasons(Stop(stagnation=2), turns) == [None, None, "stagnation", "stagnation"]


def test_the_target_is_for_the_validation_mean_not_for_training():
    turns = [generation(0, best=99.0, validation=[4.0, 5.0]), generation(1, best=0.0, validation=[4.0, 6.0])]
    assert reasons(Stop(), turns, target=5.0) == [None, "target"]


def test_without_validation_the_target_is_for_fitness():
    assert reasons(Stop(), [generation(best=4.9), generation(1, best=5.0)], target=5.0) == [None, "target"]


def test_the_target_is_named_before_any_limit():
    assert reasons(Stop(generations=1), [generation(validation=[7.0])], target=7.0) == ["target"]


def test_a_target_below_zero_is_a_target():
    turns = [generation(validation=[-130.0]), generation(1, validation=[-100.0])]
    assert reasons(Stop(), turns, target=-110.0) == [None, "target"]


def test_a_confident_run_goes_on_until_the_test_will_hardly_fall_below_the_target():
    unsure, sure = [0.0, 20.0] * 5, [9.9, 10.3] * 5
    turns = [generation(0, validation=unsure), generation(1, validation=sure)]
    assert reasons(Stop(confident=False), turns, target=9.5) == ["target", "target"]
    assert reasons(Stop(confident=True), turns, target=9.5) == [None, "target"]
    assert reasons(Stop(confident=True), [generation(best=10.0)], target=9.5) == ["target"]  # nothing to be unsure of


def test_a_short_test_needs_more_confidence_than_a_long_one():
    turns = [generation(validation=[9.0, 11.0] * 50)]
    few, many = (reasons(Stop(confident=True), turns, target=9.7, test_episodes=n) for n in (10, 10_000))
    assert (few, many) == ([None], ["target"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"generations": 0}, "Stop.generations must be at least 1, got 0"),
        ({"evaluations": -5}, "Stop.evaluations must be at least 1, got -5"),
        ({"seconds": 0.0}, "Stop.seconds must be greater than 0, got 0.0"),
        ({"stagnation": 0}, "Stop.stagnation must be at least 1, got 0"),
    ],
    ids=str,
)
def test_limits_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError) as refused:
        Stop(**settings)
    assert str(refused.value) == message
