"""Numbers of an environment that can be changed: masses, lengths, forces. The report varies them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from evonet.environments.instance import Instance
from evonet.environments.specification import Environment, EnvironmentFactory, EnvironmentSpec

FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Factors on a parameter that has no levels of its own."""


class Parameter(NamedTuple):
    """A number of an environment.

    Attributes:
        name: its name in the report, with the unit in parentheses.
        read: the unwrapped environment → the number.
        write: sets the number in the unwrapped environment; None if the number is a keyword argument.
        argument: the keyword argument that holds the number, or "".
        levels: values to try; if empty, the number times `FACTORS`.
    """

    name: str
    read: Callable[[Any], float]
    write: Callable[[Any, float], None] | None = None
    argument: str = ""
    levels: Sequence[float] = ()

    def values(self, environment: EnvironmentSpec) -> tuple[float, list[float]]:
        """The environment's own value, and all values to try, in ascending order with its own among them.

        Raises:
            EnvironmentUnavailable: the environment cannot be made.
        """
        with Instance(environment.make) as sample:
            own = float(self.read(sample.open().unwrapped))
        values = list(self.levels) if self.levels else [own * factor for factor in FACTORS]
        return own, sorted({*values, own})

    def changed(self, environment: EnvironmentSpec, value: float) -> EnvironmentSpec | EnvironmentFactory:
        """The environment with another value of the parameter."""
        if self.write is None:
            return replace(environment, kwargs={**environment.kwargs, self.argument: value})
        return _ChangedEnvironment(environment, self.write, value)


@dataclass(frozen=True)
class _ChangedEnvironment:
    """Makes an environment and sets one number in it."""

    environment: EnvironmentSpec
    write: Callable[[Any, float], None]
    value: float

    def __call__(self) -> Environment:
        return self.environment.make(change=lambda unwrapped: self.write(unwrapped, self.value))


def attribute_parameter(name: str, attribute: str, after: Callable[[Any], None] | None = None) -> Parameter:
    """A parameter that is an attribute of the unwrapped environment.

    Args:
        name: its name in the report.
        attribute: the attribute.
        after: recomputes what the environment derives from the attribute.
    """

    def write(environment: Any, value: float) -> None:
        setattr(environment, attribute, value)
        if after is not None:
            after(environment)

    return Parameter(name, lambda environment: float(getattr(environment, attribute)), write)


def argument_parameter(name: str, argument: str, default: float, levels: Sequence[float] = ()) -> Parameter:
    """A parameter that is a keyword argument of the environment.

    Args:
        name: its name in the report.
        argument: the keyword argument.
        default: its value where the environment does not keep it under the same name.
        levels: values to try.
    """
    return Parameter(name, lambda environment: getattr(environment, argument, default), None, argument, levels)
