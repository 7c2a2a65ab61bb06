"""FAULTS.md, rows 15 to 17 and 24: signals stop a run where it loses nothing, and no process outlives it."""

import os
import signal
import time
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.experiment.interruption import Interrupted, interruptible
from evonet.experiment.run_files.run_directory import RunDirectory
from evonet.seeding import Purpose, episode_seeds
from tests import sleepy
from tests.faults.processes import Started, generations_in, wait_until
from tests.stopped_runs import FUNCTION, SMALL, all_files, exact_files, run_whole

pytestmark = pytest.mark.thorough
SEED = int(episode_seeds(3, Purpose.TRAINING, 3, 3)[1])  # in generation 3
TEXT = f"environment: {{id: '{sleepy.SLEEPY}', kwargs: {{sleepy: [{SEED}]}}}}\n{SMALL}"
ALLOWED = ("--allow-import", sleepy.MODULE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    from evonet.experiment.config import Config
    from evonet.experiment.runner import run

    folder = tmp_path_factory.mktemp("whole")
    (folder / "c.yaml").write_text(TEXT, encoding="utf-8")
    run(Config.load(str(folder / "c.yaml"), ["evaluation.workers=1"], [sleepy.MODULE]), folder / "run")
    return exact_files(folder / "run")


def asleep(tmp_path, workers, *settings):
    """A run in generation 3, whose training would take half a minute."""
    (tmp_path / "c.yaml").write_text(TEXT, encoding="utf-8")
    path = tmp_path / "run"
    arguments = ["run", tmp_path / "c.yaml", "--output", path, "--workers", workers, *ALLOWED, *settings]
    started = Started(*arguments, environment={sleepy.ASLEEP: str(tmp_path / "asleep")})
    wait_until(lambda: (tmp_path / "asleep").exists() and generations_in(path) == 3)
    return started, path


def pending(process, number):
    """Whether a signal has been sent that the process has not taken yet."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
    (mask,) = (int(line.split()[1], 16) for line in lines if line.startswith("ShdPnd:"))
    return bool(mask >> (number - 1) & 1)


def assert_resumed_as(whole, path):
    assert main(["resume", str(path), "--quiet", *ALLOWED, "--workers", "1"]) == 0
    assert exact_files(path) == whole


@pytest.mark.parametrize(
    ("number", "send", "workers", "code"),
    [
        (signal.SIGINT, os.killpg, 2, 130),  # as a terminal sends it
        (signal.SIGTERM, os.kill, 1, 143),
        (signal.SIGTERM, os.killpg, 2, 143),
        (signal.SIGHUP, os.killpg, 2, 129),  # as a terminal that is closed sends it
    ],
    ids=["SIGINT", "SIGTERM", "SIGTERM to all", "SIGHUP"],
)
def test_fault_15_16_ctrl_c_sigterm_and_sighup(number, send, workers, code, tmp_path, whole):
    started, path = asleep(tmp_path, workers)
    with started:
        send(started.process.pid, number)
        status, out, err = started.ended()
        assert (status, out) == (code, "")
        interrupted, so_far, resume, finish = err.splitlines()[-4:]
        assert interrupted == f"evonet: interrupted by {number.name}"
        assert so_far.startswith("so far: gen 3/")
        assert resume == f"resume with: evonet resume {path} {' '.join(ALLOWED)}"
        assert finish == f"or end it here and test its champion: evonet finish {path} {' '.join(ALLOWED)}"
        wait_until(lambda: not started.processes())
    # Where the machine is busy, one was due before.
    assert max(file.name for file in (path / "checkpoints").iterdir()) == "generation-00000002.npz"
    assert_resumed_as(whole, path)


def test_fault_15_a_second_signal_stops_at_once(tmp_path):
    text = f"fitness: {{type: '{sleepy.MODULE}:deep'}}\nnetwork: {{inputs: 2, outputs: 1}}\n{SMALL}"
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    path = tmp_path / "run"
    arguments = ["run", tmp_path / "c.yaml", "--output", path, *ALLOWED]
    with Started(*arguments, environment={sleepy.ASLEEP: str(tmp_path / "asleep")}) as started:
        wait_until((tmp_path / "asleep").exists)
        os.kill(started.process.pid, signal.SIGINT)
        time.sleep(0.3)
        wait_until(lambda: not pending(started.process.pid, signal.SIGINT))  # two that wait are one
        assert started.process.poll() is None
        os.kill(started.process.pid, signal.SIGINT)
        status, _, err = started.ended(30)  # of the minute that the fitness takes
    assert status == 130
    assert err.splitlines()[-2:] == [
        "evonet: stopped at once",
        f"nothing was saved yet; start again with: evonet resume {path} {' '.join(ALLOWED)}",
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_fault_17_sigkill_of_the_run(workers, tmp_path, whole):
    started, path = asleep(tmp_path, workers, "--set", "checkpoints.seconds=0")
    with started:
        assert len(started.processes()) >= workers
        os.kill(started.process.pid, signal.SIGKILL)
        started.process.wait(60)
        wait_until(lambda: not started.processes())
    assert main(["resume", str(path), "--quiet", *ALLOWED, "--workers", "1"]) == 0  # a dead process holds no lock
    assert exact_files(path) == whole


def test_fault_24_two_processes_on_one_run(tmp_path, capsys):
    path = run_whole(tmp_path, FUNCTION + SMALL)
    before = all_files(path)
    with RunDirectory(path, resumed=True):
        assert main(["resume", str(path), "--set", "stop.generations=9"]) == 1
        assert capsys.readouterr().err == (
            f"evonet: {path} is in use: another process is running it; watch it with: evonet inspect {path}\n"
        )
        assert all_files(path) == before
        assert main(["inspect", str(path)]) == 0
    capsys.readouterr()
    arguments = ["resume", str(path), "--quiet", "--set", "stop.generations=9", "--allow-import"]
    assert main([*arguments, "tests.environments_for_tests"]) == 0


def test_fault_24_a_second_run_into_a_directory_that_is_being_made(tmp_path, capsys):
    (tmp_path / "c.yaml").write_text("environment: {id: CartPole-v1}\n", encoding="utf-8")
    with RunDirectory(tmp_path / "out"):
        assert main(["run", str(tmp_path / "c.yaml"), "--output", str(tmp_path / "out")]) == 1
    assert "is in use: another process is running it" in capsys.readouterr().err


def test_a_signal_whose_exception_is_swallowed_stops_the_run():
    with pytest.raises(Interrupted) as stopped, interruptible() as interruption:  # noqa: PT012
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        except BaseException:  # noqa: BLE001
            pass
        with interruption.deferred():
            pytest.fail("it went on")
    assert (stopped.value.exit_status, str(stopped.value)) == (143, "interrupted by SIGTERM")


def test_a_write_is_finished_before_a_signal_stops_the_run():
    done = []
    with pytest.raises(Interrupted), interruptible() as interruption, interruption.deferred():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
        done.append("written")
    assert done == ["written"]


NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def test_signal_handlers_are_restored_afterwards():
    before = [signal.getsignal(number) for number in NUMBERS]
    with interruptible():
        assert all(signal.getsignal(number) != then for number, then in zip(NUMBERS, before, strict=True))
    assert [signal.getsignal(number) for number in NUMBERS] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_ignored_signals_stay_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_run_within_a_command_that_can_be_interrupted_is_interrupted_with_it():
    with pytest.raises(Interrupted), interruptible() as outer, interruptible() as inner:  # noqa: PT012
        assert inner is outer
        os.kill(os.getpid(), signal.SIGHUP)
        time.sleep(1)
    with interruptible() as later:
        assert later is not outer


def test_a_run_in_a_thread_leaves_signals_alone():
    import threading

    def look():
        with interruptible():
            handlers.append(signal.getsignal(signal.SIGINT))

    handlers = []
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]


def test_no_descriptor_is_left_open():
    before = descriptors()
    for _ in range(3):
        with interruptible():
            pass
    assert descriptors() == before


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))
