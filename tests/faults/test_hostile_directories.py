"""Whatever a stranger puts into a run directory, each command answers in words, and touches nothing outside it.

These are a few cases of `experiments/reliability/hostile.py`, in this process. The program itself tries thousands, as
an unprivileged user in namespaces of its own, with limits to processor time and memory.
"""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import sys
import traceback
from pathlib import Path

import pytest

from evonet.cli import main
from tests.experiment.test_study import here
from tests.stopped_runs import EAGER, SMALL, config_for, run_stopped, run_whole

PROGRAMS = Path(__file__).parents[2] / "experiments" / "reliability"
CARTPOLE = (
    "environment: {id: CartPole-v1, max_steps: 30}\nnetwork: {hidden: 2}\n"
    + SMALL.replace("{episodes: 4}", "{episodes: 4, archive_episodes: 2}")
    + "measures: {position: {of: observation, index: 0, take: last}}\n"
    "archive: {type: grid, ranges: {position: [-1, 1]}, cells: [10]}\n"
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the program looks into /proc")


@pytest.fixture(scope="module")
def hostile():
    sys.path.insert(0, str(PROGRAMS))
    try:
        import hostile
    finally:
        sys.path.remove(str(PROGRAMS))
    return hostile


@pytest.fixture(scope="module")
def sound(hostile, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    run_whole(folder, CARTPOLE, "name=hostile")
    run_stopped(folder, CARTPOLE, *EAGER, "name=hostile", after=2)
    here(config_for(folder, CARTPOLE, "stop.generations=2", "name=hostile"), range(2), folder / "study")
    hostile.add_faults(folder / "whole")
    return folder


@pytest.fixture
def room(hostile, sound, tmp_path, monkeypatch):
    room = hostile.Room(tmp_path / "room", sound)
    monkeypatch.chdir(room.work)
    return room


@contextlib.contextmanager
def limits():
    """Half a minute, and 500 MB more than this process has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits for ever"))
    resource.setrlimit(resource.RLIMIT_AS, (used + 500_000_000, hard))
    signal.alarm(30)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def called(hostile, arguments, capfd):
    crash = ""
    try:
        with limits():
            status = main(arguments)
    except Exception:  # noqa: BLE001
        status, crash = 1, traceback.format_exc()
    printed = capfd.readouterr()
    return hostile.Outcome(status, printed.out, printed.err, crash)


def assert_harmless(hostile, room, command, capfd):
    outside = room.outside()
    outcome = called(hostile, room.arguments(command), capfd)
    assert list(hostile.faults_of(outcome, command, 0.0)) == []
    assert hostile.SECRET not in outcome.stdout + outcome.stderr
    assert room.outside() == outside
    return outcome


@pytest.mark.parametrize("number", range(40))
def test_odd_values_and_files_are_refused_with_a_message(number, hostile, room, capfd):
    plant, turn, command, rng = hostile.case_of(number, 5)
    if command in {"inspect --html", "replay --gif", "compare --html"}:  # which take seconds
        command = "inspect --json"
    kind, _, function = hostile.PLANTS[plant]
    room.prepare(kind)
    function(room.run, room.decoys, turn, rng)
    assert_harmless(hostile, room, command, capfd)


def test_json_on_a_terminal_has_no_character_that_the_terminal_obeys(hostile, room, capfd):
    from hostile_files import HOSTILE

    room.prepare("whole")
    for name in ("run.json", "config.yaml"):
        text = (room.run / name).read_text(encoding="utf-8")
        escaped = json.dumps(HOSTILE)
        replaced = text.replace('"name": "hostile"', f'"name": {escaped}').replace("name: hostile", f"name: {escaped}")
        assert replaced != text
        (room.run / name).write_text(replaced, encoding="utf-8")
    outcome = assert_harmless(hostile, room, "inspect --json", capfd)
    assert outcome.status == 0
    assert json.dumps(HOSTILE) in json.dumps(json.loads(outcome.stdout))


@pytest.mark.parametrize("file", ["timing.jsonl", "run.json", ".lock", "checkpoints"])
def test_nothing_is_followed_written_or_removed_through_a_link(file, hostile, room, capfd):
    for target in ("profile", "folder", "not-there", f"sound-{file}"):
        room.prepare("whole")
        if (room.run / file).is_dir():
            shutil.rmtree(room.run / file)
        else:
            (room.run / file).unlink()
        (room.run / file).symlink_to(room.decoys / target)
        for command in ("resume --set", "inspect"):
            assert_harmless(hostile, room, command, capfd)


@pytest.mark.parametrize("kind", ["a FIFO", "a socket", "a sparse file of 10 GB", "a link to an endless device"])
@pytest.mark.parametrize("file", ["run.json", "metrics.jsonl", "checkpoints/generation-00000002.npz"])
def test_other_files_are_not_read(kind, file, hostile, room, capfd):
    from hostile_files import SPECIAL

    room.prepare("stopped")
    (room.run / file).unlink(missing_ok=True)
    SPECIAL[kind](room.run / file, room.decoys)
    os.chdir(room.work)
    for command in ("inspect", "resume"):
        assert_harmless(hostile, room, command, capfd)


def test_every_plant_changes_something_and_the_same_case_is_the_same(hostile, room):
    for plant, (kind, _, function) in hostile.PLANTS.items():
        said = []
        for _ in range(2):
            room.prepare(kind)
            before = hostile.written(room.run)
            said.append(function(room.run, room.decoys, 3, random.Random(4)))
            assert hostile.written(room.run) != before, plant
        assert said[0] == said[1]
    assert json.dumps([hostile.case_of(n, 1)[:3] for n in range(9)]) == json.dumps(
        [hostile.case_of(n, 1)[:3] for n in range(9)]
    )
