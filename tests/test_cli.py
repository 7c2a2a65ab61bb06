"""The command line: results on stdout, messages on stderr, and errors without a traceback."""

import contextlib
import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path
from typing import get_args

import pytest

from evonet import __version__
from evonet.activations import ACTIVATIONS
from evonet.cli import main
from evonet.cli.console import print_painted, wrapped_for
from evonet.cli.export import FORMATS
from evonet.evaluation.engine import EngineName
from evonet.experiment.config.catalogue import config_path
from evonet.fitness import Aggregation
from evonet.foreign import without_place
from evonet.operators.registry import OPERATORS
from tests.environments_for_tests import MODULE

ROOT = Path(__file__).parents[1]
PROGRAM = "import sys; from evonet.cli import main; sys.exit(main())"
SMALL = (
    "environment: {id: CartPole-v1, max_steps: 50}\n"
    "network: {hidden: 2}\n"
    "algorithm: {population_size: 6, elites: 1}\n"
    "evaluation: {episodes: 1, workers: 1, engine: gymnasium}\n"
    "validation: {episodes: 2}\ntest: {episodes: 2}\nstop: {generations: 2, target: 475}\n"
)
PROMISED = {
    "run_directory", "environment", "seed", "engine", "generations", "evaluations", "environment_steps", "seconds",
    "solved", "target", "champion",
}  # fmt: skip
PROMISED_OF_A_CHAMPION = {
    "training_fitness", "validation_mean", "validation_episodes", "test_mean", "test_interval", "test_episodes",
    "genome_size",
}  # fmt: skip


def evonet(*arguments, cwd=ROOT, **settings):
    """The command in a process of its own: exit status, stdout, stderr."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False, **settings,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.yaml").write_text(SMALL, encoding="utf-8")
    return "small.yaml"


@pytest.fixture
def troubled(config):
    def troubled(trouble, rest=""):
        text = SMALL.replace("{id: CartPole-v1, max_steps: 50}", f"{{id: '{WALK}', kwargs: {{trouble: {trouble}}}}}")
        Path(config).write_text(text + rest, encoding="utf-8")
        return config

    return troubled


WALK = f"{MODULE}:evonet-tests/Walk-v0"


def test_help_and_version_answer_without_numpy():
    program = (
        "import sys\n"
        "from evonet.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "except SystemExit as done:\n"
        "    heavy = {'numpy', 'gymnasium', 'pydantic', 'ruamel.yaml', 'tqdm'} & set(sys.modules)\n"
        "    sys.exit(f'imported {heavy}' if heavy else done.code)\n"
    )
    for option in (["--help"], ["--version"], ["run", "--help"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *option], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: evonet" if "--help" in option else f"evonet {__version__}")


def test_a_start_looks_for_no_plugins_of_pydantic():
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from evonet.__main__ import program\n"
        "program()\n"
        "from pydantic import plugin\n"
        "found = hasattr(sys.modules['pydantic.plugin._loader'], 'entry_points')\n"
        "sys.exit(found or not (Path(plugin.__file__).parent / '_loader.py').exists())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "check", "cartpole"], cwd=ROOT, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as done:
        main(["--help"])
    assert done.value.code == 0
    out = capsys.readouterr().out
    assert all(
        re.search(rf"^    {command} ", out, re.MULTILINE) for command in ("run", "inspect", "check", "schema", "list")
    )


@pytest.mark.parametrize("arguments", [["fly"], ["run"], ["run", "a.yaml", "--no-such-option"], ["inspect"]], ids=str)
def test_bad_usage_ends_with_2_and_the_usage_on_stderr(arguments, capsys):
    with pytest.raises(SystemExit) as done:
        main(arguments)
    assert done.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: evonet")


def test_without_a_command_the_help_is_printed_with_examples(capsys):
    assert main([]) == 0
    assert (
        capsys.readouterr()
        .out.rstrip()
        .endswith("examples:\n  evonet run cartpole\n  evonet inspect last --html\n  evonet list")
    )


def test_a_run_ends_with_its_verdict_on_stdout_and_what_next_on_stderr(config, capsys):
    assert main(["run", config, "--output", "out"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Not solved  small · CartPole-v1 · seed 0\n  test ")
    assert err.splitlines()[-3:] == [
        "  evonet replay out", "  evonet inspect out --html", "  evonet inspect out --weights"
    ]  # fmt: skip
    lines = [*out.splitlines(), *err.splitlines()[-3:]]
    assert len(lines) <= 10
    assert max(map(len, lines)) <= 80
    assert main(["inspect", "out"]) == 0
    shown, err = capsys.readouterr()
    assert shown.startswith(out)
    assert err == ""


def test_a_quiet_run_says_nothing_at_all(config, capsys):
    assert main(["run", config, "--output", "out", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert Path("out/run.json").is_file()


def test_json_of_run_and_inspect_holds_what_was_promised(config, capsys):
    assert main(["run", config, "--output", "out", "--json", "--seed", "12"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert main(["inspect", "out", "--json"]) == 0
    account = json.loads(capsys.readouterr().out)
    for document in (summary, account):
        assert set(document) >= PROMISED
        assert set(document["champion"]) >= PROMISED_OF_A_CHAMPION
    assert summary.items() <= account.items()
    assert (summary["run_directory"], summary["seed"], summary["environment"]) == ("out", 12, "CartPole-v1")
    assert (summary["generations"], summary["evaluations"], summary["target"]) == (2, 12, 475.0)
    assert summary["champion"]["genome_size"] == 4 * 2 + 2 + 2 * 2 + 2
    assert summary["champion"]["test_interval"][0] <= summary["champion"]["test_mean"]


def test_an_environment_that_prints_keeps_stdout_of_check_clean(troubled, capsys):
    assert main(["check", troubled("print"), "--allow-import", MODULE]) == 0
    out, err = capsys.readouterr()
    assert "an environment talks" not in out
    assert "an environment talks" in err


def test_without_a_terminal_there_is_no_progress_bar(config, capsys):
    assert main(["run", config, "--output", "out"]) == 0
    output = capsys.readouterr().err
    assert "gen " not in output
    assert "\r" not in output


@pytest.mark.parametrize(("options", "shown"), [([], ("\rsmall", "gen ")), (["--quiet"], ())])
def test_on_a_terminal_there_is_a_progress_bar_unless_quiet_is_wanted(options, shown, config, monkeypatch, capsys):
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 200, 0, 0))
    with os.fdopen(slave, "w") as terminal, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", terminal)
        assert main(["run", config, "--json", "--output", "out", *options]) == 0
    content = b""
    with contextlib.suppress(OSError):  # all is read, and the other end is closed
        while True:  # a terminal hands over what it has so far
            content += os.read(master, 65536)
    os.close(master)
    output = content.decode()
    assert json.loads(capsys.readouterr().out)["generations"] == 2
    assert [part for part in shown if part not in output] == []
    assert bool(output) == bool(shown)


@pytest.mark.parametrize(("target", "code"), [("-1", 0), ("1000", 3)])
def test_require_solved_sets_the_exit_status(target, code, config):
    arguments = ["run", config, "--quiet", "--set", f"stop.target={target}"]
    assert main([*arguments, "--output", "with", "--require-solved"]) == code
    assert main([*arguments, "--output", "without"]) == 0


def test_a_finished_run_that_is_resumed_says_only_how_it_can_continue(config, capsys):
    assert main(["run", config, "--output", "out", "--quiet"]) == 0
    assert main(["resume", "out"]) == 0
    line = "out is finished, stopped by generations; to continue it:\n  evonet resume out --set stop.generations=…\n"
    assert capsys.readouterr() == ("", line)
    assert main(["resume", "out", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["generations"] == 2


def test_options_reach_the_config(config, capsys):
    options = ["--seed", "5", "--workers", "1", "--set", "network.hidden=3", "--set", "stop.generations=1"]
    assert main(["run", config, "--output", "out", "--json", *options]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["seed"], summary["generations"], summary["champion"]["genome_size"]) == (5, 1, 23)
    assert "  workers: 1\n" in Path("out/config.yaml").read_text(encoding="utf-8")


def test_a_run_without_output_makes_a_directory_of_its_own(config, capsys):
    assert main(["run", config, "--quiet"]) == 0
    (made,) = Path("runs").iterdir()
    assert re.fullmatch(r"small-\d{8}T\d{6}Z-seed0", made.name)


ERRORS = {
    "no config": (["run", "nowhere.yaml"], 2, "evonet: nowhere.yaml: cannot be read: No such file or directory\n"),
    "a seed that is none": (
        ["run", "small.yaml", "--seed", "x"],
        2,
        "evonet: --set seed=x: seed must be a whole number, got 'x'\n",
    ),
    "workers that are none": (
        ["run", "small.yaml", "--workers", "0"],
        2,
        "evonet: --set evaluation.workers=0: evaluation.workers must be at least 1 or 'auto', got 0\n",
    ),
    "no run": (["inspect", "nowhere"], 2, "evonet: nowhere is not a run directory: it has no config.yaml\n"),
    "an output that holds a run": (
        ["run", "small.yaml", "--output", "full"],
        2,
        "evonet: full holds a run already; choose another --output, or inspect it with: evonet inspect full\n",
    ),
    "an output below a file": (
        ["run", "small.yaml", "--output", "small.yaml/out"],
        74,
        "evonet: small.yaml/out: cannot be written: Not a directory\n",
    ),
    "a schema that cannot be written": (
        ["schema", "--output", "nowhere/schema.json"],
        2,
        "evonet: nowhere/schema.json: cannot be written: No such file or directory\n",
    ),
    "an import that is not allowed": (
        ["run", "small.yaml", "--set", f"environment.id={WALK}"],
        2,
        (
            f"evonet: --set environment.id={WALK}: environment: '{WALK}' would import the module '{MODULE}', "
            f"which runs its code; to allow that, add --allow-import {MODULE}, "
            f"or in Python allow_imports=['{MODULE}']\n"
        ),
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_a_message_on_stderr_and_an_exit_status(name, config, capsys):
    Path("full").mkdir()
    Path("full/config.yaml").touch()
    arguments, code, message = ERRORS[name]
    assert main(arguments) == code
    assert capsys.readouterr() == ("", message)
    assert sorted(path.name for path in Path().iterdir()) == ["full", "small.yaml"]


def test_the_process_ends_with_the_status_and_no_traceback(tmp_path):
    (tmp_path / "c.yaml").write_text("seed: 1\n", encoding="utf-8")
    code, out, err = evonet("run", "c.yaml", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err == "evonet: c.yaml:1:1: environment.id is required, for example: CartPole-v1\n"


def test_an_environment_that_cannot_be_made_ends_with_1(config, capsys):
    impossible = f"{MODULE}:evonet-tests/Impossible-v0"
    arguments = ["run", config, "--set", f"environment={{id: '{impossible}'}}", "--allow-import", MODULE]
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert f"'{impossible}' cannot be made: OSError: the robot is not plugged in" in without_place(err)
    assert not Path("runs").exists()


def test_a_missing_time_limit_is_a_warning_on_stderr_where_it_truncated_an_episode(config, capsys):
    endless = f"environment={{id: '{MODULE}:evonet-tests/Endless-v0', kwargs: {{ends: 1003}}}}"
    arguments = ["run", config, "--output", "out", "--json", "--allow-import", MODULE]
    assert main([*arguments, "--set", endless]) == 0
    err = capsys.readouterr().err
    truncated = [line for line in err.splitlines() if line.startswith("the environment has no time limit: ")]
    assert len(truncated) == 1
    assert truncated[0].endswith(" were truncated after 1000 steps; set environment.max_steps to choose")
    assert main([*arguments[:3], "again", *arguments[4:], "--set", endless.replace("1003", "3")]) == 0
    assert "time limit" not in capsys.readouterr().err


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "evonet", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"evonet {__version__}\n"


def test_an_interrupted_run_ends_with_130(config, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("evonet.evolution.Evolution.__next__", interrupted)
    assert main(["run", config, "--output", "out"]) == 130
    assert capsys.readouterr() == (
        "",
        "evonet: interrupted\nnothing was saved yet; start again with: evonet resume out\n",
    )


def test_list_names_everything_and_fits_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "500")
    assert main(["list"]) == 0
    text = capsys.readouterr().out
    assert main(["list", "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    choices = ["fitness", "aggregation", "engine", "tracking", "export"]
    assert list(entries) == ["algorithm", *OPERATORS, "schedule", "archive", "activation", *choices, "config"]
    for role, registry in OPERATORS.items():
        assert list(entries[role]) == list(registry)
    assert list(entries["activation"]) == list(ACTIVATIONS)
    assert list(entries["aggregation"]) == list(get_args(Aggregation))
    assert list(entries["engine"]) == list(get_args(EngineName))
    assert list(entries["export"]) == list(FORMATS)
    assert list(entries["config"]) == sorted(path.stem for path in (ROOT / "configs").glob("*.yaml"))
    for kind, names in entries.items():
        for name, line in names.items():
            assert line, f"{kind} {name} has no line"
            assert "\n" not in line
            assert re.search(rf"^  {re.escape(name)}\s+{re.escape(line)}$", text, re.MULTILINE), name
    assert entries["config"]["lunar_lander"].endswith("in 16 seconds on two cores.")
    assert str(ROOT) not in text
    for columns in (80, 50):
        monkeypatch.setenv("COLUMNS", str(columns))
        for arguments in ([], ["mutation"], ["stop"], ["genetic_algorithm"]):
            assert main(["list", *arguments]) == 0
            assert max(map(len, capsys.readouterr().out.splitlines())) <= columns


def test_list_shows_the_settings_of_a_component_a_kind_or_a_section(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["list", "gaussian"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "mutation gaussian",
        "  Adds a normal step to some genes (Rechenberg 1973).",
        "    sigma  Standard deviation of a step. Number above 0 or schedule; default 0.1.",
        "    rate   Chance of each gene to change. Number from 0 to 1 or schedule; default 0.1.",
        "activation gaussian",
        "  exp(-x²), from 0 to 1",
    ]
    assert main(["list", "mutation"]) == 0
    text = capsys.readouterr().out
    assert [line for line in text.splitlines() if line[0] != " "] == [
        f"mutation {name}" for name in OPERATORS["mutation"]
    ]
    assert main(["list", "wrapper"]) == 0
    assert "  name    A class of `gymnasium.wrappers`" in capsys.readouterr().out
    assert main(["list", "uniform", "--json"]) == 0
    settings = json.loads(capsys.readouterr().out)
    assert list(settings) == ["crossover uniform", "initialisation uniform"]
    assert settings["initialisation uniform"]["settings"]["low"]["default"] == "-1.0"
    assert main(["list", "gausian"]) == 2
    assert capsys.readouterr().err == (
        "evonet: nothing is called 'gausian'; did you mean 'gaussian'? evonet list has all names\n"
    )


def test_the_reference_of_the_configs_page_is_up_to_date_and_what_is_above_it_is_kept(tmp_path, capsys):
    page = (ROOT / "configs/README.md").read_text(encoding="utf-8")
    written = tmp_path / "README.md"
    written.write_text(page.partition("### Keys at the top")[0], encoding="utf-8")
    assert main(["schema", "--markdown", "--output", str(written)]) == 0
    assert written.read_text(encoding="utf-8") == page, "run: evonet schema --markdown --output configs/README.md"
    assert main(["schema", "--markdown"]) == 0
    assert page.endswith(capsys.readouterr().out)
    assert main(["schema", "--markdown", "--output", str(tmp_path / "new.md")]) == 0
    assert (tmp_path / "new.md").read_text(encoding="utf-8").startswith("## Reference\n")


def test_a_shipped_config_is_found_by_its_name(config, capsys):
    assert main(["check", "cartpole"]) == 0
    assert capsys.readouterr().out.endswith("OK. Run it with: evonet run cartpole\n")
    quick = ["--set", "stop.generations=1", "--set", "test.episodes=2", "--set", "evaluation.workers=1", "--json"]
    assert main(["run", "cartpole", *quick]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == "cartpole"
    assert main(["run", "cartpole_v2"]) == 2
    assert capsys.readouterr().err == "evonet: cartpole_v2: cannot be read: No such file or directory\n"


def test_a_file_at_the_path_comes_before_a_shipped_config_of_that_name(config, capsys):
    Path("cartpole").write_text(SMALL, encoding="utf-8")
    Path("pendulum").mkdir()
    assert (config_path("cartpole"), config_path("./acrobot")) == ("cartpole", "./acrobot")
    assert config_path("pendulum") == str(ROOT / "configs/pendulum.yaml")


def test_a_name_of_a_shipped_config_and_of_a_file_here_is_refused(config, capsys):
    Path("cartpole.yaml").write_text(SMALL, encoding="utf-8")
    assert main(["check", "cartpole"]) == 2
    assert capsys.readouterr().err == (
        "evonet: 'cartpole' is a shipped config, and cartpole.yaml is a file here; "
        f"write cartpole.yaml or {ROOT}/configs/cartpole.yaml\n"
    )
    assert main(["check", "cartpole.yaml"]) == 0


def test_more_workers_than_cores_are_a_warning(config, capsys, monkeypatch):
    monkeypatch.setattr("evonet.experiment.run_warnings.cores", lambda: 2)
    warning = "3, but this process may use 2 processors: additional workers take memory and save no time\n"
    seeds = ["--set", "stop.generations=1", "--seeds", "1", "--workers"]
    assert main(["study", config, *seeds, "3"]) == 0
    assert capsys.readouterr().err.count(f"--workers is {warning}") == 1
    assert main(["study", config, *seeds, "2", "--output", "again"]) == 0
    assert "processors" not in capsys.readouterr().err
    assert main(["run", config, "--workers", "3", "--set", "stop.generations=1"]) == 0
    assert capsys.readouterr().err.count(f"evaluation.workers is {warning}") == 1


def shell(command, cwd=ROOT):
    """A command line of bash, in which $EVONET is the program."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "EVONET": f"{sys.executable} -m evonet"}
    done = subprocess.run(
        ["bash", "-c", command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def test_a_reader_that_has_seen_enough_ends_a_command_quietly_like_any_other_tool():
    assert shell("set -o pipefail; $EVONET list | true") == (141, "", "")  # `true` is gone long before
    assert shell("$EVONET list | head -n 1") == (0, "algorithm\n", "")


@pytest.mark.parametrize("command", ["list", "--version", "run small.yaml --json", "inspect out"])
def test_a_result_that_cannot_be_written_is_an_error(command, config, tmp_path):
    assert main(["run", config, "--output", "out", "--quiet"]) == 0
    full = "evonet: standard output cannot be written: No space left on device\n"
    closed = "evonet: standard output cannot be written: Bad file descriptor\n"
    for redirection, message in ((">/dev/full", full), (">&-", closed)):
        code, out, err = shell(f"$EVONET {command} {redirection}", tmp_path)
        assert (code, out, err.splitlines(keepends=True)[-1]) == (74, "", message)
        assert "Traceback" not in err


def test_a_run_needs_none_of_the_standard_streams(config, tmp_path):
    assert shell("$EVONET run small.yaml --quiet --output out <&- >&- 2>&-", tmp_path) == (0, "", "")
    assert main(["inspect", "out"]) == 0


def test_the_verdict_is_coloured_on_a_terminal_unless_no_color_is_set(config, capsys, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main(["run", config, "--output", "out", "--quiet"]) == 0
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["inspect", "out"]) == 0
    coloured = capsys.readouterr().out
    assert coloured.startswith("\x1b[31mNot solved\x1b[0m  small")
    assert "\x1b[2moptimistically biased\x1b[0m" in coloured
    for name, value in (("NO_COLOR", "1"), ("TERM", "dumb")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert main(["inspect", "out"]) == 0
        plain = capsys.readouterr().out
        assert "\x1b" not in plain
        assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_only_colours_reach_the_terminal_from_a_text(capsys):
    print_painted("\x1b[32mSolved\x1b[0m \x1b[2J\x07")
    assert capsys.readouterr().out == "\x1b[32mSolved\x1b[0m \\x1b[2J\\x07\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_sentences_are_wrapped_to_a_terminal_and_commands_stay_whole_to_be_copied(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    sentence, words = "note: a generation takes about 600 ms, a validation about 78.1 ms", "x" * 60
    command = "resume with: .venv/bin/evonet resume runs/a --allow-import game"
    assert wrapped_for(f"{sentence}\n{command}", io.StringIO()) == f"{sentence}\n{command}"
    wrapped = f"note: a generation takes about 600 ms,\na validation about 78.1 ms\n{command}"
    assert wrapped_for(f"{sentence}\n{command}", Terminal()) == wrapped
    assert wrapped_for(words, Terminal()) == words
