"""Types and ranges of settings, declared once as annotations for both Python and YAML.

A class declares its settings as annotated arguments, for example `sigma: Annotated[float, Gt(0)]`. `check` validates
the arguments of a constructor against them; `evonet.experiment.config.model_factory` makes a config's models from them.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import types
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

from annotated_types import Ge, Gt, Le, Lt, MultipleOf

from evonet.foreign import guarded_algorithm

T = TypeVar("T")

NOT_A_SETTING: Mapping[str, Any] = types.MappingProxyType({"setting": False})
"""Metadata of a dataclass field that is no setting: configs cannot set it, and `check` skips it."""

Count = Annotated[int, Ge(1)]
"""A whole number of at least one."""

Episodes = Annotated[int, Ge(1), Le(1_000_000)]
"""A number of episodes: at least one, at most a million."""

Natural = Annotated[int, Ge(0)]
"""A whole number of at least zero."""

Probability = Annotated[float, Ge(0), Le(1)]
"""A number from 0 to 1."""

PositiveFloat = Annotated[float, Gt(0)]
"""A number above zero."""


@dataclass(frozen=True)
class OneOf:
    """Annotation of a text that must be one of the given names.

    Attributes:
        names: allowed names, for example a registry.
    """

    names: Collection[str]

    def __hash__(self) -> int:
        return hash(tuple(self.names))

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """The schema by which pydantic validates the text, against the names that are known by then."""
        from pydantic_core import PydanticKnownError, core_schema

        def check(value: Any) -> Any:
            if isinstance(value, str) and value in self.names:
                return value
            *names, last = map(repr, self.names)
            raise PydanticKnownError("literal_error", {"expected": f"{', '.join(names)} or {last}"})

        literal = core_schema.literal_schema(list(self.names))
        return core_schema.no_info_plain_validator_function(check, json_schema_input_schema=literal)


class ByName(NamedTuple):
    """Annotation of a dataclass for which a config may give the value of one field alone.

    Attributes:
        field: the name of the field.
    """

    field: str


_COMPARISONS: dict[type, tuple[str, str, Callable[[Any, Any], bool]]] = {
    Ge: ("ge", "be at least", lambda value, bound: value >= bound),
    Gt: ("gt", "be greater than", lambda value, bound: value > bound),
    Le: ("le", "be at most", lambda value, bound: value <= bound),
    Lt: ("lt", "be less than", lambda value, bound: value < bound),
    MultipleOf: ("multiple_of", "be a multiple of", lambda value, bound: value % bound == 0),
}
_KINDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


@dataclass_transform(frozen_default=True)
def frozen(kind: type[T]) -> type[T]:
    """Class decorator: a frozen dataclass that is compared and printed as `Settings` are, not by methods of its own.

    It takes two thirds of a dataclass's time to make. There are fifty operators, and every process makes them all.
    """
    return dataclass(frozen=True, eq=False, repr=False)(kind)


@frozen
class Settings:
    """Base of frozen dataclasses whose fields are validated against their annotations on construction."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(tuple(_values(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in _values(self).items())})"

    def __post_init__(self) -> None:
        check(type(self), vars(self))
        for name, value in vars(self).items():
            object.__setattr__(self, name, plain(value))
        schedules = {name: value for name, value in vars(self).items() if isinstance(value, Schedule)}
        if not schedules:
            self.check_together()
        else:  # the rules must hold at both ends of each schedule
            kind: type = type(self)
            hints = argument_hints(kind)
            for place in (0, -1):
                replace(self, **{name: fitted(hints[name], s.extremes[place]) for name, s in schedules.items()})

    def check_together(self) -> None:
        """Check rules that involve several settings.

        Raises:
            ValueError: the settings violate a rule.
        """


class Operator(Settings):
    """Base of operators, whose numeric settings may be a `Schedule` instead of a number."""


@dataclass(frozen=True)
class MayVary:
    """Annotation of a number outside an operator that may be a `Schedule` instead."""


class Schedule(Settings, ABC):
    """A number that changes from generation to generation; `evonet.operators.schedules` is the registry.

    Attributes:
        by_generation: whether the number depends on the generation alone; only then can `at` be called.
    """

    by_generation: ClassVar[bool] = False

    @property
    @abstractmethod
    def extremes(self) -> tuple[float, ...]:
        """The first number, followed by the known bounds of the later ones."""

    @abstractmethod
    def following(self, number: float, generation: int, success: float, stagnation: int) -> float:
        """The number for the children of a generation.

        Args:
            number: number of the generation before; at the start, the first of `extremes`.
            generation: index of the parents' generation, from 0.
            success: share of the generation's newborn that are fitter than both their parents; NaN without newborn.
            stagnation: generations since the best fitness last rose; 0 if it rose in this generation.
        """

    def at(self, generation: int) -> float:
        """The number in a generation, of a schedule that goes by the generation alone.

        Raises:
            AlgorithmFailed: a schedule of the user's own raised an error, or gave nan.
        """
        with guarded_algorithm():
            number = self.following(self.extremes[0], generation, math.nan, 0)
            if math.isnan(number):
                raise ValueError(f"{self!r} gave nan in generation {generation}")
            return number


def _values(settings: Any) -> dict[str, Any]:
    """The values of all fields by name."""
    return {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings)}


def may_vary(owner: object, hint: Any) -> bool:
    """Whether a setting of `owner` with the annotation `hint` may be a schedule."""
    marked = isinstance(owner, type) and issubclass(owner, Operator)
    marked = marked or any(isinstance(mark, MayVary) for mark in getattr(hint, "__metadata__", ()))
    return marked and _number_kind(hint) is not None


def within(hint: Any, number: float) -> float:
    """The nearest number in the range of an annotation."""
    limit = 1e100  # keeps numbers without a range finite
    number = min(max(number, -limit), limit)
    for constraint in getattr(hint, "__metadata__", ()):
        if isinstance(constraint, Ge | Gt):
            bound: Any = constraint.ge if isinstance(constraint, Ge) else constraint.gt
            number = max(number, bound if isinstance(constraint, Ge) else math.nextafter(bound, math.inf))
        elif isinstance(constraint, Le | Lt):
            bound = constraint.le if isinstance(constraint, Le) else constraint.lt
            number = min(number, bound if isinstance(constraint, Le) else math.nextafter(bound, -math.inf))
    return number


def fitted(hint: Any, number: float) -> float:
    """The nearest number that an annotation allows; a whole number for an annotation of int."""
    return round(within(hint, number)) if _number_kind(hint) is int else float(within(hint, number))


def _number_kind(hint: Any) -> type | None:
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return kind if kind in (int, float) else None


def check(owner: Callable[..., Any], values: Mapping[str, Any]) -> None:
    """Validate `values` against the annotations of `owner`'s arguments.

    Args:
        owner: a class, or a function.
        values: arguments by name.

    Raises:
        TypeError: a value has the wrong type.
        ValueError: a value is out of range, not finite, or not among the allowed names.
    """
    place = owner.__name__ if isinstance(owner, type) else getattr(owner, "__qualname__", "")
    for name, hint in argument_hints(owner).items():
        if name in values:
            value, argument = values[name], f"{place}.{name}"
            if isinstance(value, Schedule) and may_vary(owner, hint):
                check_schedule(argument, hint, value)
            else:
                check_value(argument, hint, value)


def check_schedule(argument: str, hint: Any, schedule: Schedule) -> None:
    """Validate the extremes of a schedule against the annotation of the number that follows it; see `check`."""
    for number in schedule.extremes:
        check_value(argument, hint, _whole(number) if _number_kind(hint) is int else number)


def check_by_generation(argument: str, schedule: Schedule) -> None:
    """Refuse a schedule that goes by more than the generation; messages call what follows it `argument`.

    Raises:
        ValueError: the schedule's class does not have `by_generation = True`.
    """
    if not schedule.by_generation:
        rule = f"{argument} must follow a schedule of the generation alone: constant, linear or exponential"
        raise ValueError(f"{rule}, or one of your own whose class has by_generation = True; got {schedule!r}")


@functools.cache
def argument_hints(owner: Callable[..., Any]) -> dict[str, Any]:
    """Annotations of the arguments of a function, or of a class's constructor, that are settings, by name.

    An argument without an annotation may have any value. A class that inherits its constructor may have stricter
    annotations for some of them in `argument_rules`. An argument in `derived_defaults`, which is None where it follows
    from others, has the annotation of its values.
    """
    if dataclasses.is_dataclass(owner):
        every = get_type_hints(owner, include_extras=True)  # resolves inherited ones in the module of their class
        return {field.name: every[field.name] for field in dataclasses.fields(owner) if _is_setting(field)}
    function = inspect.getattr_static(owner, "__init__") if isinstance(owner, type) else owner
    annotated = get_type_hints(function, include_extras=True)
    hints = {name: annotated.get(name, Any) for name in _settable(function)}
    stricter: Mapping[str, Any] = getattr(owner, "argument_rules", {})
    derived: Collection[str] = getattr(owner, "derived_defaults", ())
    return {name: _without_none(hint) if name in derived else stricter.get(name, hint) for name, hint in hints.items()}


def _settable(function: Callable[..., Any]) -> list[str]:
    """The names of a function's arguments, without `self`, `*args` and `**kwargs`."""
    parameters = inspect.signature(function).parameters.values()
    variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [each.name for each in parameters if each.kind not in variadic and each.name != "self"]


def _without_none(hint: Any) -> Any:
    (value,) = (alternative for alternative in get_args(hint) if alternative is not types.NoneType)
    return value


def _is_setting(field: dataclasses.Field[Any]) -> bool:
    return field.init and bool(field.metadata.get("setting", True))


def argument_defaults(owner: Callable[..., Any]) -> dict[str, Any]:
    """Defaults of the constructor's arguments that have one, by name."""
    parameters = inspect.signature(owner).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of an error message about an unknown name: the nearest known name, then all known names, sorted."""
    names = sorted(known)
    near = near_miss(name, names)
    return f"{near} Known: {', '.join(names)}" if near else f"known: {', '.join(names)}"


def near_miss(name: str, known: Iterable[str]) -> str:
    """A question with the known name that is nearest to `name`; "" if none is near."""
    import difflib  # a run without mistakes starts without it

    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f"did you mean {near[0]!r}?" if near else ""


def chosen(owner: str, name: str, registry: Mapping[str, T]) -> T:
    """The entry of `registry` called `name`.

    Raises:
        ValueError: the name is unknown; the message has the nearest name and all known names.
    """
    if name not in registry:
        raise ValueError(f"{owner} must be a known name, got {name!r}; {did_you_mean(str(name), registry)}")
    return registry[name]


def check_value(argument: str, hint: Any, value: Any) -> None:
    """Validate the value of one argument, which messages call `argument`, against its annotation; see `check`."""
    constraints: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        constraints = tuple(rest)
    if get_origin(hint) in (Union, types.UnionType):
        if value is None and types.NoneType in get_args(hint):
            return
        alternatives = [alternative for alternative in get_args(hint) if alternative is not types.NoneType]
        if not isinstance(value, Sequence):
            alternatives = [alternative for alternative in alternatives if get_origin(alternative) is not Sequence]
        if len(alternatives) > 1:
            return
        check_value(argument, alternatives[0], value)
        hint = alternatives[0]
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            allowed = ", ".join(map(repr, sorted(get_args(hint), key=str)))
            raise ValueError(f"{argument} must be one of {allowed}, got {value!r}")
        return
    if hint in _KINDS:
        _check_kind(argument, hint, value)
    for constraint in constraints:
        _check_constraint(argument, constraint, value)


def _check_constraint(argument: str, constraint: Any, value: Any) -> None:
    if isinstance(constraint, OneOf) and value not in constraint.names:
        raise ValueError(f"{argument} must be a known name, got {value!r}; {did_you_mean(value, constraint.names)}")
    if type(constraint) in _COMPARISONS:
        field, words, holds = _COMPARISONS[type(constraint)]
        bound = getattr(constraint, field)
        if not holds(value, bound):
            raise ValueError(f"{argument} must {words} {bound}, got {value!r}")


def _whole(number: float) -> float:
    """A number of a schedule as a whole number, unless it is infinite or NaN."""
    return round(number) if math.isfinite(number) else number


def plain(value: Any) -> Any:
    """`value` with Python's numbers, booleans and texts for NumPy's, also within lists, tuples and dicts.

    A file can represent only Python's, and numbers of another precision would play other episodes.
    """
    if type(value) is dict:
        return {plain(key): plain(item) for key, item in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(plain(item) for item in value)
    is_scalar = hasattr(value, "item") and getattr(value, "shape", None) == ()
    return value.item() if is_scalar else value


def _check_kind(argument: str, kind: type, value: Any) -> None:
    accepted: Any = (int, float) if kind is float else kind
    value = plain(value)
    if not isinstance(value, accepted) or (kind is not bool and isinstance(value, bool)):
        raise TypeError(f"{argument} must be {_KINDS[kind]}, got {value!r}")
    if kind is float and not float("-inf") < value < float("inf"):
        raise ValueError(f"{argument} must be finite, got {value!r}")
