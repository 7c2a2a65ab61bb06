"""Comparison of configs: the settings whose values differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

ABSENT = "-"
"""The value shown for a setting that a config does not have."""

WITHOUT_EFFECT = ("evaluation.workers", "evaluation.instances")
"""Settings that change the time that a run takes, but not its results."""


def differences(configs: Sequence[Mapping[str, Any]], ignored: Sequence[str] = ()) -> dict[str, list[Any]]:
    """The settings that differ between `configs`, each with its value in every config.

    Args:
        configs: resolved configs.
        ignored: settings to ignore, as `key.path`, in addition to those of `WITHOUT_EFFECT`.
    """
    flat = [_flat(config) for config in configs]
    keys = dict.fromkeys(key for settings in flat for key in settings)
    skipped = {*WITHOUT_EFFECT, *ignored}
    table = {key: [settings.get(key, ABSENT) for settings in flat] for key in keys if key not in skipped}
    return {key: values for key, values in table.items() if any(value != values[0] for value in values[1:])}


def as_written(value: Any) -> str:
    """A setting's value as text that a config may contain."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _flat(section: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """The values of a config by their `key.path`; a list is one value."""
    flat: dict[str, Any] = {}
    for key, value in section.items():
        place = f"{path}{key}"
        if isinstance(value, Mapping) and value:
            flat |= _flat(value, f"{place}.")
        else:
            flat[place] = value
    return flat
