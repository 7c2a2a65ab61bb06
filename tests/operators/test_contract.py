"""Every operator keeps its contract. A new one is held to it the moment it is entered in its registry."""

import pytest

from evonet.operators.crossover import CROSSOVERS
from evonet.operators.initialisation import INITIALISATIONS
from evonet.operators.mutation import MUTATIONS
from evonet.operators.niching import NICHINGS
from evonet.operators.replacement import REPLACEMENTS
from evonet.operators.selection import SELECTIONS
from evonet.testing import check_crossover, crossover, operators, parametrize_checks


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


@pytest.mark.parametrize("check", operators.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "registry", [REPLACEMENTS, NICHINGS, INITIALISATIONS], ids=["replacement", "niching", "initial"]
)
def test_settings_of_the_other_operators_keep_their_contract(registry, check):
    for operator in made(registry).values():
        check(operator)
