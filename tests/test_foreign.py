"""Foreign code: how its errors are told, and that it is called nowhere but through the door."""

import argparse
import ast
import asyncio
import contextlib
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import evonet
from evonet import foreign
from evonet.cli import main
from evonet.errors import ConfigError, EnvironmentUnavailable, EvonetWarning, OutOfTime
from tests.environments_for_tests import MODULE

PACKAGE = Path(evonet.__file__).parent

# What a call of foreign code is named: methods of environments, functions that make one, imports, a user's function.
METHODS = {"reset", "step", "_step", "render", "make", "make_vec", "exec_module", "function"}
FUNCTIONS = {"make_environment", "check_env", "import_module", "source", "function", "wrapper"}
ENVIRONMENT = re.compile(r"env|sample|instance")  # in the name of what is closed

# Every place of such a call. A new one belongs to the first table, or calls what is in it.
DOOR = {
    "evonet.foreign": {"importlib.import_module"},
    "evonet.environments.ids": {"foreign.import_module", "function"},
    "evonet.environments.instance": {
        "environment.reset", "self._step", "self.open().render", "source", "source.make", "foreign.close(environment)"
    },
    "evonet.environments.keyword_arguments": {"function"},
    "evonet.environments.specification": {"gym.make", "self.env.reset", "close(environment)"},
    "evonet.environments.wrappers": {"wrapper"},
    "evonet.activations": {"import_module"},
    "evonet.experiment.build": {"import_module"},
    "evonet.evaluation.measuring": {"import_module", "self.function"},
    "evonet.function_fitness": {"self.function"},
    "evonet.experiment.config.own_parts": {"import_module"},
}  # fmt: skip
THROUGH_THE_DOOR = {
    "evonet.environments.known.parameter": {"self.environment.make"},
    "evonet.environments.noise_inputs": {"super().reset"},
    "evonet.environments.fixed_seed": {"super().reset"},
    "evonet.evaluation.cartpole_vector_engine": {"single.reset"},
    "evonet.evaluation.gymnasium_engine": {
        "self._instances[slot].reset",
        "self._instances[slot].close",
        "instance.close",
    },
    "evonet.inspection.analysis.trajectory": {"self._instance.reset", "self._instance.step"},
    "evonet.replay.episodes": {"instance.render", "instance.reset", "instance.step"},
    "evonet.inspection.report.recording": {"instance.render"},
    "evonet.task": {"make_environment"},
    "evonet.watch.rendering": {"_Playing.instance.close", "_Playing.instance.render"},
}
NOT_FOREIGN = {  # evonet's own code, Gymnasium's and EnvPool's own, and plots
    "evonet": {"importlib.import_module"},
    "evonet.activations": {"function"},
    "evonet.champion": {"self.network.reset", "self.policy.reset"},
    "evonet.cli": {"importlib.import_module"},
    "evonet.cluster.connection": {"importlib.import_module"},
    "evonet.cluster.session": {"function"},
    "evonet.environments.checker": {"check_env"},
    "evonet.environments.double_pole": {"self.render", "super().reset"},
    "evonet.environments.maze": {"self.render", "super().reset"},
    "evonet.evaluation.cartpole_vector_engine": {"environment.reset", "environment.step", "gym.make_vec"},
    "evonet.evaluation.envpool_engine": {"pool.reset"},
    "evonet.evaluation.executors.chunk_worker": {"importlib.import_module"},
    "evonet.evaluation.executors.pooled": {"sample.close"},
    "evonet.evaluation.gymnasium_engine": {"self._policy.reset", "self._step"},
    "evonet.evaluation.kernels.codegen": {"task.decoder.source"},
    "evonet.evaluation.kernels.compilation": {"loader.exec_module"},
    "evonet.evaluation.kernels.numpy_engine": {"self._step", "task.kernel.step"},
    "evonet.extras": {"importlib.import_module"},
    "evonet.inspection.analysis.trajectory": {"policy.reset"},
    "evonet.inspection.comparison.figures": {"axes.step"},
    "evonet.inspection.comparison.page": {"environment.from_string(template).render"},
    "evonet.inspection.plots.behaviour": {"ax.step"},
    "evonet.inspection.plots.learning": {"ax.step"},
    "evonet.inspection.study_page": {"axes.step"},
    "evonet.replay.episodes": {"policy.reset"},
    "evonet.inspection.report": {"environment.from_string(_read('page.html')).render"},
    "evonet.lazy": {"importlib.import_module"},
    "evonet.network": {"importlib.import_module"},
    "evonet.processes.worker_loop": {"function"},
    "evonet.progress_bar": {"importlib.import_module"},
    "evonet.testing.environment": {"_fitness(environment).close"},
}
CONTRACTS = {"evonet.testing.kernel"}  # which compare with an environment, and may fail as it does

# Each catches all errors, of files and packages, not of foreign code, or passes the error on.
CATCH_ALL = {
    "evonet.cli",
    "evonet.cluster.calls",
    "evonet.cluster.connection",
    "evonet.evaluation.executors.futures_pool",
    "evonet.evaluation.executors.scheduler",
    "evonet.evaluation.kernels.cache",
    "evonet.experiment.config.bounded_yaml",
    "evonet.experiment.background",
    "evonet.experiment.run_files.run_directory",
    "evonet.experiment.run_loop",
    "evonet.experiment.session",
    "evonet.files.archive",
    "evonet.files.bounded",
    "evonet.files.directory",
    "evonet.files.journal",
    "evonet.files.text",
    "evonet.processes.worker",
    "evonet.processes.worker_cache",
    "evonet.processes.worker_loop",
    "evonet.testing.environment",
}


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        yield name, path.read_text(encoding="utf-8")


def foreign_calls(source):
    """The calls in `source` that run foreign code, or look as if they did."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        name, is_method = called.rpartition(".")[2], "." in called
        first = ast.unparse(node.args[0]) if node.args else ""
        if (
            name in FUNCTIONS
            or (is_method and name in METHODS)
            or (name == "close" and is_method and ENVIRONMENT.search(called))
        ):
            yield called
        elif name in ("close", "closing") and ENVIRONMENT.search(first):
            yield f"{called}({first})"


def together(*tables):
    whole = {}
    for table in tables:
        for module, calls in table.items():
            whole[module] = whole.get(module, set()) | calls
    return whole


def test_every_place_where_foreign_code_is_called_is_the_door_or_goes_through_it():
    found = {module: set(foreign_calls(source)) for module, source in modules() if module not in CONTRACTS}
    assert {module: calls for module, calls in found.items() if calls} == together(DOOR, THROUGH_THE_DOOR, NOT_FOREIGN)


@pytest.mark.parametrize(
    "source",
    [
        "observation, _ = environment.reset(seed=1)",
        "self._env.step(action)",
        "with contextlib.closing(task.make_environment()) as sample: pass",
        "gymnasium.make('CartPole-v1').render()",
        "importlib.import_module(name)",
        "sample.close()",
        "import_module('mine')",
    ],
)
def test_a_call_past_the_door_is_found(source):
    assert list(foreign_calls(source))


def test_no_other_module_catches_all_errors():
    caught = {"Exception", "BaseException", "SystemExit"}
    found = set()
    for module, source in modules():
        for node in ast.walk(ast.parse(source)):
            kinds = node.type if isinstance(node, ast.ExceptHandler) else None
            suppressed = isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress")
            named = [kinds] if kinds is not None else node.args if suppressed else []
            if any(part.id in caught for each in named for part in ast.walk(each) if isinstance(part, ast.Name)):
                found.add(module)
    assert found == CATCH_ALL


def test_signals_pass_every_place_where_foreign_code_is_called():
    for module, source in modules():
        for node in ast.walk(ast.parse(source)):
            handlers = [ast.unparse(each.type) for each in getattr(node, "handlers", ()) if each.type is not None]
            for number, handler in enumerate(handlers):
                if handler in ("ANY_ERROR", "foreign.ANY_ERROR"):
                    assert any("INTERRUPTS" in earlier for earlier in handlers[:number]), (module, node.lineno)
                    is_context = module in ("evonet.foreign", "evonet.environments.packages")
                    yields = any(isinstance(part, ast.Yield) for line in node.body for part in ast.walk(line))
                    assert is_context or not yields, (module, node.lineno)  # closing a generator raises in it


def raised(error):
    try:
        raise error
    except foreign.ANY_ERROR as caught:
        return foreign.described(caught)


class Panic(BaseException):
    """What extensions in Rust raise; event loops raise such errors, too."""


class Mute(Exception):
    def __str__(self):
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "description"),
    [
        (ValueError("too fast"), "ValueError: too fast"),
        (ValueError("too fast\nby far"), "ValueError: too fast"),
        (ValueError("\n  too fast  \n"), "ValueError: too fast"),
        (ValueError("these are missing:\n - a wheel\n - a door"), "ValueError: these are missing: - a wheel"),
        (ValueError("it ends at a colon:"), "ValueError: it ends at a colon"),
        (AssertionError(), "AssertionError"),
        (KeyError("speed"), "KeyError: 'speed'"),
        (Mute(), "Mute"),
        (Panic("index out of bounds"), "Panic: index out of bounds"),
        (asyncio.CancelledError(), "CancelledError"),
        (ValueError(f"no such tile: {object()}"), "ValueError: no such tile: <object object>"),
        (SystemExit(), "it left the program (sys.exit)"),
        (SystemExit(2), "it left the program (sys.exit)"),
        (SystemExit("no licence"), "it left the program (sys.exit): no licence"),
    ],
)
def test_an_error_is_described_by_its_type_its_line_and_its_first_line(error, description):
    line = raised.__code__.co_firstlineno + 2
    described = raised(error)
    assert f" in tests/test_foreign.py:{line}" in described
    assert foreign.without_place(described) == description


def test_the_last_line_of_foreign_code_is_named_not_of_the_libraries_that_it_calls():
    def calls_numpy_and_the_standard_library():
        list(map(np.linalg.inv, [np.zeros((2, 2))]))

    with pytest.raises(np.linalg.LinAlgError) as failed:
        calls_numpy_and_the_standard_library()
    line = calls_numpy_and_the_standard_library.__code__.co_firstlineno + 1
    assert foreign.described(failed.value) == f"LinAlgError in tests/test_foreign.py:{line}: Singular matrix"


def test_an_error_of_evonet_itself_has_no_line():
    with pytest.raises(ValueError) as failed:
        evonet.EpisodeReturn("CartPole-v1", hidden=-1)
    failed.value.__traceback__ = failed.value.__traceback__.tb_next  # without this test's own line
    assert foreign.described(failed.value) == "ValueError: EpisodeReturn.hidden must be at least 0, got -1"


def package(folder, **files):
    (folder / "faraway").mkdir()
    for name, text in {"__init__": "", **files}.items():
        (folder / "faraway" / f"{name}.py").write_text(text, encoding="utf-8")


@pytest.fixture
def importable(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "faraway"]:
        del sys.modules[name]


def test_a_line_is_named_from_the_top_level_package_on(importable):
    package(importable, __init__="def a():\n    raise OSError('a')\n", world="def b():\n    raise OSError('b')\n")
    for module, name, place in (("faraway", "a", "__init__.py"), ("faraway.world", "b", "world.py")):
        with pytest.raises(OSError) as failed:
            getattr(foreign.import_module(module), name)()
        assert foreign.described(failed.value) == f"OSError in faraway/{place}:2: {name}"


@pytest.mark.parametrize("reads", ["argparse.ArgumentParser().parse_args()", "assert not sys.argv[1:], sys.argv"])
def test_a_module_that_reads_the_arguments_of_the_program_finds_none(importable, monkeypatch, reads):
    monkeypatch.setattr(sys, "argv", ["evonet", "run", "c.yaml"])
    package(importable, script=f"import argparse, sys\n{reads}\n")
    foreign.import_module("faraway.script")
    assert sys.argv == ["evonet", "run", "c.yaml"]


def test_the_arguments_come_back_when_an_import_fails(importable, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["evonet", "run"])
    package(importable, script="raise SystemExit(0)")
    with pytest.raises(SystemExit):
        foreign.import_module("faraway.script")
    assert sys.argv == ["evonet", "run"]


@pytest.mark.parametrize(
    "error", [OSError("no link"), SystemExit(0), StopIteration(), GeneratorExit("strange"), Panic("index")]
)
def test_what_is_raised_in_the_guard_becomes_an_error_that_says_what_failed(error):
    guard = foreign.guarded("the game cannot be made", EnvironmentUnavailable)
    with pytest.raises(EnvironmentUnavailable) as failed, guard:
        raise error
    assert str(failed.value).startswith("the game cannot be made: ")
    assert failed.value.__cause__ is error


@pytest.mark.parametrize("error", [ConfigError("no such file"), KeyboardInterrupt(), OutOfTime()])
def test_errors_of_evonet_and_interrupts_pass_the_guard(error):
    with pytest.raises(type(error)) as passed, foreign.guarded("the game", EnvironmentUnavailable):
        raise error
    assert passed.value is error


@pytest.mark.parametrize("error", [SystemExit(1), Panic("window")])
def test_closing_never_raises(error):
    class Door:
        def close(self):
            raise error

    with pytest.warns(EvonetWarning, match=r"^the door cannot be closed: (it left the program|Panic)"):
        foreign.close(Door(), "the door")


def test_a_signal_that_comes_while_foreign_code_closes_is_not_lost():
    class Door:
        def close(self):
            raise OutOfTime

    with pytest.raises(OutOfTime):
        foreign.close(Door(), "the door")


def test_the_working_directory_comes_back(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with contextlib.suppress(OSError), foreign.working_directory_kept() as start:
        os.chdir("/")
        assert start == tmp_path
        raise OSError
    assert Path.cwd() == tmp_path


LEAVING = """
import os, sys
import gymnasium as gym
from tests.environments_for_tests import Walk

class Leaving(Walk):
    metadata = {"render_modes": ["rgb_array"]}
    def __init__(self, where="", render_mode=None):
        super().__init__()
        self.where, self.render_mode = where, render_mode
        self.go("make")
    def go(self, where):
        if where == self.where:
            sys.exit(0)
        if self.where == f"move in {where}":
            os.chdir("/")
    def reset(self, *, seed=None, options=None):
        self.go("reset")
        return super().reset(seed=seed)
    def step(self, action):
        self.go("step")
        return super().step(action)
    def close(self):
        self.go("close")
    def render(self):
        import numpy as np
        self.go("render")
        return np.full((4, 4, 4), 0.5)

gym.register("faraway/Leaving-v0", Leaving)
fitness_calls = 0
def fitness(genomes, seeds):
    global fitness_calls
    fitness_calls += 1
    if fitness_calls > 2:
        sys.exit(0)
    return genomes.sum(axis=1)
"""
SMALL = """
environment: {{id: "faraway.games:faraway/Leaving-v0", kwargs: {{where: "{where}"}}, max_steps: 20}}
network: {{hidden: 2}}
algorithm: {{population_size: 4, elites: 1}}
evaluation: {{episodes: 1, workers: 1}}
validation: {{episodes: 1}}
test: {{episodes: 1}}
stop: {{generations: 2}}
"""
OWN = """
fitness: {type: "faraway.games:fitness"}
network: {inputs: 2, hidden: 2, outputs: 1}
algorithm: {population_size: 4, elites: 1}
evaluation: {episodes: 1}
validation: null
test: {episodes: 1}
stop: {generations: 9}
"""
ALLOW = ("--allow-import", "faraway")


@pytest.fixture
def games(importable, monkeypatch):
    package(importable, games=LEAVING)
    monkeypatch.chdir(importable)

    def config(where):
        (importable / "c.yaml").write_text(SMALL.format(where=where), encoding="utf-8")
        return importable

    yield config
    import gymnasium

    gymnasium.registry.pop("faraway/Leaving-v0", None)


@pytest.mark.parametrize("where", ["make", "reset", "step"])
def test_an_environment_that_leaves_the_program_ends_no_command_in_silence(games, capsys, where):
    games(where)
    for command in ("check", "run"):
        assert main([command, "c.yaml", *ALLOW]) == 1
        said = "".join(capsys.readouterr())
        assert "it left the program (sys.exit) in faraway/games.py:" in said


def test_a_quiet_study_whose_run_fails_says_why(games, capsys):
    games("step")
    arguments = ["study", "c.yaml", "--seeds", "1", "--workers", "1", "--output", "out", "--quiet", *ALLOW]
    assert main(arguments) == 1
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("evonet: the run with seed 0 failed: generation 0: 4 of 4 individuals failed")


@pytest.mark.filterwarnings("default::evonet.errors.EvonetWarning")
def test_an_environment_that_leaves_the_program_when_it_is_closed_loses_nothing(games, capsys):
    folder = games("close")
    assert main(["run", "c.yaml", "--output", "out", *ALLOW]) == 0
    assert (folder / "out" / "run.json").exists()
    notice = "the environment cannot be closed: it left the program (sys.exit) in faraway/games.py:"
    assert capsys.readouterr().err.count(notice) == 1


def test_a_renderer_that_leaves_the_program_is_an_error_of_the_replay(games, capsys):
    games("render")
    assert main(["run", "c.yaml", "--output", "out", "--quiet", *ALLOW]) == 0
    assert main(["replay", "out", "--gif", "a.gif", *ALLOW]) == 1
    assert "the environment cannot be rendered: it left the program (sys.exit)" in capsys.readouterr().err


@pytest.mark.parametrize("where", ["move in make", "move in reset", "move in close"])
def test_relative_paths_are_those_of_the_user_though_an_environment_moves_away(games, capsys, where):
    pytest.importorskip("PIL")
    folder = games(where)
    assert main(["run", "c.yaml", "--output", "out", *ALLOW]) == 0
    assert "  evonet inspect out --weights\n" in capsys.readouterr().err
    assert {"run.json", "champion.npz", "checkpoints"} <= {path.name for path in (folder / "out").iterdir()}
    os.chdir(folder)
    assert main(["resume", "out", "--set", "stop.generations=3", *ALLOW]) == 0
    os.chdir(folder)
    assert main(["replay", "out", "--gif", "a.gif", *ALLOW]) == 0
    assert (folder / "a.gif").read_bytes().startswith(b"GIF")
    os.chdir(folder)
    assert main(["run", "c.yaml", *ALLOW, "--quiet"]) == 0
    assert len(list((folder / "runs").iterdir())) == 1
    assert Path.cwd() == folder


def test_a_fitness_function_that_leaves_the_program_ends_the_run_with_the_command_that_continues_it(games, capsys):
    folder = games("")
    (folder / "own.yaml").write_text(OWN.replace("validation: null\n", ""), encoding="utf-8")
    assert main(["run", "own.yaml", "--output", "out", *ALLOW]) == 1
    error = capsys.readouterr().err.splitlines()
    line = r"evonet: own.yaml:2:11: fitness.type 'faraway.games:fitness' failed: it left the program"
    assert re.match(re.escape(line) + r" \(sys.exit\) in faraway/games.py:\d+$", error[0])
    assert error[1].startswith("resume with: evonet resume out")
    assert list((folder / "out" / "checkpoints").iterdir())


def test_a_command_that_other_code_ends_says_so(monkeypatch, capsys):
    parsed = argparse.Namespace(command=lambda options: sys.exit(0))
    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", lambda self, arguments: parsed)
    assert main([]) == 1
    assert "code that evonet called did not return: it left the program (sys.exit)" in capsys.readouterr().err


def test_a_usage_error_keeps_its_status():
    with pytest.raises(SystemExit) as usage:
        main(["no-such-command"])
    assert usage.value.code == 2


def test_faults_name_the_line_of_the_environment():
    fitness = evonet.EpisodeReturn(f"{MODULE}:evonet-tests/Walk-v0", hidden=2, kwargs={"trouble": "raise"})
    results = fitness(np.zeros((1, fitness.architecture.genome_size)), np.arange(3))
    place = r"^ValueError in tests/environments_for_tests\.py:\d+: broken at step 1$"
    assert all(re.match(place, fault.message) for fault in results.faults)
    fitness.close()
