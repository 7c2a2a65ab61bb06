"""The suite itself: what a test finds does not depend on the shell that started it, nor on the tests before it."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).parents[1]
PROBE = """\
import signal
from hypothesis import given, strategies as st

DRAWN = []

@given(st.lists(st.floats()), st.integers())
def test_draw(numbers, number):
    DRAWN.append((numbers, number))

def test_print():
    print("\\n", hash(repr(DRAWN)))

def test_signals():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL
"""


def ignore_signals():
    """Start as a shell without job control starts `nohup pytest &`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.skipif(os.name != "posix", reason="no other system starts processes with signals ignored")
def test_signals_are_restored_and_examples_do_not_depend_on_what_is_imported(tmp_path):
    (tmp_path / "test_probe.py").write_text(PROBE, encoding="utf-8")
    (tmp_path / "constants.py").write_text("NUMBERS = [101.25, 77777, 4242.5, 31337]\n" * 40, encoding="utf-8")
    printed = []
    for module in ("test_probe", "constants"):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-sq", "-p", "tests.conftest", "-p", module, "test_probe.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}", "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=ignore_signals,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        printed.append(done.stdout.splitlines()[1])
    assert printed[0].strip(" -").isdigit()
    assert printed[0] == printed[1]


def test_examples_are_fixed_unless_slow_tests_are_asked_for(request):
    assert settings().derandomize == (request.config.getoption("markexpr") != "slow")
    assert settings().deadline is None


def test_what_the_default_leaves_out_has_a_command_of_its_own_in_ci():
    steps = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert ".venv/bin/pytest -n 2 -m thorough" in steps
    assert ".venv-lowest/bin/python -m pytest -n 2 -m 'not slow'" in steps


def test_tests_that_start_a_browser_or_a_cluster_are_thorough():
    starting = [
        path
        for path in (ROOT / "tests").rglob("test_*.py")
        if path != Path(__file__)
        and re.search("import MARKS, browser|import DaskProcesses", path.read_text(encoding="utf-8"))
    ]
    assert len(starting) >= 4
    assert "pytest.mark.thorough" in (ROOT / "tests/browser.py").read_text(encoding="utf-8")
    thorough = re.compile("^pytestmark = (MARKS|pytest.mark.thorough)$", re.MULTILINE)
    assert [path for path in starting if not thorough.search(path.read_text(encoding="utf-8"))] == []
