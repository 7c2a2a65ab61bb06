"""One seed of a study, which is an ordinary run in the study's directory."""

from __future__ import annotations

import shutil
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonet.errors import CheckpointError, EvonetError
from evonet.experiment.config.config import Config
from evonet.experiment.run_files.run_directory import CONFIG
from evonet.experiment.run_files.run_finder import seed_directory
from evonet.experiment.runner import resume, run
from evonet.foreign import ANY_ERROR, INTERRUPTS, described


@dataclass(frozen=True)
class Outcome:
    """The result of a seed's run.

    Attributes:
        seed: the seed of the run.
        summary: the summary of the run, None if the run failed.
        error: the reason why the run failed; empty if it did not.
        traceback: the traceback of an unexpected error; otherwise empty.
    """

    seed: int
    summary: dict[str, Any] | None
    error: str = ""
    traceback: str = ""


def run_seed(seed: int, study_path: str, allow_imports: Sequence[str]) -> Outcome:
    """Run one seed of the study at `study_path` in the current process, or resume its stopped run."""
    try:
        summary = _run_or_resume(seed, Path(study_path), allow_imports)
    except EvonetError as error:
        return Outcome(seed, None, str(error))
    except INTERRUPTS:
        raise
    except ANY_ERROR as error:  # the other runs of the study continue
        return Outcome(seed, None, described(error), traceback.format_exc())
    return Outcome(seed, summary)


def _run_or_resume(seed: int, study_path: Path, allow_imports: Sequence[str]) -> dict[str, Any]:
    """Run a seed to its end, from its last checkpoint if it has one; returns its summary."""
    path = seed_directory(study_path, seed)
    if (path / CONFIG).exists():
        try:
            return resume(path, allow_imports=allow_imports, remember_imports=False)
        except CheckpointError:  # a new run has the same results
            shutil.rmtree(path)
    config = Config.load(str(study_path / CONFIG), (f"seed={seed}",), allow_imports, follow_links=False)
    return run(config, path, check=False, remember_imports=False)  # the study has done both
