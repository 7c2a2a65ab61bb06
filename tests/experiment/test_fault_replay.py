"""Fault replay: the same episode in this process, without code of a run directory that was not allowed."""

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
from evonet.evaluation.results import Fault
from evonet.experiment.config import Config
from evonet.experiment.fault_replay import RecordedFault
from evonet.experiment.run_files.fault_journal import record_faults
from evonet.experiment.run_files.individuals import individual_from, normaliser_entry
from evonet.experiment.run_files.run_directory import RunDirectory
from evonet.experiment.runner import run
from evonet.files.bounded import LONGEST_LINE, reading
from evonet.files.fields import Fields
from evonet.foreign import without_place
from evonet.population import Population
from tests.environments_for_tests import MODULE

ROOT = Path(__file__).parents[2]
SMALL = (
    "algorithm: {population_size: 6, elites: 2}\nvalidation: {episodes: 2}\ntest: {episodes: 2}\n"
    "stop: {generations: 2}\nfaults: {max_share: 1}\n"
)
GENOME = 22
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
        f"(exception, seed {fault['seed']}, step 2): {fault['message']}"
    )
    assert without_place(fault["message"]) == "ValueError: broken at step 2"
    assert traceback == fault["traceback"].rstrip().splitlines()
    assert (last, err) == ("the fault is the same", "")


def edited(walked, folder, number=0, **changes):
    """A copy of the run with another fault journal."""
    folder.mkdir()
    for name in ("config.yaml", "arrays.f64"):
        (folder / name).write_bytes((walked / name).read_bytes())
    entry = json.loads((walked / "faults.jsonl").read_text(encoding="utf-8").splitlines()[number])
    (folder / "faults.jsonl").write_text(json.dumps({**entry, **changes}) + "\n", encoding="utf-8")
    return folder


def test_a_fault_that_does_not_recur_is_reported(walked, tmp_path, capsys):
    folder = edited(walked, tmp_path / "copy")
    config = (folder / "config.yaml").read_text(encoding="utf-8")
    (folder / "config.yaml").write_text(config.replace("trouble: raise", "trouble: ''"), encoding="utf-8")
    assert main(["replay", str(folder), "--fault", "0", *ALLOWED]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("the episode did not fail this time: return ")


def test_a_different_fault_is_reported(walked, tmp_path, capsys):
    folder = edited(
        walked, tmp_path / "copy", kind="died", step=None, message="the worker process was killed by SIGKILL"
    )
    assert main(["replay", str(folder), "--fault", "0", *ALLOWED]) == 0
    out = capsys.readouterr().out
    assert "the worker process was killed by SIGKILL" in out.splitlines()[0]
    assert out.splitlines()[-1].startswith("the fault differs this time (exception, seed ")


def test_a_fault_of_a_function_is_repeated(tmp_path, capsys):
    folder = ran(tmp_path, f"fitness: {{type: '{MODULE}:failing'}}\nnetwork: {{inputs: 2, outputs: 1}}\n{SMALL}")
    assert main(["replay", str(folder), "--fault", "3", *ALLOWED]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["the function returned nan", "the fault is the same"]


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
def test_the_number_of_a_missing_fault_is_refused(number, walked):
    with pytest.raises(ConfigError) as refused:
        RecordedFault.read(walked, number)
    assert str(refused.value) == f"{walked} has faults 0 to 35, no fault {number}"


def test_a_run_without_faults_and_a_directory_without_a_run_have_different_errors(tmp_path):
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
    assert str(refused.value).startswith(f"{tmp_path}/faults.jsonl:1: ")


@pytest.mark.parametrize("seed", [2**70, -(2**70), "7", None, 1.5, [], {}], ids=str)
def test_an_invalid_seed_is_refused(seed, walked, tmp_path):
    with pytest.raises(ConfigError, match=r"faults.jsonl:1: fault.seed must be a whole number from 0"):
        RecordedFault.read(edited(walked, tmp_path / "copy", seed=seed), 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"genome": "AAAA"},
        {"genome": None},
        {"genome": {"start": 0, "size": 1}},
        {"genome": {"start": 10**9, "size": GENOME}},
        {"genome": {"start": -1, "size": GENOME}},
        {"normaliser": {"count": 1, "mean": {"start": 0, "size": 9}, "squares": {"start": 0, "size": 9}}},
        {"normaliser": {}},
        {"normaliser": 7},
    ],
    ids=range(8),
)
def test_a_genome_that_is_not_for_this_run_is_refused(changes, walked, tmp_path):
    folder = edited(walked, tmp_path / "copy", **changes)
    with pytest.raises(ConfigError) as refused:
        RecordedFault.read(folder, 0).replay([MODULE])
    assert str(refused.value).startswith(f"{folder}/faults.jsonl:1: the genome does not fit the run: ")


def test_a_run_directory_imports_nothing_that_the_command_line_does_not_allow(walked, tmp_path, capsys):
    folder = edited(walked, tmp_path / "copy")
    config = (folder / "config.yaml").read_text(encoding="utf-8").replace(f"{MODULE}:", "evil_module_of_a_stranger:")
    (folder / "config.yaml").write_text(config, encoding="utf-8")
    assert main(["replay", str(folder), "--fault", "0"]) == 2
    assert "to allow that, add --allow-import evil_module_of_a_stranger, or in Python" in capsys.readouterr().err
    assert "evil_module_of_a_stranger" not in sys.modules


def test_an_individual_is_stored_to_the_last_bit(tmp_path):
    architecture = Architecture(2, 1, 1)
    genome = np.array([0.1, -0.0, np.nan, np.inf, 5e-324])[: architecture.genome_size]
    normaliser = ObservationNormaliser(7, np.array([0.1, 0.2]), np.array([1.0, 1e-300]))
    with RunDirectory(tmp_path / "run") as directory:
        entry = {"generation": 3, "individual": 5, "genome": directory.store(genome)}
        entry["normaliser"] = normaliser_entry(directory, normaliser)
        none = normaliser_entry(directory, None)
    fields = Fields(json.loads(json.dumps(entry)), "genome")
    with reading(tmp_path / "run/arrays.f64") as arrays:
        again = individual_from(fields, architecture, arrays)
    assert again.genome.tobytes() == genome.tobytes()
    assert (again.id, again.generation, again.training_fitness) == (5, 3, -np.inf)
    learned = again.normaliser
    assert (learned.count, learned.mean.tolist(), learned.sum_sq_dev.tolist()) == (7, [0.1, 0.2], [1.0, 1e-300])
    assert none is None


def test_a_fault_of_a_network_whose_genome_no_line_could_hold_is_read_back(tmp_path):
    """CarRacing's camera with 32 hidden neurons."""
    architecture = Architecture(96 * 96 * 3, 32, 3)
    population = Population.random(architecture, 2, np.random.default_rng(0))
    population.genomes[1, -1] = 0.125
    fault = Fault(1, 0, 4711, "exception", 3, "x" * 100_000, "y" * 1_000_000)
    with RunDirectory(tmp_path / "run") as directory:
        directory.write_text("config.yaml", "")
        record_faults(directory, 9, [fault], population, ObservationNormaliser.fresh(architecture.num_inputs))
    assert architecture.genome_size * 8 > LONGEST_LINE * 0.8
    recorded = RecordedFault.read(tmp_path / "run", 0)
    assert recorded.individual(architecture).genome.tobytes() == population.genomes[1].tobytes()
    assert (len(recorded.fault.message), len(recorded.fault.traceback)) == (10_000, 100_000)
