"""Does a network that finds its own shape learn XOR in fewer evaluations than NEAT?

Question: how many networks are scored until one has all four outputs on the right side of 0.5, from networks without
          hidden neurons on, and how large is that network? NEAT took 4,755 evaluations, 2.35 hidden neurons and 7.5
          connections, means of 100 runs (Stanley and Miikkulainen 2002).
Command:  python experiments/structure/xor.py --seeds 100
Finding:  the table in experiments/README.md. The settings were tuned on seeds from 1000 on, which are no part of it.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from evonet import Architecture, GeneticAlgorithm, Population, evolve
from evonet.operators import AddConnection, AddNeuron, Gaussian, RemoveConnection, RemoveNeuron, Speciation, Structure
from evonet.operators.structure import neurons_of

INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
WANTED = np.array([0.0, 1.0, 1.0, 0.0])
ARCHITECTURE = Architecture(2, 8, 1, "tanh", "sigmoid", skip=True)
MAX_EVALUATIONS = 20_000
SOLVED = 16.0
SETTINGS: dict[str, Any] = {
    "population_size": 36,
    "structure": Structure("minimal", youth=1.5),
    "niching": Speciation(radius=1.0, most=8),
    "mutation": [
        Gaussian(sigma=2.0, rate=0.5),
        AddConnection(rate=0.3),
        RemoveConnection(rate=0.1),
        AddNeuron(rate=0.05),
        RemoveNeuron(rate=0.05),
    ],
}


def xor(genomes: np.ndarray, episode_seeds: Sequence[int]) -> np.ndarray:
    """NEAT's fitness, the square of 4 less the sum of errors; 16 for a network that is right four times."""
    population = Population(ARCHITECTURE, genomes)
    outputs = np.stack([population.predict(np.tile(row, (len(genomes), 1)))[:, 0] for row in INPUTS], axis=1)
    right = ((outputs > 0.5) == (WANTED > 0.5)).all(axis=1)
    return np.where(right, SOLVED, (4.0 - np.abs(outputs - WANTED).sum(axis=1)) ** 2)


def evolved(seed: int) -> dict[str, float] | None:
    """Evaluations to success, and the size of the network; None if there was none."""
    started = time.process_time()
    for generation in evolve(GeneticAlgorithm(ARCHITECTURE, seed=seed, **SETTINGS), xor):
        best = int(generation.fitness.argmax())
        masks = generation.population.masks
        assert masks is not None
        if generation.fitness[best] == SOLVED:
            return {
                "evaluations": generation.evaluations,
                "hidden": int(neurons_of(masks[best], ARCHITECTURE).sum()),
                "connections": int(masks[best].sum()),
                "seconds": time.process_time() - started,
            }
        if generation.evaluations >= MAX_EVALUATIONS:
            break
    return None


def summary(runs: Sequence[dict[str, float] | None]) -> dict[str, Any]:
    """Successes, and means and medians over the runs that succeeded."""
    found = [run for run in runs if run is not None]
    columns = {name: [run[name] for run in found] for name in (found[0] if found else ())}
    return {
        "solved": f"{len(found)} of {len(runs)}",
        **{name: {"mean": round(float(np.mean(c)), 3), "median": float(np.median(c))} for name, c in columns.items()},
        "most evaluations": max(columns.get("evaluations", [0])),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100, help="runs, with the seeds from 0 on")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args()
    report = {
        "run with": {"evonet": version("evonet-toolkit"), "python": platform.python_version(), "seeds": options.seeds},
        "xor": summary([evolved(seed) for seed in range(options.seeds)]),
    }
    if options.json:
        print(json.dumps(report, indent=2))
        return
    print(*(f"{name} {value}" for name, value in report["run with"].items()), sep=", ")
    for name, value in report["xor"].items():
        text = f"mean {value['mean']}, median {value['median']}" if isinstance(value, dict) else str(value)
        print(f"  {name:<18} {text}")


if __name__ == "__main__":
    main()
