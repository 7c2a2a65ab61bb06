"""Functions over columns, recorded once as lists of operations.

A kernel reads like arithmetic on arrays, and run like that it would make a hundred arrays a step. Recorded, and bound
to arrays by `evonet.evaluation.kernel_engine.binding`, it is a list of NumPy calls that allocate nothing. What is
computed stays, and so do the bits (but for the sign of a zero that is cut at a bound of zero).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from evonet.evaluation.kernel_engine.operations import Constant, Operation, clip


class Value(NDArrayOperatorsMixin):
    """Stands for an array while a function is recorded."""

    def __init__(self, recording: Recording, number: int, dtype: np.dtype[Any]) -> None:
        self.recording, self.number, self.dtype = recording, number, dtype

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Value:
        if method != "__call__" or kwargs:
            raise TypeError(f"a kernel must call numpy.{ufunc.__name__} with columns and numbers only")
        return self.recording.add(ufunc, *inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if function is not np.where or len(args) != 3 or kwargs:
            raise TypeError(f"a kernel must take columns element by element, numpy.{function.__name__} does not")
        return self.recording.choose(*args)

    def astype(self, dtype: Any) -> Value:
        return self if self.dtype == dtype else self.recording.add(np.ndarray.astype, self, dtype=np.dtype(dtype))

    def view(self, dtype: Any) -> Value:
        return self.recording.add(np.ndarray.view, self, dtype=np.dtype(dtype))

    def __bool__(self) -> bool:
        raise TypeError("a kernel must choose between columns by where(condition, x, y), not by if, and, or, not")


class Recording:
    """What a function does to its arguments.

    Args:
        function: takes columns, in tuples or alone, and returns columns, likewise.
        arguments: a type for each column that it reads, in tuples as the function has them; anything else is handed
            to the function as it is.

    Attributes:
        operations: in order; a value's number is its place among all that the function reads and makes.
        num_inputs: how many columns it reads; their values come first.
        result: what the function returned, with values for columns.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.operations: list[Operation] = []
        self._known: dict[tuple[Any, ...], Value] = {}
        self._numbered: list[Value] = []
        self.num_inputs = 0
        self.result = function(*[self._values(argument) for argument in arguments])
        self.operations = self._needed()

    def _values(self, argument: Any) -> Any:
        if isinstance(argument, tuple):
            return tuple(self._values(part) for part in argument)
        if isinstance(argument, np.dtype):
            self.num_inputs += 1
            return self._value(argument)
        return argument

    def _value(self, dtype: np.dtype[Any]) -> Value:
        self._numbered.append(Value(self, len(self._numbered), dtype))
        return self._numbered[-1]

    def add(self, function: Callable[..., Any], *inputs: Any, dtype: np.dtype[Any] | None = None) -> Value:
        """The value of `function(*inputs)`; if that was asked before, the same."""
        inputs = tuple(i[()] if isinstance(i, np.ndarray) and i.ndim == 0 else i for i in inputs)
        if (condition := self._condition_of_choice(function, inputs)) is not None:
            return condition
        if (bounded := self._clipping(function, inputs)) is not None:
            function, inputs = clip, bounded
        key = (function, dtype, *((Value, i.number) if isinstance(i, Value) else (type(i), repr(i)) for i in inputs))
        if key not in self._known:
            if dtype is None:
                examples = [np.zeros(1, i.dtype) if isinstance(i, Value) else i for i in inputs]
                with np.errstate(all="ignore"):
                    dtype = function(*examples).dtype
            operands = tuple(i.number if isinstance(i, Value) else Constant(i) for i in inputs)
            self._known[key] = self._value(dtype)
            self.operations.append(Operation(function, operands, self._known[key].number, dtype))
        return self._known[key]

    def choose(self, condition: Any, x: Any, y: Any) -> Any:
        """`numpy.where(condition, x, y)`, where one of them at least is a column."""
        if isinstance(condition, Value):
            return self.add(np.where, condition if condition.dtype == np.bool_ else condition != 0, x, y)
        dtype = np.where([condition], *[np.zeros(1, i.dtype) if isinstance(i, Value) else i for i in (x, y)]).dtype
        chosen = x if condition else y
        return chosen.astype(dtype) if isinstance(chosen, Value) else dtype.type(chosen)

    def _condition_of_choice(self, function: Callable[..., Any], inputs: tuple[Any, ...]) -> Value | None:
        """The condition c, if `where(c, x, y) == x` is asked of numbers x and y that differ: a decoded action, say."""
        if function is not np.equal or isinstance(inputs[1], Value):
            return None
        if (made := self._made(np.where, inputs[0])) is None:
            return None
        condition, x, y = made.inputs
        if isinstance(x, Constant) and isinstance(y, Constant) and x.value == inputs[1] != y.value:
            return self._numbered[condition] if isinstance(condition, int) else None
        return None

    def _clipping(self, function: Callable[..., Any], inputs: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """`(x, low, high)`, if `minimum(maximum(x, low), high)` is asked with numbers for bounds."""
        if function is not np.minimum or (made := self._made(np.maximum, inputs[0])) is None:
            return None
        x, low = made.inputs
        if not isinstance(x, int) or not isinstance(low, Constant) or isinstance(inputs[1], Value):
            return None
        if self._numbered[x].dtype == made.dtype:
            return self._numbered[x], low.value, inputs[1]
        return None

    def _made(self, function: Callable[..., Any], value: Any) -> Operation | None:
        """The operation that made a value, if it was `function`."""
        place = value.number - self.num_inputs if isinstance(value, Value) else -1
        return self.operations[place] if place >= 0 and self.operations[place].function is function else None

    def _needed(self) -> list[Operation]:
        """The operations without those whose values nobody reads."""
        wanted = self._result_numbers()
        needed = []
        for operation in reversed(self.operations):
            if operation.output in wanted:
                wanted.update(operation.values)
                needed.append(operation)
        return needed[::-1]

    def _result_numbers(self) -> set[int]:
        return {leaf.number for leaf in _leaves(self.result) if isinstance(leaf, Value)}

    def last_uses(self, turns: Mapping[int, int]) -> dict[int, int]:
        """Number of each value → place of the last operation that reads it; beyond all places for a result.

        Args:
            turns: place of an operation → place where it is done instead.
        """
        uses: dict[int, int] = {}
        for place, operation in enumerate(self.operations):
            turn = turns.get(place, place)
            for i in operation.values:
                uses[i] = max(turn, uses.get(i, 0))
        uses.update(dict.fromkeys(self._result_numbers(), len(self.operations)))
        return uses


def _leaves(result: Any) -> list[Any]:
    return [leaf for part in result for leaf in _leaves(part)] if isinstance(result, tuple) else [result]
