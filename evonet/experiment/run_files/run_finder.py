"""Runs and studies in a folder, and the name `last` for the newest of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from evonet.errors import ConfigError
from evonet.experiment.run_files.run_directory import CONFIG, RUNS, journal_name
from evonet.experiment.run_files.summaries import STUDY
from evonet.shell import command

LAST = "last"
"""The name of the run or study in `runs` that was started or resumed last; a path `last` that exists comes first."""

_SEED_DIRECTORY = re.compile(r"seed-(\d{1,18})")
_DEPTH = 2  # levels of folders below the one that is searched; `study --vary` puts its studies into a folder of theirs


def resolve_last(path: str | Path, *, studies: bool = True) -> Path:
    """The path of a run or study; `last` becomes the path of the newest one in `runs`, below the working directory.

    Args:
        path: a path, which is returned unchanged, or `last`.
        studies: whether `last` may be a study.

    Raises:
        ConfigError: `path` is `last`, and there is no run.
    """
    if str(path) != LAST or os.path.lexists(path):
        return Path(path)
    known = [each for each in directories_in(RUNS) if studies or not is_study(each)]
    if not known:
        raise ConfigError(
            f"{LAST!r} is the newest run in the folder {RUNS}, which has no run; start one with: "
            + command("evonet", "run", "cartpole")
        )
    return known[-1]


def directories_in(folder: Path) -> list[Path]:
    """The runs and studies in a folder and in its subfolders, without the runs of studies, the newest last."""
    return sorted(_below(folder, _DEPTH), key=lambda path: (start_time(path), path))


def start_time(path: Path) -> float:
    """The time at which a run or study was started or resumed, in seconds since 1970; 0 if that is unknown."""
    try:
        return (path / CONFIG).lstat().st_mtime
    except OSError:
        return 0.0


def is_run(path: Path) -> bool:
    """Whether a directory is that of a run."""
    return (path / CONFIG).exists() and (path / journal_name("metrics")).exists()


def is_study(path: Path) -> bool:
    """Whether a directory is that of a study."""
    if not (path / CONFIG).exists() or (path / journal_name("metrics")).exists():
        return False
    return (path / STUDY).exists() or bool(seeds_in(path))


def seed_directory(study: Path, seed: int) -> Path:
    """The run directory of `seed` in the study at `study`."""
    return study / f"seed-{seed}"


def seeds_in(study: Path) -> list[int]:
    """The seeds of which a study has run directories, ascending."""
    matches = [_SEED_DIRECTORY.fullmatch(entry.name) for entry in _entries(study)]
    return sorted(int(match[1]) for match in matches if match is not None)


def require_run(path: Path) -> None:
    """Refuse the directory of a study where a run is wanted.

    Raises:
        ConfigError: the directory is that of a study.
    """
    if is_study(path):
        seeds = seeds_in(path)
        named = f", such as {seed_directory(path, seeds[0])}" if seeds else ""
        raise ConfigError(f"{path} is a study, not a run; name one of its runs{named}")


def _below(folder: Path, depth: int) -> Iterator[Path]:
    for entry in _entries(folder):
        path = Path(entry.path)
        if is_run(path) or is_study(path):
            yield path
        elif depth > 1:
            yield from _below(path, depth - 1)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """The directories in a folder, without links; none if the folder cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
