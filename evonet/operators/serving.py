"""What operators want beside their usual arguments, and how they get it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TypeVar

from evonet.types import FloatArray

Operator = TypeVar("Operator", bound=Callable[..., object])


def served(operator: Operator, told: Mapping[str, FloatArray]) -> Operator:
    """The operator with what it names in its attribute `wants`, so far as that was `told`."""
    wants: frozenset[str] = getattr(operator, "wants", frozenset())
    wanted = {name: told[name] for name in sorted(wants) if name in told}
    return functools.partial(operator, **wanted) if wanted else operator  # type: ignore[return-value]
