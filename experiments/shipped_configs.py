"""How often do the shipped configs reach their targets, and does random weight guessing too?

Question: with how many of the seeds is each shipped config solved, that is: reaches the champion's mean over fresh
          episodes the target; what does that take; and what does guessing find with as many evaluations as the longest
          of those runs had?
Command:  python experiments/shipped_configs.py --seeds 50 cartpole
Finding:  the table in experiments/README.md.

The studies are those of `evonet study`, kept in a folder; the same command goes on where it was stopped.
"""

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import evonet
from evonet.experiment.config import Config
from evonet.experiment.study import study

CONFIGS = Path(__file__).parents[1] / "configs"
GUESSING = "random weight guessing"


def studies(name: str, seeds: int, output: Path) -> dict[str, dict[str, Any]]:
    """The summaries of a config and of random weight guessing in its place, by the row's name."""
    file = str(CONFIGS / f"{name}.yaml")
    with contextlib.redirect_stdout(sys.stderr):
        ours = study(Config.load(file), range(seeds), output / name)
        budget = max(run["evaluations"] for run in ours["runs"])
        changes = ("algorithm={type: random_search}", "stop.generations=null", f"stop.evaluations={budget}")
        guessed = study(Config.load(file, changes), range(seeds), output / f"{name}-random")
    return {f"`{name}`": ours, f"{GUESSING}, `{name}`": guessed}


def line(name: str, summary: dict[str, Any]) -> str:
    """A row as it stands in experiments/README.md."""
    success, test, spent = summary["success"], summary["test"], summary["to_success"]
    evaluations, steps = (spent[key] for key in ("evaluations", "environment_steps"))
    took = ["-", "-"]
    if success["solved"]:
        quartiles = f"{evaluations['lower_quartile']:,.0f} to {evaluations['upper_quartile']:,.0f}"
        took = [f"{evaluations['median']:,.0f} ({quartiles})", f"{steps['median']:,.0f}"]
    low, high = test["interval"]
    cells = [
        name,
        f"{success['solved']} of {success['runs']}",
        f"{summary['target']:g}",
        *took,
        f"{test['interquartile_mean']:.4g} ({low:.4g} to {high:.4g})",
        f"{test['worst']:.4g}",
        f"{summary['seconds']['median']:.3g}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print two rows for each config."""
    names = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=names, choices=[*names, []], help="default: all")
    parser.add_argument("--seeds", type=int, default=10, help="number of seeds, from 0 on")
    parser.add_argument("--output", type=Path, default=Path("runs/shipped"), help="where the runs are kept")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    rows = {
        row: summary
        for name in options.configs
        for row, summary in studies(name, options.seeds, options.output).items()
    }
    if options.json:
        print(json.dumps({"seeds": options.seeds, "rows": rows}, indent=1))
        return
    print(f"evonet {evonet.__version__}, seeds 0 to {options.seeds - 1}\n")
    print("| config | solved | target | evaluations to success | steps | test mean | worst | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    print("\n".join(line(row, summary) for row, summary in rows.items()))


if __name__ == "__main__":
    main()
