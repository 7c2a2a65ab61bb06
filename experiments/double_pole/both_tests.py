"""After how many evaluations does a network pass both tests of two poles under damping fitness?

Question: after how many evaluations does the fittest of a generation balance two poles without velocities for 100,000
          steps, and after how many does one balance also from at least 200 of Gruau's 625 starts for 1,000 steps? From
          how many starts do the two networks balance?
Command:  python experiments/double_pole/both_tests.py --seeds 50
Finding:  the table in experiments/README.md.

Published successes under damping fitness ask for both tests. The config's algorithm goes on after the first success, as
if there had been none. Both tests are compiled: the config's own, in the Gymnasium environment, rounds differently.
"""

import argparse
import json
from pathlib import Path

import numba
import numpy as np
from generalisation import starts

from evonet import Architecture, evolve
from evonet.environments.known import double_pole
from evonet.evaluation.kernels.compilation import compiled_function
from evonet.experiment.build import build_algorithm, build_fitness, build_validation_fitness
from evonet.experiment.config import Config
from evonet.seeding import Purpose, episode_seeds
from evonet.types import FloatArray

STEPS, PASSED = 100_000, 200
CONFIG = Path(__file__).parents[2] / "configs" / "double_pole_damping.yaml"
COUNTS = {"balanced": "100,000 steps", "both": f"and at least {PASSED} starts"}


step = compiled_function(double_pole.step)
observe = compiled_function(double_pole.observe_positions)


@numba.njit
def _generalisation(states: FloatArray, inward: FloatArray, recurrent: FloatArray, outward: FloatArray) -> int:
    balanced = 0
    for start in states:
        state = (start[0], start[1], start[2], start[3], start[4], start[5])
        hidden = np.zeros(len(recurrent))
        steps, failed = 0, False
        while steps < 1000 and not failed:
            sums = hidden @ recurrent
            for row, number in enumerate(observe(state)):
                sums += number * inward[row]
            hidden = np.tanh(sums)
            state, _, failed = step(state, (np.tanh(hidden @ outward),), ())
            steps += 1
        balanced += not failed
    return balanced


def generalisation(architecture: Architecture, genome: FloatArray) -> int:
    """From how many of the starts an Elman network without biases balances both poles, compiled."""
    blocks = {name: np.ascontiguousarray(block) for name, block in architecture.views(genome).items()}
    outward = np.ascontiguousarray(blocks["hidden_output_weights"][:, 0])
    states = np.ascontiguousarray(starts().T)
    return int(_generalisation(states, blocks["input_hidden_weights"], blocks["hidden_hidden_weights"], outward))


def run(seed: int, changes: list[str], most: int) -> dict[str, int | None]:
    """The evaluations until each success, and from how many starts that network balances; None without success."""
    config = Config.load(str(CONFIG), [f"seed={seed}", "validation.engine=numba", *changes])
    fitness = build_fitness(config)
    validation = build_validation_fitness(config, fitness)
    algorithm = build_algorithm(config, fitness.architecture)
    seeds = episode_seeds(seed, Purpose.VALIDATION, 0, 1)
    found: dict[str, int | None] = {"seed": seed}
    for key in COUNTS:
        found[key] = found[f"{key}_starts"] = None
    for generation in evolve(algorithm, fitness):
        if found["both"] is not None or generation.evaluations > most:
            break
        fittest = generation.population.genomes[generation.fitness.argmax()]
        if validation(fittest[None, :], seeds, None).returns.min() >= STEPS:
            balanced = generalisation(fitness.architecture, fittest)
            for key in ["balanced", "both"] if balanced >= PASSED else ["balanced"]:
                if found[key] is None:
                    found[key], found[f"{key}_starts"] = generation.evaluations, balanced
    return found


def main() -> None:
    """Print both counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=50, help="the number of seeds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--set", nargs="+", default=[], help="settings that differ from the config's, KEY.PATH=VALUE")
    parser.add_argument("--most", type=int, default=30_000, help="evaluations of a run at most")
    parser.add_argument("--output", type=Path, default=Path("runs/both_tests.jsonl"), help="where the seeds are kept")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    options.output.parent.mkdir(parents=True, exist_ok=True)
    lines = options.output.read_text().splitlines() if options.output.exists() else []
    done = {entry["seed"]: entry for entry in map(json.loads, lines)}
    seeds = range(options.first, options.first + options.seeds)
    for seed in seeds:
        if seed not in done:
            done[seed] = run(seed, options.set, options.most)
            with options.output.open("a") as file:
                file.write(json.dumps(done[seed]) + "\n")
    runs = [done[seed] for seed in seeds]
    if options.json:
        print(json.dumps(runs, indent=2))
        return
    print("| success | runs | evaluations, mean | median | most | starts, mean | median |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for key, name in COUNTS.items():
        solved = [entry for entry in runs if entry[key] is not None]
        spent = np.array([options.most if entry[key] is None else entry[key] for entry in runs])
        balanced = [entry[f"{key}_starts"] for entry in solved] or [np.nan]
        cells = [
            name,
            f"{len(solved)} of {len(runs)}",
            f"{'' if len(solved) == len(runs) else '≥ '}{spent.mean():,.0f}",
        ]
        cells += [f"{np.median(spent):,.0f}", f"{spent.max():,}"]
        cells += [f"{np.mean(balanced):.0f} of {starts().shape[1]}", f"{np.median(balanced):.0f}"]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
