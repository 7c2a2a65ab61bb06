"""Pictures of environments: which arrays are pictures, and what is said of others."""

import os
import sys
import types

import numpy as np
import pytest

from evonet.errors import CannotRender, EnvironmentUnavailable
from evonet.replay.animation import FrameRate
from evonet.replay.episodes import no_window_needed
from evonet.replay.pictures import rgb

PICTURE = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 15


@pytest.mark.parametrize(
    "picture",
    [
        PICTURE,
        PICTURE.astype(np.int64),
        PICTURE.astype(np.uint16),
        PICTURE.tolist(),
        PICTURE / 255.0,
        (PICTURE / 255.0).astype(np.float32),
        PICTURE / 255.0 * (1 + 1e-7),
        np.concatenate([PICTURE, np.full((2, 3, 1), 7, np.uint8)], axis=2),
        np.concatenate([PICTURE / 255.0, np.full((2, 3, 1), 0.5)], axis=2),
    ],
    ids=["uint8", "int64", "uint16", "list", "float64", "float32", "rounded", "transparent", "transparent fractions"],
)
def test_whole_numbers_fractions_and_transparent_pictures_are_the_same_picture(picture):
    pixels = rgb(picture)
    assert pixels.dtype == np.uint8
    assert pixels.tolist() == PICTURE.tolist()


def test_a_picture_of_truth_values_is_black_and_white():
    assert rgb(PICTURE > 100).tolist() == ((PICTURE > 100) * 255).tolist()


SHAPE = "the environment's pictures must have the shape (height, width, 3), got"


@pytest.mark.parametrize(
    ("picture", "got"),
    [
        (None, "None"),
        (PICTURE[..., 0], "(2, 3)"),
        (PICTURE[..., :1], "(2, 3, 1)"),
        (PICTURE[None], "(1, 2, 3, 3)"),
        (PICTURE[:0], "(0, 3, 3)"),
        ([[1, 2], [3]], "(0,)"),
        (3.0, "()"),
    ],
)
def test_another_shape_is_no_picture(picture, got):
    with pytest.raises(CannotRender) as refused:
        rgb(picture)
    assert str(refused.value) == f"{SHAPE} {got}"


@pytest.mark.parametrize(
    ("picture", "got"),
    [
        (PICTURE.astype(np.float64), "float64 from 0 to 255"),
        (PICTURE.astype(np.int16) - 1, "int16 from -1 to 254"),
        (PICTURE.astype(np.int64) * 2, "int64 from 0 to 510"),
        (np.full((2, 2, 3), np.nan), "float64 from nan to nan"),
        (np.full((2, 2, 3), np.inf), "float64 from inf to inf"),
        (np.full((2, 2, 3), "a"), "<U1"),
    ],
)
def test_other_numbers_are_no_picture(picture, got):
    with pytest.raises(CannotRender) as refused:
        rgb(picture)
    rule = "must have whole numbers from 0 to 255, or fractions from 0 to 1"
    assert str(refused.value) == f"the environment's pictures {rule}, got {got}"


@pytest.fixture
def no_display(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER", "MUJOCO_GL"):
        monkeypatch.delenv(name, raising=False)


def test_without_a_display_pygame_and_mujoco_draw_without_a_window(no_display, monkeypatch):
    with no_window_needed():
        assert (os.environ["SDL_VIDEODRIVER"], os.environ["MUJOCO_GL"]) == ("dummy", "egl")
    assert not {"SDL_VIDEODRIVER", "MUJOCO_GL"} & set(os.environ)
    monkeypatch.setenv("MUJOCO_GL", "osmesa")
    with no_window_needed():
        assert os.environ["MUJOCO_GL"] == "osmesa"
    assert os.environ["MUJOCO_GL"] == "osmesa"


@pytest.mark.parametrize("kind", [CannotRender, EnvironmentUnavailable])
def test_where_mujoco_cannot_draw_the_variable_that_helps_is_named(no_display, monkeypatch, kind):
    monkeypatch.setitem(sys.modules, "mujoco", types.ModuleType("mujoco"))
    with pytest.raises(kind) as failed, no_window_needed():
        raise kind("no OpenGL")
    assert failed.value.__notes__ == ["MuJoCo draws without a display if MUJOCO_GL is egl, which was tried, or osmesa"]


def test_an_environment_that_draws_otherwise_is_not_told_of_mujoco(no_display, monkeypatch):
    monkeypatch.delitem(sys.modules, "mujoco", raising=False)
    with pytest.raises(CannotRender) as failed, no_window_needed():
        raise CannotRender("no pygame")
    assert not hasattr(failed.value, "__notes__")


@pytest.mark.parametrize("speed", [None, 0, -5, float("nan"), float("inf"), "fast", [30]])
def test_a_speed_that_is_no_number_above_0_counts_as_unknown(speed):
    assert FrameRate.of({"render_fps": speed}) == FrameRate.of({}) == FrameRate(1, 25.0)
    assert FrameRate.of({"render_fps": 50}) == FrameRate(2, 25.0)
