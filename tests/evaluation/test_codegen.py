"""The module that Numba compiles for a task holds all that the kernel's functions refer to, and nothing else."""

import importlib.util
import math
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from evonet.environments.known import arithmetic
from evonet.errors import EvonetError, EvonetWarning
from evonet.evaluation.kernels import KernelEngine, NumpyEngine, auto
from evonet.evaluation.kernels.codegen import module_source, rollout_source
from evonet.evaluation.kernels.compilation import compiled_function
from evonet.evaluation.kernels.task import KernelTask
from tests.evaluation.kernel_cases import bits, genomes_for, register_walk, run, task_for

SCALE, LIMITS, ENDLESS, NARROW = 2.5, (-1.0, 3.0), math.inf, np.float32(0.1)
TABLE, WITHOUT_AXES = np.array([1.0, -2.0, 4.0]), np.array(0.3, np.float32)


def shifted(x, by=SCALE):
    return x + by


def made(factor):
    def scaled(x):
        return x * factor

    return scaled


SCALED = made(3.0)


def all_at_once(x: float) -> float:
    """Refers to numbers, tuples, arrays, modules, functions, a closure and a default."""
    y: float = arithmetic.bounded(SCALED(x), LIMITS[0], LIMITS[1]) + shifted(np.abs(x)) + TABLE[1] * NARROW
    larger = arithmetic.where(y < ENDLESS, y, 0.0) * WITHOUT_AXES
    return larger + math.floor(x) + max(abs(x), 1.0)


def test_a_function_gets_the_same_bits_compiled_whatever_it_refers_to():
    for x in (-2.75, 0.0, 0.3, 41.0):
        assert compiled_function(all_at_once)(x) == all_at_once(np.array([x])[0])


def share(x: float) -> float:
    """From 0 to 1."""
    y: float = arithmetic.bounded(x, 0.0, 1.0)
    return y


def test_clipping_keeps_the_sign_of_zero_compiled_or_not():
    for zero in (0.0, -0.0):
        for clipped in (share(np.array([zero]))[0], compiled_function(share)(zero)):
            assert math.copysign(1, clipped) == math.copysign(1, zero)


def test_the_text_stands_alone():
    source = module_source(all_at_once, {})
    assert "SCALE" not in source
    assert "arithmetic." not in source.replace("`arithmetic.", "")
    assert re.search(r"x \* 3\.0", source)
    assert re.search(r"numpy\.float32\(0\.3\d*\)", source), "an array without axes is a number"


def test_the_same_task_gives_the_same_text_in_every_process():
    program = (
        "from tests.evaluation.kernel_cases import task_for\n"
        "from evonet.evaluation.kernels.codegen import rollout_source\n"
        "from evonet.evaluation.kernels.task import KernelTask\n"
        "print(rollout_source(KernelTask.of(task_for('Acrobot-v1'))), end='')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == rollout_source(KernelTask.of(task_for("Acrobot-v1")))


def test_a_constant_makes_another_text(monkeypatch):
    before = module_source(shifted, {})
    monkeypatch.setattr(shifted, "__defaults__", (2.500001,))
    assert module_source(shifted, {}) != before


def foreign(x):
    return x + SOMETHING.value


class SOMETHING:
    value = 1.0


def test_what_cannot_be_written_down_is_named():
    message = r"^Numba cannot compile 'foreign': it uses 'SOMETHING', which is a type; a kernel uses numbers, arrays"
    with pytest.raises(EvonetError, match=message):
        module_source(foreign, {})


def test_a_function_without_source_is_refused():
    namespace = {}
    exec("def f(x):\n    return x", namespace)
    with pytest.raises(EvonetError, match=r"^Numba cannot compile 'f': its source cannot be read$"):
        module_source(namespace["f"], {})
    with pytest.raises(EvonetError, match="must be defined by `def`"):
        module_source(lambda x: x, {})


def test_a_file_that_has_changed_since_it_was_imported_is_refused(tmp_path):
    path = tmp_path / "own.py"
    path.write_text("def f(x):\n    return x + 1.0\n")
    specification = importlib.util.spec_from_file_location("own", path)
    own = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(own)
    assert "x + 1.0" in module_source(own.f, {})
    path.write_text("def f(x):\n    return x - 1.0  # and no word to Python\n")
    with pytest.raises(EvonetError, match=r"its source is not what Python runs; was .*own.py changed"):
        module_source(own.f, {})


def test_a_kernel_that_numba_cannot_compile_goes_on_in_numpy_with_a_warning(monkeypatch):
    register_walk(monkeypatch)
    monkeypatch.setattr(auto, "SECONDS_IN_NUMPY", 0.0)
    task = task_for("TroubledWalk-v0", hidden=3)
    monkeypatch.setattr("evonet.evaluation.kernels.codegen.inspect.getsource", lambda _: textwrap.dedent("x = 1"))
    engine, genomes = KernelEngine(task), genomes_for(task, 5)
    with pytest.warns(EvonetWarning, match="Numba cannot compile .*; the engine 'numpy' goes on"):
        results = run(engine, task, genomes)
    assert bits(results) == bits(run(NumpyEngine(task), task, genomes))
    run(engine, task, genomes)  # without another warning
    assert engine.name == "numpy"
