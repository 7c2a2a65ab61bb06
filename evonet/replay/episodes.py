"""Episodes of a policy, shown in a window, written to a film, or played unseen."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from evonet.environments.instance import Instance
from evonet.errors import CannotRender, ConfigError, EnvironmentUnavailable
from evonet.foreign import absolute, guarded
from evonet.policy import Policy
from evonet.replay.animation import FILM_FORMATS, Film, FilmFormat, FrameRate
from evonet.types import IntArray

_SILENT = {"SDL_AUDIODRIVER": "dummy"}  # pygame warns where there is no sound card, and a film has no sound
_WINDOWLESS = {"SDL_VIDEODRIVER": "dummy", "MUJOCO_GL": "egl"}
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")


@dataclass(frozen=True)
class Episode:
    """The result of an episode.

    Attributes:
        seed: seed of the reset.
        total: the return.
        steps: number of steps.
        terminated: whether the environment ended the episode; otherwise it was truncated.
    """

    seed: int
    total: float
    steps: int
    terminated: bool


def has_display() -> bool:
    """Whether this machine has a display for a window."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in _DISPLAYS)


@contextlib.contextmanager
def no_window_needed() -> Iterator[None]:
    """Let pygame and MuJoCo, which render most environments, draw without a window on a machine without a display.

    Sound is off in any case.
    """
    wanted = _SILENT if has_display() else _SILENT | _WINDOWLESS
    missing = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    except (CannotRender, EnvironmentUnavailable) as error:
        if "MUJOCO_GL" in missing and "mujoco" in sys.modules:
            error.add_note("MuJoCo draws without a display if MUJOCO_GL is egl, which was tried, or osmesa")
        raise
    finally:
        for name in missing:
            os.environ.pop(name, None)


def show(policy: Policy, seeds: IntArray) -> Iterator[Episode]:
    """Play the episodes of `seeds (episodes,)` in a window, at the environment's own speed.

    Raises:
        CannotRender: there is no display, or the environment has no render mode "human".
        EnvironmentUnavailable: the environment cannot be made, or raises.
    """
    if not has_display():
        raise CannotRender(
            "there is no display to open a window on; write a file instead: --gif FILE, in Python champion.gif(path)"
        )
    return _played(policy, seeds, "human")


def play_unseen(policy: Policy, seeds: IntArray) -> Iterator[Episode]:
    """Play the episodes of `seeds (episodes,)` without rendering.

    Raises:
        EnvironmentUnavailable: the environment cannot be made, or raises.
    """
    return _played(policy, seeds, None)


def record(policy: Policy, seeds: IntArray, path: Path, form: str | None = None) -> Iterator[Episode]:
    """Play the episodes of `seeds (episodes,)` and write one film of them, atomically after the last episode.

    Args:
        policy: policy with one lane.
        seeds: seeds of the episodes.
        path: path of the file.
        form: file format, `gif`, `webp` or `mp4`; by default the suffix of `path`.

    Raises:
        ConfigError: the suffix is no file format.
        CannotRender: the environment renders no pictures, or a package to write the file is missing.
        EnvironmentUnavailable: the environment cannot be made, or raises.
        OSError: the file cannot be written.
    """
    film_format = film_format_of(path, form)
    film, location = Film(), absolute(path)
    yield from filmed(policy, seeds, film)
    film_format.write(location, film)


def film_format_of(path: Path, form: str | None = None) -> FilmFormat:
    """The file format `form`, by default that of the suffix of `path`; the package that writes it is installed.

    Raises:
        ConfigError: the suffix is no file format.
        CannotRender: the package is missing.
    """
    film_format = FILM_FORMATS.get(form or path.suffix.lower().removeprefix("."))
    if film_format is None:
        suffixes = ", ".join(f".{name}" for name in FILM_FORMATS)
        raise ConfigError(f"a replay's file must end with one of {suffixes}, got {str(path)!r}")
    film_format.require()
    return film_format


def filmed(policy: Policy, seeds: IntArray, film: Film) -> Iterator[Episode]:
    """Play the episodes of `seeds (episodes,)`, and add their frames to `film`, at most 25 for each second.

    Raises:
        CannotRender: the environment renders no pictures.
        EnvironmentUnavailable: the environment cannot be made, or raises.
    """
    with no_window_needed(), policy.task.instance("rgb_array") as instance:
        instance.open()
        rate = FrameRate.of(instance.metadata)
        film.fps = rate.fps

        def add_frame(step: int) -> None:
            if step % rate.every == 0:
                film.add(instance.render())

        for seed in seeds.tolist():
            yield _episode(policy, instance, seed, add_frame)
    if not len(film):
        raise CannotRender("the environment rendered no pictures")


def _played(policy: Policy, seeds: IntArray, mode: Literal["human"] | None) -> Iterator[Episode]:
    with policy.task.instance(mode) as instance:
        for seed in seeds.tolist():
            yield _episode(policy, instance, seed)


def _episode(
    policy: Policy, instance: Instance, seed: int, on_step: Callable[[int], None] = lambda _: None
) -> Episode:  # fmt: skip
    for episode in steps(policy, instance, seed):
        on_step(episode.steps)
    return episode


def steps(policy: Policy, instance: Instance, seed: int) -> Iterator[Episode]:
    """Play an episode; yields the episode so far, after the reset and after each step.

    Raises:
        EnvironmentUnavailable: the environment cannot be made, or raises.
    """
    total, step = 0.0, 0

    def guard() -> AbstractContextManager[None]:
        return guarded(f"the environment failed at step {step}, seed {seed}", EnvironmentUnavailable)

    with guard():
        policy.reset()
        observation = instance.reset(seed)
    yield Episode(seed, total, step, terminated=False)
    for step in range(1, policy.task.max_steps + 1):
        with guard():
            observation, reward, terminated, truncated, _ = instance.step(policy.act(observation))
        total += reward
        yield Episode(seed, total, step, terminated)
        if terminated or truncated:
            break
