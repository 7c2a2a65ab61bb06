"""Every algorithm that a config may name keeps its contract, whoever wrote it."""

import functools

import pytest

from evonet.experiment.algorithms import ALGORITHMS
from evonet.settings import argument_hints
from evonet.testing import check_only_the_order_of_fitness_counts, parametrize_checks, strategy
from tests.archived import ARCHIVED

pytest.importorskip("cmaes")

REST = {
    "restarts": {"algorithm": functools.partial(ALGORITHMS["snes"])},
    "relay": {
        "algorithm": functools.partial(ALGORITHMS["snes"]),
        "then": functools.partial(ALGORITHMS["cma_es"], sigma=0.2),
        "generations": 30,
    },
    "growing": {"algorithm": functools.partial(ALGORITHMS["snes"])},
    "islands": {
        "algorithm": functools.partial(ALGORITHMS["genetic_algorithm"], population_size=32, elites=2),
        "interval": 2,
    },
    "novelty_search": {
        "algorithm": functools.partial(ALGORITHMS["genetic_algorithm"], population_size=32),
        "measures": ["x", "y"],
    },
}
MADE = {name: functools.partial(ALGORITHMS[name], **REST.get(name, {})) for name in sorted(set(ALGORITHMS) - ARCHIVED)}
EXPLORING = ("novelty_search", "random_search")  # they climb no hill
LEARNING = {name: make for name, make in MADE.items() if name not in EXPLORING}
ORDER_ONLY = sorted(set(MADE) - {"ars", "cosyne"})  # these two weigh fitness itself, as their papers have it


@parametrize_checks("strategy", LEARNING)
def test_an_algorithm_keeps_its_contract(check):
    check()


@pytest.mark.parametrize("check", strategy.GUESSING_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", EXPLORING)
def test_one_that_climbs_no_hill_keeps_what_does_not_speak_of_learning(name, check):
    check(MADE[name])


def test_guessing_does_not_climb():
    assert strategy.steps_to_the_top(MADE["random_search"], 1) >= 20_000


@pytest.mark.parametrize("name", ORDER_ONLY)
def test_only_the_order_of_fitness_counts(name):
    check_only_the_order_of_fitness_counts(MADE[name])


@pytest.mark.parametrize("name", sorted(MADE))
def test_no_setting_is_without_its_rule(name):
    hints = argument_hints(ALGORITHMS[name])
    assert {"architecture", "seed"} <= set(hints)
