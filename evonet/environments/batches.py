"""Batches of observations of any space, as Stable-Baselines3's tools hold them, and batches of actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from evonet.environments.spaces import Actions, MalformedObservation, Space


def is_single(space: Space, observation: Any) -> bool:
    """Whether this is one observation, not a batch of them; what is neither counts as one, which is then refused."""
    if isinstance(space, spaces.Dict):
        if isinstance(observation, Mapping) and space.spaces.keys() <= observation.keys():
            return all(is_single(part, observation[key]) for key, part in space.spaces.items())
        return not isinstance(observation, list)
    if isinstance(space, spaces.Tuple):
        return not isinstance(observation, list)
    assert space.shape is not None
    try:
        return np.ndim(observation) != len(space.shape) + 1
    except ValueError:  # rows of different lengths
        return not isinstance(observation, list)


def unbatched(space: Space, observations: Any) -> list[Any]:
    """The observations of a batch, of which there is one at least."""
    if isinstance(space, spaces.Dict) and isinstance(observations, Mapping):
        columns = [unbatched(part, observations[key]) for key, part in space.spaces.items()]
        if len({len(column) for column in columns}) > 1:
            sizes = [len(column) for column in columns]
            raise MalformedObservation(f"the parts of a batch must have equal lengths, got {sizes}")
        return [dict(zip(space.spaces, parts, strict=True)) for parts in zip(*columns, strict=True)]
    batch = list(observations) if np.iterable(observations) else []
    if not batch:
        raise MalformedObservation(f"a batch must have at least one observation, got {observations!r}")
    return batch


def stacked(actions: Actions) -> NDArray[Any]:
    """Actions as an array `(m, …)`; of objects `(m,)` if they have parts."""
    if not isinstance(actions[0], tuple | dict):
        return np.array(actions)
    array = np.empty(len(actions), dtype=object)
    for lane, action in enumerate(actions):
        array[lane] = action
    return array
