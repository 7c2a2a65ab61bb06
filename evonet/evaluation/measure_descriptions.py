"""Measures as plain data, so that a champion's file says what it measures; every value of a file is checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from evonet.environments.imports import is_allowed, module_of
from evonet.files.fields import Fields
from evonet.measures import Condition, Measure, Measures, checked_measures

_MAX_MEASURES = 10_000


def describe_measures(measures: Measures) -> list[dict[str, Any]]:
    """The measures as JSON-ready data: their names, and the settings that are not at their defaults."""
    return [{"name": name, **_described(measure)} for name, measure in measures]


def measures_from(entries: Fields, sizes: Mapping[str, int], allow_imports: Collection[str]) -> Measures:
    """The measures that a file describes under the key `measures`, in order.

    There are none if a module that one of them would import may not be imported.

    Args:
        entries: those of the file around them.
        sizes: how many numbers an "observation" and an "action" have.
        allow_imports: modules that may be imported when an episode is measured.

    Raises:
        TypeError, ValueError: the file describes no measures.
    """
    measures: dict[str, Measure] = {}
    for entry in entries.items("measures", _MAX_MEASURES):
        described = Fields(entry, "measure").allow_only("name", *_names(Measure))
        name = described.word("name")
        if name in measures:
            raise ValueError(f"measures must have different names, got {name!r} twice")
        settings = {key: value for key, value in described.all().items() if key != "name"}
        if "when" in settings:
            settings["when"] = Condition(
                **Fields(settings["when"], "measure.when").allow_only(*_names(Condition)).all()
            )
        measures[name] = Measure(**settings)
    modules = {module_of(measure.function) for measure in measures.values() if measure.function is not None}
    if not all(is_allowed(module, allow_imports) for module in modules):
        return ()
    return checked_measures(measures, sizes)


def _described(part: Measure | Condition) -> dict[str, Any]:
    given = {field.name: getattr(part, field.name) for field in fields(part)}
    return {
        name: _described(value) if isinstance(value, Condition) else list(value) if isinstance(value, tuple) else value
        for name, value in given.items()
        if value != _defaults(type(part)).get(name)
    }


def _defaults(kind: type[Measure | Condition]) -> dict[str, Any]:
    return {field.name: field.default for field in fields(kind) if field.name != "of"}


def _names(kind: type[Measure | Condition]) -> list[str]:
    return [field.name for field in fields(kind)]
