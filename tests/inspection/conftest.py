"""Small finished runs, and shipped ones with their reports, each made once."""

import fcntl
import json
import os
from concurrent.futures import Future
from pathlib import Path

import pytest

from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.experiment.study import study
from evonet.inspection.loaded_run import load_run
from evonet.inspection.report import write_report
from tests.environments_for_tests import MODULE

CONFIG = """
name: small
seed: 3
environment: {id: CartPole-v1, max_steps: 100}
network: {hidden: 3}
algorithm:
  population_size: 12
  elites: 2
  crossover: {type: uniform, rate: 0.5}
  mutation: [{type: gaussian, sigma: 0.5, rate: 0.4}, {type: neuron, rate: 0.2}]
evaluation: {episodes: 1, workers: 1, engine: gymnasium}
validation: {episodes: 5}
test: {episodes: 6}
stop: {generations: 8, target: 1000}
"""


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """The directory of a finished run of eight generations."""
    folder = tmp_path_factory.mktemp("inspection")
    (folder / "small.yaml").write_text(CONFIG, encoding="utf-8")
    run(Config.load(str(folder / "small.yaml")), folder / "run")
    return folder / "run"


@pytest.fixture(scope="session")
def failed_run(tmp_path_factory):
    """A finished run in which no individual could be scored."""
    folder = tmp_path_factory.mktemp("failed")
    text = f"environment: {{id: '{MODULE}:evonet-tests/Walk-v0', kwargs: {{trouble: raise}}}}\n"
    text += "algorithm: {population_size: 3, elites: 1}\nevaluation: {workers: 1}\nstop: {generations: 2}\n"
    text += "faults: {max_share: 1}\n"
    (folder / "failed.yaml").write_text(text, encoding="utf-8")
    run(Config.load(str(folder / "failed.yaml"), (), [MODULE]), folder / "run")
    return folder / "run"


@pytest.fixture(scope="session")
def own_run(tmp_path_factory):
    """A finished run in an environment whose code it would have to import."""
    folder = tmp_path_factory.mktemp("own")
    text = (
        f"environment: {{id: '{MODULE}:evonet-tests/Walk-v0'}}\nvalidation: {{episodes: 2}}\ntest: {{episodes: 2}}\n"
        "algorithm: {population_size: 3, elites: 1}\nevaluation: {workers: 1}\nstop: {generations: 1}\n"
    )
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    run(Config.load(str(folder / "own.yaml"), (), [MODULE]), folder / "run")
    return folder / "run"


BRIEF = """
algorithm: {population_size: 12, elites: 2, crossover: {type: uniform, rate: 0.5}}
evaluation: {episodes: 1, workers: 1}
validation: {episodes: 5}
test: {episodes: 6}
"""


def brief_run(folder, text, allowed=()):
    """The directory of a finished run of few generations; `text` says what is not in BRIEF."""
    (folder / "config.yaml").write_text(text + BRIEF, encoding="utf-8")
    run(Config.load(str(folder / "config.yaml"), (), allowed), folder / "run")
    return folder / "run"


CONFIGS = Path(__file__).parents[2] / "configs"
FEWER = ("evaluation.episodes=5", "validation.episodes=200", "test.episodes=200", "stop.generations=2")
SHIPPED = {
    "cartpole": ("cartpole.yaml", ()),
    "continuous": ("mountain_car_continuous.yaml", ()),
    "discrete": ("frozen_lake.yaml", (*FEWER, "name=<script>alert(1)</script>")),
}
"""Shipped configs whose reports tests read: as they are, but for the longest one's length, and a hostile name."""


@pytest.fixture(scope="session")
def made_once(tmp_path_factory):
    """Makes a file, in a folder that all processes of this session of pytest share, unless one of them has."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder

    def made_once(name, make):
        with (folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / name).exists():
                make(folder / f"{name}.part")
                (folder / f"{name}.part").rename(folder / name)
        return folder / name

    return made_once


@pytest.fixture(scope="session")
def shipped_runs(made_once):
    """The directory of a finished run of a config of SHIPPED, made when it is first asked for."""

    def shipped_run(name):
        file, overrides = SHIPPED[name]
        config = Config.load(str(CONFIGS / file), ["evaluation.workers=1", *overrides])
        return made_once(f"run-{name}", lambda path: run(config, path))

    return shipped_run


@pytest.fixture(scope="session")
def shipped_reports(made_once, shipped_runs):
    """The report of a shipped config's run, and the notices of the parts that were left out."""

    def shipped_report(name):
        def make(folder):
            folder.mkdir()
            _, notices = write_report(load_run(shipped_runs(name)), folder / "report.html", effort=0.02)
            (folder / "notices.json").write_text(json.dumps(notices), encoding="utf-8")

        folder = made_once(f"report-{name}", make)
        return folder / "report.html", json.loads((folder / "notices.json").read_text(encoding="utf-8"))

    return shipped_report


@pytest.fixture(scope="session")
def continuous_run(tmp_path_factory):
    """Pendulum, a memory, normalised observations."""
    text = "environment: {id: Pendulum-v1, max_steps: 40}\nnetwork: {hidden: 3, recurrent: true}\n"
    folder = tmp_path_factory.mktemp("continuous")
    return brief_run(folder, text + "stop: {generations: 4}\n")


@pytest.fixture(scope="session")
def discrete_run(tmp_path_factory):
    """FrozenLake, whose observation is the number of a square."""
    text = "environment: {id: FrozenLake-v1, max_steps: 20}\nnetwork: {hidden: 4}\n"
    return brief_run(tmp_path_factory.mktemp("discrete"), text + "stop: {generations: 4}\n")


@pytest.fixture(scope="session")
def foreign_run(tmp_path_factory):
    """An environment of the user's own, with faults."""
    text = f"environment: {{id: '{MODULE}:evonet-tests/Walk-v0'}}\nnetwork: {{hidden: 3}}\n"
    return brief_run(tmp_path_factory.mktemp("foreign"), text + "stop: {generations: 3}\n", [MODULE])


STUDY = """
name: small
environment: {id: CartPole-v1, max_steps: 60}
network: {hidden: 2}
algorithm: {population_size: 12, elites: 2}
evaluation: {episodes: 1, engine: numpy, workers: 1}
validation: {episodes: 4}
test: {episodes: 5}
stop: {generations: 3, target: 45}
"""


class Here:
    """An executor that is this process."""

    def submit(self, function, /, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


@pytest.fixture(scope="session")
def small_study(tmp_path_factory):
    """The directory of a finished study of three seeds."""
    folder = tmp_path_factory.mktemp("studies")
    (folder / "small.yaml").write_text(STUDY, encoding="utf-8")
    study(Config.load(str(folder / "small.yaml")), [2, 5, 11], folder / "small", executor=Here())
    return folder / "small"
