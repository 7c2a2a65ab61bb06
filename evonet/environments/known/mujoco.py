"""Environments that simulate a MuJoCo model, whatever their id: parameters only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evonet.environments.known.environment import KnownEnvironment
from evonet.environments.known.parameter import Parameter


def is_mujoco(sample: Any) -> bool:
    """Whether an instance of an environment has a MuJoCo model."""
    return hasattr(getattr(sample.unwrapped, "model", None), "body_mass")


def _factor(name: str, numbers_of: Callable[[Any], Any]) -> Parameter:
    """A factor on numbers of the model."""

    def write(environment: Any, value: float) -> None:
        numbers = numbers_of(environment.model)
        numbers[...] = numbers * value

    return Parameter(name, lambda _: 1.0, write)


MUJOCO = KnownEnvironment(
    parameters=(
        _factor("masses (factor)", lambda model: model.body_mass),
        _factor("gravity (factor)", lambda model: model.opt.gravity),
        _factor("motor strength (factor)", lambda model: model.actuator_gear),
    )
)
