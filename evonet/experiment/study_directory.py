"""A study's files: its config, its summary, a directory for each run, and a lock."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evonet.errors import ConfigError, RunInUse
from evonet.experiment.config import Config, completed
from evonet.experiment.differences import as_written, differences
from evonet.experiment.document import Document, to_yaml
from evonet.experiment.run_directory import CONFIG, LOCK, SUMMARY, journal_name, safe_name, unwritable
from evonet.machine import lock, write_whole

STUDY = "study.json"


def default_study_path(name: str) -> Path:
    """`runs/<name>-study`: the same for the same config, so that the same command goes on with the same study."""
    return Path("runs") / f"{safe_name(name)}-study"


def run_directory(path: Path, seed: int) -> Path:
    """Where the run with `seed` is, in the study at `path`."""
    return path / f"seed-{seed}"


def finished(path: Path, seed: int) -> dict[str, Any] | None:
    """The summary of a seed's run, None if it has not come to its end.

    Raises:
        ConfigError: there is one that cannot be read.
    """
    file = run_directory(path, seed) / SUMMARY
    if not file.is_file():
        return None
    try:
        summary = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from error
    if not isinstance(summary, dict) or summary.get("seed") != seed:
        raise ConfigError(f"{file}: cannot be read: it is no summary of a run with seed {seed}")
    return summary


@contextlib.contextmanager
def taken(path: Path, config: Config) -> Iterator[None]:
    """Within it, `path` is the directory of a study of `config`, and this process is the only one that runs it.

    Raises:
        ConfigError: it holds a study of another config, or a run.
        RunInUse: another process runs it.
        RunDirectoryError: it cannot be written.
    """
    if (path / journal_name("metrics")).exists():
        raise ConfigError(f"{path} holds a run, not a study; choose another --output")
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = lock(path / LOCK)
    except BlockingIOError as error:
        raise RunInUse(f"{path} is in use: another process is running the study") from error
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        _agree(path / CONFIG, config)
        yield
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all.

    Raises:
        RunDirectoryError: it cannot be written.
    """
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise unwritable(path, error) from error


def _agree(file: Path, config: Config) -> None:
    """Write the study's config, or see that it is there already."""
    resolved = config.resolved
    resolved["evaluation"]["workers"] = "auto"  # as many processes as the run's share of the processors
    if not file.exists():
        write_text(file, to_yaml(resolved))
        return
    there = Document.read(str(file)).data
    with contextlib.suppress(ConfigError):  # then the differences tell
        there = completed(there)
    differ = differences([there, resolved], besides=("seed",))
    if differ:
        lines = [
            f"  {key}: {as_written(theirs)} there, {as_written(ours)} here" for key, (theirs, ours) in differ.items()
        ]
        raise ConfigError(
            f"{file.parent} holds a study of another config; choose another --output. What differs:\n"
            + "\n".join(lines)
        )
