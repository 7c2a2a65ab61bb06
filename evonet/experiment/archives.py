"""The archives that a config names: the algorithm's, and a passive one beside any algorithm."""

from __future__ import annotations

from typing import Any

from evonet.archives.archive import Archive
from evonet.experiment.config import Config
from evonet.settings import did_you_mean
from evonet.types import RETURN


def build_archive(config: Config) -> Archive | None:
    """The passive archive of a config, which records what its algorithm finds; None if it names none.

    Raises:
        ConfigError: the archive is over a measure that the config does not have.
    """
    section = config.settings.archive
    if section is None:
        return None
    archive: Archive = section.build()
    check_measures(config, archive, ("archive",))
    return archive


def check_measures(config: Config, archive: Archive, path: tuple[str, ...]) -> None:
    """Refuse an archive over measures that the config does not have.

    Args:
        config: the config.
        archive: the archive.
        path: its place in the config.

    Raises:
        ConfigError: a measure is missing.
    """
    known = [*config.settings.measures, RETURN]
    missing = next((name for name in archive.measure_names if name not in known), None)
    if missing is not None:
        rule = f"{'.'.join(path)} must be of measures in the config, or of 'return', got {missing!r}"
        raise config.error(path, f"{rule}; {did_you_mean(missing, known)}")


def archive_summary(archive: Archive) -> dict[str, Any]:
    """The archive's figures, as in `run.json`; the QD score counts from `offset`."""
    best = archive.best
    cells = archive.num_cells
    return {
        "measures": list(archive.measure_names),
        "elites": len(archive),
        "cells": cells,
        "coverage": None if cells is None else archive.coverage,
        "qd_score": archive.qd_score(),
        "offset": archive.offset,
        "best": None if best is None else best.fitness,
        "mean": None if best is None else archive.mean,
    }
