"""In which settings configs differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

ABSENT = "-"
"""Stands for the value of a setting that a config does not have."""

INDIFFERENT = ("evaluation.workers",)
"""Settings that change nothing but the time a run takes."""


def differences(configs: Sequence[Mapping[str, Any]], besides: Sequence[str] = ()) -> dict[str, list[Any]]:
    """The values, one for each of `configs`, of each setting that is not the same in all of them.

    Args:
        configs: resolved.
        besides: settings to pass over, as `key.path`, beside those that change no result.
    """
    flat = [_flat(config) for config in configs]
    keys = dict.fromkeys(key for settings in flat for key in settings)
    passed_over = {*INDIFFERENT, *besides}
    table = {key: [settings.get(key, ABSENT) for settings in flat] for key in keys if key not in passed_over}
    return {key: values for key, values in table.items() if any(value != values[0] for value in values[1:])}


def as_written(value: Any) -> str:
    """A setting as a config has it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _flat(section: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Every value by its `key.path`; a list is one value."""
    flat: dict[str, Any] = {}
    for key, value in section.items():
        place = f"{path}{key}"
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{place}.")
        else:
            flat[place] = value
    return flat
