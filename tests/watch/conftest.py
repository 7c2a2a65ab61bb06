"""The small finished run of the tests of inspection, and one that nobody finished."""

import pytest

from evonet.inspection.loaded_run import load_run
from tests.inspection.conftest import small_run
from tests.stopped_runs import EAGER, run_stopped

__all__ = ["small_run"]

ISLANDS = """
name: three islands
seed: 4
environment: {id: CartPole-v1, max_steps: 30}
network: {hidden: 2}
algorithm:
  type: islands
  islands: 3
  algorithm: {population_size: 5, elites: 1}
  migrants: 1
evaluation: {episodes: 1, workers: 1, engine: gymnasium}
validation: {episodes: 2}
test: {episodes: 2}
stop: {generations: 6, target: 400}
"""


@pytest.fixture(scope="session")
def unfinished_run(tmp_path_factory):
    """The directory of a run on three islands that was stopped after its third generation."""
    path = run_stopped(tmp_path_factory.mktemp("watch"), ISLANDS, *EAGER)
    assert not load_run(path).finished
    return path


@pytest.fixture(autouse=True)
def niceness(monkeypatch):
    """What the processes of a spectator would have been given, without giving it to this one."""
    given = []
    monkeypatch.setattr("evonet.watch.priority.os.setpriority", lambda kind, process, value: given.append(value))
    monkeypatch.setattr("evonet.watch.priority.os.sched_setscheduler", lambda *_: None)
    return given
