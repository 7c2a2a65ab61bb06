"""Every command and example of every README is run here; the two set-up commands are run by `.ci/run`.

Commands and examples run in this process, in one folder that holds what a checkout holds.
"""

import re
import shlex
import shutil
import subprocess
import sys
import types
from pathlib import Path

import gymnasium
import pytest

from evonet.cli import main
from evonet.environments.known import KNOWN
from evonet.experiment.config import Config
from evonet.experiment.runner import run as run_config
from evonet.inspection.report import report

ROOT = Path(__file__).parents[1]
READMES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in (".", "configs", "experiments", "evonet")
    for path in sorted((ROOT / folder).glob("README.md" if folder == "." else "**/README.md"))
}
SET_UP = re.compile(r"^python3 -m venv \.venv && \.venv/bin/pip install -e '\.\[[\w,]+\]' && ")
FIRST = ".venv/bin/evonet run configs/cartpole.yaml --quiet --output runs/first"
SECOND = ".venv/bin/evonet run configs/cartpole.yaml --quiet --seed 8 --set network.hidden=8 --output runs/second"

SHORTER = {
    "validation: {episodes: 100}": "validation: {episodes: 5}\ntest: {episodes: 5}",
    "generations: 200": "generations: 4",
}
"""Makes the shipped CartPole config end soon: its commands are tested as well in less time."""


def blocks(readme, language):
    """The code blocks of a README in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", READMES[readme], flags=re.MULTILINE | re.DOTALL)


def commands(readme):
    """The commands of a README, without setting up and testing."""
    lines = [line for block in blocks(readme, "sh") for line in block.strip().splitlines()]
    return [line for line in (SET_UP.sub("", line) for line in lines) if "pytest" not in line]


def examples():
    """Every Python example, by the README that it stands in."""
    return [
        pytest.param(example, id=f"{readme}-{number}")
        for readme in READMES
        for number, example in enumerate(blocks(readme, "python"))
    ]


def run(arguments, folder, **options):
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=300, check=False, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with configs, experiments and the two runs that later commands read."""
    path = tmp_path_factory.mktemp("checkout")
    (path / "experiments").symlink_to(ROOT / "experiments")
    shutil.copytree(ROOT / "configs", path / "configs")
    text = (path / "configs/cartpole.yaml").read_text(encoding="utf-8")
    for words, fewer in SHORTER.items():
        assert words in text
        text = text.replace(words, fewer)
    (path / "configs/cartpole.yaml").write_text(text, encoding="utf-8")
    (game,) = (block for block in blocks("README.md", "python") if "gym.Env" in block)
    (path / "catch.py").write_text(game, encoding="utf-8")
    for command in (FIRST, SECOND):
        assert command in commands("README.md")
        done = run(["bash", "-c", command.replace(".venv/bin/", f"{Path(sys.executable).parent}/")], path)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return path


@pytest.fixture
def inside(folder, monkeypatch):
    """Within that folder, with a single Dask worker and reports of few episodes."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("evonet.inspection.report.report", lambda run, _, progress: report(run, 0.02, progress))
    monkeypatch.setattr("evonet.cluster.connection.cores", lambda: 1)


@pytest.mark.parametrize(
    "readme",
    [
        pytest.param(readme, marks=pytest.mark.thorough if "--dask" in READMES[readme] else ())
        for readme in READMES
        if commands(readme)
    ],
)
def test_the_commands_of_a_readme_work(readme, inside, capsys):
    for command in commands(readme):
        if command in {FIRST, SECOND}:  # the folder was made by them
            continue
        program, *arguments = shlex.split(command)
        assert program == ".venv/bin/evonet"
        assert main(arguments) == 0, command
        output = capsys.readouterr()
        assert output.out or "--quiet" in arguments, command
        assert "Traceback" not in output.err, command


@pytest.fixture
def module(monkeypatch):
    """A module for the names of an example; what an example registers is forgotten afterwards."""
    module = types.ModuleType("example")  # a class that an example defines has a module
    monkeypatch.setitem(sys.modules, module.__name__, module)
    before = [(registry, dict(registry)) for registry in (KNOWN, gymnasium.registry)]
    yield module
    for registry, entries in before:
        registry.clear()
        registry.update(entries)


@pytest.mark.parametrize("example", examples())
def test_an_example_of_a_readme_works(example, inside, module, capsys):
    exec(compile(example, "example", "exec"), vars(module))


@pytest.mark.parametrize(
    "example", [block for readme in READMES for block in blocks(readme, "yaml")], ids=lambda text: text.split(":")[0]
)
def test_a_config_of_a_readme_evolves(example, tmp_path, monkeypatch):
    (operators,) = [block for block in blocks("evonet/operators/README.md", "python") if "SignFlip" in block]
    (tmp_path / "my_ops.py").write_text(operators, encoding="utf-8")
    game = "from gymnasium.envs.classic_control import CartPoleEnv as MyGame\n"
    (tmp_path / "my_game.py").write_text(game, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    environment = "" if example.startswith("environment") else "environment: {id: CartPole-v1}\n"
    (tmp_path / "c.yaml").write_text(environment + example, encoding="utf-8")
    shorter = ["validation.episodes=2", "test.episodes=2", "stop.generations=3", "stop.target=null"]
    shorter += ["environment.max_steps=10"]
    if "evaluation: {max_steps" in example:
        shorter += ["evaluation.max_steps.start=5", "evaluation.max_steps.end=10"]
    config = Config.load(str(tmp_path / "c.yaml"), shorter, ["my_ops", "my_game"])
    summary = run_config(config, tmp_path / "run")
    later = sum(summary.get(stage, {}).get("generations", 0) for stage in ("pruning", "refinement"))
    assert summary["generations"] - later == 3


@pytest.mark.thorough
@pytest.mark.parametrize(
    "program",
    sorted({program for text in READMES.values() for program in re.findall(r"`python (experiments/[\w/]+\.py)", text)}),
)
def test_the_programs_behind_the_figures_start(program, folder):
    done = run([sys.executable, program, "--help"], folder)  # they take minutes, and some want the peers
    assert done.returncode == 0, done.stderr
    assert "--json" in done.stdout


@pytest.mark.thorough
def test_the_table_of_shipped_configs_comes_from_its_program(folder):
    done = run([sys.executable, "experiments/shipped_configs.py", "--seeds", "1", "cartpole"], folder)
    assert done.returncode == 0, done.stderr
    assert "`cartpole` | 1 of 1" in done.stdout


@pytest.mark.parametrize("readme", READMES)
def test_a_readme_s_links_lead_somewhere(readme):
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", READMES[readme])
    assert [link for link in links if not (ROOT / readme).parent.joinpath(link).exists()] == []


def test_the_set_up_commands_stand_first_in_their_sections():
    assert SET_UP.match(READMES["README.md"].split("## Run it")[1].split("```sh\n")[1])
    assert SET_UP.match(READMES["README.md"].split("## Test it")[1].split("```sh\n")[1])


def test_the_front_page_is_short():
    assert len(READMES["README.md"].splitlines()) <= 150
