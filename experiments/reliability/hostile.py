"""Whatever a stranger has put into a run directory: is it safe to open?

Question: if any value in any file of a run or study directory is odd, or a link, a FIFO, a device, a sparse file stands
          in a file's place, does each command that reads the directory answer as it should: without a traceback, with
          a documented exit status, within 500 MB and two seconds of processor time (and one more for each 4 MB in the
          directory) beyond what it takes for a sound directory; and does it read and touch nothing outside the
          directory, and print nothing that a terminal obeys?
Command:  python experiments/reliability/hostile.py --commands 3000
Finding:  yes. 3,000 commands on 24 kinds of planted files, seed 7: 1,488 were answered, 1,512 refused in words; no
          traceback, nothing read or touched outside, nothing that waits for ever. In 31 minutes on a part of one core.
          Earlier seeds had found, mended since: weights near the largest number, which a report could not draw; a
          config whose `algorithm` is a number; a study with an empty journal; a champion with a million test
          episodes and a journal of a million lines, whose reports took longer than the rule allows.
          Before run directories were read through one bounded reader, 400 commands found 5 tracebacks, 6 files written
          and 4 read through links, 2 GB taken by a link to a device, and control characters in JSON.
"""

import argparse
import contextlib
import hashlib
import json
import os
import platform
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import sandbox
from hostile_files import PLANTS
from sandbox import Limits, Outcome

HERE = Path(__file__).resolve()
SECRET = "9f86d081884c7d65-nobody-may-print-this"
SECONDS, MEMORY = 2.0, 500_000_000
BYTES_A_SECOND = 4_000_000
DOCUMENTED = {0, 1, 2, 3, 74, 75}
CONFIG = """\
name: hostile
seed: 3
environment: {id: CartPole-v1, max_steps: 50}
network: {hidden: 2}
algorithm: {population_size: 8, elites: 2}
evaluation: {workers: 1, normalise_observations: true}
validation: {episodes: 4, archive_episodes: 2}
test: {episodes: 5}
stop: {generations: 3, target: null}
checkpoints: {seconds: 0}
measures: {position: {of: observation, index: 0, take: last}}
archive: {type: grid, ranges: {position: [-1, 1]}, cells: [10]}
"""
FAULT = {
    "generation": 1,
    "individual": 9,
    "episode": 0,
    "seed": 11,
    "kind": "exception",
    "step": 3,
    "message": "ValueError: no such thing",
    "traceback": "",
    "attempts": 1,
}
RUN, OTHER, OUT = "{run}", "{other}", "{out}"
COMMANDS: dict[str, tuple[int, list[str]]] = {
    "inspect": (9, ["inspect", RUN]),
    "inspect --json": (5, ["inspect", RUN, "--json"]),
    "inspect --html": (2, ["inspect", RUN, "--html"]),
    "replay --json": (2, ["replay", RUN, "--json"]),
    "replay --gif": (2, ["replay", RUN, "--gif", f"{OUT}/replay.gif"]),
    "replay --generation": (2, ["replay", RUN, "--generation", "1", "--json"]),
    "replay --individual": (2, ["replay", RUN, "--individual", "4", "--json"]),
    "replay --fault": (3, ["replay", RUN, "--fault", "0"]),
    "export --to onnx": (1, ["export", RUN, "--to", "onnx", f"{OUT}/champion.onnx"]),
    "export --to safetensors": (1, ["export", RUN, "--to", "safetensors", f"{OUT}/champion.safetensors"]),
    "export --to json": (1, ["export", RUN, "--to", "json", f"{OUT}/champion.json"]),
    "export --to c": (1, ["export", RUN, "--to", "c", f"{OUT}/champion.h"]),
    "export --to hub": (1, ["export", RUN, "--to", "hub", f"{OUT}/hub"]),
    "compare": (3, ["compare", RUN, OTHER]),
    "compare --json": (2, ["compare", OTHER, RUN, "--json"]),
    "compare --html": (1, ["compare", RUN, OTHER, "--html", f"{OUT}/compare.html"]),
    "resume": (5, ["resume", RUN, "--quiet"]),
    "resume --set": (3, ["resume", RUN, "--json", "--set", "stop.generations=4"]),
    "check": (3, ["check", f"{RUN}/config.yaml"]),
}
OF_STUDIES = {name for name in COMMANDS if name.startswith(("inspect", "compare"))}
CHAMPIONS = {name for name in COMMANDS if name.startswith(("replay", "export", "inspect", "compare"))}
READERS: dict[str, set[str]] = {  # of what few commands read, these are tried three times of four
    "config.yaml": {"check", "resume", "resume --set", "inspect"},
    "config.yaml of a stopped run": {"resume", "resume --set"},
    "faults.jsonl": {"replay --fault", "inspect", "inspect --html"},
    "lineage.jsonl": {"replay --generation", "replay --individual", "inspect", "inspect --html"},
    "genomes.jsonl": {"replay --generation", "replay --individual", "inspect --html"},
    "archive.jsonl": {"inspect --html", "resume"},
    "archive.npz: header": {"inspect --html", "compare --html"},
    "archive.npz: arrays": {"inspect --html", "compare --html"},
    "champion: header": CHAMPIONS,
    "champion: arrays": CHAMPIONS,
    "champion: bytes": CHAMPIONS,
    "checkpoint: header and state": {"resume", "resume --set", "inspect"},
    "checkpoint: arrays": {"resume", "resume --set", "inspect"},
    "checkpoint: bytes": {"resume", "resume --set", "inspect"},
    "journals of a stopped run": {"resume", "inspect"},
    "special files": {"resume", "resume --set", "inspect", "inspect --html", "replay --generation", "compare"},
    "special files of a stopped run": {"resume", "resume --set", "inspect"},
}
TOUCHED, READ = "touched outside", "read outside"
_REAL = 25  # each 25th command is a process of its own


@dataclass
class Found:
    """What was wrong about a command.

    Attributes:
        kind: of fault.
        detail: by which faults of one cause are put together.
        case: number of the command.
        planted: what was planted.
        command: what was called.
        text: what there is to see of it.
    """

    kind: str
    detail: str
    case: int
    planted: str
    command: str
    text: str


@dataclass
class Tried:
    """A command and what came of it."""

    case: int
    plant: str
    planted: str
    command: str
    real: bool
    outcome: Outcome
    found: list[Found] = field(default_factory=list)


class Room:
    """Where one job works: a directory to open, decoys, a home, a working directory, and what is in them."""

    def __init__(self, folder: Path, sound: Path) -> None:
        self.folder, self._sound = folder, sound
        self.decoys, self.out, self.streams = folder / "decoys", folder / "out", folder / "streams"
        self.run, self.other, self.work = folder / "run", folder / "other", folder / "work"
        for path in (self.decoys / "folder", self.out, self.streams, self.work, folder / "home", folder / "tmp"):
            path.mkdir(parents=True)
        for name in ("secret.txt", "profile", "folder/generation-00000000.npz", "folder/kept.txt"):
            (self.decoys / name).write_text(f"{SECRET}\n", encoding="utf-8")
        for file in (*(sound / "whole").glob("*"), sound / "study" / "study.json"):
            if file.suffix in {".json", ".yaml"}:
                text = file.read_text(encoding="utf-8").replace("hostile", SECRET)
                (self.decoys / f"sound-{file.name}").write_text(text, encoding="utf-8")
            elif file.is_file():
                shutil.copyfile(file, self.decoys / f"sound-{file.name}")
        for path in self.decoys.rglob("*"):
            os.utime(path, ns=(0, path.stat().st_mtime_ns))  # the kernel notes the next time that it is read
        (self.work / "evil.py").write_text("open('pwned', 'w').close()\n", encoding="utf-8")
        shutil.copytree(sound / "whole", self.other)

    def prepare(self, kind: str) -> None:
        """A sound directory to plant something in, and nothing left of the command before."""
        for path in (self.run, self.out):
            _remove(path)
        shutil.copytree(self._sound / kind, self.run)
        self.out.mkdir()

    def outside(self) -> dict[str, list[Any]]:
        """All files that no command may touch, with what would show it."""
        return contents(
            self.folder, without=frozenset({self.run, self.other, self.out, self.streams, self.folder / "tmp"})
        )

    def arguments(self, command: str) -> list[str]:
        """Of the command line."""
        names = {"run": self.run, "other": self.other, "out": self.out}
        return [argument.format(**names) for argument in COMMANDS[command][1]]


def contents(folder: Path, without: frozenset[Path] = frozenset()) -> dict[str, list[Any]]:
    """Of each path below a folder: mode, where a link leads, time, inode, size, digest, and last when it was read."""
    found: dict[str, list[Any]] = {}
    for path in sorted(folder.iterdir()):
        if path in without:
            continue
        facts = path.lstat()
        entry: list[Any] = [facts.st_mode]
        if stat.S_ISLNK(facts.st_mode):
            entry += [str(path.readlink()), None]
        elif stat.S_ISREG(facts.st_mode):
            entry += [facts.st_mtime_ns, facts.st_ino, facts.st_size, _digest(path, facts), facts.st_atime_ns]
        else:
            found |= contents(path, without) if stat.S_ISDIR(facts.st_mode) else {}
            entry += [None]
        found[str(path)] = entry
    return found


def written(folder: Path) -> dict[str, list[Any]]:
    """The contents, whoever reads them."""
    return {path: entry[:-1] for path, entry in contents(folder).items()}


def _digest(path: Path, facts: os.stat_result) -> str:
    if facts.st_size > 1 << 20 or not facts.st_mode & 0o400:
        return ""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOATIME), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def case_of(number: int, seed: int) -> tuple[str, int, str, random.Random]:
    """What is planted in a case, for the how manieth time, and which command opens it: the same for the same seed."""
    names = [name for name, (_, weight, _) in PLANTS.items() for _ in range(weight)]
    random.Random(seed).shuffle(names)
    name = names[number % len(names)]
    turn = number // len(names) * PLANTS[name][1] + names[: number % len(names)].count(name)
    rng = random.Random(f"{seed} {number}")
    commands = OF_STUDIES if PLANTS[name][0] == "study" else set(COMMANDS)
    if name in READERS and rng.random() < 0.75:
        commands = READERS[name]
    weighted = [command for command in COMMANDS if command in commands for _ in range(COMMANDS[command][0])]
    return name, turn, rng.choice(weighted), rng


def attempt(number: int, seed: int, room: Room, baseline: dict[str, float]) -> Tried:
    """One case: plant, call, look."""
    plant, turn, command, rng = case_of(number, seed)
    kind, _, function = PLANTS[plant]
    room.prepare(kind)
    planted = function(room.run, room.decoys, turn, rng)
    os.chdir(room.work)
    outside, before = room.outside(), written(room.run)
    real = number % _REAL == 0
    outcome = call(room.arguments(command), room, real=real)
    tried = Tried(number, plant, planted, command, real, outcome)

    def find(fault: str, detail: str, text: str = "") -> None:
        tried.found.append(Found(fault, detail, number, f"{plant}: {planted}", command, text))

    after = room.outside()
    for path in sorted(name for name in {*after, *outside} if after.get(name) != outside.get(name)):
        was_read = path in after and path in outside and after[path][:-1] == outside[path][:-1]
        find(READ if was_read else TOUCHED, f"{command.split()[0]}: {Path(path).relative_to(room.folder)}")
    if not command.startswith(("resume", "inspect --html")) and written(room.run) != before:
        find("run directory changed", command)
    pages = "".join(page.read_text("utf-8", "replace") for page in (*room.out.glob("*.html"), *_report(room.run)))
    if "<script>alert(1)" in pages:
        find("script in a page", command)
    if SECRET in outcome.stdout + outcome.stderr + pages:
        find("secret shown", command, outcome.stderr[-500:])
    to_read = sum(facts.st_blocks << 9 for facts in map(os.lstat, room.run.rglob("*")) if stat.S_ISREG(facts.st_mode))
    usual = usual_seconds(command, room, real=True) if real and outcome.seconds > SECONDS else baseline[command]
    usual += to_read / BYTES_A_SECOND
    for fault in faults_of(outcome, command, usual):
        find(*fault)
    return tried


def _report(run: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        if stat.S_ISREG((run / "report.html").lstat().st_mode):
            yield run / "report.html"


def call(arguments: list[str], room: Room, *, real: bool) -> Outcome:
    """Call evonet, in a fork of this process or in a process of its own."""
    if real:
        environment = {**os.environ, "HOME": str(room.folder / "home"), "TMPDIR": str(room.folder / "tmp")}
        program = [sys.executable, "-m", "evonet", *arguments]
        return sandbox.spawned(program, room.streams, Limits(), environment)

    def function() -> int:
        from evonet.cli import main

        os.environ.update(HOME=str(room.folder / "home"), TMPDIR=str(room.folder / "tmp"))
        return main(arguments)

    return sandbox.forked(function, room.streams, Limits())


def faults_of(outcome: Outcome, command: str, usual: float) -> Iterator[tuple[str, str, str]]:
    """What is wrong about an outcome: kind, detail, text."""
    printed, name = outcome.stdout + outcome.stderr, command.split(maxsplit=1)[0]
    trace = outcome.crash or (outcome.stderr if "Traceback (most recent call last)" in outcome.stderr else "")
    if trace:
        yield "traceback", _cause(trace), trace[-1500:]
    elif outcome.waited:
        yield "waits for ever", f"{name}: {outcome.waited}", outcome.stderr[-300:]
    elif outcome.status not in DOCUMENTED:
        yield "exit status", f"{name}: {outcome.status}", outcome.stderr[-300:]
    if outcome.left:
        yield "outlived", f"{name}: a process that it started", ""
    if outcome.seconds > usual + SECONDS:
        yield "processor time", name, f"{outcome.seconds:.1f} s, {usual:.1f} s for a sound directory"
    if outcome.memory > MEMORY or "memory does not suffice" in outcome.stderr:
        yield "memory", name, f"{outcome.memory / 1e6:.0f} MB {outcome.stderr[-200:]}"
    odd = sorted({c for c in printed if not (c.isprintable() or c in "\n\t")})
    if odd:
        yield (
            "terminal",
            f"{name}: {odd[0]!r}",
            ascii(printed[max(0, printed.index(odd[0]) - 60) :][:160]),
        )
    if "--json" in command and outcome.status == 0 and not trace:
        try:
            json.loads(outcome.stdout, parse_constant=_no_constant)
        except ValueError as error:
            yield "no JSON", f"{command}: {error}", outcome.stdout[-200:]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _cause(trace: str) -> str:
    """The error and the last place in evonet that it passed."""
    lines = trace.strip().splitlines()
    places = [line.strip() for line in lines if "/evonet/" in line and line.strip().startswith("File ")]
    file, _, rest = places[-1].partition('", line ') if places else ("", "", "")
    name = file.rpartition("/evonet/")[2]
    error = lines[-1].partition(":")[0]
    return f"{error} at {name}:{rest.partition(',')[0]}{rest.partition(',')[2]}"


def make_sound(folder: Path, environment: dict[str, str]) -> None:
    """A finished run with faults in its journal, a stopped run, and a study of two."""
    config = folder / "config.yaml"
    config.write_text(CONFIG, encoding="utf-8")
    for arguments in (
        ["run", config, "--output", folder / "whole", "--quiet"],
        ["study", config, "--seeds", "2", "--workers", "1", "--output", folder / "study", "--set", "stop.target=30"],
    ):
        program = [sys.executable, "-m", "evonet", *map(str, arguments)]
        subprocess.run(program, env=environment, check=True, capture_output=True, cwd=folder)
    whole = folder / "whole"
    shutil.copytree(whole, folder / "stopped")
    for name in ("run.json", "champion.npz", f"checkpoints/{max(p.name for p in (whole / 'checkpoints').iterdir())}"):
        (folder / "stopped" / name).unlink()
    add_faults(whole)


def add_faults(run: Path) -> None:
    """Put two faults into a run's journal."""
    fittest = json.loads((run / "genomes.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    fault = {**FAULT, "genome": fittest["genome"], "normaliser": fittest["normaliser"]}
    (run / "faults.jsonl").write_text(f"{json.dumps(fault)}\n" * 2, encoding="utf-8")


def warmed(room: Room) -> dict[str, float]:
    """Import and compile what commands need; returns the processor time of each for a sound directory."""
    from evonet.cli import main

    with sandbox.quiet():
        for command in COMMANDS:
            room.prepare("whole")
            os.chdir(room.work)
            with contextlib.suppress(SystemExit):
                main(room.arguments(command))
    return {command: usual_seconds(command, room, real=False) for command in COMMANDS}


def usual_seconds(command: str, room: Room, *, real: bool) -> float:
    """Processor time of a command for a sound run."""
    room.prepare("whole")
    os.chdir(room.work)
    outcome = call(room.arguments(command), room, real=real)
    if faults := list(faults_of(outcome, command, 60.0)):
        raise SystemExit(f"{command} fails for a sound run: {faults}\n{outcome.stderr}")
    return outcome.seconds


def work(numbers: list[int], options: argparse.Namespace, folder: Path, baseline: dict[str, float]) -> list[Tried]:
    """Try some cases, one after the other."""
    tried, room = [], _new_room(folder)
    for number in numbers:
        done = attempt(number, options.seed, room, baseline)
        if any(found.kind in {"processor time", "waits for ever"} for found in done.found):  # on a busy machine?
            again = attempt(number, options.seed, room, baseline)
            kinds = {found.kind for found in again.found}
            done.found = [found for found in done.found if found.kind in kinds]
        if any(found.kind in {READ, TOUCHED} for found in done.found):
            room = _new_room(folder)
        tried.append(done)
    return tried


def _new_room(folder: Path) -> Room:
    _remove(folder)
    return Room(folder, folder.parent / "sound")


def _in_parallel(options: argparse.Namespace, folder: Path, baseline: dict[str, float]) -> list[Tried]:
    """All cases, by several processes."""
    processes = []
    for job in range(options.jobs):
        numbers = list(range(options.commands))[job :: options.jobs]
        process = os.fork()
        if process == 0:
            status = 1
            try:
                done = work(numbers, options, folder / f"job-{job}", baseline)
                (folder / f"job-{job}.json").write_text(json.dumps([asdict(tried) for tried in done]))
                status = 0
            except BaseException:  # noqa: BLE001 - the process ends here
                traceback.print_exc()
            finally:
                os._exit(status)
        processes.append(process)
    if any([os.waitpid(process, 0)[1] for process in processes]):  # noqa: C419 - wait for all of them
        raise SystemExit("a job failed")
    found = []
    for job in range(options.jobs):
        for entry in json.loads((folder / f"job-{job}.json").read_text()):
            entry["outcome"] = Outcome(**entry["outcome"])
            entry["found"] = [Found(**found) for found in entry["found"]]
            found.append(Tried(**entry))
    return sorted(found, key=lambda tried: tried.case)


def inside(options: argparse.Namespace) -> int:
    """In the sandbox: try all cases, or one, and print the results."""
    folder: Path = options.folder
    sandbox.enter(folder, _readable(), namespaces=options.namespaces)
    environment = {
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "NUMBA_CACHE_DIR": str(folder / "numba"),
        "MPLCONFIGDIR": str(folder / "matplotlib"),
        "PYTHONPATH": str(HERE.parents[2]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
    }
    os.environ.clear()
    os.environ.update(environment)
    sys.path.insert(0, str(HERE.parents[2]))
    started = time.monotonic()
    for name in ("sound", "home", "tmp", "numba", "matplotlib"):
        (folder / name).mkdir(exist_ok=True)
    make_sound(folder / "sound", environment)
    baseline = warmed(_new_room(folder / "warm"))
    if threading.active_count() > 1:
        print(f"{threading.active_count()} threads run where commands are forked", file=sys.stderr)
    if options.case is not None:
        return _one(options, folder, baseline)
    tried = _in_parallel(options, folder, baseline)
    facts = facts_of(options, tried, baseline, time.monotonic() - started)
    print(json.dumps(facts, indent=2) if options.json else report(facts))
    return int(bool(facts["findings"]))


def _readable() -> list[Path]:
    """What of this machine Python and evonet need."""
    return [Path(sys.base_prefix), Path(sys.prefix), HERE.parents[2] / "evonet", HERE.parent]


def _one(options: argparse.Namespace, folder: Path, baseline: dict[str, float]) -> int:
    room = _new_room(folder / "job-0")
    tried = attempt(options.case, options.seed, room, baseline)
    print(f"planted: {tried.plant}: {tried.planted}")
    print(f"command: evonet {' '.join(room.arguments(tried.command))}")
    print(f"status {tried.outcome.status}, {tried.outcome.seconds:.2f} s, {tried.outcome.memory / 1e6:.0f} MB")
    print(f"stdout: {tried.outcome.stdout[:3000]!a}\nstderr: {tried.outcome.stderr[:3000]!a}\n{tried.outcome.crash}")
    for found in tried.found:
        print(f"FOUND {found.kind}: {found.detail}\n{found.text}")
    return int(bool(tried.found))


def facts_of(
    options: argparse.Namespace, tried: list[Tried], baseline: dict[str, float], seconds: float
) -> dict[str, Any]:
    """What was tried and what was found, as plain data."""
    import evonet

    groups: dict[tuple[str, str], list[Found]] = {}
    for done in tried:
        for found in done.found:
            groups.setdefault((found.kind, found.detail), []).append(found)
    return {
        "seed": options.seed,
        "commands": len(tried),
        "jobs": options.jobs,
        "room": options.room,
        "evonet": evonet.__version__,
        "python": platform.python_version(),
        "seconds": round(seconds, 1),
        "plants": {
            name: {
                "commands": len(those := [done for done in tried if done.plant == name]),
                "different": len({done.planted for done in those}),
                "accepted": sum(done.outcome.status == 0 for done in those),
                "refused": sum(done.outcome.status in DOCUMENTED - {0} for done in those),
                "wrong": sum(bool(done.found) for done in those),
            }
            for name in PLANTS
        },
        "calls": {
            name: {
                "commands": len(those := [done for done in tried if done.command == name]),
                "usual_seconds": round(baseline[name], 2),
                "most_seconds": round(max((d.outcome.seconds for d in those if not d.real), default=0.0), 2),
                "most_megabytes": round(max((d.outcome.memory for d in those if not d.real), default=0) / 1e6),
                "wrong": sum(bool(done.found) for done in those),
            }
            for name in COMMANDS
        },
        "real": {
            "commands": sum(done.real for done in tried),
            "most_seconds": round(max((done.outcome.seconds for done in tried if done.real), default=0.0), 2),
            "most_megabytes": round(max((done.outcome.memory for done in tried if done.real), default=0) / 1e6),
        },
        "findings": [
            {
                "kind": kind,
                "detail": detail,
                "times": len(those),
                "planted": those[0].planted,
                "command": those[0].command,
                "text": those[0].text,
                "repeat": f"python experiments/reliability/hostile.py --seed {options.seed} --case {those[0].case}",
            }
            for (kind, detail), those in sorted(groups.items(), key=lambda item: (item[0][0], -len(item[1])))
        ],
    }


def report(facts: dict[str, Any]) -> str:
    """The same for people."""
    lines = [
        f"{facts['commands']} commands, seed {facts['seed']}, {facts['jobs']} at once, {facts['seconds']:.0f} s",
        f"evonet {facts['evonet']}, Python {facts['python']}",
        f"room: {facts['room']}",
        "",
        f"{'planted in':32}{'commands':>10}{'different':>10}{'accepted':>10}{'refused':>10}{'wrong':>8}",
    ]
    lines += [
        f"{name:32}{row['commands']:10}{row['different']:10}{row['accepted']:10}{row['refused']:10}{row['wrong']:8}"
        for name, row in facts["plants"].items()
    ]
    lines += ["", f"{'opened by evonet':32}{'commands':>10}{'usual s':>10}{'most s':>10}{'most MB':>10}{'wrong':>8}"]
    lines += [
        f"{name:32}{row['commands']:10}{row['usual_seconds']:10.2f}{row['most_seconds']:10.2f}"
        f"{row['most_megabytes']:10}{row['wrong']:8}"
        for name, row in facts["calls"].items()
    ]
    real = facts["real"]
    lines += [
        "",
        f"{real['commands']} of them as processes of their own, which import evonet",
        f"at most {real['most_seconds']} s and {real['most_megabytes']} MB",
    ]
    counts = Counter(
        dict.fromkeys(("traceback", TOUCHED, READ, "secret shown", "waits for ever", "processor time", "memory"), 0)
    )
    for finding in facts["findings"]:
        counts[finding["kind"]] += finding["times"]
    lines += ["", "found: " + ", ".join(f"{count} × {kind}" for kind, count in counts.items())]
    for finding in facts["findings"]:
        lines += [
            "",
            f"{finding['kind']}, {finding['times']} times: {finding['detail']}",
            f"  {finding['command']}, {finding['planted'][:150]!a}",
            f"  {finding['text'].strip().splitlines()[-1][:150]!a}" if finding["text"].strip() else "  (no words)",
            f"  {finding['repeat']}",
        ]
    return "\n".join(lines)


def main() -> int:
    """Build the room, and go in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0, help="of what is planted")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="commands at once")
    parser.add_argument("--case", type=int, help="only this one, and show it")
    parser.add_argument("--folder", type=Path, help="an empty folder to work in, which is kept")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--room", help=argparse.SUPPRESS)
    parser.add_argument("--namespaces", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.room:
        return inside(options)
    memory = Path("/dev/shm")
    folder = options.folder or Path(tempfile.mkdtemp(prefix="hostile-", dir=memory if memory.is_dir() else None))
    folder = folder.resolve()
    folder.mkdir(exist_ok=True)
    (folder / "root").mkdir()
    if os.getuid() == 0:
        os.chown(folder, sandbox.NOBODY, sandbox.NOBODY)
    prefix, room = sandbox.command(folder)
    print(f"room: {room}", file=sys.stderr)
    arguments = [*sys.argv[1:], "--room", room, "--folder", str(folder), *(["--namespaces"] if prefix else [])]
    try:
        return subprocess.run([*prefix, sys.executable, str(HERE), *arguments], check=False).returncode
    finally:
        if not options.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
