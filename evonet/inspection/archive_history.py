"""How the archive of a run filled: what its cells held at some generations."""

from __future__ import annotations

import os

from evonet.experiment.run_files.archive_snapshots import ArchiveSnapshot, snapshot_from
from evonet.experiment.run_files.run_directory import journal_name
from evonet.files.bounded import read_some_lines
from evonet.files.directory import reading_below
from evonet.inspection.loaded_run import LoadedRun

_JOURNAL = "archive"


def archive_snapshots(run: LoadedRun, most: int) -> list[ArchiveSnapshot]:
    """At most `most` of the snapshots that were written, evenly spread over them; none for a run without an archive.

    Raises:
        ConfigError: a file of the run cannot be read, or has no snapshots of the run's archive.
    """
    name, archive = journal_name(_JOURNAL), run.archive
    if archive is None or not archive.num_cells or not os.path.lexists(run.path / name):
        return []
    cells = archive.num_cells
    with reading_below(run.path / name) as file:
        lines = read_some_lines(file, lambda fields: fields, _JOURNAL, most, torn_end=not run.finished)
    with reading_below(run.path / journal_name("arrays")) as arrays:
        return run.read(name, lambda: [snapshot_from(line, cells, arrays) for line in lines])
