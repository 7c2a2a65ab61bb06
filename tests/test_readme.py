"""Every command and every example of the README is run here; the two set-up commands are run by `.ci/run`.

They run in this process, but for one command and one example, by which it is seen that they run in one of their own.
"""

import itertools
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evonet.cli import main
from evonet.experiment.catalogue import catalogue
from evonet.experiment.config import Config
from evonet.experiment.runner import run as run_config
from tests.test_architecture import FOUNDATIONS, ROOMS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SET_UP = re.compile(r"^python3 -m venv \.venv && \.venv/bin/pip install -e '\.\[\w+\]' && ")

SOURCE = re.compile(r" \([^()]*\d{4}[^()]*\)(?=\.?$)")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def commands():
    lines = [line for block in blocks("sh") for line in block.strip().splitlines()]
    return [line for line in (SET_UP.sub("", line) for line in lines) if "pytest" not in line]


SHORTER = {
    "validation: {episodes: 100}": "validation: {episodes: 5}\ntest: {episodes: 5}",
    "generations: 200": "generations: 4",
}
"""What makes the README's own config end soon: that its commands work is seen as well in a little time."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A fresh folder that holds what a checkout holds, in which the README's first run that is kept has been made."""
    path = tmp_path_factory.mktemp("checkout")
    (path / "experiments").symlink_to(ROOT / "experiments")
    shutil.copytree(ROOT / "configs", path / "configs")
    text = (path / "configs/cartpole.yaml").read_text(encoding="utf-8")
    for words, fewer in SHORTER.items():
        assert words in text
        text = text.replace(words, fewer)
    (path / "configs/cartpole.yaml").write_text(text, encoding="utf-8")
    (first,) = kept_first()
    done = run(["bash", "-c", first.replace(".venv/bin/", f"{Path(sys.executable).parent}/")], path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return path


def kept_first():
    return [command for command in commands() if command.endswith("--output runs/first")]


def run(arguments, folder, **options):
    # A user may choose any working directory; output must not depend on what this process has in its environment.
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=300, check=False, **options)


@pytest.fixture
def inside(folder, monkeypatch):
    """Within that folder; one Dask worker is enough."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr("evonet.cluster.connection.cores", lambda: 1)


def test_the_commands_of_the_readme_work(inside, capsys):
    assert len(commands()) >= 8
    for command in commands():
        if command not in kept_first():  # which the folder has seen
            program, *arguments = shlex.split(command)
            assert program == ".venv/bin/evonet"
            assert main(arguments) == 0, command
            told = capsys.readouterr()
            assert told.out or "--quiet" in arguments, command
            assert "Traceback" not in told.err, command


(OPERATOR,) = [block for block in blocks("python") if "SignFlip" in block]


@pytest.mark.parametrize("example", [block for block in blocks("python") if block != OPERATOR])
def test_the_examples_of_the_readme_work(example, inside):
    exec(example, {"__name__": "__main__"})


@pytest.mark.parametrize("program", sorted(set(re.findall(r"`python (experiments/[\w/]+\.py)", README))))
def test_the_programs_behind_the_figures_start(program, folder):
    if "benchmarks" in program or "double_pole" in program:
        done = run([sys.executable, program, "--help"], folder)  # they take minutes, and some want the peers
        assert "--rounds" in done.stdout or "--seeds" in done.stdout
    else:
        done = run([sys.executable, program, "--seeds", "1", "cartpole"], folder)
        assert "`cartpole` | 1 of 1" in done.stdout
    assert done.returncode == 0, done.stderr


def test_the_worked_operator_of_the_readme_is_usable_from_yaml(folder):
    program = f"""{OPERATOR}
from evonet.cli import main
raise SystemExit(main(["run", "configs/cartpole.yaml", "--set", "stop.generations=2", "--output", "runs/flipped",
                       "--set", "algorithm.mutation={{type: sign_flip, rate: 0.1}}", "--quiet"]))
"""
    done = run([sys.executable, "-W", "error", "-c", program], folder)
    assert done.returncode == 0, done.stderr
    assert "sign_flip mutation" in (folder / "runs/flipped/lineage.jsonl").read_text(encoding="utf-8")


def test_what_can_be_chosen_is_all_that_there_is_with_its_sources():
    kinds = {kind: names for kind, names in catalogue().items() if kind != "config"}
    told = {
        kind: ", ".join(f"`{name}`" + "".join(SOURCE.findall(line)) for name, line in names.items())
        for kind, names in kinds.items()
    }
    table = "\n".join(f"| {kind} | {names} |" for kind, names in told.items())
    assert table in README, f"the table of the README must read:\n{table}"


@pytest.mark.parametrize("example", [block for block in blocks("yaml") if block.startswith("algorithm:")])
def test_the_algorithms_of_the_readme_evolve(example, tmp_path):
    (tmp_path / "c.yaml").write_text("environment: {id: CartPole-v1}\nstop: {generations: 3}\n" + example)
    config = Config.load(str(tmp_path / "c.yaml"), ("validation.episodes=2", "test.episodes=2"))
    assert run_config(config, tmp_path / "run")["generations"] == 3


def test_the_set_up_commands_stand_first_in_their_sections():
    assert SET_UP.match(README.split("## Run it")[1].split("```sh\n")[1])
    assert SET_UP.match(README.split("## Test it")[1].split("```sh\n")[1])


def test_the_table_of_modules_names_every_room_from_the_bottom_to_the_top():
    table = README.split("## Modules")[1].split("## Extending")[0]
    rows = [re.findall(r"`(\w+)`", row) for row in re.findall(r"^\| (`.*?`) \|", table, flags=re.MULTILINE)]
    assert sorted(f"evonet.{name}" for row in rows for name in row) == sorted([*ROOMS, *FOUNDATIONS])
    heights = [[ROOMS.get(f"evonet.{name}", -1) for name in names] for names in rows]
    assert all(max(below) <= min(above) for below, above in itertools.pairwise(heights))
