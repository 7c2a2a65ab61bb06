"""Small finished runs, and reports of them, made once."""

import os

import pytest

from evonet.experiment.config import Config
from evonet.experiment.runner import run
from evonet.inspection.loaded_run import load_run
from evonet.inspection.report import report
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
    """A finished run in which nobody could be scored."""
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


@pytest.fixture(scope="session")
def alert_run(tmp_path_factory):
    """CartPole under a name that a page must not take for a script."""
    text = "name: '<script>alert(1)</script>'\nenvironment: {id: CartPole-v1, max_steps: 60}\nnetwork: {hidden: 4}\n"
    return brief_run(tmp_path_factory.mktemp("alert"), text + "stop: {generations: 6, target: 1000}\n")


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
    """An environment of somebody's own, with faults."""
    text = f"environment: {{id: '{MODULE}:evonet-tests/Walk-v0'}}\nnetwork: {{hidden: 3}}\n"
    return brief_run(tmp_path_factory.mktemp("foreign"), text + "stop: {generations: 3}\n", [MODULE])


@pytest.fixture(scope="session")
def no_window():
    """SDL, which draws most environments, looks for no display."""
    with pytest.MonkeyPatch.context() as patch:
        if "SDL_VIDEODRIVER" not in os.environ:
            patch.setenv("SDL_VIDEODRIVER", "dummy")
        yield


@pytest.fixture(scope="session")
def alert_page(alert_run, no_window):
    """The report of `alert_run`, and what was left out of it."""
    return report(load_run(alert_run), effort=0.02)


@pytest.fixture(scope="session")
def continuous_page(continuous_run, no_window):
    """The report of `continuous_run`, and what was left out of it."""
    return report(load_run(continuous_run), effort=0.02)


@pytest.fixture(scope="session")
def discrete_page(discrete_run, no_window):
    """The report of `discrete_run`, and what was left out of it."""
    return report(load_run(discrete_run), effort=0.02)
