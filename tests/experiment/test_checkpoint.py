"""Checkpoints: when they are written, which are kept, and from which a run continues."""

import dataclasses
import itertools

import numpy as np
import pytest

from evonet.errors import CheckpointError, ConfigError, RunDirectoryError
from evonet.experiment.run_files import checkpoint as checkpoints
from evonet.experiment.run_files.checkpoint import (
    FORMAT,
    LIMITS,
    Checkpoint,
    Checkpoints,
    CheckpointWriter,
    checkpoints_in,
    usable_checkpoint,
)
from evonet.files.archive import ArchiveLimits, pack_state
from evonet.files.directory import Directory
from evonet.files.journal import Mark


def checkpoint(generation, journals=None):
    return Checkpoint(generation, 1.5, {"seed": 3}, {"numpy": "2"}, journals or {}, {"genomes": np.arange(3.0)})


class Clock:
    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(checkpoints, "time", clock)
    return clock


@pytest.fixture
def written(tmp_path, clock):
    """Generations of which a checkpoint was written, and those that were left, with generations of some seconds."""

    def written(generations, seconds=1.0, cost=0.0, since=None, **settings):
        made, times = [], []
        writer = CheckpointWriter(Directory(tmp_path), Checkpoints(**settings), since)

        def make(generation):
            made.append(generation)
            times.append(clock.now)
            clock.now += cost
            return checkpoint(generation)

        for generation in range(generations):
            clock.now += seconds
            writer.offer(generation, lambda generation=generation: make(generation))
        return made, numbers(tmp_path), writer

    return written


def numbers(run):
    return [int(path.stem.rpartition("-")[2]) for path in reversed(checkpoints_in(run))]


def test_a_checkpoint_per_generation_and_the_last_two_are_kept(written):
    assert written(5)[:2] == ([0, 1, 2, 3, 4], [3, 4])


def test_checkpoints_are_written_every_n_generations(written):
    assert written(7, every=3)[:2] == ([2, 5], [2, 5])


def test_short_generations_do_not_wait_for_the_disk_each_time(written):
    assert written(10, seconds=0.25)[0] == [3, 7]
    assert written(10, seconds=0.25, every=3)[0] == [5]


def test_slow_checkpoints_are_written_less_often(written):
    made, _, _ = written(100, seconds=2.0, cost=1.0)
    assert [later - earlier for earlier, later in itertools.pairwise(made)] == [25] * (len(made) - 1)


def test_seconds_0_writes_every_checkpoint(written, tmp_path):
    run = CheckpointWriter(Directory(tmp_path), Checkpoints(seconds=0.0))
    for generation in range(3):
        run.offer(generation, lambda generation=generation: checkpoint(generation))
        assert numbers(tmp_path)[-1] == generation


def test_each_kth_checkpoint_is_written_and_kept_even_if_it_is_not_due(written):
    assert written(12, seconds=0.01, keep_each=5)[:2] == ([0, 5, 10], [0, 5, 10])


def test_each_kth_checkpoint_is_kept_beside_the_last_two(written):
    assert written(9, keep_each=3)[1] == [0, 3, 6, 7, 8]


def test_flush_writes_a_checkpoint_that_was_not_due(written, tmp_path):
    made, there, writer = written(3, seconds=0.01)
    assert (made, there) == ([], [])
    writer.flush()
    assert numbers(tmp_path) == [2]
    (tmp_path / "checkpoints/generation-00000002.npz").unlink()
    writer.flush()
    assert numbers(tmp_path) == []


def test_a_resumed_run_keeps_the_checkpoint_from_which_it_continued(written, tmp_path):
    written(3)
    writer = CheckpointWriter(Directory(tmp_path), Checkpoints(seconds=0), checkpoint(1))
    writer.offer(7, lambda: checkpoint(7))
    assert numbers(tmp_path) == [1, 7]


def test_other_files_are_left_alone(written, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/notes.txt").write_text("mine")
    written(4)
    assert (tmp_path / "checkpoints/notes.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "checkpoints").write_text("in the way")
    writer = CheckpointWriter(Directory(tmp_path), Checkpoints(seconds=0))
    with pytest.raises(
        RunDirectoryError, match=r"checkpoints/generation-00000000.npz: cannot be written: Not a directory"
    ):
        writer.offer(0, lambda: checkpoint(0))


def save(run, *made):
    (run / "checkpoints").mkdir(exist_ok=True)
    for one in made:
        (run / f"checkpoints/generation-{one.generation:08}.npz").write_bytes(one.packed())


def test_a_checkpoint_comes_back_whole(tmp_path):
    made = checkpoint(7, {"metrics": Mark(3, 7)})
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    save(tmp_path, made)
    read = usable_checkpoint(Directory(tmp_path), pytest.fail)
    assert (read.generation, read.seconds, read.config) == (7, 1.5, {"seed": 3})
    assert (read.fingerprint, read.journals) == ({"numpy": "2"}, {"metrics": Mark(3, 7)})
    assert read.state["genomes"].tolist() == [0.0, 1.0, 2.0]


def test_checkpoints_are_sorted_by_number_not_by_name(tmp_path):
    save(tmp_path, checkpoint(99_999_999), checkpoint(100_000_000))
    assert numbers(tmp_path) == [99_999_999, 100_000_000]


def test_a_run_without_checkpoints_has_no_usable_one(tmp_path):
    assert usable_checkpoint(Directory(tmp_path), pytest.fail) is None
    (tmp_path / "checkpoints").mkdir()
    assert usable_checkpoint(Directory(tmp_path), pytest.fail) is None


def test_a_checkpoint_with_a_truncated_journal_is_skipped(tmp_path):
    save(tmp_path, checkpoint(1, {"metrics": Mark(10, 0)}), checkpoint(2, {"metrics": Mark(20, 0)}))
    (tmp_path / "metrics.jsonl").write_bytes(b"x" * 15)
    said = []
    assert usable_checkpoint(Directory(tmp_path), said.append).generation == 1
    (reason,) = said
    assert reason == (
        f"{tmp_path}/checkpoints, generation 2: {tmp_path}/metrics.jsonl is truncated: "
        "15 of its 20 bytes are left; the checkpoint before it is used"
    )


@pytest.mark.parametrize(
    "content",
    [{}, {"generation": "x"}, {"journals": []}, {"journals": {"metrics": {"rest": "text"}}}, {"more": 1},
     {"seconds": float("inf")}, {"state": None}, {"fingerprint": {"python": [["3"]]}}],
    ids=str,
)  # fmt: skip
def test_a_state_that_is_not_a_checkpoint_is_refused(content, tmp_path):
    path = tmp_path / "state.npz"
    sound = {"generation": 1, "seconds": 1.0, "config": {}, "fingerprint": {}, "journals": {}, "state": {}}
    path.write_bytes(pack_state(FORMAT, {**sound, **content} if content else {}, LIMITS))
    with pytest.raises(CheckpointError, match=r"not a valid checkpoint: .*(must|is missing)"):
        Checkpoint.load(path)


@pytest.mark.parametrize("kind", ["evonet checkpoint 1", "evonet champion 2", "evonet checkpoint x"])
def test_a_file_of_another_format_is_refused(kind, tmp_path):
    path = tmp_path / "state.npz"
    path.write_bytes(pack_state(kind, {}, LIMITS))
    with pytest.raises(CheckpointError, match=f"its format must be 'evonet checkpoint 2', got '{kind}'"):
        Checkpoint.load(path)


def test_a_checkpoint_too_large_to_be_read_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "LIMITS", ArchiveLimits(file=1000, header=500))
    writer = CheckpointWriter(Directory(tmp_path), Checkpoints(seconds=0))
    large = dataclasses.replace(checkpoint(3), state={"genomes": np.zeros(1000)})
    with pytest.raises(
        CheckpointError, match="the checkpoint of generation 3 is too large: it may have at most 1000 bytes"
    ):
        writer.offer(3, lambda: large)
    assert numbers(tmp_path) == []


def test_an_unreadable_checkpoint_is_an_error(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(CheckpointError, match="folder: cannot be read: it is a directory, not a regular file"):
        Checkpoint.load(tmp_path / "folder")


def test_a_checkpoint_of_a_newer_version_is_refused_even_if_an_older_one_exists(tmp_path):
    save(tmp_path, checkpoint(1))
    path = tmp_path / "checkpoints/generation-00000002.npz"
    path.write_bytes(pack_state("evonet checkpoint 999", {"all": "else is unknown"}, LIMITS))
    with pytest.raises(ConfigError, match="was written by a newer version of evonet") as refused:
        usable_checkpoint(Directory(tmp_path), pytest.fail)
    assert refused.value.exit_status == 2
