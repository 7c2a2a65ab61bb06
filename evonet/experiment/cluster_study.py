"""The runs of a study on a Dask cluster: each runs in a folder of its worker's, and its files come back when it ends.

So a cluster needs no file system that its machines share. A run whose Dask worker dies begins again elsewhere.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonet.cluster.executor import Cluster
from evonet.cluster.tasks import Tasks
from evonet.experiment.bounded_yaml import LONGEST_CONFIG
from evonet.experiment.run_directory import CONFIG, LOCK, SUMMARY, to_json, unwritable
from evonet.experiment.seed_run import Outcome, run_seed
from evonet.experiment.study_directory import run_directory
from evonet.files.bounded import read_text
from evonet.files.directory import reading_below, write_atomically
from evonet.processes.cache import cached
from evonet.processes.cores import cores
from evonet.processes.worker import CallFailed, Worker


@dataclass(frozen=True)
class RunSpec:
    """A run for a worker elsewhere.

    Attributes:
        seed: of the run.
        config: the study's, as a file holds it.
        allowed_imports: modules that the config may import.
    """

    seed: int
    config: str
    allowed_imports: Sequence[str]


@dataclass(frozen=True)
class RemoteRun:
    """What became of a run elsewhere.

    Attributes:
        outcome: of the run, with the directory that it had there.
        files: of the run directory, by their names in it; empty if the run failed.
    """

    outcome: Outcome
    files: Mapping[str, bytes]

    def save_to(self, path: Path) -> Outcome:
        """Write the files into the run directory `path`, all of them or none; returns the outcome with that directory.

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


def run_on_cluster(
    cluster: Cluster, seeds: Sequence[int], path: Path, allowed_imports: Sequence[str]
) -> Generator[Outcome]:
    """Run seeds of the study at `path`; yields each outcome as soon as it is known.

    Raises:
        ClusterUnavailable: there is no scheduler that answers, or there are no workers.
        WorkersUnavailable: the workers have other versions than this process.
        RunDirectoryError: a run's files cannot be written.
    """
    if not seeds:
        return
    with reading_below(path / CONFIG) as file:
        config = read_text(file, LONGEST_CONFIG)
    with contextlib.closing(Tasks(cluster)) as tasks:
        for seed in seeds:
            tasks.submit(seed, run_remotely, tasks.session.id, RunSpec(seed, config, tuple(allowed_imports)))
        for _ in seeds:
            seed, remote = tasks.next_done()
            yield remote.save_to(run_directory(path, seed))


def run_remotely(session: str, spec: RunSpec) -> RemoteRun:
    """Run a seed in a worker process that this thread of a Dask worker keeps."""
    try:
        with cached(session, lambda: Worker(_share())) as worker:
            remote: RemoteRun = worker.call(run_in_a_folder, (spec,))
    except CallFailed as error:
        return RemoteRun(Outcome(spec.seed, None, str(error)), {})
    return remote


def run_in_a_folder(spec: RunSpec) -> RemoteRun:
    """Run a seed in a temporary folder of this machine, in the process that calls."""
    with tempfile.TemporaryDirectory(prefix="evonet-") as folder:
        study_path = Path(folder)
        (study_path / CONFIG).write_text(spec.config, encoding="utf-8")
        outcome = run_seed(spec.seed, str(study_path), spec.allowed_imports)
        path = run_directory(study_path, spec.seed)
        files = [file for file in sorted(path.rglob("*")) if file.is_file() and file.name != LOCK]
        whole = outcome.summary is not None
        return RemoteRun(outcome, {str(file.relative_to(path)): file.read_bytes() for file in files} if whole else {})


def _share() -> int:
    """Processors of this machine for one thread of the Dask worker that calls."""
    from distributed import get_worker

    try:
        threads = get_worker().state.nthreads
    except (AttributeError, ValueError):
        threads = cores()
    return max(1, cores() // threads)
