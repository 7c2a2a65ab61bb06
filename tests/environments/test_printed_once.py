"""A third party's warning is shown once, however many copies of its environment are made in however many processes."""

import os
import sys

import numpy as np
import pytest

from evonet.environments import printed_once
from evonet.environments.printed_once import each_line_once, hide, printed
from evonet.fitness import EpisodeReturn
from tests.environments_for_tests import Walk


@pytest.fixture(autouse=True)
def nothing_printed(monkeypatch):
    monkeypatch.setattr(printed_once, "_printed", set())


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
    assert capfd.readouterr() == ("loading\n", "WARNING: an attribute is deprecated\n")


def test_lines_that_differ_are_all_shown_and_those_of_the_parent_are_not(capfd):
    hide([b"one"])
    for line in ("one", "two", "two", "three"):
        with each_line_once():
            os.write(2, f"{line}\n".encode())
    assert capfd.readouterr().err == "two\nthree\n"
    assert printed() == {b"one", b"two", b"three"}


def test_what_is_printed_before_an_error_is_shown(capfd):
    def failing():
        with each_line_once():
            os.write(2, b"no model\n")
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            failing()
    assert capfd.readouterr().err == "no model\n"


def test_what_was_printed_before_keeps_its_place(capfd):
    sys.stderr.write("before\n")
    with each_line_once():
        sys.stderr.write("within\n")
    sys.stderr.write("after\n")
    assert capfd.readouterr().err == "before\nwithin\nafter\n"
