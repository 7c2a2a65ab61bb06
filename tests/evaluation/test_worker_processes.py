"""Worker processes: none outlives its purpose, none that is lost is missed, and whoever interrupts is heard at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.context import SpawnProcess
from pathlib import Path

import numpy as np
import pytest

from evonet.errors import WorkersUnavailable
from evonet.evaluation.executors import InProcess, WorkerProcesses
from evonet.evaluation.executors.chunks import Chunk, ChunkFailure
from evonet.evaluation.fault_policy import FaultPolicy
from evonet.fitness import EpisodeReturn
from evonet.processes import pool, worker
from tests.environments_for_tests import MODULE

ROOT = Path(__file__).parents[2]


def task_for(environment, **kwargs):
    return EpisodeReturn(f"{MODULE}:evonet-tests/{environment}-v0", kwargs=kwargs, hidden=1).task


TASK = task_for("Obedient", pause=0.01)


def returns(who, n=24):
    genomes = np.zeros((n, 4))
    genomes[:, 3] = np.linspace(0.1, 3.0, n)
    chunks = who.evaluate(genomes, np.arange(n), np.arange(n), None)
    assert [fault for chunk in chunks for fault in chunk.faults] == []
    return np.concatenate([chunk.returns for chunk in chunks]).tolist()


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until_ready(workers):
    while not workers.processes.ready:
        time.sleep(0.01)


def gone(pids, seconds=30.0):
    deadline = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(map(alive, pids))


@pytest.fixture(scope="module")
def expected():
    return returns(InProcess(TASK))


@pytest.fixture(scope="module")
def workers():
    workers = WorkerProcesses(TASK, workers=2)
    yield workers
    pids = workers.processes.process_ids
    workers.close()
    assert gone(pids)


def test_workers_that_have_grown_are_replaced_between_evaluations_and_the_results_are_the_same(
    workers, expected, monkeypatch
):
    assert returns(workers) == expected
    wait_until_ready(workers)
    before = workers.processes.process_ids
    assert returns(workers) == expected
    assert workers.processes.process_ids == before
    monkeypatch.setattr(pool, "_MAX_GROWTH", -(1 << 40))
    assert returns(workers) == expected
    assert not set(before) & set(workers.processes.process_ids)
    assert gone(before, 0.5)


def test_more_workers_than_the_system_waits_for_at_once_are_waited_for_in_turns(expected, monkeypatch):
    monkeypatch.setattr(worker, "_MAX_HANDLES", 2)  # Windows: 60
    workers = WorkerProcesses(TASK, workers=3)
    assert returns(workers) == expected
    workers.close()


def test_a_worker_that_is_killed_while_it_is_idle_is_replaced(workers, expected):
    assert returns(workers) == expected
    victim = workers.processes.process_ids[0]
    os.kill(victim, signal.SIGKILL)
    assert returns(workers) == expected
    assert victim not in workers.processes.process_ids
    assert len(workers.processes.process_ids) == 2


class Alarm(BaseException):
    pass


def test_an_evaluation_can_be_left_at_once_and_the_workers_serve_on(workers, expected):
    def ring(number, frame):
        raise Alarm

    wait_until_ready(workers)
    busy = workers.processes.process_ids
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1.0)  # when the workers have surely begun, however loaded the machine
        started = time.monotonic()
        with pytest.raises(Alarm):
            returns(workers, 4000)  # a minute of it
        assert time.monotonic() - started < 30
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert gone(busy)
    assert returns(workers) == expected


def test_a_chunk_that_another_thread_gives_up_ends_even_before_its_process_has_begun(workers, expected):
    genomes = np.array([[0.0, 0.0, 0.0, -3.0]])  # it would hang
    wait_until_ready(workers)
    (victim, other), (first, row) = workers.processes.process_ids, np.zeros((2, 1), np.int64)
    os.kill(victim, signal.SIGKILL)
    os.kill(other, signal.SIGKILL)
    assert gone([victim, other])
    workers.pool.submit(Chunk(0, genomes, row, first, None, limit=20.0))
    threading.Timer(0.05, workers.pool.interrupt).start()
    assert workers.pool.next_done()[1].failure == ChunkFailure("died", "the worker process was interrupted")
    assert returns(workers) == expected


def test_closed_workers_are_gone_and_can_be_closed_again():
    workers = WorkerProcesses(TASK, workers=1)
    pids = workers.processes.process_ids
    workers.close()
    assert gone(pids)
    workers.close()


def script(text, **settings):
    program = (
        "import os, signal, sys, time\n"
        "from evonet.evaluation.executors import WorkerProcesses\n"
        "from tests.evaluation.test_worker_processes import *\n"
        f"if __name__ == '__main__':\n{text}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **settings
    )


HANGING = (
    "    workers = WorkerProcesses(task_for('Obedient', only=TROUBLE), workers=2)\n"
    "    while not workers.processes.ready: time.sleep(0.01)\n"
    "    print(*workers.processes.process_ids, flush=True)\n"
    "    workers.evaluate(np.array([[0.0, 0.0, 0.0, -1.0]] * 2), np.arange(2), np.arange(2), None)\n"
)


@pytest.mark.skipif(sys.platform != "linux", reason="only there a process that hangs in C can be made to end so")
def test_workers_end_with_a_parent_that_is_killed_even_if_they_hang_in_c():
    run = script(HANGING.replace("TROUBLE", "8"))
    pids = [int(pid) for pid in run.stdout.readline().split()]
    time.sleep(0.3)
    assert all(map(alive, pids))
    run.kill()
    assert len(pids) == 2
    assert gone(pids)
    run.communicate()


def test_an_interrupt_from_the_terminal_is_the_parents_alone():
    run = script(HANGING.replace("TROUBLE", "3"), start_new_session=True)
    pids = [int(pid) for pid in run.stdout.readline().split()]
    time.sleep(0.3)
    os.killpg(run.pid, signal.SIGINT)
    _, stderr = run.communicate(timeout=60)
    assert run.returncode == -signal.SIGINT
    assert stderr.count("KeyboardInterrupt") == 1
    assert gone(pids)


def test_a_program_that_forgets_to_close_its_workers_ends_all_the_same():
    run = script(
        "    workers = WorkerProcesses(TASK, workers=1)\n"
        "    print(workers.processes.process_ids[0], len(returns(workers, 2)))\n"
    )
    stdout, stderr = run.communicate(timeout=60)
    assert (run.returncode, stderr) == (0, "")
    pid, count = stdout.split()
    assert count == "2"
    assert gone([int(pid)])


def test_workers_that_take_too_long_to_start_are_given_up(monkeypatch):
    monkeypatch.setattr(pool, "_START_SECONDS", 0.01)
    workers = WorkerProcesses(TASK, workers=1)
    with pytest.raises(WorkersUnavailable) as refused:
        returns(workers)
    assert str(refused.value) == ("worker processes cannot start (tried 3 times): a worker was not ready after 0.01 s")
    workers.close()


def test_where_the_machine_has_no_room_for_a_process_it_is_tried_a_few_times(monkeypatch):
    tried = []

    def start(self):
        tried.append(self)
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(SpawnProcess, "start", start)
    monkeypatch.setattr(pool, "_PAUSE_SECONDS", 0.0)
    with pytest.raises(WorkersUnavailable) as refused:
        returns(WorkerProcesses(TASK, workers=1))
    assert len(tried) == 3
    assert str(refused.value) == (
        "worker processes cannot start (tried 3 times): [Errno 11] Resource temporarily unavailable"
    )


def test_the_time_limit_is_not_a_matter_of_how_long_environments_take_to_be_made():
    task = task_for("Slow", pause=0.1)
    workers = WorkerProcesses(task, workers=1, faults=FaultPolicy(timeout=0.5, retries=0))
    born = workers.processes.process_ids
    assert len(returns(workers, 64)) == 64  # the first chunk has eight episodes, for which eight are made
    assert workers.processes.process_ids == born
    workers.close()
