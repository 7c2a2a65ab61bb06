"""Studies: several ordinary runs at once, resumed without loss, with failures counted."""

import json
import os
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from evonet.cli import main
from evonet.cli.study import parse_seeds, parse_vary
from evonet.errors import ConfigError, EnvironmentUnavailable, RunDirectoryError, RunInUse
from evonet.experiment import seed_run, seed_runners
from evonet.experiment.config import Config
from evonet.experiment.config.differences import differences
from evonet.experiment.runner import run
from evonet.experiment.study import study
from evonet.experiment.study_summary import summarise
from evonet.foreign import without_place
from evonet.inspection.study_overview import ranges, study_overview
from evonet.statistics import wilson_interval
from tests.environments_for_tests import MODULE

ROOT = Path(__file__).parents[2]
SMALL = (
    "name: small\n"
    "environment: {id: CartPole-v1, max_steps: 60}\n"
    "network: {hidden: 3}\n"
    "algorithm: {population_size: 12, elites: 2}\n"
    "evaluation: {episodes: 1, engine: numpy}\n"
    "validation: {episodes: 4}\ntest: {episodes: 5}\nstop: {generations: 4, target: 45}\n"
)
DETERMINISTIC = ("config.yaml", "metrics.jsonl", "champion.npz", "lineage.jsonl", "genomes.jsonl", "faults.jsonl")
LONG = "stop.target=null"
UNTOLD = ("seconds", "this_command", "engines", "study_directory")


class Here:
    """An executor that is this process."""

    def submit(self, function, /, *arguments):
        future = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL, encoding="utf-8")

    def load(*overrides, allow=()):
        return Config.load("small.yaml", overrides, allow)

    return load


def here(config, seeds, output="out", **rest):
    return study(config, seeds, Path(output), executor=Here(), **rest)


def results_of(summary):
    """What a study found, without what depends on the machine and on the place."""
    found = {key: summary[key] for key in summary if key not in UNTOLD}
    return found | {"runs": [{key: run[key] for key in run if key != "seconds"} for run in summary["runs"]]}


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.name in DETERMINISTIC
    }


def test_each_seed_is_an_ordinary_run(config):
    here(config(), [3, 5])
    run(config("seed=5", "evaluation.workers=auto"), Path("alone"))
    assert files("out/seed-5") == files("alone")
    assert sorted(path.name for path in Path("out").iterdir()) == [
        ".lock",
        "config.yaml",
        "seed-3",
        "seed-5",
        "study.json",
    ]
    assert main(["inspect", "out/seed-3", "--json"]) == 0


def test_one_process_two_processes_and_none_give_the_same(config):
    seeds = range(4)
    summaries = [
        here(config(), seeds, "none"),
        *(study(config("evaluation.workers=2"), seeds, Path(f"by-{n}"), workers=n) for n in (1, 2)),
    ]
    assert [summary["this_command"]["at_once"] for summary in summaries[1:]] == [1, 2]
    assert results_of(summaries[0]) == results_of(summaries[1]) == results_of(summaries[2])
    assert files("none") == files("by-1") == files("by-2")
    assert len(files("none")) == 1 + 4 * len(DETERMINISTIC)


@pytest.fixture
def stopped(config, monkeypatch):
    """A study of five seeds, stopped in the second generation of its third."""

    def interrupted(config, path, *_, **__):
        def watch(generation, seconds):
            if config.settings.seed == 2 and generation.number == 1:
                raise KeyboardInterrupt

        return run(config, path, watch)

    with monkeypatch.context() as patch:
        patch.setattr(seed_run, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            here(config(LONG), range(5))
    assert [(Path("out") / f"seed-{seed}" / "run.json").exists() for seed in range(3)] == [True, True, False]
    assert not Path("out/study.json").exists()
    return Path("out")


@pytest.mark.parametrize("damaged", [False, True], ids=["sound", "damaged"])
def test_a_study_that_is_stopped_and_resumed_equals_an_uninterrupted_one(damaged, stopped, config, monkeypatch):
    begun = []
    monkeypatch.setattr(seed_run, "run", lambda config, path, **_: begun.append(path.name) or run(config, path))
    if damaged:  # the run begins again
        for checkpoint in (stopped / "seed-2" / "checkpoints").iterdir():
            checkpoint.write_bytes(b"dust")
    before = (stopped / "seed-1" / "run.json").stat().st_mtime_ns
    summary = here(config(LONG), range(5))
    assert begun == [*(["seed-2"] if damaged else []), "seed-3", "seed-4"]
    assert (stopped / "seed-1" / "run.json").stat().st_mtime_ns == before
    assert summary["this_command"]["runs"] == 3
    assert results_of(summary) == results_of(here(config(LONG), range(5), "whole"))
    assert files(stopped) == files("whole")


def test_a_finished_study_is_not_run_again_and_more_seeds_are_added_to_it(config, monkeypatch):
    first = here(config(), range(2))
    more = here(config(), range(4))
    assert (more["seeds"], more["this_command"]["runs"]) == ([0, 1, 2, 3], 2)
    assert more["runs"][:2] == first["runs"]
    monkeypatch.setattr(seed_run, "run", lambda *_, **__: pytest.fail("a finished run was run again"))
    again = here(config(), range(2))
    assert results_of(again) == results_of(first)
    assert again["this_command"]["runs"] == 0


def test_the_file_holds_what_is_returned_and_the_watcher_sees_each_seed_once(config):
    seen = []
    summary = here(config(), [7, 1], watch=lambda outcome: seen.append(outcome.seed))
    assert json.loads(Path("out/study.json").read_text(encoding="utf-8")) == json.loads(json.dumps(summary))
    assert sorted(seen) == [1, 7]
    assert set(summary) == {
        "name", "study_directory", "environment", "target", "versions", "seeds", "success", "to_success", "test",
        "seconds", "engines", "runs", "failures", "this_command",
    }  # fmt: skip
    assert [run["seed"] for run in summary["runs"]] == [7, 1]
    assert {"solved", "evaluations", "environment_steps", "validation_steps", "seconds", "test_mean"} <= set(
        summary["runs"][0]
    )


def test_a_directory_of_another_config_is_refused_with_what_differs(config):
    here(config(), [0])
    other = config("algorithm.population_size=14", "stop.target=null", "seed=9", "evaluation.workers=2")
    with pytest.raises(ConfigError) as refused:
        here(other, [0])
    assert str(refused.value) == (
        "out holds a study of another config; choose another --output. What differs:\n"
        "  algorithm.population_size: 12 there, 14 here\n"
        "  stop.target: 45.0 there, null here"
    )


def test_a_directory_that_holds_a_run_is_refused(config):
    run(config(), Path("out"))
    with pytest.raises(ConfigError) as refused:
        here(config(), [0])
    assert str(refused.value) == "out holds a run, not a study; choose another --output"


def test_a_second_process_on_a_study_is_refused(config):
    def second(outcome):
        with pytest.raises(RunInUse) as refused:
            here(config(), [1])
        assert str(refused.value) == "out is in use: another process is running the study"

    here(config(), [0], watch=second)
    assert not Path("out/seed-1").exists()
    assert here(config(), [0])["this_command"]["runs"] == 0


@pytest.mark.parametrize("content", ["{", "[]", '{"seed": 4}'])
def test_a_run_summary_with_another_seed_is_an_error(content, config):
    here(config(), [0])
    Path("out/seed-0/run.json").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        here(config(), [0])
    assert str(refused.value).startswith("out/seed-0/run.json: ")


def test_an_error_of_every_run_is_raised_before_anything_is_written(config):
    impossible = config(f"environment={{id: '{MODULE}:evonet-tests/Impossible-v0'}}", allow=[MODULE])
    with pytest.raises(EnvironmentUnavailable):
        here(impossible, [0])
    assert not Path("out").exists()
    Path("file").write_text("in the way", encoding="utf-8")
    with pytest.raises(RunDirectoryError) as refused:
        here(config(), [0], "file/out")
    assert str(refused.value) == "file/out: cannot be written: Not a directory"


def test_a_failed_seed_is_reported_and_repeated_and_the_others_continue(config, monkeypatch):
    def fails(config, path, **_):
        if config.settings.seed == 1:
            raise ZeroDivisionError("no luck")
        return run(config, path)

    with monkeypatch.context() as patch:
        patch.setattr(seed_run, "run", fails)
        summary = here(config(), range(3))
    (failure,) = summary["failures"]
    assert (failure["seed"], without_place(failure["error"])) == (1, "ZeroDivisionError: no luck")
    assert "Traceback" in failure["traceback"]
    assert [row["seed"] for row in summary["runs"]] == [0, 2]
    assert (summary["success"]["runs"], summary["test"]["runs"]) == (3, 2)
    text = study_overview(summary)
    assert "Failed: 1 of 3 runs, counted as not solved; the same command tries again.\n  seed 1: Zero" in text
    assert here(config(), range(3))["failures"] == []


def summary_of(seed, *, solved, evaluations, test_mean, seconds=1.0):
    return {
        "environment": "E", "engine": "numpy", "target": 10.0, "versions": {}, "seed": seed, "solved": solved,
        "stopped_by": "target" if solved else "generations", "evaluations": evaluations,
        "environment_steps": 10 * evaluations, "validation_steps": 5, "generations": evaluations // 10,
        "seconds": seconds,
        "champion": None if test_mean is None else {
            "training_fitness": 1.0, "validation_mean": 1.0, "test_mean": test_mean, "test_episodes": 20
        },
    }  # fmt: skip


def test_the_figures_are_those_worked_out_by_hand():
    runs = [
        summary_of(0, solved=True, evaluations=100, test_mean=12.0),
        summary_of(1, solved=True, evaluations=300, test_mean=11.0, seconds=2.0),
        summary_of(2, solved=False, evaluations=1000, test_mean=4.0),
        summary_of(3, solved=True, evaluations=200, test_mean=14.0),
        summary_of(4, solved=False, evaluations=1000, test_mean=None),
        None,
    ]
    found = summarise(runs, range(6))
    assert found["success"] == {"solved": 3, "runs": 6, "rate": 0.5, "interval": wilson_interval(3, 6)}
    assert found["to_success"]["runs"] == 3
    assert found["to_success"]["evaluations"] == {
        "median": 200.0, "lower_quartile": 150.0, "upper_quartile": 250.0, "mean": 200.0, "per_success": 2600 / 3
    }  # fmt: skip
    assert found["to_success"]["validation_steps"]["mean"] == 5.0
    test = found["test"]
    assert (test["runs"], test["median"], test["best"], test["best_seed"]) == (5, 11.0, 14.0, 3)
    assert (test["worst"], test["worst_seed"]) == (-np.inf, 4)
    assert test["interquartile_mean"] == pytest.approx(9.0)
    assert (found["seconds"]["total"], found["seconds"]["median"]) == (6.0, 1.0)


def test_the_overview_says_which_runs_its_figures_are_of():
    runs = [summary_of(seed, solved=seed < 3, evaluations=100 + seed, test_mean=10.0 + seed) for seed in range(4)]
    summary = {
        "name": "n", "study_directory": "d", **summarise(runs, range(4)), "failures": [],
        "this_command": {"seconds": 2.0, "runs": 4, "at_once": 2},
    }  # fmt: skip
    text = study_overview(summary)
    assert text.startswith(
        "n · E · 4 seeds (0-3)\n\nSolved: 3 of 4 runs (75 %; 95 % interval 30 % to 95 %)\nby a test mean"
    )
    assert "Median, quartiles and mean are those of the 3 solved runs." in text
    assert "worst 10 (seed 0), best 13 (seed 3)" in text
    everyone = [summary_of(seed, solved=True, evaluations=100, test_mean=12.0) for seed in range(4)]
    assert "per success" not in study_overview({**summary, **summarise(everyone, range(4))})
    unsolved = [summary_of(seed, solved=False, evaluations=100, test_mean=2.0) for seed in range(4)]
    assert "to success" not in study_overview({**summary, **summarise(unsolved, range(4))})
    assert "No run is finished." in study_overview({**summary, **summarise([None] * 4, range(4))})
    assert max(map(len, text.splitlines())) <= 80
    assert text.endswith("A run took 1 s (median) on numpy; all runs together 4 s.\n4 runs in 2 s, 2 in parallel.")


def test_without_a_target_no_success_is_reported(config):
    summary = here(config("stop.target=null"), range(2))
    assert summary["success"] is None
    assert "No target, so no run counts as solved or not solved." in study_overview(summary)


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("3", [0, 1, 2]),
        ("1000-1002", [1000, 1001, 1002]),
        ("3,5,9", [3, 5, 9]),
        ("7-7", [7]),
        ("0-2, 20", [0, 1, 2, 20]),
    ],
)
def test_seeds_are_a_number_a_range_or_a_list(text, seeds):
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "x", "-3", "5-3", "1,,2", "1.5", "3,x", "1-2-3"])
def test_invalid_seeds_are_refused(text):
    with pytest.raises(ConfigError) as refused:
        parse_seeds(text)
    assert str(refused.value) == (
        f"--seeds must be a number of seeds, a range such as 1000-1049 or a list such as 3,5,9, got {text!r}"
    )


def test_duplicate_seeds_and_too_many_seeds_are_refused():
    with pytest.raises(ConfigError, match=r"^--seeds must name each seed once, got '0-5,3'$"):
        parse_seeds("0-5,3")
    with pytest.raises(ConfigError, match=r"^--seeds must name at most 100,000 seeds, got '1000000000000'$"):
        parse_seeds("1000000000000")


def test_ranges_are_read_as_they_were_written():
    assert ranges([0, 1, 2, 3, 20, 7, 8]) == "0-3, 7-8, 20"


def test_differences_are_found_at_any_depth():
    one = {"a": 1, "b": {"c": [1, 2], "d": {}}, "evaluation": {"workers": 1}, "seed": 1}
    other = {"a": 1, "b": {"c": [1, 3], "d": {"e": 4}}, "evaluation": {"workers": "auto"}, "seed": 2}
    assert differences([one, other], ignored=["seed"]) == {"b.c": [[1, 2], [1, 3]], "b.d": [{}, "-"], "b.d.e": ["-", 4]}
    assert differences([one, one, one]) == {}


def test_ctrl_c_stops_a_study_and_the_same_command_goes_on(config):
    here(config(), range(3), "whole")
    program = (
        "import signal, sys, evonet.processes.pool as pool\n"
        "from evonet.cli import main\n"
        "next_done = pool.WorkerPool.next_done\n"
        "def interrupted(self):\n"
        "    done = next_done(self)\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    return done\n"
        "pool.WorkerPool.next_done = interrupted\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(main())\n"
    )
    arguments = ["study", "small.yaml", "--seeds", "3", "--workers", "1", "--output", "out"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == (
        "evonet: interrupted with 0 of 3 runs done in out; to continue, run the same command again\n"
    )
    assert Path("out/seed-0/run.json").exists()
    assert not Path("out/study.json").exists()
    here(config(), range(3))
    assert files("out") == files("whole")


@pytest.fixture
def in_this_process(monkeypatch):
    monkeypatch.setattr(
        seed_runners, "run_in_processes", lambda workers, *arguments: seed_runners.run_on_executor(Here(), *arguments)
    )


def test_the_command_prints_a_table_and_with_json_one_document_with_the_same_figures(config, in_this_process, capsys):
    assert main(["study", "small.yaml", "--seeds", "2,4"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("small · CartPole-v1 · 2 seeds (2, 4)\n\nSolved: ")
    lines = err.splitlines()
    assert lines[-2:] == [
        "inspect it with: evonet inspect runs/small-study",
        "compare with another study: evonet compare runs/small-study OTHER",
    ]
    assert main(["study", "small.yaml", "--seeds", "2,4", "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["seeds"], err) == ([2, 4], "")
    assert json.loads(out) == json.loads(Path("runs/small-study/study.json").read_text(encoding="utf-8"))


def test_a_study_with_a_failed_run_ends_with_1(config, in_this_process, monkeypatch, capsys):
    monkeypatch.setattr(seed_run, "run", lambda *_, **__: 1 / 0)
    assert main(["study", "small.yaml", "--seeds", "2", "--quiet"]) == 1
    assert main(["study", "small.yaml", "--seeds", "2", "--json"]) == 1
    summary = json.loads(capsys.readouterr().out)
    assert (summary["runs"], summary["test"], summary["success"]) == ([], {"runs": 0}, None)
    assert [failure["seed"] for failure in summary["failures"]] == [0, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--seeds", "1,1"], "--seeds must name each seed once, got '1,1'"),
        (["--seeds", "2", "--workers", "0"], "--workers must be a whole number of at least 1 or 'auto', got '0'"),
        (["--seeds", "2", "--set", "seed=x"], "--set seed=x: seed must be a whole number, got 'x'"),
    ],
)
def test_an_error_is_a_message_and_an_exit_status(options, message, config, capsys):
    assert main(["study", "small.yaml", *options]) == 2
    assert capsys.readouterr() == ("", f"evonet: {message}\n")
    assert not Path("runs").exists()


def test_a_varied_key_has_a_study_for_each_value_and_the_overview_compares_them(config, in_this_process, capsys):
    command = ["study", "small.yaml", "--seeds", "2", "--vary", "algorithm.population_size=12,14"]
    assert main(command) == 0
    out, err = capsys.readouterr()
    folder = Path("runs/small-population_size")
    assert sorted(path.name for path in folder.iterdir()) == ["population_size=12", "population_size=14"]
    assert "population_size: 14" in (folder / "population_size=14/config.yaml").read_text(encoding="utf-8")
    assert "algorithm.population_size  12                  14" in out
    assert "No significant difference in" in out
    assert err.splitlines()[-1] == (
        f"compare in figures: evonet compare {folder}/population_size=12 {folder}/population_size=14 "
        f"--html {folder}/compare.html"
    )
    before = files(folder)
    assert main([*command, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["key"] == "algorithm.population_size"
    assert [study["this_command"]["runs"] for study in data["studies"]] == [0, 0]
    assert [each["name"] for each in data["comparison"]["compared"]] == ["population_size=12", "population_size=14"]
    assert files(folder) == before


def test_a_wrong_value_is_refused_before_any_study_begins(config, capsys):
    assert main(["study", "small.yaml", "--seeds", "1", "--vary", "algorithm.population_size=12,x"]) == 2
    assert "algorithm.population_size must be a whole number, got 'x'" in capsys.readouterr().err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("a.b=0.1, 0.3,1", "a.b", ["0.1", "0.3", "1"]),
        ("a={type: x, n: 1},none", "a", ["{type: x, n: 1}", "none"]),
        ("a=[1, 2],'b,c'", "a", ["[1, 2]", "'b,c'"]),
    ],
)
def test_values_are_separated_by_commas_outside_of_brackets(text, key, values):
    assert parse_vary(text) == (key, values)


@pytest.mark.parametrize("text", ["a", "a=", "a=1", "a=1,1", "=1,2", "a=1,,2"])
def test_a_varied_key_without_two_different_values_is_refused(text):
    with pytest.raises(ConfigError, match="--vary must be a key and two or more different values, such as "):
        parse_vary(text)
