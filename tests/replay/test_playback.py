"""`champion.play()` and `champion.gif()`: in a window, in a file, below a notebook's cell."""

import base64
import io
import re
import sys
import types

import numpy as np
import pytest

from evonet.champion import Champion
from evonet.errors import CannotRender
from evonet.fitness import EpisodeReturn
from evonet.replay.playback import in_notebook
from evonet.seeding import Purpose, episode_seeds

image = pytest.importorskip("PIL.Image")


@pytest.fixture(scope="module")
def champion():
    fitness = EpisodeReturn("CartPole-v1", hidden=2, max_steps=10)
    return Champion(fitness.architecture, np.zeros(fitness.architecture.genome_size), task=fitness.task)


@pytest.fixture
def notebook(monkeypatch):
    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))


def frames_of(content):
    with image.open(io.BytesIO(content)) as animation:
        return animation.n_frames


def test_a_gif_is_written_and_shown_below_the_cell(champion, tmp_path):
    played = champion.gif(tmp_path / "a.gif", episodes=2, seed=5)
    results = champion.run(episode_seeds(5, Purpose.REPLAY, 0, 2))
    assert [episode.total for episode in played.episodes] == results.returns[0].tolist()
    assert played.gif == (tmp_path / "a.gif").read_bytes()
    html = played._repr_html_()
    assert base64.b64decode(re.search(r"data:image/gif;base64,([^\"]+)", html)[1]) == played.gif
    assert frames_of(played.gif) == sum(episode.steps // 2 + 1 for episode in played.episodes)
    assert f"mean return {played.mean:.6g} over 2 episodes" in html
    assert repr(played) == f"<Playback: mean return {played.mean:.6g} over 2 episodes>"


def test_in_a_notebook_playing_makes_the_animation_of_the_cell(champion, notebook):
    assert in_notebook()
    played = champion.play()
    assert frames_of(played.gif) > 1
    assert str(played) == f"return {played.mean:g} in {played.episodes[0].steps} steps"


def test_elsewhere_playing_opens_a_window(champion, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    assert not in_notebook()
    played = champion.play(seed=1)
    assert played.mean == champion.run(episode_seeds(1, Purpose.REPLAY, 0, 1)).returns[0, 0]
    assert played._repr_html_() is None


def test_without_a_display_playing_names_the_gif(champion, monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(CannotRender, match=r"in Python champion\.gif\(path\)$"):
        champion.play()


@pytest.mark.parametrize(("arguments", "message"), [({"episodes": 0}, "at least 1"), ({"seed": -1}, "at least 0")])
def test_arguments_out_of_range_are_refused(champion, arguments, message):
    for method in (champion.play, champion.gif):
        with pytest.raises(ValueError, match=message):
            method(**arguments)
