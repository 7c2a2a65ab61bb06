"""The lines in which a config's wrong values are reported: position, key, rule, value and repair."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from evonet.experiment.config.document import Document, KeyPath
from evonet.experiment.config.model_factory import ALTERNATIVES
from evonet.experiment.config.named_parts import GENETIC_ALGORITHM
from evonet.files.text import short_repr
from evonet.operators.registry import OPERATORS
from evonet.settings import did_you_mean, near_miss

_MAX_LINES = 50  # lines of an error message
_Schema = Callable[[], dict[str, Any]]

_RULES: Mapping[str, str] = {
    "bool_type": "be true or false",
    "int_type": "be a whole number",
    "float_type": "be a number",
    "finite_number": "be finite",
    "string_type": "be text",
    "missing": "be given",
    "model_type": "be a section of keys",
    "model_attributes_type": "be a section of keys, or the name of a type",
    "dict_type": "be a section of keys",
    "mapping_type": "be a section of keys",
    "list_type": "be a list",
    "none_required": "be null",
    "greater_than_equal": "be at least {ge}",
    "greater_than": "be greater than {gt}",
    "less_than_equal": "be at most {le}",
    "less_than": "be less than {lt}",
    "multiple_of": "be a multiple of {multiple_of}",
    "literal_error": "be {expected}",
    "too_short": "have at least {min_length} entries",
    "string_unicode": "be text that UTF-8 can hold",
    "string_too_short": "not be empty",
    "string_too_long": "have at most {max_length} characters",
    "string_pattern_mismatch": "be 'episode_return' or 'module:function'",
    "union_tag_not_found": "have a key {discriminator}",
}


def explain(
    error: ValidationError, document: Document, part_problems: Mapping[KeyPath, str], model: type[BaseModel]
) -> list[str]:
    """A line for each wrong value, in the order of the file; the rules for one value are joined by "or".

    Args:
        error: the wrong values.
        document: the config.
        part_problems: why a part of the user's own cannot be used, by the path of the part's name.
        model: the model of the config.
    """
    problems: dict[KeyPath, list[Mapping[str, Any]]] = {}
    for detail in error.errors(include_url=False):
        if detail["type"] == "default_factory_not_called":  # it follows from another value, which is wrong
            continue
        place = [step for step in detail["loc"] if step not in ALTERNATIVES]
        path = document.existing_path(place, missing=detail["type"] == "missing")
        if path not in part_problems:
            problems.setdefault(path, []).append(detail)
    schema = functools.cache(model.model_json_schema)
    lines = [f"{document.named_position(path)}: {problem}" for path, problem in part_problems.items()]
    lines += [
        f"{document.position(path)}: {_describe(path, details, document, schema)}"
        for path, details in itertools.islice(problems.items(), _MAX_LINES)
    ]
    lines += _replacements(problems, document)
    more = len(problems) - _MAX_LINES
    return sorted(lines, key=_position) + ([f"{document.name}: {more} more values are wrong"] if more > 0 else [])


def _replacements(problems: Mapping[KeyPath, Sequence[Mapping[str, Any]]], document: Document) -> list[str]:
    """How to change the type of a section whose other keys belong to the type in the file."""
    unknown = [path for path, details in problems.items() if details[0]["type"] == "extra_forbidden"]
    sections = dict.fromkeys(path[:-1] for path in unknown if path[:-1])
    lines = []
    for section in sections:
        place, option = ".".join(map(str, section)), document.position((*section, "type"))
        if option.startswith(f"--set {place}.type="):
            name = option.partition("=")[2]
            lines.append(f"{option}: the other keys of {place} stay; to leave them out: --set {place}={name}")
    return lines


def _position(line: str) -> list[int]:
    return [int(number) for number in re.findall(r":(\d+):(\d+): ", line)[0]] if re.search(r":\d+:\d+: ", line) else []


def _describe(path: KeyPath, details: Sequence[Mapping[str, Any]], document: Document, schema: _Schema) -> str:
    key = ".".join(map(str, path)) or "the config"
    first = details[0]
    kind, context, value = first["type"], first.get("ctx", {}), first["input"]
    if kind == "extra_forbidden":
        return f"{key} is not a known key; {did_you_mean(str(path[-1]), _known_keys(path, document, schema()))}"
    if kind == "missing":
        return f"{key} is required"
    if kind == "value_error":
        return str(context["error"])
    if kind == "union_tag_invalid":
        names = re.findall(r"'([^']+)'", context["expected_tags"])
        tag = context["discriminator"].strip("'")
        message = f"{key}.{tag} must be a known name, got {short_repr(context['tag'])}"
        part = next((word for word in reversed(path) if isinstance(word, str)), "")
        own = part in {"algorithm", *OPERATORS} and not near_miss(context["tag"], names)
        return f"{message}; {did_you_mean(context['tag'], names)}{'; one of your own is module:Class' if own else ''}"
    rules = list(dict.fromkeys(_rule(detail) for detail in details))
    message = f"{key} must {_joined(rules)}, got {short_repr(value)}"
    if kind == "literal_error" and isinstance(value, str):
        near = near_miss(value, re.findall(r"'([^']+)'", context["expected"]))
        message += f"; {near}" if near else ""
    return message + _hint(kind, value)


def _rule(detail: Mapping[str, Any]) -> str:
    rule = _RULES.get(detail["type"])
    return rule.format(**detail.get("ctx", {})) if rule else detail["msg"].lower()


def _joined(rules: Sequence[str]) -> str:
    """Rules joined by "or"; their verb, the same in all, is written once."""
    verb = rules[0].split(" ")[0]
    return " or ".join([rules[0], *(rule.removeprefix(f"{verb} ") for rule in rules[1:])])


def _hint(kind: str, value: Any) -> str:
    if kind == "bool_type" and isinstance(value, str):
        return " (in YAML 1.2 only true and false are booleans)"
    if kind == "int_type" and isinstance(value, float) and value.is_integer():
        return f" (write {int(value)})"
    if kind in ("int_type", "float_type") and isinstance(value, str) and _is_number(value):
        return " (write a number without quotes)"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _known_keys(path: KeyPath, document: Document, schema: Mapping[str, Any]) -> set[str]:
    """The keys that are allowed in the section of the last key of `path`."""
    node: Any = schema
    section: Any = document.data
    definitions = schema["$defs"]
    for step in path[:-1]:
        node, section = _resolve(node, step, definitions), section[step]
    sections = [alternative for alternative in _alternatives_of(node, definitions) if "properties" in alternative]
    known = [alternative["properties"] for alternative in sections]
    tag = "schedule" if "schedule" in section else "type"
    name = section.get(tag, GENETIC_ALGORITHM)
    chosen = [keys for keys in known if keys.get(tag, {}).get("const") == name]
    return {name for keys in chosen or known for name in keys}


def _resolve(node: Any, step: str | int, definitions: Mapping[str, Any]) -> Any:
    """The schema of what is at one step, a key or an index, below `node`: the alternatives of all its alternatives."""
    found = []
    for alternative in _alternatives_of(node, definitions):
        child = alternative.get("items") if isinstance(step, int) else alternative.get("properties", {}).get(step)
        child = child or alternative.get("additionalProperties")  # of sections by name
        if isinstance(child, dict):
            found.append(child)
    return {"anyOf": found}


def _alternatives_of(node: Any, definitions: Mapping[str, Any]) -> list[Any]:
    """The alternatives of a schema, with references followed."""
    if "$ref" in node:
        return _alternatives_of(definitions[node["$ref"].rpartition("/")[2]], definitions)
    nested = [*node.get("anyOf", []), *node.get("oneOf", [])]
    flat = [leaf for child in nested for leaf in _alternatives_of(child, definitions)]
    return flat or [node]
