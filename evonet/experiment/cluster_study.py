"""The runs of a study on a Dask cluster: each runs in a folder of its worker's, and its files come back when it ends.

So a cluster needs no file system that its machines share. A run whose worker dies begins again elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonet.cluster import guests
from evonet.cluster.executor import Cluster
from evonet.cluster.tasks import Refusal, Tasks, refusal
from evonet.experiment.bounded_yaml import LONGEST_CONFIG
from evonet.experiment.processes import Process, ProcessDied
from evonet.experiment.run_directory import CONFIG, LOCK, SUMMARY, to_json, unwritable
from evonet.experiment.study import Outcome, run_seed
from evonet.experiment.study_directory import run_directory
from evonet.files.bounded import read_text
from evonet.files.directory import reading_below, write_atomically
from evonet.processes.cores import cores
from evonet.versions import identity


@dataclass(frozen=True)
class Order:
    """What all runs of a study have in common.

    Attributes:
        owner: whom a worker keeps the process of its runs for.
        config: the study's, as a file holds it.
        allowed_imports: modules that it may import.
        versions: that the results are to rest on.
    """

    owner: str
    config: str
    allowed_imports: Sequence[str]
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Away:
    """What became of a run elsewhere.

    Attributes:
        outcome: as the study wants it, but for the run's place.
        files: of the run directory, by their names in it; empty if the run failed.
    """

    outcome: Outcome
    files: Mapping[str, bytes]

    def brought_to(self, path: Path) -> Outcome:
        """The outcome, once the files are in the run directory `path`: all of them or none.

        Raises:
            RunDirectoryError: they cannot be written.
        """
        if self.outcome.summary is None:
            return self.outcome
        summary = {**self.outcome.summary, "run_directory": str(path)}
        files = {**self.files, SUMMARY: (to_json(summary, indent=2) + "\n").encode()}
        arriving = path.with_name(f".{path.name}.arriving")
        try:
            shutil.rmtree(arriving, ignore_errors=True)
            for name, content in files.items():
                (arriving / name).parent.mkdir(parents=True, exist_ok=True)
                write_atomically(arriving / name, content)
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(path)  # of a run that was stopped: this is the same, and it is whole
            os.replace(arriving, path)  # noqa: PTH105 - all that touches the disk goes through `os`, where it can be seen
        except OSError as error:
            raise unwritable(path, error) from error
        return Outcome(self.outcome.seed, summary)


def runs_on(cluster: Cluster, seeds: Sequence[int], path: Path, allowed_imports: Sequence[str]) -> Generator[Outcome]:
    """What becomes of each seed of the study at `path`, as soon as it is known.

    Raises:
        ClusterUnavailable: there is no scheduler that answers, or there are no workers.
        WorkersUnavailable: the workers rest on other versions than this process.
        RunDirectoryError: a run's files cannot be written.
    """
    with reading_below(path / CONFIG) as file:
        text = read_text(file, LONGEST_CONFIG)
    order = Order(uuid.uuid4().hex, text, tuple(allowed_imports), identity())
    with contextlib.closing(Tasks(cluster, order.owner)) as tasks:
        for seed in seeds:
            tasks.submit(seed, run_away, order, seed)
        for _ in seeds:
            seed, away = tasks.next_done()
            yield away.brought_to(run_directory(path, seed))


def run_away(order: Order, seed: int) -> Away | Refusal:
    """Run one seed in a process that this thread of a Dask worker keeps."""
    refused = refusal(order.versions)
    if refused is not None:
        return refused
    try:
        with guests.kept(order.owner, lambda: Process(_share())) as process:
            away: Away = process.call(run_in_a_folder, (seed, order.config, order.allowed_imports))
    except ProcessDied as error:
        return Away(Outcome(seed, None, str(error)), {})
    return away


def run_in_a_folder(seed: int, config: str, allowed_imports: Sequence[str]) -> Away:
    """Run one seed in a temporary folder of this machine; in the process that calls."""
    with tempfile.TemporaryDirectory(prefix="evonet-") as folder:
        study_path = Path(folder)
        (study_path / CONFIG).write_text(config, encoding="utf-8")
        outcome = run_seed(seed, str(study_path), allowed_imports)
        path = run_directory(study_path, seed)
        files = [file for file in sorted(path.rglob("*")) if file.is_file() and file.name != LOCK]
        whole = outcome.summary is not None
        return Away(outcome, {str(file.relative_to(path)): file.read_bytes() for file in files} if whole else {})


def _share() -> int:
    """Processors of this machine for one thread of the Dask worker that calls."""
    from distributed import get_worker

    try:
        threads = get_worker().state.nthreads
    except (AttributeError, ValueError):
        threads = cores()
    return max(1, cores() // threads)
