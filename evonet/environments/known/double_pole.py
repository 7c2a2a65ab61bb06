"""Double pole balancing: constants, kernel and threshold; `evonet.environments.double_pole` is the environment.

Wieland (1991) for the equations of motion; Gomez, Schmidhuber and Miikkulainen, "Accelerated Neural Evolution through
Cooperatively Coevolved Synapses", JMLR 9 (2008), for constants, fitness and limits; Gruau, Whitley and Pyeatt (1996)
for the fitness with damping; Igel (2003) for the scale of the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonet.environments.known.arithmetic import Column, bounded, sin_cos, where
from evonet.environments.known.environment import KnownEnvironment, Names
from evonet.environments.known.kernel import Columns, Kernel

GRAVITY = -9.8  # m/s², in a frame whose y axis points up
CART_MASS, LONG_MASS, SHORT_MASS = 1.0, 0.1, 0.01  # kg
LONG, SHORT = 0.5, 0.05  # m, half of each pole
LONG_MOMENT, SHORT_MOMENT = LONG_MASS * LONG, SHORT_MASS * SHORT
CART_FRICTION, HINGE_FRICTION = 5e-4, 2e-6
FORCE, MIN_FORCE = 10.0, 10.0 / 256  # N
TIME_STEP = 0.01  # s
TRACK, MAX_ANGLE = 2.4, 36 * math.pi / 180  # m, rad
START = (0.0, 0.0, 4 * math.pi / 180, 0.0, 0.0, 0.0)
SCALE = (TRACK, 10.0, MAX_ANGLE, 5.0, MAX_ANGLE, 16.0)
DAMPING_STEPS, WINDOW = 1000, 100
SHARE, REST = 0.1 / DAMPING_STEPS, 0.9 * 0.75  # of Gruau's fitness: for each control, and over the sum of the motion
MAX_STEPS = 100_000
REWARD_THRESHOLD = 100_000.0
ENTRY_POINT = "evonet.environments.double_pole:DoublePole"


def start(_rng: np.random.Generator) -> Sequence[float]:
    """The long pole at 4°, all else at rest."""
    return START


def start_damped(rng: np.random.Generator) -> Sequence[float]:
    """The start with damping: also the number of balanced controls, the sum over the window, and the window."""
    return (*start(rng), 0.0, 0.0, *([0.0] * WINDOW))


def observe(state: Columns) -> Columns:
    """Positions and velocities, scaled."""
    return (
        state[0] / SCALE[0],
        state[1] / SCALE[1],
        state[2] / SCALE[2],
        state[3] / SCALE[3],
        state[4] / SCALE[4],
        state[5] / SCALE[5],
    )


def observe_positions(state: Columns) -> Columns:
    """Positions, scaled."""
    return (state[0] / SCALE[0], state[2] / SCALE[2], state[4] / SCALE[4])


def step(state: Columns, actions: Columns, _parameters: Columns) -> tuple[Columns, Column, Column]:
    """One control: two Runge-Kutta steps of 0.01 s; the reward is 1 as long as both poles are balanced."""
    force = applied_force(actions[0])
    once = runge_kutta_step((state[0], state[1], state[2], state[3], state[4], state[5]), force)
    new = runge_kutta_step(once, force)
    failed = has_failed(new)
    return new, where(failed, 0.0, 1.0), failed


def step_damped(state: Columns, actions: Columns, _parameters: Columns) -> tuple[Columns, Column, Column]:
    """One control; the rewards add up to Gruau's fitness."""
    force = applied_force(actions[0])
    once = runge_kutta_step((state[0], state[1], state[2], state[3], state[4], state[5]), force)
    new = runge_kutta_step(once, force)
    failed = has_failed(new)
    motion = np.abs(new[0]) + np.abs(new[1]) + np.abs(new[2]) + np.abs(new[3])
    balanced = state[6] + where(failed, 0.0, 1.0)
    total = state[7] + where(failed, 0.0, motion - state[8])
    over = failed | (balanced == float(DAMPING_STEPS))
    counted = over & (balanced >= float(WINDOW))
    reward = where(failed, 0.0, SHARE) + where(counted, REST / where(counted, total, 1.0), 0.0)
    return new + (balanced, total) + state[9:] + (motion,), reward, over  # noqa: RUF005 - stars do not compile


def applied_force(action: Column) -> Column:
    """The force of an action, at least 10/256 N in its direction."""
    force = FORCE * bounded(action, -1.0, 1.0)
    smallest = where(force >= 0.0, MIN_FORCE, -MIN_FORCE)
    return where(np.abs(force) < MIN_FORCE, smallest, force)


def has_failed(state: Columns) -> Column:
    """Whether the cart has left the track or a pole leans too far."""
    return (np.abs(state[0]) > TRACK) | (np.abs(state[2]) > MAX_ANGLE) | (np.abs(state[4]) > MAX_ANGLE)


def runge_kutta_step(state: Columns, force: Column) -> Columns:
    """The state 0.01 s later, by a fourth-order Runge-Kutta step."""
    half = TIME_STEP / 2
    first = derivatives(state, force)
    second = derivatives(euler_step(state, first, half), force)
    third = derivatives(euler_step(state, second, half), force)
    fourth = derivatives(euler_step(state, third, TIME_STEP), force)
    return (
        state[0] + TIME_STEP / 6 * (first[0] + 2.0 * second[0] + 2.0 * third[0] + fourth[0]),
        state[1] + TIME_STEP / 6 * (first[1] + 2.0 * second[1] + 2.0 * third[1] + fourth[1]),
        state[2] + TIME_STEP / 6 * (first[2] + 2.0 * second[2] + 2.0 * third[2] + fourth[2]),
        state[3] + TIME_STEP / 6 * (first[3] + 2.0 * second[3] + 2.0 * third[3] + fourth[3]),
        state[4] + TIME_STEP / 6 * (first[4] + 2.0 * second[4] + 2.0 * third[4] + fourth[4]),
        state[5] + TIME_STEP / 6 * (first[5] + 2.0 * second[5] + 2.0 * third[5] + fourth[5]),
    )


def euler_step(state: Columns, rates: Columns, time: float) -> Columns:
    """The state after `time` seconds at constant rates of change."""
    return (
        state[0] + time * rates[0],
        state[1] + time * rates[1],
        state[2] + time * rates[2],
        state[3] + time * rates[3],
        state[4] + time * rates[4],
        state[5] + time * rates[5],
    )


def derivatives(state: Columns, force: Column) -> Columns:
    """Rates of change: velocities, and the accelerations of the cart and both poles."""
    velocity, long_turning, short_turning = state[1], state[3], state[5]
    long_sine, long_cosine = sin_cos(state[2])
    short_sine, short_cosine = sin_cos(state[4])
    long_pull = HINGE_FRICTION / LONG_MOMENT * long_turning + GRAVITY * long_sine
    short_pull = HINGE_FRICTION / SHORT_MOMENT * short_turning + GRAVITY * short_sine
    direction = where(velocity > 0.0, 1.0, where(velocity < 0.0, -1.0, 0.0))
    push = (
        force
        - CART_FRICTION * direction
        + LONG_MOMENT * (long_turning * long_turning) * long_sine
        + 0.75 * LONG_MASS * long_cosine * long_pull
        + SHORT_MOMENT * (short_turning * short_turning) * short_sine
        + 0.75 * SHORT_MASS * short_cosine * short_pull
    )
    mass = (
        CART_MASS
        + LONG_MASS * (1.0 - 0.75 * (long_cosine * long_cosine))
        + SHORT_MASS * (1.0 - 0.75 * (short_cosine * short_cosine))
    )
    cart = push / mass
    long = -0.75 / LONG * (cart * long_cosine + long_pull)
    short = -0.75 / SHORT * (cart * short_cosine + short_pull)
    return (velocity, cart, long_turning, long, short_turning, short)


def variant(arguments: Mapping[str, Any]) -> Kernel:
    """The kernel for some keyword arguments of the environment."""
    damping = bool(arguments.get("damping", False))
    return Kernel(
        entry_point=ENTRY_POINT,
        start=start_damped if damping else start,
        observe=observe if arguments.get("velocities", True) else observe_positions,
        step=step_damped if damping else step,
    )


DOUBLE_POLE = KnownEnvironment(
    kernel=Kernel(
        entry_point=ENTRY_POINT,
        start=start,
        observe=observe,
        step=step,
        parameters={"velocities": True, "damping": False},
        variant=variant,
    ),
    names=Names(
        (
            "cart position",
            "cart velocity",
            "long pole angle",
            "long pole angular velocity",
            "short pole angle",
            "short pole angular velocity",
        ),
        ("force",),
    ),
)
