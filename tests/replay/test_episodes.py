import json
import os
import sys
from typing import ClassVar

import numpy as np
import pytest

from evonet.architecture import Architecture
from evonet.champion import Champion
from evonet.cli import main
from evonet.cli.replay import _FORMS as FILM_OPTIONS
from evonet.errors import CannotRender, ConfigError, EnvironmentUnavailable
from evonet.extras import install_hint
from evonet.fitness import EpisodeReturn
from evonet.foreign import without_place
from evonet.inspection.loaded_run import load_run
from evonet.replay.animation import FILM_FORMATS, Film
from evonet.replay.episodes import no_window_needed, play_unseen, record, show
from evonet.seeding import Purpose, episode_seeds
from evonet.task import Task
from tests.environments_for_tests import MODULE

image = pytest.importorskip("PIL.Image")
SEEDS = episode_seeds(3, Purpose.REPLAY, 0, 2)


@pytest.fixture(scope="module")
def champion():
    fitness = EpisodeReturn("CartPole-v1", hidden=4, max_steps=12)
    return Champion(fitness.architecture, np.zeros(fitness.architecture.genome_size), task=fitness.task)


def test_played_episodes_are_those_of_the_evaluation(champion):
    episodes = list(play_unseen(champion.policy, SEEDS))
    results = champion.run(SEEDS)
    assert [episode.total for episode in episodes] == results.returns[0].tolist()
    assert [episode.steps for episode in episodes] == results.lengths[0].tolist()
    assert [episode.terminated for episode in episodes] == results.terminated[0].tolist()
    assert [episode.seed for episode in episodes] == SEEDS.tolist()


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_a_replay_is_written_as_an_animation(champion, ending, tmp_path):
    episodes = list(record(champion.policy, SEEDS, tmp_path / f"best{ending}"))
    with image.open(tmp_path / f"best{ending}") as animation:
        # 50 frames a second become 25: every second one, with the first of each episode
        assert animation.n_frames == sum(episode.steps // 2 + 1 for episode in episodes)
        assert animation.size[0] <= 480
        animation.seek(0)
        assert len(np.unique(np.asarray(animation.convert("RGB")).reshape(-1, 3), axis=0)) > 3


def test_a_replay_is_written_as_a_video(champion, tmp_path):
    ffmpeg = pytest.importorskip("imageio_ffmpeg")
    list(record(champion.policy, SEEDS, tmp_path / "best.mp4"))
    frames, seconds = ffmpeg.count_frames_and_secs(str(tmp_path / "best.mp4"))
    assert frames > 5
    assert seconds == pytest.approx(frames / 25, abs=0.1)


def test_an_animation_that_cannot_be_written_leaves_nothing(champion, tmp_path):
    with pytest.raises(FileNotFoundError):
        list(record(champion.policy, SEEDS, tmp_path / "nowhere" / "best.gif"))
    (tmp_path / "taken.gif").mkdir()
    with pytest.raises(OSError, match="taken"):
        list(record(champion.policy, SEEDS, tmp_path / "taken.gif"))
    assert [path.name for path in tmp_path.iterdir()] == ["taken.gif"]


def test_without_a_package_for_videos_it_says_what_to_install(champion, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(CannotRender) as refused:
        list(record(champion.policy, SEEDS, tmp_path / "best.mp4"))
    assert str(refused.value) == f"this format needs imageio-ffmpeg, which is not installed: {install_hint('video')}"


def test_pictures_are_kept_to_the_last_bit_and_small():
    rng, film = np.random.default_rng(0), Film()
    pictures = [rng.integers(256, size=(31, 481 + 481 * i, 3), dtype=np.uint8) for i in range(2)]
    film.add(pictures[0])
    assert film[0].tolist() == pictures[0][::2, ::2][:16, :240].tolist()
    with pytest.raises(CannotRender, match="must be of one size"):
        film.add(pictures[1])
    with pytest.raises(CannotRender, match=r"must have the shape \(height, width, 3\), got \(2, 2\)$"):
        film.add(np.zeros((2, 2)))


def test_a_window_is_drawn_where_there_is_a_display(champion, monkeypatch):
    pytest.importorskip("pygame")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    assert [episode.total for episode in show(champion.policy, SEEDS[:1])] == champion.run(SEEDS[:1]).returns[
        0
    ].tolist()


def test_another_ending_is_refused(champion, tmp_path):
    with pytest.raises(
        ConfigError, match=r"^a replay's file must end with one of \.gif, \.webp, \.mp4, got '.*best\.avi'$"
    ):
        list(record(champion.policy, SEEDS, tmp_path / "best.avi"))


def test_without_a_display_a_window_is_refused_with_a_way_out(champion, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("SDL_VIDEODRIVER", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(CannotRender, match=r"^there is no display to open a window on; write a file instead: --gif"):
        next(show(champion.policy, SEEDS))


def test_a_champion_without_an_environment_cannot_play():
    architecture = Architecture(2, 2, 1)
    with pytest.raises(EnvironmentUnavailable, match="scored by a function"):
        list(play_unseen(Champion(architecture, np.zeros(architecture.genome_size)).policy, SEEDS))


class Blind:
    render_mode = None
    metadata: ClassVar = {}

    def reset(self, seed):
        pass

    def step(self, action):
        pass

    def close(self):
        pass


def test_an_environment_without_the_render_mode_is_refused(champion, tmp_path, monkeypatch):
    monkeypatch.setattr(Task, "make_environment", lambda self, mode=None: Blind())
    with pytest.raises(CannotRender, match="no render mode 'rgb_array'"):
        list(record(champion.policy, SEEDS, tmp_path / "best.gif"))


class Failing(Blind):
    def reset(self, seed):
        raise ZeroDivisionError("no ground")


def test_the_command_has_an_option_for_each_film_format():
    assert set(FILM_OPTIONS) == set(FILM_FORMATS)


def test_an_environment_that_raises_is_an_error_with_the_place(champion, monkeypatch):
    monkeypatch.setattr(Task, "make_environment", lambda self, mode=None: Failing())
    with pytest.raises(EnvironmentUnavailable) as refused:
        list(play_unseen(champion.policy, SEEDS[:1]))
    what = f"the environment failed at step 0, seed {SEEDS[0]}: ZeroDivisionError: no ground"
    assert without_place(str(refused.value)) == what


@pytest.fixture
def headless(monkeypatch):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")


def test_the_command_prints_each_return_where_there_is_no_display(small_run, headless, capfd):
    assert main(["replay", str(small_run), "--episodes", "2"]) == 0
    results = load_run(small_run).champion.run(SEEDS)
    *lines, mean = capfd.readouterr().out.splitlines()
    ends = {True: "ended by the environment", False: "truncated"}
    assert [line.split() for line in lines] == [
        f"seed {seed} return {total:g} {steps} steps, {ends[bool(terminated)]}".split()
        for seed, total, steps, terminated in zip(
            SEEDS, results.returns[0], results.lengths[0], results.terminated[0], strict=True
        )
    ]
    assert mean == f"mean {results.returns.mean():.6g} over 2 episodes"


def test_without_a_display_the_command_says_how_to_write_a_file(small_run, headless, capfd):
    assert main(["replay", str(small_run)]) == 0
    assert "there is no display, so nothing is shown; to see it: --gif FILE\n" in capfd.readouterr().err


def test_the_command_prints_json_and_writes_the_file(small_run, tmp_path, headless, capfd):
    path = tmp_path / "best.any"  # the option says the form
    assert main(["replay", str(small_run), "--gif", str(path), "--seed", "9", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    (seed,) = episode_seeds(9, Purpose.REPLAY, 0, 1)
    champion = load_run(small_run).champion
    assert document["episodes"][0]["seed"] == seed
    assert document["mean"] == document["episodes"][0]["return"] == champion.run(np.array([seed])).returns[0, 0]
    assert (document["individual"], document["file"]) == (champion.id, str(path))
    with image.open(path) as animation:
        assert animation.format == "GIF"


def test_the_command_plays_any_individual_that_is_stored(small_run, headless, capfd):
    assert main(["replay", str(small_run), "--generation", "0", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    first = load_run(small_run).fittest[0]
    assert (document["individual"], document["generation"]) == (first.id, 0)
    assert main(["replay", str(small_run), "--individual", str(first.id), "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == document


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--generation", "99"], 2, "evonet: {run} has generations 0 to 7, there is no generation 99\n"),
        (["--gif", "{run}/nowhere/a.gif"], 74, "evonet: {run}/nowhere/a.gif: cannot be written: No such file or"),
        (["--episodes", "0"], 2, "argument --episodes: must be at least 1, got '0'"),
        (["--seed", "-1"], 2, "argument --seed: must be a whole number of at least 0, got '-1'"),
        (["--fault", "0", "--gif", "a.gif"], 2, "argument --gif: not allowed with argument --fault"),
    ],
)
def test_what_cannot_be_is_a_message_and_an_exit_status(arguments, status, message, small_run, headless, capfd):
    try:
        got = main(["replay", str(small_run), *(argument.format(run=small_run) for argument in arguments)])
    except SystemExit as error:
        got = error.code
    assert got == status
    assert message.format(run=small_run) in capfd.readouterr().err


def test_a_champion_s_file_is_played_too(small_run, headless, capfd):
    path = str(small_run / "champion.npz")
    assert main(["replay", path]) == 0
    assert capfd.readouterr().out.startswith(f"seed {episode_seeds(0, Purpose.REPLAY, 0, 1)[0]} ")
    assert main(["replay", path, "--generation", "0"]) == 2
    assert "--generation, --individual and --cell are for run directories" in capfd.readouterr().err


def test_without_a_display_a_file_is_rendered_without_a_window_and_always_without_sound(headless, monkeypatch):
    monkeypatch.delenv("SDL_AUDIODRIVER", raising=False)
    with no_window_needed():
        assert os.environ["SDL_VIDEODRIVER"] == os.environ["SDL_AUDIODRIVER"] == "dummy"
    assert not {"SDL_VIDEODRIVER", "SDL_AUDIODRIVER"} & set(os.environ)
    monkeypatch.setenv("DISPLAY", ":0")
    with no_window_needed():
        assert (os.environ.get("SDL_VIDEODRIVER"), os.environ["SDL_AUDIODRIVER"]) == (None, "dummy")


def test_a_run_s_own_code_is_run_only_if_that_is_allowed(own_run, headless, capfd):
    assert main(["replay", str(own_run)]) == 2
    assert "would import the module" in capfd.readouterr().err
    assert main(["replay", str(own_run), "--allow-import", MODULE]) == 0
    assert capfd.readouterr().out.startswith("seed ")
