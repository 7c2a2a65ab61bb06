"""A run read back: the line of descent is true, and what is no finished run is refused."""

import json
import shutil
from itertools import pairwise

import pytest

from evonet.errors import ConfigError
from evonet.inspection.finished_run import FinishedRun


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


def test_a_second_parent_stands_only_where_genes_were_crossed(small_run):
    for generation, parents, _, names in lineage(small_run).values():
        assert (parents[1] != -1) == ("uniform crossover" in names)
        assert not names or generation > 0


def test_the_line_of_descent_leads_from_the_start_to_the_champion_and_is_true(small_run):
    run, born = FinishedRun(small_run), lineage(small_run)
    line = run.descent
    assert line[0].parents == ()
    assert line[0].generation == 0
    assert line[-1].individual == run.champion.individual
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
    run = FinishedRun(small_run)
    assert [line["generation"] for line in run.metrics] == list(range(8))
    assert run.summary["name"] == "small"
    assert run.champion.test.episodes == 6


def test_a_run_that_was_moved_knows_where_it_is(small_run, tmp_path):
    moved = tmp_path / "moved"
    shutil.copytree(small_run, moved)
    assert FinishedRun(moved).summary["run_directory"] == str(moved)
    assert FinishedRun(str(moved)).champion.genome.tolist() == FinishedRun(small_run).champion.genome.tolist()


def test_a_run_without_a_champion_is_read_too(failed_run):
    run = FinishedRun(failed_run)
    assert (run.champion, run.descent, len(run.metrics)) == (None, [], 2)


def test_what_is_no_finished_run_is_refused(tmp_path, small_run):
    with pytest.raises(ConfigError) as refused:
        FinishedRun(tmp_path / "nowhere")
    assert str(refused.value) == f"{tmp_path}/nowhere is not a run directory: it has no config.yaml"
    shutil.copy(small_run / "config.yaml", tmp_path)
    with pytest.raises(ConfigError) as refused:
        FinishedRun(tmp_path)
    assert str(refused.value) == f"{tmp_path} holds a run that has not come to its end: it has no run.json"


@pytest.mark.parametrize(
    ("name", "content", "read", "message"),
    [
        ("run.json", "{", "summary", "run.json: cannot be read: "),
        ("run.json", "[]", "summary", "run.json: cannot be read: "),
        ("metrics.jsonl", '{"generation": 0}\n{"gen', "metrics", "metrics.jsonl:2: not a line of JSON: "),
        ("lineage.jsonl", "nonsense\n", "descent", "lineage.jsonl:1: not a line of JSON: "),
        ("champion.npz", "nonsense", "champion", "champion.npz: not a champion file: "),
    ],
)
def test_a_damaged_file_is_named(name, content, read, message, small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "run")
    (tmp_path / "run" / name).write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        getattr(FinishedRun(tmp_path / "run"), read)
    assert str(refused.value).startswith(f"{tmp_path}/run/{message}")


def test_a_missing_journal_is_named(small_run, tmp_path):
    shutil.copytree(small_run, tmp_path / "run")
    (tmp_path / "run" / "metrics.jsonl").unlink()
    with pytest.raises(ConfigError) as refused:
        FinishedRun(tmp_path / "run").metrics  # noqa: B018
    assert str(refused.value) == f"{tmp_path}/run/metrics.jsonl: cannot be read: No such file or directory"
