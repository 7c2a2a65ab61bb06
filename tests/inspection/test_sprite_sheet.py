"""Sprite sheets: a background, and of each frame the part that differs; a sheet that is too big gets smaller."""

import base64
import io

import numpy as np
import pytest

from evonet.inspection.report.layout import spans
from evonet.inspection.report.recording import _MAX_FRAMES
from evonet.inspection.report.sprite_sheet import MAX_WIDTH, resized, sprite_sheet

image = pytest.importorskip("PIL.Image")


def scene(step, height=200, width=300):
    """A grey picture with a white square that moves to the right."""
    frame = np.full((height, width, 3), 90, dtype=np.uint8)
    frame[80:112, 2 * step : 2 * step + 32] = 255
    return frame


def picture_of(sheet):
    data = base64.b64decode(sheet.data.removeprefix("data:image/webp;base64,"))
    return np.asarray(image.open(io.BytesIO(data)).convert("RGB")).astype(int)


def played(sheet, number):
    """A frame, put together as the page's script does."""
    picture = picture_of(sheet)
    frame = picture[: sheet.height, : sheet.width].copy()
    x, y, width, height, left, top = sheet.parts[number]
    frame[top : top + height, left : left + width] = picture[y : y + height, x : x + width]
    return frame


def test_each_frame_is_found_again_in_the_sheet():
    frames = [scene(step) for step in range(100)]
    sheet = sprite_sheet(frames, 2, 25.0, 1_000_000)
    assert (sheet.width, sheet.height, sheet.every, sheet.fps, len(sheet.parts)) == (300, 200, 2, 25.0, 100)
    for number in (0, 37, 99):
        assert np.abs(played(sheet, number) - frames[number]).mean() < 2.0
    assert max(width * height for _, _, width, height, _, _ in sheet.parts) < 300 * 200 / 4


def test_frames_that_never_change_have_no_parts():
    sheet = sprite_sheet([scene(0)] * 5, 1, 20.0, 1_000_000)
    assert [part[2:4] for part in sheet.parts] == [(0, 0)] * 5


def test_what_is_too_big_gets_smaller_and_then_fewer_frames_at_the_same_speed():
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 256, (480, 640, 3), dtype=np.uint8) for _ in range(32)]
    sheet = sprite_sheet(frames, 1, 20.0, 400_000)
    assert len(sheet.data) <= 400_000
    assert sheet.width < 640
    assert len(sheet.parts) * sheet.every == 32
    assert sheet.every * sheet.fps == 20.0  # steps a second


def test_a_wide_picture_is_reduced_to_640_pixels_and_a_small_one_is_unchanged():
    assert resized(np.zeros((500, 1000, 3), dtype=np.uint8), MAX_WIDTH).shape == (320, 640, 3)
    small = scene(0)
    assert resized(small, MAX_WIDTH) is small


def test_an_episode_has_a_bounded_number_of_frames():
    assert _MAX_FRAMES <= 400


@pytest.mark.parametrize(
    ("widths", "columns"),
    [
        ([], []),
        ([2, 2], [3, 3]),
        ([2, 2, 2], [2, 2, 2]),
        ([2, 2, 2, 2], [3, 3, 3, 3]),
        ([2] * 5, [2, 2, 2, 3, 3]),
        ([4, 2], [4, 2]),
        ([4], [6]),
        ([4, 4, 2], [6, 4, 2]),
        ([2, 6, 2, 2], [6, 6, 3, 3]),
    ],
)
def test_every_row_of_figures_is_full(widths, columns):
    assert spans(widths) == columns
    assert sum(columns) % 6 == 0
