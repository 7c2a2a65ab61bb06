"""Classes of the user's own, which a config names as `module:Class`: may they be imported, and do they fit?"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

import gymnasium as gym

from evonet.activations import ACTIVATIONS, Activation
from evonet.environments.imports import import_refusal, is_allowed, module_of
from evonet.errors import ConfigError, UnsuitableEnvironment
from evonet.experiment.config.document import Document, KeyPath
from evonet.experiment.config.named_parts import ACTIVATION, ALGORITHM, SCHEDULE, NamedPart, imported_names, named_parts
from evonet.foreign import guarded, import_module
from evonet.operators.registry import OPERATORS
from evonet.settings import Schedule, argument_hints, did_you_mean

_METHODS_OF_ALGORITHMS = ("ask", "tell", "state", "restore")

OwnParts = frozenset[tuple[str, str, type]]
"""Classes of the user's own: kind, name in the config, class."""


def own_names(data: Mapping[str, Any]) -> list[str]:
    """The names `module:Class` of the parts in a config that are the user's own."""
    return list(dict.fromkeys(part.name for part in _own_parts(data)))


def refuse_imports(document: Document, allowed: Collection[str], *, only_parts: bool = False) -> None:
    """Refuse a config that names modules that may not be imported; one message has all of them.

    Args:
        document: the config.
        allowed: modules that may be imported.
        only_parts: whether to refuse only where a part names such a module; the message has all names even so.

    Raises:
        UnsuitableEnvironment: a module may not be imported.
    """
    named = imported_names(document.data)
    refused = [path for path, name in named if not is_allowed(module_of(name), allowed)]
    parts = {part.path for part in _own_parts(document.data)}
    refusal = import_refusal([name for _, name in named], allowed)
    if refusal is not None and not (only_parts and parts.isdisjoint(refused)):
        raise UnsuitableEnvironment(f"{document.named_position(refused[0])}: {refusal}")


def import_parts(document: Document, allowed: Collection[str]) -> tuple[OwnParts, dict[KeyPath, str]]:
    """The parts of the user's own that a config names; own activations are entered in `ACTIVATIONS`.

    Args:
        document: the config.
        allowed: modules that may be imported.

    Returns:
        The classes, and why another part cannot be used, by the place of its name.

    Raises:
        UnsuitableEnvironment: a module may not be imported.
    """
    own = _own_parts(document.data)
    if not own:
        return frozenset(), {}
    refuse_imports(document, allowed, only_parts=True)
    classes, problems = set(), {}
    for path, kind, name in own:
        try:
            part = _part(kind, name)
        except ConfigError as error:
            problems[path] = str(error)
            continue
        if isinstance(part, Activation):
            ACTIVATIONS[name] = part
        else:
            classes.add((kind, name, part))
    return frozenset(classes), problems


def _own_parts(data: Mapping[str, Any]) -> list[NamedPart]:
    return [part for part in named_parts(data) if isinstance(part.name, str) and module_of(part.name)]


def _part(kind: str, name: str) -> Any:
    """The class, or for an activation the object, that `module:Name` names.

    Raises:
        ConfigError: the module cannot be imported, or has no such part of this kind.
    """
    module_name, _, attribute = name.rpartition(":")
    with guarded(f"{name!r} cannot be used", ConfigError):
        module = import_module(module_name)
        found = getattr(module, attribute, None)
        if found is None:
            known = [each for each in vars(module) if not each.startswith("_")]
            raise ConfigError(f"the module {module_name!r} has no {attribute!r}; {did_you_mean(attribute, known)}")
        problem = _problem(found, kind)
    if problem is not None:
        raise ConfigError(f"{name!r} {problem}")
    return found


def _problem(found: Any, kind: str) -> str | None:
    """Why an object of a module is no part of this kind; None if it is one."""
    from evonet.operators.kinds import operator_problem, with_article  # most configs have no own parts

    if kind == ACTIVATION:
        return None if isinstance(found, Activation) else f"must be an evonet.activations.Activation, got {found!r}"
    if not isinstance(found, type):
        what = "a function" if inspect.isroutine(found) else f"of type {type(found).__name__}"
        return f"is {what}, and must be a class"
    other = _kind_by_base(found)
    if other is not None and other != kind:
        return f"is {with_article(other)}, not {with_article(kind)}"
    if kind == SCHEDULE and other is None:
        return "must be a subclass of evonet.settings.Schedule"
    if kind == ALGORITHM:
        missing = [method for method in _METHODS_OF_ALGORITHMS if not callable(getattr(found, method, None))]
        if missing:
            return f"lacks the method{'s' * (len(missing) > 1)} {', '.join(missing)}, which every algorithm has"
    return (operator_problem(found, kind) if kind in OPERATORS else None) or _problem_of_settings(found, kind)


def _kind_by_base(found: type) -> str | None:
    """The kind of a class that is no operator; None for any other."""
    bases = {"environment": gym.Env, "wrapper": gym.Wrapper, SCHEDULE: Schedule}
    if all(callable(getattr(found, method, None)) for method in _METHODS_OF_ALGORITHMS):
        return ALGORITHM
    return next((kind for kind, base in bases.items() if issubclass(found, base)), None)


def _problem_of_settings(found: type, kind: str) -> str | None:
    """Why no config can make objects of a class; None if one can."""
    if inspect.isabstract(found):
        missing = sorted(getattr(found, "__abstractmethods__"))  # noqa: B009 - mypy does not know the attribute
        return f"lacks the method{'s' * (len(missing) > 1)} {', '.join(missing)}"
    names = argument_hints(found)
    absent = [] if kind != ALGORITHM else [name for name in ("architecture", "seed") if name not in names]
    if absent:
        return f"must take the argument{'s' * (len(absent) > 1)} {' and '.join(absent)}, as every algorithm does"
    reserved = next((name for name in names if name in ("type", "schedule") or name.startswith("_")), None)
    return None if reserved is None else f"has an argument {reserved!r}, a name that no setting can have"
