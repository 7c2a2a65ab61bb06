"""Numba's machine code on disk may be damaged, foreign or impossible to write: results are right all the same."""

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough
ROOT = Path(__file__).parents[2]
PROGRAM = """
from evonet.environments.known import arithmetic
from evonet.evaluation.kernels.compilation import compiled_function

function = compiled_function(arithmetic.exp)
assert function(0.5) == arithmetic.exp(__import__("numpy").array([0.5]))[0]
print(*function.stats.cache_hits.values() or [0])
"""
SERVER = """
import json, os, sys
import evonet.environments.known, evonet.evaluation.kernels.compilation

for line in sys.stdin:
    order = json.loads(line)
    child = os.fork()
    if not child:
        for number, name in (1, "stdout"), (2, "stderr"):
            os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.environ.update(order["environment"])
        exec(order["program"], {})
        sys.stdout.flush()
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A function that runs the program in a new process, a fork of one that has imported Numba, and says how it went.

    It returns whether machine code came from the cache, and the lines of warnings.
    """
    folder = tmp_path_factory.mktemp("output")
    outputs = {name: str(folder / name) for name in ("stdout", "stderr")}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    variables = {**os.environ, "PYTHONWARNINGS": "default"}
    with subprocess.Popen([sys.executable, "-c", SERVER], cwd=ROOT, env=variables, **pipes) as server:

        def run_once(cache, before="", **environment):
            environment = {"NUMBA_CACHE_DIR": str(cache), **environment}
            order = {"program": before + PROGRAM, "environment": environment, **outputs}
            server.stdin.write(json.dumps(order) + "\n")
            server.stdin.flush()
            status, (said, warned) = server.stdout.readline(), [(folder / name).read_text() for name in outputs]
            assert status == "0\n", warned
            return said == "1\n", [line for line in warned.splitlines() if "EvonetWarning:" in line]

        yield run_once
        server.stdin.close()


@pytest.fixture(scope="module")
def filled(run, tmp_path_factory):
    """A cache with machine code in it."""
    cache = tmp_path_factory.mktemp("filled")
    assert run(cache) == (False, [])
    assert len(list(cache.rglob("*.nbc"))) == 1
    return cache


@pytest.fixture
def cache(filled, tmp_path):
    """A copy of it, to be damaged."""
    copy = tmp_path / "cache"
    shutil.copytree(filled, copy)
    return copy


def machine_code(cache):
    (path,) = cache.rglob("*.nbc")
    return path


def test_a_second_process_finds_the_machine_code(run, filled):
    assert run(filled) == (True, [])


@pytest.mark.parametrize("share", [None, 0.0, 0.5, 0.999])
def test_machine_code_with_a_flipped_bit_is_compiled_anew(run, cache, share):
    path = machine_code(cache)
    content = bytearray(path.read_bytes())
    content[0 if share is None else 32 + int(share * (len(content) - 32))] ^= 4
    path.write_bytes(content)
    from_cache, (warning,) = run(cache)
    assert not from_cache
    assert f"Numba's machine code is damaged: {path}; it is compiled again" in warning
    assert run(cache) == (True, [])


@pytest.mark.parametrize("size", [0, 1000])
def test_truncated_machine_code_is_compiled_anew(run, cache, size):
    path = machine_code(cache)
    os.truncate(path, size)
    from_cache, (warning,) = run(cache)
    assert not from_cache
    assert "damaged" in warning
    assert run(cache) == (True, [])


def test_where_nothing_can_be_written_it_is_compiled_without_a_cache(run, tmp_path):
    refused = "import os, pathlib\ndef mkdir(*_, **__): raise PermissionError(13, 'Permission denied')\n"
    from_cache, (warning,) = run(tmp_path, before=refused + "pathlib.Path.mkdir = mkdir\n")
    assert not from_cache
    assert f"each run compiles again: {tmp_path}/evonet: Permission denied" in warning


def test_a_folder_that_this_user_cannot_write_is_not_used(run, cache):
    (cache / "evonet").chmod(0o500)
    refused = "import os\nos.access = lambda *_: False\n"  # a superuser may write everywhere
    from_cache, (warning,) = run(cache, before=refused)
    (cache / "evonet").chmod(0o700)
    assert not from_cache
    assert "must belong to this user alone" in warning


def test_without_a_home_the_folder_is_among_the_temporary_files(run, tmp_path):
    homeless = {"NUMBA_CACHE_DIR": "", "HOME": "/nonexistent/home", "XDG_CACHE_HOME": "", "TMPDIR": str(tmp_path)}
    before = "import os, pathlib\nreal = pathlib.Path.mkdir\n"
    before += "def mkdir(self, *a, **k):\n    if 'nonexistent' in str(self): raise PermissionError(13, 'denied')\n"
    before += "    return real(self, *a, **k)\npathlib.Path.mkdir = mkdir\n"
    assert run(tmp_path, before, **homeless) == (False, [])
    assert machine_code(tmp_path).parent.name == f"evonet-{os.getuid()}"
    assert run(tmp_path, before, **homeless) == (True, [])


def test_a_full_disk_costs_the_cache_and_nothing_else(run, tmp_path):
    full = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    from_cache, (warning,) = run(tmp_path, before=full)
    assert not from_cache
    assert "cannot be kept" in warning
    assert list(tmp_path.rglob("*.*")) == []  # no half of a file either
    assert run(tmp_path) == (False, [])


@pytest.mark.parametrize("mode", [0o770, 0o755])
def test_a_folder_that_others_can_enter_is_not_trusted(run, cache, mode):
    (cache / "evonet").chmod(mode)
    from_cache, _ = run(cache, XDG_CACHE_HOME=str(cache.parent / "other"))
    assert not from_cache
    assert machine_code(cache.parent / "other")


def test_a_link_to_a_folder_is_not_trusted(run, cache, tmp_path):
    (cache / "evonet").rename(tmp_path / "elsewhere")
    (cache / "evonet").symlink_to(tmp_path / "elsewhere")
    from_cache, _ = run(cache, XDG_CACHE_HOME=str(tmp_path / "other"))
    assert not from_cache


def test_a_run_with_damaged_machine_code_says_so_in_one_line_and_gets_the_same_bits(tmp_path):
    def metrics(name):
        command = [sys.executable, "-m", "evonet", "run", "configs/cartpole.yaml", "--output", str(tmp_path / name)]
        command += ["--quiet", "--set", "evaluation.engine=numba", "--set", "stop.generations=3"]
        environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        return (tmp_path / name / "metrics.jsonl").read_bytes(), done.stderr

    first, nothing = metrics("first")
    assert nothing == ""
    path = machine_code(tmp_path / "cache")
    path.write_bytes(b"")
    second, said = metrics("second")
    assert said == f"evonet: Numba's machine code is damaged: {path}; it is compiled again\n"
    assert second == first
    assert math.prod(path.stat().st_size for path in (tmp_path / "cache").rglob("*.nbc")) > 0
