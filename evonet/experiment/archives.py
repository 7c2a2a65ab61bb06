"""The archives of a run, the algorithm's or a passive one, in its config, its files and its summary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evonet.elite_validation import HeldOutResults
from evonet.files.archive import ArchiveLimits, pack_state
from evonet.settings import did_you_mean
from evonet.types import RETURN

if TYPE_CHECKING:
    from evonet.archives.archive import Archive
    from evonet.experiment.config.config import (
        Config,  # its import takes a while, and whoever reads an archive needs none
    )

FORMAT = "evonet archive 1"
LIMITS = ArchiveLimits(file=4 << 30, header=1 << 20)


def build_archive(config: Config) -> Archive | None:
    """The passive archive of a config, which records what its algorithm finds; None if it names none.

    Raises:
        ConfigError: the archive is over a measure that the config does not have.
    """
    section = config.settings.archive
    if section is None:
        return None
    archive: Archive = section.build()
    refuse_other_weights(config)
    check_measures(config, archive, ("archive",))
    return archive


def refuse_other_weights(config: Config) -> None:
    """Refuse weights by which an archive would compare what cannot be compared: it keeps fitness for the whole run.

    Raises:
        ConfigError: a weight of the fitness follows a schedule, or the validation has weights of its own.
    """
    settings = config.settings
    for name, weight in settings.fitness.weights.items():
        if not isinstance(weight, int | float):
            rule = f"fitness.weights.{name} must be a number where an archive keeps fitness for the whole run"
            raise config.error(("fitness", "weights", name), f"{rule}, got a schedule")
    if settings.validation.weights is not None:
        rule = "validation.weights must be left out where an archive's elites are scored on held-out episodes too"
        raise config.error(("validation", "weights"), rule)


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


def packed_archive(archive: Archive, held_out: HeldOutResults) -> bytes:
    """The bytes of `archive.npz`: the archive's state, and its elites on held-out episodes."""
    content: Mapping[str, Any] = {
        "archive": archive.state(),
        "fitness": held_out.fitness,
        "measures": held_out.measures,
        "episodes": held_out.episodes,
    }
    return pack_state(FORMAT, content, LIMITS)


def archive_summary(archive: Archive, held_out: HeldOutResults | None = None) -> dict[str, Any]:
    """The archive's metrics, as in `run.json`; QD scores count from `offset`, the corrected one too."""
    metrics = {
        "measures": list(archive.measure_names),
        "cells": archive.num_cells,
        "offset": archive.offset,
        **_metrics(archive, archive.offset),
    }
    if held_out is None:
        return metrics
    corrected = {"episodes": held_out.episodes, **_metrics(held_out.corrected(archive), archive.offset)}
    return metrics | {"corrected": corrected, "moved": held_out.movement(archive)}


def _metrics(archive: Archive, offset: float) -> dict[str, Any]:
    best = archive.best
    return {
        "elites": len(archive),
        "coverage": None if archive.num_cells is None else archive.coverage,
        "qd_score": archive.qd_score(offset),
        "best": None if best is None else best.fitness,
        "mean": None if best is None else archive.mean,
    }
