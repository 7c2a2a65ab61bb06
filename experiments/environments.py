"""Does evonet run environments that its authors did not write, and how fast?

Question: on environments of Gymnasium and of third-party packages, what do `evonet check`, `run`, `inspect --html`,
          `replay --gif` and `export --to onnx` answer, each within a time limit; and how many steps a second does
          evonet's engine take, against a bare loop of `env.step`?
Command:  python experiments/environments.py [--only TEXT] [--json] [--write]
Finding:  the table in experiments/environments.md, which `--write` writes.

The packages are those of environments-requirements.txt, in a virtual environment of their own. An environment whose
package is not installed is left out, and the output says so.

The bare loop steps an instance as evonet makes it, with the config's wrappers and without Gymnasium's own. It takes
the actions that up to 16 networks with random weights take in an episode, recorded before; the engine runs the same
networks in the same episodes. Both run in one process of their own, in turns; the speed is that of the processor time.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from evonet import EpisodeReturn

HERE = Path(__file__).resolve()
TABLE = HERE.with_suffix(".md")
BUDGET = """
network: {hidden: 4}
algorithm: {population_size: 4, elites: 1}
evaluation: {episodes: 1, workers: 1}
validation: {episodes: 2}
test: {episodes: 3}
stop: {generations: 2, target: null}
"""
COMMANDS = ("check", "run", "html", "gif", "onnx")
SEED = 5
ROUNDS, SECONDS_OF_A_TURN, SECONDS_OF_EPISODES = 3, 0.7, 2.0
LONGEST_WORDS = 400
INTRODUCTION = """\
`python experiments/environments.py --write` wrote this file on {date}, at commit {commit}, with Python {python} on
{processor}, {cores} cores that had other work too. Each environment was given the commands `check`, `run`,
`inspect --html` (html), `replay --gif` (gif) and `export --to onnx` (onnx), {limit:g} seconds each, with 4 hidden
neurons, 4 individuals and 2 generations; the rest of each config is in the program.

Of {rows} environments of {packages} packages, {ran} run, and {whole} of these have every file too. Under a command
stands the processor time that it took in seconds, its start included; a dash means that it did not do what it should.
`bare` and `evonet` are steps per second of processor time: of a bare `env.step` loop that replays the actions of random
networks, and of evonet's engine, which runs these networks in the same episodes; `share` is the second over the first.\
"""


@dataclass(frozen=True)
class Case:
    """An environment, as a config says it.

    Attributes:
        name: name of the row.
        environment: the value of `environment` in the config, as YAML.
        package: the distribution that has the environment.
        kind: what is particular about its spaces or its rewards.
    """

    name: str
    environment: str
    package: str = "gymnasium"
    kind: str = ""

    @property
    def module(self) -> str:
        """The module that is allowed and imported; "" for Gymnasium's own environments."""
        found = re.search(r"id: '?([\w.]+):", self.environment)
        return found[1] if found else ""

    @property
    def installed(self) -> bool:
        """Whether the module can be imported here."""
        return not self.module or importlib.util.find_spec(self.module.partition(".")[0]) is not None


CASES = (
    Case("Blackjack-v1", "{id: Blackjack-v1}", kind="Tuple of Discrete; no time limit"),
    Case("Taxi-v4", "{id: Taxi-v4}", kind="Discrete(500)"),
    Case(
        "BipedalWalker-v3",
        "{id: BipedalWalker-v3, max_steps: 200, hard_reset: true}",
        kind="Box2D; keeps state over resets",
    ),
    Case("CarRacing-v3", "{id: CarRacing-v3, max_steps: 30}", kind="picture 96×96×3"),
    Case("HalfCheetah-v5", "{id: HalfCheetah-v5, max_steps: 200}", kind="MuJoCo"),
    Case("Humanoid-v5", "{id: Humanoid-v5, max_steps: 100}", kind="MuJoCo, 348 inputs"),
    Case(
        "ALE/Pong-v5, RAM", "{id: 'ale_py:ALE/Pong-v5', kwargs: {obs_type: ram}, max_steps: 200}", "ale-py", "128 bytes"
    ),
    Case("ALE/Breakout-v5", "{id: 'ale_py:ALE/Breakout-v5', max_steps: 60}", "ale-py", "picture 210×160×3"),
    Case("MiniGrid-Empty-5x5-v0", "{id: 'minigrid:MiniGrid-Empty-5x5-v0'}", "minigrid", "Dict with a text"),
    Case(
        "MiniGrid-Empty-5x5-v0, flat",
        "{id: 'minigrid:MiniGrid-Empty-5x5-v0', wrappers: [{name: 'minigrid.wrappers:FlatObsWrapper'}]}",
        "minigrid",
        "2,835 bytes by a wrapper",
    ),
    Case(
        "BabyAI-GoToLocalS5N2-v0, image",
        "{id: 'minigrid:BabyAI-GoToLocalS5N2-v0', wrappers: [{name: 'minigrid.wrappers:ImgObsWrapper'}]}",
        "minigrid",
        "7×7×3 by a wrapper",
    ),
    Case("highway-v0", "{id: 'highway_env:highway-v0', max_steps: 5}", "highway-env", "slow: a few steps a second"),
    Case("highway-fast-v0", "{id: 'highway_env:highway-fast-v0'}", "highway-env", "25 numbers"),
    Case("parking-v0", "{id: 'highway_env:parking-v0'}", "highway-env", "Dict with a goal"),
    Case(
        "intersection-multi-agent-v0",
        "{id: 'highway_env:intersection-multi-agent-v0'}",
        "highway-env",
        "Tuples of two agents",
    ),
    Case("FetchReach-v4", "{id: 'gymnasium_robotics:FetchReach-v4'}", "gymnasium-robotics", "Dict with a goal, MuJoCo"),
    Case(
        "AdroitHandPen-v1",
        "{id: 'gymnasium_robotics:AdroitHandPen-v1', max_steps: 100}",
        "gymnasium-robotics",
        "24 actions, MuJoCo",
    ),
    Case("PandaReach-v3", "{id: 'panda_gym:PandaReach-v3'}", "panda-gym", "Dict with a goal, PyBullet"),
    Case(
        "FlappyBird-v0",
        "{id: 'flappy_bird_gymnasium:FlappyBird-v0', kwargs: {use_lidar: false}}",
        "flappy-bird-gymnasium",
        "no time limit",
    ),
    Case("deep-sea-treasure-v0", "{id: 'mo_gymnasium:deep-sea-treasure-v0'}", "mo-gymnasium", "vector of rewards"),
    Case(
        "deep-sea-treasure-v0, weighted",
        "{id: 'mo_gymnasium:deep-sea-treasure-v0', wrappers: ["
        "{name: 'mo_gymnasium.wrappers:LinearReward', kwargs: {weight: [0.9, 0.1]}}]}",
        "mo-gymnasium",
        "weighted rewards by a wrapper",
    ),
    Case("popgym-RepeatPreviousEasy-v0", "{id: 'popgym:popgym-RepeatPreviousEasy-v0'}", "popgym", "no pictures"),
    Case("stocks-v0", "{id: 'gym_anytrading:stocks-v0', max_steps: 200}", "gym-anytrading", "data frame"),
    Case("PushT-v0", "{id: 'gym_pusht:gym_pusht/PushT-v0', max_steps: 100}", "gym-pusht", "continuous"),
    Case(
        "Tetris",
        "{id: 'tetris_gymnasium.envs:tetris_gymnasium/Tetris', max_steps: 100}",
        "tetris-gymnasium",
        "Dict of pictures",
    ),
)


@dataclass
class Step:
    """What one command did.

    Attributes:
        status: its exit status; None if it took longer than the limit.
        seconds: processor time that it took.
        words: evonet's words, if it did not end as it should.
    """

    status: int | None
    seconds: float
    words: str = ""


@dataclass
class Row:
    """What was found for a case: its commands by name, and steps a second of the bare loop and of evonet."""

    case: Case
    steps: dict[str, Step] = field(default_factory=dict)
    network: str = ""
    bare: float | None = None
    evonet: float | None = None
    without_speed: str = ""


def examined(case: Case, limit: float) -> Row:
    """Run all commands for a case in a temporary folder, each for at most `limit` seconds."""
    row = Row(case)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "config.yaml").write_text(f"environment: {case.environment}\n{BUDGET}", encoding="utf-8")
        allow = [word for module in allowed(case) for word in ("--allow-import", module)]
        for step, arguments in commands(allow).items():
            row.steps[step] = evonet(arguments, folder, limit)
            if step == "run" and row.steps["run"].status != 0:
                return row
        row.network = network(folder, limit)
        _speed(row, folder, limit)
    return row


def commands(allow: Sequence[str]) -> dict[str, list[str]]:
    """The arguments of evonet's commands, in their order; `allow` has the options that allow imports."""
    return {
        "check": ["check", "config.yaml", *allow],
        "run": ["run", "config.yaml", "--output", "run", "--quiet", "--json", *allow],
        "html": ["inspect", "run", "--html", *allow],
        "gif": ["replay", "run", "--gif", "champion.gif", *allow],
        "onnx": ["export", "run", "--to", "onnx", "champion.onnx"],
    }


def allowed(case: Case) -> list[str]:
    """Modules that the config imports."""
    return [case.module] if case.module else []


def evonet(arguments: Sequence[str], folder: Path, limit: float) -> Step:
    """What a command of evonet does in a folder."""
    before = _seconds_of_children()
    status, output, errors = _process([sys.executable, "-m", "evonet", *arguments], folder, limit)
    step = Step(status, round(_seconds_of_children() - before, 1))
    if status is None:
        step.words = f"longer than {limit:g} s"
    elif status != 0:
        step.words = words_of(errors + "\n" + output, folder)
    return step


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _process(command: Sequence[str], folder: Path, limit: float) -> tuple[int | None, str, str]:
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, errors = process.communicate()
        return None, output, errors
    return process.returncode, output, errors


def words_of(text: str, folder: Path) -> str:
    """The sentence of a command's output that says what is wrong, without paths of this machine."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = [line for line in lines if line.startswith(("evonet: ", "not fit", "error: "))] or lines[-1:]
    if "Traceback (most recent call last):" in text:
        found = [f"TRACEBACK {lines[-1]}"]
    words = " / ".join(dict.fromkeys(found)).replace(f"{folder}/", "").replace("evonet: ", "")
    words = re.sub(r"/\S*/site-packages/", "", words)
    words = re.sub(r"\bat 0x[0-9a-f]+", "at …", words)  # an address, which differs each time
    return words if len(words) <= LONGEST_WORDS else words[: LONGEST_WORDS - 1] + "…"


def network(folder: Path, limit: float) -> str:
    """The sizes of a run's network, as `27648-4-3`."""
    _, output, _ = _process([sys.executable, "-m", "evonet", "inspect", "run"], folder, limit)
    found = re.search(r"^Network (\d+-\d+-\d+)", output, flags=re.MULTILINE)
    return found[1] if found else ""


def _speed(row: Row, folder: Path, limit: float) -> None:
    command = [sys.executable, str(HERE), "--speed", str(folder / "config.yaml"), *allowed(row.case)]
    status, output, errors = _process(command, folder, limit)
    if status == 0:
        measured = json.loads(output.splitlines()[-1])
        row.bare, row.evonet = measured["bare"], measured["evonet"]
    else:
        row.without_speed = f"longer than {limit:g} s" if status is None else words_of(errors, folder)


def speed(config: Path, modules: Sequence[str]) -> dict[str, float]:
    """Median steps per processor second of a bare loop and of evonet's engine, in turns on the same episodes."""
    from evonet import EpisodeReturn
    from evonet.experiment.config import Config

    specification = Config.load(str(config), (), modules).settings.environment.build()
    fitness = EpisodeReturn(specification, hidden=4, episodes=1, engine="gymnasium")
    genomes = np.random.default_rng(1).standard_normal((16, fitness.architecture.genome_size))
    environment = fitness.task.make_environment()
    episodes = _episodes(fitness, environment, genomes)
    replayed = cycle(episodes)

    def bare() -> int:
        actions = next(replayed)
        environment.reset(seed=SEED)
        for action in actions:
            environment.step(action)
        return len(actions)

    def engine() -> int:
        return fitness(genomes[: len(episodes)], np.array([SEED])).steps

    speeds: dict[str, list[float]] = {"bare": [], "evonet": []}
    for turn in range(ROUNDS + 1):  # the first makes instances, and is not counted
        for name, work in (("bare", bare), ("evonet", engine)):
            start, deadline, done = time.process_time(), time.monotonic() + SECONDS_OF_A_TURN * (turn > 0), 0
            while done == 0 or time.monotonic() < deadline:
                done += work()
            if turn:
                speeds[name].append(done / max(time.process_time() - start, 1e-9))
    return {name: float(np.median(found)) for name, found in speeds.items()}


def _episodes(fitness: EpisodeReturn, environment: Any, genomes: Any) -> list[list[Any]]:
    """The actions of networks in an episode, a list for each network, as many as some seconds allow."""
    from evonet import Champion

    episodes: list[list[Any]] = []
    deadline = time.monotonic() + SECONDS_OF_EPISODES
    while len(episodes) < len(genomes) and (not episodes or time.monotonic() < deadline):
        policy = Champion(fitness.architecture, genomes[len(episodes)], task=fitness.task).policy
        observation, _ = environment.reset(seed=SEED)
        actions: list[Any] = []
        ended = False
        while not ended and len(actions) < fitness.task.max_steps:
            actions.append(policy.act(observation))
            observation, _, terminated, truncated, _ = environment.step(actions[-1])
            ended = terminated or truncated
        episodes.append(actions)
    return episodes


def markdown(rows: Sequence[Row], left_out: Sequence[Case], circumstances: dict[str, Any]) -> str:
    """The document: what was run, the table, and evonet's words where something did not go."""
    ran = [row for row in rows if row.steps["run"].status == 0]
    whole = [row for row in ran if all(step.status == 0 for step in row.steps.values())]
    missing = ", ".join(case.name for case in left_out)
    said = [f"* {row.case.name}, {_listed(names)}: {_escaped(words)}" for row in rows for words, names in _words(row)]
    versions = ", ".join(f"{name} {version}" for name, version in circumstances["versions"].items())
    return "\n".join(
        [
            "# Environments that evonet's authors did not write",
            "",
            INTRODUCTION.format(
                **circumstances,
                rows=len(rows),
                ran=len(ran),
                whole=len(whole),
                packages=len({row.case.package for row in rows}),
            ),
            "",
            "| environment | what is particular | network | " + " | ".join(COMMANDS) + " | bare | evonet | share |",
            "| --- " * (6 + len(COMMANDS)) + "|",
            *(_line(row) for row in rows),
            *(["", "What did not go, in evonet's words:", "", *said] if said else []),
            *(["", f"Not installed, so left out: {missing}."] if missing else []),
            "",
            f"Versions: {versions}.",
            "",
        ]
    )


def _line(row: Row) -> str:
    cells = [row.case.name, row.case.kind, row.network]
    for name in COMMANDS:
        step = row.steps.get(name)
        cells.append("" if step is None else f"{step.seconds:.1f}" if step.status == 0 else "–")
    cells += [f"{speed:,.0f}" if speed else "" for speed in (row.bare, row.evonet)]
    cells.append(f"{row.evonet / row.bare:.2f}" if row.bare and row.evonet else "")
    return "| " + " | ".join(cells) + " |"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _words(row: Row) -> Iterable[tuple[str, list[str]]]:
    """What did not go, with the commands that said so."""
    found: dict[str, list[str]] = {}
    for name, step in row.steps.items():
        if step.words:
            found.setdefault(step.words, []).append(name)
    if row.without_speed:
        found.setdefault(row.without_speed, []).append("speed")
    return found.items()


def _escaped(words: str) -> str:
    return re.sub(r"([|<>*_`\[\]])", r"\\\1", words)


def run_with(limit: float) -> dict[str, Any]:
    """Versions, machine and limits of this measurement."""
    packages = ["evonet-toolkit", "numpy", "mujoco", *dict.fromkeys(case.package for case in CASES)]
    versions = {}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    commit = subprocess.run(
        ["git", "rev-parse", "--short=7", "HEAD"], cwd=HERE.parent, capture_output=True, text=True, check=False
    ).stdout.strip()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit or "unknown",
        "python": platform.python_version(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "limit": limit,
        "versions": versions,
    }


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="TEXT", help="only environments whose name has this text")
    parser.add_argument(
        "--limit", type=float, default=180.0, metavar="SECONDS", help="time limit of a command (default: 180)"
    )
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON document")
    parser.add_argument("--write", action="store_true", help=f"write {TABLE.name}")
    parser.add_argument(
        "--speed", nargs="+", help=argparse.SUPPRESS
    )  # CONFIG MODULE…: measured in a process of its own
    options = parser.parse_args()
    if options.speed:
        config, *modules = options.speed
        print(json.dumps(speed(Path(config), modules)))
        return
    chosen = [case for case in CASES if options.only.lower() in case.name.lower()]
    rows = []
    for case in chosen:
        if case.installed:
            rows.append(examined(case, options.limit))
            print(_line(rows[-1]), *(words for words, _ in _words(rows[-1])), sep="\n    ", file=sys.stderr, flush=True)
    circumstances = run_with(options.limit)
    document = markdown(rows, [case for case in chosen if not case.installed], circumstances)
    if options.write:
        TABLE.write_text(document, encoding="utf-8")
    if options.json:
        print(json.dumps({"run_with": circumstances, "environments": [asdict(row) for row in rows]}, indent=2))
    else:
        print(document, end="")


if __name__ == "__main__":
    main()
