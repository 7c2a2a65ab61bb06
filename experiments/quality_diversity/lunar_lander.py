"""What is an archive of landings worth on terrains that it has never seen, evonet's and pyribs'?

Question: CMA-ME fills 50 x 50 cells over place and vertical speed of the first contact of LunarLander-v3, by linear
          policies, as in pyribs' tutorial, but on a new terrain in each iteration, the same for all solutions of it.
          What QD score and coverage are left when the elites are played again on terrains that neither library has
          trained on? And how long does each take with two worker processes, on the clock and of processor time?
Command:  pip install -e '.[strategies,box2d]' ribs==0.12.0; python experiments/quality_diversity/lunar_lander.py
Finding:  of either library, three elites in a thousand are still in their cells; the table in experiments/README.md.

Both have the settings of configs/lunar_lander_qd.yaml: 5 emitters with 30 samples, step size 1, two-stage improvement,
scores counted from -600. evonet's archive is the config's without its fixed seed; the peer's solutions are played by
the loop of its tutorial, with an environment made once in each worker. Elites of both are played again by evonet, on
the same episodes; a landing counts in the cell of its mean measures, with its mean return.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from evonet.archives import GridArchive
from evonet.evolution import evolve
from evonet.experiment.build import build_algorithm, build_fitness
from evonet.experiment.config import Config
from evonet.fitness import Fitness
from evonet.seeding import Purpose, episode_seeds

CONFIG = Path(__file__).parents[2] / "configs" / "lunar_lander_qd.yaml"
RANGES = {"touch_x": (-1.0, 1.0), "touch_speed": (-3.0, 0.0)}
CELLS, OFFSET = [50, 50], -600.0
EMITTERS, SAMPLES, SIGMA = 5, 30, 1.0
INPUTS, ACTIONS = 8, 4

Floats = NDArray[np.float64]


def processor_seconds() -> float:
    """Processor time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def config_for(seed: int, workers: int) -> Config:
    """The shipped config, on other terrains in each generation."""
    changes = ["environment.wrappers=[]", f"seed={seed}", f"evaluation.workers={workers}"]
    return Config.load(str(CONFIG), changes)


def ours(seed: int, iterations: int, workers: int) -> tuple[Floats, GridArchive, float]:
    """evonet's elites, their archive, and the seconds that it took."""
    config = config_for(seed, workers)
    with build_fitness(config) as fitness:
        started = time.perf_counter()
        algorithm: Any = build_algorithm(config, fitness.architecture)
        for _, _ in zip(range(iterations), evolve(algorithm, fitness, seed=seed), strict=False):
            pass
        seconds = time.perf_counter() - started
    return algorithm.archive.elites.genomes, algorithm.archive, seconds


@functools.cache
def lander() -> Any:
    """The environment of a worker of the peer."""
    return gym.make("LunarLander-v3")


def play(solution: Floats, seed: int) -> tuple[float, float, float]:
    """Return, place and vertical speed of the first contact of a linear policy, as the peer's tutorial has them."""
    environment = lander()
    policy = solution.reshape(INPUTS, ACTIONS)
    observation, _ = environment.reset(seed=seed)
    total, speeds, touch = 0.0, [], None
    over = False
    while not over:
        observation, reward, terminated, truncated, _ = environment.step(int(np.argmax(observation @ policy)))
        over = terminated or truncated
        total += reward
        speeds.append(float(observation[3]))
        if touch is None and (observation[6] or observation[7]):
            touch = float(observation[0]), float(observation[3])
    return (total, *(touch or (float(observation[0]), min(speeds))))


def peers(seed: int, iterations: int, workers: int) -> tuple[Floats, GridArchive, float]:
    """pyribs' elites, an archive of evonet with the same content, and the seconds that it took."""
    from ribs.archives import GridArchive as PeerGrid
    from ribs.emitters import EvolutionStrategyEmitter
    from ribs.schedulers import Scheduler

    terrains = [int(episode_seeds(seed, Purpose.TRAINING, iteration, 1)[0]) for iteration in range(iterations)]
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        list(pool.map(abs, range(workers)))  # the workers are there, as evonet's are
        started = time.perf_counter()
        archive = PeerGrid(
            solution_dim=INPUTS * ACTIONS, dims=CELLS, ranges=list(RANGES.values()), qd_score_offset=OFFSET
        )
        emitters = [
            EvolutionStrategyEmitter(
                archive, x0=np.zeros(INPUTS * ACTIONS), sigma0=SIGMA, ranker="2imp", batch_size=SAMPLES, seed=each
            )
            for each in np.random.SeedSequence(seed).generate_state(EMITTERS).tolist()
        ]
        scheduler = Scheduler(archive, emitters)
        for terrain in terrains:
            solutions = scheduler.ask()
            results = np.array(list(pool.map(play, solutions, [terrain] * len(solutions), chunksize=10)))
            scheduler.tell(results[:, 0], results[:, 1:])
        seconds = time.perf_counter() - started
    found = archive.data()
    copied = GridArchive(RANGES, CELLS, offset=OFFSET)
    copied.add(found["solution"], found["objective"], found["measures"])
    return copied.elites.genomes, copied, seconds


def corrected(genomes: Floats, fitness: Fitness, seed: int, episodes: int) -> tuple[GridArchive, Floats]:
    """The archive that these genomes make on held-out episodes, and their measures there."""
    results = fitness(genomes, episode_seeds(seed, Purpose.TEST, 0, episodes))
    means = results.means(list(RANGES))
    measures = np.stack([means[name] for name in RANGES], axis=1)
    archive = GridArchive(RANGES, CELLS, offset=OFFSET)
    archive.add(genomes, results.returns.mean(axis=1), measures)
    return archive, measures


def row(library: str, seed: int, args: argparse.Namespace) -> dict[str, Any]:
    """One library and seed: raw and corrected figures, and the seconds of the search."""
    search = {"evonet": ours, "ribs": peers}[library]
    before = processor_seconds()
    genomes, raw, seconds = search(seed, args.iterations, args.workers)
    processor = processor_seconds() - before
    with build_fitness(config_for(seed, args.workers)) as fitness:
        fresh, measures = corrected(genomes, fitness, seed, args.episodes)
    return {
        "library": library,
        "seed": seed,
        "evaluations": args.iterations * EMITTERS * SAMPLES,
        "qd_score": raw.qd_score(),
        "coverage": raw.coverage,
        "corrected_qd_score": fresh.qd_score(),
        "corrected_coverage": fresh.coverage,
        "same_cell": float(np.mean(raw.cells_of(measures) == raw.elites.cells)),
        "mean": raw.mean,
        "held_out_mean": fresh.mean,
        "seconds": seconds,
        "processor_seconds": processor,
    }


def main() -> None:
    """Print a row for each library and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=60, help="of 150 evaluations")
    parser.add_argument("--episodes", type=int, default=5, help="held-out episodes of each elite")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--libraries", nargs="+", choices=("evonet", "ribs"), default=["evonet", "ribs"])
    parser.add_argument("--json", action="store_true", help="one line for each row")
    args = parser.parse_args()
    if not args.json:
        made = f"{args.iterations * EMITTERS * SAMPLES:,} evaluations, {args.workers} workers"
        peer = f", ribs {version('ribs')}" if "ribs" in args.libraries else ""
        print(f"{made}, {args.episodes} held-out episodes, evonet {version('evonet-toolkit')}{peer}")
        print("| library | seed | QD score | corrected | coverage % | corrected | same cell % | seconds | processor |")
        print(f"|{' --- |' * 9}")
    for seed in args.seeds:
        for library in args.libraries:
            found = row(library, seed, args)
            if args.json:
                print(json.dumps(found), flush=True)
                continue
            shares = (found["coverage"], found["corrected_coverage"], found["same_cell"])
            cells = [
                f"{found['qd_score']:,.0f}",
                f"{found['corrected_qd_score']:,.0f}",
                *(f"{100 * share:.1f}" for share in shares),
                f"{found['seconds']:.0f}",
                f"{found['processor_seconds']:.0f}",
            ]
            print(f"| {library} | {seed} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
