"""Films: an environment's frames, written as GIF, WebP or MP4."""

from __future__ import annotations

import io
import math
import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonet.errors import CannotRender
from evonet.extras import optional_package
from evonet.files.directory import write_atomically
from evonet.replay.pictures import Picture, rgb

_WIDTH = 480  # pixels
_FASTEST = 25.0  # frames a second; of a faster environment, frames are left out, so that its speed is kept


@dataclass(frozen=True)
class FrameRate:
    """The frames of an environment that are recorded, and the speed at which they are played.

    Attributes:
        every: steps from one recorded frame to the next.
        fps: recorded frames a second.
    """

    every: int
    fps: float

    @classmethod
    def of(cls, metadata: Mapping[str, Any], least_every: int = 1) -> FrameRate:
        """The speed in an environment's metadata, at most 25 frames a second and one frame in `least_every` steps."""
        given = metadata.get("render_fps")
        own = float(given) if isinstance(given, int | float) and 0 < given < math.inf else _FASTEST
        every = max(least_every, round(own / _FASTEST))
        return cls(every, own / every)


class Film:
    """A list of frames, compressed because the frames of a long episode would fill the memory, and are mostly alike.

    Args:
        fps: frames a second.
        most_width: greatest width of a frame in pixels.

    Attributes:
        fps: frames a second.
    """

    def __init__(self, fps: float = _FASTEST, most_width: int = _WIDTH) -> None:
        self.fps = fps
        self._most_width = most_width
        self._frames: list[bytes] = []
        self._shape: tuple[int, ...] | None = None

    def add(self, picture: Any) -> None:
        """Add a picture as renderers return it, `(height, width, 3)`, reduced to the greatest width.

        Raises:
            CannotRender: `picture` has another shape, or its size differs from that of the first picture.
        """
        frame = _reduced(picture, self._most_width)
        if frame.shape != (self._shape or frame.shape):
            raise CannotRender(f"the environment's pictures must be of one size, got {self._shape} and {frame.shape}")
        self._shape = frame.shape
        self._frames.append(zlib.compress(frame.tobytes(), level=1))

    def __len__(self) -> int:
        return len(self._frames)

    def __iter__(self) -> Iterator[Picture]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Picture:
        assert self._shape is not None
        return np.frombuffer(zlib.decompress(self._frames[index]), dtype=np.uint8).reshape(self._shape)


def _reduced(picture: Any, most_width: int) -> Picture:
    """Every n-th pixel of a wide picture, cropped to even sides, which video formats require."""
    frame = rgb(picture)
    stride = -(-frame.shape[1] // most_width)
    frame = frame[::stride, ::stride]
    return np.ascontiguousarray(frame[: frame.shape[0] // 2 * 2, : frame.shape[1] // 2 * 2])


@dataclass(frozen=True)
class FilmFormat:
    """A file format for films.

    Attributes:
        require: imports the package that writes the format, or raises `CannotRender`.
        write: writes a film to a path.
    """

    require: Callable[[], Any]
    write: Callable[[Path, Film], None]


def _pillow() -> Any:
    return optional_package("PIL.Image", "this format needs Pillow", "report", CannotRender)


def _ffmpeg() -> Any:
    return optional_package("imageio_ffmpeg", "this format needs imageio-ffmpeg", "video", CannotRender)


def encode_gif(film: Film) -> bytes:
    """A film as the content of a GIF file.

    Raises:
        CannotRender: Pillow is not installed.
    """
    image = _pillow()
    # One palette for all frames, so that unchanged pixels compress and colours do not flicker.
    sample = np.concatenate([film[index] for index in range(0, len(film), max(1, len(film) // 8))])
    palette = image.fromarray(sample).quantize(64)
    pictures = (image.fromarray(frame).quantize(palette=palette, dither=0) for frame in film)
    return _animated(pictures, film.fps, format="GIF")


def _write_gif(path: Path, film: Film) -> None:
    write_atomically(path, encode_gif(film))


def _write_webp(path: Path, film: Film) -> None:
    image = _pillow()
    pictures = (image.fromarray(frame) for frame in film)
    write_atomically(path, _animated(pictures, film.fps, format="WEBP", quality=70))


def _animated(pictures: Iterator[Any], fps: float, **options: Any) -> bytes:
    file = io.BytesIO()
    next(pictures).save(file, save_all=True, append_images=pictures, duration=round(1000 / fps), loop=0, **options)
    return file.getvalue()


def _write_mp4(path: Path, film: Film) -> None:
    height, width, _ = film[0].shape
    unfinished = path.with_name(f".{os.getpid()}-{path.name}")  # ffmpeg reads the format from the name's suffix
    try:
        writer = _ffmpeg().write_frames(str(unfinished), (width, height), fps=film.fps, macro_block_size=2)
        writer.send(None)
        for frame in film:
            writer.send(frame)
        writer.close()
        unfinished.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error).strip().splitlines()[-1]) from error
    finally:
        unfinished.unlink(missing_ok=True)


FILM_FORMATS = {
    "gif": FilmFormat(_pillow, _write_gif),
    "webp": FilmFormat(_pillow, _write_webp),
    "mp4": FilmFormat(_ffmpeg, _write_mp4),
}
"""File formats by name; the name is also the suffix of the files."""
