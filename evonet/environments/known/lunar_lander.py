"""LunarLander-v3 and LunarLanderContinuous-v3: names and parameters; they have no kernel."""

from __future__ import annotations

from evonet.environments.known.environment import KnownEnvironment, Names
from evonet.environments.known.parameter import argument_parameter

_INPUTS = ("x", "y", "x velocity", "y velocity", "angle", "angular velocity", "left leg down", "right leg down")
_PARAMETERS = (argument_parameter("gravity (m/s²)", "gravity", -10.0, (-4.0, -6.0, -8.0, -10.0, -11.9)),)

LUNAR_LANDER = KnownEnvironment(
    names=Names(_INPUTS, ("no engine", "left engine", "main engine", "right engine")), parameters=_PARAMETERS
)
LUNAR_LANDER_CONTINUOUS = KnownEnvironment(
    names=Names(_INPUTS, ("main engine", "side engines")), parameters=_PARAMETERS
)
