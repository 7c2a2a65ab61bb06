"""Runs: the same bytes with any workers, files that repeat the run, and errors before any work is done."""

import json
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from evonet import Champion
from evonet.errors import ConfigError, EnvironmentUnavailable, RunDirectoryError
from evonet.experiment.config import Config
from evonet.experiment.run_files import run_directory
from evonet.experiment.run_files.run_directory import RunDirectory, new_run_directory, to_json
from evonet.experiment.runner import run
from evonet.files.directory import Directory
from evonet.foreign import without_place
from evonet.seeding import Purpose, episode_seeds
from tests.environments_for_tests import MODULE, closeness

ROOT = Path(__file__).parents[2]
WALK = f"{MODULE}:evonet-tests/Walk-v0"
SMALL = (
    "algorithm: {population_size: 10, elites: 2}\n"
    "validation: {episodes: 6}\ntest: {episodes: 8}\nstop: {generations: 4}\n"
)
DETERMINISTIC = ("metrics.jsonl", "champion.npz", "lineage.jsonl", "genomes.jsonl", "faults.jsonl")


def walk(kwargs="{}", evaluation="workers: 1", **extra):
    rest = "".join(f"{key}: {value}\n" for key, value in extra.items())
    tolerant = "faults: {max_share: 1.0}\n"
    return f"environment: {{id: '{WALK}', kwargs: {kwargs}}}\nevaluation: {{{evaluation}}}\n{SMALL}{tolerant}{rest}"


@pytest.fixture
def go(tmp_path):
    def go(text, output, *overrides, allow=(MODULE,)):
        path = tmp_path / f"{output}.yaml"
        path.write_text(text, encoding="utf-8")
        summary = run(Config.load(str(path), ("name=test", *overrides), allow), tmp_path / output)
        return tmp_path / output, summary

    return go


def files(folder, names=DETERMINISTIC):
    return {name: (folder / name).read_bytes() for name in names}


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


ILL = [int(episode_seeds(0, Purpose.TRAINING, generation, 3)[1]) for generation in (1, 3)]
TROUBLED = f"{{trouble: raise, at: 2, seeds: {ILL}}}"  # generations 1 and 3 have an episode that fails


def test_the_same_seed_twice_with_one_and_with_two_workers_gives_the_same_bytes(go):
    rest = {"network": "{recurrent: true, hidden: 4}"}
    text = walk(TROUBLED, "normalise_observations: true, aggregation: quantile", **rest)
    one, again, two = (go(text, f"w{i}", f"evaluation.workers={w}")[0] for i, w in enumerate((1, 1, 2)))
    assert files(one) == files(again)
    assert len(lines(one / "faults.jsonl")) == 20
    assert files(one) == files(two)


def test_cart_pole_has_the_same_bytes_with_one_and_with_two_workers_and_auto(go):
    text = f"environment: {{id: CartPole-v1, max_steps: 60}}\nnetwork: {{hidden: 4}}\n{SMALL}"
    folders = [go(text, f"w{w}", f"evaluation.workers={w}", "evaluation.engine=gymnasium")[0] for w in (1, 2, "auto")]
    first, *others = [files(folder) for folder in folders]
    assert all(other == first for other in others)


@pytest.mark.parametrize("hard_reset", [False, True])
def test_hard_resets_make_an_environment_that_keeps_something_independent_of_the_workers(go, hard_reset):
    haunted = WALK.replace("Walk", "Haunted")
    text = f"environment: {{id: '{haunted}', hard_reset: {str(hard_reset).lower()}}}\nnetwork: {{hidden: 4}}\n{SMALL}"
    one, two = (go(text, f"w{w}", f"evaluation.workers={w}")[0] for w in (1, 2))
    assert (files(one) == files(two)) == hard_reset
    assert Champion.load(one / "champion.npz").task.environment.hard_reset == hard_reset


def test_the_champion_is_tested_where_it_was_validated_also_on_an_executor(go):
    whole = f"validation.environment={{id: '{WALK}'}}"
    text = walk().replace("kwargs: {}", "max_steps: 3")  # an episode of the validation is up to four times as long
    one, two = (go(text, f"w{w}", f"evaluation.workers={w}", whole)[0] for w in (1, 2))
    assert files(one) == files(two)
    champion = Champion.load(one / "champion.npz", allow_imports=[MODULE])
    seeds = episode_seeds(0, Purpose.TEST, 0, 8)
    np.testing.assert_array_equal(champion.test.returns, champion.run(seeds).returns[0])


def test_another_seed_gives_another_run(go):
    one, two = (go(walk(), f"seed{seed}", f"seed={seed}")[0] for seed in (1, 2))
    assert all(files(one, [name]) != files(two, [name]) for name in DETERMINISTIC[:4])


def test_the_resolved_config_repeats_the_run(go):
    first, _ = go(walk("{at: 2}", "normalise_observations: true, workers: 1"), "first", "seed=11")
    config = Config.load(str(first / "config.yaml"), (), [MODULE])
    again = first.with_name("again")
    run(config, again)
    assert files(again, (*DETERMINISTIC, "config.yaml")) == files(first, (*DETERMINISTIC, "config.yaml"))


def test_a_run_directory_holds_what_it_should_and_nothing_else(go):
    folder, summary = go(walk(), "out")
    assert sorted(path.name for path in folder.iterdir()) == [
        ".lock", "arrays.f64", "champion.npz", "checkpoints", "config.yaml", "faults.jsonl", "genomes.jsonl",
        "lineage.jsonl", "metrics.jsonl", "run.json", "timing.jsonl",
    ]  # fmt: skip
    assert json.loads((folder / "run.json").read_text(encoding="utf-8")) == summary
    assert (folder / "faults.jsonl").read_text(encoding="utf-8") == ""
    metrics, timing, lineage = (lines(folder / f"{name}.jsonl") for name in ("metrics", "timing", "lineage"))
    assert [m["generation"] for m in metrics] == [t["generation"] for t in timing] == [0, 1, 2, 3]
    assert [len(entry["ids"]) for entry in lineage] == [10, 8, 8, 8]
    born = [individual for entry in lineage for individual in entry["ids"]]
    assert born == list(range(34))
    assert metrics[-1]["evaluations"] == 40
    for line in metrics:
        assert line["best"] >= line["upper_quartile"] >= line["median"] >= line["lower_quartile"] >= line["worst"]
        assert line["worst"] <= line["mean"] <= line["best"]
        assert line["diversity"] > 0
    assert not any("seconds" in line for line in metrics)
    seconds = [line["seconds"] for line in timing]
    assert seconds == sorted(seconds)


def test_the_summary_agrees_with_the_files(go):
    folder, summary = go(walk(), "out", "seed=5")
    metrics, champion = lines(folder / "metrics.jsonl"), Champion.load(folder / "champion.npz", [MODULE])
    assert (summary["seed"], summary["environment"], summary["engine"]) == (5, WALK, "gymnasium")
    assert (summary["generations"], summary["evaluations"], summary["stopped_by"]) == (4, 40, "generations")
    assert summary["environment_steps"] == metrics[-1]["environment_steps"]
    assert summary["validation_steps"] == metrics[-1]["validation_steps"]
    assert summary["run_directory"] == str(folder)
    reported = summary["champion"]
    assert reported["individual"] == champion.id == metrics[-1]["champion"]
    assert reported["generation"] == champion.generation == metrics[-1]["champion_generation"]
    assert reported["validation_mean"] == champion.validation.mean == metrics[-1]["validation_mean"]
    assert reported["validation_mean"] == max(line["validation_mean"] for line in metrics)
    assert reported["test_mean"] == champion.test.mean
    assert reported["test_interval"] == list(champion.test.interval)
    assert (reported["validation_episodes"], reported["test_episodes"]) == (6, 8)
    assert reported["genome_size"] == len(champion.genome)
    seeds = episode_seeds(5, Purpose.TEST, 0, 8)
    assert champion.run(seeds).returns[0].tolist() == champion.test.returns.tolist()
    seeds = episode_seeds(5, Purpose.VALIDATION, 0, 6)
    assert champion.run(seeds).returns[0].tolist() == champion.validation.returns.tolist()


@pytest.mark.parametrize(("target", "solved"), [("-100", True), ("1000", False), ("null", False)])
def test_solved_is_said_of_the_test_mean_only(target, solved, go):
    _, summary = go(walk(), "out", f"stop.target={target}")
    assert summary["solved"] is solved
    assert summary["target"] == (None if target == "null" else float(target))
    assert summary["stopped_by"] == ("target" if solved else "generations")


def test_a_champion_that_meets_the_target_by_chance_is_not_called_solved(go, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "lucky", lucky, raising=False)
    text = f"fitness: {{type: '{__name__}:lucky'}}\nnetwork: {{inputs: 2, outputs: 1}}\n{SMALL}"
    _, summary = go(text, "out", "stop.target=5", allow=[__name__])
    assert summary["stopped_by"] == "target"
    assert summary["champion"]["validation_mean"] == 9.0
    assert summary["champion"]["test_mean"] == 1.0
    assert summary["solved"] is False


def lucky(genomes, episode_seeds):
    score = 9.0 if int(episode_seeds[0]) & 3 == Purpose.VALIDATION else 1.0
    return np.full((len(genomes), len(episode_seeds)), score)


def test_faults_are_logged_and_counted_and_the_run_continues(go):
    folder, summary = go(walk(TROUBLED), "out")
    faults, metrics = lines(folder / "faults.jsonl"), lines(folder / "metrics.jsonl")
    assert len(faults) == sum(line["faults"] for line in metrics) > 0
    assert set(faults[0]) == {
        "generation", "individual", "episode", "seed", "kind", "step", "message", "traceback", "attempts", "genome",
        "normaliser",
    }  # fmt: skip
    lineage = lines(folder / "lineage.jsonl")
    for fault in faults:  # by id, not by row
        assert fault["individual"] <= max(lineage[fault["generation"]]["ids"])
    assert {f["individual"] for f in faults if f["generation"] == 3} >= set(lineage[3]["ids"])
    assert all(without_place(f["message"]) == "ValueError: broken at step 2" and f["step"] == 2 for f in faults)
    assert {f["seed"] for f in faults} == set(ILL)
    assert all("Traceback" in fault["traceback"] for fault in faults)
    assert summary["generations"] == 4


@pytest.mark.parametrize("workers", [1, 2])
def test_an_episode_of_the_test_that_fails_is_told_with_its_reason(workers, tmp_path):
    seed = int(episode_seeds(0, Purpose.TEST, 0, 8)[2])
    path, warned = tmp_path / "config.yaml", []
    path.write_text(walk(f"{{trouble: raise, at: 2, seeds: [{seed}]}}", f"workers: {workers}"), encoding="utf-8")
    run(Config.load(str(path), ("name=test",), (MODULE,)), tmp_path / "run", say=warned.append)
    (warning,) = [text for text in warned if text.startswith("test: ")]
    assert warning.startswith(f"test: 1 of 8 episodes failed; the first, exception, seed {seed}, step 2: ValueError")
    assert warning.endswith(": broken at step 2")


def test_a_run_in_which_every_evaluation_fails_ends_without_a_champion(go):
    folder, summary = go(walk("{trouble: raise}"), "out", "stop.target=1")
    assert (summary["champion"], summary["solved"], summary["generations"]) == (None, False, 4)
    assert not (folder / "champion.npz").exists()
    assert all(line["best"] is None and line["faults"] == 30 for line in lines(folder / "metrics.jsonl"))
    assert all(set(entry["fitness"]) == {None} for entry in lines(folder / "lineage.jsonl"))


@pytest.mark.parametrize("population", [2, 3])
def test_the_smallest_runs_have_a_result(population, go):
    text = f"environment: {{id: '{WALK}'}}\nnetwork: {{hidden: 1}}\n"
    _, summary = go(
        text, "out", f"algorithm={{population_size: {population}, elites: 1}}", "evaluation={episodes: 1, workers: 1}",
        "validation.episodes=1", "test.episodes=1", "stop.generations=1",
    )  # fmt: skip
    assert summary["generations"] == 1
    assert math.isfinite(summary["champion"]["test_mean"])
    assert summary["champion"]["test_interval"] == [summary["champion"]["test_mean"]] * 2


def test_a_fitness_function_is_evolved(go):
    text = f"fitness: {{type: '{MODULE}:closeness'}}\nnetwork: {{inputs: 2, outputs: 1, hidden: 3}}\n{SMALL}"
    folder, summary = go(text, "out", "stop.generations=15")
    assert (summary["environment"], summary["engine"], summary["environment_steps"]) == (None, "function", 0)
    champion = Champion.load(folder / "champion.npz")
    assert champion.task is None
    assert champion.test.mean == pytest.approx(closeness(champion.genome[None], [0])[0, 0])
    best = [line["best"] for line in lines(folder / "metrics.jsonl")]
    assert best[-1] > best[0]


def test_a_fitness_function_with_an_environment_has_the_environments_sizes(go):
    text = f"environment: {{id: '{WALK}'}}\nfitness: {{type: '{MODULE}:closeness'}}\n{SMALL}"
    _, summary = go(text, "out", "network.hidden=4")
    assert summary["champion"]["genome_size"] == 3 * 4 + 4 + 4 * 2 + 2
    assert summary["environment"] == WALK


def test_a_directory_that_holds_a_run_is_refused_and_left_alone(go):
    folder, _ = go(walk(), "out")
    before = files(folder, [path.name for path in folder.iterdir() if path.is_file()])
    with pytest.raises(ConfigError) as refused:
        go(walk(), "out", "seed=2")
    assert str(refused.value) == (
        f"{folder} holds a run already; choose another --output, or inspect it with: evonet inspect {folder}"
    )
    assert files(folder, [path.name for path in folder.iterdir() if path.is_file()]) == before


def test_an_empty_directory_may_become_a_run_directory(go, tmp_path):
    (tmp_path / "out").mkdir()
    assert go(walk(), "out")[1]["generations"] == 4


@pytest.mark.parametrize("place", ["file/out", "file", "x" * 300], ids=lambda place: place[:9])
def test_a_place_that_cannot_be_written_is_refused_before_any_work(place, go, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    path = tmp_path / "c.yaml"
    path.write_text(walk(), encoding="utf-8")
    monkeypatch.setattr("evonet.evolution.Evolution.__next__", lambda _: pytest.fail("work was begun"))
    with pytest.raises(RunDirectoryError) as refused:
        run(Config.load(str(path), (), [MODULE]), tmp_path / place)
    assert refused.value.exit_status == 74
    assert str(refused.value).startswith(f"{tmp_path / place}: cannot be written: ")


def test_a_disk_that_fails_during_a_run_is_an_error_with_the_file(tmp_path):
    with RunDirectory(tmp_path / "out") as directory:

        def full(line):
            raise OSError(28, "No space left on device")

        directory._journals["metrics"].append = full
        with pytest.raises(RunDirectoryError) as refused:
            directory.append("metrics", {"generation": 0})
    assert str(refused.value) == f"{tmp_path}/out/metrics.jsonl: cannot be written: No space left on device"
    assert refused.value.exit_status == 74


def test_a_champion_that_cannot_be_written_is_an_error_with_the_file(go, tmp_path, monkeypatch):
    write = Directory.write

    def full(self, name, content, **rest):
        if name == "champion.npz":
            raise OSError(28, "No space left on device")
        write(self, name, content, **rest)

    monkeypatch.setattr(Directory, "write", full)
    with pytest.raises(RunDirectoryError) as refused:
        go(walk(), "out")
    assert str(refused.value) == f"{tmp_path}/out/champion.npz: cannot be written: No space left on device"


def test_an_environment_that_cannot_be_made_stops_the_run_before_anything_is_written(go, tmp_path):
    text = f"environment: {{id: '{MODULE}:evonet-tests/Impossible-v0'}}\n"
    with pytest.raises(EnvironmentUnavailable) as refused:
        go(text, "out")
    assert refused.value.exit_status == 1
    assert without_place(str(refused.value)).endswith("cannot be made: OSError: the robot is not plugged in")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["plain", "with space/and: more", "..", "\u00e4" * 200, "a" * 200], ids=lambda n: n[:6]
)
def test_the_default_directory_has_a_name_that_any_file_system_takes(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = new_run_directory(name, 7, Path())
    assert path.parent == Path("runs")
    assert path.name.endswith("-seed7")
    assert set(path.name) & set('/\\:*?"<>| ') == set()
    assert path.is_dir()


def test_runs_of_one_second_name_and_seed_have_a_directory_each(tmp_path, monkeypatch):
    class Clock(datetime):
        @classmethod
        def now(cls, zone=None):
            return cls(2026, 5, 4, 3, 2, 1, tzinfo=zone)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(run_directory, "datetime", Clock)
    (tmp_path / "c.yaml").write_text(walk(name="small", seed=3), encoding="utf-8")
    config = Config.load("c.yaml", ["stop.generations=1"], [MODULE])
    with ThreadPoolExecutor(3) as pool:
        summaries = list(pool.map(lambda _: run(config), range(3)))
    first = "runs/small-20260504T030201Z-seed3"
    assert sorted(summary["run_directory"] for summary in summaries) == [first, f"{first}-2", f"{first}-3"]


def test_a_directory_for_runs_that_is_a_file_is_an_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").touch()
    with pytest.raises(RunDirectoryError, match="cannot be written: Not a directory"):
        new_run_directory("name", 7, Path())


def test_json_holds_plain_numbers_and_null_for_what_is_not_finite():
    text = to_json(
        {"a": np.float64(1.5), "b": np.arange(2), "c": (np.nan, -np.inf, np.int64(3)), "d": Path("x"), "e": True}
    )
    assert text == '{"a": 1.5, "b": [0, 1], "c": [null, null, 3], "d": "x", "e": true}'


FITNESS = """
import numpy as np
print("the module is imported")
def near_zero(genomes, episode_seeds):
    return -np.abs(genomes).sum(axis=1)
"""


def test_a_module_beside_the_config_is_imported_if_allowed_and_only_then(tmp_path):
    (tmp_path / "my_fitness.py").write_text(FITNESS, encoding="utf-8")
    text = f"fitness: {{type: 'my_fitness:near_zero'}}\nnetwork: {{inputs: 2, outputs: 1}}\n{SMALL}"
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")

    def evonet(*arguments):
        program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from evonet.cli import main; sys.exit(main())"
        command = [sys.executable, "-P", "-c", program, "run", "c.yaml", "--json", "--output", "out", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    refused = evonet()
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == (
        "evonet: c.yaml:1:11: fitness.type: 'my_fitness:near_zero' would import the module 'my_fitness', "
        "which runs its code; to allow that, add --allow-import my_fitness, or in Python allow_imports=['my_fitness']\n"
    )
    allowed = evonet("--allow-import", "my_fitness")
    assert allowed.returncode == 0, allowed.stderr
    assert json.loads(allowed.stdout)["engine"] == "function"
    assert "the module is imported" in allowed.stderr
