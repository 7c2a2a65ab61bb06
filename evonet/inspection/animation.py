"""Pictures, one after another, in a file."""

from __future__ import annotations

import importlib
import io
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.errors import EvonetError
from evonet.files.directory import write_atomically

Frame = NDArray[np.uint8]
_WIDTH = 480  # pixels


class CannotRender(EvonetError):
    """There is no display, no renderer, or no package to write such a file."""


class Film:
    """Pictures, kept small until they are written: those of an episode are mostly alike, and would fill the memory."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._shape: tuple[int, ...] | None = None

    def add(self, picture: Any) -> None:
        """Take a picture `(height, width, 3)`, all of one size; at most 480 pixels of its width are kept.

        Raises:
            CannotRender: it is none, or of another size than those before.
        """
        frame = _smaller(picture)
        if frame.shape != (self._shape or frame.shape):
            raise CannotRender(f"the environment's pictures must be of one size, got {self._shape} and {frame.shape}")
        self._shape = frame.shape
        self._frames.append(zlib.compress(frame.tobytes(), level=1))

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Frame]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Frame:
        assert self._shape is not None
        return np.frombuffer(zlib.decompress(self._frames[index]), dtype=np.uint8).reshape(self._shape)


def _smaller(picture: Any) -> Frame:
    """Every second or third pixel, as far as it takes, with both sides even, as video formats have it."""
    frame = np.asarray(picture, dtype=np.uint8)
    if frame.ndim != 3 or frame.shape[2] != 3:
        raise CannotRender(f"the environment's pictures must have the shape (height, width, 3), got {frame.shape}")
    stride = -(-frame.shape[1] // _WIDTH)
    frame = frame[::stride, ::stride]
    return np.ascontiguousarray(frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2])


@dataclass(frozen=True)
class Form:
    """A form of file.

    Attributes:
        needs: imports its package, or raises `CannotRender`.
        write: a film to a file, at so many pictures a second.
    """

    needs: Callable[[], ModuleType]
    write: Callable[[Path, Film, float], None]


def _package(name: str, install: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise CannotRender(f"to write such a file, install {install}") from error


def _pillow() -> ModuleType:
    return _package("PIL.Image", "Pillow: pip install 'evonet-toolkit[report]'")


def _ffmpeg() -> ModuleType:
    return _package("imageio_ffmpeg", "imageio-ffmpeg: pip install 'evonet-toolkit[video]'")


def _write_gif(path: Path, film: Film, pace: float) -> None:
    image = _pillow()
    # One palette for all pictures: they compress against each other, and colours do not flicker.
    sample = np.concatenate([film[index] for index in range(0, len(film), max(1, len(film) // 8))])
    palette = image.fromarray(sample).quantize(64)
    pictures = (image.fromarray(frame).quantize(palette=palette, dither=0) for frame in film)
    _save(path, pictures, pace, format="GIF")


def _write_webp(path: Path, film: Film, pace: float) -> None:
    image = _pillow()
    _save(path, (image.fromarray(frame) for frame in film), pace, format="WEBP", quality=70)


def _save(path: Path, pictures: Iterator[Any], pace: float, **options: Any) -> None:
    file = io.BytesIO()
    next(pictures).save(file, save_all=True, append_images=pictures, duration=round(1000 / pace), loop=0, **options)
    write_atomically(path, file.getvalue())


def _write_mp4(path: Path, film: Film, pace: float) -> None:
    height, width, _ = film[0].shape
    unfinished = path.with_name(f".{os.getpid()}-{path.name}")  # the name's end says the format
    try:
        writer = _ffmpeg().write_frames(str(unfinished), (width, height), fps=pace, macro_block_size=2)
        writer.send(None)
        for frame in film:
            writer.send(frame)
        writer.close()
        unfinished.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error).strip().splitlines()[-1]) from error
    finally:
        unfinished.unlink(missing_ok=True)


FORMS = {
    "gif": Form(_pillow, _write_gif),
    "webp": Form(_pillow, _write_webp),
    "mp4": Form(_ffmpeg, _write_mp4),
}
"""The forms of file by name, which is the end of a file's name too."""
