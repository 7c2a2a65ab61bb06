"""FAULTS.md, rows 27 and 28: configs that a stranger wrote to crash, to fill the memory, or to run code."""

import contextlib
import json
import shutil
import subprocess
import sys
import tracemalloc

import pytest

from evonet.cli import main
from evonet.errors import ConfigError
from evonet.evaluation.task_descriptions import CHAMPION_LIMITS
from evonet.experiment.config import Config
from evonet.experiment.config.bounded_yaml import LONGEST_CONFIG
from evonet.files.archive import pack_archive, read_archive
from evonet.files.bounded import reading
from tests.environments_for_tests import MODULE
from tests.stopped_runs import SMALL, run_whole

BASE = "environment: {id: CartPole-v1}\n"
ROOM = LONGEST_CONFIG - len(BASE) - 20
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 10)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}], y: *a{i - 1}}}\n" for i in range(1, 40)
)
TOO_LONG = f"a config must have at most {LONGEST_CONFIG} bytes, and this one has more"
INVALID = "not valid YAML: "
HOSTILE = {
    "alias bomb": (BASE + BOMB, "5:10", f"{INVALID}there are more than 2000 values"),
    "bomb of merges": (BASE + MERGES, "8:15", f"{INVALID}there are more than 2000 values"),
    "list within itself": (BASE + "a: &a [*a]\n", "2:8", f"{INVALID}an alias refers to a value that contains it"),
    "section within itself": (
        BASE + "a: &a {b: *a}\n",
        "2:11",
        f"{INVALID}an alias refers to a value that contains it",
    ),
    "alias of nothing": (BASE + "seed: *nobody\n", "2:7", f"{INVALID}found undefined alias 'nobody'"),
    "tag of code": (BASE + "name: !!python/object/apply:os.system [touch pwned]\n", "2:1", "name must be text, got ["),
    "tag that is a lie": (BASE + "seed: !!int abc\n", "2:7", f"{INVALID}the value is not 'int'"),
    "tag of an impossible day": (BASE + "name: !!timestamp 99999-99-99\n", "2:7", INVALID),
    "depth 20,000, open": (BASE + "a: " + "[" * 20_000, "2:44", f"{INVALID}nested more than 40 levels deep"),
    "depth 20,000": (BASE + "a: " + "[" * 20_000 + "]" * 20_000, "2:44", f"{INVALID}nested more than 40 levels deep"),
    "depth of sections": (BASE + "a: " + "{a: " * 2000, "2:157", f"{INVALID}nested more than 40 levels deep"),
    "depth by indent": (BASE + "".join(f"{' ' * i}a:\n" for i in range(300)), "41:40", f"{INVALID}nested more than 40"),
    "2 MB in a line": (BASE + "name: " + "x" * 2_000_000, "2:1", TOO_LONG),
    "2 MB of lines": (BASE + "k: 1\n" * 400_000, "13103:1", TOO_LONG),
    "NUL": (BASE + "name: a\0b\n", "2:8", f"{INVALID}the character #x0000 is not allowed"),
    "control character": (BASE + "name: a\x1bb\n", "2:8", f"{INVALID}the character #x001b is not allowed"),
    "huge whole number": (BASE + f"seed: {'9' * 5000}\n", "2:7", f"{INVALID}a number has more than 400 digits"),
    "huge hexadecimal": (BASE + f"seed: 0x{'f' * 50_000}\n", "2:7", f"{INVALID}a number has more than 400 digits"),
    "huge fraction": (BASE + f"stop: {{target: {'9' * 9000}.5}}\n", "2:16", f"{INVALID}a number has more than 400"),
    "beyond all floats": (BASE + "stop: {target: 1e999999}\n", "2:8", "stop.target must be finite or 'auto', got inf"),
    "duplicate key": (BASE + "seed: 1\nseed: 2\n", "3:1", f'{INVALID}found duplicate key "seed"'),
    "duplicate section": (BASE + BASE, "2:1", f'{INVALID}found duplicate key "environment"'),
    "keys that read alike": (BASE + "1: a\n'1': b\n", "3:1", f"{INVALID}found duplicate key '1'"),
    "key that is a list": (BASE + "? [a, b]\n: c\n", "2:3", f"{INVALID}a key must be a text, got a list or a section"),
    "half of a character": (BASE + 'name: "\\ud800"\n', "2:1", "name must be text that UTF-8 can hold, got '\\ud800'"),
    "two documents": (BASE + "---\n" + BASE, "2:1", f"{INVALID}a second document begins here"),
    "version of the future": ("%YAML 9.9\n---\n" + BASE, "1:1", INVALID),
    "900 unknown keys": (BASE + "".join(f"k{i}: 1\n" for i in range(900)), "2:1", "k0 is not a known key; known: "),
    "most escapes": (
        BASE + 'name: "' + "\\x41" * (ROOM // 4) + '"\n',
        "2:1",
        "name must have at most 200 characters, got 'A",
    ),
    "most words": (BASE + f"name: {'x ' * (ROOM // 2)}\n", "2:1", "name must have at most 200 characters, got 'x x x"),
    "most anchors": (BASE + f"a: [{'&a 1,' * 1900}]\n", "2:1", "a is not a known key"),
}


def refusal(text, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        Config.load(str(path))
    return str(refused.value).replace(f"{path}:", "")


@contextlib.contextmanager
def few_calls():
    """Fail if more functions are called than a config of 64 KB needs: 3.3 million for the dearest of these.

    Unlike time, that is the same on every machine, however busy. It is counted from the first call to the last, so that
    what takes for ever fails as well.
    """
    count = 0

    def called(frame, event, function):
        nonlocal count
        count += 1
        if count > 10_000_000:
            raise AssertionError("too many calls")

    sys.setprofile(called)
    try:
        yield
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize(("text", "place", "message"), HOSTILE.values(), ids=HOSTILE)
def test_fault_27_hostile_yaml(text, place, message, tmp_path):
    with few_calls():
        first, *_ = refusal(text, tmp_path).splitlines()
    assert first.startswith(f"{place}: {message}")
    assert len(first) < 400


def test_fault_27_hostile_yaml_takes_little_memory(tmp_path):
    tracemalloc.start()
    try:
        for name in ("alias bomb", "bomb of merges", "depth 20,000", "2 MB in a line", "most escapes", "most anchors"):
            tracemalloc.reset_peak()
            refusal(HOSTILE[name][0], tmp_path)
            assert tracemalloc.get_traced_memory()[1] < 40_000_000, name
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["alias bomb", "depth 20,000", "2 MB of lines", "NUL", "tag of code"])
def test_fault_27_hostile_yaml_is_an_error_at_the_command_line_without_a_traceback(name, tmp_path, capsys):
    text, place, message = HOSTILE[name]
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    assert main(["run", str(path), "--output", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith(f"evonet: {path}:{place}: {message}")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        (
            f"network: {{hidden: {10**30}}}\n",
            "2:11",
            "network.hidden must make a genome of at most 1,000,000,000 genes",
        ),
        (
            "network: {hidden: 2}\nalgorithm: {population_size: 1000000000000}\n",
            "3:1",
            "algorithm: a population of gen",
        ),
        (f"evaluation: {{episodes: {10**14}}}\n", "2:14", f"evaluation.episodes must be at most 1000000, got {10**14}"),
        (f"validation: {{episodes: {10**14}}}\n", "2:14", "validation.episodes must be at most 1000000"),
        (f"test: {{episodes: {10**14}}}\n", "2:8", "test.episodes must be at most 1000000"),
        ("evaluation: {workers: 100000}\n", "2:14", "evaluation.workers must be at most 1000 or 'auto', got 100000"),
    ],
    ids=lambda value: value.partition(":")[0],
)
def test_fault_27_sizes_beyond_all_machines_are_errors_with_their_position(text, place, message, tmp_path, capsys):
    path = tmp_path / "c.yaml"
    path.write_text(BASE + text, encoding="utf-8")
    assert main(["run", str(path), "--output", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err.startswith(f"evonet: {path}:{place}: {message}")
    assert not (tmp_path / "run").exists()


def test_fault_27_where_the_memory_does_not_suffice_there_is_no_traceback(tmp_path, capsys):
    path = tmp_path / "c.yaml"
    size = "algorithm: {selection: {type: tournament, size: 1000000000000000}}\nstop: {generations: 2}\n"
    path.write_text(f"{BASE}network: {{hidden: 1}}\n{size}", encoding="utf-8")
    assert main(["run", str(path), "--output", str(tmp_path / "run")]) == 1
    assert capsys.readouterr().err.startswith("evonet: not enough memory: Unable to allocate ")


def test_fault_27_a_value_at_the_command_line_is_no_safer(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(BASE, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"--set name=.*nested more than 40 levels deep"):
        Config.load(str(path), [f"name={'[' * 3000}"])


@pytest.mark.parametrize(
    "text",
    [BASE + "#\n" * (ROOM // 4), BASE + "\n" * ROOM, BASE + "seed: 7" + " " * 30_000 + "# a\n", "\ufeff" + BASE],
    ids=["comments", "blank lines", "spaces", "byte order mark"],
)
def test_what_is_only_odd_is_read(text, tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    with few_calls():
        assert Config.load(str(path)).settings.environment.id == "CartPole-v1"


NAMED = {
    "environment": "environment: {id: 'evil:Env-v0'}\n",
    "wrapper": "environment: {id: CartPole-v1, wrappers: [{name: 'evil:Wrapper'}]}\n",
    "fitness": "fitness: {type: 'evil:fitness'}\nnetwork: {inputs: 2, outputs: 1}\n",
}


@pytest.fixture
def evil(tmp_path, monkeypatch):
    """A folder with a module that leaves a mark when it is imported; and where it would be found."""
    (tmp_path / "evil.py").write_text("open('pwned', 'w').close()\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("evil", None)


@pytest.mark.parametrize("command", [["run"], ["check"], ["study", "--seeds", "2"]], ids=lambda command: command[0])
@pytest.mark.parametrize("what", NAMED)
def test_fault_28_config_that_imports_code(what, command, evil, capsys):
    (evil / "c.yaml").write_text(NAMED[what], encoding="utf-8")
    assert main([command[0], "c.yaml", *command[1:]]) == 2
    said = capsys.readouterr().err
    assert said.startswith("evonet: c.yaml:1:")
    assert "would import the module 'evil', which runs its code; to allow that, add --allow-import evil" in said
    assert "evil" not in sys.modules
    assert not (evil / "pwned").exists()
    assert not (evil / "runs").exists()


def test_fault_28_a_function_of_python_itself_is_no_exception(evil, capsys):
    (evil / "c.yaml").write_text("fitness: {type: 'os:system'}\nnetwork: {inputs: 2, outputs: 1}\n", encoding="utf-8")
    assert main(["run", "c.yaml"]) == 2
    assert "would import the module 'os'" in capsys.readouterr().err


def test_fault_28_a_folder_from_which_a_module_is_allowed_replaces_no_installed_package(evil):
    """Leave for one module in the folder of a stranger's run is none for a file called like a package of evonet's."""
    walk = "import gymnasium\ngymnasium.register('W-v0', 'gymnasium.envs.classic_control:CartPoleEnv')\n"
    (evil / "walk.py").write_text(walk, encoding="utf-8")
    (evil / "cmaes.py").write_text("open('pwned', 'w').close()\n", encoding="utf-8")
    (evil / "c.yaml").write_text("environment: {id: 'walk:W-v0'}\nalgorithm: cma_es\n", encoding="utf-8")
    program = "import sys; from evonet.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-P", "-c", program, "check", "c.yaml", "--allow-import", "walk"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert not (evil / "pwned").exists()


def test_fault_28_with_allow_import_it_is_imported(evil, capsys):
    (evil / "c.yaml").write_text(NAMED["fitness"], encoding="utf-8")
    assert main(["check", "c.yaml", "--allow-import", "evil"]) == 2  # it has no such function
    assert "evonet: c.yaml:1:11: fitness.type" in capsys.readouterr().err
    assert (evil / "pwned").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["inspect", "whole"],
        ["inspect", "whole", "--json"],
        ["inspect", "whole", "--html"],
        ["replay", "whole", "--generation", "2", "--gif", "out.gif"],
        ["replay", "whole/champion.npz", "--gif", "out.gif"],
        ["export", "whole", "--to", "json", "out.json"],
        ["export", "whole", "--to", "hub", "hub"],
        ["check", "whole/config.yaml"],
        ["run", "whole/config.yaml"],
        ["study", "whole/config.yaml", "--seeds", "2"],
        ["compare", "whole", "other", "--html", "out.html"],
        ["replay", "whole", "--fault", "0"],
        ["replay", "whole", "--gif", "out.gif"],
        ["compare", "whole", "other"],
        ["resume", "whole", "--set", "stop.generations=8"],
    ],
    ids=" ".join,
)
def test_fault_28_a_run_directory_imports_no_code_that_it_names(command, evil, capsys):
    """Of a run in whose summary, config, faults and champion another module is named than it had when it ran."""
    walk = f"environment: {{id: '{MODULE}:evonet-tests/Walk-v0'}}\nevaluation: {{workers: 1}}\n{SMALL}"
    run = run_whole(evil, walk, "environment.kwargs={trouble: raise, at: 2, seeds: []}")
    fault = {
        "generation": 0, "individual": 0, "episode": 0, "seed": 1, "kind": "exception", "step": 2, "message": "",
        "traceback": "", "attempts": 1, "genome": {"start": 0, "size": 1}, "normaliser": None,
    }  # fmt: skip
    (run / "faults.jsonl").write_text(json.dumps(fault) + "\n", encoding="utf-8")
    for name in ("config.yaml", "run.json"):
        text = (run / name).read_text(encoding="utf-8")
        (run / name).write_text(text.replace(MODULE, "evil"), encoding="utf-8")
    with reading(run / "champion.npz") as file:
        header, arrays = read_archive(file, CHAMPION_LIMITS)
    header = json.loads(json.dumps(header).replace(MODULE, "evil"))
    (run / "champion.npz").write_bytes(pack_archive(header, arrays, CHAMPION_LIMITS))
    shutil.copytree(run, evil / "other")
    status = main(command)
    said = capsys.readouterr()
    assert "evil" not in sys.modules
    assert not (evil / "pwned").exists()
    if command[0] in {"inspect", "export"}:
        assert status == 0, said.err
        assert command[-1] != "--json" or json.loads(said.out)["generations"] == 6
    else:
        assert status in {0, 1, 2}
