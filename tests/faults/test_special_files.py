"""Run directories of strangers with links, pipes, and files of holes in place of a run's own files.

Every command refuses them at once, touches nothing outside the run directory and, before it refuses, nothing in it.
"""

import os
import shutil
import time

import pytest

from evonet.cli import main
from tests.environments_for_tests import MODULE
from tests.stopped_runs import EAGER, FUNCTION, SMALL, all_files, run_stopped, run_whole

COMMANDS = {
    "resume": lambda run: ["resume", run, "--allow-import", MODULE],
    "inspect": lambda run: ["inspect", run],
    "inspect --html": lambda run: ["inspect", run, "--html", f"{run}.html"],
    "export": lambda run: ["export", run, "--to", "json", f"{run}.json"],
    "replay": lambda run: ["replay", run, "--individual", "1"],
    "replay --fault": lambda run: ["replay", run, "--fault", "0"],
    "compare": lambda run: ["compare", run, f"{run}/../sound"],
}
JOURNALS = [f"{name}.jsonl" for name in ("metrics", "timing", "faults", "lineage", "genomes", "archive")] + [
    "arrays.f64"
]
WHOLE = ["config.yaml", "run.json", "champion.npz", "checkpoints/generation-00000005.npz"]
LEFT_BEHIND = [".lock", ".run.json.17", "checkpoints/.generation-00000002.npz.17"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    run_whole(folder, FUNCTION + SMALL, *EAGER, name="sound")
    run_stopped(folder, FUNCTION + SMALL, *EAGER, after=3)
    return folder


@pytest.fixture
def folder(runs, tmp_path):
    """A finished run, a sound one beside it, and a file and a folder of the user's."""
    shutil.copytree(runs / "sound", tmp_path / "sound")
    shutil.copytree(runs / "sound", tmp_path / "run")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/profile").write_text("export PATH\n")
    (tmp_path / "mine/generation-00000001.npz").write_text("not a checkpoint of evonet")
    return tmp_path


@pytest.fixture(autouse=True)
def _at_once():
    started = time.process_time()
    yield
    assert time.process_time() - started < 30  # a file of 10 GB takes longer


@pytest.fixture(autouse=True)
def _blank_figures(monkeypatch):
    """Figures take longer than all that is read for them."""
    monkeypatch.setattr("evonet.inspection.report.figure.svg", lambda *_, **__: "")


def put(path, kind, folder):
    """Put a special file where a run's own file is expected."""
    content = path.read_bytes() if path.is_file() else b""
    path.unlink(missing_ok=True)
    if kind == "link":
        (folder / "mine/copy").write_bytes(content)
        path.symlink_to(folder / "mine/copy")
    elif kind == "link to nothing":
        path.symlink_to(folder / "mine/nothing")
    elif kind == "link to a pipe":
        os.mkfifo(folder / "mine/pipe")
        path.symlink_to(folder / "mine/pipe")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    elif kind == "holes":
        path.touch()
        os.truncate(path, 10 << 30)


def listing(folder):
    return sorted((str(path.relative_to(folder)), path.lstat().st_mode, path.lstat().st_size)
                  for path in folder.rglob("*"))  # fmt: skip


@pytest.mark.parametrize("kind", ["link", "link to nothing", "link to a pipe", "pipe", "directory"])
@pytest.mark.parametrize("name", [*JOURNALS, *WHOLE, *LEFT_BEHIND])
def test_resume_refuses_a_special_file_before_it_touches_any(name, kind, folder, capsys):
    put(folder / "run" / name, kind, folder)
    before, contents = listing(folder), all_files(folder / "mine") if "pipe" not in kind else None
    assert main(COMMANDS["resume"](str(folder / "run"))) == 2
    said = capsys.readouterr().err
    what = {"directory": "a directory", "pipe": "a pipe"}.get(kind, "a symbolic link")
    assert said.startswith(f"evonet: {folder / 'run' / name}: ")
    assert f"it is {what}, not a regular file" in said
    assert listing(folder) == before
    assert contents is None or all_files(folder / "mine") == contents


@pytest.mark.parametrize("kind", ["link", "link to nothing", "link to a pipe", "pipe", "directory", "holes"])
@pytest.mark.parametrize("name", [*JOURNALS, *WHOLE])
def test_no_command_follows_a_link_or_waits_for_a_pipe(name, kind, folder, capsys):
    put(folder / "run" / name, kind, folder)
    before = listing(folder / "mine")
    for command, arguments in COMMANDS.items():
        if command == "resume" and kind == "holes":  # has a test of its own
            continue
        if command == "inspect --html" and kind not in {"link", "pipe"}:  # dear, and reads the files as `inspect` does
            continue
        assert main(arguments(str(folder / "run"))) in {0, 1, 2}, command
        assert "Traceback" not in capsys.readouterr().err
    assert listing(folder / "mine") == before


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_config_in_a_run_directory_is_not_read_through_a_link(command, folder, capsys):
    put(folder / "run" / "config.yaml", "link", folder)
    assert main([command, str(folder / "run" / "config.yaml"), "--allow-import", MODULE]) == 2
    assert "it is a symbolic link, not a regular file" in capsys.readouterr().err


@pytest.mark.parametrize("name", [*JOURNALS, *WHOLE])
def test_resume_of_a_run_with_a_sparse_file_ends_soon(name, folder, capsys):
    put(folder / "run" / name, "holes", folder)
    assert main(COMMANDS["resume"](str(folder / "run"))) in {0, 1, 2}
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", ["checkpoints", "wandb"])
def test_a_folder_that_is_a_link_is_not_entered(command, name, folder, capsys):
    shutil.rmtree(folder / "run/checkpoints")
    (folder / "run" / name).symlink_to(folder / "mine")
    before = all_files(folder / "mine")
    status = main(COMMANDS[command](str(folder / "run")))
    assert all_files(folder / "mine") == before
    if command == "resume":
        assert status == 2
        message = f"{folder / 'run' / name}: it is a symbolic link, not a directory; nothing was changed"
        assert message in capsys.readouterr().err


def test_a_finished_run_writes_nothing_that_a_checkpoint_brings_along(folder, capsys):
    """As in the break-in: the journal's lines came from the checkpoint, through a link to a shell's start file."""
    profile = folder / "mine/profile"
    (folder / "run/timing.jsonl").unlink()
    (folder / "run/timing.jsonl").symlink_to(profile)
    assert main(COMMANDS["resume"](str(folder / "run"))) == 2
    assert profile.read_text() == "export PATH\n"


@pytest.mark.parametrize("name", JOURNALS)
def test_a_journal_that_is_a_hard_link_is_not_truncated(name, folder, capsys):
    path = folder / "run" / name
    content = path.read_bytes() if path.exists() else b""  # runs without an archive have no journal of it
    (folder / "mine/copy").write_bytes(content + b"and a line of mine\n")
    path.unlink(missing_ok=True)
    path.hardlink_to(folder / "mine/copy")
    assert main(COMMANDS["resume"](str(folder / "run"))) == 74
    assert capsys.readouterr().err.startswith(
        f"evonet: {path}: cannot be written: it is a hard link: the file has another name, too\n"
    )
    assert (folder / "mine/copy").read_bytes().endswith(b"and a line of mine\n")


@pytest.mark.parametrize("name", [*JOURNALS, ".lock", "checkpoints", ".config.yaml.17"])
def test_a_new_run_does_not_write_through_a_link_that_waits_for_it(name, folder, capsys):
    target = folder / "new"
    target.mkdir()
    aim = folder / "mine" if name == "checkpoints" else folder / "mine/profile"
    (target / name).symlink_to(aim)
    before = all_files(folder / "mine")
    (folder / "c.yaml").write_text(FUNCTION + SMALL)
    assert main(["run", str(folder / "c.yaml"), "--output", str(target), "--allow-import", MODULE]) == 2
    assert "it is a symbolic link" in capsys.readouterr().err
    assert all_files(folder / "mine") == before
    assert [path.name for path in target.iterdir()] == [name]


def test_a_temporary_file_that_is_a_link_is_replaced_not_written_through(folder):
    profile = folder / "mine/profile"
    (folder / f".out.json.{os.getpid()}").symlink_to(profile)
    assert main(["export", str(folder / "run"), "--to", "json", str(folder / "out.json")]) == 0
    assert profile.read_text() == "export PATH\n"
    assert not (folder / "out.json").is_symlink()


def test_a_run_directory_that_the_user_reaches_through_a_link_is_resumed(folder, capsys):
    (folder / "links").mkdir()
    (folder / "links/run").symlink_to(folder / "run")
    assert main(["resume", str(folder / "links/run"), "--allow-import", MODULE, "--set", "stop.generations=7"]) == 0
    assert main(["inspect", str(folder / "links/run")]) == 0
    assert (folder / "run/metrics.jsonl").read_bytes().count(b"\n") == 7


@pytest.mark.parametrize("name", ["config.yaml", "study.json", ".lock", "seed-0", ".seed-1.arriving"])
def test_a_study_does_not_enter_or_write_what_is_a_link(name, folder, capsys):
    study = folder / "study"
    (folder / "c.yaml").write_text(FUNCTION + SMALL)
    command = ["study", str(folder / "c.yaml"), "--seeds", "2", "--output", str(study), "--allow-import", MODULE]
    study.mkdir()
    aim = folder / "mine" if "seed" in name else folder / "mine/profile"
    (study / name).symlink_to(aim)
    before = all_files(folder / "mine")
    assert main(command) == 2
    assert f"{study / name}: it is a symbolic link" in capsys.readouterr().err
    assert all_files(folder / "mine") == before


def test_a_user_s_own_files_and_links_beside_a_run_s_are_left_alone(folder):
    run = folder / "run"
    (run / "notes").symlink_to(folder / "mine")
    (run / ".notes.17").write_text("not a temporary file of evonet")
    (run / "checkpoints/.swap.3").write_text("neither")
    assert main([*COMMANDS["resume"](str(run)), "--set", "stop.generations=7"]) == 0
    assert (run / ".notes.17").exists()
    assert (run / "checkpoints/.swap.3").exists()
    assert (run / "notes").is_symlink()
