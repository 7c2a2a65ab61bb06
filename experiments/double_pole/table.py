"""Does evonet beat the table of double pole balancing?

Question: how many balancing attempts does each shipped config need until both poles stay up for 100,000 steps, against
          the figures of Gomez, Schmidhuber and Miikkulainen (JMLR 9, 2008), each a mean of 50 runs?
Command:  python experiments/double_pole/table.py --seeds 50
Finding:  the table in the README. Configs were tuned on seeds from 1000 on, which are no part of it.

Evaluations are episodes of training. Under damping fitness each generation's best, if it is new, is also tried for
100,000 steps; "tries" are the generations, the most that there can be. Episodes are the kernel's; `evonet study` of the
same configs has the same runs, and tests each champion in the Gymnasium environment as well.
"""

import argparse
import contextlib
import json
from pathlib import Path

import numpy as np
from generalisation import generalisation

from evonet import evolve
from evonet.evolution import Generation
from evonet.experiment.build import build_algorithm, build_fitness, build_judge, build_stop_rule, build_validation
from evonet.experiment.config import Config

STEPS = 100_000
CONFIGS = Path(__file__).parents[2] / "configs"
GUESSING = "algorithm={type: random_search, population_size: 500, scale: 5.0}"
BUDGET = "stop.evaluations=20000"

ROWS = {  # test: {method: (config, what differs from it)}
    "velocities": {
        "genetic algorithm, restarts": ("double_pole_velocities", ()),
        "CMA-ES": ("double_pole_velocities_cma_es", ()),
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


def measured(test: str, method: str, seeds: int) -> dict[str, object]:
    """A row: one config with the seeds from 0 on."""
    name, changes = ROWS[test][method]
    runs = [attempt(Config.load(str(CONFIGS / f"{name}.yaml"), (*changes, f"seed={seed}"))) for seed in range(seeds)]
    solved = [generation for generation in runs if generation.champion.validation.mean >= STEPS]
    row = {
        "test": test,
        "method": method,
        "config": name,
        "changes": list(changes),
        "runs": seeds,
        "solved": len(solved),
        "evaluations": [generation.evaluations for generation in runs],
        "environment_steps": [generation.environment_steps for generation in runs],
        "tries": float(np.mean([generation.number + 1 for generation in runs])),
    }
    if "damping" in test:
        row["generalisation"] = [generalisation(generation.champion.network) for generation in solved]
    return row


def attempt(config: Config) -> Generation:
    """The last generation of the run that `evonet run` makes of a config, without its files and its test."""
    fitness = build_fitness(config)
    judge = build_judge(config, fitness)
    rule = build_stop_rule(config, STEPS)
    with contextlib.closing(fitness), contextlib.closing(judge):
        for generation in evolve(
            build_algorithm(config, fitness.architecture),
            fitness,
            seed=config.settings.seed,
            validation=build_validation(config),
            judge=judge,
        ):
            if rule.reason(generation, seconds=0.0):
                return generation
    raise AssertionError("evolution never ends by itself")


def line(row: dict[str, object]) -> str:
    """A row as it stands in the README."""
    spent = np.array(row["evaluations"])
    cut = "" if row["solved"] == row["runs"] else "≥ "  # who was cut would have needed more
    lower, median, upper = np.quantile(spent, [0.25, 0.5, 0.75])
    cells = [row["test"], f"evonet, {row['method']}", f"{row['solved']} of {row['runs']}"]
    cells += [f"{cut}{spent.mean():,.0f}", f"{median:,.0f}", f"{lower:,.0f} to {upper:,.0f}"]
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def told(row: dict[str, object]) -> str:
    """What else is to be said of a row under damping fitness."""
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
    parser.add_argument("--seeds", type=int, default=50, help="so many, from 0 on")
    parser.add_argument("--tests", nargs="+", choices=ROWS, default=list(ROWS), help="which columns; by default all")
    parser.add_argument("--methods", nargs="+", help="which of our rows; by default all")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    rows = [
        measured(test, method, options.seeds)
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
            print(f"\n{row['test']}, {told(row)}")


if __name__ == "__main__":
    main()
