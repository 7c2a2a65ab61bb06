"""A champion's episodes again: in a window, or as an animation in a file."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from evonet.champion import Champion
from evonet.errors import ConfigError, EnvironmentUnavailable, EvonetError
from evonet.types import IntArray

Frame = NDArray[np.uint8]
_FASTEST = 25.0  # frames a second in a file; above it, frames are left out and the pace stays
_WIDTH = 480  # pixels


class CannotRender(EvonetError):
    """There is no display, no renderer, or no package to write such a file."""


@dataclass(frozen=True)
class Episode:
    """How an episode went.

    Attributes:
        seed: of its reset.
        total: its return.
        steps: taken.
        terminated: whether the environment ended it; else it was cut.
    """

    seed: int
    total: float
    steps: int
    terminated: bool


def show(champion: Champion, seeds: IntArray) -> Iterator[Episode]:
    """Play the episodes `(episodes,)` in a window, at the environment's own pace.

    Raises:
        CannotRender: there is no display, or the environment draws no window.
        EnvironmentUnavailable: the environment cannot be made.
    """
    if sys.platform == "linux" and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        raise CannotRender("there is no display to open a window on; write a file instead: --gif FILE")
    return _episodes(champion, seeds, "human", lambda _: None)


def play(champion: Champion, seeds: IntArray) -> Iterator[Episode]:
    """Play the episodes `(episodes,)` without showing anything."""
    return _episodes(champion, seeds, None, lambda _: None)


def record(champion: Champion, seeds: IntArray, path: Path) -> Iterator[Episode]:
    """Play the episodes `(episodes,)` into one animation, a `.gif`, `.webp` or `.mp4` file; it is written at the end.

    Raises:
        ConfigError: the file's name has another ending.
        CannotRender: the environment gives no pictures, or a package to write the file is missing.
        EnvironmentUnavailable: the environment cannot be made.
        OSError: the file cannot be written.
    """
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise ConfigError(f"a replay is written as {', '.join(_WRITERS)}, got {str(path)!r}")
    writer.needs()
    frames: list[Frame] = []
    pace = _Pace()
    yield from _episodes(champion, seeds, "rgb_array", frames.append, pace)
    if not frames:
        raise CannotRender("the environment gave no pictures")
    writer.write(path, frames, pace.shown)


@dataclass
class _Pace:
    """Which frames of an environment's own pace are kept.

    Attributes:
        every: one frame in so many steps.
        shown: frames a second in the file.
    """

    every: int = 1
    shown: float = _FASTEST

    def follow(self, environment: Any) -> None:
        own = float(environment.metadata.get("render_fps") or _FASTEST)
        self.every = max(1, round(own / _FASTEST))
        self.shown = own / self.every


def _episodes(
    champion: Champion,
    seeds: IntArray,
    mode: Literal["human", "rgb_array"] | None,
    see: Callable[[Frame], None],
    pace: _Pace | None = None,
) -> Iterator[Episode]:
    if champion.task is None:
        raise EnvironmentUnavailable("this champion was scored by a function and has no environment to act in")
    environment = champion.task.make_environment(mode)
    if mode is not None and environment.render_mode != mode:
        raise CannotRender(f"the environment cannot draw itself: it has no render mode {mode!r}")
    pace = pace or _Pace()
    pace.follow(environment)
    with contextlib.closing(environment):
        for seed in seeds:
            yield _episode(champion, environment, int(seed), champion.task.max_steps, _seen(environment, see, pace))


def _seen(environment: Any, see: Callable[[Frame], None], pace: _Pace) -> Callable[[int], None]:
    def look(step: int) -> None:
        if environment.render_mode == "rgb_array" and step % pace.every == 0:
            try:
                see(_smaller(environment.render()))
            except EvonetError:
                raise
            except Exception as error:  # a renderer's own: no pygame, no graphics library, …
                raise CannotRender(f"the environment cannot draw itself: {error}") from error

    return look


def _episode(champion: Champion, environment: Any, seed: int, max_steps: int, look: Callable[[int], None]) -> Episode:
    champion.reset()
    observation, _ = environment.reset(seed=seed)
    look(0)
    total, terminated, step = 0.0, False, 0
    for step in range(1, max_steps + 1):
        observation, reward, terminated, truncated, _ = environment.step(champion.act(observation))
        total += float(reward)
        look(step)
        if terminated or truncated:
            break
    return Episode(seed, total, step, bool(terminated))


def _smaller(frame: Any) -> Frame:
    """At most `_WIDTH` pixels wide: every second or third pixel, with both sides even, as video formats have it."""
    picture = np.asarray(frame, dtype=np.uint8)
    stride = -(-picture.shape[1] // _WIDTH)
    picture = picture[::stride, ::stride]
    return np.ascontiguousarray(picture[: picture.shape[0] // 2 * 2, : picture.shape[1] // 2 * 2])


@dataclass(frozen=True)
class _Writer:
    needs: Callable[[], ModuleType]
    write: Callable[[Path, list[Frame], float], None]


def _package(name: str, install: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise CannotRender(f"to write such a file, install {install}") from error


def _pillow() -> ModuleType:
    return _package("PIL.Image", "Pillow: pip install 'evonet-toolkit[report]'")


def _ffmpeg() -> ModuleType:
    return _package("imageio_ffmpeg", "imageio-ffmpeg: pip install imageio-ffmpeg")


def _write_gif(path: Path, frames: list[Frame], pace: float) -> None:
    image = _pillow()
    # One palette for all frames: they compress against each other, and colours do not flicker.
    sample = np.concatenate(frames[:: max(1, len(frames) // 8)])
    palette = image.fromarray(sample).quantize(64)
    pictures = (image.fromarray(frame).quantize(palette=palette, dither=0) for frame in frames)
    first = next(pictures)
    first.save(path, format="GIF", save_all=True, append_images=pictures, duration=round(1000 / pace), loop=0)


def _write_webp(path: Path, frames: list[Frame], pace: float) -> None:
    image = _pillow()
    pictures: Iterable[Any] = (image.fromarray(frame) for frame in frames[1:])
    image.fromarray(frames[0]).save(
        path, format="WEBP", save_all=True, append_images=pictures, duration=round(1000 / pace), loop=0, quality=70
    )


def _write_mp4(path: Path, frames: list[Frame], pace: float) -> None:
    height, width, _ = frames[0].shape
    writer = _ffmpeg().write_frames(str(path), (width, height), fps=pace, macro_block_size=2)
    writer.send(None)
    for frame in frames:
        writer.send(frame)
    writer.close()


_WRITERS = {
    ".gif": _Writer(_pillow, _write_gif),
    ".webp": _Writer(_pillow, _write_webp),
    ".mp4": _Writer(_ffmpeg, _write_mp4),
}
