"""FAULTS.md, rows 29 and 30: champion files, checkpoints and run directories that a stranger wrote."""

import functools
import io
import json
import os
import pickle
import shutil
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from evonet import Champion
from evonet.cli import main
from evonet.errors import CheckpointError, ConfigError
from evonet.evaluation.task_descriptions import CHAMPION_LIMITS
from evonet.experiment.run_files import checkpoint as checkpoint_files
from evonet.experiment.run_files.checkpoint import Checkpoint, checkpoints_in
from evonet.files.archive import pack_archive, pack_state, read_archive, read_state
from evonet.files.bounded import reading
from tests.environments_for_tests import MODULE
from tests.files import test_archive as champions
from tests.files import test_state as states
from tests.stopped_runs import EAGER, FUNCTION, SMALL, all_files, run_stopped, run_whole

HUGE = 10**10
CARTPOLE = f"environment: {{id: CartPole-v1, max_steps: 30}}\nnetwork: {{hidden: 2}}\n{SMALL}"


class Evil:
    """Leaves a mark when it is unpickled."""

    def __reduce__(self):
        return os.mkdir, ("pwned",)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A finished run, and one that was stopped."""
    folder = tmp_path_factory.mktemp("runs")
    run_whole(folder, CARTPOLE)
    run_stopped(folder, CARTPOLE, *EAGER, after=3)
    return folder


@pytest.fixture
def folder(runs, tmp_path, monkeypatch):
    """Copies of both, where marks would be left."""
    for name in ("whole", "stopped"):
        shutil.copytree(runs / name, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def champion_header(folder):
    with reading(folder / "whole/champion.npz") as file:
        return read_archive(file, CHAMPION_LIMITS)[0]


def plain_numpy(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def champion_member(name, content):
    return lambda folder: champions.forged(
        [champions.text(json.dumps(champion_header(folder)).encode()), (name, content)]
    )


OBJECTS = np.array([Evil()], dtype=object)
FORGED_CHAMPIONS = {
    "pickle bytes": lambda _: pickle.dumps(Evil()),
    "an archive of pickles": lambda _: plain_numpy(header=OBJECTS, genome=OBJECTS),
    "pickle bytes as an array": champion_member("genome.npy", pickle.dumps(Evil())),
    "an object array": champion_member("genome.npy", champions.npy(OBJECTS, allow_pickle=True)),
    "a header that lies about a length": champion_member("genome.npy", champions.said(champions.OURS % f"({HUGE},)")),
    "a member that leads out": champion_member("../genome.npy", champions.npy([1.0])),
    "a zip bomb": lambda _: champions.forged(
        [champions.PLAIN, ("genome.npy", champions.npy(np.zeros(1 << 24)))], zipfile.ZIP_DEFLATED
    ),
    "networks beyond all memory": lambda folder: pack_archive(
        {**champion_header(folder), "architecture": {**champion_header(folder)["architecture"], "num_hidden": HUGE}},
        {"genome": np.zeros(16)},
        CHAMPION_LIMITS,
    ),
    "many lists": lambda _: champions.forged([champions.text(b'{"a": [' + b"[]," * 50_000 + b"[]]}")]),
    "nothing": lambda _: b"",
}
FORGED_CHECKPOINTS = {
    "pickle bytes": lambda: pickle.dumps(Evil()),
    "an archive of pickles": lambda: plain_numpy(header=OBJECTS, array_0=OBJECTS),
    "a zip bomb": lambda: states.archive(
        states.listed(kind=checkpoint_files.FORMAT),
        zipfile.ZIP_DEFLATED,
        array_0_npy=states.npy((1 << 24,), bytes(8 << 24)),
    ),
    "millions of lists": lambda: states.archive(b'{"state": [' + b"[]," * 5_000_000 + b'[]], "arrays": []}'),
} | {
    kind: lambda kind=kind: states.FORGED[kind]
    for kind in (
        "a header that claims ten thousand million numbers",
        "an object array",
        "pickle bytes",
        "a member outside",
        "a header that is nested",
    )
}


class Watched:
    """Inside, little memory may be taken and no code of a file may run; nor may it take a quarter of a minute.

    Half a second is what these files take while memory is traced; a busy machine takes a few times that.
    """

    def __init__(self, folder):
        self._folder = folder

    def __enter__(self):
        tracemalloc.start()
        self._started = time.process_time()

    def __exit__(self, *_):
        seconds, peak = time.process_time() - self._started, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert not (self._folder / "pwned").exists()
        assert not list(self._folder.parent.glob("genome*"))
        assert peak < 100_000_000
        assert seconds < 15


@pytest.mark.parametrize("kind", FORGED_CHAMPIONS)
def test_fault_29_hostile_champion(kind, folder, capsys):
    path = folder / "whole/champion.npz"
    path.write_bytes(FORGED_CHAMPIONS[kind](folder))
    with Watched(folder), pytest.raises(ConfigError) as refused:
        Champion.load(path)
    assert str(refused.value).startswith(f"{path}: ")
    for command in (
        ["inspect", "whole"],
        ["export", "whole", "--to", "json", "out.json"],
        ["compare", "whole", "stopped"],
    ):
        with Watched(folder):
            assert main(command) in {0, 2}, command
        assert "champion.npz: " in capsys.readouterr().err or command[0] == "compare"
    assert not (folder / "out.json").exists()


@pytest.mark.parametrize("kind", FORGED_CHECKPOINTS)
def test_fault_29_hostile_checkpoint(kind, folder, capsys):
    paths = checkpoints_in(folder / "stopped")
    content = FORGED_CHECKPOINTS[kind]()
    for path in paths:
        path.write_bytes(content)
    with Watched(folder), pytest.raises(CheckpointError) as refused:
        Checkpoint.load(paths[0])
    assert str(refused.value).startswith(f"{paths[0]}: ")
    before = all_files(folder / "stopped")
    with Watched(folder):
        assert main(["resume", "stopped"]) == 1
    assert "no checkpoint can be used; nothing was changed" in capsys.readouterr().err
    assert all_files(folder / "stopped") == before
    with Watched(folder):
        assert main(["inspect", "stopped"]) in {0, 2}


@pytest.mark.parametrize(
    ("part", "value"),
    [
        (("config", "seed"), np.arange(3)),
        (("journals", "metrics", "rest"), "touch pwned\n"),
        (("journals", "metrics", "checksum"), -1),
        (("journals", "metrics", "length"), 10**20),
        (("state", "evolution", "generations"), -4),
        (("state", "evolution", "algorithm", "generation"), -4),
        (("state", "stop", "spent"), {"generations": 1}),
        (("state", "evolution", "algorithm", "genomes"), np.zeros((8, 3))),
    ],
    ids=lambda part: part[-1] if isinstance(part, tuple) else "",
)
def test_fault_29_a_checkpoint_that_is_sound_but_makes_no_sense_is_refused_before_anything_changes(
    part, value, folder, capsys
):
    for path in checkpoints_in(folder / "stopped"):
        with reading(path) as file:
            content = read_state(file, checkpoint_files.FORMAT, checkpoint_files.LIMITS)
        *way, last = part
        functools.reduce(lambda node, step: node[step], way, content)[last] = value
        path.write_bytes(pack_state(checkpoint_files.FORMAT, content, checkpoint_files.LIMITS))
    before = all_files(folder / "stopped")
    assert main(["resume", "stopped"]) == 1
    assert "nothing was changed" in capsys.readouterr().err
    assert all_files(folder / "stopped") == before


HOSTILE = "../../x\x1b]0;pwned\x07 <script>alert(1)</script>\u202e\r\nSolved: the champion scores 500"
ESCAPED = r"../../x\x1b]0;pwned\x07 <script>alert(1)</script>\u202e\r\nSolved: the champion scores 500"


def test_fault_30_hostile_text_in_a_config_moves_neither_files_nor_the_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "c.yaml"
    path.write_text(f"name: {json.dumps(HOSTILE)}\n{CARTPOLE.replace('name: small', '')}", encoding="utf-8")
    assert main(["run", str(path)]) == 0
    (run,) = (tmp_path / "runs").iterdir()
    assert run.name.startswith(".._.._x")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["c.yaml", "runs"]
    said = capsys.readouterr()
    assert said.out.startswith(f"Tested  {ESCAPED[:70]}")
    assert_harmless(said.out)
    assert main(["inspect", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == HOSTILE


@pytest.mark.parametrize("command", [["inspect", "whole"], ["compare", "whole", "other"]], ids=lambda c: c[0])
def test_fault_30_hostile_text_in_a_run_directory_does_not_reach_the_terminal(command, folder, capsys):
    for name in ("run.json", "config.yaml"):
        path = folder / "whole" / name
        text = path.read_text(encoding="utf-8").replace("name: small", f"name: {json.dumps(HOSTILE)}")
        path.write_text(text.replace('"small"', json.dumps(HOSTILE)), encoding="utf-8")
    shutil.copytree(folder / "whole", folder / "other")
    assert main(command) == 0
    said = capsys.readouterr().out
    assert_harmless(said)


def test_fault_30_hostile_text_of_an_environment_does_not_reach_the_terminal(tmp_path, capsys):
    text = f"fitness: {{type: '{MODULE}:failing'}}\n{FUNCTION.splitlines()[1]}\n{SMALL}"
    run = run_whole(tmp_path, text, "faults.max_share=1.0")
    journal = run / "faults.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines()
    fault = {**json.loads(lines[0]), "message": HOSTILE, "traceback": HOSTILE}
    journal.write_text(json.dumps(fault) + "\n", encoding="utf-8")
    assert main(["replay", str(run), "--fault", "0", "--allow-import", MODULE]) == 0
    said = capsys.readouterr().out
    assert r"\x1b]0;pwned\x07" in said
    assert_harmless(said)


def assert_harmless(text):
    assert all(character.isprintable() or character == "\n" for character in text)
    assert "\nSolved: the champion scores 500" not in text
