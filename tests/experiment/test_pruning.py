"""The pruning of a run's champion: generations that remove its inputs, with the same bytes however they stop."""

import json
import shutil

import numpy as np
import pytest

from evonet.cli import main
from evonet.errors import ConfigError, OutOfTime
from evonet.evolution import Evolution
from evonet.experiment.run_files.journal_lines import SAMPLE_METRICS
from evonet.experiment.runner import finish
from evonet.experiment.runner import run as run_config
from evonet.inspection.loaded_run import load_run
from evonet.inspection.verdict import run_verdict
from evonet.operators.structure import inputs_left_out
from evonet.seeding import Purpose, episode_seeds
from tests.environments_for_tests import MODULE
from tests.stopped_runs import EAGER, FUNCTION, SMALL, config_for, exact_files, go_on, run_stopped, run_whole

PLAIN = (
    "environment: {id: CartPole-v1, max_steps: 60, wrappers: [{name: NoiseInputs, kwargs: {count: 2}}]}\n"
    "network: {hidden: 3, skip: true}\n" + SMALL + "\nevaluation: {workers: 1}\n"
)
PRUNED = PLAIN.replace("skip: true", "skip: true, prune: {episodes: 6}")
SNES = "algorithm={type: snes, population_size: 6}"


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("plain"), PLAIN)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("pruned"), PRUNED)


def left_out(run):
    champion = load_run(run).champion
    return inputs_left_out(champion.genome != 0, champion.architecture)


def test_a_run_races_up_to_its_pruning(plain, tmp_path):
    raced = load_run(run_whole(tmp_path, PRUNED, "evaluation.episodes=4", "evaluation.race.round=2")).metrics
    evolved = len(load_run(plain).metrics["generation"])
    assert (raced["raced_episodes"][:evolved] > 0).all()
    assert len(raced["generation"]) > evolved
    assert np.isnan(raced["raced_episodes"][evolved:]).all()


def test_up_to_the_last_generation_it_is_the_run_without_a_pruning(plain, run):
    for name in ("metrics.jsonl", "lineage.jsonl"):
        assert (run / name).read_bytes().startswith((plain / name).read_bytes())
    rounds = load_run(run).summary["pruning"]["generations"]
    assert len(load_run(run).metrics["generation"]) == len(load_run(plain).metrics["generation"]) + rounds
    assert rounds > 1


def test_the_champion_has_lost_inputs_and_validates_as_well(plain, run):
    before, after = load_run(plain).champion, load_run(run).champion
    assert len(left_out(run)) > len(left_out(plain)) == 0
    exists = after.genome != 0
    assert (after.genome[exists] == before.genome[exists]).all()
    differences = after.validation.returns - before.validation.returns
    assert differences.mean() >= -differences.std(ddof=1) / 2  # of four episodes
    line = load_run(run).descent
    assert {ancestor.operators for ancestor in line[-len(left_out(run)) :]} == {("remove_input",)}
    assert line[-len(left_out(run)) - 1].individual == before.id


def test_the_summary_tells_its_cost_and_the_inputs(plain, run):
    before, after = load_run(plain).summary, load_run(run).summary
    told = after["pruning"]
    assert (told["inputs_before"], told["inputs"]) == (6, 6 - len(left_out(run)))
    assert told["validation_mean_before"] == before["champion"]["validation_mean"]
    assert told["validation_mean"] == after["champion"]["validation_mean"]
    for name in ("generations", "evaluations", "environment_steps"):
        assert after[name] == before[name] + told[name]
    assert "pruning" not in before


def test_a_network_that_needs_all_its_inputs_stays(tmp_path):
    changes = "algorithm={type: snes, sigma: 0.5}", "stop.generations=100"  # all weights are near 1 then
    plain = run_whole(tmp_path, FUNCTION + SMALL, *changes, name="plain")
    run = run_whole(tmp_path, FUNCTION + SMALL, *changes, "network.prune={episodes: 2}", name="pruned")
    told = load_run(run).summary["pruning"]
    assert load_run(run).champion.id == load_run(plain).champion.id
    assert [told[name] for name in ("generations", "evaluations", "inputs_before", "inputs")] == [1, 3, 2, 2]
    assert told["validation_mean"] == told["validation_mean_before"]
    assert "pruned      no network with less than 2 inputs validated as well" in run_verdict(load_run(run).summary)


@pytest.mark.parametrize("after", [3, 5, 6, 7])
def test_stopped_and_resumed_it_ends_with_the_same_bytes(after, run, tmp_path):
    stopped = run_stopped(tmp_path, PRUNED, *EAGER, after=after)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(run)


@pytest.mark.parametrize("after", [3, 5, 7])
def test_finish_ends_a_run_without_pruning_and_resume_prunes_it(after, plain, run, tmp_path):
    stopped = run_stopped(tmp_path, PRUNED, *EAGER, after=after)
    summary = finish(stopped, [MODULE])
    assert (summary["stopped_by"], summary["generations"]) == ("finish", min(after, 5) + 1)
    assert "pruning" not in summary
    if after == 7:
        assert load_run(stopped).champion.id == load_run(plain).champion.id
        assert (stopped / "metrics.jsonl").read_bytes() == (plain / "metrics.jsonl").read_bytes()
    go_on(stopped)
    assert exact_files(stopped) == exact_files(run)
    assert load_run(stopped).summary["stopped_by"] == "generations"


def test_a_run_that_is_killed_in_its_pruning_goes_on_from_its_last_generation(run, tmp_path):
    killed = tmp_path / "killed"

    def watch(generation, seconds):
        if generation.number == 6:
            shutil.copytree(tmp_path / "run", killed)  # what a kill would leave

    run_config(config_for(tmp_path, PRUNED), tmp_path / "run", watch)
    assert [file.name for file in (killed / "checkpoints").iterdir()] == ["generation-00000005.npz"]
    go_on(killed)
    assert exact_files(killed) == exact_files(run)


X = "measures={x: {of: observation, index: 0, take: last}}"
GRID = "archive={type: grid, ranges: {x: [-1, 1]}, cells: [5]}"
NOVELTY = "algorithm={type: novelty_search, measures: [x], algorithm: {population_size: 8}}"


@pytest.mark.parametrize("kind", [GRID, NOVELTY])
def test_an_archive_is_that_of_the_evolution(kind, tmp_path):
    changes = X, kind, "validation.archive_episodes=3", "evaluation.normalise_observations=true"
    plain = run_whole(tmp_path, PLAIN, *changes, name="plain")
    path = run_whole(tmp_path, PRUNED, *changes)
    assert (path / "archive.npz").read_bytes() == (plain / "archive.npz").read_bytes()
    before, after = load_run(plain), load_run(path)
    assert after.summary["archive"] == before.summary["archive"]
    assert after.summary["pruning"]["generations"] > 0
    assert set(after.metrics["qd_score"][6:]) == {before.metrics["qd_score"][-1]}
    stopped = run_stopped(tmp_path, PRUNED, *changes, *EAGER, after=7)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(path)
    assert load_run(stopped).summary["archive"] == after.summary["archive"]


def test_no_sample_of_the_archive_is_run_in_a_pruning(tmp_path):
    path = run_whole(tmp_path, PRUNED, X, GRID, "validation.archive_episodes=2", "environment.max_steps=4")
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) > 10  # the tenth would have a sample
    assert not [name for line in lines for name in line if name in SAMPLE_METRICS]


def test_two_workers_get_the_same_bytes(run, tmp_path):
    assert exact_files(run_whole(tmp_path, PRUNED, "evaluation.workers=2")) == exact_files(run)


def test_a_finished_run_goes_on_from_before_its_pruning(run, tmp_path):
    path = run_whole(tmp_path, PRUNED)
    go_on(path)  # it is finished, and nothing changes
    assert exact_files(path) == exact_files(run)
    go_on(path, "stop.generations=8")
    assert exact_files(path) == exact_files(run_whole(tmp_path, PRUNED, "stop.generations=8", name="longer"))


@pytest.mark.parametrize("override", [SNES, "evaluation.normalise_observations=true"])
def test_it_follows_any_strategy_and_a_normaliser(override, tmp_path):
    path = run_whole(tmp_path, PRUNED, override)
    assert len(left_out(path))
    stopped = run_stopped(tmp_path, PRUNED, override, *EAGER, after=7)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(path)


def test_all_networks_see_what_the_champion_saw(tmp_path):
    structure = "structure: {start: full, refine: {type: snes, population_size: 4, generations: 2}}"
    config = config_for(
        tmp_path, PRUNED.replace("skip: true,", f"{structure},"), "evaluation.normalise_observations=true"
    )
    counts, champions = [], []

    def watch(generation, seconds):
        counts.append(generation.normaliser.count)
        champions.append(generation.champion)

    run_config(config, tmp_path / "run", watch)
    assert counts[:6] == sorted(set(counts[:6]))
    assert len(counts) > 9
    assert set(counts[6:]) == {champions[5].normaliser.count}


def test_by_weights_the_smallest_network_validates_as_well_as_by_the_return(tmp_path):
    path = run_whole(tmp_path, PRUNED, X, "fitness.weights={return: 0.001, x: 1}")
    summary = load_run(path).summary
    assert len(left_out(path)) == 6 - summary["pruning"]["inputs"] > 0
    assert summary["champion"]["fitness"]["validation"] < 2 < summary["champion"]["validation_mean"]


@pytest.mark.parametrize(("after", "seed"), [("pruning", 0), ("refinement", 1)])
def test_the_champion_acts_in_its_validation_as_it_does_later(after, seed, tmp_path):
    structure = "structure: {start: full, refine: {type: snes, population_size: 4, generations: 2}}"
    text = PRUNED.replace("CartPole-v1, max_steps: 60", "Pendulum-v1, max_steps: 30")
    text = text if after == "pruning" else text.replace("skip: true,", f"{structure},")
    path = run_whole(tmp_path, text, "evaluation.normalise_observations=true", f"seed={seed}")
    champion = load_run(path).champion
    assert champion.normaliser.count > 0
    assert len(left_out(path))
    seeds = episode_seeds(seed, Purpose.VALIDATION, 0, 4)
    assert champion.run(seeds).returns.ravel().tolist() == champion.validation.returns.tolist()


def test_a_refinement_follows_and_keeps_the_inputs_away(run, tmp_path):
    structure = "structure: {start: full, refine: {type: snes, population_size: 4, generations: 2}}"
    text = PRUNED.replace("skip: true,", f"{structure},")
    path = run_whole(tmp_path, text)
    summary = load_run(path).summary
    assert summary["pruning"]["inputs"] == 6 - len(left_out(path)) < 6
    assert summary["refinement"]["validation_mean_before"] == summary["pruning"]["validation_mean"]
    last = load_run(path).metrics["generation"][-1]
    stopped = run_stopped(tmp_path, text, *EAGER, after=int(last))
    go_on(stopped)
    assert exact_files(stopped) == exact_files(path)


def test_with_one_input_left_no_further_generation_is_run(plain, tmp_path):
    all_equal = "environment.max_steps=4"
    summary = load_run(run_whole(tmp_path, PRUNED, all_equal)).summary["pruning"]
    counts = [summary[name] for name in ("inputs_before", "inputs", "generations", "evaluations")]
    assert counts == [6, 1, 5, 6 + 5 + 4 + 3 + 2 + 5]
    assert summary["environment_steps"] == 4 * 6 * summary["evaluations"]  # 6 episodes


@pytest.mark.parametrize("prune", ["{episodes: 1}", "null"])
@pytest.mark.parametrize("start", ["full", "minimal, density: 0.2"])
def test_no_id_is_given_twice(prune, start, tmp_path):
    structure = f"{{start: {start}, refine: {{type: snes, population_size: 4, evaluate_mean: false, generations: 2}}}}"
    text = PRUNED.replace("{episodes: 6}", f"{prune}, structure: {structure}")
    path = run_whole(tmp_path, text, "environment.max_steps=4")
    lines = [json.loads(line) for line in (path / "lineage.jsonl").read_text().splitlines()]
    ids = [individual for line in lines for individual in line["ids"]]
    assert len(ids) == len(set(ids))
    refined = load_run(path).summary["refinement"]
    assert refined["generations"] == 2
    assert [len(line["ids"]) for line in lines[-2:]] == [4, 4]
    assert {tuple(line["operator_names"]) for line in lines[-2:]} == {("refinement",)}


def test_inspect_and_report_say_what_it_did(run, tmp_path, capsys):
    assert main(["inspect", str(run)]) == 0
    told = load_run(run).summary["pruning"]
    assert f"pruned      {told['inputs']} of 6 inputs left: validation " in capsys.readouterr().out
    assert main(["inspect", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pruning"] == told
    assert main(["inspect", str(run), "--html", str(tmp_path / "report.html")]) == 0
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"Inputs of the champion were removed: {told['inputs']} of 6 inputs left: validation " in report


@pytest.mark.parametrize(
    ("changes", "message"),
    [(["network.prune={episodes: 0}"], "network.prune.episodes must be at least 1, got 0"),
     (["network.prune={rounds: 3}"], "network.prune.rounds is not a known key"),
     (["network.prune=5"], "network.prune must be a section"),
     (["algorithm=nsga2", "objectives={return: maximise, connections: minimise}", "network.structure={}"],
      "network.prune must be left out where the result is an archive or a front, got the algorithm nsga2"),
     ([X, "algorithm={type: map_elites, archive: {type: grid, ranges: {x: [-1, 1]}, cells: [5]}}"],
      "network.prune must be left out where the result is an archive or a front, got the algorithm map_elites")],
)  # fmt: skip
def test_what_cannot_be_pruned_is_refused(changes, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        run_whole(tmp_path, PRUNED, *changes)


@pytest.mark.parametrize("rounds", [0, 1])
def test_where_the_time_is_up_it_ends(rounds, plain, tmp_path, monkeypatch):
    next_generation, alarms = Evolution.__next__, [6 + rounds]

    def out_of_time(evolution):
        if evolution.generations in alarms:
            alarms.clear()  # no later generation is tried
            raise OutOfTime
        return next_generation(evolution)

    monkeypatch.setattr(Evolution, "__next__", out_of_time)
    path = run_whole(tmp_path, PRUNED, "stop.seconds=1000")
    assert load_run(path).summary["pruning"]["generations"] == rounds
    assert (load_run(path).champion.id == load_run(plain).champion.id) == (rounds == 0)
    assert len(left_out(path)) == rounds
    told = "5 of 6 inputs left: validation " if rounds else "no time was left to remove an input"
    assert f"pruned      {told}" in run_verdict(load_run(path).summary)


def test_a_champion_of_one_input_has_nothing_to_remove(tmp_path):
    path = run_whole(tmp_path, FUNCTION + SMALL, "network.inputs=1", "network.prune={}")
    summary = load_run(path).summary
    assert [summary["pruning"][name] for name in ("generations", "evaluations", "inputs")] == [0, 0, 1]
    assert "pruned      nothing to remove from 1 input" in run_verdict(summary)
