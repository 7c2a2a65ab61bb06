"""The runs of a study on a Dask cluster.

The machines of a cluster need no shared file system: a run writes to a temporary folder on its worker's machine, and
its files are sent back when the run ends. A run whose Dask worker dies is started again on another worker.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evonet.cluster.calls import Tasks
from evonet.cluster.executor import Cluster
from evonet.experiment.config.bounded_yaml import LONGEST_CONFIG
from evonet.experiment.run_files.run_directory import CONFIG, LOCK, SUMMARY, to_json, unwritable
from evonet.experiment.run_files.run_finder import seed_directory
from evonet.experiment.seed_run import Outcome, run_seed
from evonet.files.bounded import read_text
from evonet.files.directory import reading_below, write_atomically
from evonet.processes.cores import cores
from evonet.processes.worker import CallFailed, Worker
from evonet.processes.worker_cache import cached


@dataclass(frozen=True)
class RunSpec:
    """The arguments of a run on a Dask worker.

    Attributes:
        seed: the seed of the run.
        config: the text of the study's config.
        allowed_imports: modules that the config may import.
    """

    seed: int
    config: str
    allowed_imports: Sequence[str]


@dataclass(frozen=True)
class RemoteRun:
    """The result of a run on a Dask worker.

    Attributes:
        outcome: the run's outcome; its summary has the path of the run directory on the worker's machine.
        files: the content of the files in the run directory, by name; empty if the run failed.
    """

    outcome: Outcome
    files: Mapping[str, bytes]

    def save_to(self, path: Path) -> Outcome:
        """Write all files or none to the run directory `path`; returns the outcome with that path.

        Raises:
            RunDirectoryError: a file cannot be written.
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
                shutil.rmtree(path)  # an earlier, stopped run of this seed
            os.replace(arriving, path)  # noqa: PTH105 - tests replace functions of `os` to fail writes
        except OSError as error:
            raise unwritable(path, error) from error
        return Outcome(self.outcome.seed, summary)


def run_on_cluster(
    cluster: Cluster, seeds: Sequence[int], path: Path, allowed_imports: Sequence[str]
) -> Generator[Outcome]:
    """Run seeds of the study at `path`, and yield each outcome when its run ends.

    Raises:
        ClusterUnavailable: the scheduler does not answer, or has no workers.
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
            yield remote.save_to(seed_directory(path, seed))


def run_remotely(session: str, spec: RunSpec) -> RemoteRun:
    """Run a seed in a process of evonet's own, which this thread of a Dask worker caches."""
    try:
        with cached(session, lambda: Worker(_share())) as worker:
            remote: RemoteRun = worker.call(run_in_a_folder, (spec,))
    except CallFailed as error:
        return RemoteRun(Outcome(spec.seed, None, str(error)), {})
    return remote


def run_in_a_folder(spec: RunSpec) -> RemoteRun:
    """Run a seed in a temporary folder, in the current process."""
    with tempfile.TemporaryDirectory(prefix="evonet-") as folder:
        study_path = Path(folder)
        (study_path / CONFIG).write_text(spec.config, encoding="utf-8")
        outcome = run_seed(spec.seed, str(study_path), spec.allowed_imports)
        path = seed_directory(study_path, spec.seed)
        files = [file for file in sorted(path.rglob("*")) if file.is_file() and file.name != LOCK]
        finished = outcome.summary is not None
        return RemoteRun(outcome, {str(file.relative_to(path)): file.read_bytes() for file in files if finished})


def _share() -> int:
    """The number of processors for each thread of this Dask worker."""
    from distributed import get_worker

    try:
        threads = get_worker().state.nthreads
    except (AttributeError, ValueError):
        threads = cores()
    return max(1, cores() // threads)
