"""Episodes of a policy again: in a window, or as an animation in a file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from evonet.errors import ConfigError, EnvironmentUnavailable, EvonetError
from evonet.inspection.animation import FORMS, CannotRender, Film
from evonet.policy import Policy
from evonet.types import IntArray

_FASTEST = 25.0  # pictures a second in a file; above it, some are left out and the pace stays
_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")


@dataclass(frozen=True)
class Episode:
    """How an episode went.

    Attributes:
        seed: of its reset.
        total: its return.
        steps: taken.
        terminated: whether the environment ended it; otherwise it was truncated.
    """

    seed: int
    total: float
    steps: int
    terminated: bool


def has_display() -> bool:
    """Whether a window could be opened here."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in _DISPLAYS)


@contextlib.contextmanager
def no_window_needed() -> Iterator[None]:
    """While pictures are drawn for a file: where there is no display, SDL, which draws most of them, looks for none."""
    if has_display():
        yield
        return
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    try:
        yield
    finally:
        os.environ.pop("SDL_VIDEODRIVER", None)


def show(policy: Policy, seeds: IntArray) -> Iterator[Episode]:
    """Play the episodes `(episodes,)` in a window, at the environment's own pace.

    Raises:
        CannotRender: there is no display, or the environment draws no window.
        EnvironmentUnavailable: the environment cannot be made, or raises.
    """
    if not has_display():
        raise CannotRender("there is no display to open a window on; write a file instead: --gif FILE")
    return _episodes(policy, seeds, "human", lambda _: None)


def play(policy: Policy, seeds: IntArray) -> Iterator[Episode]:
    """Play the episodes `(episodes,)` without showing anything."""
    return _episodes(policy, seeds, None, lambda _: None)


def record(policy: Policy, seeds: IntArray, path: Path, form: str | None = None) -> Iterator[Episode]:
    """Play the episodes `(episodes,)` into one animation; it is written at the end, whole or not at all.

    Args:
        policy: acts in them; one lane.
        seeds: of the episodes.
        path: of the file.
        form: `gif`, `webp` or `mp4`; by default what the file's name ends with.

    Raises:
        ConfigError: the file's name ends with something else.
        CannotRender: the environment gives no pictures, or a package to write the file is missing.
        EnvironmentUnavailable: the environment cannot be made, or raises.
        OSError: the file cannot be written.
    """
    chosen = FORMS.get(form or path.suffix.lower().removeprefix("."))
    if chosen is None:
        raise ConfigError(f"a replay is written as {', '.join(f'.{name}' for name in FORMS)}, got {str(path)!r}")
    chosen.needs()
    film, pace = Film(), _Pace()
    with no_window_needed():
        yield from _episodes(policy, seeds, "rgb_array", film.add, pace)
    if not len(film):
        raise CannotRender("the environment gave no pictures")
    chosen.write(path, film, pace.shown)


@dataclass
class _Pace:
    """Which pictures of an environment's own pace are kept.

    Attributes:
        every: steps from one kept picture to the next.
        shown: pictures a second in the file.
    """

    every: int = 1
    shown: float = _FASTEST

    def follow(self, environment: Any) -> None:
        own = float(environment.metadata.get("render_fps") or _FASTEST)
        self.every = max(1, round(own / _FASTEST))
        self.shown = own / self.every


def _episodes(
    policy: Policy,
    seeds: IntArray,
    mode: Literal["human", "rgb_array"] | None,
    see: Callable[[Any], None],
    pace: _Pace | None = None,
) -> Iterator[Episode]:
    environment = policy.task.make_environment(mode)
    if mode is not None and environment.render_mode != mode:
        raise CannotRender(f"the environment cannot draw itself: it has no render mode {mode!r}")
    pace = pace or _Pace()
    pace.follow(environment)
    with contextlib.closing(environment):
        for seed in seeds:
            yield _episode(policy, environment, int(seed), _seen(environment, see, pace))


def _seen(environment: Any, see: Callable[[Any], None], pace: _Pace) -> Callable[[int], None]:
    def look(step: int) -> None:
        if environment.render_mode == "rgb_array" and step % pace.every == 0:
            try:
                picture = environment.render()
            except Exception as error:  # a renderer's own: no pygame, no graphics library, …
                raise CannotRender(f"the environment cannot draw itself: {error}") from error
            see(picture)

    return look


def _episode(policy: Policy, environment: Any, seed: int, look: Callable[[int], None]) -> Episode:
    total, terminated, step = 0.0, False, 0
    try:
        policy.reset()
        observation, _ = environment.reset(seed=seed)
        look(0)
        for step in range(1, policy.task.max_steps + 1):
            observation, reward, terminated, truncated, _ = environment.step(policy.act(observation))
            total += float(reward)
            look(step)
            if terminated or truncated:
                break
    except EvonetError:
        raise
    except Exception as error:  # the environment's own, or that of the window it draws
        what = f"{type(error).__name__}: {error}"
        raise EnvironmentUnavailable(f"the environment failed at step {step}, seed {seed}: {what}") from error
    return Episode(seed, total, step, bool(terminated))
