"""Does NSGA-II find the fronts of ZDT1, ZDT2 and ZDT3 as pymoo's does?

Question: hypervolume over (1.1, 1.1) after 250 generations of 100 children, 30 variables, mean and standard deviation
          of `--trials` runs each, with the same operators: SBX (eta 15, rate 0.9), polynomial mutation (eta 20, one
          variable in 30). E. Zitzler, K. Deb and L. Thiele, "Comparison of multiobjective evolutionary algorithms",
          Evolutionary Computation 8, 2000, has the functions.
Command:  pip install pymoo; python experiments/quality_diversity/zdt.py --trials 20
Finding:  the table in experiments/README.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from evonet import NSGA2, Architecture
from evonet.operators import SBX, Bounds, Polynomial, UniformInitialisation
from evonet.pareto import hypervolume

VARIABLES = 30
PARENTS = 100
ARCHITECTURE = Architecture(VARIABLES - 1, 0, 1, skip=True)  # a linear network has a gene for each variable
REFERENCE = np.array([-1.1, -1.1])

Floats = npt.NDArray[np.float64]


def zdt(number: int, x: Floats) -> Floats:
    """The two objectives of ZDT1, 2 or 3 of `x (n, variables)`, both minimised, `(n, 2)`."""
    first, g = x[:, 0], 1 + 9 * x[:, 1:].mean(axis=1)
    share = first / g
    if number == 2:
        return np.column_stack([first, g * (1 - share**2)])
    waves = share * np.sin(10 * np.pi * first) if number == 3 else 0.0
    return np.column_stack([first, g * (1 - np.sqrt(share) - waves)])


def evonet(number: int, generations: int, seed: int) -> Floats:
    """The objectives of the last parents, the first half of the population that is asked for next."""
    algorithm = NSGA2(
        ARCHITECTURE,
        2 * PARENTS,
        crossover=SBX(rate=0.9),
        mutation=Polynomial(low=0.0, high=1.0, rate=1 / VARIABLES, share_of="range"),
        initialisation=UniformInitialisation(0.0, 1.0),
        bounds=Bounds(0.0, 1.0),
        objectives={"first": "minimise", "second": "minimise"},
        seed=seed,
    )
    for _ in range(generations):
        values = zdt(number, algorithm.ask())
        algorithm.tell(np.zeros(len(values)), measures=values)
    return zdt(number, algorithm.ask()[:PARENTS])


def pymoo(number: int, generations: int, seed: int) -> Floats:
    """The objectives of the last population."""
    from pymoo.algorithms.moo import nsga2
    from pymoo.operators.crossover import sbx
    from pymoo.operators.mutation import pm
    from pymoo.optimize import minimize
    from pymoo.problems import get_problem

    algorithm = nsga2.NSGA2(pop_size=PARENTS, crossover=sbx.SBX(prob=0.9, eta=15), mutation=pm.PM(eta=20))
    found: Any = minimize(get_problem(f"zdt{number}"), algorithm, ("n_gen", generations), seed=seed, verbose=False)
    objectives: Floats = found.pop.get("F")
    return objectives


def trials(run: Callable[[int, int, int], Floats], number: int, generations: int, count: int) -> dict[str, float]:
    """Mean and standard deviation of the hypervolume of `count` runs, and the seconds of one."""
    started = time.perf_counter()
    volumes = [hypervolume(-run(number, generations, seed), REFERENCE) for seed in range(count)]
    seconds = (time.perf_counter() - started) / count
    return {"mean": float(np.mean(volumes)), "std": float(np.std(volumes)), "seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=20, help="runs of each, with the seeds from 0 on")
    parser.add_argument("--generations", type=int, default=250)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    options = parser.parse_args()
    runs: dict[str, Callable[[int, int, int], Floats]] = {"evonet": evonet}
    report: dict[str, Any] = {"run with": {"evonet": version("evonet-toolkit"), **vars(options)}}
    if importlib.util.find_spec("pymoo"):
        runs["pymoo"] = pymoo
        report["run with"]["pymoo"] = version("pymoo")
    for number in (1, 2, 3):
        report[f"ZDT{number}"] = {
            name: trials(run, number, options.generations, options.trials) for name, run in runs.items()
        }
    if options.json:
        print(json.dumps(report, indent=2))
        return
    for name, figures in report.items():
        print(name)
        for key, value in figures.items():
            text = "{mean:.4f} +- {std:.4f}, {seconds:.1f} s".format(**value) if isinstance(value, dict) else value
            print(f"  {key:<12} {text}")


if __name__ == "__main__":
    main()
