"""EnvPool alone, with random actions in COUNT environments, and evonet, with COUNT episodes of its engine for EnvPool.

usage: python peers/envpool_lanes.py alone|evonet ENVIRONMENT COUNT THREADS

It is run as a file, because a module of the folder above is called like the package envpool.
"""

from __future__ import annotations

import sys
import warnings
from itertools import cycle
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))  # at the end, behind the package

from contestant import Measure, serve, timed

_STEPS = 20  # of all lanes, between two looks at the clock


def prepare_alone(environment: str, lanes: int, threads: int) -> Measure:
    import envpool

    warnings.simplefilter("ignore")  # about the precision of bounds
    pool = envpool.make_gymnasium(environment, num_envs=lanes, num_threads=threads, seed=list(range(lanes)))
    pool.action_space.seed(1)
    drawn = [np.array([pool.action_space.sample() for _ in range(lanes)]) for _ in range(100)]
    actions = cycle(drawn)
    pool.reset()

    def work() -> int:
        for _, action in zip(range(_STEPS), actions, strict=False):
            pool.step(action)
        return _STEPS * lanes

    return lambda: timed(work)


def prepare_evonet(environment: str, episodes: int, threads: int) -> Measure:
    from evonet import EpisodeReturn
    from evonet.evaluation.envpool_engine import EnvPoolEngine

    task = EpisodeReturn(environment, episodes=1).task
    assert task is not None
    engine, seed = EnvPoolEngine(task, threads), 0
    genomes = np.random.default_rng(1).standard_normal((episodes, task.architecture.genome_size))

    def work() -> int:
        nonlocal seed
        seed += 1
        return engine.run(genomes, np.arange(episodes), np.arange(episodes) + episodes * seed, None).steps

    return lambda: timed(work)


if __name__ == "__main__":
    who, name, count, threads = sys.argv[1:]
    prepare = prepare_alone if who == "alone" else prepare_evonet
    serve(lambda: prepare(name, int(count), int(threads)))
