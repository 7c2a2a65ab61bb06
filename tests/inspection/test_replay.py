from typing import ClassVar

import numpy as np
import pytest

from evonet.champion import Champion
from evonet.errors import ConfigError, EnvironmentUnavailable
from evonet.evaluation.task import Task
from evonet.fitness import EpisodeReturn
from evonet.inspection.replay import CannotRender, play, record, show
from evonet.network import Architecture
from evonet.seeding import Purpose, episode_seeds

image = pytest.importorskip("PIL.Image")
SEEDS = episode_seeds(3, Purpose.REPLAY, 0, 2)


@pytest.fixture(scope="module")
def champion():
    fitness = EpisodeReturn("CartPole-v1", hidden=4, max_steps=12)
    return Champion(fitness.architecture, np.zeros(fitness.architecture.genome_size), fitness.task)


def test_played_episodes_are_those_of_the_evaluation(champion):
    episodes = list(play(champion, SEEDS))
    results = champion.run(SEEDS)
    assert [episode.total for episode in episodes] == results.returns[0].tolist()
    assert [episode.steps for episode in episodes] == results.lengths[0].tolist()
    assert [episode.terminated for episode in episodes] == results.terminated[0].tolist()
    assert [episode.seed for episode in episodes] == SEEDS.tolist()


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_a_replay_is_written_as_an_animation(champion, ending, tmp_path):
    episodes = list(record(champion, SEEDS, tmp_path / f"best{ending}"))
    with image.open(tmp_path / f"best{ending}") as animation:
        # 50 frames a second become 25: every second one, with the first of each episode
        assert animation.n_frames == sum(episode.steps // 2 + 1 for episode in episodes)
        assert animation.size[0] <= 480
        animation.seek(0)
        assert len(np.unique(np.asarray(animation.convert("RGB")).reshape(-1, 3), axis=0)) > 3


def test_a_replay_is_written_as_a_video(champion, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    list(record(champion, SEEDS, tmp_path / "best.mp4"))
    frames, seconds = ffmpeg.count_frames_and_secs(str(tmp_path / "best.mp4"))
    assert frames > 5
    assert seconds == pytest.approx(frames / 25, abs=0.1)


def test_another_ending_is_refused(champion, tmp_path):
    with pytest.raises(ConfigError, match=r"^a replay is written as \.gif, \.webp, \.mp4, got '.*best\.avi'$"):
        list(record(champion, SEEDS, tmp_path / "best.avi"))


def test_without_a_display_a_window_is_refused_with_a_way_out(champion, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(CannotRender, match=r"^there is no display to open a window on; write a file instead: --gif"):
        next(show(champion, SEEDS))


def test_a_champion_without_an_environment_cannot_play():
    architecture = Architecture(2, 2, 1)
    with pytest.raises(EnvironmentUnavailable, match="scored by a function"):
        list(play(Champion(architecture, np.zeros(architecture.genome_size)), SEEDS))


class Blind:
    render_mode = None
    metadata: ClassVar = {}

    def close(self):
        pass


def test_an_environment_that_draws_nothing_is_told(champion, tmp_path, monkeypatch):
    monkeypatch.setattr(Task, "make_environment", lambda self, mode=None: Blind())
    with pytest.raises(CannotRender, match="no render mode 'rgb_array'"):
        list(record(champion, SEEDS, tmp_path / "best.gif"))
