"""What a kernel is: an environment written as functions over columns of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

Column: TypeAlias = Any
"""One number of each of n episodes: an array `(n,)`, or what an engine puts in its place to record or compile."""

Columns: TypeAlias = tuple[Column, ...]

Precision = Literal["single", "double"]


@dataclass(frozen=True)
class Kernel:
    """An environment as functions that run on a batch of episodes at once.

    `observe` and `step` are ordinary functions over columns. An engine calls them with arrays, with objects that record
    what is done to them, or compiles them for single numbers; so they consist of arithmetic, comparisons, NumPy's
    element-wise functions and those of `evonet.environments.kernels.arithmetic`. An `if` may ask for a parameter, never
    for a column: `where` chooses between columns. Constants are plain numbers at the top of the module.

    Attributes:
        entry_point: of the environment that the kernel stands in for, as Gymnasium registered it.
        start: draws the state after `env.reset(seed=…)` from the generator that the reset makes of that seed.
        observe: the state's columns → the observation's. Engines round them to the observation space's type.
        step: `(state, actions, parameters)` → `(new state, reward, terminated)`. A Discrete action is one column of
            whole numbers as floats, a Box has a column for each of its numbers.
        parameters: the environment's keyword arguments that the kernel implements, with their defaults.
        variant: the kernel for some of these keyword arguments, where they change the functions or the number of
            columns; None where this one serves them all.
        network: precision of the network. "single" is twice as fast; "double" is for environments in which a
            difference in the seventh digit would show in the return.
    """

    entry_point: str | Callable[..., Any]
    start: Callable[[np.random.Generator], Sequence[float]]
    observe: Callable[[Columns], Columns]
    step: Callable[[Columns, Columns, Columns], tuple[Columns, Column, Column]]
    parameters: Mapping[str, float] = field(default_factory=dict)
    variant: Callable[[Mapping[str, Any]], Kernel] | None = None
    network: Precision = "double"

    def given(self, arguments: Mapping[str, Any]) -> Kernel:
        """The kernel for these keyword arguments of the environment."""
        return self if self.variant is None else self.variant(arguments)
