"""Runs that are stopped after a generation, and what of their files must not depend on that."""

import pytest

from evonet.experiment.config import Config
from evonet.experiment.run_files.journal_lines import births_from
from evonet.experiment.runner import resume, run
from evonet.files.bounded import reading
from evonet.files.fields import Fields
from evonet.files.numbers import array_at
from evonet.inspection.lineage import Lineage
from tests.environments_for_tests import MODULE

EXACT = (
    "metrics.jsonl",
    "lineage.jsonl",
    "genomes.jsonl",
    "faults.jsonl",
    "archive.jsonl",
    "arrays.f64",
    "champion.npz",
)
FUNCTION = f"fitness: {{type: '{MODULE}:closeness'}}\nnetwork: {{inputs: 2, outputs: 1, hidden: 3}}\n"
SMALL = (
    "name: small\nseed: 3\nalgorithm: {population_size: 8, elites: 2}\n"
    "validation: {episodes: 4}\ntest: {episodes: 5}\nstop: {generations: 6}\n"
)
EAGER = ("checkpoints.seconds=0",)
"""A checkpoint after each generation, however soon."""


class Stop(BaseException):
    """Ends a run after a generation, as a signal might; what has been written stays."""


def config_for(folder, text, *overrides):
    path = folder / "config-for-tests.yaml"
    path.write_text(text, encoding="utf-8")
    return Config.load(str(path), overrides, [MODULE])


def run_whole(folder, text, *overrides, name="whole"):
    run(config_for(folder, text, *overrides), folder / name)
    return folder / name


def run_stopped(folder, text, *overrides, after=2, name="stopped"):
    """A run stopped when generation `after` was finished."""
    with pytest.raises(Stop):
        run(config_for(folder, text, *overrides), folder / name, stopping(after))
    assert not (folder / name / "run.json").exists()
    return folder / name


def stopping(after):
    def watch(generation, seconds):
        if generation.number == after:
            raise Stop

    return watch


def go_on(path, *overrides, **rest):
    return resume(path, overrides, [MODULE], **rest)


def exact_files(path):
    return {name: (path / name).read_bytes() for name in EXACT if (path / name).exists()}


def stored(run, place):
    """The array that a line of one of the run's journals refers to."""
    with reading(run / "arrays.f64") as file:
        return array_at(file, Fields(place, "place"), place["size"])


def lineage_of(entries):
    """The lineage whose journal has these entries."""
    return Lineage.of(births_from(Fields(entry, "lineage")) for entry in entries)


def all_files(path):
    """Every file of a run directory by its place in it."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
