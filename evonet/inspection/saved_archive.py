"""The archive in the files of a run, with its elites on held-out episodes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evonet.archives import ARCHIVES
from evonet.archives.archive import Archive
from evonet.archives.cells import CellArchive
from evonet.elite_validation import HeldOutResults
from evonet.experiment.archives import FORMAT, LIMITS
from evonet.experiment.run_files.run_directory import ARCHIVE
from evonet.files.archive import read_state
from evonet.files.directory import reading_below
from evonet.lazy import LazyRegistry


def archive_in(settings: Mapping[str, Any], evolution: Mapping[str, Any]) -> Archive | None:
    """The archive in the state of an evolution: the passive one of the config, or the algorithm's; None without one.

    Args:
        settings: the config.
        evolution: the state of the evolution.

    Raises:
        KeyError, TypeError, ValueError: the state does not have the archive of the config.
    """
    if archive_settings(settings) is None:
        return None
    state = evolution["archive"] if settings.get("archive") else evolution["algorithm"]["archive"]
    return _restored(settings, state)


def validated_archive(settings: Mapping[str, Any], run: Path) -> tuple[Archive, HeldOutResults]:
    """The archive in the file `archive.npz` of a run directory, and its elites on held-out episodes.

    Raises:
        ConfigError: the file cannot be read.
        KeyError, TypeError, ValueError: the file has no such archive.
    """
    with reading_below(run / ARCHIVE) as file:
        content = read_state(file, FORMAT, LIMITS)
    archive = _restored(settings, content["archive"])
    n = len(archive)
    fitness = np.array(content["fitness"], dtype=np.float64).reshape(n)
    measures = np.array(content["measures"], dtype=np.float64).reshape(n, len(archive.measure_names))
    return archive, HeldOutResults(fitness, measures, int(content["episodes"]))


def archive_settings(settings: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The settings of the passive archive, or of the algorithm's."""
    algorithm = settings.get("algorithm")
    own = algorithm.get("archive") if isinstance(algorithm, Mapping) else None
    section = settings.get("archive") or own
    return section if isinstance(section, Mapping) else None


def _restored(settings: Mapping[str, Any], state: Mapping[str, Any]) -> Archive:
    section, kinds = archive_settings(settings) or {}, LazyRegistry(ARCHIVES)
    kind = section.get("type")
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"the config has no known type of archive: {kind!r}")
    archive: Archive = kinds[kind](**{name: value for name, value in section.items() if name != "type"})
    if isinstance(archive, CellArchive) and "thresholds" not in state:
        archive = archive.elitist_copy()
    archive.restore(state)
    return archive
