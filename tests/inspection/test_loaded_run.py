"""A run read back: what it says is what the run wrote, finished or not, and what is no run is refused."""

import json
import shutil
import sys
from itertools import pairwise

import numpy as np
import pytest

from evonet.errors import ConfigError, EvonetError, UnsuitableEnvironment
from evonet.experiment.config import Config
from evonet.experiment.run_files.journal_lines import METRICS
from evonet.experiment.runner import run as run_config
from evonet.inspection.loaded_run import NO_CHAMPION_YET, load_run
from evonet.seeding import Purpose, episode_seeds
from tests.environments_for_tests import MODULE
from tests.stopped_runs import Stop, stopping

BORN = {"generation": 0, "ids": [0], "parents": [[-1, -1]], "operators": [0], "operator_names": [], "fitness": [1.0]}
OTHER = {"start": 0, "size": 9}
WHOLE = f"be a whole number from 0 to {2**63 - 1}"
NONE = {name: 0 if kind == "count" else None for name, kind in METRICS.items()}
PARENTS = "births.parents must be integers of at least -1 in the shape"
UNPRINTABLE = "births.operator_names.name must be a text of printable characters, got '\\x1b]0;'"
SECONDS = "timing.seconds must be a finite number of at least 0, got"
SHOWN = {"generation": 0, "individual": 0, "fitness": 1.0, "normaliser": None}


def lineage(folder):
    """Individual id → generation of birth, parents, fitness, as the run wrote them."""
    born = {}
    for line in (folder / "lineage.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        for i, individual in enumerate(entry["ids"]):
            names = [n for bit, n in enumerate(entry["operator_names"]) if entry["operators"][i] >> bit & 1]
            born[individual] = (entry["generation"], entry["parents"][i], entry["fitness"][i], names)
    return born


def test_every_individual_is_born_once_after_its_parents(small_run):
    entries = [json.loads(line) for line in (small_run / "lineage.jsonl").read_text(encoding="utf-8").splitlines()]
    ids = [individual for entry in entries for individual in entry["ids"]]
    assert len(ids) == len(set(ids)) == 12 + 7 * 10
    born = lineage(small_run)
    for generation, parents, _, _ in born.values():
        assert (generation == 0) == (parents[0] == -1)
        for parent in parents:
            assert parent == -1 or born[parent][0] < generation
        assert parents[0] != parents[1] or generation == 0


def test_only_a_crossover_has_a_second_parent(small_run):
    for generation, parents, _, names in lineage(small_run).values():
        assert (parents[1] != -1) == ("uniform crossover" in names)
        assert not names or generation > 0


def test_the_line_of_descent_leads_from_the_start_to_the_champion_and_is_true(small_run):
    run, born = load_run(small_run), lineage(small_run)
    line = run.descent
    assert line[0].parents == ()
    assert line[0].generation == 0
    assert line[-1].individual == run.champion.id
    assert len(line) > 2
    for parent, child in pairwise(line):
        assert child.parents[0] == parent.individual
        assert parent.generation < child.generation
        assert child.gain == child.fitness - parent.fitness
    assert line[0].gain is None
    for ancestor in line:
        generation, parents, fitness, names = born[ancestor.individual]
        assert (ancestor.generation, ancestor.fitness, list(ancestor.operators)) == (generation, fitness, names)
        assert list(ancestor.parents) == [parent for parent in parents if parent != -1]


def test_metrics_summary_and_champion_are_the_runs(small_run):
    run = load_run(small_run)
    assert run.metrics["generation"].tolist() == list(range(8))
    assert run.summary["name"] == "small"
    assert run.champion.test.episodes == 6


def test_a_run_that_was_moved_knows_where_it_is(small_run, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(small_run, moved)
    assert load_run(moved).summary["run_directory"] == str(moved)
    assert load_run(str(moved)).champion.genome.tolist() == load_run(small_run).champion.genome.tolist()


def test_a_run_without_a_champion_is_read_too(failed_run):
    run = load_run(failed_run)
    assert (run.champion, run.descent, run.fittest) == (None, [], [])
    assert run.metrics["generation"].tolist() == [0, 1]
    assert run.metrics["champion"].tolist() == [NO_CHAMPION_YET, NO_CHAMPION_YET]
    assert np.isnan(run.metrics["best"]).all()


def test_what_is_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError) as refused:
        load_run(tmp_path / "nowhere")
    assert str(refused.value) == f"{tmp_path}/nowhere is not a run directory: it has no config.yaml"


def test_where_a_finished_run_is_needed_another_is_refused(small_run, tmp_path):
    shutil.copy(small_run / "config.yaml", tmp_path)
    assert load_run(small_run).require_finished().finished
    with pytest.raises(ConfigError) as refused:
        load_run(tmp_path).require_finished()
    assert str(refused.value) == f"{tmp_path} holds a run that is not finished: it has no run.json"


@pytest.mark.parametrize(
    ("name", "content", "read", "message"),
    [
        ("run.json", "{", "summary", "run.json: cannot be read: "),
        ("run.json", "[]", "summary", "run.json: cannot be read: "),
        ("metrics.jsonl", '{"gen', "metrics", "metrics.jsonl:1: not a line of JSON: "),
        ("lineage.jsonl", "nonsense\n", "descent", "lineage.jsonl:1: not a line of JSON: "),
        ("champion.npz", "nonsense", "champion", "champion.npz: not a valid archive: "),
    ],
)
def test_a_damaged_file_is_named(name, content, read, message, small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "run")
    (tmp_path / "run" / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        getattr(load_run(tmp_path / "run"), read)
    assert str(refused.value).startswith(f"{tmp_path}/run/{message}")


def test_a_missing_journal_is_named(small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "run")
    (tmp_path / "run" / "metrics.jsonl").unlink()
    with pytest.raises(ConfigError) as refused:
        load_run(tmp_path / "run").metrics  # noqa: B018
    assert str(refused.value) == f"{tmp_path}/run/metrics.jsonl: cannot be read: No such file or directory"


def test_settings_metrics_times_and_lineage_are_data(small_run):
    run = load_run(small_run)
    lines = [json.loads(line) for line in (small_run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert run.finished
    assert run.settings["algorithm"]["population_size"] == 12
    assert list(run.metrics) == list(lines[0])
    for name, column in run.metrics.items():
        assert column.tolist() == [line[name] for line in lines]
        assert column.dtype == (np.int64 if isinstance(lines[0][name], int) else np.float64), name
    assert run.seconds.shape == (8,)
    assert (np.diff(run.seconds) >= 0).all()
    born = lineage(small_run)
    assert run.lineage.individuals.tolist() == sorted(born)
    for row, individual in enumerate(sorted(born)):
        generation, parents, fitness, names = born[individual]
        assert run.lineage.generations[row] == generation
        assert run.lineage.parents[row].tolist() == parents
        assert run.lineage.fitness[row] == fitness
        assert [
            name for name, made in zip(run.lineage.operators, run.lineage.made_by[row], strict=True) if made
        ] == names


def test_the_fittest_are_there_with_their_genomes(small_run):
    run = load_run(small_run)
    assert len(run.fittest) > 1
    for one in run.fittest:
        assert one.training_fitness == run.metrics["best"][one.generation]
        assert one.genome.shape == (23,)
        assert one.normaliser is None
        assert run.lineage.generations[run.lineage.row(one.id)] <= one.generation
    (same,) = [one for one in run.fittest if one.id == run.champion.id]
    assert same.genome.tolist() == run.champion.genome.tolist()


def test_metrics_are_a_data_frame_where_pandas_is_there(small_run):
    pytest.importorskip("pandas")
    run = load_run(small_run)
    frame = run.metrics_frame()
    assert frame.index.tolist() == list(range(8))
    assert frame["best"].tolist() == run.metrics["best"].tolist()
    assert frame["seconds"].tolist() == run.seconds.tolist()


def test_the_lineage_is_a_data_frame_where_pandas_is_there(small_run):
    pytest.importorskip("pandas")
    lineage = load_run(small_run).lineage
    frame = lineage.frame()
    assert list(frame) == ["individual", "generation", "first_parent", "second_parent", "operators", "fitness"]
    assert frame["first_parent"].isna().sum() == (lineage.generations == 0).sum()
    last = lineage.individual(len(lineage) - 1)
    assert (frame.iloc[-1]["individual"], frame.iloc[-1]["operators"]) == (last.individual, " + ".join(last.operators))


def test_without_pandas_a_data_frame_is_refused_with_a_way_out(small_run, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(EvonetError, match=r"^metrics_frame needs pandas, which is not installed: pip install pandas$"):
        load_run(small_run).metrics_frame()


@pytest.fixture(scope="module")
def stopped_run(small_run, tmp_path_factory):
    """The same run, stopped after its fourth generation."""
    path = tmp_path_factory.mktemp("stopped") / "run"
    config = Config.load(str(small_run / "config.yaml"), ["checkpoints.seconds=0"])
    with pytest.raises(Stop):
        run_config(config, path, stopping(3))
    return path


def test_a_run_under_way_is_read_as_far_as_it_has_come(stopped_run, small_run):
    run, whole = load_run(stopped_run), load_run(small_run)
    assert not run.finished
    for name, column in run.metrics.items():
        assert column.tolist() == whole.metrics[name][:4].tolist()
    summary = run.summary
    assert summary.keys() >= whole.summary.keys() - {"versions"}
    assert {name: summary[name] for name in ("name", "environment", "seed", "target", "solved")} == {
        "name": "small", "environment": "CartPole-v1", "seed": 3, "target": 1000.0, "solved": False
    }  # fmt: skip
    assert summary["generations"] == 4
    assert summary["evaluations"] == 48
    assert summary["environment_steps"] == whole.metrics["environment_steps"][3]
    assert summary["seconds"] == round(float(run.seconds[-1]), 3)
    assert summary["champion"]["test_mean"] is None
    assert summary["champion"]["validation_mean"] == whole.metrics["validation_mean"][3]
    assert run.descent[-1].individual == run.metrics["champion"][-1]
    assert run.fittest


def test_the_champion_of_a_run_under_way_acts(stopped_run):
    champion = load_run(stopped_run).champion
    assert champion.id == load_run(stopped_run).metrics["champion"][-1]
    seeds = episode_seeds(3, Purpose.VALIDATION, 0, 5)
    assert champion.run(seeds).returns[0].tolist() == champion.validation.returns.tolist()


def test_a_line_that_is_being_written_is_passed_over(stopped_run, tmp_path):
    shutil.copytree(stopped_run, tmp_path / "run")
    for name in ("metrics", "timing", "lineage", "genomes"):
        with (tmp_path / "run" / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write('{"generation": 4, "be')
    run = load_run(tmp_path / "run")
    assert (len(run.metrics["generation"]), len(run.seconds)) == (4, 4)
    assert run.lineage.generations.max() == 3


def test_before_the_first_checkpoint_there_is_no_champion(stopped_run, tmp_path):
    shutil.copytree(stopped_run, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "checkpoints")
    run = load_run(tmp_path / "run")
    assert (run.champion, run.descent, run.fittest, run.summary["champion"]) == (None, [], [], None)


def test_a_checkpoint_that_cannot_be_read_is_passed_over(stopped_run, tmp_path):
    shutil.copytree(stopped_run, tmp_path / "run")
    newest = max((tmp_path / "run" / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-5])
    assert load_run(tmp_path / "run").champion.genome.shape == (23,)


def test_a_run_that_has_just_begun_is_read_too(small_run, tmp_path):
    shutil.copy(small_run / "config.yaml", tmp_path)
    for name in ("metrics", "timing", "lineage", "genomes", "faults"):
        (tmp_path / f"{name}.jsonl").touch()
    run = load_run(tmp_path)
    assert (run.metrics, run.seconds.tolist(), run.champion, len(run.lineage), run.faults) == ({}, [], None, 0, [])
    assert run.summary["generations"] == run.summary["evaluations"] == 0


def test_a_run_s_own_code_is_imported_only_if_that_is_allowed(own_run):
    with pytest.raises(UnsuitableEnvironment, match="would import the module"):
        load_run(own_run).champion.evaluate(episodes=1)
    assert load_run(own_run, allow_imports=[MODULE]).champion.evaluate(episodes=1).episodes == 1


@pytest.mark.parametrize(
    ("name", "entry", "read", "message"),
    [
        ("metrics", {**NONE, "generation": "x"}, "metrics", f"metrics.generation must {WHOLE}, got 'x'"),
        ("metrics", {**NONE, "generation": 1}, "metrics", "metrics.generation must be 0, got 1"),
        ("metrics", {**NONE, "best": "1"}, "metrics", "metrics.best must be a finite number, got '1'"),
        ("metrics", {**NONE, "more": 1}, "metrics", "metrics must have no key 'more'"),
        ("metrics", {"generation": 0}, "metrics", "metrics.evaluations is missing"),
        ("lineage", {"generation": 0}, "lineage", "lineage.ids is missing"),
        (
            "lineage",
            {**BORN, "parents": [[0]]},
            "lineage",
            f"{PARENTS} (1, 2)",
        ),
        (
            "lineage",
            {**BORN, "ids": [0, 0]},
            "lineage",
            f"{PARENTS} (2, 2)",
        ),
        ("lineage", {**BORN, "fitness": []}, "lineage", "births.fitness must be 1 numbers, got 0"),
        ("lineage", {**BORN, "fitness": ["1"]}, "lineage", "births.fitness must be a list of numbers"),
        ("lineage", {**BORN, "ids": [0.5]}, "lineage", "births.ids must be a list of numbers"),
        (
            "lineage",
            {**BORN, "operator_names": ["\x1b]0;"]},
            "lineage",
            "births.operator_names.name must be a text of printable characters, got '\\x1b]0;'",
        ),
        ("timing", {}, "seconds", "timing.generation is missing"),
        (
            "timing",
            {"generation": 0, "seconds": -1},
            "seconds",
            "timing.seconds must be a finite number of at least 0, got -1",
        ),
    ],
)
def test_a_journal_that_says_something_else_is_named(name, entry, read, message, small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "run")
    (tmp_path / "run" / f"{name}.jsonl").write_text(json.dumps(entry) + "\n", encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        getattr(load_run(tmp_path / "run"), read)
    assert str(refused.value) == f"{tmp_path}/run/{name}.jsonl:1: {message}"


def test_a_genome_of_another_size_is_refused_by_the_name_of_its_file(small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "run")
    (tmp_path / "run/genomes.jsonl").write_text(json.dumps({**SHOWN, "genome": OTHER}) + "\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"genomes.jsonl:1: 23 numbers are expected, got 9"):
        load_run(tmp_path / "run").fittest  # noqa: B018
