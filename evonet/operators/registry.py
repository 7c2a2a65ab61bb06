"""All operators that a setting of the genetic algorithm may name, and the names by which they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from evonet.operators.crossover import CROSSOVERS
from evonet.operators.initialisation import INITIALISATIONS
from evonet.operators.mutation import MUTATIONS
from evonet.operators.niching import NICHINGS
from evonet.operators.replacement import REPLACEMENTS
from evonet.operators.schedules import SCHEDULES
from evonet.operators.selection import SELECTIONS
from evonet.operators.structural_mutation import STRUCTURAL_MUTATIONS
from evonet.settings import argument_defaults, argument_hints, chosen, did_you_mean

Named: TypeAlias = str | Mapping[str, Any]
"""An operator as a config names it: `"tournament"`, or with settings `{"type": "tournament", "size": 3}`."""

OPERATORS: dict[str, Mapping[str, type]] = {
    "selection": SELECTIONS,
    "crossover": CROSSOVERS,
    "mutation": {**MUTATIONS, **STRUCTURAL_MUTATIONS},
    "replacement": REPLACEMENTS,
    "niching": NICHINGS,
    "initialisation": INITIALISATIONS,
}
"""The registry of each kind of operator."""


def registered_name(kind: str, operator: object) -> str | None:
    """The name of an operator in YAML; None if its class is not in the registry of its kind."""
    return next((name for name, known in OPERATORS[kind].items() if type(operator) is known), None)


def display_name(kind: str, operator: object) -> str:
    """What reports call an operator, such as "gaussian mutation"; an unregistered one is called by its class."""
    return f"{registered_name(kind, operator) or type(operator).__name__} {kind}"


def operator_for(owner: type, setting: str, value: Any) -> Any:
    """The operator of a setting, which is an operator already, or names one as a config does.

    Args:
        owner: the class whose setting it is; its defaults serve as examples.
        setting: the name of the setting, a kind of operator.
        value: an operator, its name, or a dict of its name as `type` and its settings.

    Raises:
        TypeError: it is no operator, such as a class.
        ValueError: the name or a key is unknown, or a setting is out of range.
    """
    if isinstance(value, str | Mapping):
        return _named(f"{owner.__name__}.{setting}", {"type": value} if isinstance(value, str) else value, setting)
    if not callable(value) or isinstance(value, type):
        example = argument_defaults(owner)[setting]
        raise TypeError(f"{owner.__name__}.{setting} must be an operator such as {example}, got {value!r}")
    return value


def _named(place: str, value: Mapping[str, Any], kind: str) -> Any:
    if "type" not in value:
        raise ValueError(f"{place} must have a key 'type', the name of the operator, got {dict(value)}")
    operator_class = chosen(f"{place}.type", value["type"], OPERATORS[kind])
    return _made(place, operator_class, value, "type")


def _made(place: str, owner: type, value: Mapping[str, Any], tag: str) -> Any:
    """An operator or a schedule; a setting that is a dict names a schedule.

    Args:
        place: where the settings are, for messages.
        owner: the class of the operator or schedule.
        value: the settings, beside the name of the class.
        tag: the key of that name.
    """
    settings = {name: _scheduled(f"{place}.{name}", each) for name, each in value.items() if name != tag}
    for name in settings:
        if name not in argument_hints(owner):
            raise ValueError(f"{place}.{name} is not a known key; {did_you_mean(name, argument_hints(owner))}")
    return owner(**settings)


def _scheduled(place: str, value: Any) -> Any:
    if not isinstance(value, Mapping) or "schedule" not in value:
        return value
    return _made(place, chosen(f"{place}.schedule", value["schedule"], SCHEDULES), value, "schedule")
