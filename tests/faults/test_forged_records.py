"""Run directories whose summary or journals hold any value anywhere: each command reads them or refuses the file."""

import functools
import json
import shutil

import pytest

from evonet.cli import main
from evonet.errors import ConfigError
from evonet.experiment.run_files import journal_lines
from evonet.experiment.run_files.journal_lines import NEWBORN_IN_A_LINE, births_from
from evonet.experiment.run_files.summaries import read_run_summary
from evonet.files.bounded import LONGEST_LINE, read_lines
from evonet.inspection.loaded_run import load_run
from tests.stopped_runs import SMALL, run_whole

CARTPOLE = f"environment: {{id: CartPole-v1, max_steps: 30}}\nnetwork: {{hidden: 2}}\n{SMALL}"
ODD = [None, True, -1, 2**63, 10**400, 0.5, 1e308, "", "x" * 2000, "\x1b]0;pwned\x07", "\ud800", [], [[]], {}, {"a": 1}]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run_whole(tmp_path_factory.mktemp("forged"), CARTPOLE)


@pytest.fixture
def run(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "sound")
    return shutil.copytree(whole, tmp_path / "run")


def places(tree, way=()):
    below = tree.items() if isinstance(tree, dict) else enumerate(tree[:1]) if isinstance(tree, list) else ()
    for step, item in below:
        yield (*way, step)
        yield from places(item, (*way, step))


def forged(entry, odds=ODD):
    """The entry with each of its values replaced by each odd one, or removed."""
    for *way, last in places(entry):
        for odd in [*odds, "absent"]:
            copy = json.loads(json.dumps(entry))
            node = functools.reduce(lambda node, step: node[step], way, copy)
            if odd == "absent":
                del node[last]
            else:
                node[last] = odd
            yield copy


def refused(read):
    """The message of the refusal, "" if the file is read."""
    try:
        read()
    except ConfigError as error:
        return str(error)
    return ""


def test_every_forged_summary_is_read_whole_or_refused_by_its_name(run, capsys):
    file = run / "run.json"
    for entry in forged(json.loads(file.read_text())):
        file.write_text(json.dumps(entry))
        refusal = refused(lambda: read_run_summary(run))
        assert refusal.startswith(f"{file}: ") or not refusal
        assert main(["inspect", str(run)]) == (2 if refusal else 0), entry
        said = capsys.readouterr()
        assert "\x1b" not in said.out + said.err


MANY_ANSWERS = """
environment: {id: MountainCarContinuous-v0, max_steps: 30}
network: {hidden: 2}
measures: {effort: {of: action, power: 2, take: sum}, x: {of: observation, index: 0, take: last}}
objectives: {return: maximise, effort: minimise}
algorithm: {type: nsga2, population_size: 6}
archive: {type: grid, ranges: {x: [-1.2, 0.6]}, cells: [10]}
validation: {episodes: 2, archive_episodes: 2}
test: {episodes: 2}
stop: {generations: 2, target: null}
"""
REFINED = """
environment: {id: CartPole-v1, max_steps: 30}
network: {hidden: 2, prune: {episodes: 2}, structure: {start: minimal, refine: {type: cma_es, generations: 1}}}
algorithm: {population_size: 6}
validation: {episodes: 2}
test: {episodes: 2}
stop: {generations: 1, target: null}
"""

LATER = (MANY_ANSWERS, ["archive", "front"]), (REFINED, ["pruning", "refinement"])


@pytest.mark.parametrize(("text", "keys"), LATER)
def test_forged_entries_of_some_runs_alone_are_read_or_refused(text, keys, tmp_path, capsys):
    run = run_whole(tmp_path, text)
    file = run / "run.json"
    summary = json.loads(file.read_text())
    for key in keys:
        for entry in forged(summary[key], [None, 1e308, "x", [], {}]):
            file.write_text(json.dumps(summary | {key: entry}))
            assert main(["inspect", str(run)]) == (2 if refused(lambda: read_run_summary(run)) else 0), entry
            capsys.readouterr()


def test_a_forged_section_of_a_config_is_read_or_refused_by_its_name(run, capsys):
    file = run / "config.yaml"
    for section in ("fitness", "environment", "network", "algorithm", "evaluation", "validation", "test", "stop"):
        for odd in ("1e308", "text", "[1]", "{type: 7}"):
            file.write_text(f"{section}: {odd}\n")
            refused = f"evonet: {file}: config.{section}"
            for command in (["inspect", str(run)], ["test", str(run), "--episodes", "1"]):
                assert main(command) == 2, (section, odd)
                assert capsys.readouterr().err.startswith(refused)


@pytest.mark.parametrize("section", ["environment", "validation.environment"])
@pytest.mark.parametrize("odd", ["1e308", "text", "[1]"])
def test_forged_arguments_of_an_environment_are_refused_by_their_name(section, odd, run, capsys):
    file = run / "config.yaml"
    environment = f"environment: {{id: CartPole-v1, kwargs: {odd}}}"
    file.write_text(environment if section == "environment" else f"validation: {{{environment}}}")
    assert main(["inspect", str(run)]) == 2
    assert capsys.readouterr().err.startswith(f"evonet: {file}: config.{section}.kwargs must be an object")


@pytest.mark.parametrize("name", ["metrics", "timing", "lineage", "genomes", "faults"])
def test_every_forged_line_of_a_journal_is_read_or_refused(name, run, capsys):
    file = run / f"{name}.jsonl"
    lines = file.read_text().splitlines()
    if name == "faults":
        place = {"start": 0, "size": 16}
        fault = {"generation": 0, "individual": 0, "episode": 0, "seed": 1, "kind": "died", "step": None}
        fault |= {"message": "m", "traceback": "", "attempts": 1, "genome": place, "normaliser": None}
        lines = [json.dumps(fault)]
    for entry in forged(json.loads(lines[0])):
        file.write_text("\n".join([json.dumps(entry), *lines[1:], ""]))
        loaded = load_run(run)
        for read in ("metrics", "seconds", "lineage", "fittest", "faults", "descent"):
            refusal = refused(lambda read=read, loaded=loaded: getattr(loaded, read))
            assert refusal.startswith((f"{file}:", f"{run / 'arrays.f64'}")) or not refusal
    assert main(["compare", str(run), str(run.parent / "sound")]) in {0, 2}
    assert main(["replay", str(run), "--fault", "0"]) in {0, 2}
    capsys.readouterr()


def test_a_lineage_of_any_length_is_written_in_lines_that_are_read(whole, tmp_path, monkeypatch):
    monkeypatch.setattr("evonet.experiment.run_files.generation_log.NEWBORN_IN_A_LINE", 3)
    split = run_whole(tmp_path, CARTPOLE)
    long = load_run(whole).lineage
    short = load_run(split).lineage
    assert len((split / "lineage.jsonl").read_bytes().splitlines()) > 6
    for name in ("individuals", "generations", "parents", "made_by", "fitness"):
        assert getattr(long, name).tolist() == getattr(short, name).tolist()


def test_the_longest_line_of_a_lineage_is_read(tmp_path):
    n, largest = NEWBORN_IN_A_LINE, 2**63 - 1
    line = json.dumps(
        {
            "generation": largest, "ids": [largest] * n, "parents": [[largest, largest]] * n,
            "operators": [largest] * n, "operator_names": ["x" * 900] * 63, "fitness": [-1.2345678901234567e-300] * n,
        }
    )  # fmt: skip
    assert len(line) < LONGEST_LINE
    file = tmp_path / "lineage.jsonl"
    file.write_text(line + "\n")
    with file.open("rb") as opened:
        (births,) = read_lines(opened, births_from, "lineage")
    assert len(births.ids) == n
    assert n == journal_lines.NEWBORN_IN_A_LINE
