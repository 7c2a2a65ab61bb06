"""Comparisons: a difference is claimed where there is one, and only there."""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from evonet.cli import main
from evonet.errors import ConfigError
from evonet.experiment.config import Config
from evonet.experiment.config.document import to_yaml
from evonet.experiment.run_files.journal_lines import METRICS
from evonet.experiment.run_files.run_directory import to_json
from evonet.experiment.runner import run
from evonet.experiment.study_summary import summarise
from evonet.extras import install_hint
from evonet.inspection.comparison import Comparison
from evonet.inspection.comparison.compared import labelled, read_compared
from evonet.inspection.comparison.curves import learning_curve, solving_curves
from evonet.inspection.comparison.figures import differences_plot
from evonet.inspection.comparison.overview import comparison_overview
from evonet.inspection.comparison.page import matrices, page, summary_sentence
from evonet.inspection.plots.palette import MUTED, POSITIVE
from tests.environments_for_tests import MODULE

INF = np.inf


def make_study(path, scores, evaluations, target=475.0, environment="CartPole-v1", failures=0, **settings):
    """The files of a study of one run for each of `scores`, solved if its `evaluations` are finite."""
    runs = [
        {
            "environment": environment, "target": target, "versions": {}, "engine": "numpy", "seed": seed,
            "solved": bool(np.isfinite(spent)), "stopped_by": "target", "seconds": 1.0, "environment_steps": 1,
            "validation_steps": 1, "generations": 1, "evaluations": int(spent) if np.isfinite(spent) else 999,
            "champion": None if score == -INF else {
                "training_fitness": 1.0, "validation_mean": 1.0, "test_mean": float(score), "test_episodes": 100
            },
        }
        for seed, (score, spent) in enumerate(zip(scores, evaluations, strict=True))
    ]  # fmt: skip
    path = Path(path)
    path.mkdir()
    (path / "config.yaml").write_text(to_yaml({"name": path.name, "seed": 0, **settings}), encoding="utf-8")
    missing = [{"seed": len(runs) + i, "error": "no", "traceback": ""} for i in range(failures)]
    study = {**summarise(runs, range(len(runs))), "failures": missing}
    (path / "study.json").write_text(to_json(study), encoding="utf-8")
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def solved_run(tmp_path_factory):
    """A finished run whose champion balances longer than that of `small_run`."""
    folder = tmp_path_factory.mktemp("better")
    text = (
        "name: solved\nenvironment: {id: CartPole-v1, max_steps: 200}\nevaluation: {engine: numpy}\n"
        "validation: {episodes: 10}\ntest: {episodes: 30}\nstop: {generations: 30, target: 195}\n"
    )
    (folder / "solved.yaml").write_text(text, encoding="utf-8")
    assert run(Config.load(str(folder / "solved.yaml")), folder / "solved")["solved"]
    return folder / "solved"


@pytest.fixture(scope="module")
def run_without_champion(tmp_path_factory):
    """A finished run in which no individual could be scored."""
    folder = tmp_path_factory.mktemp("worse")
    text = f"environment: {{id: '{MODULE}:evonet-tests/Walk-v0', kwargs: {{trouble: raise}}}}\n"
    text += "algorithm: {population_size: 3, elites: 1}\nevaluation: {workers: 1}\nstop: {generations: 2}\n"
    (folder / "c.yaml").write_text(text, encoding="utf-8")
    run(Config.load(str(folder / "c.yaml"), ["faults.max_share=1"], [MODULE]), folder / "failed")
    return folder / "failed"


rng = np.random.default_rng(0)
EVALUATIONS = rng.integers(300, 600, size=30).astype(float)
SCORES = rng.uniform(400, 500, size=30)


def test_a_run_without_a_generation_in_its_metrics_has_no_curve_and_the_others_have(small_study, small_run, tmp_path):
    study, lone = tmp_path / "study", tmp_path / "run"
    shutil.copytree(small_study, study)
    shutil.copytree(small_run, lone)
    (study / "seed-2/metrics.jsonl").write_text("")
    (lone / "metrics.jsonl").write_text("")
    curve = learning_curve(read_compared([study])[0])
    assert np.isfinite(curve.y).any()
    assert learning_curve(read_compared([lone])[0]) is None
    assert main(["compare", str(study), str(lone), "--html", str(tmp_path / "page.html")]) == 0


def test_a_study_and_itself_again_have_no_difference(here):
    for name in ("a", "b"):
        make_study(name, SCORES, EVALUATIONS)
    comparison = Comparison(["a", "b"])
    assert [verdict.better for verdict in comparison.verdicts] == [None, None]
    evaluations, scores = comparison.verdicts
    assert (evaluations.measure, scores.measure) == ("evaluations to success", "test score")
    assert (scores.p, scores.superiority, scores.difference) == (pytest.approx(1.0, abs=0.01), 0.5, 0.0)
    assert scores.interval.low < 0 < scores.interval.high
    assert evaluations.words == (
        f"no significant difference in evaluations to success: a vs b (median {np.median(EVALUATIONS):.6g} "
        f"against {np.median(EVALUATIONS):.6g}; p > 0.99; a is ahead in 50 % of pairs)"
    )
    assert comparison_overview(comparison).splitlines()[6] == "No setting differs except the seeds."
    assert comparison.notes == []


def test_the_better_study_is_named_with_how_much_better_it_is(here):
    make_study("fast", SCORES, EVALUATIONS, algorithm={"population_size": 64})
    make_study("slow", SCORES - 30, EVALUATIONS + 250, algorithm={"population_size": 128})
    for order in (["fast", "slow"], ["slow", "fast"]):
        evaluations, scores = Comparison(order).verdicts
        assert evaluations.better == scores.better == "fast"
        share = evaluations.superiority if order[0] == "fast" else 1 - evaluations.superiority
        assert evaluations.words == (
            f"fast needs fewer evaluations than slow (median {np.median(EVALUATIONS):.6g} against "
            f"{np.median(EVALUATIONS) + 250:.6g}; p < 0.0001; fast is ahead in {100 * share:.0f} % of pairs)"
        )
        assert scores.words.startswith("fast scores higher than slow (median ")
        sign = 1 if order[0] == "fast" else -1
        assert (scores.difference, evaluations.difference) == (pytest.approx(30 * sign), -250 * sign)
        assert scores.interval.low < scores.difference < scores.interval.high
        assert scores.interval.low * scores.interval.high > 0
    assert Comparison(["fast", "slow"]).settings == {"algorithm.population_size": [64, 128]}


def test_a_run_that_was_not_solved_ranks_behind_all_that_were(here):
    often = np.where(np.arange(30) < 28, EVALUATIONS + 200, INF)
    seldom = np.where(np.arange(30) < 6, EVALUATIONS, INF)
    make_study("often", SCORES, often)
    make_study("seldom", SCORES, seldom)
    comparison = Comparison(["often", "seldom"])
    (evaluations, _) = comparison.verdicts
    assert evaluations.better == "often"
    assert evaluations.medians == (pytest.approx(np.median(often)), None)
    assert "against not solved;" in evaluations.words
    assert evaluations.difference > 150  # of those that were solved: the others say what this leaves out
    assert comparison.notes == ["An unsolved run ranks behind all solved runs, however many evaluations it took."]


def test_failed_runs_count_as_not_solved_and_have_no_score(here):
    make_study("a", SCORES, EVALUATIONS, failures=0)
    make_study("b", SCORES, EVALUATIONS, failures=70)
    comparison = Comparison(["a", "b"])
    evaluations, scores = comparison.verdicts
    assert (evaluations.better, evaluations.values) == ("a", (30, 100))
    assert (scores.better, scores.values) == (None, (30, 30))
    assert "Failed runs of b: 70; they have no test score and count as not solved." in comparison.notes


def test_a_champion_that_failed_ranks_last_and_leaves_no_difference_of_means(here):
    make_study("a", SCORES, EVALUATIONS)
    make_study("b", np.where(np.arange(30) < 20, -INF, SCORES), EVALUATIONS)
    (_, scores) = Comparison(["a", "b"]).verdicts
    assert (scores.better, scores.medians[1], scores.difference, scores.interval) == ("a", None, None, None)
    assert "against failed;" in scores.words
    text = comparison_overview(Comparison(["a", "b"]))
    assert re.search(r"^b .* failed$", text, re.MULTILINE)


def test_more_than_two_studies_are_compared_pairwise_with_corrected_p(here):
    shifts = {"a": 0.0, "b": 0.0, "c": -22.0}
    for name, shift in shifts.items():
        make_study(name, SCORES + shift, EVALUATIONS)
    verdicts = [verdict for verdict in Comparison(list(shifts)).verdicts if verdict.measure == "test score"]
    assert [(verdict.first, verdict.second) for verdict in verdicts] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert verdicts[1].p_adjusted == pytest.approx(3 * verdicts[1].p)
    assert all("after Holm's correction" in verdict.words for verdict in verdicts)
    assert [verdict.better for verdict in verdicts] == [None, "a", "b"]


def test_equal_studies_are_rarely_found_to_differ(here):
    """Of fifteen pairs of equals, an uncorrected test would find a difference in most trials."""
    source, claims = np.random.default_rng(4), 0
    for trial in range(6):
        names = [f"{trial}-{i}" for i in range(6)]
        for name in names:
            make_study(name, source.normal(size=12), source.permutation(1000)[:12].astype(float))
        claims += any(verdict.better for verdict in Comparison(names).verdicts)
    assert claims <= 2


def test_three_seeds_are_said_to_be_too_few(here):
    make_study("a", [500, 500, 500], [100, 110, 120])
    make_study("b", [100, 100, 100], [700, 800, 900])
    for verdict in Comparison(["a", "b"]).verdicts:
        assert verdict.better is None
        assert verdict.words.endswith("; with 3 and 3 seeds no difference can be significant: run more")


def test_different_environments_are_not_tested_against_each_other_and_that_is_said_first(here):
    make_study("a", SCORES, EVALUATIONS)
    make_study("b", SCORES, EVALUATIONS, target=None, environment=None)
    make_study("c", SCORES, EVALUATIONS)
    comparison = Comparison(["a", "b", "c"])
    note = (
        "The environments differ (CartPole-v1, own function): scores of different tasks are not comparable, "
        "so only results in the same environment are tested against each other."
    )
    assert comparison.notes == [note]
    assert [(verdict.first, verdict.second) for verdict in comparison.verdicts] == [("a", "c")]
    text = comparison_overview(comparison)
    assert " ".join(text.partition("\n\n")[0].split()) == note
    assert "no target" in text
    apart = Comparison(["a", "b"])
    assert apart.verdicts == []
    assert "There is nothing to test." in comparison_overview(apart)


def test_different_targets_are_pointed_out(here):
    make_study("a", SCORES, EVALUATIONS)
    make_study("b", SCORES, EVALUATIONS, target=None)
    comparison = Comparison(["a", "b"])
    assert comparison.notes == ["The targets differ (475, none), so the evaluations to success do not compare."]
    assert [verdict.measure for verdict in comparison.verdicts] == ["test score"]


def test_labels_name_what_is_compared_and_a_path_may_have_an_equals_sign_too(here, small_run):
    make_study("sigma=1", SCORES, EVALUATIONS)
    make_study("b", SCORES, EVALUATIONS)
    assert [each.name for each in Comparison(["no crossover=sigma=1", "b"]).compared] == ["no crossover", "b"]
    assert [each.name for each in Comparison(["sigma=1", "x=y=b"]).compared] == ["sigma=1", "x=y"]
    assert labelled("a=nowhere") == (None, Path("a=nowhere"))
    with pytest.raises(ConfigError, match="the labels must differ, got x, x"):
        Comparison(["x=sigma=1", "x=b"])
    shutil.copytree(small_run, "runs/one")
    assert labelled("newest=last") == ("newest", Path("runs/one"))


def test_a_study_under_way_is_compared_by_its_finished_runs(small_study, here):
    shutil.copytree(small_study, "whole")
    shutil.copytree(small_study, "part")
    Path("part/study.json").unlink()
    Path("part/seed-5/run.json").unlink()
    whole, part = Comparison(["whole", "part"]).compared
    assert (len(whole.test_means), len(part.test_means)) == (3, 2)


def test_the_text_fits_a_terminal_and_names_the_test(here):
    make_study("with a longer name", SCORES, EVALUATIONS)
    make_study("another one", SCORES - 5.12345, EVALUATIONS + 20)
    text = comparison_overview(Comparison(["with a longer name", "another one"]))
    assert max(map(len, text.splitlines())) <= 80
    assert "Mann-Whitney" in text
    assert "difference with a longer name − another one: 5.123 (−" in text


def test_single_runs_are_compared_as_champions_and_that_is_said(small_run, solved_run):
    comparison = Comparison([small_run, solved_run])
    (verdict,) = comparison.verdicts
    assert (verdict.measure, verdict.better) == ("test score", solved_run.name)
    assert verdict.values == (6, 30)
    assert comparison.notes[0].startswith("These are single runs: the tests compare champions on their test episodes")
    assert {"seed", "network.hidden", "stop.generations"} <= set(comparison.settings)
    assert "name" not in comparison.settings
    text = comparison_overview(comparison)
    assert "mean of test episodes" in text
    assert " yes " in text
    assert " no " in text


def test_a_run_compared_with_a_study_counts_as_a_study_of_one_seed(solved_run, here):
    make_study("a", SCORES, EVALUATIONS)
    comparison = Comparison(["a", solved_run])
    assert [verdict.values for verdict in comparison.verdicts] == [(30, 1), (30, 1)]
    assert "A run that is compared with a study counts as a study of one seed." in comparison.notes
    assert "seed" not in comparison.settings


def test_a_run_without_a_champion_has_nothing_to_test(small_run, run_without_champion):
    comparison = Comparison([small_run, run_without_champion])
    assert comparison.verdicts == []
    assert comparison.notes[-1] == "failed has no test scores."
    assert "There is nothing to test." in comparison_overview(comparison)


def test_nothing_that_a_run_names_is_imported(here, monkeypatch):
    Path("trap.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(here))
    for name in ("a", "b"):
        make_study(name, SCORES, EVALUATIONS, environment="trap:Env-v0", fitness={"type": "trap:function"})
    assert main(["compare", "a", "b"]) == 0
    assert "trap" not in sys.modules


def test_the_command_prints_text_or_one_json_document(here, capsys):
    make_study("a", SCORES, EVALUATIONS, algorithm={"population_size": 64})
    make_study("b", SCORES - 50, EVALUATIONS, algorithm={"population_size": 128})
    assert main(["compare", "a", "b"]) == 0
    text = capsys.readouterr().out
    assert main(["compare", "a", "b", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert set(data) == {"of", "compared", "settings", "verdicts", "notes"}
    assert data["settings"] == {"algorithm.population_size": {"a": 64, "b": 128}}
    assert [each["name"] for each in data["compared"]] == ["a", "b"]
    assert data["verdicts"][1]["better"] == "a"
    assert data["verdicts"][1]["words"] in " ".join(text.split())
    assert set(data["verdicts"][0]) == {
        "measure", "first", "second", "values", "medians", "difference", "interval", "superiority", "p", "p_adjusted",
        "better", "words",
    }  # fmt: skip
    assert "algorithm.population_size  64  128" in text


def learnt(path, means):
    """Give a run's directory a history: a generation of ten evaluations for each validation mean."""
    path.mkdir()
    (path / "config.yaml").touch()
    (path / "run.json").write_text("{}", encoding="utf-8")
    lines = [
        to_json(
            {name: 0 if kind == "count" else None for name, kind in METRICS.items()}
            | {"generation": number, "evaluations": 10 * (number + 1), "validation_mean": value}
            | {"lower_quartile": 1, "upper_quartile": 2}
        )
        for number, value in enumerate(means)
    ]
    (path / "metrics.jsonl").write_text("\n".join(lines), encoding="utf-8")


def test_a_learning_curve_is_the_median_over_runs_of_the_champion_so_far(here):
    study = make_study("a", [1, 2, 3], [100, 100, INF])
    for seed, means in enumerate(([None, 1.0, 4.0], [2.0], [None, 3.0, 3.0, 6.0, 8.0])):
        learnt(study / f"seed-{seed}", means)
    make_study("b", [1], [100])
    curve = learning_curve(Comparison(["a", "b"]).compared[0])
    assert curve.x.tolist() == [10, 20, 30, 40, 50]
    assert curve.y.tolist() == pytest.approx([np.nan, 2.0, 3.0, 4.0, 4.0], nan_ok=True)
    assert curve.low.tolist() == pytest.approx([np.nan, 1.5, 2.5, 3.0, 3.0], nan_ok=True)
    assert curve.high.tolist() == pytest.approx([np.nan, 2.5, 3.5, 5.0, 6.0], nan_ok=True)


def test_solving_curves_never_reach_all_where_a_run_was_not_solved(here):
    make_study("a", [1, 1, 1, 1], [100, 200, 300, INF])
    make_study("b", [1, 1, 1, 1], [INF] * 4)
    some, none = solving_curves(Comparison(["a", "b"]).compared)
    assert [some.y[some.x <= at][-1] for at in (99, 101, 250, 310)] == [0.0, 0.25, 0.5, 0.75]
    assert (some.low <= some.y).all()
    assert none.y.max() == none.high.max() == 0.0


HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def study_page(tmp_path_factory):
    """The page that compares two studies, one with a hostile name."""
    folder = tmp_path_factory.mktemp("page")
    for name, shift in (("_$a_日本$", 0.0), (HOSTILE.replace("/", "-"), 200.0)):
        study = make_study(folder / name, SCORES, EVALUATIONS + shift, note=HOSTILE if shift else None)
        for seed in range(30):
            learnt(study / f"seed-{seed}", [seed, seed + shift])
    assert main(["compare", *map(str, sorted(folder.iterdir())), "--html", str(folder / "page.html")]) == 0
    return (folder / "page.html").read_text(encoding="utf-8")


def test_the_page_needs_no_network_runs_no_script_and_shows_names_as_text(study_page):
    assert study_page.count("<script") == 1  # that of the SVG buttons
    assert "script-src 'sha256-" in study_page
    assert study_page.count("&lt;script&gt;") > 6
    assert study_page.count("_$a_日本$") > 6
    assert 'http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;' in study_page.replace(
        "'", "&#39;"
    )
    addresses = set(re.findall(r'(?:href|src|url)[=(]"?([^")]*)', study_page))
    assert all(address.startswith("#") for address in addresses)
    assert len(study_page) < 1_000_000


def test_the_page_begins_with_one_sentence_and_the_curves(study_page):
    assert (
        study_page.count("<svg ") == study_page.count("<figcaption>") == study_page.count('<div class="drawing" ') == 4
    )
    parts = [
        "needs fewer evaluations than", "Learning", "Share of runs solved", "Performance profile",
        "Differences in test score", "Results", "p and A: evaluations to success", "p and A: test score",
        "Every pair in words", "Settings that differ: 1 setting",
    ]  # fmt: skip
    places = [study_page.index(part) for part in parts]
    assert places == sorted(places)
    assert re.findall("<summary>([^<]*)</summary>", study_page) == parts[-2:]
    assert len(re.findall('<p class="verdict">', study_page)) == 1
    assert "needs fewer evaluations than" in study_page
    assert "#123456" not in study_page
    assert "currentColor" in study_page


def test_the_sentence_says_who_is_better_than_whom_and_where_there_is_no_difference(here):
    for name, shift in (("a", 0.0), ("b", 300.0), ("c", 300.0)):
        make_study(name, SCORES, EVALUATIONS + shift)
    assert summary_sentence(Comparison(["a", "b", "c"]).data) == (
        "a needs fewer evaluations than b and c; no other significant difference in evaluations to success; "
        "no significant difference in test score."
    )
    assert summary_sentence(Comparison(["b", "c"]).data).startswith("No significant difference in evaluations")


def test_the_matrix_has_p_and_the_share_of_pairs_in_which_the_row_is_better(here):
    make_study("a", SCORES, EVALUATIONS)
    make_study("b", SCORES, EVALUATIONS + 300.0)
    comparison = Comparison(["a", "b"])
    share = comparison.verdicts[0].superiority
    first, second = matrices(comparison.data)
    assert (first.title, second.title) == ("p and A: evaluations to success", "p and A: test score")
    assert first.rows == [
        ["a", "", f"p < 0.0001, A = {share:.2f}"],
        ["b", f"p < 0.0001, A = {1 - share:.2f}", ""],
    ]
    assert second.rows[0] == ["a", "", "p > 0.99, A = 0.50"]


def test_the_forest_colours_the_intervals_that_have_no_zero(here):
    figure = pytest.importorskip("matplotlib.figure").Figure()
    for name, shift in (("a", 0.0), ("b", 0.0), ("c", -60.0)):
        make_study(name, SCORES + shift, EVALUATIONS)
    axes = figure.subplots()
    differences_plot(Comparison(["a", "b", "c"])).draw(axes)
    intervals = [line.get_color() for line in axes.get_lines() if len(line.get_xdata()) == 2][1:]  # the first marks 0
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b − c", "a − c", "a − b"]
    assert intervals == [POSITIVE, POSITIVE, MUTED]


def test_the_page_is_the_same_every_time(here):
    for name in ("a", "b"):
        for seed in range(30):
            learnt((make_study(name, SCORES, EVALUATIONS) if seed == 0 else here / name) / f"seed-{seed}", [1.0, 2.0])
    assert page(Comparison(["a", "b"])) == page(Comparison(["a", "b"]))


def test_single_runs_have_a_page_too(small_run, solved_run, tmp_path, capsys):
    path = tmp_path / "page.html"
    assert main(["compare", str(small_run), str(solved_run), "--html", str(path)]) == 0
    assert capsys.readouterr().err == f"\nopen in a browser: {path}\n"
    text = path.read_text(encoding="utf-8")
    assert text.count("<svg ") == 3
    assert "Share of the test episodes that reach a test score" in text


def test_a_run_without_a_scored_individual_has_a_page_too(small_run, run_without_champion):
    assert "There is nothing to test." in page(Comparison([small_run, run_without_champion]))


@pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
def test_without_a_package_of_the_report_the_error_names_what_to_install(package, here, monkeypatch, capsys):
    for name in ("a", "b"):
        learnt(make_study(name, [1.0], [100]) / "seed-0", [1.0])
    monkeypatch.setitem(sys.modules, package, None)
    assert main(["compare", "a", "b", "--html", "page.html"]) == 1
    assert capsys.readouterr().err == (
        f"evonet: figures and pages need {package}, which is not installed: {install_hint('report')}\n"
    )
    assert not Path("page.html").exists()


def test_a_page_that_cannot_be_written_is_an_error_with_its_path(here, capsys):
    for name in ("a", "b"):
        learnt(make_study(name, [1.0], [100]) / "seed-0", [1.0])
    assert main(["compare", "a", "b", "--html", "nowhere/page.html"]) == 74
    assert capsys.readouterr().err == "evonet: nowhere/page.html: cannot be written: No such file or directory\n"


@pytest.mark.parametrize(
    ("paths", "message"),
    [
        (["a", "./a"], "each directory must be given once, got a twice"),
        (["a", "nowhere"], "nowhere is neither a run nor a study: it has no config.yaml"),
        (["a", "begun"], "begun holds no finished run or study: it has neither run.json nor study.json"),
        (["a", "broken"], "broken/study.json: not the summary of a study: summary.runs is missing"),
        (["a", "list"], "list/run.json: cannot be read: it must be an object, got []"),
    ],
)
def test_an_error_is_a_message_and_an_exit_status(paths, message, here, capsys):
    make_study("a", SCORES, EVALUATIONS)
    for name, file, content in (("begun", None, ""), ("broken", "study.json", "{}"), ("list", "run.json", "[]")):
        Path(name).mkdir()
        Path(name, "config.yaml").write_text("seed: 1\n", encoding="utf-8")
        if file:
            Path(name, file).write_text(content, encoding="utf-8")
    assert main(["compare", *paths]) == 2
    assert capsys.readouterr() == ("", f"evonet: {message}\n")
    with pytest.raises(ConfigError):
        Comparison(paths)


def test_one_directory_is_too_few_to_compare(here, capsys):
    make_study("a", SCORES, EVALUATIONS)
    assert main(["compare", "a"]) == 2
    assert capsys.readouterr() == ("", "evonet: compare must get at least two directories, got 1\n")
