"""A run as a page shows it: read from its directory, a little at a time, while another process writes it."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from evonet.errors import EvonetError
from evonet.experiment.run_files.checkpoint import Checkpoint, checkpoints_in
from evonet.experiment.run_files.journal_lines import metrics_from, seconds_from
from evonet.experiment.run_files.run_directory import LOCK, SUMMARY
from evonet.experiment.run_files.run_finder import start_time
from evonet.files.directory import Directory
from evonet.files.lock import is_locked
from evonet.inspection.archives import elite_champion
from evonet.inspection.loaded_run import LoadedRun, load_run, target_of
from evonet.inspection.phrases import number, shortened, verdict_sentence, with_minus
from evonet.seeding import Purpose, episode_seeds
from evonet.strategies.saved_population import islands_of, population_of
from evonet.watch.archive_sketch import archive_sketch
from evonet.watch.curves import Curves, rounded
from evonet.watch.rendering import Clip, Renderer
from evonet.watch.sketch import network_sketch, population_sketch
from evonet.watch.tail import Tail

State = Literal["running", "interrupted", "finished"]

_PAUSE = 0.5  # seconds between two readings of the directory
_TIMES_READING = 20  # least time between two readings of checkpoints, as a multiple of the time that one takes


class WatchedRun:
    """What a page shows of a run; safe to use from several threads.

    Args:
        path: the run directory.
        allow_imports: modules that may be imported when the champion acts in its environment.

    Raises:
        ConfigError: `path` is no run directory.
    """

    def __init__(self, path: Path, allow_imports: Collection[str] = ()) -> None:
        self.path = path
        self._allow_imports = tuple(allow_imports)
        self._settings, self._started = load_run(path).settings, start_time(path)
        self._metrics = Tail(path, "metrics", metrics_from)
        self._timing = Tail(path, "timing", seconds_from)
        self._curves, self._seconds = Curves(), 0.0
        self._checkpoint: Path | None = None
        self._checkpoint_due = 0.0
        self._from_checkpoint: dict[str, Any] = {"target": None, "network": None, "population": None}
        self._archive: dict[str, Any] | None = None
        self._loaded: LoadedRun | None = None
        self._chosen: int | None = None  # row of the elite whose episode is shown instead of the champion's
        self._renderer: Renderer | None = None
        self._problem = ""
        self._reading = threading.Lock()
        self._read_at = -_PAUSE
        self._state: dict[str, Any] = {}

    @property
    def clip(self) -> Clip | None:
        """The episode of the newest champion or of the chosen elite, as far as it is rendered; None before it."""
        return None if self._renderer is None else self._renderer.clip

    def brief(self) -> dict[str, Any]:
        """The run in a few words and numbers, for a list of runs."""
        with self._reading:
            self._read_journals()
            last, environment = self._curves.last, self._settings.get("environment") or {}
            return {
                "name": self._settings.get("name"),
                "environment": environment.get("id"),
                "seed": self._settings.get("seed", 0),
                "state": state_of(self.path),
                "generations": _generations(last.get("generation")),
                "validation": rounded(last.get("validation_mean")),
                "best": rounded(last.get("best")),
                "problem": self._problem,
            }

    def state(self) -> dict[str, Any]:
        """Everything that the page shows, but for the pictures, as plain data."""
        with self._reading:
            if time.monotonic() - self._read_at >= _PAUSE:
                self._read_journals()
                self._read_newest_checkpoint()
                self._state = self._described()
                self._read_at = time.monotonic()
            return self._state | {"clip": _clip_entry(self.clip)}

    def play(self, row: int | None) -> None:
        """Show an episode of the elite in this row of the archive from now on; None for the newest champion's again.

        A row that the archive does not have changes nothing.
        """
        with self._reading:
            run = self._loaded
            if run is None or (row is not None and (run.archive is None or row >= len(run.archive))):
                return
            self._chosen = row
            self._render(run, at_once=True)

    def close(self) -> None:
        """End the process that renders episodes."""
        with self._reading:
            if self._renderer is not None:
                self._renderer.close()
                self._renderer, self._checkpoint = None, None

    def _read_journals(self) -> None:
        self._problem = ""
        try:
            if start_time(self.path) != self._started:  # the run was resumed, perhaps with another limit or target
                self._settings, self._started = load_run(self.path).settings, start_time(self.path)
                self._checkpoint = None
            rows, anew = self._metrics.new()
            if anew:
                self._curves = Curves()
            for row in rows:
                self._curves.add(row)
            seconds, _ = self._timing.new()
            self._seconds = seconds[-1] if seconds else self._seconds
        except EvonetError as error:
            self._problem = str(error)

    def _read_newest_checkpoint(self) -> None:
        """Read champion and population again if there is a newer checkpoint, but seldom if that takes long."""
        newest = next(iter(checkpoints_in(self.path)), None)
        if newest is None or newest == self._checkpoint or time.monotonic() < self._checkpoint_due:
            return
        started = time.monotonic()
        try:
            run = load_run(self.path, self._allow_imports)
            self._from_checkpoint = self._checkpoint_entry(run)
            self._loaded, self._checkpoint = run, newest
            archive, checkpoint = run.archive, run.newest_checkpoint
            sketch = None if archive is None else archive_sketch(archive)
            generation = None if checkpoint is None else checkpoint.generation
            self._archive = sketch and {"generation": generation, **sketch}
            self._render(run)
        except EvonetError as error:
            self._problem = str(error)
        self._checkpoint_due = started + _TIMES_READING * (time.monotonic() - started)

    def _checkpoint_entry(self, run: LoadedRun) -> dict[str, Any]:
        """The target, the champion's network and the population, as far as there is a checkpoint with them."""
        champion, checkpoint = run.champion, run.newest_checkpoint
        target = rounded(target_of(self._settings, champion))
        found: dict[str, Any] = {"target": target, "network": None, "population": None}
        if run.policy_spec is not None and checkpoint is not None:
            architecture = run.policy_spec.architecture
            found["population"] = run.read("checkpoints", lambda: _population(checkpoint, architecture))
        if champion is not None:
            found["network"] = {
                "individual": champion.id,
                "generation": champion.generation,
                **network_sketch(champion.network, run.names),
            }
        return found

    def _render(self, run: LoadedRun, *, at_once: bool = False) -> None:
        """Render an episode of the chosen elite, or of the champion."""
        player, shows = run.champion, None
        if self._chosen is not None and run.archive is not None and self._chosen < len(run.archive):
            elite = run.archive.elites[self._chosen]
            player = elite_champion(run, elite)
            measured = ", ".join(f"{shortened(name)} {number(value, 4)}" for name, value in elite.measures.items())
            shows = f"elite at {measured}"
        if player is None or player.task is None:
            return
        if self._renderer is None:
            seed = int(self._settings.get("seed", 0))
            self._renderer = Renderer(int(episode_seeds(seed, Purpose.REPLAY, 0, 1)[0]))
        self._renderer.show(player, shows, at_once=at_once)

    def _described(self) -> dict[str, Any]:
        last, settings = self._curves.last, self._settings
        environment, stop = settings.get("environment") or {}, settings.get("stop") or {}
        state = state_of(self.path)
        steps = (last.get("environment_steps") or 0) + (last.get("validation_steps") or 0)
        return {
            "name": settings.get("name"),
            "environment": environment.get("id"),
            "plays": bool(environment),
            "seed": settings.get("seed", 0),
            "state": state,
            "verdict": self._verdict() if state == "finished" else None,
            "generations": _generations(last.get("generation")),
            "most_generations": most if type(most := stop.get("generations")) is int else None,
            "evaluations": last.get("evaluations", 0),
            "steps": steps,
            "seconds": round(self._seconds, 1),
            "best": rounded(last.get("best")),
            "mean": rounded(last.get("mean")),
            "validation": rounded(last.get("validation_mean")),
            "champion_generation": last.get("champion_generation"),
            "faults": last.get("faults", 0),
            "curves": self._curves.columns(),
            "problem": self._problem,
            **self._from_checkpoint,
            "archive": self._archive and {**self._archive, "chosen": self._chosen},
        }

    def _verdict(self) -> str | None:
        try:
            return with_minus(verdict_sentence(load_run(self.path).summary))
        except EvonetError as error:
            self._problem = str(error)
            return None


def state_of(run: Path) -> State:
    """Whether the run is finished, running in another process, or interrupted."""
    try:
        with Directory(run) as directory:
            if directory.has(SUMMARY):
                return "finished"
            if not directory.has(LOCK):
                return "interrupted"
            with directory.reading(LOCK) as lock:
                return "interrupted" if is_locked(lock.fileno()) is False else "running"
    except (OSError, EvonetError):
        return "interrupted"


def _population(checkpoint: Checkpoint, architecture: Any) -> dict[str, Any] | None:
    algorithm = checkpoint.state["evolution"]["algorithm"]
    sketch = population_sketch(population_of(algorithm, architecture), islands_of(algorithm, architecture))
    return sketch and {"generation": checkpoint.generation, **sketch}


def _generations(generation: float | None) -> int:
    """The number of generations, from the number of the last one."""
    return 0 if generation is None else int(generation) + 1


def _clip_entry(clip: Clip | None) -> Mapping[str, Any] | None:
    if clip is None:
        return None
    return {
        "number": clip.number,
        "individual": clip.individual,
        "shows": clip.shows,
        "fps": clip.fps,
        "every": clip.every,
        "pictures": len(clip.pictures),
        "over": clip.over,
        "ended": clip.ended,
        "problem": clip.problem,
    }
