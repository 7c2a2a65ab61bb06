"""Settings may be NumPy's numbers: an algorithm proposes the same genomes, and its state can be saved."""

import numpy as np
import pytest

from evonet import Architecture
from evonet.experiment.algorithms import ALGORITHMS
from evonet.files.archive import ArchiveLimits, pack_state
from evonet.settings import argument_defaults
from tests.archived import ARCHIVED

ARCHITECTURE = Architecture(3, 4, 2)
AROUND_ANOTHER = {"restarts", "relay", "growing", "islands", "novelty_search"}
NUMPY = {int: lambda number: np.uint8(number) if number < 256 else np.int64(number), bool: np.bool_, float: np.float64}


def proposals(algorithm):
    for _ in range(4):
        genomes = algorithm.ask()
        algorithm.tell(-(genomes**2).sum(axis=1))
        yield genomes.tobytes()
    yield pack_state("a state", {"state": algorithm.state()}, ArchiveLimits(1 << 24))


@pytest.mark.parametrize("name", sorted(set(ALGORITHMS) - AROUND_ANOTHER - ARCHIVED))
def test_an_algorithm_with_numpy_s_numbers_as_settings_proposes_the_same_genomes(name):
    plain = {key: value for key, value in argument_defaults(ALGORITHMS[name]).items() if type(value) in NUMPY}
    others = {key: NUMPY[type(value)](value) for key, value in plain.items()}
    assert others
    assert list(proposals(ALGORITHMS[name](ARCHITECTURE, **others))) == list(proposals(ALGORITHMS[name](ARCHITECTURE)))
