"""The public names are these and no others, and each is where it says it is."""

import ast
import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import evonet
from evonet import archives, operators, strategies, version
from evonet.extras import DISTRIBUTION
from evonet.operators.registry import OPERATORS
from evonet.operators.schedules import SCHEDULES

NAMES = [
    "__version__",
    "Architecture",
    "Champion",
    "ConfigError",
    "EnvironmentSpec",
    "EnvironmentUnavailable",
    "EpisodeReturn",
    "EvonetError",
    "FunctionFitness",
    "Generation",
    "GeneticAlgorithm",
    "NSGA2",
    "NetworkFitness",
    "NeuralNetwork",
    "Population",
    "Race",
    "Score",
    "UnsuitableEnvironment",
    "Validation",
    "Wrapper",
    "evolve",
    "load_run",
    "load_study",
    "progress",
    "run",
    "study",
]


def test_the_public_names_are_these():
    assert evonet.__all__ == NAMES
    assert dir(evonet) == sorted(NAMES)


@pytest.mark.parametrize("package", [archives, operators, strategies])
def test_a_package_s_names_are_what_its_modules_define_and_type_checkers_see(package):
    tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {node.names[0].asname: node.module for node in block.body}
    assert seen == package._HOMES
    for name, home in seen.items():
        assert getattr(package, name).__module__ == home
        assert name in dir(package)
    with pytest.raises(AttributeError, match=f"^module '{package.__name__}' has no attribute 'Nothing'$"):
        package.Nothing  # noqa: B018


def test_every_registered_operator_and_strategy_is_a_name_of_its_package():
    for kind in [*OPERATORS.values(), SCHEDULES]:
        assert [each for each in kind.values() if getattr(operators, each.__name__, None) is not each] == []
    assert {place.partition(":")[2] for place in strategies.STRATEGIES.values()} < set(strategies.__all__)


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_public_name_is_what_its_home_defines(name):
    home = importlib.import_module(f"evonet.{evonet._HOMES[name]}")
    value = getattr(evonet, name)
    assert value is getattr(home, name)
    assert value.__module__ == home.__name__, "not re-exported from a second-hand home"
    assert value.__doc__


def test_what_type_checkers_see_is_what_is_imported():
    tree = ast.parse(Path(evonet.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        if node.module == "evonet":  # a module, which is no name of `__all__`
            assert evonet.plot is importlib.import_module("evonet.plot")
            continue
        for alias in node.names:
            assert alias.asname == alias.name, "type checkers take it for public only if it is imported as itself"
            seen[alias.name] = node.module.removeprefix("evonet.")
    assert seen == evonet._HOMES
    assert list(evonet._HOMES) == NAMES[1:]


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError) as refused:
        evonet.NoSuchThing  # noqa: B018
    assert str(refused.value) == "module 'evonet' has no attribute 'NoSuchThing'"


def test_a_star_import_brings_all_of_them_and_the_bare_import_no_numpy():
    program = (
        "import sys, evonet\n"
        "assert 'numpy' not in sys.modules and 'gymnasium' not in sys.modules\n"
        "space = {}\n"
        "exec('from evonet import *', space)\n"
        f"assert set({NAMES!r}) <= set(space)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=Path(evonet.__file__).parents[1], check=True)


def test_the_version_is_the_distribution_s():
    project = tomllib.loads((Path(evonet.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["hatch"]["version"]["path"] == "evonet/version.py"
    assert importlib.metadata.version(DISTRIBUTION) == evonet.__version__ == version.__version__
