"""What is recorded of a function over columns, operation by operation, and the NumPy calls that carry one out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.evaluation.kernel_engine.aligned import aligned_zeros

Array = NDArray[Any]
Call = Callable[[], object]
_EXTREMA = (np.minimum, np.maximum)


class _Revealing(np.ndarray):
    """An array that answers a call of its method with the ufunc behind it."""

    def __array_ufunc__(self, ufunc: np.ufunc, *_: Any, **__: Any) -> Any:
        return ufunc


clip: np.ufunc = np.zeros(()).view(_Revealing).clip(0, 1)  # type: ignore[assignment]
"""`clip(x, low, high, out)`: a maximum and a minimum in one call; `numpy.clip` goes many ways round to it."""


@dataclass(frozen=True)
class Constant:
    """A number that an operation reads."""

    value: Any


@dataclass(frozen=True)
class Operation:
    """A function of values, which are known by their numbers, or of constants.

    Attributes:
        function: a ufunc, `numpy.where`, or the array's method `astype` or `view`.
        inputs: what it reads.
        output: number of the value that it makes.
        dtype: of that value.
    """

    function: Callable[..., Any]
    inputs: tuple[int | Constant, ...]
    output: int
    dtype: np.dtype[Any]

    @cached_property
    def values(self) -> set[int]:
        """Numbers of the values that it reads."""
        return {i for i in self.inputs if isinstance(i, int)}

    @property
    def in_place(self) -> bool:
        """Whether it may write where it reads."""
        return isinstance(self.function, np.ufunc)

    def calls(self, operands: Sequence[Array], out: Array) -> list[Call]:
        """The calls that carry it out on arrays; constants as `constant` has them."""
        if self.function is np.where:
            return _choosing(operands, out)
        if self.function is np.ndarray.astype:
            return [writing(out, operands[0])]
        if self.function is np.ndarray.view:
            return [writing(out, operands[0].view(out.dtype))]
        if self.function in _EXTREMA:
            return [partial(self.function, *operands, out=out)]
        return [partial(self.function, *operands, out)]

    def constant(self, numbers: Sequence[Any], others: Sequence[Array], shape: tuple[int, ...]) -> Array:
        """A constant for `calls`.

        Args:
            numbers: its value, or one for each row of `shape`.
            others: the operands that are no constants.
            shape: of the operation's result.
        """
        dtype = np.result_type(numbers[0], *[array.dtype for array in others if array.dtype != np.bool_])
        if len(set(map(repr, numbers))) == 1 and self.function not in _EXTREMA:
            # NumPy reads a number with no dimensions faster as an array than as a Python float; minima are faster
            # still of two full arrays.
            return np.array(numbers[0], dtype)
        constant = aligned_zeros(shape, dtype)
        constant.T[...] = numbers if len(numbers) > 1 else numbers[0]
        return constant


def writing(target: Array, source: Any) -> Call:
    """The call that copies `source` into `target`; no other is as fast."""
    return partial(target.__setitem__, ..., source)


def _choosing(operands: Sequence[Array], out: Array) -> list[Call]:
    condition, x, y = operands
    if x.ndim == y.ndim == 0:  # by number rather than by mask: mode "clip" writes into `out` without a detour
        number = aligned_zeros(out.shape, np.intp)
        pick = partial(np.array([y, x], out.dtype).take, number, None, out, "clip")
        return [writing(number, condition), pick]
    return [writing(out, y), partial(np.copyto, out, x, where=condition)]
