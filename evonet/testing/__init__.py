"""The contracts of evonet's parts, for parts of your own: each a function that raises an AssertionError, or returns.

`check_mutation(Mine())` runs all checks of a mutation. In pytest, each check is a test of its own:

    @parametrize_checks("mutation", {"mine": Mine(rate=0.3)})
    def test_my_mutation(check):
        check()

Nothing here needs pytest but `parametrize_checks`. The registered parts of evonet are held to the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonet.settings import chosen
from evonet.testing import (
    activation,
    crossover,
    environment,
    fitness,
    initialisation,
    mutation,
    niching,
    replacement,
    schedule,
    selection,
    strategy,
)
from evonet.testing.activation import check_activation
from evonet.testing.contract import Check, as_parameters
from evonet.testing.crossover import check_crossover
from evonet.testing.environment import check_environment
from evonet.testing.fitness import check_fitness
from evonet.testing.initialisation import check_initialisation
from evonet.testing.kernel import check_kernel
from evonet.testing.mutation import check_mutation
from evonet.testing.niching import check_niching
from evonet.testing.replacement import check_replacement
from evonet.testing.schedule import check_schedule
from evonet.testing.selection import check_selection
from evonet.testing.strategy import check_only_the_order_of_fitness_counts, check_strategy

CHECKS: dict[str, tuple[Check, ...]] = {
    "activation": activation.CHECKS,
    "crossover": crossover.CHECKS,
    "environment": environment.CHECKS,
    "fitness": fitness.CHECKS,
    "initialisation": initialisation.CHECKS,
    "kernel": (check_kernel,),
    "mutation": mutation.CHECKS,
    "niching": niching.CHECKS,
    "replacement": replacement.CHECKS,
    "schedule": schedule.CHECKS,
    "selection": selection.CHECKS,
    "strategy": strategy.CHECKS,
}
"""The checks of each contract."""


def parametrize_checks(contract: str, parts: Mapping[str, Any]) -> Any:
    """Parametrise a pytest test, by its argument `check`, over all checks of all parts.

    Args:
        contract: a key of `CHECKS`.
        parts: by the names that the tests shall have; what the contract's function `check_…` is called with, a tuple
            where that is more than one argument, such as `(kernel, environment_id)`.

    Raises:
        ValueError: there is no such contract.
        ModuleNotFoundError: pytest is not installed.
    """
    return as_parameters(chosen("parametrize_checks.contract", contract, CHECKS), parts)


__all__ = [
    "CHECKS",
    "check_activation",
    "check_crossover",
    "check_environment",
    "check_fitness",
    "check_initialisation",
    "check_kernel",
    "check_mutation",
    "check_niching",
    "check_only_the_order_of_fitness_counts",
    "check_replacement",
    "check_schedule",
    "check_selection",
    "check_strategy",
    "parametrize_checks",
]
