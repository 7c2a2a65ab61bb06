"""Every random number of a run, derived from one integer by purpose.

A stream is addressed, never carried: `SeedSequence(run_seed, spawn_key=(purpose, generation, …))`. Whoever asks for the
same address gets the same numbers, so results depend neither on workers and their order nor on where a run was resumed.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from evonet.types import IntArray

_PURPOSE_BITS = 2
_SEED_BITS = 31  # third-party environments hand seeds on to C code that takes a signed 32-bit integer


class Purpose(IntEnum):
    """What random numbers are for; the first element of a stream's address."""

    TRAINING = 0
    VALIDATION = 1
    TEST = 2
    REPLAY = 3
    INITIALISATION = 4
    VARIATION = 5
    BOOTSTRAP = 6
    INSPECTION = 7


def generator(run_seed: int, purpose: Purpose, *address: int) -> np.random.Generator:
    """A generator for `purpose` at `address` (the generation, say), independent of all others.

    Args:
        run_seed: the run's one seed, at least zero.
        purpose: what the numbers are for.
        *address: what else tells the stream from others of its purpose, each at least zero.
    """
    sequence = np.random.SeedSequence(run_seed, spawn_key=(purpose, *address))
    return np.random.Generator(np.random.PCG64(sequence))


def episode_seeds(run_seed: int, purpose: Purpose, generation: int, episodes: int) -> IntArray:
    """Seeds for `env.reset(seed=…)`, one for each episode, `(episodes,)`, in [0, 2**31).

    The lowest two bits say the purpose, so that training, validation, test and replay never share an episode, whatever
    the generation; the seeds of one call differ from each other.

    Raises:
        ValueError: the purpose is not one of those four.
    """
    if purpose >= 1 << _PURPOSE_BITS:
        raise ValueError(f"episode_seeds.purpose must be training, validation, test or replay, got {purpose.name}")
    seeds: list[int] = []
    met: set[int] = set()
    for episode in range(episodes):
        sequence = np.random.SeedSequence(run_seed, spawn_key=(purpose, generation, episode))
        draws = 1
        while True:
            word = int(sequence.generate_state(draws)[-1])
            seed = (word >> (32 - _SEED_BITS + _PURPOSE_BITS)) << _PURPOSE_BITS | purpose
            if seed not in met:
                break
            draws += 1
        met.add(seed)
        seeds.append(seed)
    return np.array(seeds, dtype=np.int64)
