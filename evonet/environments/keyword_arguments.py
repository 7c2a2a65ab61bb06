"""Keyword arguments from YAML, which has lists where Python has tuples and arrays, and has no functions."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from evonet.foreign import ANY_ERROR, INTERRUPTS

T = TypeVar("T")

_FUNCTION = ("Callable", "typing.Callable", "collections.abc.Callable", "typing.Optional[typing.Callable")
_UNFIT = ("'list'", "'tuple'", "ndarray'")  # in messages about the type of an argument
_MAX_MIXED = 2  # lists of which each is tried in each form; of more there would be too many ways
_CAST = ".*precision lowered by casting"  # of Gymnasium's Box; a number in YAML has no precision


def call_with_lists(function: Callable[..., T], kwargs: Mapping[str, Any]) -> T:
    """Call a foreign function; if that fails, again with tuples or arrays for the lists among its arguments.

    Raises:
        BaseException: what the function raised, of several errors the first that is not about the type of a list.
    """
    errors: list[BaseException] = []
    for arguments in _ways(kwargs):
        # Python shows a warning once, and again after a change of filters, so the first way leaves them unchanged.
        with _without_casts() if errors else contextlib.nullcontext():
            try:
                return function(**arguments)
            except INTERRUPTS:
                raise
            except ANY_ERROR as error:
                errors.append(error)
    informative = (error for error, unfit in zip(errors, _UNFIT, strict=False) if unfit not in str(error))
    raise next(informative, errors[0])


@contextlib.contextmanager
def _without_casts() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _CAST)
        yield


def wanted_function(function: Callable[..., Any], kwargs: Mapping[str, Any]) -> str | None:
    """The first argument of a foreign function that must be a function, as its annotation says, and is none.

    Args:
        function: the foreign function, or a class.
        kwargs: its keyword arguments.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # code in C has no signature
        return None
    for parameter in parameters:
        required = parameter.default is parameter.empty
        value = kwargs.get(parameter.name, "" if required else None)
        if str(parameter.annotation).startswith(_FUNCTION) and value is not None and not callable(value):
            return parameter.name
    return None


def _ways(kwargs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The arguments as they are; also with tuples for all lists among them, with arrays, then with some of each."""
    yield dict(kwargs)
    lists = {name: value for name, value in kwargs.items() if isinstance(value, list)}
    tuples = {name: _tuple(value) for name, value in lists.items()}
    arrays = {name: array for name, value in lists.items() if (array := _array(value)) is not None}
    if lists:
        yield {**kwargs, **tuples}
    if arrays:
        yield {**kwargs, **arrays}
    if 1 < len(lists) <= _MAX_MIXED:
        forms = [[form[name] for form in (lists, tuples, arrays) if name in form] for name in lists]
        for values in itertools.product(*forms):
            if len({type(value) for value in values}) > 1:
                yield {**kwargs, **dict(zip(lists, values, strict=True))}


def _tuple(value: Any) -> Any:
    return tuple(map(_tuple, value)) if isinstance(value, list) else value


def _array(value: list[Any]) -> Any:
    """A list of numbers as an array; None for another list."""
    try:
        array = np.array(value)
    except ValueError:  # its parts have different lengths
        return None
    return array if array.dtype.kind in "biuf" else None
