"""Every operator keeps its contract. A new one is held to it the moment it is entered in its registry."""

import pytest

from evonet.operators.crossover import CROSSOVERS
from evonet.operators.initialisation import INITIALISATIONS
from evonet.operators.mutation import MUTATIONS
from evonet.operators.niching import NICHINGS
from evonet.operators.replacement import REPLACEMENTS
from evonet.operators.schedules import SCHEDULES
from evonet.operators.selection import SELECTIONS
from evonet.testing import check_crossover, crossover, parametrize_checks
from evonet.testing.contract import as_parameters
from tests.operators import initialisation_contract, niching_contract, replacement_contract, schedule_contract


def made(registry):
    return {name: kind() for name, kind in registry.items()}


@parametrize_checks("selection", made(SELECTIONS))
def test_a_selection_keeps_its_contract(check):
    check()


@parametrize_checks("crossover", {name: kind for name, kind in made(CROSSOVERS).items() if name != "none"})
def test_a_crossover_keeps_its_contract(check):
    check()


@pytest.mark.parametrize("check", crossover.COPYING_CHECKS, ids=lambda check: check.__name__)
def test_no_crossover_keeps_what_does_not_speak_of_exchange(check):
    check(CROSSOVERS["none"]())


def test_no_crossover_exchanges_nothing():
    with pytest.raises(AssertionError, match=r"genes \[.*\] can never come from the second parent"):
        check_crossover(CROSSOVERS["none"]())


@parametrize_checks("mutation", made(MUTATIONS))
def test_a_mutation_keeps_its_contract(check):
    check()


@as_parameters(replacement_contract.CHECKS, made(REPLACEMENTS))
def test_a_replacement_keeps_its_contract(check):
    check()


@as_parameters(niching_contract.CHECKS, made(NICHINGS))
def test_a_niching_keeps_its_contract(check):
    check()


@as_parameters(initialisation_contract.CHECKS, made(INITIALISATIONS))
def test_an_initialisation_keeps_its_contract(check):
    check()


REQUIRED = {
    "constant": {"value": 0.5},
    "linear": {"start": 0.5, "end": 0.05, "generations": 4},
    "exponential": {"start": 0.5, "end": 0.05, "generations": 4},
    "one_fifth": {"start": 0.5},
    "stagnation": {"start": 0.5, "patience": 1},
}


@as_parameters(schedule_contract.CHECKS, {name: kind(**REQUIRED[name]) for name, kind in SCHEDULES.items()})
def test_a_schedule_keeps_its_contract(check):
    check()
