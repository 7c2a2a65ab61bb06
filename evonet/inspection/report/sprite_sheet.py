"""Sprite sheets: the frames of an episode in one picture, each as the part of it that differs from a background."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.replay.pictures import Picture

MAX_WIDTH = 640
"""Greatest width of a frame in pixels."""

_QUALITIES = ((640, 1), (480, 1), (480, 2), (320, 2), (320, 4), (240, 4), (240, 8), (160, 16))
"""Widths of the frames, and how many frames there are for each one shown; the first that fits is taken."""

_MAX_PIXELS = 12_000_000  # of a sheet; a browser has it in memory, four bytes a pixel
_SHEET_WIDTH = 4_096
_BLOCK = 16  # pixels; WebP compresses such blocks, so that parts in different blocks do not blur into each other
_SAMPLE = 9  # frames of which the background is the median


@dataclass(frozen=True)
class SpriteSheet:
    """A sprite sheet.

    Attributes:
        data: the picture, as a `data:` address.
        width: width of a frame in pixels.
        height: height of a frame in pixels.
        parts: for each frame, the part that is drawn on the background: its x and y in the picture, its width and
            height, its x and y in the frame. The background is at the top left of the picture.
        every: steps from one frame to the next.
        fps: frames a second.
    """

    data: str
    width: int
    height: int
    parts: Sequence[Sequence[int]]
    every: int
    fps: float


def sprite_sheet(frames: Sequence[Picture], every: int, fps: float, most_bytes: int) -> SpriteSheet:
    """The sheet of an episode's frames, with smaller and fewer frames where it would be too big.

    Args:
        frames: the frames, all of one size and at most 640 pixels wide.
        every: steps from one frame to the next.
        fps: frames a second.
        most_bytes: greatest size of the sheet's address.
    """
    bytes_a_pixel, sheet = 0.0, None
    for width, step in _QUALITIES:
        if width >= 2 * frames[0].shape[1]:
            continue
        packed = _packed([resized(frame, width) for frame in frames[::step]])
        too_big = max(packed.pixels / _MAX_PIXELS, packed.pixels * bytes_a_pixel / most_bytes) > 1
        if too_big and (width, step) != _QUALITIES[-1]:
            continue
        data = _address(packed.picture())
        high, wide = packed.background.shape[:2]
        sheet = SpriteSheet(data, wide, high, [part.place for part in packed.parts], every * step, fps / step)
        if len(data) <= most_bytes:
            break
        bytes_a_pixel = len(data) / packed.pixels
    assert sheet is not None
    return sheet


@dataclass(frozen=True)
class _Part:
    """The part of a frame that differs from the background, and its place in the sheet."""

    pixels: Picture
    place: tuple[int, int, int, int, int, int]


@dataclass(frozen=True)
class _Packed:
    """A background and the parts of all frames, laid out in rows."""

    background: Picture
    parts: Sequence[_Part]
    width: int
    height: int

    @property
    def pixels(self) -> int:
        return self.width * self.height

    def picture(self) -> Any:
        """The sheet as a Pillow image."""
        from PIL import Image

        sheet = np.zeros((self.height, self.width, 3), dtype=np.uint8)
        sheet[: self.background.shape[0], : self.background.shape[1]] = self.background
        for part in self.parts:
            x, y = part.place[:2]
            sheet[y : y + part.pixels.shape[0], x : x + part.pixels.shape[1]] = part.pixels
        return Image.fromarray(sheet)


def _packed(frames: Sequence[Picture]) -> _Packed:
    background = _background(frames)
    height, width = background.shape[:2]
    sheet_width = max(_SHEET_WIDTH, _blocks(width))
    x, y, row_height = _blocks(width), 0, _blocks(height)
    parts = []
    for frame, (left, top, right, bottom) in zip(frames, _boxes(frames, background), strict=True):
        wide, high = _blocks(right - left), _blocks(bottom - top)
        if x + wide > sheet_width:
            x, y, row_height = 0, y + row_height, 0
        place = (x, y, right - left, bottom - top, left, top)
        parts.append(_Part(frame[top:bottom, left:right], place))
        x, row_height = x + wide, max(row_height, high)
    return _Packed(background, parts, sheet_width, y + row_height)


def _background(frames: Sequence[Picture]) -> Picture:
    """The median of some of the frames, which has what does not move."""
    rows = np.linspace(0, len(frames) - 1, min(len(frames), _SAMPLE)).round().astype(int)
    sample = np.array([frames[row] for row in rows])
    median: Picture = np.partition(sample, len(sample) // 2, axis=0)[len(sample) // 2]
    return median


def _boxes(frames: Sequence[Picture], background: Picture) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right and bottom of the part of each frame that differs from the background."""
    height, width = background.shape[:2]
    flat = background.reshape(height, -1)
    for frame in frames:
        differs = frame.reshape(height, -1) != flat
        rows = _span(differs.any(axis=1))
        columns = _span(differs.any(axis=0).reshape(width, 3).any(axis=1))
        yield columns[0], rows[0], columns[1], rows[1]


def _span(differs: NDArray[np.bool_]) -> tuple[int, int]:
    """Begin and end of the blocks that have a True; none is (0, 0)."""
    places = np.flatnonzero(differs)
    if not places.size:
        return 0, 0
    return int(places[0]) // _BLOCK * _BLOCK, min(len(differs), _blocks(int(places[-1]) + 1))


def _blocks(length: int) -> int:
    """`length` rounded up to whole blocks."""
    return -(-length // _BLOCK) * _BLOCK


def resized(frame: Picture, width: int) -> Picture:
    """The frame, or a smaller one with this width in pixels."""
    if frame.shape[1] <= width:
        return frame
    from PIL import Image

    height = max(1, round(frame.shape[0] * width / frame.shape[1]))
    resized = Image.fromarray(frame).resize((width, height), Image.Resampling.HAMMING, reducing_gap=2.0)
    return np.asarray(resized)


def _address(picture: Any) -> str:
    """The picture as WebP in a `data:` address."""
    file = io.BytesIO()
    picture.save(file, format="WEBP", quality=70, method=2)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
