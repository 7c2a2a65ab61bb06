"""A pool hands calls to worker processes: none is lost, and a worker that cannot start is given up."""

import os
import time

import pytest

from evonet.errors import WorkersUnavailable
from evonet.processes import pool as pools
from evonet.processes.cores import cores
from evonet.processes.pool import Call, WorkerPool
from tests.processes.test_worker import gone


def results(pool, count):
    """Replies of so many calls, by their arguments."""
    done = (pool.next_done() for _ in range(count))
    return {call.arguments: reply.value if reply.error is None else str(reply.error) for call, reply in done}


def remember(number):
    global _remembered  # noqa: PLW0603
    _remembered = number


def remembered():
    return _remembered


def leave_unless(path):
    if not os.path.exists(path):  # noqa: PTH110
        open(path, "w").close()  # noqa: PTH123
        os._exit(5)


def test_calls_are_made_by_all_workers_and_one_that_ends_a_process_costs_no_other():
    with WorkerPool(2) as pool:
        for number in (0, 3, -1, -2, -3, -4):
            pool.submit(Call(os._exit if number >= 0 else abs, (number,)))
        assert results(pool, 6) == {
            (0,): "the worker process ended with exit code 0",
            (3,): "the worker process ended with exit code 3",
            **{(-n,): n for n in range(1, 5)},
        }
        assert len(pool.process_ids) <= 2


def test_a_worker_is_initialised_before_its_first_call_and_prepared_before_each():
    with WorkerPool(1, (remember, (3,))) as pool:
        pool.submit(Call(remembered, ()))
        assert results(pool, 1) == {(): 3}
        pool.submit(Call(remembered, (), prepare=(remember, (4,))))
        assert results(pool, 1) == {(): 4}


def test_a_call_whose_preparation_ends_the_process_is_made_by_another(tmp_path):
    with WorkerPool(1, (remember, (3,))) as pool:
        pool.submit(Call(remembered, (), prepare=(leave_unless, (str(tmp_path / "tried"),))))
        assert results(pool, 1) == {(): 3}


def test_the_time_limit_does_not_count_preparation():
    with WorkerPool(1) as pool:
        pool.submit(Call(abs, (-1,), timeout=0.5, prepare=(time.sleep, (0.8,))))
        pool.submit(Call(time.sleep, (60,), timeout=0.5, prepare=(time.sleep, (0.1,))))
        assert results(pool, 2) == {(-1,): 1, (60,): "the call took longer than 0.5 s"}


@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        (int, ("x",), "ValueError: invalid literal for int() with base 10: 'x'"),
        (os._exit, (7,), "the worker process ended with exit code 7"),
    ],
)
def test_workers_that_cannot_be_initialised_are_given_up_with_the_reason(function, arguments, reason):
    with WorkerPool(1, (function, arguments)) as pool:
        pool.submit(Call(abs, (-1,)))
        with pytest.raises(WorkersUnavailable) as unavailable:
            pool.next_done()
    assert str(unavailable.value) == f"worker processes cannot start (tried 3 times): {reason}"
    assert ("".join(getattr(unavailable.value, "__notes__", [])) != "") == (function is int)


def test_leaving_by_an_exception_ends_what_is_running():
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), WorkerPool(1) as pool:  # noqa: PT012
        pool.submit(Call(os.getpid, ()))
        ((_, pid),) = results(pool, 1).items()
        pool.submit(Call(time.sleep, (60,)))
        pool.submit(Call(time.sleep, (60,)))
        pool._assign_calls()
        raise KeyboardInterrupt
    assert time.monotonic() - started < 20
    assert gone(pid)


def test_abandoned_calls_are_forgotten():
    with WorkerPool(1) as pool:
        pool.submit(Call(time.sleep, (60,)))
        pool.submit(Call(abs, (-1,)))
        pool.start()
        pool.abandon()
        pool.submit(Call(abs, (-2,)))
        assert results(pool, 1) == {(-2,): 2}


def test_a_pool_counts_the_share_of_the_processors_that_each_worker_has():
    with WorkerPool(1, share=1) as pool:
        pool.submit(Call(cores, ()))
        assert results(pool, 1) == {(): 1}


def test_only_workers_that_have_grown_are_renewed_and_only_when_there_is_no_work(monkeypatch):
    with WorkerPool(1) as pool:
        pool.submit(Call(os.getpid, ()))
        first = results(pool, 1)
        monkeypatch.setattr(pools, "_MAX_GROWTH", -(1 << 40))
        pool._waiting.append(Call(os.getpid, ()))  # as if there were work
        pool.submit(Call(abs, (-1,)))
        assert results(pool, 2)[()] == first[()]
        pool.submit(Call(os.getpid, ()))
        assert results(pool, 1) != first
