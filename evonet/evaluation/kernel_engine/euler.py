"""The last lines of many simulations, `x + time_step * x_dot` for each number of the state, in two calls for all.

A call of NumPy on a few hundred numbers takes longer to begin than to compute: the calls count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from evonet.evaluation.kernel_engine.aligned import aligned_zeros
from evonet.evaluation.kernel_engine.operations import Array, Call, Constant, Operation, writing


@dataclass(frozen=True)
class EulerStep:
    """Explicit Euler: each number of the state grows by a constant times a rate.

    Attributes:
        places: of the operations that it does, in a recording.
        rates: numbers of the values that the state's numbers grow by.
        factors: the constants.
        renewal: number of each value of the state → number of the value that comes to stand in its place.
        state: to be renewed, `(k, …)`.
    """

    places: frozenset[int]
    rates: tuple[int, ...]
    factors: tuple[float, ...]
    renewal: Mapping[int, int]
    state: Array

    @classmethod
    def found(
        cls,
        operations: Sequence[Operation],
        renewal: Mapping[int, int],
        last_use: Mapping[int, int],
        state: Array,
    ) -> EulerStep | None:
        """The step that renews the state, if a recording holds one that may be taken all at once.

        Args:
            operations: of the recording.
            renewal: number of each value of the state → number of the value that comes to stand in its place.
            last_use: place where a value is last read.
            state: to be renewed, `(k, …)`.
        """
        made = {operation.output: place for place, operation in enumerate(operations)}
        places, rates, factors = list[int](), list[int](), list[float]()
        for old, new in renewal.items():
            total = operations[made[new]] if new in made else None
            if total is None or total.function is not np.add or len(total.values) != 2 or old not in total.values:
                return None
            (growth,) = total.values - {old}
            product = operations[made[growth]] if growth in made else None
            if product is None or product.function is not np.multiply or product.dtype != state.dtype:
                return None
            constants = [i.value for i in product.inputs if isinstance(i, Constant)]
            if len(constants) != 1:
                return None
            places += [made[new], made[growth]]
            rates += product.values
            factors += constants
        if not len(set(rates)) == len(state) > 1:
            return None
        if any(operations[made[rate]].dtype != state.dtype for rate in rates if rate in made):
            return None
        step = cls(frozenset(places), tuple(rates), tuple(factors), renewal, state)
        return step if step._may_wait(operations, last_use) else None

    def _may_wait(self, operations: Sequence[Operation], last_use: Mapping[int, int]) -> bool:
        """Whether nothing that it makes is read before its place, and nothing that it overwrites after."""
        made = {operations[place].output for place in self.places}
        others = {i for place in set(range(self.last)) - self.places for i in operations[place].values}
        overwritten = {*self.rates, *self.renewal, *made} - set(self.renewal.values())
        return not made & {*others, *self.rates} and all(last_use.get(i, 0) <= self.last for i in overwritten)

    @property
    def last(self) -> int:
        """The place where it is taken."""
        return max(self.places)

    @cached_property
    def _growth(self) -> Array:
        """Room for the rates, `(k, …)`."""
        return aligned_zeros(self.state.shape)

    @cached_property
    def seats(self) -> dict[int, Array]:
        """Where each rate is to stand."""
        return dict(zip(self.rates, self._growth, strict=True))

    def calls(self, arrays: Mapping[int, Array]) -> list[Call]:
        """The calls that take it, on the arrays of the values; rates that do not stand in their seats are copied."""
        copies = [writing(seat, arrays[rate]) for rate, seat in self.seats.items() if arrays[rate] is not seat]
        factors = aligned_zeros(self.state.shape)
        factors.T[...] = self.factors
        state, growth = self.state, self._growth
        return [*copies, partial(np.multiply, growth, factors, growth), partial(np.add, state, growth, state)]
