"""What does it cost that nobody chooses the size of a network?

Question: how often, and after how many evaluations, are the tasks of shipped configs solved by networks that begin with
          connections from inputs to outputs only and find their own shape, with up to 16 hidden neurons; how often and
          when by the networks of the configs, whose size somebody chose; and how large do the networks become?
Command:  python experiments/structure/minimal_start.py --seeds 50
Finding:  experiments/README.md. The mutations were tuned on seeds from 1000 on, which are no part of it.

The studies are those of `evonet study`, kept in a folder; the same command goes on where it was stopped.
"""

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

import evonet
from evonet.experiment.config import Config
from evonet.experiment.study import study
from evonet.operators.structure import neurons_of

CONFIGS = Path(__file__).parents[2] / "configs"
STRUCTURE = ("network.hidden=16", "network.structure={start: minimal}")
MUTATIONS = """[
{type: gaussian, sigma: 1.0, rate: 0.5}, {type: add_connection, rate: 0.3}, {type: remove_connection, rate: 0.1},
{type: add_neuron, rate: 0.1}, {type: remove_neuron, rate: 0.03}]"""

# Pendulum needs hidden neurons: a population of linear networks is stuck at spinning, at returns of -740. So networks
# grow in the first generations, when the best are not much better than others, and then only tune their weights.
ADD_NEURON = "{type: add_neuron, rate: {schedule: linear, start: 0.9, end: 0.02, generations: 40}}"
ADD_CONNECTION = "{type: add_connection, rate: {schedule: linear, start: 0.9, end: 0.1, generations: 60}}"
GROWTH_AT_FIRST = f"""[
{{type: gaussian, sigma: {{schedule: linear, start: 1.0, end: 0.2, generations: 100}}, rate: 0.3}},
{ADD_NEURON}, {ADD_CONNECTION}, {ADD_CONNECTION}, {ADD_CONNECTION}]"""

TASKS = {"acrobot": MUTATIONS, "mountain_car": MUTATIONS, "pendulum": GROWTH_AT_FIRST}


def rows(name: str, seeds: int, output: Path) -> dict[str, dict[str, Any]]:
    """The config's own network and the one that finds its shape: solved, evaluations to success, size."""
    found = {}
    grown = (*STRUCTURE, f"algorithm.mutation={TASKS[name]}")
    for label, changes in ((f"`{name}`", ()), (f"`{name}`, minimal start", grown)):
        folder = output / (f"{name}-grown" if changes else name)
        with contextlib.redirect_stdout(sys.stderr):
            summary = study(Config.load(str(CONFIGS / f"{name}.yaml"), changes), range(seeds), folder)
        sizes = [size(evonet.load_run(folder / f"seed-{seed}").champion) for seed in range(seeds)]
        connections, hidden = np.median(sizes, axis=0).tolist()
        found[label] = {
            "solved": summary["success"]["solved"],
            "runs": summary["success"]["runs"],
            "evaluations": summary["to_success"]["evaluations"],
            "worst test mean": summary["test"]["worst"],
            "connections, median": connections,
            "hidden neurons, median": hidden,
        }
    return found


def size(champion: Any) -> tuple[int, int]:
    """Connections and hidden neurons of a champion."""
    exists = champion.genome != 0
    return int(exists.sum()), int(neurons_of(exists, champion.architecture).sum())


def line(name: str, row: dict[str, Any]) -> str:
    """A row as it stands in experiments/README.md."""
    spent = row["evaluations"]
    took = "-"
    if row["solved"]:
        took = f"{spent['median']:,.0f} ({spent['lower_quartile']:,.0f} to {spent['upper_quartile']:,.0f})"
    worst, connections, hidden = (
        row[key] for key in ("worst test mean", "connections, median", "hidden neurons, median")
    )
    return f"| {name} | {row['solved']} of {row['runs']} | {took} | {connections:g} | {hidden:g} | {worst:.4g} |"


def main() -> None:
    """Print two rows for each task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", default=list(TASKS), choices=[*TASKS, []], help="default: all")
    parser.add_argument("--seeds", type=int, default=50, help="number of seeds, from 0 on")
    parser.add_argument("--output", type=Path, default=Path("runs/minimal-start"), help="where the runs are kept")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    found = {name: row for task in options.tasks for name, row in rows(task, options.seeds, options.output).items()}
    if options.json:
        print(json.dumps({"seeds": options.seeds, "rows": found}, indent=1))
        return
    print(f"evonet {evonet.__version__}, seeds 0 to {options.seeds - 1}\n")
    print("| config | solved | evaluations to success | connections | hidden neurons | worst test mean |")
    print("| --- | --- | --- | --- | --- | --- |")
    print("\n".join(line(name, row) for name, row in found.items()))


if __name__ == "__main__":
    main()
