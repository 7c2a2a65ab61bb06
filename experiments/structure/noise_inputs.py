"""Does a network that finds its own shape leave out inputs that are nothing but noise?

Question: eight inputs of noise beside LunarLander's own eight: how often is the task solved, after how many steps of
          training, and how many of the inputs of noise, and of its own, has the champion cut off?
Command:  python experiments/structure/noise_inputs.py --seeds 10
Finding:  9 of 10 are solved, after 2.6 M steps (median); the median champion has cut off 7.5 of the 8 inputs of noise
          and 2 of its own. The config was tuned on seeds from 1000 on, which are no part of it.

The study is that of `evonet study lunar_lander_noise`, kept in a folder; the same command goes on where it was stopped.
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
from evonet.operators.structure import inputs_left_out, neurons_of

CONFIG = Path(__file__).parents[2] / "configs" / "lunar_lander_noise.yaml"
OWN_INPUTS = 8


def figures(folder: Path) -> dict[str, Any]:
    """What a finished run came to, and what its champion has left out."""
    run = evonet.load_run(folder)
    champion, summary = run.champion, run.summary
    exists = champion.genome != 0
    left_out = inputs_left_out(exists, champion.architecture)
    return {
        "seed": summary["seed"],
        "solved": summary["solved"],
        "test mean": summary["champion"]["test_mean"],
        "steps": summary["environment_steps"],
        "noise left out": int((left_out >= OWN_INPUTS).sum()),
        "own left out": int((left_out < OWN_INPUTS).sum()),
        "connections": int(exists.sum()),
        "hidden neurons": int(neurons_of(exists, champion.architecture).sum()),
    }


def main() -> None:
    """Print a row for each seed, and the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10, help="number of seeds, from 0 on")
    parser.add_argument("--workers", type=int, help="runs at a time; by default one for each core")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change the config")
    parser.add_argument("--output", type=Path, default=Path("runs/noise-inputs"), help="where the runs are kept")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):
        study(Config.load(str(CONFIG), options.set), range(options.seeds), options.output, options.workers)
    rows = [figures(options.output / f"seed-{seed}") for seed in range(options.seeds)]
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    print(f"evonet {evonet.__version__}, seeds 0 to {options.seeds - 1}\n")
    print(f"| {' | '.join(rows[0])} |\n|{' --- |' * len(rows[0])}")
    for row in rows:
        cells = [f"{value:.1f}" if isinstance(value, float) else f"{value:,}" for value in row.values()]
        print(f"| {' | '.join(cells)} |")
    print(f"\nsolved by {sum(row['solved'] for row in rows)} of {len(rows)}; medians:")
    for name in ("test mean", "steps", "noise left out", "own left out", "connections", "hidden neurons"):
        print(f"  {name:<16} {np.median([row[name] for row in rows]):,.4g}")


if __name__ == "__main__":
    main()
