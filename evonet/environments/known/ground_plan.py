"""The ground that an environment's agent moves on, seen from above, for figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class GroundPlan(NamedTuple):
    """A plan of the ground.

    Attributes:
        keys: keys of the info that have the agent's two coordinates.
        walls: ends of each wall, x1, y1, x2, y2.
        spots: coordinates of places by name, such as the goal.
        downwards: whether the second coordinate grows downwards.
    """

    keys: tuple[str, str]
    walls: Sequence[tuple[float, float, float, float]]
    spots: Mapping[str, tuple[float, float]]
    downwards: bool = False
