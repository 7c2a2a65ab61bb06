"""The check of a config: faults of an environment are found before a long run."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.experiment.check import check_config
from evonet.experiment.config import Config
from evonet.foreign import without_place
from tests.environments_for_tests import MODULE

ROOT = Path(__file__).parents[2]


@pytest.fixture
def check(tmp_path, monkeypatch):
    monkeypatch.setattr("evonet.experiment.check._SECONDS", 1e6)  # a slow machine scores as many networks

    def check(environment, kwargs=None, rest="", *overrides, hard_reset=False):
        path = tmp_path / "c.yaml"
        given = {"id": environment, "kwargs": kwargs or {}, "hard_reset": hard_reset}
        text = f"environment: {json.dumps(given)}\n{rest}"
        path.write_text(text + "evaluation: {workers: 1, engine: gymnasium}\n", encoding="utf-8")
        return [(f.level, f.message) for f in check_config(Config.load(str(path), overrides, [MODULE]))]

    return check


def own(name):
    return f"{MODULE}:evonet-tests/{name}-v0"


def errors(findings):
    return [message for level, message in findings if level == "error"]


def test_a_correct_environment_has_no_errors(check):
    findings = check("CartPole-v1")
    assert errors(findings) == []
    assert ("note", "network 4-16-2 (tanh/identity), 114 genes") in findings
    assert any("24 episodes of random networks: returns " in message for _, message in findings)
    assert not any("no target" in message for _, message in findings)


def test_a_random_environment_is_an_error(check):
    message = "the environment is not deterministic: the same seed gave another episode the second time"
    advice = "reset must call super().reset(seed=seed)"
    (found,) = errors(check(own("Moody"), {"ends": 5}))
    assert found.startswith(message)
    assert advice in found
    assert errors(check(own("Walk"))) == []


def test_state_that_survives_a_reset_is_an_error_though_each_environment_runs_one_episode(check):
    messages = errors(check(own("Haunted"), None, "", "evaluation.episodes=2"))  # 16: as many as there are environments
    assert any("the environment is not deterministic" in message for message in messages)


@pytest.mark.parametrize("name", ["Forgetful", "Haunted"])
def test_hard_resets_are_advised_where_they_make_an_environment_deterministic(check, name):
    message = (
        "the environment is not deterministic: the same seed gave another episode the second time; "
        "its state survives resets, so set environment.hard_reset to true"
    )
    assert message in errors(check(own(name)))
    assert errors(check(own(name), hard_reset=True)) == []
    elsewhere = "validation: {{environment: {{id: '{}', hard_reset: {}}}}}\n"
    assert message in errors(check(own(name), rest=elsewhere.format(own(name), "true")))
    too = f"{message} (and validation.environment.hard_reset)"
    assert too in errors(check(own(name), rest=elsewhere.format(own(name), "false")))


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("nan reward", "(nonfinite, seed {seed}, step 1): the reward is nan"),
        ("inf reward", "(nonfinite, seed {seed}, step 1): the reward is inf"),
        ("nan observation", "(nonfinite, seed {seed}, step 2): the observation holds numbers that are not finite"),
        ("raise", "(exception, seed {seed}, step 1): ValueError: broken at step 1"),
        ("raise in reset", "(exception, seed {seed}, step 0): RuntimeError: no way to begin"),
        (
            "wrong shape",
            ("(malformed, seed {seed}, step 2): MalformedObservation: an observation must have shape (3,), got (2,)"),
        ),
        (
            "wrong shape in reset",
            "(malformed, seed {seed}, step 0): MalformedObservation: an observation must have shape (3,), got (1,)",
        ),
    ],
)
def test_a_failed_episode_is_reported_once_with_seed_and_step(trouble, message, check):
    found = [error for error in errors(check(own("Walk"), {"trouble": trouble})) if "an episode failed" in error]
    assert len(found) == 1
    seed = found[0].partition("seed ")[2].partition(",")[0]
    assert int(seed) % 4 == 0  # a training seed
    assert without_place(found[0]) == "an episode failed " + message.format(seed=seed)


def test_an_environment_whose_first_episodes_fail_is_tried_no_further(check):
    *_, (level, message), last = check(own("Walk"), {"trouble": "raise"})
    assert level == "error"
    assert "ValueError in tests/environments_for_tests.py" in message
    assert last == ("note", "Gymnasium's checker is left out until episodes can be scored")


def test_a_missing_time_limit_is_a_warning_where_an_episode_did_not_end_by_itself(check):
    limit = "the environment has no time limit: 24 of 24 episodes were truncated after 1000 steps"
    assert ("warning", f"{limit}; set environment.max_steps to choose") in check(own("Endless"))
    for ends in ({"ends": 9}, {"is_cut": 9}):
        assert not any("time limit" in message for _, message in check(own("Endless"), ends))


def test_truncated_episodes_are_counted_without_failed_ones(check):
    cut = [message for _, message in check(own("Threads")) if "truncated" in message]
    assert cut[0].endswith("lengths 20 to 20, 24 truncated")
    seeds = [2018726112]  # the first of the run's first generation
    findings = check(own("Walk"), {"trouble": "raise", "seeds": seeds})
    assert any(f"seed {seeds[0]}" in error for error in errors(findings))
    assert any(message.endswith(" 0 truncated") for _, message in findings)


def test_equal_returns_of_all_networks_are_a_warning(check):
    findings = check(own("Endless"), {"ends": 4})
    assert ("warning", "all of 8 random networks scored 4: evolution may find no direction") in findings


def test_a_missing_target_is_noted(check):
    note = ("note", "no target: neither stop.target nor the environment gives one")
    assert note in check(own("Walk"))
    assert note not in check(own("Walk"), rest="stop: {target: 3}\n")


def test_findings_of_gymnasiums_checker_are_warnings(check, monkeypatch):
    monkeypatch.setattr("evonet.experiment.check.gymnasium_findings", lambda _: ("a rule", ["an advice"]))
    findings = check(own("Walk"))
    for complaint in ("a rule", "an advice"):
        assert ("warning", f"Gymnasium's checker: {complaint}") in findings


def test_advice_that_nobody_can_follow_is_left_out(check):
    assert not any("infinity" in message for _, message in check(own("Walk")))


def test_a_fitness_function_is_checked_too(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(f"fitness: {{type: '{MODULE}:failing'}}\nnetwork: {{inputs: 2, outputs: 1}}\n", encoding="utf-8")
    findings = check_config(Config.load(str(path), (), [MODULE]))
    messages = [f.message for f in findings if f.level == "error"]
    assert len(messages) == 1
    assert messages[0].startswith("an episode failed (nonfinite, seed ")
    assert messages[0].endswith("the function returned nan")


def test_the_command_prints_the_verdict_and_has_its_exit_status(tmp_path, capsys):
    path = tmp_path / "c.yaml"
    here = "evaluation: {workers: 1}\n"
    path.write_text(f"environment: {{id: '{own('Walk')}'}}\n{here}", encoding="utf-8")
    assert main(["check", str(path), "--allow-import", MODULE]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"OK. Run it with: evonet run {path} --allow-import {MODULE}"
    path.write_text(f"environment: {{id: '{own('Walk')}', kwargs: {{trouble: raise}}}}\n{here}", encoding="utf-8")
    assert main(["check", str(path), "--allow-import", MODULE]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "Not OK: repair the errors first."


@pytest.mark.parametrize(
    ("name", "code", "start"),
    [
        ("Wordy", 2, "{path}:1:15: environment: the observation space Text(1, 5, charset="),
        ("Impossible", 1, "{path}:1:15: environment: '{id}' cannot be made: OSError: the robot is not plugged in\n"),
    ],
)
def test_a_config_that_cannot_be_checked_is_refused_without_a_traceback(name, code, start, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(f"environment: {{id: '{own(name)}'}}\n", encoding="utf-8")
    program = "import sys; from evonet.cli import main; sys.exit(main())"
    arguments = [sys.executable, "-c", program, "check", str(path), "--allow-import", MODULE]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (code, "")
    assert without_place(done.stderr).startswith("evonet: " + start.format(path=path, id=own(name)))
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("wrappers: [FlattenObservation]", "environment.wrappers rules"),
        ("kwargs: {render_mode: rgb_array}", "environment.kwargs, or an activation of your own, rules"),
        ("max_steps: 9", None),
    ],
)
def test_settings_that_rule_out_the_kernel_of_an_environment_are_noted(settings, why, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(f"environment: {{id: Pendulum-v1, {settings}}}\nevaluation: {{workers: 1}}\n", encoding="utf-8")
    with contextlib.closing(check_config(Config.load(str(path)))) as findings:
        messages = [next(findings).message for _ in range(2)]
    found = [message for message in messages if "kernel" in message]
    noted = f"{why} out the kernel of Pendulum-v1: the environment itself runs, many times as slowly"
    assert found == ([] if why is None else [noted])
