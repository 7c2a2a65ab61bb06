"""The engine that begins in NumPy, which is ready at once, and changes to Numba when there is enough work."""

from __future__ import annotations

import importlib.util
import time
import warnings
from collections import defaultdict
from typing import TYPE_CHECKING

from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import EvonetError, EvonetWarning
from evonet.evaluation.kernels.numpy_engine import NumpyEngine
from evonet.evaluation.results import EpisodeResults
from evonet.task import Task
from evonet.types import FloatArray, IntArray

if TYPE_CHECKING:
    from evonet.evaluation.kernels.numba_engine import NumbaEngine

SECONDS_IN_NUMPY = 1.0
"""Seconds of work in NumPy after which Numba's import, and compiling or loading, are worth their time."""

_seconds: defaultdict[str, float] = defaultdict(float)  # by task: fifty short runs of a study share them


class KernelEngine:
    """Runs a kernel in NumPy, and in Numba once this process has worked for a second on the task; the bits are equal.

    Where Numba is not installed or cannot compile the kernel, NumPy stays.

    Args:
        task: what an episode is; `kernel_for` must know its environment.
        threads: threads of the compiled engine; by default one for each core that this process may use.

    Raises:
        ValueError: there is no kernel for the task's environment.
    """

    def __init__(self, task: Task, threads: int | None = None) -> None:
        self._task = task
        self._threads = threads
        self._engine: NumpyEngine | NumbaEngine = NumpyEngine(task)
        self._compiles = importlib.util.find_spec("numba") is not None
        self._names: list[str] = []
        self._key = repr(task)

    @property
    def name(self) -> str:
        """The engines that have run so far: "numpy", "numba" or "numpy+numba"."""
        return "+".join(self._names) or self._engine.name

    @property
    def has_threads(self) -> bool:
        """Whether Numba, which has threads, runs the kernel now."""
        return self._engine.has_threads

    def run(
        self,
        genomes: FloatArray,
        individuals: IntArray,
        seeds: IntArray,
        normaliser: ObservationNormaliser | None,
        max_steps: int | None = None,
    ) -> EpisodeResults:
        """Flat results of the episodes; see `evonet.evaluation.engine.Engine`."""
        if self._compiles and _seconds[self._key] >= SECONDS_IN_NUMPY:
            self._change_to_numba()
        if self._engine.name not in self._names:
            self._names.append(self._engine.name)
        start = time.thread_time()
        results = self._engine.run(genomes, individuals, seeds, normaliser, max_steps)
        _seconds[self._key] += time.thread_time() - start
        return results

    def _change_to_numba(self) -> None:
        from evonet.evaluation.kernels.numba_engine import NumbaEngine  # a short run starts without it

        self._compiles = False
        engine = NumbaEngine(self._task, self._threads)
        try:
            engine.roll_out  # noqa: B018 - imports Numba
        except (EvonetError, ImportError) as error:
            warnings.warn(f"{error}; the engine 'numpy' goes on", EvonetWarning, stacklevel=2)
            return
        self._engine.close()
        self._engine = engine

    def close(self) -> None:
        """Free what the engine holds."""
        self._engine.close()
