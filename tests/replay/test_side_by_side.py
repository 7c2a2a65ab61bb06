"""Films of several generations side by side, by `evonet replay RUN --generations`."""

import json

import numpy as np
import pytest

from evonet.cli import main
from evonet.inspection.loaded_run import load_run
from evonet.replay.animation import Film
from evonet.replay.side_by_side import _GAP, _HOLD, _STRIP, _WIDTH, _joined
from evonet.seeding import Purpose, episode_seeds

image = pytest.importorskip("PIL.Image")
ImageSequence = pytest.importorskip("PIL.ImageSequence")


def test_the_fittest_of_generations_and_the_champion_play_the_same_episode_side_by_side(small_run, tmp_path, capfd):
    path = tmp_path / "film.gif"
    assert main(["replay", str(small_run), "--generations", "0, 2,champion", "--gif", str(path), "--json"]) == 0
    parts = json.loads(capfd.readouterr().out)
    run, seeds = load_run(small_run), episode_seeds(3, Purpose.REPLAY, 0, 1)
    assert [part["individual"] for part in parts] == [run.fittest[0].id, parts[1]["individual"], run.champion.id]
    assert [part["episodes"][0]["seed"] for part in parts] == seeds.tolist() * 3
    assert parts[2]["mean"] == run.champion.run(seeds).returns[0, 0]
    with image.open(path) as film:
        # 50 frames a second become 25; equal frames in a row are one that is shown longer
        seconds = sum(frame.info["duration"] for frame in ImageSequence.Iterator(film)) / 1000
        longest = (max(part["episodes"][0]["steps"] for part in parts) // 2 + 1) / 25
        assert seconds == pytest.approx(longest + _HOLD, abs=0.04)
        assert film.width == 3 * (_WIDTH // 3 - _GAP) + 2 * _GAP


def test_the_command_prints_the_return_of_each(small_run, tmp_path, capfd):
    assert main(["replay", str(small_run), "--generations", "0,champion", "--webp", str(tmp_path / "a.webp")]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.split("return")[0].strip() for line in lines] == ["generation 0", "champion"]


def test_a_panel_whose_episode_is_over_keeps_its_last_picture_and_shows_its_result():
    films = [Film(), Film()]
    for film, length in zip(films, (2, 5), strict=True):
        for value in range(length):
            film.add(np.full((10, 300, 3), 40 * value + 10, dtype=np.uint8))
    joined = _joined(films, [("first", "first: 1"), ("second", "second: 2")])
    assert (len(joined), joined.fps) == (5 + round(_HOLD * 25), 25)
    left = [joined[index][_STRIP + 2, 20, 0] for index in range(5)]
    right = [joined[index][_STRIP + 2, -20, 0] for index in range(5)]
    assert left == [10, 50, 50, 50, 50]
    assert right == [10, 50, 90, 130, 170]
    strips = [joined[index][:_STRIP, : joined[0].shape[1] // 2].tobytes() for index in range(5)]
    assert strips[0] != strips[1]
    assert len(set(strips[1:])) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--generations", "0,last"], "must be generations and 'champion', such as 0,3,champion, got '0,last'"),
        (["--generations", "0"], "--generations makes a film; name its file: --gif FILE, --webp FILE or --mp4 FILE"),
        (["--generations", "0", "--gif", "a.gif", "--episodes", "2"], "leave out --generation, --individual, --epi"),
        (["--generations", "0,99", "--gif", "a.gif"], "has generations 0 to 7, there is no generation 99"),
        (["--generations", "0" + ",0" * 8, "--gif", "a.gif"], "--generations may name 8 at most, got 9"),
    ],
)
def test_a_film_that_cannot_be_made_is_a_message_and_status_2(arguments, message, small_run, capfd):
    try:
        status = main(["replay", str(small_run), *arguments])
    except SystemExit as error:
        status = error.code
    assert status == 2
    assert message in capfd.readouterr().err


def test_a_film_that_cannot_be_written_is_status_74(small_run, tmp_path, capfd):
    assert main(["replay", str(small_run), "--generations", "0", "--gif", str(tmp_path / "no" / "a.gif")]) == 74
    assert "cannot be written: No such file or directory" in capfd.readouterr().err
