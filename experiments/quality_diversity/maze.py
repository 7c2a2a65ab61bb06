"""Does novelty search find the way out of a maze where fitness leads into a dead end?

Question: how many evaluations until a robot comes within 5 units of the goal, in the two mazes of Lehman and Stanley
          (2011), by novelty search and by a search for the objective, the distance to the goal?
Command:  python experiments/quality_diversity/maze.py --runs 40
Finding:  the table in experiments/README.md. Configs were tuned on seeds from 1000 on, which are no part of it.

Both searches have the same network and genetic algorithm: those of configs/maze_medium.yaml and configs/maze_hard.yaml,
the objective search without the novelty around them. Evaluations are whole generations of 250, at most 250,000 as in
the paper; the goal counts as reached when the champion reaches it in the Gymnasium environment.

The studies are those of `evonet study`, kept in a folder; the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from evonet.experiment.config import Config
from evonet.experiment.study import study

CONFIGS = Path(__file__).parents[2] / "configs"
TARGET = 295.0
PUBLISHED = {  # evaluations (mean), runs that reached the goal of 40: NEAT, population 250
    ("medium", "novelty"): (18_274, 40),
    ("medium", "objective"): (56_334, 40),
    ("hard", "novelty"): (35_109, 39),
    ("hard", "objective"): (None, 3),
}


def searched(maze: str, method: str, runs: int, budget: int, output: Path) -> dict[str, Any]:
    """A row: one config with the seeds from 0 on."""
    path = str(CONFIGS / f"maze_{maze}.yaml")
    changes = [f"stop.evaluations={budget}"]
    if method == "objective":
        inner = Config.load(path).document.data["algorithm"]["algorithm"]
        changes.append(f"algorithm={json.dumps(inner)}")
    with contextlib.redirect_stdout(sys.stderr):
        results = study(Config.load(path, changes), range(runs), output / f"{maze}-{method}")["runs"]
    return {
        "map": maze,
        "method": method,
        "runs": runs,
        "reached": sum(run["test_mean"] >= TARGET for run in results),
        "evaluations": [run["evaluations"] for run in results],
        "seconds": [run["seconds"] for run in results],
    }


def line(row: dict[str, Any]) -> str:
    """A row as it stands in experiments/README.md."""
    spent = np.array(row["evaluations"])
    bound = "" if row["reached"] == row["runs"] else "≥ "  # a run at the limit would have needed more
    published, reached = PUBLISHED[row["map"], row["method"]]
    cells = [row["map"], row["method"], f"{row['reached']} of {row['runs']}", f"{bound}{spent.mean():,.0f}"]
    cells += [f"{np.median(spent):,.0f}", f"{spent.max():,}"]
    cells += [f"{reached} of 40", "" if published is None else f"{published:,}"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40, help="the number of seeds, from 0")
    parser.add_argument("--map", nargs="+", choices=["medium", "hard"], default=["medium", "hard"])
    parser.add_argument("--method", nargs="+", choices=["novelty", "objective"], default=["novelty", "objective"])
    parser.add_argument("--budget", type=int, default=250_000, help="evaluations after which a run is given up")
    parser.add_argument("--output", type=Path, default=Path("runs/maze"), help="where the runs are kept")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    rows = [
        searched(maze, method, options.runs, options.budget, options.output)
        for maze in options.map
        for method in options.method
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("| map | search | goal reached | evaluations, mean | median | most | NEAT (2011) | its evaluations, mean |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for row in rows:
        print(line(row))


if __name__ == "__main__":
    main()
