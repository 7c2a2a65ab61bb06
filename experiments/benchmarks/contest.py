"""A contest: programs that do the same work, measured in alternation in one run.

A machine's speed drifts by tens of per cent within minutes, so a figure means little and a ratio means something only
if both sides were measured side by side. Each contestant is a process of its own that has imported, compiled and warmed
up before the first round; in each round every contestant is measured once, in an order that turns round. Ratios are
taken within a round; the report has their median and quartiles.

A contestant answers each line on its input by one line of JSON, see `contestant.serve`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

HERE = Path(__file__).resolve().parent
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
Reading = Mapping[str, Any]


@dataclass(frozen=True)
class Contestant:
    """A program that takes part.

    Attributes:
        name: what tables call it.
        command: its program and arguments.
        cores: how many it may use, by CPU affinity.
        rounds: the number of rounds with this contestant, by default all; fewer for a very slow one.
        environment: variables of its environment beside the caller's.
    """

    name: str
    command: Sequence[str]
    cores: int = 1
    rounds: int | None = None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Result:
    """What was read from a contestant, one value for each round in which it took part."""

    name: str
    cores: int
    unit: str
    values: list[float]
    readings: list[Reading] = field(repr=False, default_factory=list)

    @property
    def median(self) -> float:
        return float(np.median(self.values))


@dataclass(frozen=True)
class Ratio:
    """Two results compared round by round, and what was promised of them.

    Attributes:
        what: the comparison in words.
        values: one for each round that both took part in.
        at_least: lower bound of the median that must hold, if one must.
        at_most: upper bound, likewise.
    """

    what: str
    values: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None

    @classmethod
    def of(cls, what: str, over: Result, under: Result, **bounds: float) -> Self:
        """`over` divided by `under`."""
        pairs = zip(over.values, under.values, strict=False)
        return cls(what, [a / b for a, b in pairs], **bounds)

    @property
    def met(self) -> bool | None:
        """Whether the median keeps the bound; None if there is none."""
        median = float(np.median(self.values))
        if self.at_least is not None:
            return median >= self.at_least
        return None if self.at_most is None else median <= self.at_most


@dataclass
class Report:
    """The report of a benchmark.

    Attributes:
        program: its name.
        rounds: how often each contestant was measured.
        tables: results by heading.
        ratios: comparisons.
        notes: figures of other kinds, by name.
        skipped: the contestants that were skipped, and why.
    """

    program: str
    rounds: int
    tables: dict[str, list[Result]] = field(default_factory=dict)
    ratios: list[Ratio] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def compare(self, what: str, over: Result | None, under: Result | None, **bounds: float) -> None:
        """Add a ratio, if both were there."""
        if over is not None and under is not None:
            self.ratios.append(Ratio.of(what, over, under, **bounds))

    def skip(self, name: str, reason: str) -> None:
        """Remember, and say on stderr, that a contestant is not there."""
        if name not in self.skipped:
            say(f"{name}: skipped, {reason}")
        self.skipped[name] = reason

    def show(self, as_json: bool) -> None:
        """Print the tables, or one JSON document."""
        print(json.dumps(self._document(), indent=1) if as_json else self._text())

    def _document(self) -> dict[str, Any]:
        return {
            "program": self.program,
            "machine": machine(),
            "rounds": self.rounds,
            "tables": {
                heading: [
                    {"name": r.name, "cores": r.cores, "unit": r.unit, "quartiles": _quartiles(r.values)}
                    | {"values": r.values}
                    for r in results
                ]
                for heading, results in self.tables.items()
            },
            "ratios": [
                {"what": r.what, "quartiles": _quartiles(r.values), "at_least": r.at_least, "at_most": r.at_most}
                | {"met": r.met}
                for r in self.ratios
            ],
            "notes": self.notes,
            "skipped": self.skipped,
        }

    def _text(self) -> str:
        lines = [f"{self.program}, {self.rounds} rounds, {machine()['processor']}"]
        for heading, results in self.tables.items():
            width = max(len(r.name) for r in results)
            lines += ["", f"{heading:<{width}}  cores {'median':>12} {'quartiles':>22}"]
            for r in results:
                low, median, high = _quartiles(r.values)
                lines.append(f"{r.name:<{width}}  {r.cores:>5} {_round(median):>12} {_range(low, high):>22} {r.unit}")
        if self.ratios:
            width = max(len(r.what) for r in self.ratios)
            lines += ["", f"{'ratio':<{width}} {'median':>9} {'quartiles':>18}"]
        for ratio in self.ratios:
            low, median, high = _quartiles(ratio.values)
            line = f"{ratio.what:<{width}} {_round(median):>9} {_range(low, high):>18}"
            if ratio.met is not None:
                least = ratio.at_least is not None
                bound = f"at least {ratio.at_least:g}" if least else f"at most {ratio.at_most:g}"
                line += f"  {bound}: {'met' if ratio.met else 'NOT MET'}"
            lines.append(line)
        lines += ["", *(f"{name}: {note}" for name, note in self.notes.items())] if self.notes else []
        return "\n".join(lines)


def options(description: str | None, rounds: int) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help=f"how often each contestant is measured (default {rounds})")
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that everything runs")
    parser.add_argument("--json", action="store_true", help="print one JSON document instead of tables")
    parser.add_argument(
        "--peers",
        default=sys.executable,
        metavar="PYTHON",
        help="interpreter of the environment that holds the peers (default: this one)",
    )
    parser.set_defaults(usual_rounds=rounds)
    return parser


def chosen_rounds(arguments: argparse.Namespace, quick: int = 2) -> int:
    """The number of rounds that the command line asks for."""
    if arguments.rounds is not None:
        return int(arguments.rounds)
    return quick if arguments.quick else int(arguments.usual_rounds)


def python(*module_and_arguments: object, interpreter: str = sys.executable) -> list[str]:
    """Command of a contestant that is a module of this folder."""
    return [interpreter, "-m", *map(str, module_and_arguments)]


def race(
    contestants: Iterable[Contestant],
    rounds: int,
    report: Report,
    value: Callable[[Reading], float],
    unit: str,
) -> dict[tuple[str, int], Result]:
    """Measure the contestants in alternation; results by name and cores, without those that are not there.

    Args:
        contestants: the contestants.
        rounds: how often each is measured.
        report: where absence is noted.
        value: of one reading.
        unit: of that value.
    """
    results: dict[tuple[str, int], Result] = {}
    with ExitStack() as stack:
        running: list[tuple[Contestant, subprocess.Popen[str]]] = []
        for contestant in contestants:
            process = stack.enter_context(_Started(contestant, report))
            if process is not None:
                running.append((contestant, process))
                results[contestant.name, contestant.cores] = Result(contestant.name, contestant.cores, unit, [])
        for number in range(rounds):
            say(f"round {number + 1} of {rounds}", end="\r")
            for contestant, process in running if number % 2 == 0 else reversed(running):
                if contestant.rounds is not None and number >= contestant.rounds:
                    continue
                reading = _ask(contestant, process)
                results[contestant.name, contestant.cores].values.append(value(reading))
                results[contestant.name, contestant.cores].readings.append(reading)
    return results


def fastest(results: Iterable[Result]) -> Result | None:
    """The result of the highest median."""
    return max(results, key=lambda result: result.median, default=None)


def run_whole(contestant: Contestant) -> tuple[float, str, str]:
    """Run a contestant from start to end; wall seconds, its output, and what it said on stderr if it failed."""
    start = time.perf_counter()
    done = subprocess.run(**_arguments(contestant), capture_output=True, check=False)
    return time.perf_counter() - start, done.stdout, done.stderr if done.returncode else ""


class LimitProgram:
    """`limit.c`, compiled by the system's compiler for the time of a `with` block.

    Args:
        report: where it is noted if there is no compiler.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._folder = tempfile.TemporaryDirectory()
        self.folder = Path(self._folder.name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._folder.cleanup()

    environment: ClassVar[Mapping[str, str]] = {"OMP_WAIT_POLICY": "passive"}
    """To run it in: threads that spin while they wait would lose much if another program wants their core."""

    def built(self, vector_bytes: int = 32) -> list[str] | None:
        """The command of the program for vectors of some bytes; None, with a message, if it cannot be built."""
        name = f"C, {8 * vector_bytes}-bit vectors"
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
        if compiler is None:
            self._report.skip(name, "no C compiler")
            return None
        program = self.folder / f"limit{vector_bytes}"
        if not program.exists():
            flags = ["-O3", "-march=native", "-fopenmp", f"-DVECTOR_BYTES={vector_bytes}"]
            command = [compiler, *flags, str(HERE / "limit.c"), "-o", str(program), "-lm"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                self._report.skip(name, f"does not compile: {done.stderr.splitlines()[:1]}")
                return None
        return [str(program)]


def cores_present() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """What was measured on."""
    return {
        "processor": _processor(),
        "cores": cores_present(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def say(*words: object, end: str = "\n") -> None:
    """To stderr; what overwrites itself only if that is a terminal."""
    if end == "\n" or sys.stderr.isatty():
        print(*words, file=sys.stderr, end=end, flush=True)


class _Started:
    """A contestant's process once it is ready, None if it is absent; ended with the `with` block."""

    def __init__(self, contestant: Contestant, report: Report) -> None:
        self._contestant = contestant
        self._report = report
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> subprocess.Popen[str] | None:
        process = subprocess.Popen(
            **_arguments(self._contestant), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._process = process
        assert process.stdout is not None
        first = process.stdout.readline()
        hello = json.loads(first) if first.startswith("{") else {"absent": "it ended before it was ready"}
        if "absent" in hello:
            self._report.skip(self._contestant.name, hello["absent"])
            return None
        return process

    def __exit__(self, *error: object) -> None:
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _ask(contestant: Contestant, process: subprocess.Popen[str]) -> Reading:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line.startswith("{"):
        raise SystemExit(f"{contestant.name} ended in the middle of the contest: {' '.join(contestant.command)}")
    reading: Reading = json.loads(line)
    return reading


def _arguments(contestant: Contestant) -> dict[str, Any]:
    threads = dict.fromkeys(_THREADS, str(contestant.cores))
    arguments: dict[str, Any] = {
        "args": list(contestant.command),
        "cwd": HERE,
        "env": {**_environment(), **threads, "PYTHONWARNINGS": "ignore", **contestant.environment},
        "text": True,
    }
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))[-contestant.cores :]
        arguments["preexec_fn"] = lambda: os.sched_setaffinity(0, cores)
    return arguments


def _environment() -> dict[str, str]:
    """This process's, but modules compiled once stay compiled, as those of an installed package are."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _quartiles(values: Sequence[float]) -> list[float]:
    return [float(q) for q in np.percentile(values, [25, 50, 75])]


def _round(number: float) -> str:
    if number >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}"


def _range(low: float, high: float) -> str:
    return f"{_round(low)} – {_round(high)}"
