"""A third party's warning is shown once, however many copies of its environment are made in however many processes."""

import os
import subprocess
import sys

import numpy as np
import pytest

from evonet.environments import silent_copies
from evonet.environments.silent_copies import made_silently, state, take_over
from evonet.fitness import EpisodeReturn
from tests.environments_for_tests import Walk


@pytest.fixture(autouse=True)
def nothing_made(monkeypatch):
    monkeypatch.setattr(silent_copies, "_state", "no environment")


class Deprecated(Walk):
    """An environment that warns from C code, as MuJoCo does, whenever a copy is made."""

    def __init__(self):
        super().__init__()
        os.write(2, b"WARNING: an attribute is deprecated\n\n")
        os.write(1, b"loading\n")


@pytest.mark.parametrize("workers", [1, 2])
def test_copies_of_an_environment_warn_once(workers, capfd):
    fitness = EpisodeReturn(Deprecated, hidden=2, max_steps=3, engine="gymnasium", workers=workers)
    try:
        fitness(np.zeros((8, fitness.architecture.genome_size)), np.arange(2))
    finally:
        fitness.close()
    assert capfd.readouterr() == ("loading\n", "WARNING: an attribute is deprecated\n\n")


def test_what_a_copy_prints_before_an_error_is_shown(capfd):
    def failing():
        with made_silently():
            os.write(2, b"no model\n")
            raise RuntimeError

    take_over("silent copies")
    with pytest.raises(RuntimeError):
        failing()
    assert capfd.readouterr().err == "no model\n"


def test_what_was_printed_before_and_after_is_shown(capfd):
    take_over("silent copies")
    os.write(2, b"before\n")
    with made_silently():
        os.write(2, b"within\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


@pytest.mark.skipif(not silent_copies._CHILDREN.exists(), reason="the system does not name child processes")
def test_copies_of_an_environment_that_starts_processes_may_print(capfd):
    with made_silently():
        simulator = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert state() == "own processes"
        with made_silently():
            os.write(2, b"a second simulator\n")
    finally:
        simulator.communicate(b"\n")
    assert capfd.readouterr().err == "a second simulator\n"
