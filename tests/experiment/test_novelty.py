"""Novelty search in a config: resumed bytes, and measures that the config does not have."""

import pytest

from evonet.architecture import Architecture
from evonet.errors import ConfigError
from evonet.experiment.build import build_algorithm
from tests.stopped_runs import EAGER, config_for, exact_files, go_on, run_stopped, run_whole

ARCHITECTURE = Architecture(10, 2, 2, skip=True)
TEXT = """\
environment: {id: evonet/Maze-v0, kwargs: {map: hard}, max_steps: 20}
network: {hidden: 2, structure: {start: minimal}}
measures:
  end_x: {of: info, key: x, take: last}
  end_y: {of: info, key: y, take: last}
algorithm: {type: novelty_search, measures: [end_x, end_y], neighbours: 3, algorithm: {population_size: 6}}
evaluation: {workers: 1}
validation: {episodes: 1}
test: {episodes: 1}
stop: {generations: 4}
"""


def test_a_stopped_and_resumed_novelty_search_ends_with_the_same_bytes(tmp_path):
    whole = run_whole(tmp_path, TEXT, *EAGER)
    stopped = run_stopped(tmp_path, TEXT, *EAGER, after=1)
    go_on(stopped)
    assert exact_files(stopped) == exact_files(whole)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[end_x, end_y]", "[end_x, endy]", "got 'endy'; did you mean 'end_y'?"),
        ("[end_x, end_y]", "[end_x, retrun]", "got 'retrun'; did you mean 'return'?"),
    ],
)
def test_a_measure_that_the_config_does_not_have_is_refused(old, new, message, tmp_path):
    config = config_for(tmp_path, TEXT.replace(old, new))
    with pytest.raises(ConfigError) as refused:
        build_algorithm(config, ARCHITECTURE)
    rule = "algorithm.measures must be of measures in the config, or of 'return'"
    assert str(refused.value).startswith(f"{tmp_path}/config-for-tests.yaml:6:35: {rule}, {message}")
