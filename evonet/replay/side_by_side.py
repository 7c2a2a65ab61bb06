"""Films of several policies that play the same episode side by side, each under its label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonet.errors import CannotRender
from evonet.extras import optional_package
from evonet.foreign import absolute
from evonet.policy import Policy
from evonet.replay.animation import Film
from evonet.replay.episodes import Episode, film_format_of, filmed
from evonet.replay.pictures import Picture
from evonet.types import IntArray

MAX_PANELS = 8
"""Greatest number of panels, which share the width of the film."""

_WIDTH = 1200  # pixels of the whole film
_LARGEST = 400  # pixels of a panel's width
_STRIP = 32  # pixels of height of the label
_GAP = 4  # pixels between panels
_HOLD = 1.5  # seconds that the last picture stays
_INK, _PAPER = (27, 31, 36), (255, 255, 255)


@dataclass(frozen=True)
class Panel:
    """A part of the film.

    Attributes:
        label: text above the pictures; the return is added when the episode is over.
        policy: the policy that plays, with one lane.
    """

    label: str
    policy: Policy


def record_side_by_side(
    panels: Sequence[Panel], seeds: IntArray, path: Path, form: str | None = None
) -> Iterator[Episode]:
    """Let each panel's policy play the episode of `seeds (1,)`, and write one film of them atomically.

    The film lasts as long as the longest episode, and a moment more; a panel whose episode is over shows its last
    picture.

    Args:
        panels: from left to right, at most `MAX_PANELS`; they play in the same environment.
        seeds: seed of the episode that all of them play.
        path: path of the file.
        form: file format, `gif`, `webp` or `mp4`; by default the suffix of `path`.

    Yields:
        The episode of each panel, from left to right.

    Raises:
        ConfigError: the suffix is no file format.
        CannotRender: an environment renders no pictures, or a package is missing.
        EnvironmentUnavailable: an environment cannot be made, or raises.
        OSError: the file cannot be written.
    """
    film_format, location = film_format_of(path, form), absolute(path)
    films, labels = [], []
    for panel in panels:
        film = Film(most_width=_WIDTH)
        (episode,) = filmed(panel.policy, seeds, film)
        films.append(film)
        labels.append((panel.label, f"{panel.label}: {episode.total:,.0f}"))
        yield episode
    film_format.write(location, _joined(films, labels))


def _joined(films: Sequence[Film], labels: Sequence[tuple[str, str]]) -> Film:
    """One film of all; a label has a text for the episode and one for the time after it."""
    image = optional_package("PIL.Image", "a film of several panels needs Pillow", "report", CannotRender)
    height, width, _ = films[0][0].shape
    size = (panel_width := min(_LARGEST, _WIDTH // len(films) - _GAP), max(1, round(height * panel_width / width)))
    strips = [[_strip(image, text, panel_width) for text in texts] for texts in labels]
    gap = np.full((_STRIP + size[1], _GAP, 3), _PAPER, dtype=np.uint8)
    joined = Film(films[0].fps, _WIDTH)
    for index in range(max(map(len, films)) + round(_HOLD * joined.fps)):
        row: list[Picture] = []
        for film, (during, after) in zip(films, strips, strict=True):
            is_over = index >= len(film) - 1
            picture = image.fromarray(film[len(film) - 1 if is_over else index])
            scaled = np.asarray(picture.resize(size, image.Resampling.HAMMING))
            row += [np.concatenate([after if is_over else during, scaled]), gap]
        joined.add(np.concatenate(row[:-1], axis=1))
    return joined


def _strip(image: Any, text: str, width: int) -> Picture:
    """The label as a picture of `width` pixels."""
    drawing, fonts = (
        optional_package(f"PIL.{name}", "a film of several panels needs Pillow", "report", CannotRender)
        for name in ("ImageDraw", "ImageFont")
    )
    strip = image.new("RGB", (width, _STRIP), _PAPER)
    drawing.Draw(strip).text((width // 2, _STRIP // 2), text, fill=_INK, anchor="mm", font=fonts.load_default(19))
    return np.asarray(strip)
