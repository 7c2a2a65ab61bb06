"""A run's progress: a bar on the way to the target that fits the terminal, or a line a minute."""

import io
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from evonet.cli.progress import Display, RunProgress, progress, say_above_the_bar
from evonet.evaluation.progress import PROGRESS
from evonet.experiment.config import Config
from evonet.fitness import EpisodeReturn
from evonet.scores import Score


def config(**changes):
    return Config.load({"name": "cartpole", "environment": {"id": "CartPole-v1"}, **changes})


def generation(number, validation=None, best=1.0):
    champion = None
    if validation is not None:
        champion = SimpleNamespace(validation=Score(np.array([validation])), target=475.0)
    return SimpleNamespace(
        number=number,
        champion=champion,
        fitness=np.array([best, -np.inf]),
        environment_steps=200_000,
        validation_steps=0,
    )


@pytest.fixture(autouse=True)
def still(monkeypatch):
    """The clock stands still, and no evaluation is under way."""
    monkeypatch.setattr("time.monotonic", lambda: 0.0)
    monkeypatch.setattr(PROGRESS, "done", 0)
    monkeypatch.setattr(PROGRESS, "total", 0)


def test_the_bar_is_the_way_from_the_first_validation_to_the_target():
    run = RunProgress(config(stop={"generations": 200, "target": "auto"}))
    run(generation(0, 75.0), 1.0)
    assert run.bar(90) == f"cartpole {'░' * 20}  gen 1/200 · validation 75 / 475 · 200 k steps · 1 s"
    run(generation(2, 275.0), 5.0)
    assert run.bar(90) == f"cartpole {'█' * 10}{'░' * 10}  gen 3/200 · validation 275 / 475 · 200 k steps · 5 s"
    run(generation(3, 480.0), 6.0)
    assert "█" * 20 in run.bar(100)


def test_without_a_target_the_bar_is_the_way_to_the_last_generation():
    run = RunProgress(config(stop={"generations": 4, "target": None}))
    run(generation(0, 75.0), 1.0)
    assert f"{'█' * 5}{'░' * 15}  gen 1/4 · validation 75 · " in run.bar(80)


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 200])
def test_the_bar_fits_the_terminal_and_the_validation_is_not_what_is_cut_off(columns):
    run = RunProgress(config(name="a name that is far too long for a progress bar", stop={"generations": 1000}))
    run(generation(998, -154.1234), 7100.0)
    assert len(run.bar(columns)) < columns
    assert columns < 60 or "validation -154.1" in run.bar(columns)


def test_within_a_generation_its_episodes_are_counted(monkeypatch):
    run = RunProgress(config(stop={"generations": 200}))
    PROGRESS.done, PROGRESS.total = 132, 384
    assert "episodes" not in run.status
    monkeypatch.setattr("time.monotonic", lambda: 8.0)
    assert run.status == "gen 0/200 · 132 / 384 episodes · 8 s"


def test_an_evaluation_counts_its_episodes_in_this_process_and_in_workers(monkeypatch):
    monkeypatch.undo()
    for workers in (1, 2):
        fitness = EpisodeReturn("Acrobot-v1", hidden=2, max_steps=5, engine="gymnasium", workers=workers)
        try:
            fitness(np.zeros((4, fitness.architecture.genome_size)), np.arange(3))
        finally:
            fitness.close()
        assert (PROGRESS.done, PROGRESS.total) == (12, 12)


def test_an_interruption_says_the_score_so_far():
    error = KeyboardInterrupt()
    error.add_note("resume with: evonet resume out")

    def interrupted():
        with progress(config(), quiet=True) as shown:
            shown.watch(generation(2, 402.4), 3.0)
            raise error

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    so_far = "so far: gen 3/1000 · validation 402.4 / 475 · 200 k steps · 3 s"
    assert error.__notes__ == [so_far, "resume with: evonet resume out"]


class Terminal(io.StringIO):
    """A stream that says when something was written to it."""

    def __init__(self):
        super().__init__()
        self.written = threading.Event()

    def flush(self):
        self.written.set()


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_gets_a_bar_that_makes_way_for_messages_and_a_log_gets_lines(terminal, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("evonet.cli.progress._REDRAWN_EACH", 0.001)
    monkeypatch.setattr("evonet.cli.progress._LINE_EACH", 0.001)
    run = RunProgress(config())
    display = Display(run, terminal=terminal)
    assert stream.written.wait(60)
    say_above_the_bar("a message")
    display.close()
    text = stream.getvalue()
    if terminal:
        line = run.bar(80)
        assert text.startswith(f"\r{line}")
        assert f"\r{' ' * len(line)}\ra message\n" in text
        assert text.endswith(("\r", "\ra message\n"))
    else:
        assert set(text.splitlines()) == {run.status, "a message"}


def test_a_quiet_run_shows_nothing(capsys):
    with progress(config(), quiet=True) as shown:
        shown.watch(generation(0, 1.0), 1.0)
    assert capsys.readouterr() == ("", "")
