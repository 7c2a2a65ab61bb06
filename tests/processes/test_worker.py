"""A worker process makes calls; whatever they do to it is told in words."""

import os
import signal
import subprocess
import sys
import time
import warnings
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest

from evonet.errors import ConfigError, EvonetWarning
from evonet.processes import worker as workers
from evonet.processes.cores import cores, limit_cores
from evonet.processes.worker import CallFailed, Worker
from tests.environments_for_tests import TROUBLES

SEGFAULT, KILLED, HANG, HANG_IN_C = 1, 2, 3, 8


@pytest.fixture
def worker():
    made = Worker()
    yield made
    made.kill()


def trouble(number):
    TROUBLES[number]()


def refuse():
    raise ConfigError("the seed must be a number")


def unpicklable():
    return lambda: None


def oom_score():
    return int(Path("/proc/self/oom_score_adj").read_text(encoding="ascii"))


def warnings_of_evonet():
    with warnings.catch_warnings(record=True) as caught:
        warnings.warn("the environment cannot be closed", EvonetWarning, stacklevel=1)
    return len(caught)


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_worker_makes_one_call_after_another_in_a_process_of_its_own(worker):
    assert worker.call(abs, (-3,)) == 3
    assert worker.call(os.getpid) == worker.process_id != os.getpid()
    assert worker.memory > 1_000_000
    assert worker.call(warnings_of_evonet) == 0  # the parent tells them
    worker.close()
    assert worker.gone


@pytest.mark.parametrize(
    ("function", "arguments", "kind", "message"),
    [
        (os._exit, (0,), "died", "the worker process ended with exit code 0"),
        (os._exit, (3,), "died", "the worker process ended with exit code 3"),
        (os._exit, (1,), "died", "the worker process ended with exit code 1"),
        (signal.raise_signal, (signal.SIGKILL,), "died", "the worker process was killed by SIGKILL"),
        (int, ("no number",), "raised", "ValueError: invalid literal for int() with base 10: 'no number'"),
        (sys.exit, ("enough",), "raised", "SystemExit: enough"),
        (refuse, (), "raised", "the seed must be a number"),
    ],
    ids=["leaves with 0", "leaves with 3", "leaves with 1", "is killed", "raises", "exits", "refuses"],
)
def test_a_call_that_fails_says_how(function, arguments, kind, message, worker):
    with pytest.raises(CallFailed) as failed:
        worker.call(function, arguments, 60.0)
    assert (failed.value.kind, str(failed.value)) == (kind, message)
    assert failed.value.killed == ("SIGKILL" in message)
    assert failed.value.traceback.endswith(f"{message}\n" if kind == "raised" and function is not refuse else "")


def test_a_value_that_cannot_be_sent_back_is_an_error_of_the_call(worker):
    with pytest.raises(CallFailed, match=r"pickle|local object") as failed:
        worker.call(unpicklable)
    assert failed.value.kind == "raised"


@pytest.mark.parametrize(("number", "place"), [(HANG, "_hang"), (HANG_IN_C, "_hang_in_c")], ids=["Python", "C"])
def test_a_call_that_takes_too_long_ends_the_process_and_says_where_it_was(number, place, worker):
    worker.call(oom_score)  # which imports this module
    with pytest.raises(CallFailed) as failed:
        worker.call(trouble, (number,), 0.3)
    assert (failed.value.kind, str(failed.value)) == ("timeout", "the call took longer than 0.3 s")
    assert failed.value.traceback.startswith("Traceback (most recent call last):\n")
    assert f"in {place}" in failed.value.traceback
    assert worker.gone


def test_a_crash_says_where_it_was(worker):
    with pytest.raises(CallFailed) as failed:
        worker.call(trouble, (SEGFAULT,))
    assert str(failed.value) == "the worker process was killed by SIGSEGV"
    assert "in _segfault" in failed.value.traceback


def test_a_process_that_is_stopped_is_killed_by_its_parent(worker, monkeypatch):
    monkeypatch.setattr(workers, "_GRACE_SECONDS", 0.2)
    assert worker.call(abs, (-3,)) == 3
    os.kill(worker.process_id, signal.SIGSTOP)
    with pytest.raises(CallFailed, match=r"^the call took longer than 0.3 s$"):
        worker.call(abs, (-3,), 0.3)
    assert worker.gone


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signals_to_the_whole_group_are_the_parents_to_answer(name, worker):
    assert worker.call(signal.raise_signal, (getattr(signal, name),)) is None


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's rule for which process to end where memory runs out")
def test_where_memory_runs_out_the_system_ends_a_worker_before_the_run(worker):
    assert worker.call(oom_score) == 500


def test_a_worker_counts_its_share_of_the_processors():
    worker = Worker(share=1)
    assert worker.call(cores) == 1
    worker.close()
    assert worker.gone


def test_limited_cores_are_never_more_than_the_system_grants(monkeypatch):
    monkeypatch.setattr("evonet.processes.cores._limit", None)
    granted = cores()
    limit_cores(1)
    assert cores() == 1
    limit_cores(granted + 5)
    assert cores() == granted


@pytest.mark.parametrize("before", [None, "7"])
def test_a_worker_starts_with_one_thread_of_linear_algebra_and_this_process_keeps_its_own(before, monkeypatch):
    if before is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", before)
    seen, start = [], SpawnProcess.start
    monkeypatch.setattr(SpawnProcess, "start", lambda self: (seen.append(os.environ["OMP_NUM_THREADS"]), start(self)))
    Worker().kill()
    assert seen == ["1"]
    assert os.environ.get("OMP_NUM_THREADS") == before


def test_a_process_that_was_interrupted_from_another_thread_fails_its_call(worker):
    worker.begin(time.sleep, (60,))
    worker.interrupt()
    while (reply := worker.reply()) is None:
        workers.wait_for([worker])
    assert str(reply.error) == "the worker process was killed by SIGKILL"


UNGUARDED = """
from evonet import EpisodeReturn, GeneticAlgorithm, evolve

fitness = EpisodeReturn("CartPole-v1", hidden=2, engine="gymnasium", workers=2)
print(next(evolve(GeneticAlgorithm(fitness.architecture, 4), fitness)).number)
"""


def test_a_script_without_a_main_guard_is_told_so_in_one_sentence(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(UNGUARDED, encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("Traceback") == 1
    assert done.stderr.splitlines()[-1] == (
        "evonet.errors.WorkersUnavailable: worker processes cannot start: each worker process imports this script "
        'first, and the script starts workers again; put what it does below the line: if __name__ == "__main__":'
    )
