"""Records episodes for the report: their steps, and the pictures that the page's script plays."""

from __future__ import annotations

from evonet.champion import Champion
from evonet.environments.instance import Instance
from evonet.errors import CannotRender
from evonet.foreign import ANY_ERROR, INTERRUPTS, described
from evonet.inspection.analysis.trajectory import Trajectory, trajectories
from evonet.inspection.report.sprite_sheet import MAX_WIDTH, SpriteSheet, resized, sprite_sheet
from evonet.replay.animation import FrameRate
from evonet.replay.episodes import no_window_needed
from evonet.replay.pictures import Picture, rgb
from evonet.types import IntArray

MAX_STEPS = 2_000
"""Greatest number of steps of an episode that the report shows."""

MAX_SECONDS = 20.0
"""Seconds of an episode, pictures included, that the report shows."""

_MIN_STEPS = 32
_MAX_NUMBERS = 1 << 24  # numbers of an episode's observations, 128 MB

BUDGET = 1_800_000
"""Greatest size of all sheets together, in bytes; the median episode has half of it."""

_MAX_FRAMES = 300  # of an episode


class _Recording:
    """Frames of an episode at 20 to 30 frames a second, fewer of a long one.

    Args:
        nth: every nth of these frames is recorded.
        widest: greatest width of a frame in pixels.
    """

    def __init__(self, nth: int, widest: int) -> None:
        self._widest = widest
        self._nth = nth
        self._every = 1
        self._fps = 0.0
        self._frames: list[Picture] = []

    def add_frame(self, instance: Instance, step: int) -> None:
        if step == 0:
            rate = FrameRate.of(instance.metadata)
            self._every, self._fps = rate.every * self._nth, rate.fps / self._nth
        if step % self._every:
            return
        frame = resized(rgb(instance.render()), self._widest)
        if self._frames and frame.shape != self._frames[0].shape:
            raise CannotRender("the environment's pictures must be of one size")
        self._frames.append(frame)
        if len(self._frames) > _MAX_FRAMES:
            self._frames = self._frames[::2]
            self._every, self._fps = 2 * self._every, self._fps / 2

    def sheet(self, most_bytes: int) -> SpriteSheet:
        return sprite_sheet(self._frames, self._every, self._fps, most_bytes)


def record_episode(
    champion: Champion,
    seed: IntArray,
    nth: int,
    most_bytes: int,
    most_seconds: float = MAX_SECONDS,
    widest: int = MAX_WIDTH,
) -> tuple[Trajectory, SpriteSheet]:
    """An episode of a policy with its sprite sheet.

    Args:
        champion: the policy, in an environment that has pictures.
        seed: the seed of the episode, `(1,)`.
        nth: every nth frame is recorded.
        most_bytes: greatest size of the sheet.
        most_seconds: seconds after which the episode is abandoned.
        widest: greatest width of a frame in pixels.

    Raises:
        EvonetError: the environment cannot be made, or cannot be rendered. A renderer may raise other errors.
    """
    recording = _Recording(nth, widest)
    (episode,) = trajectories(champion, seed, recording.add_frame, "rgb_array", most_steps(champion), most_seconds)
    return episode, recording.sheet(most_bytes)


def most_steps(champion: Champion) -> int:
    """Greatest number of steps of the champion's episodes that the report shows; their observations fit into memory."""
    return min(MAX_STEPS, max(_MIN_STEPS, _MAX_NUMBERS // champion.architecture.num_inputs))


def record_episodes(champion: Champion, seeds: IntArray) -> tuple[list[Trajectory], list[SpriteSheet], str]:
    """The champion's episodes, with their sheets if the environment can be rendered.

    An episode is abandoned after 2,000 steps (fewer with more than 8,388 inputs) or 20 seconds.

    Returns:
        The episodes, their sheets (an empty list without pictures), and the reason why there are no pictures, else "".

    Raises:
        EnvironmentUnavailable: the champion has no environment, or it cannot be made.
    """
    assert champion.task is not None
    most = most_steps(champion)
    with champion.task.instance() as sample:
        drawable = sample.has_pictures
    if not drawable:
        episodes = list(trajectories(champion, seeds, most_steps=most, most_seconds=MAX_SECONDS))
        return episodes, [], "the environment has no pictures to show"
    episodes, sheets = [], []
    try:
        with no_window_needed():
            for number, seed in enumerate(seeds):
                median = number == 0  # the page opens with it
                nth, most_bytes = (1, BUDGET // 2) if median else (2, BUDGET // 4)
                episode, sheet = record_episode(champion, seed[None], nth, most_bytes)
                episodes.append(episode)
                sheets.append(sheet)
    except INTERRUPTS:
        raise
    except ANY_ERROR as error:
        why = why_not_rendered(error)
        return list(trajectories(champion, seeds, most_steps=most, most_seconds=MAX_SECONDS)), [], why
    return episodes, sheets, ""


def why_not_rendered(error: BaseException) -> str:
    """The reason, from the error of a renderer: no pygame, no graphics library, no display."""
    return str(error) if isinstance(error, CannotRender) else f"the environment cannot be rendered: {described(error)}"
