"""Every archive that a config may name keeps its contract."""

import functools
import importlib

import pytest

from evonet.archives import ARCHIVES, CVTArchive, GridArchive, UnstructuredArchive
from evonet.testing import check_archive, parametrize_checks

UNIT = {"x": (0, 1), "y": (0, 1)}
MADE = {
    "grid": functools.partial(GridArchive, UNIT, [4, 3]),
    "cvt": functools.partial(CVTArchive, UNIT, 12),
    "unstructured": functools.partial(UnstructuredArchive, ["x", "y"], 0.1, neighbours=3, replace=True),
}


def test_every_archive_is_held_to_the_contract():
    assert set(MADE) == set(ARCHIVES)
    for place in ARCHIVES.values():
        module, _, name = place.partition(":")
        assert getattr(importlib.import_module(module), name).__doc__


@parametrize_checks("archive", MADE)
def test_an_archive_keeps_its_contract(check):
    check()


class Forgetful(GridArchive):
    def add(self, genomes, fitness, measures, ids=None):
        self.clear()
        return super().add(genomes, fitness, measures, ids)


def test_an_archive_that_becomes_worse_breaks_the_contract():
    with pytest.raises(AssertionError, match="fell from"):
        check_archive(functools.partial(Forgetful, UNIT, [4, 3]))
