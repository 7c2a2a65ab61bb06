"""Runs that are stopped after a generation, and what of their files must not depend on that."""

import pytest

from evonet.experiment.config import Config
from evonet.experiment.runner import resume, run
from tests.environments_for_tests import MODULE

EXACT = ("metrics.jsonl", "lineage.jsonl", "genomes.jsonl", "faults.jsonl", "champion.npz")
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


def all_files(path):
    """Every file of a run directory by its place in it."""
    return {str(file.relative_to(path)): file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}
