"""The robot in its maze, drawn by pygame."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians, sin
from typing import Any

import numpy as np
from gymnasium.error import DependencyNotInstalled
from numpy.typing import NDArray

from evonet.environments.known.maze import ANGLES, ARRIVED, RADIUS, REACH
from evonet.environments.maze_maps import MazeMap
from evonet.extras import install_hint
from evonet.types import FloatArray

_LONGEST, _MARGIN = 600, 12  # pixels
_PAPER, _INK, _RAY = (255, 255, 255), (60, 60, 60), (205, 215, 225)
_ROBOT, _PATH, _GOAL = (0, 114, 178), (86, 180, 233), (213, 94, 0)  # blues and vermilion, apart for every eye


class Picture:
    """A canvas, with or without a window.

    Args:
        plan: the map.
        window: whether to open a window.
        pace: frames a second in the window.

    Raises:
        DependencyNotInstalled: pygame is not installed.
    """

    def __init__(self, plan: MazeMap, *, window: bool, pace: int) -> None:
        try:
            import pygame
        except ImportError as error:
            raise DependencyNotInstalled(f"pygame is not installed: {install_hint('classic')}") from error
        self._pygame: Any = pygame
        self._plan, self._pace = plan, pace
        left, top, right, bottom = plan.frame()
        self._corner = left, top
        self._scale = (_LONGEST - 2 * _MARGIN) / max(right - left, bottom - top)
        size = tuple(round(side * self._scale) + 2 * _MARGIN for side in (right - left, bottom - top))
        self._window: Any = None
        if window:
            pygame.display.init()
            self._window = pygame.display.set_mode(size)
            pygame.display.set_caption("maze")
            self._clock = pygame.time.Clock()
        self._canvas = pygame.Surface(size)

    def draw(
        self, state: FloatArray, path: Sequence[tuple[float, float]], ranges: NDArray[np.float32]
    ) -> NDArray[np.uint8] | None:
        """Draw the maze into the window; without a window, return the picture `(height, width, 3)`.

        Args:
            state: the robot's x, y and heading in degrees, then numbers that are not drawn.
            path: the robot's places so far.
            ranges: what the range finders read, then numbers that are not drawn.
        """
        pygame, canvas, plan = self._pygame, self._canvas, self._plan
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
        if self._window is None:
            picture: NDArray[np.uint8] = np.transpose(pygame.surfarray.array3d(canvas), (1, 0, 2))
            return picture
        self._window.blit(canvas, (0, 0))
        pygame.event.pump()
        self._clock.tick(self._pace)
        pygame.display.flip()
        return None

    def _at(self, x: float, y: float) -> tuple[float, float]:
        """The pixel of a place."""
        left, top = self._corner
        return _MARGIN + (x - left) * self._scale, _MARGIN + (y - top) * self._scale

    def _towards(self, x: float, y: float, angle: float, distance: float) -> tuple[float, float]:
        """The pixel of the place at an angle in degrees and a distance from another."""
        return self._at(x + distance * cos(radians(angle)), y + distance * sin(radians(angle)))

    def close(self) -> None:
        """Close the window."""
        if self._window is not None:
            self._pygame.display.quit()
