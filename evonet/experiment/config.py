"""Validation of a YAML config: all errors are reported at once, each with its position, rule and value."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, ValidationError, create_model

from evonet.champion_selection import Validation
from evonet.environments.specification import EnvironmentSpec
from evonet.errors import ConfigError
from evonet.evaluation.executors import Workers
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.experiment.algorithms import ALGORITHMS
from evonet.experiment.checkpoint import Checkpoints
from evonet.experiment.document import NOTE, STANDARD_INPUT, Document, KeyPath, to_yaml
from evonet.experiment.models import ALTERNATIVES, Section, choice_of, nested_in, section_of
from evonet.experiment.stopping import Stop
from evonet.files.text import shown
from evonet.fitness import EpisodeReturn
from evonet.operators.registry import OPERATORS, registered_name
from evonet.settings import Count, Episodes, Natural, Settings, argument_defaults, argument_hints, did_you_mean

EPISODE_RETURN = "episode_return"


@dataclass(frozen=True)
class Test(Settings):
    """The final test of the champion, on episodes that no choice depends on.

    Attributes:
        episodes: the number of episodes; by default 100, or as many as take 50,000 steps at the environment's step
            limit, but no fewer than 10.
    """

    episodes: Episodes | None = None


class FitnessSection(Section):
    """The fitness: the return of episodes, or the user's function."""

    type: Annotated[str, StringConstraints(pattern=rf"^({EPISODE_RETURN}|[\w.]+:[\w.]+)$")] = EPISODE_RETURN


NETWORK = ("hidden", "hidden_activation", "output_activation", "bias", "recurrent")
"""The arguments of `EpisodeReturn` in the section `network`."""

EVALUATION = (
    "episodes",
    "aggregation",
    "quantile",
    "normalise_observations",
    "action_squash",
    "engine",
    "instances",
)
"""The arguments of `EpisodeReturn` in the section `evaluation`, all but `workers`, whose default differs there."""

_NetworkArguments: Any = section_of(EpisodeReturn, *NETWORK)
_EvaluationArguments: Any = section_of(EpisodeReturn, *EVALUATION)
_EnvironmentArguments: Any = section_of(EnvironmentSpec)
_ValidationArguments: Any = section_of(Validation)
_TestArguments: Any = section_of(Test)
_FaultArguments: Any = section_of(FaultPolicy)
_StopArguments: Any = section_of(Stop)
_CheckpointArguments: Any = section_of(Checkpoints)
_GENETIC = "genetic_algorithm"


class NetworkSection(_NetworkArguments):  # type: ignore[misc]
    """The network; its inputs and outputs follow from the environment's spaces."""

    inputs: Count | None = None
    outputs: Count | None = None


class EvaluationSection(_EvaluationArguments):  # type: ignore[misc]
    """The evaluation of genomes."""

    workers: Workers = "auto"


class Experiment(Section):
    """A whole config; what the algorithm may be, `experiment_model` adds."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=200)] = "experiment"
    seed: Natural = 0
    environment: _EnvironmentArguments | None = None
    network: NetworkSection = NetworkSection()
    algorithm: Any
    fitness: FitnessSection = FitnessSection()
    evaluation: EvaluationSection = EvaluationSection()
    validation: _ValidationArguments = _ValidationArguments()
    test: _TestArguments = _TestArguments()
    faults: _FaultArguments = _FaultArguments()
    stop: _StopArguments = _StopArguments()
    checkpoints: _CheckpointArguments = _CheckpointArguments()
    tracking: list[Literal["tensorboard"]] = Field(default_factory=list)


def _experiment_model(data: Mapping[str, Any]) -> type[Experiment]:
    """The smallest model that fits a config, because the model of all algorithms and operators takes 0.1 s to make."""
    names, written = _algorithms_in(data)
    operators = tuple((role, _operators_in(written, role)) for role in OPERATORS)
    return experiment_model(names, operators, schedules=_has_key(written, "schedule"))


@functools.cache
def experiment_model(
    names: frozenset[str] = frozenset(ALGORITHMS),
    operators: Sequence[tuple[str, frozenset[str]]] = (),
    *,
    schedules: bool = True,
) -> type[Experiment]:
    """The model of a config.

    Args:
        names: the algorithms that the config may name, also within another algorithm.
        operators: the operators that the config may name, by role; a missing role allows all of its operators.
        schedules: whether numbers may follow schedules.
    """
    wanted = dict(operators)
    choices = {
        role: {name: kind for name, kind in registry.items() if name in wanted.get(role, registry)}
        for role, registry in OPERATORS.items()
    }
    named = {name: ALGORITHMS[name] for name in ALGORITHMS if name in names}
    plain = {name: owner for name, owner in named.items() if "algorithm" not in argument_hints(owner)}
    choose = functools.partial(
        choice_of,
        exclude=("architecture", "seed"),
        operators=choices,
        default_type=_GENETIC,
        schedules=schedules,
    )
    choice: Any = choose(named, nested=nested_in(choose(plain)) if plain else None)
    field: Any = (choice, Field(default={"type": _GENETIC}, validate_default=True))
    model: type[Experiment] = create_model(
        "Experiment", __base__=Experiment, __doc__="A whole config.", algorithm=field
    )
    return model


def _algorithms_in(data: Mapping[str, Any]) -> tuple[frozenset[str], list[Mapping[str, Any]]]:
    """The algorithms that a config names, and their sections; all algorithms if a name is unknown, for the message."""
    names, sections = set(), []
    waiting = [data.get("algorithm", _GENETIC)]
    while waiting:
        section = waiting.pop()
        name = section.get("type", _GENETIC) if isinstance(section, Mapping) else section
        names.add(name if isinstance(name, str) and name in ALGORITHMS else None)
        if isinstance(section, Mapping):
            sections.append(section)
            islands = section.get("islands")
            inner = [section.get("algorithm"), *(islands if isinstance(islands, list) else [])]
            waiting += [each for each in inner if each is not None]
    return frozenset(ALGORITHMS) if None in names else frozenset(names), sections  # type: ignore[arg-type]


def _operators_in(sections: Sequence[Mapping[str, Any]], role: str) -> frozenset[str]:
    """The operators that sections name for a role, and the default; all operators if a name is unknown."""
    names = {registered_name(role, argument_defaults(ALGORITHMS[_GENETIC])[role]) or ""}
    for section in sections:
        written = section.get(role, [])
        for operator in written if isinstance(written, list) else [written]:
            name = operator.get("type") if isinstance(operator, Mapping) else operator
            names.add(name if isinstance(name, str) and name in OPERATORS[role] else "")
    return frozenset(OPERATORS[role]) if "" in names else frozenset(names)


def _has_key(node: Any, key: str) -> bool:
    """Whether a section, or one inside it, has the key."""
    if isinstance(node, Mapping):
        return key in node or any(_has_key(child, key) for child in node.values())
    return isinstance(node, list) and any(_has_key(child, key) for child in node)


@dataclass(frozen=True)
class Config:
    """A validated config and its file.

    Attributes:
        settings: all settings, with defaults.
        document: the file, for the positions in later errors.
        allowed_imports: modules that the config may import.
    """

    settings: Experiment
    document: Document
    allowed_imports: Sequence[str] = field(default=())

    @classmethod
    def load(
        cls,
        path: str | Mapping[str, Any],
        overrides: Sequence[str] = (),
        allow_imports: Sequence[str] = (),
        *,
        follow_links: bool = True,
    ) -> Config:
        """Read and check a config.

        Args:
            path: the path of the file; "-" is standard input. Or the config itself, as plain data.
            overrides: texts `key.path=value`, which replace values of the file.
            allow_imports: modules that may be imported.
            follow_links: False for a file of a run directory, which a stranger may have written.

        Raises:
            ConfigError: the file cannot be read, or values break rules; the message has a line for each value.
        """
        if isinstance(path, Mapping):
            document = Document.of(path, overrides)
        else:
            document = Document.read(path, overrides, follow_links=follow_links)
        if isinstance(path, str) and path != STANDARD_INPUT:
            document.data.setdefault("name", Path(path).stem)
        try:
            settings = _experiment_model(document.data).model_validate(document.data)
        except ValidationError as error:
            raise ConfigError("\n".join(_explain(error, document))) from None
        config = cls(settings, document, allow_imports)
        if settings.fitness.type == EPISODE_RETURN and settings.environment is None:
            raise config.error(("environment", "id"), "environment.id is required, for example: CartPole-v1")
        return config

    def error(self, path: KeyPath, message: str) -> ConfigError:
        """A ConfigError about the value at `path`."""
        return ConfigError(f"{self.document.where(path)}: {message}")

    @property
    def resolved(self) -> dict[str, Any]:
        """All settings as plain data, with defaults, so that a later version of evonet runs the same config."""
        return self.settings.model_dump(mode="json")

    def to_yaml(self) -> str:
        """The resolved settings as a config file."""
        return to_yaml(self.resolved)


def completed(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """A config that an earlier version resolved, with the defaults of newer settings.

    Raises:
        ConfigError: the config is not valid in this version.
    """
    try:
        settings = _experiment_model(resolved).model_validate(dict(resolved))
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(error, Document(dict(resolved), "the config", {})))) from None
    return settings.model_dump(mode="json")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a config, for editors."""
    schema = experiment_model().model_json_schema()
    schema |= {"patternProperties": {f"^{NOTE}": {}}, "title": "evonet experiment"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


_MOST_LINES = 50  # lines of an error message
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
    "string_pattern_mismatch": f"be {EPISODE_RETURN!r} or 'module:function'",
    "union_tag_not_found": "have a key {discriminator}",
}


def _explain(error: ValidationError, document: Document) -> list[str]:
    """A line for each wrong value, in the order of the file; the rules for one value are joined by "or"."""
    problems: dict[KeyPath, list[Mapping[str, Any]]] = {}
    for detail in error.errors(include_url=False):
        if detail["type"] == "default_factory_not_called":  # it follows from another value, which is wrong
            continue
        place = [step for step in detail["loc"] if step not in ALTERNATIVES]
        problems.setdefault(document.present(place), []).append(detail)
    schema = functools.cache(json_schema)
    lines = [
        f"{document.where(path)}: {_describe(path, details, document, schema)}"
        for path, details in itertools.islice(problems.items(), _MOST_LINES)
    ]
    more = len(problems) - len(lines)
    return sorted(lines, key=_position) + ([f"{document.name}: {more} more values are wrong"] if more else [])


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
        return f"{key}.{tag} must be a known name, got {shown(context['tag'])}; {did_you_mean(context['tag'], names)}"
    rules = list(dict.fromkeys(_rule(detail) for detail in details))
    message = f"{key} must {_alternatives(rules)}, got {shown(value)}"
    if kind == "literal_error" and isinstance(value, str):
        near = did_you_mean(value, re.findall(r"'([^']+)'", context["expected"])).partition("Known: ")[0]
        message += f"; {near.strip()}" if near else ""
    return message + _hint(kind, value)


def _rule(detail: Mapping[str, Any]) -> str:
    rule = _RULES.get(detail["type"])
    return rule.format(**detail.get("ctx", {})) if rule else detail["msg"].lower()


def _alternatives(rules: Sequence[str]) -> str:
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
    tag, name = ("schedule", section["schedule"]) if "schedule" in section else ("type", section.get("type", _GENETIC))
    chosen = [keys for keys in known if keys.get(tag, {}).get("const") == name]
    return {name for keys in chosen or known for name in keys}


def _resolve(node: Any, step: str | int, definitions: Mapping[str, Any]) -> Any:
    found = []
    for alternative in _alternatives_of(node, definitions):
        child = alternative.get("items") if isinstance(step, int) else alternative.get("properties", {}).get(step)
        if child is not None:
            found.append(child)
    return {"anyOf": found}


def _alternatives_of(node: Any, definitions: Mapping[str, Any]) -> list[Any]:
    """The alternatives of a schema, with references followed."""
    if "$ref" in node:
        return _alternatives_of(definitions[node["$ref"].rpartition("/")[2]], definitions)
    nested = [*node.get("anyOf", []), *node.get("oneOf", [])]
    flat = [leaf for child in nested for leaf in _alternatives_of(child, definitions)]
    return flat or [node]
