"""The cart with its two poles, drawn by pygame."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from evonet.environments.canvas import Canvas
from evonet.types import FloatArray

_WIDTH, _HEIGHT, _GROUND = 600, 320, 230
_METRE = 110.0  # pixels
_PAPER, _INK, _CART = (255, 255, 255), (60, 60, 60), (40, 60, 90)
_POLES = ((0, 114, 178), (213, 94, 0))  # blue and vermilion, apart for every eye
_LENGTHS, _THICKNESS = (1.0, 0.1), (8, 5)
_TRACK = 2.4


class Picture(Canvas):
    """A canvas of the cart, with or without a window.

    Args:
        window: whether to open a window.
        pace: frames a second in the window.

    Raises:
        DependencyNotInstalled: pygame is not installed.
    """

    def __init__(self, *, window: bool, pace: int) -> None:
        super().__init__((_WIDTH, _HEIGHT), "double pole", window=window, pace=pace)

    def draw(self, state: FloatArray) -> NDArray[np.uint8] | None:
        """Draw a state into the window; without a window, return the picture `(height, width, 3)`."""
        pygame, canvas = self.pygame, self.surface
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
        return self.show()
