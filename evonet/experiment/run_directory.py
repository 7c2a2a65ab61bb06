"""A run's files: what each is called, and how it is written so that nothing is lost."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import numpy as np

from evonet.champion import Champion
from evonet.errors import ConfigError, RunDirectoryError
from evonet.machine import write_whole

CONFIG = "config.yaml"
SUMMARY = "run.json"
CHAMPION = "champion.npz"
JOURNALS = ("metrics", "timing", "faults", "lineage")
_LONGEST_NAME = 200  # bytes; file systems take 255, and time and seed follow


def journal_name(name: str) -> str:
    """The file of a journal, one JSON document in each line."""
    return f"{name}.jsonl"


class RunDirectory:
    """The directory of a run that is being written.

    Args:
        path: where; made if it is not there.

    Raises:
        ConfigError: it holds a run already.
        RunDirectoryError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._journals: dict[str, TextIO] = {}
        try:
            if (path / CONFIG).exists():
                raise ConfigError(
                    f"{path} holds a run already; choose another --output, or look at it: evonet inspect {path}"
                )
            path.mkdir(parents=True, exist_ok=True)
            for name in JOURNALS:
                self._journals[name] = (path / journal_name(name)).open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise _unwritable(path, error) from error

    def write_text(self, name: str, text: str) -> None:
        """Write a file whole or not at all."""
        target = self.path / name
        try:
            write_whole(target, text.encode())
        except OSError as error:
            raise _unwritable(target, error) from error

    def write_summary(self, summary: Mapping[str, Any]) -> None:
        """Write `run.json`."""
        self.write_text(SUMMARY, to_json(summary, indent=2) + "\n")

    def write_champion(self, champion: Champion) -> None:
        """Write `champion.npz`."""
        try:
            champion.save(self.path / CHAMPION)
        except OSError as error:
            raise _unwritable(self.path / CHAMPION, error) from error

    def append(self, journal: str, entry: Mapping[str, Any]) -> None:
        """Add a line to a journal."""
        try:
            self._journals[journal].write(to_json(entry) + "\n")
            self._journals[journal].flush()
        except OSError as error:
            raise _unwritable(self.path / journal_name(journal), error) from error

    def close(self) -> None:
        """Close the journals."""
        for file in self._journals.values():
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def default_path(name: str, seed: int) -> Path:
    """`runs/<name>-<UTC time>-seed<seed>`, with what a file name may not hold replaced."""
    safe = "".join(c if c.isalnum() or c in "._-" else "_" for c in name)
    safe = safe.encode()[:_LONGEST_NAME].decode(errors="ignore")
    return Path("runs") / f"{safe}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-seed{seed}"


def to_json(value: Any, indent: int | None = None) -> str:
    """JSON of plain data and NumPy numbers; what is not finite is null, for JSON knows no such number."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def _unwritable(path: Path, error: OSError) -> RunDirectoryError:
    return RunDirectoryError(f"{path}: cannot be written: {error.strerror or error}")
