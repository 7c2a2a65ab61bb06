"""How often do the shipped configs reach their targets?

Question: of so many seeds, how many does each shipped config solve, that is: reaches the champion's mean over fresh
          episodes the target; and how long does a whole run take?
Command:  python experiments/shipped_configs.py --seeds 20 cartpole
Finding:  the table in the README.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "configs"


def run(config: Path, seed: int, folder: str) -> tuple[dict, float]:
    """The summary of one run by the command line, and the seconds from its start to its end."""
    started = time.monotonic()
    command = ["run", config, "--seed", str(seed), "--json", "--quiet", "--output", f"{folder}/{config.stem}-{seed}"]
    done = subprocess.run([sys.executable, "-m", "evonet", *command], capture_output=True, text=True, check=True)
    return json.loads(done.stdout), time.monotonic() - started


def main() -> None:
    """Print a row for each config."""
    names = sorted(path.stem for path in CONFIGS.glob("*.yaml"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("configs", nargs="*", default=names, choices=[*names, []], help="which; by default all")
    parser.add_argument("--seeds", type=int, default=10, help="so many, from 0 on")
    options = parser.parse_args()
    print("| config | solved | test mean, median of seeds (worst) | evaluations, median | seconds, median |")
    print("| --- | --- | --- | --- | --- |", flush=True)
    for name in options.configs:
        with tempfile.TemporaryDirectory() as folder:
            runs = [run(CONFIGS / f"{name}.yaml", seed, folder) for seed in range(options.seeds)]
        solved = sum(summary["solved"] for summary, _ in runs)
        means = [summary["champion"]["test_mean"] for summary, _ in runs]
        evaluations = statistics.median(summary["evaluations"] for summary, _ in runs)
        seconds = statistics.median(seconds for _, seconds in runs)
        target = runs[0][0]["target"]
        print(
            f"| `{name}` | {solved} of {len(runs)}, target {target:g} | {statistics.median(means):.4g} "
            f"({min(means):.4g}) | {evaluations:,.0f} | {seconds:.1f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
