"""Episodes that Python code or a notebook's cell asks for: in a window, as a GIF, below the cell."""

from __future__ import annotations

import base64
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evonet.files.directory import write_atomically
from evonet.foreign import absolute
from evonet.policy import Policy
from evonet.replay.animation import FILM_FORMATS, Film, encode_gif
from evonet.replay.episodes import Episode, filmed, show
from evonet.seeding import Purpose, episode_seeds
from evonet.settings import Count, Natural, check


@dataclass(frozen=True)
class Playback:
    """Episodes that were played; a notebook shows their animation, if there is one.

    Attributes:
        episodes: the episodes, in the order in which they were played.
        gif: content of a GIF file that shows them; empty if they were played in a window.
    """

    episodes: tuple[Episode, ...]
    gif: bytes = field(default=b"", repr=False)

    @property
    def mean(self) -> float:
        """The mean return of the episodes."""
        return sum(episode.total for episode in self.episodes) / len(self.episodes)

    def __str__(self) -> str:
        if len(self.episodes) == 1:
            return f"return {self.mean:.6g} in {self.episodes[0].steps} steps"
        return f"mean return {self.mean:.6g} over {len(self.episodes)} episodes"

    def __repr__(self) -> str:
        return f"<Playback: {self}>"

    def _repr_html_(self) -> str | None:
        if not self.gif:
            return None
        data = base64.b64encode(self.gif).decode("ascii")
        return f'<figure><img alt="the champion plays" src="data:image/gif;base64,{data}"><br>{self}</figure>'


def play(policy: Policy, episodes: Count = 1, seed: Natural = 0) -> Playback:
    """Play episodes in a window at the environment's own speed; in a notebook, make an animation for the cell instead.

    Args:
        policy: the policy, with one lane.
        episodes: number of episodes.
        seed: seed from which the seeds of the episodes follow.

    Raises:
        CannotRender: there is no display and no notebook, or the environment cannot be rendered.
        EnvironmentUnavailable: the environment cannot be made, or raises.
        TypeError, ValueError: `episodes` or `seed` has the wrong type or is out of range.
    """
    check(play, {"episodes": episodes, "seed": seed})
    if in_notebook():
        return gif(policy, None, episodes, seed)
    return Playback(tuple(show(policy, episode_seeds(seed, Purpose.REPLAY, 0, episodes))))


def gif(policy: Policy, path: str | os.PathLike[str] | None = None, episodes: Count = 1, seed: Natural = 0) -> Playback:
    """Play episodes without a window, and write one GIF of them if there is a path.

    Args:
        policy: the policy, with one lane.
        path: path of the file; None writes no file.
        episodes: number of episodes.
        seed: seed from which the seeds of the episodes follow.

    Raises:
        CannotRender: the environment renders no pictures, or Pillow is missing.
        EnvironmentUnavailable: the environment cannot be made, or raises.
        OSError: the file cannot be written.
        TypeError, ValueError: `episodes` or `seed` has the wrong type or is out of range.
    """
    check(gif, {"episodes": episodes, "seed": seed})
    FILM_FORMATS["gif"].require()
    location = None if path is None else absolute(Path(path))
    frames = Film()
    played = tuple(filmed(policy, episode_seeds(seed, Purpose.REPLAY, 0, episodes), frames))
    content = encode_gif(frames)
    if location is not None:
        write_atomically(location, content)
    return Playback(played, content)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which shows what a cell returns."""
    ipython: Any = sys.modules.get("IPython")
    return hasattr(ipython and ipython.get_ipython(), "kernel")
