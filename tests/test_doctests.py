"""The examples in docstrings run, and give what they say."""

import doctest
import importlib
import pkgutil

import pytest

import evonet

FOUND = [found.name for found in pkgutil.walk_packages(evonet.__path__, "evonet.")]
MODULES = ["evonet", *sorted(name for name in FOUND if not name.endswith("__main__"))]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("evonet"):
            raise
        pytest.skip(f"{error.name} is not installed")
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0


@pytest.mark.parametrize("name", ["evonet.network", "evonet.genetic_algorithm"])
def test_the_modules_that_people_meet_first_have_examples(name):
    examples = doctest.DocTestFinder().find(importlib.import_module(name))
    assert sum(len(test.examples) for test in examples) >= 3
