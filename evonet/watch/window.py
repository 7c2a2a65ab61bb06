"""A window in which the newest champion of a run plays, episode after episode, until the run is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path

from evonet.champion import Champion
from evonet.errors import EvonetError
from evonet.inspection.loaded_run import load_run
from evonet.replay.episodes import show
from evonet.seeding import Purpose, episode_seeds
from evonet.watch.priority import lower_priority
from evonet.watch.watched_run import state_of

_NICENESS = 10  # a tenth of a busy processor, which a window needs to move as fast as the environment
_PAUSE = 0.5  # seconds between two readings of the directory, before the first champion


def play_newest(path: Path, allow_imports: Collection[str] = (), say: Callable[[str], None] = lambda _: None) -> None:
    """Play the newest champion of the run at `path` in a window, and the tested champion once when the run is over.

    Args:
        path: the run directory.
        allow_imports: modules that may be imported when the champion acts in its environment.
        say: called with a line about each episode.

    Raises:
        CannotRender: there is no display, or the environment has no render mode "human".
        EvonetError: the run cannot be read, or the environment cannot be made, or raises.
    """
    seed = int(load_run(path).settings.get("seed", 0))
    number = 0
    while True:
        over = state_of(path) != "running"
        champion = _newest(path, allow_imports)
        lower_priority(_NICENESS)
        if champion is not None:
            seeds = episode_seeds(seed, Purpose.REPLAY, 0, number + 1)[-1:]
            for episode in show(champion.policy, seeds):
                name = f"champion of generation {champion.generation}"
                say(f"{name}, seed {episode.seed}: return {episode.total:g} in {episode.steps} steps")
            number += 1
        if over:
            return
        if champion is None:
            time.sleep(_PAUSE)


def _newest(path: Path, allow_imports: Collection[str]) -> Champion | None:
    """The newest champion; None if there is none yet, or none can be read just now, while the run is writing."""
    try:
        return load_run(path, allow_imports).champion
    except EvonetError:
        if state_of(path) == "running":
            return None
        raise
