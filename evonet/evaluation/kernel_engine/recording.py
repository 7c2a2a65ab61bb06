"""Functions over columns, recorded once and replayed on arrays that are made once.

A kernel reads like arithmetic on arrays, and run like that it would make a hundred arrays a step. Recorded, it is a
list of NumPy calls; bound to a number of columns, each call knows its arrays, and a replay allocates nothing. The
operations and their order stay, and so do the bits.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray

Array = NDArray[Any]
Call = Callable[[], object]
_EXTREMA = (np.minimum, np.maximum)


@dataclass(frozen=True)
class _Operation:
    """One call: `function` on inputs (numbers of values, or constants), and the number of the value that it makes."""

    function: Callable[..., object]
    inputs: tuple[Any, ...]
    output: int
    dtype: np.dtype[Any]


class _Value(NDArrayOperatorsMixin):
    """Stands for an array while a function is recorded."""

    def __init__(self, recording: Recording, number: int, dtype: np.dtype[Any]) -> None:
        self.recording, self.number, self.dtype = recording, number, dtype

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> _Value:
        if method != "__call__" or kwargs:
            raise TypeError(f"a kernel must call numpy.{ufunc.__name__} with columns and numbers only")
        return self.recording.add(ufunc, *inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> _Value:
        if function is not np.where or len(args) != 3 or kwargs:
            raise TypeError(f"a kernel must take columns element by element, numpy.{function.__name__} does not")
        return self.recording.add(np.where, *args)

    def astype(self, dtype: Any) -> _Value:
        return self if self.dtype == dtype else self.recording.add(_cast, self, dtype=np.dtype(dtype))

    def view(self, dtype: Any) -> _Value:
        return self.recording.add(_reinterpret, self, dtype=np.dtype(dtype))

    def __bool__(self) -> bool:
        raise TypeError("a kernel must choose between columns by where(condition, x, y), not by if, and, or, not")


def _cast(x: Array, out: Array) -> None:
    np.copyto(out, x, casting="unsafe")


def _reinterpret(x: Array, out: Array) -> None:
    out[...] = x.view(out.dtype)


def _choose(condition: Array, x: Any, y: Any, out: Array) -> None:
    np.copyto(out, y)
    np.copyto(out, x, where=condition)


class Recording:
    """What a function does to its arguments.

    Args:
        function: takes columns, in tuples or alone, and returns columns, likewise.
        arguments: a type for each column that it reads, in tuples as the function has them; anything else is handed
            to the function as it is.

    Attributes:
        result: what the function returned, with values for columns; see `bind`.
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._operations: list[_Operation] = []
        self._known: dict[tuple[Any, ...], _Value] = {}
        self._inputs = 0
        self.result = function(*[self._values(argument) for argument in arguments])
        self._operations = self._needed()

    def _values(self, argument: Any) -> Any:
        if isinstance(argument, tuple):
            return tuple(self._values(part) for part in argument)
        if isinstance(argument, np.dtype):
            self._inputs += 1
            return _Value(self, self._inputs - 1, argument)
        return argument

    def add(self, function: Callable[..., Any], *inputs: Any, dtype: np.dtype[Any] | None = None) -> _Value:
        """The value of `function(*inputs)`; if that was asked before, the same."""
        if (condition := self._condition_of_choice(function, inputs)) is not None:
            return condition
        key = (function, dtype, *((_Value, i.number) if isinstance(i, _Value) else (type(i), repr(i)) for i in inputs))
        if key not in self._known:
            if dtype is None:
                examples = [np.zeros(1, i.dtype) if isinstance(i, _Value) else i for i in inputs]
                with np.errstate(all="ignore"):
                    dtype = function(*examples).dtype
            number = self._inputs + len(self._operations)
            operands = tuple(i.number if isinstance(i, _Value) else _Constant(i) for i in inputs)
            self._operations.append(_Operation(function, operands, number, dtype))
            self._known[key] = _Value(self, number, dtype)
        return self._known[key]

    def _condition_of_choice(self, function: Callable[..., Any], inputs: tuple[Any, ...]) -> _Value | None:
        """The condition c, if `where(c, x, y) == x` is asked of numbers x and y that differ: a decoded action, say."""
        if function is not np.equal or not isinstance(inputs[0], _Value):
            return None
        made = next((o for o in self._operations if o.output == inputs[0].number), None)
        if made is None or made.function is not np.where:
            return None
        condition, x, y = made.inputs
        if isinstance(x, _Constant) and isinstance(y, _Constant) and x.value == inputs[1] != y.value:
            return _Value(self, condition, np.dtype(np.bool_))
        return None

    def bind(
        self, shape: tuple[int, ...], inputs: Sequence[Array], renewed: Sequence[Any] = ()
    ) -> tuple[list[Call], Any]:
        """The calls that replay the recording, and what it returned with arrays for columns.

        Args:
            shape: of a column.
            inputs: an array for each column that the function reads, in order; never written but for those `renewed`.
            renewed: columns of the result that are to come to stand in the last inputs. Where an input is read no
                more when its column is made, that is done at once, and the array in the result is the input itself.

        Returns:
            Calls to be made in order, and the function's result: arrays that hold its values after each replay.
        """
        arrays: dict[int, Array] = dict(enumerate(inputs))
        seats = {v.number: i for i, v in enumerate(renewed, self._inputs - len(renewed)) if isinstance(v, _Value)}
        last_use = self._last_uses()
        free = _FreeArrays(shape)
        calls: list[Call] = []
        for place, operation in enumerate(self._operations):
            numbers = sorted({i for i in operation.inputs if isinstance(i, int)})
            unused = [arrays[i] for i in numbers if i >= self._inputs and last_use[i] == place]
            elementwise = isinstance(operation.function, np.ufunc)  # it may write where it reads; others may not
            if elementwise:
                free.give_back(unused)
            seat = seats.get(operation.output)
            if elementwise and seat is not None and last_use.get(seat, place) <= place:
                out = inputs[seat]
            else:
                out = free.take(operation.dtype)
            arrays[operation.output] = out
            if not elementwise:
                free.give_back(unused)
            calls.append(_call(operation, [self._operand(i, arrays, operation, shape) for i in operation.inputs], out))
        return calls, self._arrays_for(self.result, arrays)

    def _needed(self) -> list[_Operation]:
        """The operations without those whose values nobody reads."""
        wanted = self._result_numbers()
        needed = []
        for operation in reversed(self._operations):
            if operation.output in wanted:
                wanted.update(i for i in operation.inputs if isinstance(i, int))
                needed.append(operation)
        return needed[::-1]

    def _result_numbers(self) -> set[int]:
        return {leaf.number for leaf in _leaves(self.result) if isinstance(leaf, _Value)}

    def _last_uses(self) -> dict[int, int]:
        uses: dict[int, int] = {}
        for place, operation in enumerate(self._operations):
            uses.update({i: place for i in operation.inputs if isinstance(i, int)})
        uses.update(dict.fromkeys(self._result_numbers(), len(self._operations)))
        return uses

    def _operand(self, operand: Any, arrays: dict[int, Array], operation: _Operation, shape: tuple[int, ...]) -> Any:
        if isinstance(operand, int):
            return arrays[operand]
        types = [arrays[i].dtype for i in operation.inputs if isinstance(i, int) and arrays[i].dtype != np.bool_]
        constant = np.array(operand.value, dtype=np.result_type(operand.value, *types))
        # NumPy reads a number with no dimensions faster as an array than as a Python float; minima are faster still
        # of two full arrays.
        return np.full(shape, constant) if operation.function in _EXTREMA else constant

    def _arrays_for(self, result: Any, arrays: dict[int, Any]) -> Any:
        if isinstance(result, tuple):
            return tuple(self._arrays_for(part, arrays) for part in result)
        return arrays[result.number] if isinstance(result, _Value) else result


@dataclass(frozen=True)
class _Constant:
    value: Any


class _FreeArrays:
    """Arrays of one shape whose values nobody reads any more; the last one given back is the first taken."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._arrays: dict[np.dtype[Any], list[Array]] = {}

    def take(self, dtype: np.dtype[Any]) -> Array:
        arrays = self._arrays.get(dtype)
        return arrays.pop() if arrays else np.zeros(self._shape, dtype)

    def give_back(self, arrays: Sequence[Array]) -> None:
        for array in arrays:
            self._arrays.setdefault(array.dtype, []).append(array)


def _leaves(result: Any) -> list[Any]:
    return [leaf for part in result for leaf in _leaves(part)] if isinstance(result, tuple) else [result]


def _call(operation: _Operation, operands: list[Any], out: Array) -> Call:
    if operation.function is np.where:
        condition, x, y = operands
        if x.ndim == y.ndim == 0:  # by number rather than by mask: mode "clip" writes into `out` without a detour
            return functools.partial(np.array([y, x], out.dtype).take, condition.view(np.int8), None, out, "clip")
        return functools.partial(_choose, condition, x, y, out)
    if operation.function in _EXTREMA:
        return functools.partial(operation.function, *operands, out=out)
    return functools.partial(operation.function, *operands, out)
