"""The directory of a study: its config, its summary, a directory for each run, and a lock."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from evonet.errors import ConfigError, RunDirectoryError, RunInUse
from evonet.experiment.config.config import Config, with_defaults
from evonet.experiment.config.differences import as_written, differences
from evonet.experiment.config.document import Document, to_yaml
from evonet.experiment.run_files.run_directory import (
    CONFIG,
    LOCK,
    REPORT,
    RUNS,
    SUMMARY,
    journal_name,
    refusing_special_files,
    safe_name,
    unwritable,
)
from evonet.experiment.run_files.run_finder import seed_directory
from evonet.experiment.run_files.summaries import LONGEST_STUDY, STUDY, read_run_summary
from evonet.files.directory import Directory, name_of_temporary

_FOLDER = re.compile(r"\.?seed-\d+(\.arriving)?")


def default_study_path(name: str) -> Path:
    """The default directory, `runs/<name>-study`; it depends on the name only, so that the same command resumes it."""
    return RUNS / f"{safe_name(name)}-study"


def finished_summary(path: Path, seed: int) -> dict[str, Any] | None:
    """The summary of a seed's run, None if the run is not finished.

    Raises:
        ConfigError: the summary cannot be read.
    """
    path = seed_directory(path, seed) / SUMMARY
    if not path.exists():
        return None
    summary = read_run_summary(path.parent)
    if summary["seed"] != seed:
        raise ConfigError(f"{path}: not the summary of a run with seed {seed}: its seed is {summary['seed']}")
    return dict(summary)


@contextlib.contextmanager
def open_study(path: Path, config: Config, say: Callable[[str], None]) -> Iterator[Directory]:
    """Open and lock the directory of a study of `config`.

    Args:
        path: the path of the directory, which is made if it is missing.
        config: the config of the study.
        say: called with a warning if the file system has no locks.

    Raises:
        ConfigError: the directory holds a run or a study of another config, or one of its files is a link or a pipe.
        RunInUse: another process is running the study.
        RunDirectoryError: the directory cannot be written.
    """
    if (path / journal_name("metrics")).exists():
        raise ConfigError(f"{path} holds a run, not a study; choose another --output")
    with contextlib.ExitStack() as stack:
        try:
            directory = stack.enter_context(Directory(path, create=True))
            with refusing_special_files():
                directory.check(_is_file_of_a_study, lambda name: _FOLDER.fullmatch(name) is not None)
            lock = directory.lock(LOCK)
        except BlockingIOError as error:
            raise RunInUse(f"{path} is in use: another process is running the study") from error
        except OSError as error:
            raise unwritable(path, error) from error
        stack.callback(lock.release)
        if not lock.held:
            say(f"warning: the file system of {path} has no locks: do not run it in another process")
        _write_or_compare_config(directory, config)
        yield directory


def write_text(directory: Directory, name: str, text: str) -> None:
    """Write a file of a study atomically.

    Raises:
        RunDirectoryError: the file cannot be written, or is too long.
    """
    content = text.encode()
    if name == STUDY and len(content) > LONGEST_STUDY:
        raise RunDirectoryError(f"{directory.path / name} may have at most {LONGEST_STUDY} bytes, got {len(content)}")
    try:
        directory.write(name, content)
    except OSError as error:
        raise unwritable(directory.path / name, error) from error


def _is_file_of_a_study(name: str) -> bool:
    return (name_of_temporary(name) or name) in {CONFIG, STUDY, LOCK, REPORT}


def _write_or_compare_config(directory: Directory, config: Config) -> None:
    """Write the study's config, or refuse a config that differs from the one in the directory."""
    resolved, file = config.resolved, directory.path / CONFIG
    resolved["evaluation"]["workers"] = "auto"  # each run has a share of the processors
    if not directory.has(CONFIG):
        write_text(directory, CONFIG, to_yaml(resolved))
        return
    stored = Document.read(str(file), follow_links=False).data
    with contextlib.suppress(ConfigError):  # the differences below report an invalid config
        stored = with_defaults(stored, config.allowed_imports)
    differ = differences([stored, resolved], ignored=("seed",))
    if differ:
        lines = [f"  {key}: {as_written(old)} there, {as_written(new)} here" for key, (old, new) in differ.items()]
        raise ConfigError(
            f"{file.parent} holds a study of another config; choose another --output. What differs:\n"
            + "\n".join(lines)
        )
