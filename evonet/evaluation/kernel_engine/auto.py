"""Begins in NumPy, which is there at once, and goes on compiled when there is enough to do."""

from __future__ import annotations

import importlib.util
import time
from collections import defaultdict

from evonet.environments.normaliser import ObservationNormaliser
from evonet.evaluation.kernel_engine.numba_engine import NumbaEngine
from evonet.evaluation.kernel_engine.numpy_engine import NumpyEngine
from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import FloatArray, IntArray

PATIENCE = 1.0
"""Seconds in NumPy after which Numba's import, and compiling or loading, are worth their time."""

_worked: defaultdict[str, float] = defaultdict(float)
"""Seconds that this process has worked in NumPy on each task, in whatever engine."""


class KernelEngine:
    """Runs a kernel in NumPy first, and compiled by Numba as soon as that pays; the bits are the same.

    Numba pays after `patience` seconds of work in NumPy, for who has worked so long will probably go on. All engines of
    a process for the same task share that time: fifty short runs of a study are a long one, and an engine made after
    the change begins compiled. Where Numba is not installed, NumPy stays.

    Args:
        task: what an episode is; `kernel_for` must know its environment.
        threads: of the compiled engine; by default one for each core that this process may use.
        patience: seconds of work in NumPy, of this thread on a core, before Numba is wanted.

    Raises:
        ValueError: no kernel stands in for the task's environment.
    """

    def __init__(self, task: Task, threads: int | None = None, patience: float = PATIENCE) -> None:
        self._task = task
        self._threads = threads
        self._patience = patience
        self._engine: NumpyEngine | NumbaEngine = NumpyEngine(task)
        self._names: list[str] = []
        self._kind = repr(task)

    @property
    def name(self) -> str:
        """What has run so far: "numpy", "numba" or "numpy+numba"."""
        return "+".join(self._names) or self._engine.name

    def run(
        self, genomes: FloatArray, individuals: IntArray, seeds: IntArray, normaliser: ObservationNormaliser | None
    ) -> EpisodeResults:
        """Flat results of the episodes; see `evonet.evaluation.engine.Engine`."""
        if isinstance(self._engine, NumpyEngine) and self._numba_pays():
            self._engine.close()
            self._engine = NumbaEngine(self._task, self._threads)
        if self._engine.name not in self._names:
            self._names.append(self._engine.name)
        if not isinstance(self._engine, NumpyEngine):
            return self._engine.run(genomes, individuals, seeds, normaliser)
        start = time.thread_time()
        results = self._engine.run(genomes, individuals, seeds, normaliser)
        _worked[self._kind] += time.thread_time() - start
        return results

    def _numba_pays(self) -> bool:
        return _worked[self._kind] >= self._patience and importlib.util.find_spec("numba") is not None

    def close(self) -> None:
        """Give back what was opened."""
        self._engine.close()
