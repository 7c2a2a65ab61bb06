"""A small finished run, made once."""

import pytest

from evonet.experiment.config import Config
from evonet.experiment.runner import run
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
