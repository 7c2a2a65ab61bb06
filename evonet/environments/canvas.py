"""The canvas on which evonet's own environments draw themselves by pygame, with or without a window."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.error import DependencyNotInstalled
from numpy.typing import NDArray

from evonet.extras import install_hint


class Canvas:
    """A surface of pygame, which a window shows if there is one.

    Args:
        size: width and height in pixels.
        title: title of the window.
        window: whether to open a window.
        pace: frames a second in the window.

    Attributes:
        pygame: the module.
        surface: the surface on which to draw.

    Raises:
        DependencyNotInstalled: pygame is not installed.
    """

    def __init__(self, size: tuple[int, int], title: str, *, window: bool, pace: int) -> None:
        try:
            import pygame
        except ImportError as error:
            raise DependencyNotInstalled(f"pygame is not installed: {install_hint('classic')}") from error
        self.pygame: Any = pygame
        self._pace = pace
        self._window: Any = None
        if window:
            pygame.display.init()
            self._window = pygame.display.set_mode(size)
            pygame.display.set_caption(title)
            self._clock = pygame.time.Clock()
        self.surface = pygame.Surface(size)

    def show(self) -> NDArray[np.uint8] | None:
        """Show what was drawn in the window; without a window, return the picture `(height, width, 3)`."""
        pygame = self.pygame
        if self._window is None:
            picture: NDArray[np.uint8] = np.transpose(pygame.surfarray.array3d(self.surface), (1, 0, 2))
            return picture
        self._window.blit(self.surface, (0, 0))
        pygame.event.pump()
        self._clock.tick(self._pace)
        pygame.display.flip()
        return None

    def close(self) -> None:
        """Close the window."""
        if self._window is not None:
            self.pygame.display.quit()
