"""All operators that a setting of the genetic algorithm may name, and the names by which they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonet.operators.crossover import CROSSOVERS
from evonet.operators.initialisation import INITIALISATIONS
from evonet.operators.mutation import MUTATIONS
from evonet.operators.niching import NICHINGS
from evonet.operators.replacement import REPLACEMENTS
from evonet.operators.selection import SELECTIONS
from evonet.settings import argument_defaults

OPERATORS: dict[str, Mapping[str, type]] = {
    "selection": SELECTIONS,
    "crossover": CROSSOVERS,
    "mutation": MUTATIONS,
    "replacement": REPLACEMENTS,
    "niching": NICHINGS,
    "initialisation": INITIALISATIONS,
}
"""The registry of each kind of operator."""


def registered_name(kind: str, operator: object) -> str | None:
    """The name of an operator in YAML; None if its class is not in the registry of its kind."""
    return next((name for name, known in OPERATORS[kind].items() if type(operator) is known), None)


def display_name(kind: str, operator: object) -> str:
    """What reports call an operator, such as "gaussian mutation"; an unregistered one goes by its class."""
    return f"{registered_name(kind, operator) or type(operator).__name__} {kind}"


def check_operators(owner: type, **operators: Sequence[Any]) -> None:
    """Refuse a name or a class where an operator, an object that can be called, belongs.

    Args:
        owner: the class whose settings these are; its defaults serve as examples.
        **operators: by the name of the setting.

    Raises:
        TypeError: one of them is no operator.
    """
    examples = argument_defaults(owner)
    for setting, chosen in operators.items():
        for operator in chosen:
            if not callable(operator) or isinstance(operator, type):
                raise TypeError(
                    f"{owner.__name__}.{setting} must be an operator such as {examples[setting]}, got {operator!r}"
                )
