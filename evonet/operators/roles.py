"""The roles that operators play in the genetic algorithm: who may take each, who does by default, and by what name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evonet.operators.crossover import CROSSOVERS, NeuronCrossover
from evonet.operators.initialisation import INITIALISATIONS, Normal
from evonet.operators.mutation import MUTATIONS, Gaussian
from evonet.operators.niching import NICHINGS, NoNiching
from evonet.operators.replacement import REPLACEMENTS, Generational
from evonet.operators.selection import SELECTIONS, Tournament

OPERATORS: dict[str, Mapping[str, type]] = {
    "selection": SELECTIONS,
    "crossover": CROSSOVERS,
    "mutation": MUTATIONS,
    "replacement": REPLACEMENTS,
    "niching": NICHINGS,
    "initialisation": INITIALISATIONS,
}
"""The operators that a setting of `GeneticAlgorithm` may name, by role and name."""

_DEFAULTS = {
    "selection": Tournament(),
    "crossover": NeuronCrossover(),
    "mutation": Gaussian(),
    "replacement": Generational(),
    "niching": NoNiching(),
    "initialisation": Normal(),
}

DEFAULT_OPERATORS = {
    role: next(name for name, kind in OPERATORS[role].items() if type(default) is kind)
    for role, default in _DEFAULTS.items()
}
"""The names of those that `GeneticAlgorithm` takes by itself."""


def check_operators(owner: str, **roles: Sequence[object]) -> None:
    """Refuse names and classes, which a person may well try where an operator is wanted.

    Raises:
        TypeError: one of them is no operator; `owner` is whose setting it was.
    """
    for role, operators in roles.items():
        for operator in operators:
            if not callable(operator) or isinstance(operator, type):
                raise TypeError(f"{owner}.{role} must be an operator such as {_DEFAULTS[role]}, got {operator!r}")


def called(role: str, operator: object) -> str:
    """What the operator is called in YAML, or its class where it is not registered, and its role."""
    known = (name for name, kind in OPERATORS[role].items() if type(operator) is kind)
    return f"{next(known, type(operator).__name__)} {role}"
