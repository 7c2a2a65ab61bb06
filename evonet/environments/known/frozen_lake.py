"""FrozenLake-v1: names and parameters; it has no kernel."""

from __future__ import annotations

from typing import Any

from evonet.environments.known.environment import KnownEnvironment, Names
from evonet.environments.known.parameter import Parameter


def _success_rate(environment: Any) -> float:
    """The share of steps that go where they should, from the environment's table of moves."""
    moves = environment.P[0][1]  # to one side, as meant, to the other; or as meant only
    return float(moves[len(moves) // 2][0])


FROZEN_LAKE = KnownEnvironment(
    names=Names(tuple(f"square {i}" for i in range(16)), ("left", "down", "right", "up")),
    parameters=(
        Parameter("grip (share of steps that go as meant)", _success_rate, None, "success_rate", (0.2, 0.5, 0.7, 1.0)),
    ),
)
