"""What can be changed in an environment itself: masses, lengths, forces; to see how well an agent bears it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evonet.environments.specification import Environment, EnvironmentFactory, EnvironmentSpec

FACTORS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""What a parameter is multiplied by, unless it has levels of its own."""


@dataclass(frozen=True)
class Parameter:
    """A number in an environment.

    Attributes:
        name: for people.
        read: gives its value, from the unwrapped environment.
        write: sets it there; None if it is a keyword argument.
        argument: the keyword argument that it is, or "".
        levels: absolute values to try; none: the value times `FACTORS`.
    """

    name: str
    read: Callable[[Any], float]
    write: Callable[[Any, float], None] | None = None
    argument: str = ""
    levels: Sequence[float] = ()

    def values(self, environment: EnvironmentSpec) -> tuple[float, list[float]]:
        """Its own value, and the values to try, that one among them.

        Raises:
            EnvironmentUnavailable: the environment cannot be made.
        """
        sample = environment.make()
        try:
            own = float(self.read(sample.unwrapped))
        finally:
            sample.close()
        values = list(self.levels) if self.levels else [own * factor for factor in FACTORS]
        return own, sorted({*values, own})

    def changed(self, environment: EnvironmentSpec, value: float) -> EnvironmentSpec | EnvironmentFactory:
        """The environment with another value."""
        if self.write is None:
            return replace(environment, kwargs={**environment.kwargs, self.argument: value})
        return _Changed(environment, self.write, value)


@dataclass(frozen=True)
class _Changed:
    """Makes an environment, and writes a number into it."""

    environment: EnvironmentSpec
    write: Callable[[Any, float], None]
    value: float

    def __call__(self) -> Environment:
        return self.environment.make(change=lambda unwrapped: self.write(unwrapped, self.value))


def parameters_of(environment: Any, sample: Any) -> Sequence[Parameter]:
    """The parameters of an environment that are known, or that somebody gave as keyword arguments.

    Args:
        environment: as the task has it; a callable that makes it has none that could be changed.
        sample: an instance of it.
    """
    if not isinstance(environment, EnvironmentSpec):
        return ()
    known = KNOWN.get(environment.id.rpartition(":")[2])
    if known is not None:
        return known
    if hasattr(getattr(sample.unwrapped, "model", None), "body_mass"):
        return _MUJOCO
    return [
        _argument(name, name, environment.kwargs[name])
        for name, value in environment.kwargs.items()
        if type(value) is float and value != 0.0
    ]


def _attribute(name: str, attribute: str, after: Callable[[Any], None] | None = None) -> Parameter:
    def write(environment: Any, value: float) -> None:
        setattr(environment, attribute, value)
        if after is not None:
            after(environment)

    return Parameter(name, lambda environment: float(getattr(environment, attribute)), write)


def _argument(name: str, argument: str, value: float, levels: Sequence[float] = ()) -> Parameter:
    return Parameter(name, lambda environment: getattr(environment, argument, value), None, argument, levels)


def _derive_cart_pole(environment: Any) -> None:
    environment.total_mass = environment.masspole + environment.masscart
    environment.polemass_length = environment.masspole * environment.length


def _scaled(name: str, path: Callable[[Any], Any]) -> Parameter:
    """A factor on numbers of a MuJoCo model."""

    def write(environment: Any, value: float) -> None:
        numbers = path(environment.model)
        numbers[...] = numbers * value

    return Parameter(name, lambda _: 1.0, write)


def _success_rate(environment: Any) -> float:
    """Of a frozen lake: how often a step goes where it should. Its table of moves says so."""
    moves = environment.P[0][1]  # to one side, as meant, to the other; or as meant only
    return float(moves[len(moves) // 2][0])


_CART_POLE = (
    _attribute("pole length (half, m)", "length", _derive_cart_pole),
    _attribute("pole mass (kg)", "masspole", _derive_cart_pole),
    _attribute("cart mass (kg)", "masscart", _derive_cart_pole),
    _attribute("force (N)", "force_mag"),
    _attribute("gravity (m/s²)", "gravity"),
)
_CAR_GRAVITY = _attribute("gravity", "gravity")
_LANDER = (_argument("gravity (m/s²)", "gravity", -10.0, (-4.0, -6.0, -8.0, -10.0, -11.9)),)
_MUJOCO = (
    _scaled("masses (factor)", lambda model: model.body_mass),
    _scaled("gravity (factor)", lambda model: model.opt.gravity),
    _scaled("motor strength (factor)", lambda model: model.actuator_gear),
)

KNOWN: dict[str, Sequence[Parameter]] = {
    "CartPole-v0": _CART_POLE,
    "CartPole-v1": _CART_POLE,
    "MountainCar-v0": (_attribute("engine force", "force"), _CAR_GRAVITY),
    "MountainCarContinuous-v0": (_attribute("engine power", "power"),),
    "Pendulum-v1": (
        _argument("gravity (m/s²)", "g", 10.0),
        _attribute("mass (kg)", "m"),
        _attribute("length (m)", "l"),
    ),
    "Acrobot-v1": (
        _attribute("length of link 1 (m)", "LINK_LENGTH_1"),
        _attribute("mass of link 1 (kg)", "LINK_MASS_1"),
        _attribute("mass of link 2 (kg)", "LINK_MASS_2"),
    ),
    "LunarLander-v3": _LANDER,
    "LunarLanderContinuous-v3": _LANDER,
    "FrozenLake-v1": (
        Parameter("grip (share of steps that go as meant)", _success_rate, None, "success_rate", (0.2, 0.5, 0.7, 1.0)),
    ),
}
"""Parameters by an environment's id."""
