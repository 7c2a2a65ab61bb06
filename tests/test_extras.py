"""Where an optional package is missing, the hint is a command that works without evonet being on a package index."""

import importlib.metadata
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from evonet import extras
from evonet.errors import ConfigError
from evonet.extras import DISTRIBUTION, install_hint, optional_package
from evonet.version import __version__

ROOT = Path(__file__).parents[1]
REQUIRED = [
    "numpy>=2.1",
    "cmaes>=0.11; extra == 'strategies'",
    'gymnasium[box2d]>=1.2.3; (python_version < "3.14") and extra == "box2d"',
    "gymnasium[classic-control]>=1.2.3; extra == 'report'",
    "matplotlib>=3.9; extra == 'report'",
]


def test_a_citation_names_this_version_title_and_licence():
    citation = YAML(typ="safe").load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"cff-version", "message", "title", "authors"} <= citation.keys(), "what CFF 1.2 requires"
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == __version__
    assert (citation["license"], citation["abstract"]) == (project["license"], project["description"])
    assert citation["keywords"] == project["keywords"]
    (author,) = citation["authors"]
    assert f"Copyright (c) 2026 {author['name']}\n" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_every_package_has_a_lowest_version_that_ci_installs():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = {*project["dependencies"], *itertools.chain.from_iterable(project["optional-dependencies"].values())}
    names = {re.split(r"[\[>]", line)[0] for line in required} - {DISTRIBUTION}
    script = [sys.executable, ROOT / ".ci/lowest_versions.py"]
    constraints = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    assert {line.split("==")[0] for line in constraints} == names
    assert len(set(constraints)) == len(names), "one package has one lowest version"


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """As if evonet were installed from a wheel."""
    monkeypatch.setattr(extras, "_CHECKOUT", tmp_path)
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: REQUIRED)


def test_in_a_checkout_the_checkout_is_installed_with_the_extra(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    assert install_hint("box2d") == "pip install -e '.[box2d]'"
    monkeypatch.chdir(tmp_path)
    assert install_hint("box2d") == f"pip install -e '{ROOT}[box2d]'"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("extra", "hint"),
    [
        ("strategies", "pip install 'cmaes>=0.11'"),
        ("box2d", "pip install 'gymnasium[box2d]>=1.2.3'"),
        ("report", "pip install 'gymnasium[classic-control]>=1.2.3' 'matplotlib>=3.9'"),
    ],
)
def test_from_a_wheel_the_extra_s_own_packages_are_installed(extra, hint):
    assert install_hint(extra) == hint


@pytest.mark.usefixtures("installed")
def test_a_missing_package_is_an_error_of_the_kind_that_is_asked_for():
    with pytest.raises(ConfigError) as refused:
        optional_package("evonet_no_such_package", "this strategy needs a package", "strategies", ConfigError)
    assert str(refused.value) == "this strategy needs a package, which is not installed: pip install 'cmaes>=0.11'"
    assert optional_package("json", "nothing", "report") is json


@pytest.fixture(scope="module")
def installed_wheel(tmp_path_factory):
    """Runs a program where pip has installed a wheel of this checkout; other packages are those of this environment."""
    pip = shutil.which("pip")
    if pip is None:
        pytest.skip("there is no pip")
    folder = tmp_path_factory.mktemp("wheel")
    checkout = folder / "checkout"
    ignored = shutil.ignore_patterns(".*", "runs", "tests", "experiments", "__pycache__", "dist", "build")
    shutil.copytree(ROOT, checkout, ignore=ignored)
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=checkout, check=True, capture_output=True)
    shutil.rmtree(checkout)
    (wheel,) = folder.glob("*.whl")
    home = folder / "venv"
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin/python"
    install = [pip, "--python", python, "install", "--quiet", "--no-deps", "--no-index", "--no-compile", wheel]
    subprocess.run(install, check=True, capture_output=True)
    (site,) = home.glob("lib/python*/site-packages")
    borrowed = next(path for path in map(Path, sys.path) if (path / "numpy").is_dir())
    (site / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")

    path = os.pathsep.join([str(home / "bin"), os.environ["PATH"]])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PATH": path}

    def run(program, *arguments, cwd):
        command = [home / "bin" / program, *arguments]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)

    return run


needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="the folders of an environment are POSIX's")


@needs_posix
@pytest.mark.thorough
def test_from_a_wheel_shipped_configs_are_found_by_name(installed_wheel, tmp_path):
    listed = installed_wheel("evonet", "list", cwd=tmp_path)
    assert re.search(r"^config, by name in evonet run\n  acrobot ", listed.stdout, re.MULTILINE)
    checked = installed_wheel("evonet", "check", "cartpole", cwd=tmp_path)
    assert checked.stdout.splitlines()[-1] == "OK. Run it with: evonet run cartpole", checked.stderr
    quick = ("--set", "stop.generations=1", "--set", "test.episodes=2", "--set", "evaluation.workers=1", "--quiet")
    ran = installed_wheel("evonet", "run", "cartpole", *quick, "--output", "out", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert json.loads((tmp_path / "out/run.json").read_text(encoding="utf-8"))["name"] == "cartpole"
    studied = installed_wheel("evonet", "study", "cartpole", "--seeds", "1", *quick, cwd=tmp_path)
    assert studied.returncode == 0, studied.stderr
    assert (tmp_path / "runs/cartpole-study/study.json").is_file()


@needs_posix
@pytest.mark.thorough
def test_from_a_wheel_the_program_evonet_is_installed_with_all_extras(installed_wheel, tmp_path):
    program = (
        "from importlib.metadata import entry_points, metadata\n"
        "(script,) = entry_points(group='console_scripts', name='evonet')\n"
        "print(script.load().__name__, metadata('evonet-toolkit').get_all('Provides-Extra'))"
    )
    printed = installed_wheel("python", "-P", "-c", program, cwd=tmp_path)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert printed.stdout == f"program {sorted(extras)}\n", printed.stderr


@needs_posix
@pytest.mark.thorough
def test_from_a_wheel_the_hint_needs_no_checkout_and_no_index(installed_wheel, tmp_path):
    program = "from evonet.extras import install_hint; print(install_hint('strategies'))"
    hint = installed_wheel("python", "-P", "-c", program, cwd=tmp_path)
    assert hint.stdout.startswith("pip install 'cmaes>="), hint.stderr
