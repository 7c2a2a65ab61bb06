"""A contract is a sequence of checks, each a sentence about a part; they run in turn, or as one test each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Check = Callable[..., None]


def require(promise: bool | np.bool_, broken: str) -> None:  # noqa: FBT001 - as `assert` reads, but never optimised away
    """Raise an AssertionError that says what is `broken` unless the promise holds."""
    if not promise:
        raise AssertionError(broken)


def run_checks(checks: Sequence[Check], *part: Any, **options: Any) -> None:
    """Run all checks of a part.

    Raises:
        AssertionError: of the first promise that is broken.
    """
    for check in checks:
        check(*part, **options)


def as_parameters(checks: Sequence[Check], parts: Mapping[str, Any]) -> Any:
    """The checks of all `parts` as pytest's parametrisation of an argument called `check`."""
    import pytest

    cases = [
        pytest.param(
            functools.partial(check, *(part if isinstance(part, tuple) else (part,))),
            id=f"{name}-{check.__name__.removeprefix('check_')}",
        )
        for name, part in parts.items()
        for check in checks
    ]
    return pytest.mark.parametrize("check", cases)


def same_bits(first: ArrayLike, second: ArrayLike) -> bool:
    """Whether two arrays have one type and shape, and the same bits."""
    a, b = np.asarray(first), np.asarray(second)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


@contextmanager
def unchanged(owner: str, **arrays: np.ndarray[Any, Any]) -> Iterator[None]:
    """Require that the block writes none of these arrays and draws from no global generator."""
    before = {name: array.copy() for name, array in arrays.items()}
    writeable = {name: array.flags.writeable for name, array in arrays.items()}
    outside = _global_generators()
    for array in arrays.values():
        array.flags.writeable = False
    try:
        yield
    except ValueError as error:
        require("read-only" not in str(error), f"{owner} must not write its arguments: {error}")
        raise
    finally:
        for name, array in arrays.items():
            array.flags.writeable = writeable[name]
    for name, array in arrays.items():
        require(same_bits(array, before[name]), f"{owner} must not write its argument {name}")
    require(
        _global_generators() == outside, f"{owner} must draw from the generator it is given, and drew from a global one"
    )


def _global_generators() -> tuple[Any, ...]:
    import random

    state = np.random.get_state()  # noqa: NPY002 - to see that it stands still
    assert isinstance(state, tuple)
    return random.getstate(), np.asarray(state[1]).tobytes(), state[2]
