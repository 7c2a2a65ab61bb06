"""The JSON Schema of a config, for editors: every key with its type, range, default and description."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from evonet.activations import ACTIVATIONS
from evonet.experiment.config.docstrings import descriptions_of, summary_of
from evonet.experiment.config.document import IGNORED_PREFIX
from evonet.experiment.config.experiment_model import experiment_model

OWN_PART = r"^[\w.]+:\w+$"
"""The pattern of the name `module:Class` of a part of the user's own."""

_DEFINITIONS = "#/$defs/"
_NAMES_OF_PARTS = ("type", "schedule")
_OWN = {"type": "OwnPart", "schedule": "OwnSchedule"}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a config."""
    schema = _with_own_parts(_with_plain_names(experiment_model().model_json_schema(schema_generator=_Described)))
    schema["$defs"] |= {_OWN[tag]: _own_part(tag) for tag in _NAMES_OF_PARTS}
    schema |= {"patternProperties": {f"^{IGNORED_PREFIX}": {}}, "title": "evonet experiment"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


class _Described(GenerateJsonSchema):
    """A generator that describes each key by the docstring of its class, and gives keys no titles."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Whether a key has a title, which would only repeat its name."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """The schema of a section."""
        described = super().model_schema(schema)
        model = schema["cls"]
        owner = getattr(model, "owner", None)
        texts = {**({} if owner is None else descriptions_of(owner)), **descriptions_of(model)}
        arguments = {field.alias: name for name, field in model.model_fields.items() if field.alias}
        for name, key in described.get("properties", {}).items():
            text = (
                summary_of(model)
                if name in _NAMES_OF_PARTS and "const" in key
                else texts.get(arguments.get(name, name))
            )
            if text:
                key["description"] = _sentence(text)
        return described


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _with_plain_names(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with definitions by the titles of their sections; equal definitions become one."""
    definitions = schema["$defs"]
    titles = {_DEFINITIONS + name: _DEFINITIONS + section["title"] for name, section in definitions.items()}
    plain: dict[str, Any] = {}
    for section in definitions.values():
        renamed = _renamed(section, titles)
        assert plain.setdefault(section["title"], renamed) == renamed, f"two sections are called {section['title']}"
    return {**_renamed({key: value for key, value in schema.items() if key != "$defs"}, titles), "$defs": plain}


def _renamed(node: Any, names: dict[str, str]) -> Any:
    """A part of a schema with the references in it renamed."""
    if isinstance(node, dict):
        return {key: _renamed(value, names) for key, value in node.items()}
    if isinstance(node, list):
        return [_renamed(item, names) for item in node]
    return names.get(node, node) if isinstance(node, str) else node


def _own_part(tag: str) -> dict[str, Any]:
    """The section of a part of the user's own, whose settings only the part's class knows."""
    name = {"type": "string", "pattern": OWN_PART, "description": "The class, as module:Class."}
    section = {"type": "object", "title": _OWN[tag], "properties": {tag: name}, "required": [tag]}
    return section | {"additionalProperties": True}


def _with_own_parts(node: Any) -> Any:
    """A part of a schema in which `module:Class` is allowed wherever the name of a part or of an activation is."""
    if isinstance(node, list):
        return [_with_own_parts(item) for item in node]
    if not isinstance(node, dict):
        return node
    extended = {key: _with_own_parts(value) for key, value in node.items()}
    name = {"type": "string", "pattern": OWN_PART}
    if "discriminator" in extended and "oneOf" in extended:
        tag = extended["discriminator"]["propertyName"]
        extended["oneOf"].append({"$ref": _DEFINITIONS + _OWN[tag]})
    if any("enum" in each for each in extended.get("anyOf", ())) and any("oneOf" in each for each in extended["anyOf"]):
        extended["anyOf"].append(name)
    if extended.get("enum") == list(ACTIVATIONS):
        del extended["enum"]
        return extended | {"anyOf": [{"type": "string", "enum": list(ACTIVATIONS)}, name]}
    return extended
