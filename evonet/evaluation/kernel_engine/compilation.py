"""Compiles a plan's rollout with Numba, so that a second process finds it compiled.

Numba caches a function by its file, its name and its bytecode, blind to the functions and constants that it refers to.
So each function that the rollout reaches is copied with its own constants and with compiled copies of what it calls,
and the rollout's copy is named after a digest of all of them: whatever changes, in evonet or in a user's own kernel,
asks the cache for another name. Imported only where Numba is wanted.
"""

from __future__ import annotations

import builtins
import dis
import hashlib
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.extending import intrinsic

from evonet.environments.kernels import arithmetic
from evonet.environments.normaliser import LIMIT
from evonet.evaluation.kernel_engine import rollout, unrolled
from evonet.evaluation.kernel_engine.plan import Plan
from evonet.network import Architecture

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}  # no fastmath: bits count
_DIGITS = 20
_NOTHING = object()
_KNOWN_TO_NUMBA = ("numpy", "math")
_LARGEST_INLINED = 1100
_MOST_COMPARISONS = 100


@intrinsic
def _float_of_bits(typing_context: Any, bits: Any) -> Any:  # noqa: ARG001 - the signature is Numba's
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(signature.return_type))

    return numba.float64(numba.int64), generate


@intrinsic
def _select(typing_context: Any, condition: Any, x: Any, y: Any) -> Any:
    chosen = typing_context.unify_types(x, y)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = [context.cast(builder, arguments[i], signature.args[i], chosen) for i in (1, 2)]
        return builder.select(arguments[0], *values)

    return chosen(condition, x, y), generate


def _where(condition: Any, x: Any, y: Any) -> Any:
    return _select(condition, x, y)  # type: ignore[call-arg]


def _bounded(x: Any, low: Any, high: Any) -> Any:
    x = _select(x < low, low, x)  # type: ignore[call-arg]
    return _select(x > high, high, x)


def _double(x: Any) -> Any:
    return np.float64(x)


def _single(x: Any) -> Any:
    return np.float64(np.float32(x))


def _power_of_two(k: Any) -> Any:
    return _float_of_bits(np.int64(k + 1023.0) << 52)  # type: ignore[call-arg]


def _to_float32(x: Any) -> Any:
    return np.float32(x)


_SCALAR = {
    arithmetic.where: _where,
    arithmetic.bounded: _bounded,
    arithmetic.double: _double,
    arithmetic.single: _single,
    arithmetic.power_of_two: _power_of_two,
}
"""The few functions of `arithmetic` that are about arrays, for single numbers."""


def compiled_rollout(plan: Plan) -> Callable[..., None]:
    """`rollout.roll_out` for a plan, compiled at its first call or taken from Numba's cache."""
    architecture, observed = plan.architecture, plan.task.observation_space.dtype
    inputs, outputs, state = architecture.num_inputs, architecture.num_outputs, plan.state_size
    together = _together(architecture)
    names: dict[str, Any] = {
        "INPUTS": inputs,
        "OUTPUTS": outputs,
        "STATE": state,
        "BIAS": architecture.bias,
        "RECURRENT": architecture.recurrent,
        "NORMALISE": plan.task.normalise,
        "LIMIT": LIMIT,
        "step": plan.kernel.step,
        "observe": plan.kernel.observe,
        "decode": plan.decode,
        "activate_hidden": plan.activate_hidden,
        "activate_output": plan.activate_output,
        "real": _double if plan.real is np.float64 else _to_float32,
        "observed": np.dtype(observed).type,
        "load_state": unrolled.load(state),
        "store_state": unrolled.store(state),
        "load_outputs": unrolled.load(outputs),
        "store_observation": unrolled.store(inputs),
        "TOGETHER": together,
        "add_neurons": unrolled.add_neurons(together, outputs, rollout.respond),
        "add_neuron": unrolled.add_neurons(1, outputs, rollout.respond),
        "where": arithmetic.where,
    }
    return _Copier(rollout.roll_out, names).copy(rollout.roll_out)  # type: ignore[no-any-return]


def _together(architecture: Architecture) -> int:
    """Neurons that the rollout does in one go: as many as the compiler can prove not to get in each other's way.

    It compares the address of each row that a loop writes with that of each that it reads, at most 128 of them; beyond
    that it makes no vectors.
    """
    inputs, outputs, recurrent = architecture.num_inputs, architecture.num_outputs, architecture.recurrent
    for neurons in (4, 2):
        written = outputs + neurons * recurrent
        read = inputs + neurons * (inputs + architecture.bias + recurrent + outputs)
        if written * read <= _MOST_COMPARISONS:
            return neurons
    return 1


class _Copier:
    """Copies a function with all that it refers to, to be compiled.

    Args:
        root: the function, whose machine code is kept on disk.
        names: what stands for names in `rollout`.
    """

    def __init__(self, root: Any, names: Mapping[str, Any]) -> None:
        self._root = root
        self._names = names
        self._copies: dict[types.FunctionType, Any] = {}
        self._digest = self._digest_of(root)

    def copy(self, function: Any) -> Any:
        """A compiled copy of a function."""
        function = _SCALAR.get(function, function)
        if function not in self._copies:
            names = {name: self._copy_of(value) for name, value in self._references(function)}
            cells = [types.CellType(self._copy_of(cell.cell_contents)) for cell in function.__closure__ or ()]
            copy = types.FunctionType(
                function.__code__,
                {"__builtins__": builtins, **names},
                function.__name__,
                function.__defaults__,
                tuple(cells),
            )
            copy.__module__ = function.__module__
            # All copies bear the digest: machine code from the cache brings its own copies of inner functions, which
            # the linker would else take for those of the same name in other code from the cache.
            copy.__qualname__ = f"{function.__name__}_{self._digest}"
            options = {"cache": True} if function is self._root else self._options(function)
            self._copies[function] = numba.njit(copy, **options, **_OPTIONS)
        return self._copies[function]

    def _options(self, function: types.FunctionType) -> dict[str, Any]:
        # A small function is inlined before types are inferred, and costs no compilation of its own. A large one that
        # is called in many places would cost as many; it is compiled once, and inlined by LLVM, lest loops over lanes
        # stay scalar.
        if self._size(function) <= _LARGEST_INLINED:
            return {"inline": "always"}
        return {"no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True}

    def _size(self, function: types.FunctionType) -> int:
        """Bytes of bytecode of a function with all that it calls written out in place."""
        called = dict(self._references(function))
        size = len(function.__code__.co_code)
        for instruction in dis.get_instructions(function):
            value = called.get(instruction.argval) if instruction.opname == "LOAD_GLOBAL" else None
            if isinstance(value, types.FunctionType):
                size += self._size(value)
        return size

    def _copy_of(self, value: Any) -> Any:
        if isinstance(value, types.FunctionType):
            return self.copy(value)
        if isinstance(value, _PartOfModule):
            module = types.ModuleType("part of a module")
            vars(module).update({name: self._copy_of(part) for name, part in value.parts.items()})
            return module
        return value

    def _references(self, function: types.FunctionType) -> Iterator[tuple[str, Any]]:
        available = function.__globals__
        if function.__module__ == rollout.__name__:
            available = {**available, **self._names}
        names = dict.fromkeys(name for code in _codes(function.__code__) for name in code.co_names)
        for name in names:
            value = available.get(name, _NOTHING)
            if isinstance(value, types.ModuleType) and value.__name__ not in _KNOWN_TO_NUMBA:
                value = _part_of(value, names)
            if value is not _NOTHING:
                yield name, value

    def _digest_of(self, function: types.FunctionType) -> str:
        digest = hashlib.sha256(Path(__file__).read_bytes())
        for part in self._parts(function, set()):
            digest.update(part)
        return digest.hexdigest()[:_DIGITS]

    def _parts(self, function: types.FunctionType, met: set[types.FunctionType]) -> Iterator[bytes]:
        """All that decides what a function computes."""
        if function in met:
            return
        met.add(function)
        for code in _codes(function.__code__):
            yield code.co_code + repr((function.__defaults__, code.co_names)).encode()
            yield repr([constant for constant in code.co_consts if not isinstance(constant, types.CodeType)]).encode()
        references = [*self._references(function)]
        references += [("", cell.cell_contents) for cell in function.__closure__ or ()]
        for _, value in references:
            references += value.parts.items() if isinstance(value, _PartOfModule) else ()
        for name, value in references:
            yield name.encode()
            if isinstance(value, types.FunctionType):
                yield from self._parts(value, met)
            elif not isinstance(value, _PartOfModule):
                yield value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode()


@dataclass(frozen=True)
class _PartOfModule:
    """Those parts of a module that a function may refer to."""

    parts: dict[str, Any]


def _part_of(module: types.ModuleType, names: Iterable[str]) -> _PartOfModule:
    return _PartOfModule({name: getattr(module, name) for name in names if hasattr(module, name)})


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)
