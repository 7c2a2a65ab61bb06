"""Does it pay to tune the weights of the champion's structure at the end?

Question: Pendulum by networks that find their own shape: what do champions of 80 generations come to when CMA-ES tunes
          their weights (`network.structure.refine`), and when the genetic algorithm spends as many evaluations on 20
          generations more?
Command:  python experiments/structure/refinement.py --seeds 10
Finding:  experiments/README.md.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from minimal_start import CONFIGS, STRUCTURE, TASKS

from evonet.experiment.config import Config
from evonet.experiment.runner import run

REFINE = "{type: cma_es, sigma: 0.1, population_size: 64, evaluate_mean: false, generations: 40}"
CHANGES = {
    "refined": ("stop.generations=80", f"network.structure.refine={REFINE}"),
    "evolved on": ("stop.generations=100",),
}


def scores(seed: int, changes: tuple[str, ...]) -> dict[str, Any]:
    """The summary of a run without a target."""
    common = (*STRUCTURE, f"algorithm.mutation={TASKS['pendulum']}", f"seed={seed}", "stop.target=null")
    config = Config.load(str(CONFIGS / "pendulum.yaml"), (*common, *changes))
    with tempfile.TemporaryDirectory() as folder:
        return run(config, Path(folder) / "run", check=False)


def row(seed: int) -> dict[str, float]:
    """Validation before and after, and test means, of both ways on from the same champion."""
    refined, longer = (scores(seed, changes) for changes in CHANGES.values())
    return {
        "validation before": refined["refinement"]["validation_mean_before"],
        "validation refined": refined["champion"]["validation_mean"],
        "validation evolved on": longer["champion"]["validation_mean"],
        "test refined": refined["champion"]["test_mean"],
        "test evolved on": longer["champion"]["test_mean"],
        "evaluations refined": refined["evaluations"],
        "evaluations evolved on": longer["evaluations"],
    }


def main() -> None:
    """Print the means over the seeds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="number of seeds, from 0 on")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    rows = [row(seed) for seed in range(options.seeds)]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for name in rows[0]:
        print(f"{name:<24} {np.mean([each[name] for each in rows]):,.2f}")


if __name__ == "__main__":
    main()
