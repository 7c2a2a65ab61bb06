"""What a kernel is: an environment written as functions over columns of numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from evonet.environments.known.arithmetic import Column

Columns: TypeAlias = tuple[Column, ...]

Precision = Literal["single", "double"]


@dataclass(frozen=True)
class Kernel:
    """An environment as functions that advance many episodes at once.

    `observe` and `step` are ordinary functions over columns. The NumPy engine calls them with arrays; Numba compiles
    them for single numbers. So they consist of arithmetic, comparisons, NumPy's element-wise functions, those of
    `evonet.environments.known.arithmetic`, and further functions of that kind. An `if` may test a parameter, never a
    column: `where` chooses between columns. Constants are plain numbers at the top of the module.

    Attributes:
        entry_point: the entry point under which Gymnasium knows the environment.
        start: draws the state after `env.reset(seed=…)` from the generator that the reset makes of that seed.
        observe: columns of the state → columns of the observation. Engines round them to the observation space's type.
        step: `(state, actions, parameters)` → `(new state, reward, terminated)`. A Discrete action is one column of
            whole numbers as floats; a Box has one column for each of its numbers.
        parameters: keyword arguments of the environment that the kernel implements, with their defaults; a text is
            for `variant` alone.
        variant: keyword arguments → the kernel for them, where they change the functions or the number of columns;
            None where this kernel serves all of them.
        infos: numbers of the environment's info, by key: columns of the state after a step → the number. Measures can
            read these; one that reads another info needs the environment itself.
        network: precision of the network. "single" is twice as fast; "double" is for environments in which a
            difference in the seventh digit would show in the return.
    """

    entry_point: str | Callable[..., Any]
    start: Callable[[np.random.Generator], Sequence[float]]
    observe: Callable[[Columns], Columns]
    step: Callable[[Columns, Columns, Columns], tuple[Columns, Column, Column]]
    parameters: Mapping[str, float | str] = field(default_factory=dict)
    variant: Callable[[Mapping[str, Any]], Kernel] | None = None
    infos: Mapping[str, Callable[[Columns], Column]] = field(default_factory=dict)
    network: Precision = "double"

    def for_arguments(self, arguments: Mapping[str, Any]) -> Kernel:
        """The kernel for these keyword arguments of the environment."""
        return self if self.variant is None else self.variant(arguments)
