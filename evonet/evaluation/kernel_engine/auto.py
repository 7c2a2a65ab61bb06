"""Begins in NumPy, which is there at once, and goes on compiled when there is enough to do."""

from __future__ import annotations

import importlib.util
import sys
import time

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.kernel_engine.numba_engine import NumbaEngine
from evonet.evaluation.kernel_engine.numpy_engine import NumpyEngine
from evonet.evaluation.results import EpisodeResults
from evonet.evaluation.task import Task
from evonet.types import FloatArray, IntArray

PATIENCE = 1.0
"""Seconds in NumPy after which Numba's import and loading are worth their time."""


class KernelEngine:
    """Runs a kernel in NumPy first, and compiled by Numba as soon as that pays; the bits are the same.

    Numba pays at once if the process has imported it, else after `patience` seconds of work in NumPy, for who has
    worked so long will probably go on. Where Numba is not installed, NumPy stays.

    Args:
        task: what an episode is; `kernel_for` must know its environment.
        threads: of the compiled engine; by default one for each core that this process may use.
        patience: seconds of work in NumPy before Numba is imported.

    Raises:
        ValueError: no kernel stands in for the task's environment.
    """

    def __init__(self, task: Task, threads: int | None = None, patience: float = PATIENCE) -> None:
        self._task = task
        self._threads = threads
        self._patience = patience
        self._engine: NumpyEngine | NumbaEngine = NumpyEngine(task)
        self._names: list[str] = []
        self._seconds = 0.0

    @property
    def name(self) -> str:
        """What has run so far: "numpy", "numba" or "numpy+numba"."""
        return "+".join(self._names) or self._engine.name

    def run(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> EpisodeResults:
        """Flat results of the episodes; see `evonet.evaluation.task.Engine`."""
        if isinstance(self._engine, NumpyEngine) and self._numba_pays():
            self._engine.close()
            self._engine = NumbaEngine(self._task, self._threads)
        if self._engine.name not in self._names:
            self._names.append(self._engine.name)
        start = time.perf_counter()
        results = self._engine.run(genomes, individuals, seeds, normaliser)
        self._seconds += time.perf_counter() - start
        return results

    def _numba_pays(self) -> bool:
        if "numba" in sys.modules:
            return True
        return self._seconds >= self._patience and importlib.util.find_spec("numba") is not None

    def close(self) -> None:
        """Give back what was opened."""
        self._engine.close()
