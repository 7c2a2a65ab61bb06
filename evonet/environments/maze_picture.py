"""The robot in its maze, drawn by pygame."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians, sin

import numpy as np
from numpy.typing import NDArray

from evonet.environments.canvas import Canvas
from evonet.environments.known.maze import ANGLES, ARRIVED, RADIUS, REACH
from evonet.environments.maze_maps import MazeMap
from evonet.types import FloatArray

_LONGEST, _MARGIN = 600, 12  # pixels
_PAPER, _INK, _RAY = (255, 255, 255), (60, 60, 60), (205, 215, 225)
_ROBOT, _PATH, _GOAL = (0, 114, 178), (86, 180, 233), (213, 94, 0)  # blues and vermilion, apart for every eye


class Picture(Canvas):
    """A canvas of the maze, with or without a window.

    Args:
        plan: the map.
        window: whether to open a window.
        pace: frames a second in the window.

    Raises:
        DependencyNotInstalled: pygame is not installed.
    """

    def __init__(self, plan: MazeMap, *, window: bool, pace: int) -> None:
        self._plan = plan
        left, top, right, bottom = plan.frame()
        self._corner = left, top
        self._scale = (_LONGEST - 2 * _MARGIN) / max(right - left, bottom - top)
        width, height = (round(side * self._scale) + 2 * _MARGIN for side in (right - left, bottom - top))
        super().__init__((width, height), "maze", window=window, pace=pace)

    def draw(
        self, state: FloatArray, path: Sequence[tuple[float, float]], ranges: NDArray[np.float32]
    ) -> NDArray[np.uint8] | None:
        """Draw the maze into the window; without a window, return the picture `(height, width, 3)`.

        Args:
            state: the robot's x, y and heading in degrees, then numbers that are not drawn.
            path: the robot's places so far.
            ranges: what the range finders read, then numbers that are not drawn.
        """
        pygame, canvas, plan = self.pygame, self.surface, self._plan
        x, y, heading = state[:3].tolist()
        canvas.fill(_PAPER)
        for angle, share in zip(ANGLES, ranges.tolist(), strict=False):
            pygame.draw.line(canvas, _RAY, self._at(x, y), self._towards(x, y, heading + angle, share * REACH), 2)
        for x1, y1, x2, y2 in plan.walls:
            pygame.draw.line(canvas, _INK, self._at(x1, y1), self._at(x2, y2), 4)
        pygame.draw.circle(canvas, _GOAL, self._at(*plan.goal), ARRIVED * self._scale)
        if len(path) > 1:
            pygame.draw.lines(canvas, _PATH, False, [self._at(*place) for place in path], 2)  # noqa: FBT003 - not closed
        pygame.draw.circle(canvas, _ROBOT, self._at(x, y), RADIUS * self._scale)
        pygame.draw.line(canvas, _PAPER, self._at(x, y), self._towards(x, y, heading, RADIUS), 3)
        return self.show()

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a place."""
        left, top = self._corner
        return _MARGIN + (x - left) * self._scale, _MARGIN + (y - top) * self._scale

    def _towards(self, x: float, y: float, angle: float, distance: float) -> tuple[float, float]:
        """The pixel of the place at an angle in degrees and a distance from another."""
        return self._at(x + distance * cos(radians(angle)), y + distance * sin(radians(angle)))
