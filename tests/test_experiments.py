"""The small programs under `experiments` do what their first lines say."""

import importlib.util
import json
import re
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from evonet.experiment.build import build_fitness

EXPERIMENTS = Path(__file__).parents[1] / "experiments"


def output_of(program):
    done = subprocess.run(
        [sys.executable, "-W", "error", EXPERIMENTS / program], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_cartpole_by_hand_ends_with_a_champion_that_balances_in_fresh_episodes():
    score = output_of("cartpole.py").splitlines()[-1]
    assert score.startswith("test: ")
    assert float(score.split()[1]) >= 475


def test_the_picture_in_the_readme_is_what_its_program_draws():
    assert output_of("figures/genome.py") == (EXPERIMENTS / "figures/genome.svg").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def environments():
    """The program `environments.py` as a module."""
    spec = importlib.util.spec_from_file_location("environments_program", EXPERIMENTS / "environments.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.mark.slow
def test_the_program_of_environments_gives_a_row_of_what_each_command_did(environments, monkeypatch):
    monkeypatch.setattr(environments, "BUDGET", environments.BUDGET.replace("generations: 2", "generations: 1"))
    whole = environments.commands([])
    monkeypatch.setattr(environments, "commands", lambda _: {name: whole[name] for name in ("run", "onnx")})
    case = environments.Case("Cliff", "{id: CliffWalking-v1, max_steps: 5}", kind="a|b")
    row = environments.examined(case, 200.0)
    assert {name: step.status for name, step in row.steps.items()} == {"run": 0, "onnx": 0}
    assert row.network == "48-4-4"
    assert min(row.bare, row.evonet) > 100
    document = environments.markdown([row], [], environments.run_with(200.0))
    assert "Of 1 environments of 1 packages, 1 run, and 1 of these have every file too." in " ".join(document.split())
    assert f"| {row.bare:,.0f} | {row.evonet:,.0f} | {row.evonet / row.bare:.2f} |" in document
    assert "What did not go" not in document


def test_the_program_of_environments_quotes_evonet_where_an_environment_is_refused(environments):
    case = environments.Case("Nothing", "{id: NoSuchThing-v0}")
    row = environments.examined(case, 200.0)
    assert {name: step.status for name, step in row.steps.items()} == {"check": 2, "run": 2}
    left_out = environments.Case("Elsewhere", "{id: 'no_such_module_here:Thing-v0'}")
    document = environments.markdown([row], [left_out], environments.run_with(200.0))
    assert "* Nothing, `check`, `run`: config.yaml:1:15: environment: 'NoSuchThing-v0'" in document.replace("\\", "")
    assert "Not installed, so left out: Elsewhere." in document
    assert (left_out.installed, case.installed) == (False, True)
    assert environments.allowed(left_out) == ["no_such_module_here"]


def test_the_program_of_environments_stops_a_command_at_its_time_limit(environments, tmp_path):
    step = environments.evonet(["list"], tmp_path, 0.01)
    assert (step.status, step.words) == (None, "longer than 0.01 s")


def test_the_program_of_environments_quotes_no_path_of_this_machine_and_calls_a_traceback_one(environments, tmp_path):
    text = f"a line\nevonet: {tmp_path}/config.yaml:1:2: no, in /usr/lib/python3/site-packages/odd/core.py:7\n"
    assert environments.words_of(text, tmp_path) == "config.yaml:1:2: no, in odd/core.py:7"
    assert environments.words_of("Traceback (most recent call last):\n  x\nKeyError: 1", tmp_path) == (
        "TRACEBACK KeyError: 1"
    )
    assert environments.words_of("evonet: " + "x" * 999, tmp_path).endswith("x…")
    assert environments.words_of("evonet: <function f at 0x7f0c7c521ee0>", tmp_path) == "<function f at …>"


def test_each_environment_that_the_program_tries_has_a_package_that_its_requirements_name(environments):
    requirements = (EXPERIMENTS / "environments-requirements.txt").read_text(encoding="utf-8")
    named = set(re.findall(r"^([\w-]+)", requirements, flags=re.MULTILINE))
    assert {case.package for case in environments.CASES} <= named
    assert len({case.name for case in environments.CASES}) == len(environments.CASES) >= 20


def test_the_peer_s_loop_of_the_lunar_lander_scores_as_evonet_does():
    pytest.importorskip("Box2D")
    spec = importlib.util.spec_from_file_location("lunar_lander", EXPERIMENTS / "quality_diversity/lunar_lander.py")
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    genomes = np.random.default_rng(0).standard_normal((4, 32))
    with build_fitness(program.config_for(0, 1)) as fitness:
        results = fitness(genomes, np.array([77]), None)
    means = results.means(list(program.RANGES))
    ours = np.column_stack([means[name] for name in ("return", *program.RANGES)])
    assert np.array_equal(ours, [program.play(genome, 77) for genome in genomes])
    program.lander().close()


NOTEBOOKS = sorted((EXPERIMENTS / "notebooks").glob("*.ipynb"))


@pytest.mark.thorough
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_cells_of_a_notebook_run_from_top_to_bottom(path, tmp_path, monkeypatch, capsys):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    module = types.ModuleType("notebook")  # a class that a cell defines has a module
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("matplotlib").use("Agg")
    for cell in cells:
        if cell["cell_type"] == "code":
            assert not cell["outputs"], "a notebook is stored without its outputs"
            exec(compile("".join(cell["source"]), f"{path.name}: {cell['id']}", "exec"), vars(module))
    vars(module)["plt"].close("all")
    for name in re.findall(r'"(\w+\.gif)"', path.read_text(encoding="utf-8").replace("\\", "")):
        assert (tmp_path / name).read_bytes().startswith(b"GIF8")
