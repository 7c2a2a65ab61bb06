"""Start states of a kernel's episodes, by seed."""

from __future__ import annotations

import numpy as np

from evonet.environments.known import Kernel
from evonet.types import FloatArray, IntArray

_MAX_SEEDS = 100_000


class StartStates:
    """States after `env.reset(seed=…)`; each seed's is drawn once and kept.

    Args:
        kernel: the environment's kernel.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._clear()

    def _clear(self) -> None:
        self._known: set[int] = set()
        self._seeds: IntArray = np.zeros(0, np.int64)
        self._states = np.zeros((0, len(self._kernel.start(np.random.default_rng(0)))))

    def __call__(self, seeds: IntArray) -> tuple[FloatArray, IntArray]:
        """Start states `(k, state)`, and the row of each of the `seeds (m,)` in them, `(m,)`."""
        wanted = set(seeds.tolist())
        unknown = sorted(wanted - self._known)
        if unknown:
            if len(self._seeds) + len(unknown) > _MAX_SEEDS:
                self._clear()
                unknown = sorted(wanted)
            self._known.update(unknown)
            states = [self._kernel.start(_reset_generator(seed)) for seed in unknown]
            known = np.concatenate([self._seeds, unknown])
            order = np.argsort(known)
            self._seeds, self._states = known[order], np.concatenate([self._states, states])[order]
        return self._states, np.searchsorted(self._seeds, seeds).astype(np.int64, copy=False)


def _reset_generator(seed: int) -> np.random.Generator:
    """The generator that `env.reset(seed=seed)` makes, as `gymnasium.utils.seeding.np_random` does."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))
