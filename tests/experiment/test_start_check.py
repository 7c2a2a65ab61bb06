"""A run begins with a trial of its environment: it tells what `evonet check` tells, costs little and changes no bit."""

import functools
import json
import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from evonet.cli import main
from evonet.errors import UnsuitableEnvironment
from evonet.evaluation import trial as trials
from evonet.evaluation.results import Fault
from evonet.experiment.build import build_fitness
from evonet.experiment.check import check_config
from evonet.experiment.config import Config
from evonet.experiment.costs import Costs, duration, proposal
from evonet.experiment.runner import run
from evonet.experiment.start_check import failures
from evonet.experiment.study import study
from evonet.fitness import EpisodeReturn
from evonet.foreign import without_place
from tests import environments_for_tests, trial_environments

ALLOWED = [environments_for_tests.MODULE, trial_environments.MODULE]
REST = (
    "network: {hidden: 2}\nalgorithm: {population_size: 4, elites: 1}\nevaluation: {episodes: 2, workers: 1}\n"
    "validation: {episodes: 2}\ntest: {episodes: 2}\nstop: {generations: 1}\nfaults: {max_share: 1.0}\n"
)
NOT_REPEATED = "the environment is not deterministic: the same seed gave another episode the second time"


def own(name):
    if hasattr(trial_environments, name) and name != "Walk":
        return f"{trial_environments.MODULE}:trials/{name}-v0"
    return f"{environments_for_tests.MODULE}:evonet-tests/{name}-v0"


@pytest.fixture
def config(tmp_path):
    def config(environment, *overrides, kwargs=None):
        path = tmp_path / "c.yaml"
        section = {"id": environment, "kwargs": kwargs or {}}
        path.write_text(f"environment: {json.dumps(section)}\n{REST}", encoding="utf-8")
        return Config.load(str(path), ("name=test", *overrides), ALLOWED)

    return config


def said_by_run(config, path, **arguments):
    said = []
    run(config, path, say=said.append, **arguments)
    return said


def errors_of_check(config):
    return [f"error: {finding.message}" for finding in check_config(config) if finding.level == "error"]


RANDOMNESS = (
    "; no setting repairs that: the environment's reset must call super().reset(seed=seed), its random numbers must "
    "come from self.np_random, which that seeds, and it must keep nothing outside of itself"
)
REMEDIES = {
    "Moody": RANDOMNESS,
    "HiddenNoise": RANDOMNESS,
    "Forgetful": "; its state survives resets, so set environment.hard_reset to true",
    "Haunted": "; its state survives resets, so set environment.hard_reset to true",
    "SharedWorld": "; its instances share something, so set evaluation.instances to 1",
    "SharedAndForgetful": "; its state survives resets, and its instances share something, so set "
    "environment.hard_reset to true and evaluation.instances to 1",
}


@pytest.mark.parametrize("name", sorted(REMEDIES))
def test_a_run_tells_once_at_its_start_what_check_tells_with_the_remedy(name, config, tmp_path):
    expected = [f"error: {NOT_REPEATED}{REMEDIES[name]}"]
    assert said_by_run(config(own(name)), tmp_path / "run") == expected
    assert errors_of_check(config(own(name))) == expected
    assert said_by_run(config(own(name)), tmp_path / "unchecked", check=False) == []


@pytest.mark.parametrize(
    ("name", "remedies"),
    [
        ("Forgetful", ["environment.hard_reset=true"]),
        ("SharedWorld", ["evaluation.instances=1"]),
        ("SharedAndForgetful", ["environment.hard_reset=true", "evaluation.instances=1"]),
        ("OneAtATime", ["evaluation.instances=1"]),
    ],
)
def test_the_remedy_that_is_told_repairs_the_environment(name, remedies, config, tmp_path):
    assert errors_of_check(config(own(name))) != []
    assert errors_of_check(config(own(name), *remedies)) == []
    assert said_by_run(config(own(name), *remedies), tmp_path / "run") == []


def test_an_environment_of_which_one_can_be_open_is_found(config):
    (message,) = errors_of_check(config(own("OneAtATime")))
    assert message.startswith("error: only one environment can be open in a process (")
    assert "the port is in use" in message
    assert "\n" not in message
    assert message.endswith("); so set evaluation.instances to 1")


@pytest.mark.parametrize("name", ["Walk", "SharedInfo", "SharedObservation", "FreshRandomNumbers"])
def test_what_gymnasium_complains_of_and_evonet_never_does_is_a_warning(name, config, tmp_path, capsys):
    findings = list(check_config(config(own(name))))
    assert [finding for finding in findings if finding.level == "error"] == []
    complaints = [f for f in findings if f.level == "warning" and f.message.startswith("Gymnasium's checker: ")]
    assert len(complaints) <= (name != "Walk")  # older versions of the checker complain of less
    assert said_by_run(config(own(name)), tmp_path / "run") == []
    allow = [word for module in ALLOWED for word in ("--allow-import", module)]
    assert main(["check", str(tmp_path / "c.yaml"), *allow]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(
        "OK, with 1 warning. Run it with: evonet run" if complaints else "OK. Run it with: evonet run"
    )


def test_the_trial_changes_no_bit_of_the_run(config, tmp_path):
    for name in ("Walk", "SharedInfo"):
        runs = [tmp_path / f"{name}-{check}" for check in (True, False)]
        for path, check in zip(runs, (True, False), strict=True):
            run(config(own(name), "stop.generations=3"), path, check=check)
        for file in ("metrics.jsonl", "genomes.jsonl", "champion.npz"):
            assert (runs[0] / file).read_bytes() == (runs[1] / file).read_bytes()


@pytest.fixture
def short(monkeypatch):
    """No episode is measured to its end, however slow this machine is."""
    monkeypatch.setattr(trials, "_LONG_EPISODE", float("inf"))


@pytest.mark.usefixtures("short")
def test_the_trial_takes_no_more_steps_than_two_episodes_of_fifty(config, monkeypatch):
    steps = []
    step = environments_for_tests.Endless.step
    monkeypatch.setattr(environments_for_tests.Endless, "step", lambda *a: steps.append(1) or step(*a))
    with_trial = EpisodeReturn(environments_for_tests.Endless)
    found = with_trial.try_out(np.ones((2, with_trial.architecture.genome_size)), np.array([1, 2]))
    assert found.cause is None
    assert 50 < len(steps) <= 100


@pytest.mark.parametrize(("ends", "steps"), [(40, 40), (None, 60)])
def test_an_episode_that_may_be_dear_is_measured_for_a_second_at_most(ends, steps, monkeypatch):
    monkeypatch.setattr(trials, "_LONG_EPISODE", 0.0)
    fitness = EpisodeReturn(functools.partial(environments_for_tests.Endless, ends=ends), max_steps=60)
    found = fitness.try_out(np.ones((2, fitness.architecture.genome_size)), np.array([1, 2]))
    assert found.lengths == (steps,)
    monkeypatch.setattr(trials, "_LONGEST_MEASUREMENT", 0.0)
    found = fitness.try_out(np.ones((2, fitness.architecture.genome_size)), np.array([1, 2]))
    assert found.lengths == ()


@pytest.mark.usefixtures("short")
def test_a_dear_environment_is_tried_with_fewer_steps(monkeypatch):
    monkeypatch.setattr(trials, "_SECONDS", 1e-9)
    steps = []
    step = environments_for_tests.Endless.step
    monkeypatch.setattr(environments_for_tests.Endless, "step", lambda *a: steps.append(1) or step(*a))
    fitness = EpisodeReturn(environments_for_tests.Endless)
    fitness.try_out(np.ones((2, fitness.architecture.genome_size)), np.array([1, 2]))
    assert len(steps) == 25


def test_there_is_no_trial_where_a_kernel_stands_in(config, tmp_path, monkeypatch):
    made = []
    make = gym.make
    monkeypatch.setattr(gym, "make", lambda *a, **k: made.append(a) or make(*a, **k))
    fitness = EpisodeReturn("CartPole-v1")
    assert len(made) == 1  # to read its spaces
    assert fitness.try_out(np.ones((2, fitness.architecture.genome_size)), np.array([1, 2])) is None
    assert len(made) == 1


def test_a_trial_runs_in_a_worker_process_where_episodes_do(config, tmp_path):
    path = tmp_path / "processes"
    parents = config(own("Parents"), "evaluation.workers=2", kwargs={"path": str(path)})
    fitness = build_fitness(parents)
    try:
        found = fitness.try_out(np.ones((2, fitness.architecture.genome_size)), np.array([1, 2]))
    finally:
        fitness.close()
    assert found.cause is None
    processes = set(path.read_text(encoding="utf-8").split())
    assert len(processes) == 1
    assert str(os.getpid()) not in processes


def test_a_study_tells_once_and_not_if_it_is_not_wanted(config, tmp_path):
    said = []
    study(config(own("Forgetful")), [1, 2], tmp_path / "study", 1, say=said.append)
    assert said == [f"error: {NOT_REPEATED}{REMEDIES['Forgetful']}"]
    study(config(own("Forgetful")), [1], tmp_path / "unchecked", 1, say=said.append, check=False)
    assert len(said) == 1


@pytest.mark.parametrize("command", [["run"], ["study", "--seeds", "1", "--workers", "1"]])
def test_the_command_line_leaves_the_trial_out(command, config, tmp_path, capsys):
    config(own("Forgetful"))
    name, *options = command
    allow = [word for module in ALLOWED for word in ("--allow-import", module)]
    arguments = [name, str(tmp_path / "c.yaml"), *options, *allow]
    assert main([*arguments, "--output", str(tmp_path / "checked")]) == 0
    assert NOT_REPEATED in capsys.readouterr().err
    assert main([*arguments, "--output", str(tmp_path / "unchecked"), "--no-check"]) == 0
    assert NOT_REPEATED not in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["box", "dict"])
def test_pixels_are_warned_of_by_check_and_at_the_start_with_what_to_set(kind, config, tmp_path):
    message = (
        "the observations have numbers from 0 to 255, as pixels do, with which hidden neurons are saturated; "
        "set evaluation.normalise_observations to true"
    )
    pixels = config(own("Pixels"), kwargs={"kind": kind})
    assert message in said_by_run(pixels, tmp_path / "run")
    assert message in [finding.message for finding in check_config(pixels) if finding.level == "warning"]
    normalised = config(own("Pixels"), "evaluation.normalise_observations=true", kwargs={"kind": kind})
    assert message not in [finding.message for finding in check_config(normalised)]


class Subclass(gym.wrappers.NormalizeReward):
    """A wrapper of somebody's own that keeps the statistics of Gymnasium's."""


@pytest.mark.parametrize(
    ("wrapper", "named", "instead"),
    [
        ("NormalizeObservation", "NormalizeObservation", "and set evaluation.normalise_observations to true"),
        ("gymnasium.wrappers:NormalizeReward", "NormalizeReward", "because a fitness needs no scale"),
        (f"{__name__}:Subclass", "NormalizeReward", "because a fitness needs no scale"),
    ],
)
@pytest.mark.parametrize("hard_reset", [False, True])
def test_wrappers_with_running_statistics_are_refused_by_name(wrapper, named, instead, hard_reset, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(
        f"environment:\n  id: CartPole-v1\n  hard_reset: {str(hard_reset).lower()}\n"
        f"  wrappers: [FlattenObservation, {{name: '{wrapper}'}}]\n",
        encoding="utf-8",
    )
    with pytest.raises(UnsuitableEnvironment) as refused:
        build_fitness(Config.load(str(path), (), ["gymnasium.wrappers", __name__]))
    assert str(refused.value) == (
        f"{path}:4:34: environment.wrappers.1: the wrapper {named!r} keeps statistics that no champion's file has: "
        f"leave it out, {instead}"
    )


def test_wrappers_with_running_statistics_are_refused_in_a_callables_environment_too():
    with pytest.raises(UnsuitableEnvironment, match="'NormalizeObservation' keeps statistics"):
        EpisodeReturn(lambda: gym.wrappers.TimeLimit(gym.wrappers.NormalizeObservation(gym.make("CartPole-v1")), 9))


@pytest.fixture
def long_steps(monkeypatch):
    """Trials whose steps seem to take half a second."""
    tried = EpisodeReturn.try_out

    def try_out(self, genomes, seeds):
        found = tried(self, genomes, seeds)
        return trials.Trial(found.cause, 0.5, (20, 20))

    monkeypatch.setattr(EpisodeReturn, "try_out", try_out)


def test_a_run_says_what_its_parts_will_take_where_that_is_more_than_a_minute(config, tmp_path, long_steps):
    (times,) = said_by_run(config(own("Walk")), tmp_path / "run")
    assert times == (
        "warning: a generation takes about 80 s, a validation about 20 s, the test about 20 s: "
        "an episode has about 20 steps, and a step takes 500 ms"
    )
    again = config(own("Walk"), "stop.seconds=50")
    assert said_by_run(again, tmp_path / "again")[1:] == [
        "warning: stop.seconds is 50, and the run may end before its first generation is done"
    ]
    assert said_by_run(config(own("Walk"), "algorithm.population_size=3"), tmp_path / "cheap") == []


def test_where_no_episode_ended_the_times_are_those_of_the_step_limit_and_say_so(config, tmp_path, monkeypatch):
    monkeypatch.setattr(EpisodeReturn, "try_out", lambda *_: trials.Trial(None, 0.5))
    (times,) = said_by_run(config(own("Walk")), tmp_path / "run")
    assert times == (
        "warning: if episodes take all of their 20 steps, a generation takes about 80 s, a validation about 20 s, "
        "the test about 20 s: a step takes 500 ms; evonet check measures an episode"
    )


def test_check_measures_an_episode_that_ends_by_itself(config, monkeypatch):
    monkeypatch.setattr(EpisodeReturn, "try_out", lambda *_: trials.Trial(None, 0.5))
    findings = [finding.message for finding in check_config(config(own("Endless"), kwargs={"ends": 40}))]
    assert any("an episode has about 40 steps, and a step takes 500 ms" in message for message in findings)


def test_nothing_is_said_of_times_where_episodes_fail(config, tmp_path):
    broken = config(own("Walk"), "faults.max_share=1.0", kwargs={"trouble": "raise"})
    assert not any("takes" in finding.message for finding in check_config(broken))
    assert not any("takes" in line for line in said_by_run(broken, tmp_path / "run"))


def fault(message, kind="malformed"):
    return Fault(0, 0, 1, kind, 0, message)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (fault("MalformedResult: the reward must be a number, got array([0.7, -1. ]) of shape (2,)"),
         fault("MalformedResult: the reward must be a number, got array([ 0., -1.]) of shape (2,)")),
        (fault("MalformedResult: the reward must be a number, got '1.5'"),
         fault("MalformedResult: the reward must be a number, got '-2'")),
        (fault("MalformedObservation: an observation must have shape (3,), got (2,)"),
         fault("MalformedObservation: an observation must have shape (3,), got (1, 2)")),
        (fault("the reward is nan", "nonfinite"), fault("the reward is inf", "nonfinite")),
        (fault("the reward is -inf", "nonfinite"), fault("the reward is inf", "nonfinite")),
        (fault("ValueError in maze.py:3: no way from (1, 2)", "exception"),
         fault("ValueError in maze.py:3: no way out of here", "exception")),
    ],
)  # fmt: skip
def test_faults_that_differ_in_values_only_are_one_finding(one, two):
    (finding,) = failures([one, two])
    assert finding.message.endswith(one.message)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (fault("MalformedResult: the reward must be a number, got None"),
         fault("MalformedResult: terminated must be True or False, got None")),
        (fault("ValueError in maze.py:3: no way", "exception"), fault("ValueError in maze.py:33: no way", "exception")),
        (fault("ValueError in maze.py:3: no way", "exception"), fault("OSError in maze.py:3: no way", "exception")),
        (fault("the reward is nan", "nonfinite"),
         fault("the observation holds numbers that are not finite", "nonfinite")),
    ],
)  # fmt: skip
def test_faults_of_several_kinds_are_a_finding_each(one, two):
    assert len(failures([one, two, one])) == 2


def test_an_environment_whose_second_episode_fails_is_found(config, tmp_path):
    (found,) = errors_of_check(config(own("ClosesItself")))
    assert without_place(found).endswith("RuntimeError: it is closed")
    assert said_by_run(config(own("ClosesItself")), tmp_path / "run")[0] == found


def test_warnings_of_an_environment_are_not_the_checker_s(config):
    messages = [finding.message for finding in check_config(config(own("Deprecated"))) if finding.level == "warning"]
    assert not any("deprecated" in message for message in messages)


def test_check_proposes_numbers_that_can_be_copied_into_the_config(config, long_steps, monkeypatch):
    monkeypatch.setattr("evonet.experiment.check._Check._one_episode", lambda _: [20])
    dearer = config(own("Walk"), "algorithm.population_size=64", "validation.episodes=100", "test.episodes=null")
    findings = [finding.message for finding in check_config(dearer)]
    assert findings[-2].startswith(
        "a generation takes about 21 min, a validation about 17 min, the test about 17 min: "
    )
    lead, _, numbers = findings[-1].partition("\n")
    assert lead == "numbers with which each takes about a minute, to copy:"
    assert numbers == (
        "algorithm:\n  population_size: 8\nevaluation:\n  episodes: 1\n"
        "validation:\n  episodes: 6\ntest:\n  episodes: 10"
    )


def test_check_scores_fewer_networks_where_an_episode_is_dear(config, monkeypatch):
    def findings(step_seconds):
        tried = lambda self, genomes, seeds: trials.Trial(None, step_seconds, (20, 20))
        monkeypatch.setattr(EpisodeReturn, "try_out", tried)
        return [finding.message for finding in check_config(config(own("Walk"), "algorithm.population_size=8"))]

    assert any(message.startswith("16 episodes of random networks: ") for message in findings(1e-4))
    assert any(message.startswith("8 episodes of random networks: ") for message in findings(0.062))
    assert not any("episodes of random networks" in message for message in findings(10.0))


def test_findings_come_as_soon_as_they_are_known(config):
    findings = check_config(config(own("Walk"), kwargs={"trouble": "raise"}))
    assert next(findings).message.startswith("network 3-2-2 ")
    findings.close()


def test_times_are_told_in_units_that_can_be_read():
    told = [duration(seconds) for seconds in (4e-5, 0.0123, 0.5, 42.4, 480, 12_600)]
    assert told == ["40 µs", "12.3 ms", "500 ms", "42 s", "8 min", "3.5 h"]


def test_nothing_is_proposed_where_all_is_as_small_as_it_can_be(config):
    smallest = config(own("Walk"), "evaluation.episodes=1", "algorithm.population_size=8")
    fitness = build_fitness(smallest)
    assert proposal(smallest, fitness, 8, Costs(100.0, 20.0, True, 20.0, 1e4, 1e4, 1e4, 1)) == ""


def test_a_run_with_a_kernel_imports_nothing_of_the_check(tmp_path):
    (tmp_path / "c.yaml").write_text(f"environment: {{id: CartPole-v1}}\n{REST}", encoding="utf-8")
    program = (
        "import sys\n"
        "from evonet.cli import main\n"
        "status = main(['run', 'c.yaml', '--quiet', '--output', 'out'])\n"
        "names = ('evaluation.trial', 'experiment.start_check', 'experiment.check', 'experiment.costs')\n"
        "sys.exit(status or ', '.join(name for name in names if f'evonet.{name}' in sys.modules) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
