"""Sprite sheets of episodes, which the page's script plays."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from evonet.champion import Champion
from evonet.environments.instance import Instance
from evonet.errors import CannotRender
from evonet.foreign import RAISED, SIGNALS, described
from evonet.inspection.analysis.trajectory import Trajectory, trajectories
from evonet.replay.animation import FrameRate
from evonet.replay.episodes import no_window_needed
from evonet.replay.pictures import rgb
from evonet.types import IntArray

MOST_STEPS = 2_000
"""Greatest number of steps of an episode that the report shows."""

MOST_SECONDS = 20.0
"""Seconds of an episode, pictures included, that the report shows."""

_FEWEST_STEPS = 32
_MOST_NUMBERS = 1 << 24  # numbers of an episode's observations, 128 MB

BUDGET = 1_500_000
"""Greatest size of all sheets together, in bytes."""

_MOST_FRAMES = 200  # of a sheet
_WIDTHS = (400, 300, 200)  # pixels of a frame; the first width with which the sheets fit into the budget is used
_COLUMNS = 12


@dataclass(frozen=True)
class Sheet:
    """A sprite sheet: the frames of an episode side by side in one picture.

    Attributes:
        data: the picture, as a `data:` address.
        width: width of a frame in pixels.
        height: height of a frame in pixels.
        columns: frames in a row.
        frames: number of frames.
        every: steps from one frame to the next.
        pace: frames a second.
    """

    data: str
    width: int
    height: int
    columns: int
    frames: int
    every: int
    pace: float


@dataclass
class _Recording:
    """Frames of an episode as Pillow images, and their rate."""

    every: int = 1
    fps: float = 0.0
    frames: list[Any] = field(default_factory=list)

    def add_frame(self, instance: Instance, step: int) -> None:
        from PIL import Image

        if step == 0:
            spec = instance.open().spec
            limit = (spec and spec.max_episode_steps) or MOST_STEPS
            rate = FrameRate.of(instance.metadata, least_every=-(-min(limit, MOST_STEPS) // _MOST_FRAMES))
            self.every, self.fps = rate.every, rate.fps
        if step % self.every == 0 and len(self.frames) <= _MOST_FRAMES:
            frame = Image.fromarray(rgb(instance.render()))
            width = min(_WIDTHS[0], frame.width)
            size = (width, max(1, round(frame.height * width / frame.width)))
            self.frames.append(frame.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0))


def played(champion: Champion, seeds: IntArray) -> tuple[list[Trajectory], list[Sheet], str]:
    """The champion's episodes, with their sheets if the environment can be rendered.

    An episode is abandoned after 2,000 steps, fewer of more than 8,388 inputs, or 20 seconds.

    Returns:
        The episodes, their sheets (an empty list without pictures), and the reason why there are no pictures, else "".

    Raises:
        EnvironmentUnavailable: the champion has no environment, or it cannot be made.
    """
    assert champion.task is not None
    most = min(MOST_STEPS, max(_FEWEST_STEPS, _MOST_NUMBERS // champion.architecture.num_inputs))
    with champion.task.instance() as sample:
        drawable = "rgb_array" in (sample.metadata.get("render_modes") or ())
    if not drawable:
        episodes = list(trajectories(champion, seeds, most_steps=most, most_seconds=MOST_SECONDS))
        return episodes, [], "the environment has no pictures to show"
    recordings = [_Recording() for _ in seeds]
    try:
        episodes = []
        with no_window_needed():
            for recording, seed in zip(recordings, seeds, strict=True):
                episodes += trajectories(champion, seed[None], recording.add_frame, "rgb_array", most, MOST_SECONDS)
        return episodes, _sheets(recordings), ""
    except SIGNALS:
        raise
    except RAISED as error:  # a renderer's own: no pygame, no graphics library, no display, …
        why = (
            str(error) if isinstance(error, CannotRender) else f"the environment cannot be rendered: {described(error)}"
        )
        return list(trajectories(champion, seeds, most_steps=most, most_seconds=MOST_SECONDS)), [], why


def _sheets(recordings: Sequence[_Recording]) -> list[Sheet]:
    sheets: list[Sheet] = []
    for width in _WIDTHS:
        sheets = [_sheet(recording, width) for recording in recordings]
        if sum(len(sheet.data) for sheet in sheets) <= BUDGET:
            return sheets
    halved = [_Recording(2 * each.every, each.fps / 2, each.frames[::2]) for each in recordings]
    return _sheets(halved)


def _sheet(recording: _Recording, width: int) -> Sheet:
    from PIL import Image

    frames = recording.frames
    width = min(width, frames[0].width)
    height = max(1, round(frames[0].height * width / frames[0].width))
    rows = -(-len(frames) // _COLUMNS)
    columns = min(_COLUMNS, len(frames))
    picture = Image.new("RGB", (columns * width, rows * height))
    for index, frame in enumerate(frames):
        row, column = divmod(index, columns)
        scaled = frame if frame.size == (width, height) else frame.resize((width, height), Image.Resampling.HAMMING)
        picture.paste(scaled, (column * width, row * height))
    return Sheet(_address(picture), width, height, columns, len(frames), recording.every, recording.fps)


def _address(picture: Any) -> str:
    """The picture as WebP in a `data:` address."""
    file = io.BytesIO()
    picture.save(file, format="WEBP", quality=60, method=2)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
