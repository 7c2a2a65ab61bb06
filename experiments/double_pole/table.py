"""Does evonet beat the table of double pole balancing?

Question: how many balancing attempts does each shipped config need until both poles stay up for 100,000 steps, against
          the figures of Gomez, Schmidhuber and Miikkulainen (JMLR 9, 2008), each a mean of 50 runs?
Command:  python experiments/double_pole/table.py --seeds 50
Finding:  the table in experiments/README.md. Configs were tuned on seeds from 1000 on, which are no part of it.

Evaluations are episodes of training, in the kernel; each generation's best, if new, is also tried in the Gymnasium
environment, and success is 100,000 steps there: the two round differently in the last digit, which the poles make
visible within a few hundred steps. "Tries" are the generations, the most that there can be.

The studies are those of `evonet study`, kept in a folder; the same command goes on where it was stopped.
"""

import argparse
import contextlib
import json
import sys
from pathlib import Path

import numpy as np
from generalisation import generalisation

from evonet import Champion
from evonet.experiment.config import Config
from evonet.experiment.study import study

STEPS = 100_000
CONFIGS = Path(__file__).parents[2] / "configs"
GUESSING = "algorithm={type: random_search, population_size: 500, scale: 5.0}"
BUDGET = "stop.evaluations=20000"

ROWS = {  # test: {method: (config, what differs from it)}
    "velocities": {
        "genetic algorithm, restarts": ("double_pole_velocities", ()),
        "CMA-ES, restarts": ("double_pole_velocities_cma_es", ()),
        "random weight guessing": ("double_pole_velocities_cma_es", (GUESSING, BUDGET)),
    },
    "no velocities": {
        "CMA-ES, restarts": ("double_pole_no_velocities", ()),
        "random weight guessing": ("double_pole_no_velocities", (GUESSING, BUDGET)),
    },
    "no velocities, damping": {
        "CMA-ES, restarts": ("double_pole_damping", ()),
        "random weight guessing": ("double_pole_damping", (GUESSING, BUDGET)),
    },
}
PUBLISHED = {
    "velocities": {
        "CoSyNE": 954,
        "CMA-ES": 895,
        "ESP": 3_800,
        "NEAT": 3_600,
        "conventional neuroevolution": 22_100,
        "random weight guessing": 474_329,
    },
    "no velocities": {
        "CoSyNE": 1_249,
        "CMA-ES": 3_521,
        "ESP": 7_374,
        "conventional neuroevolution": 76_906,
        "random weight guessing": 415_209,
    },
    "no velocities, damping": {
        "CoSyNE": 3_416,
        "CMA-ES": 6_061,
        "ESP": 26_342,
        "NEAT": 6_929,
        "conventional neuroevolution": 87_623,
        "random weight guessing": 1_232_296,
    },
}


def measured(test: str, method: str, seeds: int, output: Path) -> dict[str, object]:
    """A row: one config with the seeds from 0 on."""
    name, changes = ROWS[test][method]
    folder = output / f"{test} {method}".replace(",", "").replace(" ", "-")
    with contextlib.redirect_stdout(sys.stderr):
        runs = study(Config.load(str(CONFIGS / f"{name}.yaml"), changes), range(seeds), folder)["runs"]
    solved = [run for run in runs if run["test_mean"] == STEPS]
    row = {
        "test": test,
        "method": method,
        "config": name,
        "changes": list(changes),
        "runs": seeds,
        "solved": len(solved),
        "evaluations": [run["evaluations"] for run in runs],
        "environment_steps": [run["environment_steps"] for run in runs],
        "tries": float(np.mean([run["generations"] for run in runs])),
    }
    if "damping" in test:
        champions = [Champion.load(folder / f"seed-{run['seed']}" / "champion.npz") for run in solved]
        row["generalisation"] = [generalisation(champion.network) for champion in champions]
    return row


def line(row: dict[str, object]) -> str:
    """A row as it stands in experiments/README.md."""
    spent = np.array(row["evaluations"])
    bound = "" if row["solved"] == row["runs"] else "≥ "  # a run at the limit would have needed more
    lower, median, upper = np.quantile(spent, [0.25, 0.5, 0.75])
    cells = [row["test"], f"evonet, {row['method']}", f"{row['solved']} of {row['runs']}"]
    cells += [f"{bound}{spent.mean():,.0f}", f"{median:,.0f}", f"{lower:,.0f} to {upper:,.0f}"]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def remarks(row: dict[str, object]) -> str:
    """Remarks on a row under damping fitness."""
    scores = row["generalisation"]
    text = f"{row['method']}: tried for 100,000 steps at most {row['tries']:,.0f} times a run (mean)"
    if scores:
        passed = sum(score >= 200 for score in scores)
        text += (
            f"; generalisation {np.mean(scores):.0f} of 625 starts (mean; median {np.median(scores):.0f}), "
            f"at least 200 by {passed} of {len(scores)}"
        )
    return text


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50, help="the number of seeds, from 0")
    parser.add_argument("--tests", nargs="+", choices=ROWS, default=list(ROWS), help="which columns; by default all")
    parser.add_argument("--methods", nargs="+", help="which of our rows; by default all")
    parser.add_argument("--output", type=Path, default=Path("runs/double_pole"), help="where the runs are kept")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    rows = [
        measured(test, method, options.seeds, options.output)
        for test in options.tests
        for method in ROWS[test]
        if options.methods is None or method in options.methods
    ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print("| two poles | method | solved | evaluations, mean | median | quartiles |")
    print("| --- | --- | --- | --- | --- | --- |")
    for test in options.tests:
        for row in rows:
            if row["test"] == test:
                print(line(row))
        for method, mean in PUBLISHED[test].items():
            print(f"| {test} | {method} (2008) | | {mean:,} | | |")
    for row in rows:
        if "generalisation" in row:
            print(f"\n{row['test']}, {remarks(row)}")


if __name__ == "__main__":
    main()
