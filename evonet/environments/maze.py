"""A robot in a maze that must find the goal, as a Gymnasium environment (Lehman and Stanley 2011).

`evonet.environments.known.maze` has the constants and the kernel, `evonet.environments.maze_maps` the maps.
"""

from __future__ import annotations

from math import cos, hypot, radians, sin
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from numpy.typing import ArrayLike, NDArray

from evonet.environments.known.maze import (
    ANGLES,
    ARRIVED,
    DEFAULT_MAP,
    FARTHEST,
    MAX_SPEED,
    MAX_TURNING,
    RADIUS,
    REACH,
)
from evonet.environments.maze_maps import MazeMap, maze_map
from evonet.types import FloatArray

_RAYS = np.radians(ANGLES)


class Maze(gym.Env[NDArray[np.float32], NDArray[np.float32]]):
    """A robot of radius 8 with range finders, and a sense of where the goal lies, in a maze of straight walls.

    Observation: the distance to the nearest wall at -90, -45, 0, 45, 90 and 180 degrees from the heading, over the
    reach of 100; then four pie slices, 1 for the one in which the goal lies: ahead, at 90 degrees, behind, at -90. The
    action is two numbers from 0 to 1; each minus 0.5 is added to the angular velocity and to the speed, which stay
    within ±3. The robot moves by its speed along its heading unless it would come nearer than its radius to a wall;
    then the heading turns. An episode terminates within 5 units of the goal, and is truncated after 400 steps.

    The rewards add up to 300 minus the distance to the goal: the first is 300 minus the distance, each further one the
    step's progress. So a return of 295 is success on every map. `info` has `x`, `y` and `distance`. The environment is
    deterministic. y grows downwards, and headings from x towards y.

    Args:
        map: "medium", "hard", or the path of a file as `evonet.environments.maze_maps.read_map` reads it.
        render_mode: "rgb_array", "human", or None.

    Raises:
        ConfigError: there is no such map.
        ValueError: the file is not a map.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc] # Gymnasium calls it an attribute of objects
        "render_modes": ["human", "rgb_array"],
        "render_fps": 50,
    }

    def __init__(self, *, map: str = DEFAULT_MAP, render_mode: str | None = None) -> None:  # noqa: A002 - a config's key
        self.plan: MazeMap = maze_map(map)
        self.render_mode = render_mode
        self.observation_space = spaces.Box(0.0, 1.0, (10,), np.float32)
        self.action_space = spaces.Box(0.0, 1.0, (2,), np.float32)
        walls = np.array(self.plan.walls)
        self._ends, self._spans = walls[:, :2], walls[:, 2:] - walls[:, :2]  # (walls, 2)
        self._begin()
        self._picture: Any = None

    def _begin(self) -> None:
        self.state: FloatArray = np.array([*self.plan.start, self.plan.heading, 0.0, 0.0, FARTHEST])
        self.path: list[tuple[float, float]] = [self.plan.start]

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, Any]]:
        """Begin an episode at the start of the map."""
        super().reset(seed=seed, options=options)
        self._begin()
        if self.render_mode == "human":
            self.render()
        return self._observation(), self._info()

    def step(self, action: ArrayLike) -> tuple[NDArray[np.float32], float, bool, bool, dict[str, Any]]:
        """Turn and accelerate, and move."""
        x, y, heading, speed, turning, last = self.state.tolist()
        turn, push = np.ravel(action).tolist()
        speed = min(max(speed + push - 0.5, -MAX_SPEED), MAX_SPEED)
        turning = min(max(turning + turn - 0.5, -MAX_TURNING), MAX_TURNING)
        new = x + speed * cos(radians(heading)), y + speed * sin(radians(heading))
        if self._is_free(*new):
            x, y = new
        distance = hypot(self.plan.goal[0] - x, self.plan.goal[1] - y)
        self.state = np.array([x, y, heading + turning, speed, turning, distance])
        self.path.append((x, y))
        if self.render_mode == "human":
            self.render()
        return self._observation(), last - distance, distance < ARRIVED, False, self._info()

    def _is_free(self, x: float, y: float) -> bool:
        """Whether the robot keeps its radius from all walls at a place."""
        offset = np.array([x, y]) - self._ends
        share = np.clip((offset * self._spans).sum(axis=1) / np.square(self._spans).sum(axis=1), 0.0, 1.0)
        return bool((np.hypot(*(offset - share[:, None] * self._spans).T) >= RADIUS).all())

    def _observation(self) -> NDArray[np.float32]:
        place, heading = self.state[:2], radians(self.state[2])
        rays = np.stack([np.cos(heading + _RAYS), np.sin(heading + _RAYS)])  # (2, rays)
        # place + distance * ray = end + share * span, for each wall and ray (Cramer's rule)
        offset = self._ends - place
        determinant = _cross(rays, self._spans.T[..., None])
        with np.errstate(divide="ignore", invalid="ignore"):  # a ray along a wall does not meet it
            distance = _cross(offset.T, self._spans.T)[:, None] / determinant
            share = _cross(offset.T[..., None], rays[:, None]) / determinant
        seen = (distance >= 0.0) & (share >= 0.0) & (share <= 1.0)
        ranges = np.where(seen, distance, REACH).min(axis=0, initial=REACH) / REACH
        dx, dy = self.plan.goal - place
        bearing = (np.degrees(np.arctan2(dy, dx)) - self.state[2] + 45.0) % 360.0
        slices = np.arange(4) == bearing // 90.0
        return np.concatenate([ranges, slices]).astype(np.float32)

    def _info(self) -> dict[str, Any]:
        x, y = self.state[:2].tolist()
        return {"x": x, "y": y, "distance": hypot(self.plan.goal[0] - x, self.plan.goal[1] - y)}

    def render(self) -> NDArray[np.uint8] | None:
        """Draw the maze: into a window, or as an array `(height, width, 3)`.

        Raises:
            DependencyNotInstalled: pygame is not installed.
        """
        if self.render_mode is None:
            return None
        if self._picture is None:
            from evonet.environments.maze_picture import Picture

            self._picture = Picture(self.plan, window=self.render_mode == "human", pace=self.metadata["render_fps"])
        picture: NDArray[np.uint8] | None = self._picture.draw(self.state, self.path, self._observation())
        return picture

    def close(self) -> None:
        """Close the window."""
        if self._picture is not None:
            self._picture.close()
            self._picture = None


def _cross(one: FloatArray, other: FloatArray) -> FloatArray:
    """Cross products of vectors along the first axis, `(2, …)`."""
    product: FloatArray = one[0] * other[1] - one[1] * other[0]
    return product
