"""The reference of configs: every key of every section, and every part with its settings, read from the JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from evonet.activations import ACTIVATIONS
from evonet.experiment.config.catalogue import CONFIG, catalogue
from evonet.experiment.config.experiment_model import REFINEMENT
from evonet.experiment.config.json_schema import OWN_PART, json_schema
from evonet.experiment.config.named_parts import ALGORITHM, SCHEDULE
from evonet.operators.registry import OPERATORS

PARTS = (ALGORITHM, *OPERATORS, SCHEDULE, "archive")
"""The kinds of part that have settings."""

HEADING = "## Reference"
"""The heading of the page below which the reference is generated."""

_INNER = {
    "wrapper": "Wrapper",
    "bounds": "Bounds",
    "race": "Race",
    "structure": "Structure",
    "prune": "PruneSection",
    "measure": "Measure",
    "condition": "Condition",
}  # sections within others

_TAGS = ("type", "schedule")
_TYPES = {
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "string": "text",
    "null": "null",
    "object": "mapping",
}
_INTRODUCTION = """\
This part of the page is generated: `evonet schema --markdown --output configs/README.md`. The settings of a part are
described by `evonet list NAME`. A part of your own is `module:Class`. Any number among the settings of an operator may
follow a schedule."""


class Key(NamedTuple):
    """A key of a section.

    Attributes:
        name: the key.
        value: what it may be, such as `number above 0`.
        default: its default as a config has it; "" where it follows from other keys, None if the key is required.
        description: what it means, a sentence.
    """

    name: str
    value: str
    default: str | None
    description: str


def sections() -> dict[str, list[Key]]:
    """The sections of a config with their keys; "" for the keys at the top."""
    schema = _schema()
    found = {"": [_key(name, key, schema) for name, key in schema["properties"].items()]}
    for name, key in schema["properties"].items():
        section = _section(key)
        if section is not None and name != ALGORITHM:
            found[name] = _keys(section)
    return found | {name: _keys(schema["$defs"][title]) for name, title in _INNER.items()}


def part_keys(kind: str, name: str) -> list[Key]:
    """The settings of a part.

    Args:
        kind: one of `PARTS`.
        name: a name of that kind.
    """
    tag = "schedule" if kind == SCHEDULE else "type"
    suffix = "" if kind == ALGORITHM else kind.title()
    named = [
        section
        for title, section in _schema()["$defs"].items()
        if section["properties"].get(tag, {}).get("const") == name
        and not title.endswith(REFINEMENT.title())
        and (title.endswith(suffix) or _only_one(tag, name))
    ]
    return [key for key in _keys(named[0]) if key.name not in _TAGS]


def markdown() -> str:
    """The reference as Markdown, from its heading on."""
    lines = [HEADING, "", _INTRODUCTION, ""]
    for name, keys in sections().items():
        lines += [f"### `{name}`" if name else "### Keys at the top", ""]
        lines += [*_table(("key", "value", "default", "meaning"), map(_row, keys)), ""]
    for kind, parts in catalogue().items():
        if kind in PARTS:
            rows = [(f"`{name}`", summary, _settings(part_keys(kind, name))) for name, summary in parts.items()]
            lines += [f"### {kind}", "", *_table(("name", "what it is", "settings"), rows), ""]
        elif kind != CONFIG:
            choices = [(f"`{name}`", summary) for name, summary in parts.items()]
            lines += [f"### {kind}", "", *_table(("name", "what it is"), choices), ""]
    return "\n".join(lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table in Markdown."""
    cells = [head, ["---"] * len(head), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return [f"| {' | '.join(row)} |" for row in cells]


@cache
def _schema() -> dict[str, Any]:
    return json_schema()


def _only_one(tag: str, name: str) -> bool:
    """Whether a name stands for a part of one kind alone."""
    found = [each for each in _schema()["$defs"].values() if each["properties"].get(tag, {}).get("const") == name]
    return len(found) == 1


def _keys(section: Mapping[str, Any]) -> list[Key]:
    return [_key(name, key, section) for name, key in section["properties"].items()]


def _key(name: str, key: Mapping[str, Any], section: Mapping[str, Any]) -> Key:
    required = name in section.get("required", ())
    default = None if required else _default(key["default"]) if "default" in key else ""
    return Key(name, _value(key), default, key["description"])


def _default(value: Any) -> str:
    """A default as a config has it; of a part or a section its name alone."""
    if isinstance(value, list) and len(value) == 1:
        return _default(value[0])
    if isinstance(value, dict):
        return str(value.get("type", ""))
    return value if isinstance(value, str) else json.dumps(value)


def _section(key: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The section that a key holds; None for a key with another value."""
    for alternative in (key, *key.get("anyOf", ())):
        if "$ref" in alternative:
            found: Mapping[str, Any] = _definition(alternative)
            return found
    return None


def _definition(node: Mapping[str, Any]) -> Any:
    return _schema()["$defs"][node["$ref"].rpartition("/")[2]]


def _value(key: Mapping[str, Any]) -> str:
    """What a value may be, in words."""
    if "$ref" in key:
        return _section_value(_definition(key)["properties"])
    if "anyOf" in key or "oneOf" in key:
        return _either([*key.get("anyOf", ()), *key.get("oneOf", ())])
    names = key.get("enum", [key["const"]] if "const" in key else [])
    if names:
        return "activation" if names == list(ACTIVATIONS) else " or ".join(map(str, names))
    if key.get("type") == "array":
        inner = _value(key.get("items", {}))
        return f"list of {inner}s" if inner in ("part", "section", "text") else f"list of: {inner}"
    return _TYPES.get(key.get("type", ""), "anything") + _range(key)


def _section_value(properties: Mapping[str, Any]) -> str:
    """What a section stands for: a schedule, another part, or itself."""
    tags = [tag for tag in _TAGS if {"const", "pattern"} & set(properties.get(tag, {}))]
    is_part = bool(tags) and properties != _schema()["$defs"]["FitnessSection"]["properties"]
    return {"schedule": "schedule", "type": "part"}[tags[0]] if is_part else "section"


def _either(alternatives: Sequence[Mapping[str, Any]]) -> str:
    """The values of several alternatives; the names of parts are left out, because a part may be its name alone."""
    values = {_value(each): "enum" in each for each in alternatives if each.get("pattern") != OWN_PART}
    return " or ".join(value for value, is_name in values.items() if not (is_name and "part" in values))


def _range(key: Mapping[str, Any]) -> str:
    low, high = key.get("minimum"), key.get("maximum")
    if low is not None and high is not None:
        return f" from {low:,} to {high:,}"
    bounds = {
        "of at least": low,
        "above": key.get("exclusiveMinimum"),
        "up to": high,
        "below": key.get("exclusiveMaximum"),
    }
    return "".join(f" {word} {bound:g}" for word, bound in bounds.items() if bound is not None)


def _row(key: Key) -> tuple[str, str, str, str]:
    default = "required" if key.default is None else f"`{key.default}`" if key.default else ""
    return f"`{key.name}`", key.value, default, key.description


def _settings(keys: Sequence[Key]) -> str:
    """Settings with their defaults in a row."""
    return ", ".join(f"`{key.name}: {key.default}`" if key.default else f"`{key.name}`" for key in keys)
