"""Pydantic models made from the classes that a config configures.

A YAML key is a constructor's argument: its type, range and default are read from the signature, so none of them is
written twice. Where an argument is one of several operators, the key `type` names the operator; where a number may
follow a schedule, the key `schedule` names the schedule.

Pydantic would try a value with every model that it may have, and report the errors of all. So each choice has a
`Discriminator`, the key `type` or `schedule` or a function of the value, which says by a `Tag` which model it is.
Pydantic adds the tag to the place of an error; `ALTERNATIVES` are the tags that are no keys of the config.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal, Union, get_args, get_origin

from annotated_types import Ge
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PydanticUserError,
    Tag,
    TypeAdapter,
    ValidationInfo,
    create_model,
    model_validator,
)

from evonet.errors import ConfigError
from evonet.experiment.config.docstrings import summary_of
from evonet.experiment.config.named_parts import INNER_ALGORITHMS
from evonet.foreign import ANY_ERROR, INTERRUPTS, described
from evonet.settings import ByName, argument_defaults, argument_hints, may_vary

Schedules = tuple[tuple[str, type | None], ...]
"""The schedules that numbers may follow: names and classes; None for a class that was not imported."""

_NOT_ARGUMENTS = ("type", "schedule", "start_from", "refine")

_PLAIN_DEFAULTS = (bool, int, float, str, list, dict, type(None), type(...))

_NUMBER, _SCHEDULE = "a number", "a schedule"
_HOW_MANY, _EACH = "how many", "each"

ALTERNATIVES = (_NUMBER, _SCHEDULE, _HOW_MANY, _EACH)
"""The tags of a setting's alternatives, which pydantic adds to the places of its errors."""


class Section(BaseModel):
    """A section of a config; unknown keys are errors, and values are not converted to other types."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True,
        serialize_by_alias=True,
    )  # fmt: skip


class Buildable(Section):
    """The settings of one class, the `owner`."""

    owner: ClassVar[Callable[..., Any]]

    def build(self, **rest: Any) -> Any:
        """Call the owner with these settings; `rest` overrides them."""
        return type(self).owner(**{**arguments(self), **rest})


class FactorySettings(Buildable):
    """Settings without some required arguments; as an argument of another object, `build` is passed instead."""

    def build(self, common: Mapping[str, Any] | None = None, **rest: Any) -> Any:
        """Call the owner with these settings.

        Args:
            common: arguments for the owners that take them, also for those of algorithms within this one.
            **rest: arguments for this owner.
        """
        common = common or {}
        own = {name: value for name, value in common.items() if name in argument_hints(type(self).owner)}
        return type(self).owner(**{**arguments(self, common=common), **own, **rest})


class UnimportedSettings(Section):
    """The settings of a class of the user's own that was not imported: any keys, kept as they are."""

    model_config = ConfigDict(extra="allow")


class Checked(Buildable):
    """Settings whose object is built during validation, so that rules between settings are checked too."""

    @model_validator(mode="after")
    def _can_be_built(self) -> Checked:
        owner = type(self).owner
        if any(isinstance(value, UnimportedSettings) for value in vars(self).values()):
            return self
        try:
            self.build()
        except INTERRUPTS:
            raise
        except ANY_ERROR as error:
            if _is_evonets(owner) or isinstance(error, ValueError):
                raise
            raise ValueError(f"{owner.__name__} cannot be made: {described(error)}") from error
        return self


def arguments(section: Section, *names: str, common: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings as arguments for a constructor; buildable settings are built.

    Args:
        section: the settings.
        names: the names of the settings; by default all that are arguments of the owner.
        common: see `FactorySettings.build`.
    """
    wanted = names or tuple(name for name in type(section).model_fields if name not in _NOT_ARGUMENTS)
    return {name: _object(getattr(section, name), common or {}) for name in wanted}


@functools.cache
def section_of(owner: Callable[..., Any], *only: str, schedules: Schedules = ()) -> Any:
    """The model of `owner`'s arguments, which can build it; or the model of only those named, which cannot."""
    base = Section if only else Checked
    fields = _fields(owner, only, schedules=schedules)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* shadows an attribute")  # as "register", which only the metaclass has
        model: Any = create_model(owner.__name__, __base__=base, __doc__=summary_of(owner), **fields)
    model.owner = owner
    return model


def choice_of(
    registry: Mapping[str, Callable[..., Any] | None],
    *,
    exclude: Sequence[str] = (),
    operators: Mapping[str, Mapping[str, type | None]] | None = None,
    nested: Mapping[str, Any] | None = None,
    default_type: str | None = None,
    schedules: Schedules = (),
    kind: str = "",
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """The type of a setting that names a class of `registry` by its key `type`, or is the name alone.

    Args:
        registry: classes by name; None for a class that was not imported, whose settings are not checked.
        exclude: arguments that are not settings.
        operators: registries of the arguments that take an operator.
        nested: types of the arguments that take another algorithm.
        default_type: the name that a missing `type` stands for.
        kind: what these classes are, for the names of their models.
        schedules: the schedules that numbers may follow; models without schedules are made three times as fast.
        more: fields of every class that are not among its arguments.
    """
    models = []
    for name, owner in registry.items():
        tag: Any = Literal[name]
        if owner is None:
            models.append(create_model("Unknown", __base__=UnimportedSettings, type=(tag, name)))
            continue
        fields = _fields(owner, (), exclude, operators=operators or {}, schedules=schedules) | dict(more)
        for argument, hint in (nested or {}).items():
            if argument in fields:
                fields[argument] = (hint, fields[argument][1])
        if not _is_evonets(owner):
            fields = _plain_fields(owner, fields)
        base = FactorySettings if exclude else Checked
        title = _title(owner, kind)
        type_default: Any = name if default_type in {None, name} else ...  # without a type, the default type is meant
        model: Any = create_model(title, __base__=base, __doc__=summary_of(owner), type=(tag, type_default), **fields)
        model.owner = owner
        models.append(model)
    union: Any = Union[tuple(models)] if len(models) > 1 else models[0]  # noqa: UP007 - made at run time
    tagged = Annotated[union, Field(discriminator="type")] if len(models) > 1 else union
    written = Union[tagged, Literal[tuple(registry)]]  # type: ignore[valid-type]  # noqa: UP007 - made at run time
    named = functools.partial(_named, default_type=default_type)
    return Annotated[tagged, BeforeValidator(named, json_schema_input_type=written)]


def nested_in(algorithm: Any) -> dict[str, Any]:
    """The types of the arguments that take other algorithms.

    Args:
        algorithm: the type of a setting that names an algorithm. An island has the same type; settings that it leaves
            out are those of `algorithm` beside `islands`, unless the island names another type.
    """
    island = Annotated[algorithm, BeforeValidator(_with_common_settings, json_schema_input_type=algorithm)]
    islands: Any = Union[  # noqa: UP007 - made at run time
        Annotated[int, Ge(2), Tag(_HOW_MANY)], Annotated[list[island], Field(min_length=2), Tag(_EACH)]
    ]
    inner = dict.fromkeys(INNER_ALGORITHMS, algorithm)
    return {**inner, "islands": Annotated[islands, Discriminator(_how_many_or_each)]}


def _how_many_or_each(value: Any) -> str:
    """The tag of `islands`: a list has each island, a number says how many there are."""
    return _EACH if isinstance(value, list) else _HOW_MANY


def _with_common_settings(island: Any, info: ValidationInfo) -> Any:
    """An island with the settings that it leaves out, which are those of `algorithm` beside `islands`."""
    common = info.data.get("algorithm")
    if common is None or not isinstance(island, Mapping) or island.get("type", common.type) != common.type:
        return island
    return {"type": common.type, **common.model_dump(mode="json", exclude_unset=True), **island}


def _operator_field(
    hint: Any, default: Any, kind: str, choices: Mapping[str, type | None], *, schedules: Schedules
) -> tuple[Any, Any]:
    """The field of an argument that takes an operator, or a list of operators, for which one operator may be given."""
    names = {kind: name for name, kind in choices.items()}
    if type(default) not in names:  # the default of an algorithm of the user's own
        names[type(default)] = f"{type(default).__module__}:{type(default).__qualname__}"
        choices = {**choices, names[type(default)]: type(default)}
    choice: Any = choice_of(choices, schedules=schedules, kind=kind)
    settings = {"type": names[type(default)], **dataclasses.asdict(default)}
    if any(get_origin(alternative) in (list, Sequence) for alternative in get_args(hint)):
        several = Annotated[list[choice], Field(min_length=1)]
        written = Union[choice, several]  # noqa: UP007 - made at run time
        listed = Annotated[several, BeforeValidator(_listed, json_schema_input_type=written)]
        return listed, Field([settings], validate_default=True)
    return choice, Field(settings, validate_default=True)


def _fields(
    owner: Callable[..., Any],
    only: Sequence[str],
    exclude: Sequence[str] = (),
    *,
    operators: Mapping[str, Mapping[str, type | None]] = MappingProxyType({}),
    schedules: Schedules = (),
) -> dict[str, Any]:
    """The fields of a model, type and default by name, for arguments of `owner`.

    Args:
        owner: the class or function.
        only: the arguments; empty for all.
        exclude: arguments that are left out of all.
        operators: registries of the arguments that take an operator.
        schedules: the schedules that numbers may follow.
    """
    hints, defaults, keys = argument_hints(owner), argument_defaults(owner), _keys(owner)
    fields: dict[str, Any] = {}
    for name, hint in hints.items():
        if name not in only if only else name in exclude:
            continue
        default = _default(owner, name, defaults)
        if name in operators:
            fields[name] = _operator_field(hint, default, name, operators[name], schedules=schedules)
        elif schedules and may_vary(owner, hint):
            fields[name] = (number_or_schedule(hint, schedules), default)
        else:
            fields[name] = (_modelled(hint, schedules), default)
        if name in keys:
            fields[name] = (fields[name][0], Field(default, alias=keys[name]))
    return fields


def _keys(owner: Callable[..., Any]) -> dict[str, str]:
    """The keys in a config of those fields of a dataclass whose names are no Python words, such as `else`."""
    fields = dataclasses.fields(owner) if dataclasses.is_dataclass(owner) else ()
    return {field.name: field.metadata["key"] for field in fields if "key" in field.metadata}


def _plain_fields(owner: Callable[..., Any], fields: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """The fields that a config can hold; an argument with a default that none can hold, such as an array, is left out.

    Raises:
        ConfigError: an argument without a default has a type that no config can hold.
    """
    plain = {}
    for name, (hint, default) in fields.items():
        if hint is Any and not isinstance(default, _PLAIN_DEFAULTS):
            continue
        try:
            TypeAdapter(hint).json_schema()
            plain[name] = hint, default
        except PydanticUserError as error:
            if default is ...:
                message = f"{owner.__name__}.{name} must have a default, because no config can hold such a value"
                raise ConfigError(message) from error
    return plain


def _is_evonets(owner: Callable[..., Any]) -> bool:
    return owner.__module__.partition(".")[0] == "evonet"


def _default(owner: Callable[..., Any], name: str, defaults: Mapping[str, Any]) -> Any:
    """The default of an argument as pydantic has it; `...` if it is required."""
    if name not in defaults:
        return ...
    if dataclasses.is_dataclass(owner):  # the signature has a private marker for a default factory
        factory = next(f.default_factory for f in dataclasses.fields(owner) if f.name == name)
        if factory is not dataclasses.MISSING:
            return Field(default_factory=factory)
    derived = getattr(owner, "derived_defaults", {})
    if name in derived:
        return Field(default_factory=derived[name])
    default = defaults[name]
    return list(default) if isinstance(default, tuple) else default


def _modelled(hint: Any, schedules: Schedules = ()) -> Any:
    """The type hint with dataclasses replaced by models of their arguments."""
    by_name = next((mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, ByName)), None)
    if by_name is not None:
        section = _modelled(get_args(hint)[0], schedules)
        named = functools.partial(_named, key=by_name.field)
        return Annotated[section, BeforeValidator(named, json_schema_input_type=section | str)]
    if dataclasses.is_dataclass(hint):
        owner: Any = hint
        return section_of(owner, schedules=schedules) if schedules else section_of(owner)  # one key of the cache
    if get_origin(hint) is Sequence:
        return list[_modelled(get_args(hint)[0], schedules)]  # type: ignore[misc]
    if get_origin(hint) is types.UnionType:
        return Union[tuple(_modelled(alternative, schedules) for alternative in get_args(hint))]  # noqa: UP007 - made at run time
    return hint


def number_or_schedule(hint: Any, schedules: Schedules) -> Any:
    """The type of a number that may follow a schedule: the number, or the section of a schedule."""
    number, schedule = Annotated[hint, Tag(_NUMBER)], Annotated[_schedule(schedules), Tag(_SCHEDULE)]
    either: Any = Union[number, schedule]  # noqa: UP007 - made at run time
    return Annotated[either, Discriminator(_number_or_schedule_tag)]


@functools.cache
def _schedule(schedules: Schedules) -> Any:
    models = []
    for name, owner in schedules:
        tag: Any = Literal[name]
        if owner is None:
            models.append(create_model("Unknown", __base__=UnimportedSettings, schedule=(tag, ...)))
            continue
        fields = _fields(owner, ())
        model: Any = create_model(
            _title(owner, "schedule"), __base__=Checked, __doc__=summary_of(owner), schedule=(tag, ...), **fields
        )
        model.owner = owner
        models.append(model)
    union: Any = Union[tuple(models)]  # noqa: UP007 - made at run time
    return Annotated[union, Field(discriminator="schedule")]


def _number_or_schedule_tag(value: Any) -> str:
    """The tag of a number that may follow a schedule."""
    return _SCHEDULE if isinstance(value, dict | Section) else _NUMBER


def _named(value: Any, default_type: str | None = None, key: str = "type") -> Any:
    """A section whose name may stand alone, or whose type may be left out, as a whole section."""
    if isinstance(value, str):
        return {key: value}
    if default_type is not None and isinstance(value, dict) and "type" not in value:
        return {"type": default_type, **value}
    return value


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def built(value: Any) -> Any:
    """A setting as an argument: what its section builds, or the value itself."""
    return value.build() if isinstance(value, Buildable) else value


def _object(value: Any, common: Mapping[str, Any]) -> Any:
    """A setting as an argument: what its section builds, or a function that builds it later, or the value itself."""
    if isinstance(value, FactorySettings):
        return functools.partial(value.build, common)
    return [_object(item, common) for item in value] if isinstance(value, list) else built(value)


def _title(owner: Callable[..., Any], kind: str) -> str:
    """The name of the model of a class, such as "GaussianMutation"."""
    return owner.__name__ if owner.__name__.lower().endswith(kind) else owner.__name__ + kind.title()
