"""Does an archive take what pyribs' archive of the same settings takes, and how long does it need?

Question: grid and CVT archives are offered 100,000 random solutions in batches of 500, with ties, several for one cell,
          NaN and measures out of range; are status, value, elites and thresholds those of `ribs`? And how long does the
          insertion of 10,000 solutions of 100 genes into a grid of 10,000 cells take?
Command:  pip install ribs==0.12.0; python experiments/quality_diversity/insertions.py
Finding:  the archives are equal, thresholds within 1e-12; evonet needs a quarter of the time.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evonet.archives import CVTArchive, GridArchive

RANGES = {"x": (-1.0, 2.0), "y": (0.0, 0.5)}
SQUARE = {
    "x": (-0.5, 1.5),
    "y": (-0.75, 1.25),
}  # of equal widths: only evonet measures distances in units of the ranges
BATCH = 500


@dataclass(frozen=True)
class Batch:
    """Solutions to offer; some have no score, and some lie out of range."""

    genomes: NDArray[np.float64]
    fitness: NDArray[np.float64]
    measures: NDArray[np.float64]

    @classmethod
    def random(cls, rng: np.random.Generator, n: int) -> Batch:
        """Half of the fitness is a whole number, for ties, and a fifth of the measures is on a lattice."""
        fitness = rng.normal(0, 3, n)
        fitness = np.where(rng.random(n) < 0.5, np.round(fitness), fitness)
        fitness[rng.random(n) < 0.01] = np.nan
        measures = rng.normal((0.5, 0.25), (1.0, 0.2), (n, 2))
        lattice = rng.random(n) < 0.2
        measures[lattice] = np.round(measures[lattice], 1)
        measures[rng.random((n, 2)) < 0.005] = np.nan
        return cls(rng.standard_normal((n, 4)), fitness, measures)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Those that the peer takes; it refuses a batch with one that has no score."""
        return np.isfinite(self.fitness) & np.isfinite(self.measures).all(axis=1)


def pairs() -> dict[str, tuple[Any, Any]]:
    """evonet's archive and the peer's with the same settings, by name."""
    from ribs.archives import CVTArchive as PeerCVT
    from ribs.archives import GridArchive as PeerGrid

    annealed = {"learning_rate": 0.1, "threshold_min": -2.0}
    centroids = CVTArchive(SQUARE, 400).centroids
    made: dict[str, tuple[Any, Any]] = {}
    for name, settings in (("", {}), (" of CMA-MAE", annealed)):
        grid = PeerGrid(solution_dim=4, dims=[20, 30], ranges=list(RANGES.values()), **settings)
        made[f"grid{name}"] = (GridArchive(RANGES, [20, 30], **settings), grid)
        cvt = PeerCVT(solution_dim=4, centroids=centroids, ranges=list(SQUARE.values()), **settings)
        made[f"cvt{name}"] = (CVTArchive.around(centroids, SQUARE, **settings), cvt)
    return made


def equal(ours: Any, peer: Any, batches: list[Batch]) -> bool:
    """Whether both archives take the same of all batches, and end with the same elites."""
    for batch in batches:
        known = batch.scored
        got = ours.add(batch.genomes, batch.fitness, batch.measures)
        wanted = peer.add(batch.genomes[known], batch.fitness[known], batch.measures[known])
        if got.status[~known].any() or not np.array_equal(got.status[known], wanted["status"]):
            return False
        if not np.allclose(got.value[known], wanted["value"], rtol=1e-12, atol=1e-12):
            return False
    theirs = peer.data()
    order, elites = np.argsort(theirs["index"]), ours.elites
    rows = np.argsort(elites.cells)
    same = np.array_equal(elites.cells[rows], theirs["index"][order])
    for name, field in (("genomes", "solution"), ("fitness", "objective"), ("measures", "measures")):
        same = same and np.array_equal(getattr(elites, name)[rows], theirs[field][order])
    statistics = np.allclose(
        [ours.qd_score(offset=0.0), ours.coverage, ours.mean],
        [float(peer.stats.qd_score), float(peer.stats.coverage), float(peer.stats.obj_mean)],
    )
    return bool(same and statistics)


def least_seconds(add: Callable[[], Any], repeats: int) -> float:
    """The least processor time of `repeats` calls."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        add()
        taken.append(time.process_time() - start)
    return min(taken)


def timed(repeats: int) -> dict[str, float]:
    """Milliseconds to insert 10,000 solutions of 100 genes into an empty grid of 10,000 cells."""
    from ribs.archives import GridArchive as PeerGrid

    rng = np.random.default_rng(0)
    genomes, fitness, measures = (
        rng.standard_normal((10_000, 100)),
        rng.standard_normal(10_000),
        rng.random((10_000, 2)),
    )
    unit = {"x": (0.0, 1.0), "y": (0.0, 1.0)}
    makers = {
        "evonet": lambda: GridArchive(unit, [100, 100]),
        "ribs": lambda: PeerGrid(solution_dim=100, dims=[100, 100], ranges=list(unit.values())),
    }
    return {
        name: 1000 * least_seconds(lambda make=make: make().add(genomes, fitness, measures), repeats)  # type: ignore[misc]
        for name, make in makers.items()
    }


def main() -> None:
    """Print, for each archive, whether it equals the peer's, and the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--solutions", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    batches = [Batch.random(rng, BATCH) for _ in range(args.solutions // BATCH)]
    same = {name: equal(ours, peer, batches) for name, (ours, peer) in pairs().items()}
    seconds = timed(args.repeats)
    if args.json:
        print(json.dumps({"ribs": version("ribs"), "equal": same, "milliseconds": seconds}))
        return
    print(f"ribs {version('ribs')}, {args.solutions:,} solutions")
    for name, is_equal in same.items():
        print(f"{name}: {'equal' if is_equal else 'DIFFERENT'}")
    for name, each in seconds.items():
        print(f"{name}: {each:.2f} ms for 10,000 solutions")


if __name__ == "__main__":
    main()
