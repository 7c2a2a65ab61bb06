"""A champion's actions over two of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evonet.champion import Champion
from evonet.inspection.analysis.influence import sampled_observations
from evonet.inspection.analysis.responses import Responses
from evonet.inspection.analysis.trajectory import Trajectory
from evonet.types import FloatArray

_POINTS = 61
_OUTLIERS = 0.01  # share of the observations that is left out on either side
_MARGIN = 0.15  # share of the range that is added on either side


@dataclass(frozen=True, eq=False)
class PolicySurface:
    """Actions over a grid of two inputs, all other inputs at their median.

    Attributes:
        inputs: indices of the two inputs, or of the only one.
        x: values of the first input, `(n,)`.
        y: values of the second input, `(m,)`; `(1,)` if there is only one.
        actions: actions as numbers, `(m, n, numbers)`.
        visited: values of the two inputs in the champion's episodes, `(k, 2)`, or `(k, 1)`.
    """

    inputs: tuple[int, ...]
    x: FloatArray
    y: FloatArray
    actions: FloatArray
    visited: FloatArray


def policy_surface(champion: Champion, episodes: Sequence[Trajectory], inputs: Sequence[int]) -> PolicySurface:
    """The policy over the first two of `inputs`, in the range that `episodes` visited, with a margin.

    Raises:
        EnvironmentUnavailable: the champion has no environment.
    """
    observations, memory = sampled_observations(episodes)
    chosen = tuple(inputs[:2])
    x, *rest = (_values(observations[:, index]) for index in chosen)
    y = rest[0] if rest else np.zeros(1)
    changes = {chosen[0]: np.tile(x, len(y))} | ({chosen[1]: np.repeat(y, len(x))} if rest else {})
    actions = Responses(champion, np.median(observations, axis=0)[None], np.median(memory, axis=0)).actions(changes)
    return PolicySurface(chosen, x, y, actions.reshape(len(y), len(x), -1), observations[:, chosen])


def _values(observed: FloatArray) -> FloatArray:
    low, high = np.quantile(observed, [_OUTLIERS, 1 - _OUTLIERS])
    margin = _MARGIN * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, _POINTS)


def policy_table(champion: Champion, most: int | None = None) -> FloatArray:
    """The action, or its first number, for each of the first `most` values of a Discrete observation, `(values,)`."""
    inputs = champion.architecture.num_inputs
    count = inputs if most is None else min(most, inputs)
    return Responses(champion, np.zeros((1, inputs))).actions_for_each_value(count)[:, 0]
