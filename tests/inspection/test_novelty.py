"""What a novelty search found, as the report shows it."""

import numpy as np
import pytest

from evonet.environments.maze_maps import MAPS
from evonet.errors import ConfigError
from evonet.inspection.analysis.novelty import novelty_found
from evonet.inspection.loaded_run import load_run
from evonet.inspection.plots import novelty_map
from evonet.inspection.report.report_data import ReportData
from evonet.inspection.report.sections.novelty import novelty
from tests.stopped_runs import run_whole

TEXT = """\
environment: {id: evonet/Maze-v0, kwargs: {map: hard}, max_steps: 30}
network: {hidden: 2}
measures: {end_x: {of: info, key: x, take: last}, end_y: {of: info, key: y, take: last}}
algorithm: {type: novelty_search, measures: [end_x, end_y], neighbours: 3, algorithm: {population_size: 8}}
evaluation: {workers: 1}
validation: {episodes: 1}
test: {episodes: 1}
stop: {generations: 3}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    pytest.importorskip("matplotlib")
    return load_run(run_whole(tmp_path_factory.mktemp("novelty"), TEXT))


def altered(run, change):
    """The same run with other settings."""
    other = load_run(run.path)
    change(other.settings)
    return other


def test_the_places_of_the_archive_are_drawn_over_the_map(run):
    found = novelty_found(run)
    assert found.archive.measure_names == ("end_x", "end_y")
    assert len(found.archive) == run.summary["archive"]["elites"] > 0
    assert found.plan.walls == MAPS["hard"].walls
    axes = novelty_map(found)
    assert axes.collections[0].get_offsets().tolist() == found.archive.measures.tolist()
    assert {text.get_text() for text in axes.texts} == {"start", "goal"}
    assert axes.yaxis_inverted()
    section = novelty(ReportData(run))
    assert section.figures[0].title == "Where individuals ended"
    assert section.lead[0].startswith(f"{len(found.archive)} individual")


@pytest.mark.parametrize(
    "change",
    [
        lambda settings: settings["measures"]["end_y"].update(take="mean"),
        lambda settings: settings["environment"]["kwargs"].update(map="/no/such/map"),
        lambda settings: settings["environment"].update(id="CartPole-v1"),
    ],
)
def test_measures_that_are_no_place_on_a_known_map_are_drawn_without_one(run, change):
    found = novelty_found(altered(run, change))
    assert found.plan is None
    assert not novelty_map(found).lines


def test_a_single_measure_is_drawn_over_the_individuals(run):
    found = novelty_found(run)
    elites = found.archive
    one = type(elites)(
        *(getattr(elites, name) for name in ("genomes", "fitness")),
        elites.measures[:, :1],
        *(getattr(elites, name) for name in ("ids", "cells")),
        elites.measure_names[:1],
    )
    axes = novelty_map(type(found)(one, found.threshold, None))
    assert np.array_equal(axes.collections[0].get_offsets(), np.column_stack([elites.ids, elites.measures[:, 0]]))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("individual", "end_x")


def test_other_algorithms_have_no_such_section(run):
    assert novelty(ReportData(altered(run, lambda settings: settings["algorithm"].update(type="islands")))) is None


def test_an_archive_that_does_not_fit_is_refused_as_a_file(run):
    with pytest.raises(ConfigError, match="checkpoints: cannot be read: "):
        novelty_found(altered(run, lambda settings: settings["algorithm"].update(measures=["end_x"])))
