"""Spaces as plain data, so that a champion's file says what it sees and does without a pickle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from gymnasium import spaces

from evonet.environments.spaces import Space
from evonet.settings import chosen

Description = dict[str, Any]


def describe_space(space: Space) -> Description:
    """The space as JSON-ready data.

    Raises:
        TypeError: a network cannot be connected to such a space.
    """
    if isinstance(space, spaces.Box):
        return {
            "type": "Box",
            "shape": list(space.shape),
            "dtype": str(space.dtype),
            "low": _describe_bounds(space.low),
            "high": _describe_bounds(space.high),
        }
    if isinstance(space, spaces.Discrete):
        return {"type": "Discrete", "n": int(space.n), "start": int(space.start)}
    if isinstance(space, spaces.MultiDiscrete):
        return {"type": "MultiDiscrete", "nvec": space.nvec.tolist(), "start": space.start.tolist()}
    if isinstance(space, spaces.MultiBinary):
        return {"type": "MultiBinary", "shape": list(space.shape)}
    if isinstance(space, spaces.Tuple):
        return {"type": "Tuple", "spaces": [describe_space(part) for part in space.spaces]}
    if isinstance(space, spaces.Dict):
        parts = [[key, describe_space(part)] for key, part in space.spaces.items()]
        return {"type": "Dict", "spaces": parts}
    raise TypeError(f"the space {space} has no description")


def space_from(description: Description) -> Space:
    """The space that `describe_space` described.

    Raises:
        ValueError, KeyError, TypeError: it is no such description.
    """
    make = chosen("space.type", description["type"], _MAKERS)
    return make(description)


def _describe_bounds(bounds: Any) -> Any:
    # Infinities as text, for JSON has none; one number where all are alike, as the pixels of an image are.
    flat = [str(b) if np.isinf(b) else b for b in bounds.ravel().tolist()]
    return flat[0] if flat and all(b == flat[0] for b in flat) else flat


def _box(description: Description) -> Space:
    dtype = np.dtype(description["dtype"])
    shape = tuple(description["shape"])
    low, high = (
        np.broadcast_to(np.array(description[side], dtype=np.float64).astype(dtype), np.prod(shape, dtype=int))
        for side in ("low", "high")
    )
    return spaces.Box(low.reshape(shape), high.reshape(shape), dtype=dtype.type)


_MAKERS: Mapping[str, Callable[[Description], Space]] = {
    "Box": _box,
    "Discrete": lambda d: spaces.Discrete(d["n"], start=d["start"]),
    "MultiDiscrete": lambda d: spaces.MultiDiscrete(np.array(d["nvec"]), start=np.array(d["start"])),
    "MultiBinary": lambda d: spaces.MultiBinary(d["shape"] if len(d["shape"]) != 1 else d["shape"][0]),
    "Tuple": lambda d: spaces.Tuple([space_from(part) for part in d["spaces"]]),
    "Dict": lambda d: spaces.Dict([(key, space_from(part)) for key, part in d["spaces"]]),
}
