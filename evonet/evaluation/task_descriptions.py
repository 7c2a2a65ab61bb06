"""Tasks and architectures as plain data, so that a champion's file says where it acts and how without a pickle."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast, get_args

from evonet.activations import ACTIVATIONS
from evonet.architecture import Architecture
from evonet.environments.imports import import_refusal
from evonet.environments.known import checked_names
from evonet.environments.space_descriptions import describe_space, space_from
from evonet.environments.spaces import Squash
from evonet.environments.specification import EnvironmentFactory, EnvironmentSpec
from evonet.environments.wrappers import Wrapper
from evonet.errors import ConfigError, EnvironmentUnavailable, UnsuitableEnvironment
from evonet.files.archive import ArchiveLimits, header_text
from evonet.files.bounded import parse_object
from evonet.files.fields import Fields
from evonet.files.plain_data import data_from, describe_data
from evonet.files.text import short_repr
from evonet.foreign import guarded
from evonet.task import Task

if TYPE_CHECKING:
    from evonet.measures import Measures

CHAMPION_LIMITS = ArchiveLimits(file=1 << 30, header=8 << 20)
"""The limits of a champion's file, whose header is the description of its task and little more."""

_MAX_WRAPPERS = 100


def describe_task(task: Task) -> dict[str, Any]:
    """The task as JSON-ready data, all but its architecture.

    Raises:
        TypeError: a network cannot be connected to one of its spaces, or an argument of the environment or of a wrapper
            is no plain data; the message has its name.
        ValueError: a space has numbers of a type that files do not hold.
    """
    given = {"instances": task.instances, "input_names": task.input_names, "output_names": task.output_names}
    return (
        {name: value for name, value in given.items() if value is not None}
        | _describe_measures(task)
        | {
            "environment": _describe_environment(task.environment),
            "observation_space": describe_space(task.observation_space),
            "action_space": describe_space(task.action_space),
            "squash": task.squash,
            "max_steps": task.max_steps,
            "normalise": task.normalise,
        }
    )


def architecture_from(fields: Fields, allow_imports: Collection[str]) -> Architecture:
    """The architecture that a file describes; an activation of the user's own is imported.

    Raises:
        ConfigError: the module of an activation may not be imported, or cannot be.
        TypeError, ValueError: `fields` describes no architecture.
    """
    fields.allow_only(*Architecture.__dataclass_fields__)
    for key in ("hidden_activation", "output_activation"):
        name = fields.text(key)
        if ":" in name and name not in ACTIVATIONS:
            refusal = import_refusal([name], allow_imports)
            if refusal is not None:
                raise UnsuitableEnvironment(f"the network's {key} {refusal}")
            with guarded(f"{name!r} cannot be used", ConfigError):
                ACTIVATIONS[name]  # imports it
    return Architecture(
        num_inputs=fields.integer("num_inputs", 1),
        num_hidden=fields.integer("num_hidden", 0),
        num_outputs=fields.integer("num_outputs", 1),
        hidden_activation=fields.text("hidden_activation"),
        output_activation=fields.text("output_activation"),
        bias=fields.boolean("bias"),
        recurrent=fields.boolean("recurrent"),
        skip=fields.has("skip") and fields.boolean("skip"),
    )


def task_from(description: Any, architecture: Architecture, allow_imports: Collection[str]) -> Task:
    """The task that `describe_task` described. Nothing is imported, and no environment made.

    Args:
        description: plain data from a file; every value is checked before it is used.
        architecture: architecture of the networks, which must fit the spaces.
        allow_imports: modules that may be imported when the environment is made.

    Raises:
        ValueError: `description` describes no task, or not one for such networks.
    """
    fields = Fields(description, "task").allow_only(
        "environment", "observation_space", "action_space", "squash", "max_steps", "normalise", "instances",
        "input_names", "output_names", "measures", "weights",
    )  # fmt: skip
    squash = fields.text("squash")
    if squash not in get_args(Squash):
        raise ValueError(f"task.squash must be one of {', '.join(get_args(Squash))}, got {short_repr(squash)}")
    task = Task(
        _environment_from(fields.fields("environment"), allow_imports),
        space_from(fields.get("observation_space"), architecture.num_inputs),
        space_from(fields.get("action_space"), architecture.num_outputs),
        architecture,
        cast("Squash", squash),
        fields.integer("max_steps", 1),
        fields.boolean("normalise"),
        instances=fields.integer("instances", 1) if fields.has("instances") else None,
        input_names=_names(fields, "input_names", architecture.num_inputs),
        output_names=_names(fields, "output_names", architecture.num_outputs),
    )
    for name, got, size in (
        ("observation_space", task.encoder.size, architecture.num_inputs),
        ("action_space", task.decoder.size, architecture.num_outputs),
    ):
        if got != size:
            raise ValueError(f"task.{name} must have {size} numbers for the network, got {got}")
    return _with_measures(task, fields, allow_imports) if fields.has("measures") or fields.has("weights") else task


def _describe_measures(task: Task) -> dict[str, Any]:
    described: dict[str, Any] = {"weights": list(task.weights)} if task.weights else {}
    if task.measures:
        from evonet.evaluation.measure_descriptions import describe_measures  # most tasks have none

        described["measures"] = describe_measures(task.measures)
    return described


def _with_measures(task: Task, fields: Fields, allow_imports: Collection[str]) -> Task:
    """The task with the measures and weights of a file; without both if a function may not be imported."""
    from evonet.evaluation.measure_descriptions import measures_from  # most files have none
    from evonet.evaluation.measuring import action_size

    measures: Measures = ()
    if fields.has("measures"):
        sizes = {"observation": task.encoder.size, "action": action_size(task.action_space)}
        measures = measures_from(fields, sizes, allow_imports)
        if not measures:
            return task
    given = fields.items("weights", len(measures) + 1) if fields.has("weights") else []
    weights = [Fields({"weight": each}, "task.weights").finite("weight") for each in given]
    if weights and len(weights) != len(measures) + 1:
        raise ValueError(f"task.weights must be {len(measures) + 1} numbers, got {len(weights)}")
    return replace(task, measures=measures, weights=tuple(weights))


def _names(fields: Fields, key: str, count: int) -> tuple[str, ...] | None:
    return checked_names(key, list(fields.items(key, count)), count) if fields.has(key) else None


def check_savable(task: Task) -> None:
    """Refuse a task that a champion's file cannot hold; evolution would end with a champion that cannot be saved.

    Raises:
        UnsuitableEnvironment: an argument of the environment or of a wrapper is no plain data, or a space is too large
            or has a type or a key that files do not hold.
    """
    try:
        text = header_text({"task": describe_task(task)}, CHAMPION_LIMITS)
        task_from(parse_object(text)["task"], task.architecture, ())
    except (TypeError, ValueError) as error:
        raise UnsuitableEnvironment(f"a champion's file cannot hold this environment: {error}") from error


def _describe_environment(environment: EnvironmentSpec | EnvironmentFactory) -> dict[str, Any]:
    if isinstance(environment, EnvironmentSpec):
        wrappers = [
            {"name": wrapper.name, "kwargs": _describe_arguments(wrapper.kwargs, f"wrappers[{index}] {wrapper.name}")}
            for index, wrapper in enumerate(environment.wrappers)
        ]
        kwargs = _describe_arguments(environment.kwargs, "environment")
        return environment.described() | {"kwargs": kwargs, "wrappers": wrappers}
    if isinstance(environment, _UnsavedFactory):
        return {"made_by": environment.made_by}
    return {"made_by": f"{environment.__module__}.{getattr(environment, '__qualname__', type(environment).__name__)}"}


def _environment_from(fields: Fields, allow_imports: Collection[str]) -> EnvironmentSpec | EnvironmentFactory:
    if fields.has("made_by"):
        return _UnsavedFactory(fields.allow_only("made_by").text("made_by"))
    fields.allow_only("id", "kwargs", "wrappers", "max_steps", "hard_reset", "register")
    wrappers = [
        Fields(entry, "wrapper").allow_only("name", "kwargs") for entry in fields.items("wrappers", _MAX_WRAPPERS)
    ]
    spec = EnvironmentSpec(
        fields.text("id"),
        _arguments(fields),
        tuple(Wrapper(wrapper.text("name"), _arguments(wrapper)) for wrapper in wrappers),
        fields.integer("max_steps", 1) if fields.has("max_steps") else None,
        fields.boolean("hard_reset") if fields.has("hard_reset") else False,  # older files do not know it
        fields.text("register") if fields.has("register") else None,  # nor this
    )
    return spec.restricted(allow_imports)


def _describe_arguments(arguments: Mapping[str, Any], owner: str) -> Any:
    try:
        return describe_data(dict(arguments), f"{owner}.kwargs")
    except TypeError as error:
        raise TypeError(f"{error}; a function that makes the environment may use any arguments") from error


def _arguments(fields: Fields) -> dict[str, Any]:
    arguments = data_from(fields.mapping("kwargs"))
    if not isinstance(arguments, dict) or not all(isinstance(name, str) for name in arguments):
        raise ValueError(f"kwargs must be an object whose keys are texts, got {short_repr(arguments)}")
    return arguments


@dataclass(frozen=True)
class _UnsavedFactory:
    """The environment of a saved task that a callable made: a file cannot hold code."""

    made_by: str

    def __call__(self) -> Any:
        raise EnvironmentUnavailable(
            f"this champion's environment was made by {self.made_by}, which its file does not hold; "
            "give it with Champion.load(path, environment=…)"
        )
