"""How does the cost of a step grow with the size of the problem, and where does the curve bend?

Question: nanoseconds per environment step of CartPole-v1 against population size, genome size and episodes, for both
kernel engines; against worker processes for the gymnasium engine; nanoseconds per gene of a generation of the genetic
algorithm; and the peak of memory with 10,000 genomes of 10,000 genes.

Command: python experiments/benchmarks/scaling.py [--quick] [--json]

The curve is flat where the cost stays within a quarter of its least; the report says where that begins and ends. All
networks balance; episodes are truncated at 100 steps.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from contest import Contestant, Report, Result, chosen_rounds, cores_present, options, python, run_whole, say
from controllers import controllers
from evonet import EpisodeReturn
from ours import genetic_algorithm

STEPS = 100
POPULATIONS = (64, 256, 1024, 4096, 16_384, 65_536)
HIDDEN = (4, 16, 64, 256, 1024)
EPISODES = (1, 3, 10, 30, 100)
GENES = (100, 1_000, 10_000, 100_000)
FLAT = 1.25
ENGINES = {"Numba": "numba", "NumPy": "numpy"}
_ENOUGH = 0.1  # seconds

Work = Callable[[], int]


def main() -> None:
    arguments = options(__doc__, rounds=7).parse_args()
    rounds = chosen_rounds(arguments)
    report = Report("scaling", rounds)
    largest = 4096 if arguments.quick else POPULATIONS[-1]
    populations = [n for n in POPULATIONS if n <= largest]
    for label, engine in ENGINES.items():
        curve = {f"n = {n:,}": _evaluation(engine, n) for n in populations}
        _measure(f"{label}: population", curve, rounds, report)
        curve = {f"hidden = {h:,}, {7 * h + 2:,} genes": _evaluation(engine, 256, hidden=h) for h in HIDDEN}
        _measure(f"{label}: genome size", curve, rounds, report)
        report.tables[f"{label}: genome size, per gene"] = [
            Result(result.name, result.cores, "ns/step/gene", [value / (7 * h + 2) for value in result.values])
            for h, result in zip(HIDDEN, report.tables[f"{label}: genome size"], strict=True)
        ]
        report.notes[f"{label}: genome size, flat"] = _flat(report.tables[f"{label}: genome size, per gene"])
        curve = {f"episodes = {e}": _evaluation(engine, 64, episodes=e) for e in EPISODES}
        _measure(f"{label}: episodes", curve, rounds, report)
    workers = sorted({1, 2, cores_present()})
    curve = {f"workers = {w}": _evaluation("gymnasium", 256, workers=w) for w in workers}
    _measure("gymnasium: workers", curve, rounds, report)
    curve = {f"1,000 x {genes:,}": _generation(1_000, genes) for genes in GENES}
    _measure("genetic algorithm: genome size", curve, rounds, report, unit="ns/gene")
    rows = 1_000 if arguments.quick else 10_000
    report.notes[f"peak memory, {rows:,} x 10,000 genes"] = _memory(rows, 10_000)
    report.show(arguments.json)


def _evaluation(engine: Any, n: int, hidden: int = 16, episodes: int = 1, workers: int = 1) -> Callable[[], Work]:
    """Makes the work of one curve's point: evaluate n networks; it returns the steps."""

    def prepare() -> Work:
        fitness = EpisodeReturn(
            "CartPole-v1", hidden=hidden, episodes=episodes, max_steps=STEPS, engine=engine, workers=workers
        )
        genomes = controllers(n, hidden)
        rng = np.random.default_rng(1)

        def work() -> int:
            return fitness(genomes, rng.integers(2**31, size=episodes)).steps

        assert work() == STEPS * n * episodes
        return work

    return prepare


def _generation(rows: int, genes: int) -> Callable[[], Work]:
    def prepare() -> Work:
        algorithm = genetic_algorithm(rows, genes)
        fitness = np.random.default_rng(1).random(rows)

        def work() -> int:
            algorithm.tell(fitness)
            algorithm.ask()
            return rows * genes

        algorithm.ask()
        return work

    return prepare


def _measure(
    heading: str, curve: dict[str, Callable[[], Work]], rounds: int, report: Report, unit: str = "ns/step"
) -> None:
    """Measure the points of one curve in alternation."""
    say(heading)
    works = {name: prepare() for name, prepare in curve.items()}
    results = [Result(name, cores_present(), unit, []) for name in works]
    for number in range(rounds):
        turn = list(zip(works.values(), results, strict=True))
        for work, result in turn if number % 2 == 0 else reversed(turn):
            result.values.append(1e9 * _seconds_per_unit(work))
    report.tables[heading] = results
    report.notes[f"{heading}, flat"] = _flat(results)


def _seconds_per_unit(work: Work) -> float:
    done = 0
    start = time.perf_counter()
    while (seconds := time.perf_counter() - start) < _ENOUGH or done == 0:
        done += work()
    return seconds / done


def _flat(results: Sequence[Result]) -> str:
    """The stretch around the least cost where cost is within `FLAT` of it."""
    medians = [result.median for result in results]
    least = int(np.argmin(medians))
    flat = [median <= FLAT * medians[least] for median in medians]
    first = least - next((i for i, fine in enumerate(reversed(flat[:least])) if not fine), least)
    last = least + next((i for i, fine in enumerate(flat[least:]) if not fine), len(flat) - least) - 1
    return f"from {results[first].name} to {results[last].name}"


def _memory(rows: int, genes: int) -> str:
    _, output, error = run_whole(Contestant("memory", python("ours", "memory", rows, genes)))
    if error:
        return f"failed: {error.strip().splitlines()[-1]}"
    measured = json.loads(output)
    return f"{measured['bytes'] / 1e9:.2f} GB, {measured['copies']:.2f} copies of the population"


if __name__ == "__main__":
    main()
