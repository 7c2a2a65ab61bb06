"""Random streams of a run, each derived from the run's seed and an address.

A stream is `SeedSequence(run_seed, spawn_key=(purpose, generation, …))`. The same address always gives the same
numbers, so that results do not depend on the workers, on their order, or on the generation at which a run was resumed.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from evonet.types import IntArray

_PURPOSE_BITS = 2
_SEED_BITS = 31  # some environments pass seeds to C code that takes a signed 32-bit integer


class Purpose(IntEnum):
    """The purpose of random numbers, which is the first element of a stream's address."""

    TRAINING = 0
    VALIDATION = 1
    TEST = 2
    REPLAY = 3
    INITIALISATION = 4
    VARIATION = 5
    BOOTSTRAP = 6
    INSPECTION = 7
    STRUCTURE = 8


def generator(run_seed: int, purpose: Purpose, *address: int) -> np.random.Generator:
    """A random generator for `purpose` at `address`, independent of those of all other addresses.

    Args:
        run_seed: seed of the run, at least zero.
        purpose: purpose of the numbers.
        *address: further elements of the address, for example the generation, each at least zero.
    """
    sequence = np.random.SeedSequence(run_seed, spawn_key=(purpose, *address))
    return np.random.Generator(np.random.PCG64(sequence))


def episode_seeds(run_seed: int, purpose: Purpose, generation: int, episodes: int) -> IntArray:
    """Seeds for `env.reset(seed=…)`, one for each episode, `(episodes,)`, in [0, 2**31).

    The lowest two bits are the purpose, so that training, validation, test and replay never share an episode in any
    generation; the seeds of one call differ from each other.

    Raises:
        ValueError: the purpose is not training, validation, test or replay.
    """
    if purpose >= 1 << _PURPOSE_BITS:
        raise ValueError(f"episode_seeds.purpose must be training, validation, test or replay, got {purpose.name}")
    seeds: list[int] = []
    drawn: set[int] = set()
    for episode in range(episodes):
        sequence = np.random.SeedSequence(run_seed, spawn_key=(purpose, generation, episode))
        draws = 1
        while True:
            word = int(sequence.generate_state(draws)[-1])
            seed = (word >> (32 - _SEED_BITS + _PURPOSE_BITS)) << _PURPOSE_BITS | purpose
            if seed not in drawn:
                break
            draws += 1
        drawn.add(seed)
        seeds.append(seed)
    return np.array(seeds, dtype=np.int64)
