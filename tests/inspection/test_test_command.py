"""`evonet test` runs a champion on fresh episodes, and stores the score with the network that earned it."""

import json
import shutil

import pytest

from evonet.champion import Champion
from evonet.cli import main
from evonet.inspection.loaded_run import load_run
from tests.environments_for_tests import MODULE


@pytest.fixture
def run_directory(small_run, tmp_path):
    return shutil.copytree(small_run, tmp_path / "run")


@pytest.fixture
def edited(run_directory):
    """The file of a champion that was changed by hand, in its run."""
    path = run_directory / "champion.npz"
    champion = Champion.load(path)
    champion.network.neuron("hidden", 0).outgoing[:] = 0.0
    champion.save(path)
    return path


def test_an_edited_champion_is_not_tested_until_it_is(edited, tmp_path, capsys):
    file = shutil.copy(edited, tmp_path / "changed.npz")
    assert main(["inspect", str(file)]) == 0
    assert capsys.readouterr().out.startswith("Not tested  ")
    assert main(["test", str(file), "--episodes", "7"]) == 0
    captured = capsys.readouterr()
    assert captured.err == f"saved in {file}\n"
    champion = Champion.load(file)
    assert (champion.edited, champion.validation, champion.test.episodes) == (False, None, 7)
    assert champion.test.returns.tolist() == champion.evaluate(7).returns.tolist()
    assert main(["inspect", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "7 fresh episodes, 95 % interval" in shown
    assert "validation" not in shown
    assert "training" not in shown


def test_a_run_with_an_edited_champion_has_no_score_until_it_is_tested(edited, small_run, capsys):
    run = edited.parent
    assert main(["inspect", str(run)]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Not tested  small · CartPole-v1 · seed 3\n")
    assert "optimistically" not in shown
    assert main(["inspect", str(run), "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["solved"], data["champion"]["test_mean"], data["champion"]["training_fitness"]) == (False, None, None)
    assert main(["compare", str(run), str(small_run)]) == 2
    assert f"it with: evonet test {run}" in capsys.readouterr().err
    assert main(["test", str(run)]) == 0
    champion = Champion.load(edited)
    assert json.loads((run / "run.json").read_text())["champion"]["test_mean"] == champion.test.mean
    assert load_run(run).summary["champion"]["test_episodes"] == 6  # as many as the run's own test


def test_the_test_of_a_run_repeats_the_run_s_own(run_directory, capsys):
    before = (run_directory / "champion.npz").read_bytes()
    summary = json.loads((run_directory / "run.json").read_text())
    assert main(["test", str(run_directory), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["champion"]["test_mean"] == summary["champion"]["test_mean"]
    assert (run_directory / "champion.npz").read_bytes() == before
    assert json.loads((run_directory / "run.json").read_text()) == summary


def test_with_an_output_the_champion_stays_as_it_is(edited, tmp_path, capsys):
    before = edited.read_bytes()
    assert main(["test", str(edited.parent), "--output", str(tmp_path / "t.npz"), "--seed", "4"]) == 0
    assert edited.read_bytes() == before
    assert (
        Champion.load(tmp_path / "t.npz").test.returns.tolist() == Champion.load(edited).evaluate(6, 4).returns.tolist()
    )
    assert capsys.readouterr().err.endswith(f"saved in {tmp_path / 't.npz'}\n")


def test_the_best_so_far_of_an_unfinished_run_needs_a_file_of_its_own(run_directory, tmp_path, capsys):
    (run_directory / "run.json").unlink()
    (run_directory / "champion.npz").unlink()
    assert main(["test", str(run_directory)]) == 2
    assert capsys.readouterr().err == (
        f"evonet: {run_directory} is unfinished; to test its current best, name a file for it: --output FILE\n"
    )
    assert main(["test", str(run_directory), "--output", str(tmp_path / "t.npz")]) == 0
    assert Champion.load(tmp_path / "t.npz").test.episodes == 6


def test_an_environment_of_a_module_needs_leave_to_be_imported(own_run, tmp_path, capsys):
    file = shutil.copy(own_run / "champion.npz", tmp_path / "own.npz")
    assert main(["test", str(file), "--episodes", "2"]) == 2
    assert f"--allow-import {MODULE}" in capsys.readouterr().err
    assert main(["test", str(file), "--episodes", "2", "--allow-import", MODULE]) == 0


def test_a_place_that_cannot_be_written_is_named(edited, tmp_path, capsys):
    target = tmp_path / "missing" / "t.npz"
    assert main(["test", str(edited), "--episodes", "1", "--output", str(target)]) == 74
    assert capsys.readouterr().err == f"evonet: {target}: cannot be written: No such file or directory\n"


def test_a_champion_s_file_is_inspected_as_text_and_as_data_but_has_no_report(edited, capsys):
    assert main(["inspect", str(edited), "--weights"]) == 0
    assert "from cart position" in capsys.readouterr().out
    assert main(["inspect", str(edited), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["test"] == "not tested: its weights were changed after it was scored"
    assert main(["inspect", str(edited), "--html"]) == 2
    assert "--html is for run directories" in capsys.readouterr().err
