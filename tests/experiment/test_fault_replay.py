"""A fault repeated: the very episode, in this process, and no code of a run directory that nobody allowed."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evonet import Architecture
from evonet.cli import main
from evonet.environments.normaliser import ObservationNormaliser
from evonet.errors import ConfigError
from evonet.experiment.config import Config
from evonet.experiment.fault_journal import array_from, array_text, individual_from, normaliser_entry
from evonet.experiment.fault_replay import RecordedFault
from evonet.experiment.runner import run
from tests.environments_for_tests import MODULE

ROOT = Path(__file__).parents[2]
SMALL = (
    "algorithm: {population_size: 6, elites: 2}\nvalidation: {episodes: 2}\ntest: {episodes: 2}\n"
    "stop: {generations: 2}\nfaults: {max_share: 1}\n"
)
ALLOWED = ["--allow-import", MODULE]


def ran(folder, text, allowed=(MODULE,)):
    path = folder / "c.yaml"
    path.write_text(text, encoding="utf-8")
    run(Config.load(str(path), (), allowed), folder / "run")
    return folder / "run"


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A run whose environment raises at step 2 of every episode, with observations normalised."""
    walk = f"environment: {{id: '{MODULE}:evonet-tests/Walk-v0', kwargs: {{trouble: raise, at: 2}}}}\n"
    return ran(
        tmp_path_factory.mktemp("walk"), f"{walk}evaluation: {{workers: 1, normalise_observations: true}}\n{SMALL}"
    )


def test_a_fault_is_repeated_with_its_traceback(walked, capsys):
    faults = [json.loads(line) for line in (walked / "faults.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(faults) == 2 * 6 * 3
    assert faults[0]["normaliser"]["count"] == 0
    number = 20
    assert main(["replay", str(walked), "--fault", str(number), *ALLOWED]) == 0
    out, err = capsys.readouterr()
    first, *traceback, last = out.splitlines()
    fault = faults[number]
    assert fault["generation"] == 1
    assert first == (
        f"fault 20, generation 1, individual {fault['individual']}, episode {fault['episode']} "
        f"(exception, seed {fault['seed']}, step 2): ValueError: broken at step 2"
    )
    assert traceback == fault["traceback"].rstrip().splitlines()
    assert (last, err) == ("the same again", "")


def edited(walked, folder, number=0, **changes):
    """A copy of the run with another fault journal."""
    folder.mkdir()
    (folder / "config.yaml").write_bytes((walked / "config.yaml").read_bytes())
    entry = json.loads((walked / "faults.jsonl").read_text(encoding="utf-8").splitlines()[number])
    (folder / "faults.jsonl").write_text(json.dumps({**entry, **changes}) + "\n", encoding="utf-8")
    return folder


def test_a_fault_that_does_not_come_back_is_told_so(walked, tmp_path, capsys):
    folder = edited(walked, tmp_path / "copy")
    config = (folder / "config.yaml").read_text(encoding="utf-8")
    (folder / "config.yaml").write_text(config.replace("trouble: raise", "trouble: ''"), encoding="utf-8")
    assert main(["replay", str(folder), "--fault", "0", *ALLOWED]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("this time it went well: return ")


def test_another_fault_than_before_is_told_so(walked, tmp_path, capsys):
    folder = edited(
        walked, tmp_path / "copy", kind="died", step=None, message="the worker process was killed by SIGKILL"
    )
    assert main(["replay", str(folder), "--fault", "0", *ALLOWED]) == 0
    out = capsys.readouterr().out
    assert "the worker process was killed by SIGKILL" in out.splitlines()[0]
    assert out.splitlines()[-1].startswith("another fault this time (exception, seed ")


def test_a_fault_of_a_function_is_repeated(tmp_path, capsys):
    folder = ran(tmp_path, f"fitness: {{type: '{MODULE}:failing'}}\nnetwork: {{inputs: 2, outputs: 1}}\n{SMALL}")
    assert main(["replay", str(folder), "--fault", "3", *ALLOWED]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["the function returned nan", "the same again"]


def test_a_crash_says_where_it_happened(tmp_path):
    obedient = f"environment: {{id: '{MODULE}:evonet-tests/Obedient-v0', kwargs: {{only: 5}}}}\n"
    folder = ran(tmp_path, f"{obedient}evaluation: {{workers: 1}}\n{SMALL}")
    config = (folder / "config.yaml").read_text(encoding="utf-8")
    (folder / "config.yaml").write_text(config.replace("only: 5", "only: 1"), encoding="utf-8")
    program = "import sys; from evonet.cli import main; sys.exit(main())"
    arguments = [sys.executable, "-c", program, "replay", str(folder), "--fault", "0", *ALLOWED]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode < 0
    assert done.stdout.startswith("fault 0, generation 0, individual ")
    assert "Segmentation fault" in done.stderr
    assert "in _segfault" in done.stderr


@pytest.mark.parametrize("number", [-1, 36])
def test_a_fault_that_is_not_there_is_refused(number, walked):
    with pytest.raises(ConfigError) as refused:
        RecordedFault.read(walked, number)
    assert str(refused.value) == f"{walked} has faults 0 to 35, there is no fault {number}"


def test_a_run_without_faults_and_one_that_is_none_are_told_apart(tmp_path):
    (tmp_path / "faults.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        RecordedFault.read(tmp_path, 0)
    assert str(refused.value) == f"{tmp_path} has no faults"
    with pytest.raises(ConfigError) as refused:
        RecordedFault.read(tmp_path / "nowhere", 0)
    assert str(refused.value).startswith(f"{tmp_path}/nowhere/faults.jsonl: cannot be read: ")


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "3",
        '{"generation": 1}',
        "[" * 100_000,
        '{"generation": "x", "genome": "", "normaliser": null}',
        "\x00",
    ],
    ids=range(8),
)
def test_garbage_in_the_journal_is_refused_with_its_line(line, tmp_path):
    (tmp_path / "faults.jsonl").write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        RecordedFault.read(tmp_path, 0)
    assert str(refused.value).startswith(f"{tmp_path}/faults.jsonl:1: not a")


@pytest.mark.parametrize("seed", [2**70, -(2**70), "7", None, 1.5, [], {}], ids=str)
def test_a_seed_that_is_none_is_refused(seed, walked, tmp_path):
    with pytest.raises(ConfigError, match="not an entry of a fault journal"):
        RecordedFault.read(edited(walked, tmp_path / "copy", seed=seed), 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"genome": "AAAA"},
        {"genome": "!"},
        {"genome": 3},
        {"genome": array_text(np.zeros(1000))},
        {"normaliser": {"count": 1, "mean": array_text(np.zeros(2)), "squares": array_text(np.zeros(2))}},
        {"normaliser": {"count": "x", "mean": array_text(np.zeros(3)), "squares": array_text(np.zeros(3))}},
        {"normaliser": {}},
        {"normaliser": 7},
    ],
    ids=range(8),
)
def test_a_genome_that_is_not_for_this_run_is_refused(changes, walked, tmp_path):
    folder = edited(walked, tmp_path / "copy", **changes)
    with pytest.raises(ConfigError) as refused:
        RecordedFault.read(folder, 0).replay([MODULE])
    assert str(refused.value).startswith(f"{folder}/faults.jsonl:1: its genome is not for this run: ")


def test_a_run_directory_imports_nothing_that_the_command_line_does_not_allow(walked, tmp_path, capsys):
    folder = edited(walked, tmp_path / "copy")
    config = (folder / "config.yaml").read_text(encoding="utf-8").replace(f"{MODULE}:", "evil_module_of_a_stranger:")
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    assert main(["replay", str(folder), "--fault", "0"]) == 2
    assert "to allow that, add --allow-import evil_module_of_a_stranger, or in Python" in capsys.readouterr().err
    assert "evil_module_of_a_stranger" not in sys.modules


def test_numbers_go_through_text_to_the_last_bit():
    numbers = np.array([0.1, -0.0, np.nan, np.inf, -np.inf, 5e-324])
    assert array_from(array_text(numbers), 6).tobytes() == numbers.tobytes()
    normaliser = ObservationNormaliser(7, np.array([0.1, 0.2]), np.array([1.0, 1e-300]))
    architecture = Architecture(2, 1, 1)
    genome = np.linspace(0.1, 0.9, architecture.genome_size)
    entry = {"generation": 3, "individual": 5, "genome": array_text(genome)}
    entry = json.loads(json.dumps(entry | {"normaliser": normaliser_entry(normaliser)}))
    again = individual_from(entry, architecture)
    assert again.genome.tobytes() == genome.tobytes()
    assert (again.id, again.generation, again.training_fitness) == (5, 3, -np.inf)
    learned = again.normaliser
    assert (learned.count, learned.mean.tolist(), learned.sum_sq_dev.tolist()) == (7, [0.1, 0.2], [1.0, 1e-300])
    assert individual_from(entry | {"normaliser": normaliser_entry(None)}, architecture).normaliser is None
