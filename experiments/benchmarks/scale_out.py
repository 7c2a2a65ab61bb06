"""What do Dask workers cost, beside processes of this machine, and what would 10, 100 and 1,000 of them give?

Question: the efficiency of two Dask workers against two local processes for evaluations of 1, 10, 100 and 1,000 ms;
what an evaluation, a chunk and a byte of it cost; and from these a model of clusters that are not here.

Command: python experiments/benchmarks/scale_out.py [--quick] [--json]

Evaluations sleep, so that two cores are enough for workers, scheduler and client. Costs are upper bounds for a cluster:
here all of them share the cores, there each has its own. The model: an evaluation takes its latency, the way of its
genomes, and then either the work of the busiest worker or the handing out of all chunks, whichever is longer.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import gymnasium as gym
import numpy as np

from contest import Report, Result, chosen_rounds, options, say
from evonet import EpisodeReturn
from evonet.evaluation.executors import RemoteWorkers
from evonet.evaluation.executors.chunks import Chunk
from sleeper import Sleeper

WORKERS = 2
WORK = {0.001: 2000, 0.01: 300, 0.1: 40, 1.0: 8}  # seconds of an evaluation: how many of them
AT_LEAST = {0.001: None, 0.01: 0.95, 0.1: 0.95, 1.0: 0.95}
CHUNKS = 300
BIG = 4000  # genomes
CLUSTERS = (10, 100, 1000)
POPULATION, EPISODES = 1000, 3
ENVIRONMENTS = {"LunarLander-v3": 212, "HalfCheetah-v5": 1542}  # genes of 8-16-4 and 17-64-6


@dataclass(frozen=True)
class Costs:
    """What was measured, in seconds.

    Attributes:
        evaluation: from the first message to the last, with nothing to do.
        chunk: of each, handed out and brought back.
        byte: of genomes, to where they are needed.
    """

    evaluation: float
    chunk: float
    byte: float


def main() -> None:
    arguments = options(__doc__, rounds=7).parse_args()
    rounds = chosen_rounds(arguments)
    report = Report("scale_out", rounds)
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        report.skip("Dask", str(error))
        report.show(arguments.json)
        return
    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        for seconds, n in WORK.items():
            _race(seconds, n // 2 if arguments.quick else n, client, rounds, report)
        costs = _costs(client, rounds, report)
    _predict(costs, report)
    report.show(arguments.json)


def _race(seconds: float, n: int, client: object, rounds: int, report: Report) -> None:
    """The same evaluations by local processes and by Dask workers, in alternation."""
    heading = f"{n:,} evaluations of {1000 * seconds:,.0f} ms"
    say(heading)
    make = functools.partial(Sleeper, seconds)
    carried = {
        "two local processes": EpisodeReturn(make, hidden=2, episodes=1, workers=WORKERS),
        "two Dask workers": EpisodeReturn(make, hidden=2, episodes=1, executor=client),
    }
    results = {name: Result(name, WORKERS, "s", []) for name in carried}
    for number in range(-1, rounds):  # the first round starts processes, and learns how long an episode takes
        turn = list(carried.items())
        for name, fitness in turn if number % 2 == 0 else reversed(turn):
            genomes = np.zeros((n, fitness.architecture.genome_size))
            taken = _timed(functools.partial(fitness, genomes, np.array([1])))
            if number >= 0:
                results[name].values.append(taken)
    for fitness in carried.values():
        fitness.close()
    report.tables[heading] = list(results.values())
    bounds = {} if AT_LEAST[seconds] is None else {"at_least": AT_LEAST[seconds]}
    report.compare(f"efficiency, {heading}", *results.values(), **bounds)
    ideal = n * seconds / WORKERS
    dask = results["two Dask workers"]
    report.notes[f"of the ideal, {heading}"] = (
        f"{ideal / dask.median:.3f} by Dask, {ideal / results['two local processes'].median:.3f} by local processes"
    )


def _costs(client: object, rounds: int, report: Report) -> Costs:
    """What an evaluation, a chunk and a byte cost, measured with episodes that take no time."""
    say("costs")
    task = EpisodeReturn(Sleeper, hidden=300, episodes=1).task
    assert task is not None
    executor = RemoteWorkers(task, "gymnasium", client, WORKERS)
    genes = task.architecture.genome_size
    small, big = np.zeros((CHUNKS, genes)), np.zeros((BIG, genes))
    ends = np.array([0, BIG // 2 - 1, BIG // 2, BIG - 1])

    def run(genomes: np.ndarray, individuals: np.ndarray, chunks: int) -> None:
        whole = Chunk(0, genomes, individuals, np.zeros(len(individuals), np.int64), None)
        size = len(whole) // chunks
        for start in range(0, len(whole), size):
            executor.pool.submit(whole.part(start, start + size, math.inf))
        for _ in range(chunks):
            assert executor.pool.next_done()[1].loss is None

    works: dict[str, Callable[[], None]] = {
        "an evaluation of 2 chunks": lambda: run(small[:4], np.arange(4), 2),
        f"one of {CHUNKS} chunks": lambda: run(small[:4], np.repeat(np.arange(4), CHUNKS // 4), CHUNKS),
        f"one of 2 chunks and {big.nbytes / 1e6:.0f} MB": lambda: run(big, ends, 2),
    }
    results = [Result(name, WORKERS, "s", []) for name in works]
    for number in range(-1, rounds):
        for result, work in zip(results, works.values(), strict=True):
            taken = _timed(work)
            if number >= 0:
                result.values.append(taken)
    executor.close()
    report.tables["costs"] = results
    least, many, heavy = (result.median for result in results)
    costs = Costs(least, (many - least) / (CHUNKS - 2), max(heavy - least, 0.0) / big.nbytes)
    report.notes["an evaluation costs"] = f"{1e3 * costs.evaluation:.1f} ms"
    report.notes["a chunk costs"] = f"{1e3 * costs.chunk:.2f} ms"
    report.notes["a byte costs"] = f"{1e9 * costs.byte:.1f} ns, {1e-6 / max(costs.byte, 1e-15):,.0f} MB/s"
    return costs


def _predict(costs: Costs, report: Report) -> None:
    """What clusters would give for environments as heavy as these."""
    for name, genes in ENVIRONMENTS.items():
        try:
            seconds = _episode_seconds(name)
        except gym.error.Error as error:
            report.skip(name, str(error))
            continue
        episodes, size = POPULATION * EPISODES, 8 * genes * POPULATION
        for workers in CLUSTERS:
            report.notes[f"model, {name}, {workers:,} workers"] = _model(costs, episodes, seconds, size, workers)


def _model(costs: Costs, episodes: int, seconds: float, size: int, workers: int) -> str:
    chunk_seconds = max(0.1, 0.002 * workers)  # as evonet.evaluation.executors.pooled cuts them
    chunks = min(episodes, max(workers, math.ceil(episodes * seconds / chunk_seconds)))
    busiest = math.ceil(chunks / workers) * math.ceil(episodes / chunks) * seconds
    parts = {
        "the work itself": episodes * seconds / workers,
        "that work cannot be shared out evenly": busiest - episodes * seconds / workers,
        "the scheduler, handing out chunks": max(0.0, chunks * costs.chunk - busiest),
        "the way of the genomes": size * costs.byte,  # each goes once, with its chunk
        "the latency of an evaluation": costs.evaluation,
    }
    total = sum(parts.values())
    speed = episodes * seconds / total
    worst = max(list(parts)[1:], key=lambda part: parts[part])
    return (
        f"{episodes:,} episodes of {1e3 * seconds:.1f} ms in {total:.2f} s, {speed:,.1f} times one core, "
        f"efficiency {speed / workers:.2f}; most of what is lost: {worst}"
    )


def _episode_seconds(name: str) -> float:
    """The time of an episode with random actions, truncated after 1,000 steps."""
    environment = gym.make(name)
    environment.action_space.seed(1)
    start, count = time.perf_counter(), 10
    for seed in range(count):
        environment.reset(seed=seed)
        ended = False
        while not ended:
            *_, terminated, truncated, _ = environment.step(environment.action_space.sample())
            ended = terminated or truncated
    environment.close()
    return (time.perf_counter() - start) / count


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
