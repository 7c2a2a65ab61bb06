"""The newest champion plays, picture by picture, in a process that nobody waits for."""

import io
import os
import sys
import threading
import time

import numpy as np
import pytest

from evonet.champion import Champion
from evonet.fitness import EpisodeReturn
from evonet.processes.worker import CallFailed
from evonet.watch import rendering
from evonet.watch.rendering import Renderer

image = pytest.importorskip("PIL.Image")


class Here:
    """Makes the calls of a worker in this process."""

    gone = False

    def call(self, function, arguments, timeout):
        return function(*arguments)

    def kill(self):
        self.gone = True

    interrupt = kill


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(rendering, "Worker", Here)


@pytest.fixture(scope="module")
def champion():
    fitness = EpisodeReturn("CartPole-v1", hidden=2, max_steps=40)
    return Champion(fitness.architecture, np.zeros(fitness.architecture.genome_size), task=fitness.task, id=7)


@pytest.fixture
def renderer():
    renderer = Renderer(seed=5)
    yield renderer
    renderer.close()


def complete(renderer):
    end = time.monotonic() + 60
    while renderer.clip is None or not renderer.clip.over:
        assert time.monotonic() < end
        time.sleep(0.005)
    return renderer.clip


def test_an_episode_becomes_pictures_with_the_returns_up_to_them(here, renderer, champion, niceness):
    renderer.show(champion)
    clip = complete(renderer)
    results = champion.run(np.array([5]))
    steps, total = int(results.lengths[0, 0]), results.returns[0, 0]
    assert (clip.individual, clip.fps, clip.every, clip.ended, clip.problem) == (7, 25.0, 2, True, "")
    assert len(clip.pictures) == len(clip.totals) == steps // 2 + 1
    assert set(niceness) == {19}
    assert clip.totals[0] == 0
    assert clip.totals[-1] == total - steps % 2
    with image.open(io.BytesIO(clip.pictures[-1])) as picture:
        assert (picture.format, picture.size) == ("JPEG", (600, 400))


def test_each_champion_is_rendered_once(here, renderer, champion):
    renderer.show(champion)
    first = complete(renderer)
    renderer.show(champion)
    time.sleep(0.05)
    assert renderer.clip is first
    renderer.show(Champion(champion.architecture, champion.genome + 1, task=champion.task, id=8))
    while renderer.clip is first:
        time.sleep(0.005)
    assert (complete(renderer).number, renderer.clip.individual) == (2, 8)


def test_a_long_episode_is_shown_up_to_its_first_half_minute(here, renderer, champion, monkeypatch):
    monkeypatch.setattr(rendering, "_MAX_FRAMES", 4)
    monkeypatch.setattr(rendering, "_BATCH", 2)
    renderer.show(champion)
    clip = complete(renderer)
    assert (len(clip.pictures), clip.ended) == (4, False)


def test_a_worker_that_dies_is_a_problem_and_the_next_champion_gets_another(monkeypatch, renderer, champion):
    made = []

    class Dying(Here):
        def __init__(self):
            made.append(self)

        def call(self, function, arguments, timeout):
            if len(made) == 1:
                raise CallFailed("died", "the worker process was killed by SIGSEGV")
            return function(*arguments)

    monkeypatch.setattr(rendering, "Worker", Dying)
    renderer.show(champion)
    assert complete(renderer).problem == "the worker process was killed by SIGSEGV"
    renderer.show(Champion(champion.architecture, champion.genome, task=champion.task, id=9))
    while renderer.clip.individual != 9:
        time.sleep(0.005)
    assert complete(renderer).problem == ""
    assert len(made) == 2


def test_without_pillow_the_problem_says_what_to_install(here, renderer, champion, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    renderer.show(champion)
    assert complete(renderer).problem.startswith("pictures of the champion need Pillow, which is not installed: pip ")


def test_pictures_come_from_a_process_of_its_own_of_the_lowest_priority(renderer, champion, monkeypatch):
    workers = []

    class Seen(rendering.Worker):
        def __init__(self):
            super().__init__()
            workers.append(self.process_id)

        def call(self, function, arguments, timeout):
            reply = super().call(function, arguments, timeout)
            if function is rendering._advance:
                workers.append((os.getpriority(os.PRIO_PROCESS, self.process_id), os.sched_getscheduler(workers[0])))
            return reply

    monkeypatch.setattr(rendering, "Worker", Seen)
    renderer.show(champion)
    clip = complete(renderer)
    assert clip.problem == ""
    assert clip.pictures
    assert workers[0] != os.getpid()
    assert workers[-1] == (19, os.SCHED_IDLE)


def test_an_episode_that_somebody_waits_for_has_a_new_process_and_a_higher_priority(
    renderer, champion, niceness, monkeypatch
):
    made = []
    monkeypatch.setattr(rendering, "Worker", lambda: made.append(Here()) or made[-1])
    renderer.show(champion)
    first = complete(renderer)
    assert set(niceness) == {19}
    niceness.clear()
    renderer.show(champion, "elite at x 1", at_once=True)
    while renderer.clip is first:
        time.sleep(0.005)
    assert (complete(renderer).shows, set(niceness)) == ("elite at x 1", {10})
    assert [worker.gone for worker in made] == [True, False]


def test_an_episode_that_somebody_waits_for_does_not_follow_the_one_before(renderer, champion, monkeypatch):
    endless = threading.Event()

    class Slow(Here):
        def call(self, function, arguments, timeout):
            if function is rendering._advance and not endless.is_set():
                endless.wait(60)
                raise CallFailed("died", "the worker process was killed by SIGKILL")
            return function(*arguments)

        def interrupt(self):
            endless.set()

    monkeypatch.setattr(rendering, "Worker", Slow)
    renderer.show(champion)
    while renderer._worker is None:
        time.sleep(0.005)
    renderer.show(champion, "elite at x 1", at_once=True)
    while renderer.clip.number == 1:
        time.sleep(0.005)
    assert (complete(renderer).shows, renderer.clip.problem) == ("elite at x 1", "")
