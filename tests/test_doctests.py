"""The examples in docstrings run, and give what they say."""

import doctest
import importlib.util
import pkgutil
from pathlib import Path

import pytest

import evonet

FOUND = [found.name for found in pkgutil.walk_packages(evonet.__path__, "evonet.")]
MODULES = ["evonet", *sorted(name for name in FOUND if not name.endswith("__main__"))]
WITH_EXAMPLES = [name for name in MODULES if ">>>" in Path(importlib.util.find_spec(name).origin).read_text("utf-8")]


def imported(name):
    """The module; None where a package that not everybody has is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("evonet"):
            raise
        return None


def test_every_module_can_be_imported():
    assert len([module for module in map(imported, MODULES) if module]) > 150


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_run(name):
    results = doctest.testmod(imported(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.attempted > 0
    assert results.failed == 0


@pytest.mark.parametrize("name", ["evonet.network", "evonet.genetic_algorithm"])
def test_the_modules_that_people_meet_first_have_examples(name):
    examples = doctest.DocTestFinder().find(importlib.import_module(name))
    assert sum(len(test.examples) for test in examples) >= 3
