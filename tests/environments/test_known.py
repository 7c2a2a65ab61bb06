"""The registry of known environments, and the README that says how to add one."""

import re
from pathlib import Path

import pytest

from evonet.environments import known
from evonet.environments.known import KNOWN, KnownEnvironment, Names, double_pole, known_environment, names_for

FOLDER = Path(known.__file__).parent


def test_the_readme_names_files_that_are_there():
    named = re.findall(r"`([\w/]+\.py)`", (FOLDER / "README.md").read_text("utf-8"))
    for name in named:
        assert (FOLDER / name).is_file() or (FOLDER.parents[2] / name).is_file(), name


def test_every_file_of_an_environment_is_in_the_registry():
    parts = {"__init__", "arithmetic", "environment", "ground_plan", "kernel", "parameter"}
    parts.add("mujoco")  # which has no id
    files = {path.stem.upper() for path in FOLDER.glob("*.py")} - {part.upper() for part in parts}
    entered = {name for name, value in vars(known).items() if isinstance(value, KnownEnvironment)}
    assert all(any(name.startswith(file) for name in entered) for file in files)
    assert {id(value) for value in KNOWN.values()} == {
        id(vars(known)[name]) for name in entered if name not in {"MUJOCO", "_NOTHING"}
    }


def test_an_id_may_have_the_module_before_it():
    assert known_environment("evonet.environments:evonet/DoublePole-v0") is double_pole.DOUBLE_POLE
    assert known_environment("Somebody/Else-v0") == known_environment(None) == KnownEnvironment()


@pytest.mark.parametrize(("inputs", "outputs"), [(4, 3), (5, 2)])
def test_names_that_do_not_fit_give_way_to_numbers(inputs, outputs):
    assert names_for("CartPole-v1", 4, 2).outputs == ("push left", "push right")
    assert names_for("CartPole-v1", inputs, outputs) == Names.numbered(inputs, outputs)
