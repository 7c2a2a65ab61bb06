"""Contract checks for parts of your own: each is a function that raises an AssertionError if a promise is broken.

`check_mutation(Mine())` runs all checks of a mutation. In pytest, each check is a test of its own:

    @parametrize_checks("mutation", {"mine": Mine(rate=0.3)})
    def test_my_mutation(check):
        check()

Only `parametrize_checks` needs pytest. evonet's own parts are tested by the same functions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evonet.settings import chosen
from evonet.testing import archive, crossover, environment, fitness, mutation, selection, strategy
from evonet.testing.archive import check_archive
from evonet.testing.contract import Check, as_parameters
from evonet.testing.crossover import check_crossover
from evonet.testing.environment import check_environment
from evonet.testing.fitness import check_fitness
from evonet.testing.kernel import check_kernel
from evonet.testing.mutation import check_mutation
from evonet.testing.selection import check_selection
from evonet.testing.strategy import check_only_the_order_of_fitness_counts, check_strategy

CHECKS: dict[str, tuple[Check, ...]] = {
    "archive": archive.CHECKS,
    "crossover": crossover.CHECKS,
    "environment": environment.CHECKS,
    "fitness": fitness.CHECKS,
    "kernel": (check_kernel,),
    "mutation": mutation.CHECKS,
    "selection": selection.CHECKS,
    "strategy": strategy.CHECKS,
}
"""The checks of each contract."""


def parametrize_checks(contract: str, parts: Mapping[str, Any]) -> Any:
    """Parametrise a pytest test, by its argument `check`, over all checks of all parts.

    Args:
        contract: a key of `CHECKS`.
        parts: what the contract's function `check_…` is called with, by the name that its tests shall have; a tuple
            for several arguments, such as `(kernel, environment_id)`.

    Raises:
        ValueError: there is no such contract.
        ModuleNotFoundError: pytest is not installed.
    """
    return as_parameters(chosen("parametrize_checks.contract", contract, CHECKS), parts)


__all__ = [
    "CHECKS",
    "check_archive",
    "check_crossover",
    "check_environment",
    "check_fitness",
    "check_kernel",
    "check_mutation",
    "check_only_the_order_of_fitness_counts",
    "check_selection",
    "check_strategy",
    "parametrize_checks",
]
