"""Episodes as sheets of pictures, for the page's script to play."""

from __future__ import annotations

import base64
import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from evonet.champion import Champion
from evonet.inspection.analysis.trajectory import Trajectory, trajectories
from evonet.inspection.replay import no_window_needed
from evonet.types import IntArray

MOST_STEPS = 2_000
"""Of an episode that is played; where one goes on for longer, its beginning is shown."""

BUDGET = 1_500_000
"""Bytes of all sheets together."""

_FASTEST = 25.0  # frames a second
_MOST_FRAMES = 200  # of an episode
_WIDTHS = (400, 300, 200)  # pixels, as many as the budget allows
_COLUMNS = 12


@dataclass(frozen=True)
class Sheet:
    """The frames of an episode side by side in one picture.

    Attributes:
        data: the picture, as a `data:` address.
        width: of a frame, in pixels.
        height: of a frame.
        columns: frames in a row.
        frames: how many there are.
        every: steps from one to the next.
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
class _Film:
    """Takes pictures of an environment."""

    every: int = 1
    pace: float = _FASTEST
    frames: list[Any] = field(default_factory=list)

    def look(self, environment: Any, step: int) -> None:
        from PIL import Image

        if step == 0:
            own = float(environment.metadata.get("render_fps") or _FASTEST)
            limit = min(
                environment.spec.max_episode_steps or MOST_STEPS if environment.spec else MOST_STEPS, MOST_STEPS
            )
            self.every = max(1, round(own / _FASTEST), -(-limit // _MOST_FRAMES))
            self.pace = own / self.every
        if step % self.every == 0 and len(self.frames) <= _MOST_FRAMES:
            frame = Image.fromarray(environment.render()).convert("RGB")
            width = min(_WIDTHS[0], frame.width)
            size = (width, max(1, round(frame.height * width / frame.width)))
            self.frames.append(frame.resize(size, Image.Resampling.HAMMING, reducing_gap=2.0))


def played(champion: Champion, seeds: IntArray) -> tuple[list[Trajectory], list[Sheet], str]:
    """The champion's episodes, with pictures if the environment can be drawn here.

    Returns:
        The episodes, their sheets (none if there are no pictures), and why there are none, else "".

    Raises:
        EnvironmentUnavailable: the champion has no environment, or it cannot be made.
    """
    assert champion.task is not None
    with contextlib.closing(champion.task.make_environment()) as sample:
        drawable = "rgb_array" in (sample.metadata.get("render_modes") or ())
    if not drawable:
        return list(trajectories(champion, seeds, most_steps=MOST_STEPS)), [], "the environment has no pictures to show"
    films = [_Film() for _ in seeds]
    try:
        episodes: list[Trajectory] = []
        with no_window_needed():
            for film, seed in zip(films, seeds, strict=True):
                episodes += trajectories(champion, seed[None], film.look, "rgb_array", MOST_STEPS)
        return episodes, _sheets(films), ""
    except Exception as error:  # noqa: BLE001 - a renderer's own: no pygame, no graphics library, no display, …
        why = f"the environment cannot be drawn here: {str(error).strip() or type(error).__name__}"
        return list(trajectories(champion, seeds, most_steps=MOST_STEPS)), [], why


def _sheets(films: Sequence[_Film]) -> list[Sheet]:
    sheets: list[Sheet] = []
    for width in _WIDTHS:
        sheets = [_sheet(film, width) for film in films]
        if sum(len(sheet.data) for sheet in sheets) <= BUDGET:
            return sheets
    thinned = [_Film(2 * film.every, film.pace / 2, film.frames[::2]) for film in films]
    return _sheets(thinned)


def _sheet(film: _Film, width: int) -> Sheet:
    from PIL import Image

    first = film.frames[0]
    width = min(width, first.width)
    height = max(1, round(first.height * width / first.width))
    rows = -(-len(film.frames) // _COLUMNS)
    columns = min(_COLUMNS, len(film.frames))
    picture = Image.new("RGB", (columns * width, rows * height))
    for index, frame in enumerate(film.frames):
        row, column = divmod(index, columns)
        shown = frame if frame.size == (width, height) else frame.resize((width, height), Image.Resampling.HAMMING)
        picture.paste(shown, (column * width, row * height))
    return Sheet(_address(picture), width, height, columns, len(film.frames), film.every, film.pace)


def _address(picture: Any) -> str:
    """The picture as WebP in a `data:` address."""
    file = io.BytesIO()
    picture.save(file, format="WEBP", quality=60, method=2)
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
