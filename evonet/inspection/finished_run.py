"""A run directory read back. Nothing in it is executed, and no environment is made."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from evonet.champion import Champion
from evonet.errors import ConfigError
from evonet.experiment.run_directory import CHAMPION, CONFIG, SUMMARY, journal_name
from evonet.population import NO_PARENT


@dataclass(frozen=True)
class Ancestor:
    """One individual in a line of descent.

    Attributes:
        individual: its id.
        generation: of its birth.
        parents: ids of its parents, one or two; none at the start.
        operators: names of those that made it.
        fitness: training fitness in its first generation, None if it could not be scored.
        gain: of that over its first parent's; None at the start.
    """

    individual: int
    generation: int
    parents: tuple[int, ...]
    operators: tuple[str, ...]
    fitness: float | None
    gain: float | None = None


class FinishedRun:
    """A run that came to its end.

    Args:
        path: the run directory.

    Raises:
        ConfigError: it is no run directory, or the run is not finished.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not (self.path / CONFIG).is_file():
            raise ConfigError(f"{path} is not a run directory: it has no {CONFIG}")
        if not (self.path / SUMMARY).is_file():
            raise ConfigError(f"{path} holds a run that has not come to its end: it has no {SUMMARY}")

    @cached_property
    def summary(self) -> dict[str, Any]:
        """What `run.json` holds; the run directory is where it is now."""
        summary = self._read_json(self.path / SUMMARY)
        if not isinstance(summary, dict):
            raise ConfigError(f"{self.path / SUMMARY}: cannot be read: it is no summary of a run")
        return {**summary, "run_directory": str(self.path)}

    @cached_property
    def champion(self) -> Champion | None:
        """The champion, None if no individual could be scored."""
        return Champion.load(self.path / CHAMPION) if (self.path / CHAMPION).is_file() else None

    @cached_property
    def metrics(self) -> list[dict[str, Any]]:
        """The lines of `metrics.jsonl`, one for each generation."""
        return list(self._journal("metrics"))

    @cached_property
    def descent(self) -> list[Ancestor]:
        """The champion's line of descent by first parents, from the first generation to itself."""
        if self.champion is None:
            return []
        wanted = self.champion.individual
        line: list[Ancestor] = []
        for entry in reversed(list(self._journal("lineage"))):
            if wanted not in entry["ids"]:
                continue
            ancestor = _ancestor(entry, entry["ids"].index(wanted))
            line.append(ancestor)
            if not ancestor.parents:
                break
            wanted = ancestor.parents[0]
        return _with_gains(line[::-1])

    def _journal(self, name: str) -> Iterator[dict[str, Any]]:
        path = self.path / journal_name(name)
        try:
            with path.open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, start=1):
                    try:
                        yield json.loads(line)
                    except ValueError as error:
                        raise ConfigError(f"{path}:{number}: not a line of JSON: {error}") from error
        except OSError as error:
            raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error

    def _read_json(self, path: Path) -> Any:
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error


def _ancestor(entry: dict[str, Any], place: int) -> Ancestor:
    bits = entry["operators"][place]
    return Ancestor(
        individual=entry["ids"][place],
        generation=entry["generation"],
        parents=tuple(parent for parent in entry["parents"][place] if parent != NO_PARENT),
        operators=tuple(name for j, name in enumerate(entry["operator_names"]) if bits >> j & 1),
        fitness=entry["fitness"][place],
    )


def _with_gains(line: list[Ancestor]) -> list[Ancestor]:
    gains: list[float | None] = [None]
    for parent, child in itertools.pairwise(line):
        known = parent.fitness is not None and child.fitness is not None
        gains.append(child.fitness - parent.fitness if known else None)  # type: ignore[operator]
    return [
        Ancestor(a.individual, a.generation, a.parents, a.operators, a.fitness, gain)
        for a, gain in zip(line, gains, strict=False)
    ]
