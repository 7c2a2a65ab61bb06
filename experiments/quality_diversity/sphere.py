"""How well, and how fast, do MAP-Elites, CMA-ME and CMA-MAE fill an archive, beside pyribs?

Question: the QD score, coverage and time on the sphere with a linear projection (Fontaine et al. 2020): 100 parameters,
          2 measures, 100 x 100 cells, 540 solutions an iteration, 10,000 iterations, with the settings of pyribs' table
          (docs/examples/sphere.md); evonet and ribs take turns in one process.
Command:  pip install -e '.[strategies]' ribs==0.12.0; python experiments/quality_diversity/sphere.py --trials 20
Finding:  the table in experiments/README.md.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet import Architecture
from evonet.archives import GridArchive
from evonet.operators import Gaussian, Line, Normal
from evonet.strategies import CMAMAE, CMAME, MAPElites

GENES, CELLS, BATCH = 100, [100, 100], 540
BOUND, SHIFT = 5.12, 0.4 * 5.12
HALF = BOUND * GENES / 2
RANGES = {"first": (-HALF, HALF), "second": (-HALF, HALF)}
WORST = GENES * (BOUND + SHIFT) ** 2
CMA: dict[str, Any] = {"emitters": 15, "samples": 36, "sigma": 0.5}

Result = dict[str, float]


def sphere(solutions: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Objectives, 100 at the top, and measures: the sums of both halves, each parameter within bounds."""
    objectives = (1 - np.square(solutions - SHIFT).sum(axis=1) / WORST) * 100
    outside = np.abs(solutions) > BOUND
    clipped = solutions.copy()
    clipped[outside] = BOUND / solutions[outside]
    halves = clipped.reshape(len(solutions), 2, GENES // 2).sum(axis=2)
    return objectives, halves


def ours(name: str, seed: int) -> Any:
    """evonet's algorithm."""
    network = Architecture(GENES - 1, 0, 1, skip=True)  # a genome of 100 genes
    archive = GridArchive(RANGES, CELLS)
    start: dict[str, Any] = {"initialisation": Normal(0.5), "mutation": Gaussian(sigma=0.5, rate=1.0), "seed": seed}
    if name == "map_elites":
        return MAPElites(network, archive, BATCH, crossover="none", **start)
    if name == "map_elites_line":
        return MAPElites(network, archive, BATCH, crossover=Line(sigma=0.2), **start)
    if name == "cma_me_imp":
        return CMAME(network, archive, **CMA, parents="entered", seed=seed)
    if name == "cma_me_imp_mu":
        return CMAME(network, archive, **CMA, seed=seed)
    annealed = GridArchive(RANGES, CELLS, learning_rate=0.01, threshold_min=0.0)
    return CMAMAE(network, annealed, **CMA, seed=seed)


def peers(name: str, seed: int) -> Any:
    """The same algorithm of pyribs, with the archive of its results."""
    from ribs.archives import GridArchive as PeerGrid
    from ribs.emitters import EvolutionStrategyEmitter, GaussianEmitter, IsoLineEmitter
    from ribs.schedulers import Scheduler

    grid = {"solution_dim": GENES, "dims": CELLS, "ranges": list(RANGES.values())}
    annealed = {"learning_rate": 0.01, "threshold_min": 0.0} if name == "cma_mae" else {}
    archive = PeerGrid(**grid, **annealed, seed=seed)
    start = {"x0": np.zeros(GENES), "batch_size": BATCH, "seed": seed}
    if name == "map_elites":
        emitters = [GaussianEmitter(archive, sigma=0.5, **start)]
    elif name == "map_elites_line":
        emitters = [IsoLineEmitter(archive, iso_sigma=0.5, line_sigma=0.2, **start)]
    else:
        rules = {
            "cma_me_imp": {"ranker": "2imp", "selection_rule": "filter", "restart_rule": "no_improvement"},
            "cma_me_imp_mu": {"ranker": "2imp", "selection_rule": "mu", "restart_rule": "no_improvement"},
            "cma_mae": {"ranker": "imp", "selection_rule": "mu", "restart_rule": "basic"},
        }[name]
        emitters = [
            EvolutionStrategyEmitter(archive, x0=np.zeros(GENES), sigma0=0.5, batch_size=36, seed=each, **rules)
            for each in np.random.SeedSequence(seed).generate_state(15).tolist()
        ]
    result = PeerGrid(**grid) if annealed else None
    return Scheduler(archive, emitters, result_archive=result)


def run_ours(name: str, seed: int, iterations: int) -> Result:
    """One trial of evonet."""
    start = time.process_time()
    algorithm = ours(name, seed)
    for _ in range(iterations):
        objectives, measures = sphere(algorithm.ask())
        algorithm.tell(objectives, measures=measures)
    seconds = time.process_time() - start
    archive = algorithm.archive
    return {"qd_score": archive.qd_score(offset=0.0), "coverage": archive.coverage, "seconds": seconds}


def run_peers(name: str, seed: int, iterations: int) -> Result:
    """One trial of pyribs."""
    start = time.process_time()
    scheduler = peers(name, seed)
    for _ in range(iterations):
        scheduler.tell(*sphere(scheduler.ask()))
    seconds = time.process_time() - start
    stats = scheduler.result_archive.stats
    return {"qd_score": float(stats.qd_score), "coverage": float(stats.coverage), "seconds": seconds}


NAMES = ("map_elites", "map_elites_line", "cma_me_imp", "cma_me_imp_mu", "cma_mae")
LIBRARIES: dict[str, Callable[[str, int, int], Result]] = {"evonet": run_ours, "ribs": run_peers}


def shown(results: list[Result], column: str, factor: float = 1.0, digits: int = 0) -> str:
    """The mean and the standard deviation of a column."""
    values = factor * np.array([result[column] for result in results])
    spread = f" ± {values.std(ddof=1):,.{digits}f}" if len(values) > 1 else ""
    return f"{values.mean():,.{digits}f}{spread}"


def main() -> None:
    """Print a row for each algorithm and library."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=10_000)
    parser.add_argument("--algorithms", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--libraries", nargs="+", choices=list(LIBRARIES), default=list(LIBRARIES))
    parser.add_argument("--seed", type=int, default=0, help="the first trial's; the others count on")
    parser.add_argument("--json", action="store_true", help="one line for each trial")
    args = parser.parse_args()
    if not args.json:
        peer = f", ribs {version('ribs')}" if "ribs" in args.libraries else ""
        print(f"{args.trials} trials of {args.iterations:,} iterations{peer}; seconds of processor time")
        print("| algorithm | library | QD score | coverage % | seconds |\n| --- | --- | --- | --- | --- |")
    for name in args.algorithms:
        results: dict[str, list[Result]] = {library: [] for library in args.libraries}
        for library in args.libraries:
            LIBRARIES[library](name, 0, 3)  # the peer's functions are compiled when they are first called
        for trial in range(args.seed, args.seed + args.trials):
            for library in args.libraries:
                results[library].append(LIBRARIES[library](name, trial, args.iterations))
                if args.json:
                    row = {"algorithm": name, "library": library, "seed": trial, **results[library][-1]}
                    print(json.dumps(row), flush=True)
        if not args.json:
            for library, found in results.items():
                columns = shown(found, "qd_score"), shown(found, "coverage", 100, 1), shown(found, "seconds", digits=1)
                print(f"| {name} | {library} | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
