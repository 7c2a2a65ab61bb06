"""FAULTS.md, rows 1 to 6, 13 and 14: environments that raise, return nonsense, never end, talk, or throw dice.

What must happen: the fault is a result, of one individual, and the run goes on; or the error says what to repair.
"""

import json
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from evonet import Champion
from evonet.cli import main
from evonet.environments import instance
from evonet.errors import EnvironmentUnavailable, TooManyFaults
from evonet.experiment.check import check_config
from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.extras import install_hint
from evonet.fitness import EpisodeReturn
from evonet.foreign import without_place
from evonet.seeding import Purpose, episode_seeds
from tests.environments_for_tests import MODULE
from tests.stopped_runs import stored

ROOT = Path(__file__).parents[2]
SMALL = (
    "network: {hidden: 2}\nalgorithm: {population_size: 16, elites: 2}\n"
    "validation: {episodes: 6}\ntest: {episodes: 8}\n"
)


def own(name):
    return f"{MODULE}:evonet-tests/{name}-v0"


def config_for(folder, environment, rest="", kwargs=None, workers=1):
    path = folder / "c.yaml"
    path.write_text(
        f"environment: {{id: '{environment}', kwargs: {json.dumps(kwargs or {})}}}\n"
        f"evaluation: {{workers: {workers}}}\n{SMALL}{rest}",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def go(tmp_path):
    """Run a config of an environment of these tests; its directory and summary."""

    def go(name, rest, **settings):
        config = Config.load(str(config_for(tmp_path, own(name), rest, **settings)), (), [MODULE])
        return tmp_path / "run", run(config, tmp_path / "run")

    return go


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


TOLERANT = "faults: {max_share: 1.0}\nstop: {generations: 3}\n"


def test_fault_1_step_raises(go):
    folder, summary = go("Obedient", TOLERANT, kwargs={"only": 5})
    faults, lineage, metrics = (lines(folder / f"{name}.jsonl") for name in ("faults", "lineage", "metrics"))
    assert summary["generations"] == 3
    assert all(line["faults"] > 0 for line in metrics[:1])
    for fault in faults:
        assert (fault["kind"], fault["step"], without_place(fault["message"])) == (
            "exception",
            1,
            "ValueError: no such thing",
        )
        assert "in _raise" in fault["traceback"]
        assert fault["attempts"] == 1
        assert fault["seed"] == int(episode_seeds(0, Purpose.TRAINING, fault["generation"], 3)[fault["episode"]])
    failed = {fault["individual"] for fault in faults if fault["generation"] == 0}
    fitness = dict(zip(lineage[0]["ids"], lineage[0]["fitness"], strict=True))
    assert {individual for individual, value in fitness.items() if value is None} == failed
    assert 0 < len(failed) < 16
    first = faults[0]
    genome = stored(folder, first["genome"])
    again = EpisodeReturn(own("Obedient"), hidden=2, kwargs={"only": 5})(genome[None], np.array([first["seed"]]))
    assert [(fault.message, fault.step) for fault in again.faults] == [(first["message"], first["step"])]


def test_fault_1_reset_raises(go):
    ill = int(episode_seeds(0, Purpose.TRAINING, 1, 3)[2])
    folder, summary = go("Walk", TOLERANT, kwargs={"trouble": "raise in reset", "seeds": [ill]})
    faults = lines(folder / "faults.jsonl")
    assert summary["generations"] == 3
    assert [(f["generation"], f["episode"], f["seed"], f["step"]) for f in faults] == [(1, 2, ill, 0)] * 16
    assert {without_place(f["message"]) for f in faults} == {"RuntimeError: no way to begin"}


def test_fault_1_neighbours_are_untouched():
    orders = np.zeros((40, 4))
    orders[:, 3] = np.linspace(0.1, 2.0, 40)
    seeds = np.array([1, 2])
    expected = EpisodeReturn(own("Obedient"), hidden=1)(orders, seeds)
    orders[::7, 3] = -5.0
    results = EpisodeReturn(own("Obedient"), hidden=1)(orders, seeds)
    others = np.arange(40) % 7 > 0
    assert results.returns[others].tobytes() == expected.returns[others].tobytes()
    assert np.isnan(results.returns[~others]).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Impossible", "'{id}' cannot be made: OSError: the robot is not plugged in\n"),
        (
            "Lacking",
            (
                "'{id}' cannot be made: DependencyNotInstalled: "
                'MuJoCo is not installed, run `pip install "gymnasium[mujoco]"`\n'
                f"install it with: {install_hint('mujoco')}\n"
            ),
        ),
    ],
)
def test_fault_2_environment_cannot_be_made(name, message, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(instance, "_open", weakref.WeakKeyDictionary())  # whatever other tests have left open
    path = config_for(tmp_path, own(name))
    assert main(["run", str(path), "--output", str(tmp_path / "run"), "--allow-import", MODULE]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert without_place(err) == f"evonet: {path}:1:15: environment: {message.format(id=own(name))}"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "kwargs", "message", "step"),
    [
        ("Obedient", {"only": 10}, "the reward is nan", 1),
        ("Obedient", {"only": 11}, "the reward is inf", 1),
        ("Walk", {"trouble": "nan observation"}, "the observation holds numbers that are not finite", 2),
        ("Walk", {"trouble": "inf observation"}, "the observation holds numbers that are not finite", 2),
    ],
)
def test_fault_3_numbers_that_are_not_finite(name, kwargs, message, step, go):
    if name == "Walk":
        kwargs = {**kwargs, "seeds": [int(episode_seeds(0, Purpose.TRAINING, 2, 3)[0])]}
    folder, _ = go(name, TOLERANT, kwargs=kwargs)
    faults, metrics = lines(folder / "faults.jsonl"), lines(folder / "metrics.jsonl")
    assert {(f["kind"], f["message"], f["step"]) for f in faults} == {("nonfinite", message, step)}
    assert len(faults) == sum(line["faults"] for line in metrics)
    champion = Champion.load(folder / "champion.npz")
    assert champion.id not in {fault["individual"] for fault in faults if fault["generation"] < 2}
    assert np.isfinite(champion.validation.returns).all()
    numbers = [value for line in metrics for value in line.values() if value is not None]
    assert np.isfinite(numbers).all()
    assert all(line["mean"] is None for line in metrics[2:] if name == "Walk")


@pytest.mark.parametrize("environment", ["CartPole-v1", own("Walk")], ids=["kernel", "own"])
def test_fault_4_genomes_that_are_not_finite(environment, tmp_path):
    mutation = "algorithm: {population_size: 16, elites: 2, mutation: {type: gaussian, sigma: 1.0e+308, rate: 1.0}}\n"
    text = config_for(tmp_path, environment, TOLERANT).read_text(encoding="utf-8")
    path = tmp_path / "mad.yaml"
    path.write_text(text.replace("algorithm: {population_size: 16, elites: 2}\n", mutation), encoding="utf-8")
    summary = run(Config.load(str(path), (), [MODULE]), tmp_path / "run")
    faults, metrics = (lines(tmp_path / "run" / f"{name}.jsonl") for name in ("faults", "metrics"))
    assert summary["generations"] == 3
    assert {fault["kind"] for fault in faults} == {"nonfinite"}
    assert {
        "the genome holds numbers that are not finite",
        "the network's output holds numbers that are not finite",
    } >= {fault["message"] for fault in faults}
    assert [line["faults"] for line in metrics] == [sum(f["generation"] == g for f in faults) for g in range(3)]
    assert metrics[2]["faults"] > 0
    worst = [fault for fault in faults if fault["message"].startswith("the genome")]
    assert worst
    assert not any(np.isfinite(stored(tmp_path / "run", fault["genome"])).all() for fault in worst)  # kept as it was


@pytest.mark.parametrize(
    ("trouble", "message"),
    [
        ("wrong shape in reset", "MalformedObservation: an observation must have shape (3,), got (1,)"),
        ("wrong type in reset", "MalformedObservation: an observation must have type float64, got text"),
    ],
)
def test_fault_5_observation_of_wrong_shape_or_type(trouble, message, tmp_path, capsys):
    path = config_for(tmp_path, own("Walk"), kwargs={"trouble": trouble})
    config = Config.load(str(path), (), [MODULE])
    messages = [finding.message for finding in check_config(config) if finding.level == "error"]
    seed = int(episode_seeds(0, Purpose.TRAINING, 0, 3)[0])
    assert f"an episode failed (malformed, seed {seed}, step 0): {message}" in messages
    folder = tmp_path / "run"
    assert main(["run", str(path), "--output", str(folder), "--allow-import", MODULE]) == 1
    assert capsys.readouterr().err == (
        f"error: an episode failed (malformed, seed {seed}, step 0): {message}\n"
        "evonet: generation 0: 16 of 16 individuals failed, more than faults.max_share 0.5 allows; "
        f"the first, malformed, seed {seed}, step 0: {message}\n"
        f"replay it with: evonet replay {folder} --fault 0 --allow-import {MODULE}\n"
        f"start again after a repair with: evonet resume {folder} --allow-import {MODULE}\n"
    )
    assert main(["replay", str(folder), "--fault", "0", "--allow-import", MODULE]) == 0
    assert message in capsys.readouterr().out


def test_fault_6_episode_without_end(tmp_path, capsys):
    settings = "network: {hidden: 2}\nalgorithm: {population_size: 4, elites: 1}\nvalidation: {episodes: 1}\n"
    path = tmp_path / "c.yaml"
    path.write_text(
        f"environment: {{id: CliffWalking-v1}}\nevaluation: {{workers: 1, episodes: 1}}\n{settings}"
        "test: {episodes: 1}\nstop: {generations: 1}\n",
        encoding="utf-8",
    )
    assert main(["run", str(path), "--output", str(tmp_path / "run"), "--json"]) == 0
    out, err = capsys.readouterr()
    assert (
        "the environment has no time limit: 4 of 4 episodes were truncated after 1000 steps; set environment.max_steps"
        in err
    )
    assert json.loads(out)["environment_steps"] == 4000
    results = EpisodeReturn("CliffWalking-v1", hidden=2)(np.zeros((1, 48 * 2 + 2 + 2 * 4 + 4)), np.array([1]))
    assert (results.lengths.tolist(), results.terminated.tolist(), results.faults) == ([[1000]], [[False]], [])


def test_more_faults_than_may_stop_the_run_with_the_first_cause(go, tmp_path):
    with pytest.raises(TooManyFaults) as stopped:
        go("Obedient", "faults: {max_share: 0.05}\n", kwargs={"only": 5})
    assert stopped.value.exit_status == 1
    assert "more than faults.max_share 0.05 allows; the first, exception, seed" in str(stopped.value)
    faults = lines(tmp_path / "run" / "faults.jsonl")
    assert {fault["generation"] for fault in faults} == {0}
    assert (tmp_path / "run" / "metrics.jsonl").read_text(encoding="utf-8") == ""


def test_with_on_fault_stop_a_single_fault_stops_the_run(go, tmp_path):
    ill = int(episode_seeds(0, Purpose.TRAINING, 1, 3)[0])
    with pytest.raises(TooManyFaults) as stopped:
        go("Walk", "faults: {max_share: 1.0, on_fault: stop}\n", kwargs={"trouble": "raise", "seeds": [ill]})
    assert "16 of 16 individuals failed, and faults.on_fault is 'stop'; the first, exception, seed" in str(
        stopped.value
    )
    assert [line["generation"] for line in lines(tmp_path / "run" / "metrics.jsonl")] == [0]


@pytest.mark.parametrize("workers", [1, 2])
def test_fault_13_environment_prints(workers, tmp_path):
    path = config_for(tmp_path, own("Walk"), "stop: {generations: 1}\n", {"trouble": "print"}, workers)
    program = "import sys; from evonet.cli import main\nif __name__ == '__main__': sys.exit(main())"
    arguments = ["run", str(path), "--output", str(tmp_path / "run"), "--json", "--allow-import", MODULE]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["generations"] == 1
    assert "an environment talks" in done.stderr
    assert "and so does its C code" in done.stderr


@pytest.mark.parametrize("name", ["Moody", "Forgetful"])
def test_fault_14_environment_is_not_deterministic(name, tmp_path):
    path = config_for(tmp_path, own(name), kwargs={"ends": 3})
    findings = check_config(Config.load(str(path), (), [MODULE]))
    message = "the environment is not deterministic: the same seed gave another episode the second time"
    assert any(finding.message.startswith(message) for finding in findings if finding.level == "error")


def test_an_environment_that_is_unavailable_is_an_error_of_its_own_kind():
    with pytest.raises(EnvironmentUnavailable):
        EpisodeReturn(own("Impossible"))
