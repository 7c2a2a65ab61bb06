"""Gymnasium spaces as plain data, so that champions' files need no pickle."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from evonet.environments.spaces import Space
from evonet.files.fields import LARGEST, Fields
from evonet.files.plain_data import describe_data, keyed_items
from evonet.files.text import short_repr
from evonet.settings import chosen

Description = dict[str, Any]

_MAX_NUMBERS = 1 << 24
_MAX_DIMENSIONS = 32
_DEEPEST = 32
_WHOLE_TYPES = tuple(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
_BOX_TYPES = ("bool", *_WHOLE_TYPES, "float16", "float32", "float64")
_INFINITIES = {"inf": math.inf, "-inf": -math.inf}


def describe_space(space: Space) -> Description:
    """The space as JSON-ready data.

    Raises:
        TypeError: networks do not support the space, or a Dict has a key that is no plain data.
        ValueError: a Box has numbers of a type that files do not hold, such as `longdouble`.
    """
    if isinstance(space, spaces.Box):
        return {
            "type": "Box",
            "shape": list(space.shape),
            "dtype": _known_type(str(space.dtype), _BOX_TYPES),
            "low": _describe_bounds(space.low),
            "high": _describe_bounds(space.high),
        }
    if isinstance(space, spaces.Discrete):
        return {"type": "Discrete", "n": int(space.n), "start": int(space.start)} | _describe_type(space)
    if isinstance(space, spaces.MultiDiscrete):
        numbers = {"nvec": space.nvec.tolist(), "start": space.start.tolist()}
        return {"type": "MultiDiscrete"} | numbers | _describe_type(space)
    if isinstance(space, spaces.MultiBinary):
        return {"type": "MultiBinary", "shape": list(space.shape)}
    if isinstance(space, spaces.Tuple):
        return {"type": "Tuple", "spaces": [describe_space(part) for part in space.spaces]}
    if isinstance(space, spaces.Dict):
        parts = [[describe_data(key, "a Dict's key"), describe_space(part)] for key, part in space.spaces.items()]
        return {"type": "Dict", "spaces": parts}
    raise TypeError(f"the space {space} has no description")


def space_from(description: Any, most_numbers: int = _MAX_NUMBERS) -> Space:
    """The space of a description from `describe_space`.

    Args:
        description: untrusted data, which is checked before a space is made.
        most_numbers: limit of the numbers in an observation or action, one-hot for discrete parts.

    Raises:
        ValueError: the description is malformed or its space exceeds `most_numbers`; no large array is allocated.
    """
    size = _size(description)
    if size > most_numbers:
        raise ValueError(f"space must have at most {most_numbers} numbers, got {size}")
    with np.errstate(all="raise", under="ignore"):
        try:
            return _made(description)
        except (ArithmeticError, AssertionError, TypeError, OverflowError) as error:
            raise ValueError(f"space cannot be made: {error}") from error


def _size(description: Any, depth: int = 0) -> int:
    """Numbers in an element of the described space, computed without making the space."""
    fields = Fields(description, "space")
    kind = fields.text("type")
    chosen("space.type", kind, _MAKERS)
    if depth == _DEEPEST:
        raise ValueError(f"space must be at most {_DEEPEST} levels deep")
    if kind == "Discrete":
        return fields.integer("n", 1)
    if kind == "MultiDiscrete":
        return sum(_whole_numbers(fields, "nvec", least=1).ravel().tolist())
    if kind == "Tuple":
        return sum(_size(part, depth + 1) for part in fields.items("spaces"))
    if kind == "Dict":
        return sum(_size(part, depth + 1) for _, part in _keyed(fields))
    return math.prod(_shape(fields, least=0 if kind == "Box" else 1))


def _shape(fields: Fields, least: int = 0) -> tuple[int, ...]:
    lengths = fields.items("shape", _MAX_DIMENSIONS)
    if any(type(length) is not int or not least <= length <= LARGEST for length in lengths):
        raise ValueError(f"space.shape must have whole numbers from {least} up, got {short_repr(lengths)}")
    return tuple(lengths)


def _whole_numbers(fields: Fields, key: str, least: int = -LARGEST) -> NDArray[np.int64]:
    """An array of whole numbers, from nested lists."""
    numbers = np.array(fields.items(key))
    if numbers.dtype != np.int64 or numbers.size == 0 or numbers.min() < least:
        raise ValueError(f"space.{key} must have whole numbers, got {short_repr(fields.get(key))}")
    return numbers


def _keyed(fields: Fields) -> list[tuple[Any, Any]]:
    return keyed_items(fields.items("spaces"), "space.spaces")


def _describe_type(space: spaces.Discrete | spaces.MultiDiscrete) -> Description:
    """The entry for the type of a space's numbers; none for int64, which a description without it has."""
    return {} if space.dtype == np.int64 else {"dtype": str(space.dtype)}


def _known_type(name: str, known: tuple[str, ...]) -> str:
    if name not in known:
        raise ValueError(f"space.dtype must be one of {', '.join(known)}, got {short_repr(name)}")
    return name


def _type_of(fields: Fields, nvec: NDArray[np.int64], start: NDArray[np.int64]) -> type[np.integer[Any]]:
    """The type of a discrete space, after a check that it holds the space's numbers."""
    name = _known_type(fields.text("dtype") if fields.has("dtype") else "int64", _WHOLE_TYPES)
    bounds = np.iinfo(name)
    sizes, starts = nvec.ravel().tolist(), start.ravel().tolist()  # of Python's integers, which have no limit
    last = max(begin + size - 1 for begin, size in zip(starts, sizes, strict=True))
    if min(starts) < bounds.min or max(last, *sizes) > bounds.max:
        raise ValueError(f"space must have numbers that {name} holds, got {min(starts)} to {last}")
    return np.dtype(name).type


def _describe_bounds(bounds: NDArray[Any]) -> Any:
    # Infinities become text, because JSON has none; equal bounds, as of an image's pixels, become one number.
    all_equal = bounds.size > 0 and bool((bounds == bounds.flat[0]).all())
    numbers = bounds.ravel()[: 1 if all_equal else None].tolist()
    described = [str(number) if math.isinf(number) else number for number in numbers]
    return described[0] if all_equal else described


def _box(fields: Fields) -> Space:
    dtype, shape = np.dtype(_known_type(fields.text("dtype"), _BOX_TYPES)), _shape(fields)
    low, high = (_bounds(fields, side, dtype, math.prod(shape)).reshape(shape) for side in ("low", "high"))
    if (low > high).any():
        raise ValueError("space.low must be at most space.high")
    return spaces.Box(low, high, dtype=dtype.type)


def _bounds(fields: Fields, side: str, dtype: np.dtype[Any], size: int) -> NDArray[Any]:
    """The bounds on one side, `(size,)`."""
    given = fields.get(side)
    listed = given if isinstance(given, list) else [given]
    if isinstance(given, list) and len(given) != size:
        raise ValueError(f"space.{side} must be one number or {size}, got {len(given)}")
    if dtype.kind == "f":
        numbers: list[Any] = [_INFINITIES.get(bound, bound) if isinstance(bound, str) else bound for bound in listed]
        valid = all(type(bound) in {int, float} and not math.isnan(bound) for bound in numbers)
    else:
        numbers, kind = listed, bool if dtype.kind == "b" else int
        least, most = (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
        valid = all(type(bound) is kind and least <= bound <= most for bound in numbers)
    if not valid:
        raise ValueError(f"space.{side} must have numbers of type {dtype}, got {short_repr(given)}")
    return np.broadcast_to(np.array(numbers, dtype=dtype), size)


def _discrete(fields: Fields) -> Space:
    n, start = fields.integer("n", 1), fields.integer("start", -LARGEST)
    return spaces.Discrete(n, start=start, dtype=_type_of(fields, np.array([n]), np.array([start])))


def _multi_discrete(fields: Fields) -> Space:
    nvec, start = _whole_numbers(fields, "nvec", least=1), _whole_numbers(fields, "start")
    if nvec.shape != start.shape:
        raise ValueError(f"space.start must have the shape of space.nvec, {nvec.shape}, got {start.shape}")
    return spaces.MultiDiscrete(nvec, _type_of(fields, nvec, start), start=start)


def _multi_binary(fields: Fields) -> Space:
    shape = _shape(fields, least=1)
    return spaces.MultiBinary(shape if len(shape) != 1 else shape[0])


def _made(description: Any) -> Space:
    fields = Fields(description, "space")
    return _MAKERS[fields.text("type")](fields)


_MAKERS: Mapping[str, Callable[[Fields], Space]] = {
    "Box": _box,
    "Discrete": _discrete,
    "MultiDiscrete": _multi_discrete,
    "MultiBinary": _multi_binary,
    "Tuple": lambda fields: spaces.Tuple([_made(part) for part in fields.items("spaces")]),
    "Dict": lambda fields: spaces.Dict([(key, _made(part)) for key, part in _keyed(fields)]),
}
