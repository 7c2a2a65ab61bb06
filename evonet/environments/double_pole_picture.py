"""The cart with its two poles, drawn by pygame."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from gymnasium.error import DependencyNotInstalled
from numpy.typing import NDArray

from evonet.extras import install_hint
from evonet.types import FloatArray

_WIDTH, _HEIGHT, _GROUND = 600, 320, 230
_METRE = 110.0  # pixels
_PAPER, _INK, _CART = (255, 255, 255), (60, 60, 60), (40, 60, 90)
_POLES = ((0, 114, 178), (213, 94, 0))  # blue and vermilion, apart for every eye
_LENGTHS, _THICKNESS = (1.0, 0.1), (8, 5)
_TRACK = 2.4


class Picture:
    """A canvas, with or without a window.

    Args:
        window: whether to open a window.
        pace: frames a second in the window.

    Raises:
        DependencyNotInstalled: pygame is not installed.
    """

    def __init__(self, *, window: bool, pace: int) -> None:
        try:
            import pygame
        except ImportError as error:
            raise DependencyNotInstalled(f"pygame is not installed: {install_hint('classic')}") from error
        self._pygame: Any = pygame
        self._pace = pace
        self._window: Any = None
        if window:
            pygame.display.init()
            self._window = pygame.display.set_mode((_WIDTH, _HEIGHT))
            pygame.display.set_caption("double pole")
            self._clock = pygame.time.Clock()
        self._canvas = pygame.Surface((_WIDTH, _HEIGHT))

    def draw(self, state: FloatArray) -> NDArray[np.uint8] | None:
        """Draw a state into the window; without a window, return the picture `(height, width, 3)`."""
        pygame, canvas = self._pygame, self._canvas
        canvas.fill(_PAPER)
        pygame.draw.line(canvas, _INK, (0, _GROUND), (_WIDTH, _GROUND), 2)
        for end in (-_TRACK, _TRACK):
            column = _WIDTH / 2 + end * _METRE
            pygame.draw.line(canvas, _INK, (column, _GROUND - 12), (column, _GROUND + 12), 2)
        x = _WIDTH / 2 + float(state[0]) * _METRE
        pygame.draw.rect(canvas, _CART, (x - 40, _GROUND - 32, 80, 26), border_radius=4)
        for wheel in (-24, 24):
            pygame.draw.circle(canvas, _INK, (x + wheel, _GROUND - 6), 6)
        for pole, hinge in ((0, -10), (1, 10)):
            angle, length = float(state[2 + 2 * pole]), _LENGTHS[pole] * _METRE * 1.6
            foot = (x + hinge, _GROUND - 32)
            tip = (foot[0] + length * math.sin(angle), foot[1] - length * math.cos(angle))
            pygame.draw.line(canvas, _POLES[pole], foot, tip, _THICKNESS[pole])
        if self._window is None:
            picture: NDArray[np.uint8] = np.transpose(pygame.surfarray.array3d(canvas), (1, 0, 2))
            return picture
        self._window.blit(canvas, (0, 0))
        pygame.event.pump()
        self._clock.tick(self._pace)
        pygame.display.flip()
        return None

    def close(self) -> None:
        """Close the window."""
        if self._window is not None:
            self._pygame.display.quit()
