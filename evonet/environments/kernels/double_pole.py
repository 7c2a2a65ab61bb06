"""Double pole balancing as a kernel: `evonet.environments.double_pole`, which see for the sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonet.environments.kernels.arithmetic import bounded, sin_cos, where
from evonet.environments.kernels.kernel import Column, Columns, Kernel

GRAVITY = -9.8
CART_MASS = 1.0
LONG_MASS, SHORT_MASS = 0.1, 0.01
LONG, SHORT = 0.5, 0.05
CART_FRICTION, HINGE_FRICTION = 5e-4, 2e-6
FORCE, LEAST_FORCE = 10.0, 10.0 / 256
TIME_STEP = 0.01
TRACK, LEAN = 2.4, 36 * np.pi / 180
START_ANGLE = 4 * np.pi / 180
DAMPING_STEPS, WINDOW = 1000.0, 100
SHARE, REST = 0.1 / 1000, 0.9 * 0.75


def start(_rng: np.random.Generator) -> Sequence[float]:
    """The long pole at 4°, all else at rest."""
    return (0.0, 0.0, START_ANGLE, 0.0, 0.0, 0.0)


def start_damped(rng: np.random.Generator) -> Sequence[float]:
    """The same, with nothing balanced yet: the count, the sum over the window, and the window."""
    return (*start(rng), 0.0, 0.0, *([0.0] * WINDOW))


def observe(state: Columns) -> Columns:
    """Positions and velocities, scaled."""
    return (state[0] / TRACK, state[1] / 10.0, state[2] / LEAN, state[3] / 5.0, state[4] / LEAN, state[5] / 16.0)


def observe_positions(state: Columns) -> Columns:
    """Positions, scaled."""
    return (state[0] / TRACK, state[2] / LEAN, state[4] / LEAN)


def step(state: Columns, actions: Columns, _parameters: Columns) -> tuple[Columns, Column, Column]:
    """One control: two Runge-Kutta steps of 0.01 s; the reward is 1 as long as both poles are balanced."""
    force = pushed(actions[0])
    once = advanced((state[0], state[1], state[2], state[3], state[4], state[5]), force)
    new = advanced(once, force)
    failed = fallen(new)
    return new, where(failed, 0.0, 1.0), failed


def step_damped(state: Columns, actions: Columns, _parameters: Columns) -> tuple[Columns, Column, Column]:
    """One control; the rewards add up to Gruau's fitness."""
    force = pushed(actions[0])
    once = advanced((state[0], state[1], state[2], state[3], state[4], state[5]), force)
    new = advanced(once, force)
    failed = fallen(new)
    unrest = np.abs(new[0]) + np.abs(new[1]) + np.abs(new[2]) + np.abs(new[3])
    balanced = state[6] + where(failed, 0.0, 1.0)
    total = state[7] + where(failed, 0.0, unrest - state[8])
    over = failed | (balanced == DAMPING_STEPS)
    judged = over & (balanced >= float(WINDOW))
    reward = where(failed, 0.0, SHARE) + where(judged, REST / where(judged, total, 1.0), 0.0)
    return new + (balanced, total) + state[9:] + (unrest,), reward, over  # noqa: RUF005 - stars do not compile


def pushed(action: Column) -> Column:
    """The force of an action, never weaker than 10/256 N."""
    force = FORCE * bounded(action, -1.0, 1.0)
    least = where(force >= 0.0, LEAST_FORCE, -LEAST_FORCE)
    return where(np.abs(force) < LEAST_FORCE, least, force)


def fallen(state: Columns) -> Column:
    """Whether the cart has left the track or a pole leans too far."""
    return (np.abs(state[0]) > TRACK) | (np.abs(state[2]) > LEAN) | (np.abs(state[4]) > LEAN)


def advanced(state: Columns, force: Column) -> Columns:
    """The state 0.01 s later."""
    half = TIME_STEP / 2
    first = change(state, force)
    second = change(moved(state, first, half), force)
    third = change(moved(state, second, half), force)
    fourth = change(moved(state, third, TIME_STEP), force)
    return (
        state[0] + TIME_STEP / 6 * (first[0] + 2.0 * second[0] + 2.0 * third[0] + fourth[0]),
        state[1] + TIME_STEP / 6 * (first[1] + 2.0 * second[1] + 2.0 * third[1] + fourth[1]),
        state[2] + TIME_STEP / 6 * (first[2] + 2.0 * second[2] + 2.0 * third[2] + fourth[2]),
        state[3] + TIME_STEP / 6 * (first[3] + 2.0 * second[3] + 2.0 * third[3] + fourth[3]),
        state[4] + TIME_STEP / 6 * (first[4] + 2.0 * second[4] + 2.0 * third[4] + fourth[4]),
        state[5] + TIME_STEP / 6 * (first[5] + 2.0 * second[5] + 2.0 * third[5] + fourth[5]),
    )


def moved(state: Columns, by: Columns, time: float) -> Columns:
    """The state after some time at a constant rate of change."""
    return (
        state[0] + time * by[0],
        state[1] + time * by[1],
        state[2] + time * by[2],
        state[3] + time * by[3],
        state[4] + time * by[4],
        state[5] + time * by[5],
    )


def change(state: Columns, force: Column) -> Columns:
    """Rates of change: velocities, and the accelerations of the cart and both poles."""
    velocity, long_turning, short_turning = state[1], state[3], state[5]
    long_sine, long_cosine = sin_cos(state[2])
    short_sine, short_cosine = sin_cos(state[4])
    long_pull = HINGE_FRICTION / (LONG_MASS * LONG) * long_turning + GRAVITY * long_sine
    short_pull = HINGE_FRICTION / (SHORT_MASS * SHORT) * short_turning + GRAVITY * short_sine
    direction = where(velocity > 0.0, 1.0, where(velocity < 0.0, -1.0, 0.0))
    push = (
        force
        - CART_FRICTION * direction
        + LONG_MASS * LONG * (long_turning * long_turning) * long_sine
        + 0.75 * LONG_MASS * long_cosine * long_pull
        + SHORT_MASS * SHORT * (short_turning * short_turning) * short_sine
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
        entry_point=DOUBLE_POLE.entry_point,
        start=start_damped if damping else start,
        observe=observe if arguments.get("velocities", True) else observe_positions,
        step=step_damped if damping else step,
    )


DOUBLE_POLE = Kernel(
    entry_point="evonet.environments.double_pole:DoublePole",
    start=start,
    observe=observe,
    step=step,
    parameters={"velocities": True, "damping": False},
    variant=variant,
)
