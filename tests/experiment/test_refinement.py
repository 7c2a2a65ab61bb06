"""The refinement of a run's champion: more generations that tune its weights, with the same bytes however it stops."""

import json

import pytest

from evonet.cli import main
from evonet.errors import ConfigError, OutOfTime
from evonet.evolution import Evolution
from evonet.experiment.config import Config
from evonet.experiment.runner import run as run_config
from evonet.inspection.loaded_run import load_run
from evonet.inspection.verdict import run_verdict
from tests.own_parts import MODULE
from tests.stopped_runs import EAGER, SMALL, config_for, exact_files, go_on, run_stopped, run_whole

PLAIN = (
    "environment: {id: Pendulum-v1, max_steps: 50}\nnetwork: {hidden: 6, structure: {start: minimal, density: 0.8}}\n"
    + SMALL
    + "\nevaluation: {workers: 1}\n"
)
REFINED = PLAIN.replace(
    "density: 0.8", "density: 0.8, refine: {type: snes, population_size: 4, sigma: 0.2, generations: 3}"
)
LAST = 5 + 3  # number of the last generation
REFINE = "network.structure.refine"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("plain"), PLAIN)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("refined"), REFINED)


def test_up_to_the_last_generation_it_is_the_run_without_a_refinement(plain, run):
    for name in ("metrics.jsonl", "lineage.jsonl"):
        assert (run / name).read_bytes().startswith((plain / name).read_bytes())
    assert [len(load_run(path).metrics["generation"]) for path in (plain, run)] == [6, 9]


def test_the_champion_keeps_its_structure_and_validates_better(plain, run):
    before, after = load_run(plain).champion, load_run(run).champion
    assert ((before.genome != 0) == (after.genome != 0)).all()
    assert after.validation.mean > before.validation.mean
    line = load_run(run).descent
    assert [ancestor.individual for ancestor in line[-2:]] == [before.id, after.id]
    assert line[-1].operators == ("refinement",)


def test_a_champion_that_no_tuned_network_beats_stays(plain, tmp_path):
    path = run_whole(tmp_path, REFINED, f"{REFINE}.sigma=1000.0", f"{REFINE}.generations=1")
    summary = load_run(path).summary
    assert not summary["refinement"]["better"]
    assert load_run(path).champion.id == load_run(plain).champion.id
    assert summary["champion"]["validation_mean"] == summary["refinement"]["validation_mean_before"]


def test_the_summary_tells_its_cost(plain, run):
    before, after = load_run(plain).summary, load_run(run).summary
    told = after["refinement"]
    assert (told["strategy"], told["generations"], told["better"]) == ("snes", 3, True)
    assert told["validation_mean_before"] == before["champion"]["validation_mean"]
    for name in ("generations", "evaluations", "environment_steps"):
        assert after[name] == before[name] + told[name]
    assert load_run(run).metrics["evaluations"][-1] == after["evaluations"]
    assert "refinement" not in before


@pytest.mark.parametrize("after", [3, 5, 6, LAST])
def test_stopped_and_resumed_it_ends_with_the_same_bytes(after, run, tmp_path):
    stopped = run_stopped(tmp_path, REFINED, *EAGER, after=after)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(run)


def test_two_workers_get_the_same_bytes(tmp_path):
    paths = [
        run_whole(tmp_path, REFINED, f"evaluation.workers={n}", "evaluation.engine=gymnasium", name=f"{n}")
        for n in (1, 2)
    ]
    assert exact_files(paths[0]) == exact_files(paths[1])


def test_a_finished_run_goes_on_from_before_its_refinement(tmp_path):
    path = run_whole(tmp_path, REFINED)
    files = exact_files(path)
    go_on(path)  # it is finished, and nothing changes
    assert exact_files(path) == files
    go_on(path, "stop.generations=8")
    assert exact_files(path) == exact_files(run_whole(tmp_path, REFINED, "stop.generations=8", name="longer"))


@pytest.mark.parametrize("rounds", [0, 1])
def test_where_the_time_is_up_it_ends(rounds, plain, tmp_path, monkeypatch):
    next_generation, alarms = Evolution.__next__, [6 + rounds]

    def out_of_time(evolution):
        if evolution.generations in alarms:
            alarms.clear()  # no later generation is tried
            raise OutOfTime
        return next_generation(evolution)

    monkeypatch.setattr(Evolution, "__next__", out_of_time)
    path = run_whole(tmp_path, REFINED, "stop.seconds=1000")
    assert load_run(path).summary["refinement"]["generations"] == rounds
    assert len(load_run(path).metrics["generation"]) == 6 + rounds
    told = "1 generation of snes: " if rounds else "no time was left for snes"
    assert f"refined     {told}" in run_verdict(load_run(path).summary)
    assert rounds or load_run(path).champion.id == load_run(plain).champion.id


def test_a_champion_without_connections_is_not_refined(tmp_path):
    changes = "network.structure.start=empty", "stop.generations=1", "network.prune={episodes: 2}"
    summary = load_run(run_whole(tmp_path, REFINED, *changes)).summary
    assert summary["generations"] == 1
    assert "refinement" not in summary
    assert (summary["pruning"]["generations"], summary["pruning"]["inputs"]) == (0, 0)
    assert "pruned      nothing to remove from 0 inputs" in run_verdict(summary)


def test_observations_are_normalised_as_the_champion_has_them(tmp_path):
    path = run_whole(tmp_path, REFINED, "evaluation.normalise_observations=true")
    stopped = run_stopped(tmp_path, REFINED, "evaluation.normalise_observations=true", *EAGER, after=7)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(path)


def test_inspect_and_report_say_what_it_did(run, tmp_path, capsys):
    assert main(["inspect", str(run)]) == 0
    assert "refined     3 generations of snes: validation " in capsys.readouterr().out
    assert main(["inspect", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["refinement"]["generations"] == 3
    assert main(["inspect", str(run), "--html", str(tmp_path / "report.html")]) == 0
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The weights of the champion&#39;s structure were tuned: 3 generations of snes" in report


def test_the_name_of_a_strategy_alone_means_its_defaults(tmp_path):
    section = config_for(tmp_path, PLAIN, f"{REFINE}=snes").settings.network.structure.refine
    assert (section.type, section.generations) == ("snes", 20)


@pytest.mark.parametrize(
    ("refine", "rule"),
    [("genetic_algorithm", "type must be a known name, got 'genetic_algorithm'; known: ars, cma_es, "),
     ("growing", "type must be a known name, got 'growing'"),
     ("{generations: 3}", "must have a key 'type'"),
     ("{type: snes, generations: 0}", "generations must be at least 1, got 0"),
     ("{type: snes, size: 3}", "size is not a known key; known: "),
     ("{type: 'no_module:Own'}", "'no_module:Own' would import the module 'no_module'")],
)  # fmt: skip
def test_what_cannot_refine_is_refused(refine, rule, tmp_path):
    with pytest.raises(ConfigError, match=rf"{REFINE}[.:]? ?{rule}"):
        config_for(tmp_path, PLAIN, f"{REFINE}={refine}")


def test_a_strategy_of_ones_own_may_refine(tmp_path):
    (tmp_path / "tuned.yaml").write_text(PLAIN, encoding="utf-8")

    def tuned(sigma):
        override = f"{REFINE}={{type: '{MODULE}:Tuner', sigma: {sigma}, generations: 2}}"
        run_config(Config.load(str(tmp_path / "tuned.yaml"), [override], [MODULE]), tmp_path / f"{sigma}")
        return tmp_path / f"{sigma}"

    path = tuned(0.1)
    assert load_run(path).summary["refinement"]["strategy"] == f"{MODULE}:Tuner"
    message = f"{REFINE}: the strategy '{MODULE}:Tuner' cannot be made: LookupError in .*: no such step is known"
    with pytest.raises(ConfigError, match=message):
        tuned(2.0)
    assert not (tmp_path / "2.0").exists()  # it is tried before the run begins
