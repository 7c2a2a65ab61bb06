"""A call in a thread: its end is waited for, and its error is raised."""

import threading

import pytest

from evonet.experiment.background import in_background


def test_both_run_at_once_and_the_context_ends_with_the_call():
    here, there, done = threading.Event(), threading.Event(), []

    def call():
        there.set()
        assert here.wait(10)
        done.append("call")

    with in_background(call):
        assert there.wait(10)
        here.set()
    assert done == ["call"]


def test_an_error_of_the_call_is_raised_at_the_end():
    reached = []

    def fail():
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"), in_background(fail):
        reached.append("the end")
    assert reached == ["the end"]


def test_an_error_of_the_context_waits_for_the_call_and_comes_before_its_error():
    done = []

    def call():
        done.append("call")
        raise OSError("the disk is full")

    with pytest.raises(ValueError, match="of the context"), in_background(call):
        raise ValueError("of the context")
    assert done == ["call"]
