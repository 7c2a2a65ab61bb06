"""How long from the shell's prompt to a champion that holds?

Question: the wall time of a whole process, from start to end, that evolves a controller for CartPole-v1 whose mean over
100 held-out episodes is at least 475, and tests it on 100 fresh episodes of the real environment. evonet by its command
line and the config that it ships; each peer in its own usual way. Five seeds. The yardstick is an interpreter that
imports Gymnasium and does nothing.

Command: python experiments/benchmarks/cold_start.py [--quick] [--json] [--seeds 5]

Validation costs the peers next to nothing here (see `trial.py`), less than it would their users. evosax runs a second
time with JAX's compile cache warm. A seed on which a contestant finds no champion counts as two minutes, whenever it
gave up.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from contest import HERE, Contestant, Report, Result, chosen_rounds, cores_present, options, python, run_whole, say
from trial import PATIENCE

CONFIG = HERE.parents[1] / "configs" / "cartpole.yaml"
YARDSTICK = "import gymnasium"
FAST = ("neat-python", "textbook loop", "DEAP", "pycma", "PyGAD")
SLOW = ("EvoTorch, one environment", "EvoTorch, vectorised", "evosax + gymnax, lean", "evosax + gymnax, problem class")
WARM = "evosax + gymnax, lean, warm cache"


def main() -> None:
    parser = options(__doc__, rounds=5)
    parser.add_argument("--seeds", type=int, dest="rounds", help="the same as --rounds")
    arguments = parser.parse_args()
    seeds = chosen_rounds(arguments)
    report = Report("cold_start", seeds)
    results: dict[str, Result] = {}
    outcomes: dict[str, list[Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        warming = _contestants(0, arguments.peers, Path(folder))
        run_whole(warming[WARM])  # fills the cache
        for name in ("evonet", YARDSTICK):  # and the file system's
            run_whole(warming[name])
        for seed in range(1, seeds + 1):
            contestants = list(_contestants(seed, arguments.peers, Path(folder)).values())
            for contestant in contestants if seed % 2 else reversed(contestants):
                if contestant.name in report.skipped:
                    continue
                say(f"seed {seed}: {contestant.name:<40}", end="\r")
                seconds, output, error = run_whole(contestant)
                if error:
                    report.skip(contestant.name, error.strip().splitlines()[-1])
                    results.pop(contestant.name, None)
                    continue
                outcome = _outcome(output)
                outcomes.setdefault(contestant.name, []).append(outcome)
                result = results.setdefault(contestant.name, Result(contestant.name, contestant.cores, "s", []))
                result.values.append(seconds if outcome.get("solved", True) else max(seconds, PATIENCE))
    order = [name for name in warming if name in results]
    report.tables["seconds to a champion"] = [results[name] for name in order]
    report.notes = {name: outcomes[name] if arguments.json else _in_a_line(outcomes[name]) for name in order}
    _compare(results, report)
    report.show(arguments.json)


def _contestants(seed: int, peers: str, folder: Path) -> dict[str, Contestant]:
    def peer(name: str, *command: object, **environment: str) -> Contestant:
        words = python(*command, interpreter=peers)
        return Contestant(name, words, cores_present(), environment=environment)

    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(folder / "jax"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    }
    command = str(Path(sys.executable).parent / "evonet")
    run = [command, "run", str(CONFIG), "--seed", str(seed), "--json", "--quiet"]
    contestants = [
        Contestant(YARDSTICK, [sys.executable, "-c", YARDSTICK], cores_present()),
        Contestant("evonet", [*run, "--output", str(folder / f"run{seed}")], cores_present()),
        peer("neat-python", "peers.neat_python", "champion", seed),
        peer("textbook loop", "peers.textbook", "champion", seed),
        peer("DEAP", "peers.deap", "champion", seed),
        peer("pycma", "peers.pycma", "champion", seed),
        peer("PyGAD", "peers.pygad", "champion", seed),
        peer("EvoTorch, one environment", "peers.evotorch", "champion", seed, "single"),
        peer("EvoTorch, vectorised", "peers.evotorch", "champion", seed, "vector"),
        peer("evosax + gymnax, lean", "peers.evosax", "champion", seed, "lean"),
        peer("evosax + gymnax, problem class", "peers.evosax", "champion", seed, "problem"),
        peer(WARM, "peers.evosax", "champion", seed, "lean", **cache),
    ]
    return {contestant.name: contestant for contestant in contestants}


def _outcome(output: str) -> Any:
    """What a contestant said of its champion: a document, or an object on the last line."""
    if not output.strip():
        return {}
    try:
        document = json.loads(output)
    except json.JSONDecodeError:
        return json.loads(output.strip().splitlines()[-1])
    if "champion" in document:
        champion = document["champion"]
        return {
            "generations": document["generations"],
            "solved": document["solved"],
            "validation": champion["validation_mean"],
            "test": champion["test_mean"],
        }
    return document


def _in_a_line(outcomes: list[Any]) -> str:
    solved = [outcome for outcome in outcomes if outcome.get("solved")]
    tests = [f"test {outcome['test']:.1f}" for outcome in solved]
    return ", ".join([f"{len(solved)} of {len(outcomes)} solved", *tests]) if any(outcomes) else "-"


def _compare(results: dict[str, Result], report: Report) -> None:
    ours = results.get("evonet")
    if ours is None:
        return
    report.compare(f"evonet / {YARDSTICK}", ours, results.get(YARDSTICK), at_most=4)
    for name in FAST:
        report.compare(f"{name} / evonet", results.get(name), ours, at_least=1.5)
    for name in (*SLOW, WARM):
        report.compare(f"{name} / evonet", results.get(name), ours, at_least=6)


if __name__ == "__main__":
    main()
