"""Double pole balancing, the classic benchmark of neuroevolution, as a Gymnasium environment.

`evonet.environments.known.double_pole` has the constants, with their sources, and the kernel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import copysign, cos, sin
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from evonet.environments.known.double_pole import (
    CART_FRICTION,
    CART_MASS,
    DAMPING_STEPS,
    FORCE,
    GRAVITY,
    HINGE_FRICTION,
    LONG,
    LONG_MASS,
    LONG_MOMENT,
    MAX_ANGLE,
    MIN_FORCE,
    REST,
    SCALE,
    SHARE,
    SHORT,
    SHORT_MASS,
    SHORT_MOMENT,
    START,
    TIME_STEP,
    TRACK,
    WINDOW,
)
from evonet.types import FloatArray

SUBSTEPS = 2  # Runge-Kutta steps in each step of the environment
POSITIONS = (0, 2, 4)  # indices of the positions in the state


def accelerations(state: Sequence[float], force: float) -> tuple[float, float, float]:
    """Accelerations of the cart in m/s² and of both poles in rad/s² (Wieland 1991; Gomez et al. 2008, table A.1).

    Args:
        state: position and velocity of the cart, angle and angular velocity of the long pole, then of the short one.
        force: force on the cart in N.
    """
    _, velocity, long, long_turning, short, short_turning = state
    long_sine, long_cosine, short_sine, short_cosine = sin(long), cos(long), sin(short), cos(short)
    long_pull = HINGE_FRICTION * long_turning / LONG_MOMENT + GRAVITY * long_sine
    short_pull = HINGE_FRICTION * short_turning / SHORT_MOMENT + GRAVITY * short_sine
    long_push = LONG_MOMENT * long_turning * long_turning * long_sine + 0.75 * LONG_MASS * long_cosine * long_pull
    short_push = (
        SHORT_MOMENT * short_turning * short_turning * short_sine + 0.75 * SHORT_MASS * short_cosine * short_pull
    )
    friction = CART_FRICTION * (copysign(1.0, velocity) if velocity else 0.0)
    cart = (force - friction + long_push + short_push) / (
        CART_MASS
        + LONG_MASS * (1 - 0.75 * long_cosine * long_cosine)
        + SHORT_MASS * (1 - 0.75 * short_cosine * short_cosine)
    )
    return cart, -0.75 / LONG * (cart * long_cosine + long_pull), -0.75 / SHORT * (cart * short_cosine + short_pull)


def runge_kutta_step(state: Sequence[float], force: float) -> list[float]:
    """The state after a step of 0.02 s, by two steps of the classic Runge-Kutta method."""
    now = list(state)  # Python numbers: NumPy is slower for six of them
    half = TIME_STEP / 2
    for _ in range(SUBSTEPS):
        x, v, a, da, b, db = now
        c1, l1, s1 = accelerations(now, force)
        v2, da2, db2 = v + half * c1, da + half * l1, db + half * s1
        c2, l2, s2 = accelerations((x, v2, a + half * da, da2, b + half * db, db2), force)
        v3, da3, db3 = v + half * c2, da + half * l2, db + half * s2
        c3, l3, s3 = accelerations((x, v3, a + half * da2, da3, b + half * db2, db3), force)
        v4, da4, db4 = v + TIME_STEP * c3, da + TIME_STEP * l3, db + TIME_STEP * s3
        c4, l4, s4 = accelerations((x, v4, a + TIME_STEP * da3, da4, b + TIME_STEP * db3, db4), force)
        sixth = TIME_STEP / 6
        now = [
            x + sixth * (v + 2 * v2 + 2 * v3 + v4),
            v + sixth * (c1 + 2 * c2 + 2 * c3 + c4),
            a + sixth * (da + 2 * da2 + 2 * da3 + da4),
            da + sixth * (l1 + 2 * l2 + 2 * l3 + l4),
            b + sixth * (db + 2 * db2 + 2 * db3 + db4),
            db + sixth * (s1 + 2 * s2 + 2 * s3 + s4),
        ]
    return now


class DoublePole(gym.Env[FloatArray, NDArray[np.float64]]):
    """A cart that balances two poles of different lengths at once.

    The action, from -1 to 1, is the force in units of 10 N; the force is never weaker than 10/256 N. An episode begins
    with the long pole at 4° and everything else at rest, and terminates when the cart leaves ±2.4 m or a pole leans
    over 36°. The environment is deterministic. `reset(options={"state": …})` sets another initial state of six numbers:
    position and velocity of the cart, angle and angular velocity of the long pole, then of the short one, in m, m/s,
    rad and rad/s.

    The return is the number of steps of 0.02 s in which both poles are balanced; 100,000 is success.

    Args:
        velocities: whether observations include velocities; the task without them requires memory.
        damping: whether the return is Gruau's fitness instead, over 1,000 steps:
            0.1 t / 1000 + 0.9 f, where f is 0 for t < 100, else 0.75 over the sum of |x| + |x'| + |θ1| + |θ1'| in the
            last 100 steps. This fitness keeps networks from swinging the poles to measure their speed.
        render_mode: "rgb_array", "human", or None.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc] # Gymnasium calls it an attribute of objects
        "render_modes": ["human", "rgb_array"],
        "render_fps": 50,
    }

    def __init__(self, *, velocities: bool = True, damping: bool = False, render_mode: str | None = None) -> None:
        self.velocities = velocities
        self.damping = damping
        self.render_mode = render_mode
        size = len(START) if velocities else len(POSITIONS)
        self.observation_space = spaces.Box(-np.inf, np.inf, (size,), np.float64)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float64)
        self.state: FloatArray = np.array(START)
        self._begin()
        self._picture: Any = None

    def _begin(self) -> None:
        self._balanced = 0
        self._unrest: deque[float] = deque([0.0] * WINDOW, maxlen=WINDOW)
        self._sum = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Begin an episode in the usual initial state, or in `options["state"]`.

        Raises:
            ValueError: `options["state"]` is not six finite numbers.
        """
        super().reset(seed=seed)
        self.state = _checked((options or {}).get("state", START))
        self._begin()
        if self.render_mode == "human":
            self.render()
        return self._observation(), {}

    def step(self, action: ArrayLike) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        """Apply a force for 0.02 s."""
        force = FORCE * min(max(float(np.ravel(action)[0]), -1.0), 1.0)
        if abs(force) < MIN_FORCE:
            force = MIN_FORCE if force >= 0 else -MIN_FORCE
        numbers = runge_kutta_step(self.state.tolist(), force)
        self.state = np.array(numbers)
        x, _, long, _, short, _ = numbers
        failed = bool(abs(x) > TRACK or abs(long) > MAX_ANGLE or abs(short) > MAX_ANGLE)
        reward, over = self._damped(failed=failed) if self.damping else (float(not failed), failed)
        if self.render_mode == "human":
            self.render()
        return self._observation(), reward, over, False, {}

    def _damped(self, *, failed: bool) -> tuple[float, bool]:
        """Reward and termination under Gruau's fitness: a share for each balanced step, the rest in the last step."""
        reward = 0.0
        unrest = float(np.abs(self.state[:4]).sum())
        if not failed:
            self._balanced += 1
            reward = SHARE
            self._sum += unrest - self._unrest[0]
        self._unrest.append(unrest)
        over = failed or self._balanced == DAMPING_STEPS
        if over and self._balanced >= WINDOW:
            reward += REST / self._sum
        return reward, over

    def _observation(self) -> FloatArray:
        scaled: FloatArray = self.state / SCALE
        return scaled if self.velocities else scaled[list(POSITIONS)]

    def render(self) -> NDArray[np.uint8] | None:
        """Draw the cart: into a window, or as an array `(height, width, 3)`.

        Raises:
            DependencyNotInstalled: pygame is not installed.
        """
        if self.render_mode is None:
            return None
        if self._picture is None:
            from evonet.environments.double_pole_picture import Picture

            self._picture = Picture(window=self.render_mode == "human", pace=self.metadata["render_fps"])
        picture: NDArray[np.uint8] | None = self._picture.draw(self.state)
        return picture

    def close(self) -> None:
        """Close the window."""
        if self._picture is not None:
            self._picture.close()
            self._picture = None


def _checked(state: Any) -> FloatArray:
    array = np.array(state, dtype=np.float64)
    if array.shape != (len(START),) or not np.isfinite(array).all():
        raise ValueError(f"DoublePole.reset.options['state'] must be {len(START)} finite numbers, got {state!r}")
    return array
