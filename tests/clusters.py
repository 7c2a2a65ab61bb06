"""Dask clusters for tests: a scheduler and workers in processes of their own, which can be found and killed."""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from evonet.cluster.connection import connected

distributed = pytest.importorskip("distributed")

ROOT = Path(__file__).parents[1]
QUIET = {"DASK_LOGGING__DISTRIBUTED": "critical", "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False"}


class DaskProcesses:
    """A scheduler on the loopback interface, and so many workers of one thread; a context manager that ends them."""

    def __init__(self, workers=2, environment=None):
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **QUIET, **(environment or {})}
        self._folder = tempfile.TemporaryDirectory()
        self.file = Path(self._folder.name) / "scheduler.json"
        self.workers = []
        self.scheduler = self._start("dask_scheduler", "--port", "0", "--no-dashboard")
        for _ in range(workers):
            self.add_worker()

    def _start(self, module, *options):
        # Not `-m`: the main module would be imported once more by each process that a worker starts.
        program = f"from distributed.cli.{module} import main; main()"
        command = [sys.executable, "-c", program, "--host", "127.0.0.1", *options]
        return subprocess.Popen(
            [*command, "--scheduler-file", str(self.file)],
            cwd=self._folder.name,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def add_worker(self):
        """Start one more; returns its process id."""
        self.workers.append(self._start("dask_worker", "--nthreads", "1", "--no-nanny", "--no-dashboard"))
        return self.workers[-1].pid

    @property
    def address(self):
        """Of the scheduler, once it has one."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):  # not there, or half written
                return json.loads(self.file.read_text())["address"]
            time.sleep(0.01)
        raise TimeoutError("the scheduler has not written its file")

    def connected(self, patience=60.0, workers=None):
        """The cluster, as evonet reaches it, when all workers are there."""
        return _Ready(self.address, patience, len(self.workers) if workers is None else workers)

    def children(self):
        """Ids of the processes that the workers have started."""
        return {child.pid for worker in self.workers if worker.poll() is None for child in _children(worker.pid)}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()
        self._folder.cleanup()


class _Ready:
    def __init__(self, address, patience, workers):
        self._connection, self._workers = connected(address, patience), workers

    def __enter__(self):
        cluster = self._connection.__enter__()
        if self._workers:
            cluster.client.wait_for_workers(self._workers, 60)
        return cluster

    def __exit__(self, *error):
        return self._connection.__exit__(*error)


def _children(pid):
    try:
        found = psutil.Process(pid).children(recursive=True)
        return [child for child in found if "spawn_main" in " ".join(child.cmdline())]  # not multiprocessing's tracker
    except psutil.Error:
        return []
