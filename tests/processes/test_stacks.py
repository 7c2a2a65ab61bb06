"""The fault handler's dumps become tracebacks of the call that a worker process was busy with."""

import pytest

from evonet.processes.crash_stacks import stack_of_call

CALL = """\
  File "/env/simulator.py", line 3 in push
  File "/env/robot.py", line 9 in step
  File "/evonet/evaluation/gymnasium_engine.py", line 134 in _step
  File "/evonet/processes/worker_loop.py", line 68 in _answer
  File "/evonet/processes/worker_loop.py", line 50 in serve
  File "<string>", line 1 in <module>
"""
THREAD = """\
  File "/lib/threading.py", line 1 in wait
  File "/evonet/processes/worker_loop.py", line 90 in _end_after_parent
"""
TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "/evonet/evaluation/gymnasium_engine.py", line 134, in _step',
    '  File "/env/robot.py", line 9, in step',
    '  File "/env/simulator.py", line 3, in push',
]
DUMPS = {
    "crash": f"Fatal Python error: Segmentation fault\n\nStack (most recent call first):\n{CALL}\nExtension modules:",
    "timeout": (
        "Timeout (0:00:00.700000)!\n"
        f"Thread 0x00007f4f40815b80 (most recent call first):\n{THREAD}\n"
        f"Thread 0x00007f4f40815b81 (most recent call first):\n{CALL}"
    ),
    "Python 3.14": (
        "Fatal Python error: Segmentation fault\n\n"
        f"Current thread 0x00007f4f40815b80 [python] (most recent call first):\n{CALL}\n"
        "Current thread's C stack trace (most recent call first):\n"
        '  Binary file "/lib/libpython3.14.so", at _Py_DumpStack+0x3b [0x7f]\n'
        "  <truncated rest of calls>\n\nExtension modules: numpy (total: 1)\n"
    ),
}


@pytest.mark.parametrize("dump", DUMPS.values(), ids=DUMPS)
def test_the_stack_begins_at_the_call_s_function_and_ends_with_the_last_call(dump):
    assert stack_of_call(dump).splitlines() == TRACEBACK


def test_a_crash_in_a_thread_of_the_environment_s_own_shows_that_thread():
    dump = 'Stack (most recent call first):\n  File "/env/physics.py", line 3 in work\n'
    assert stack_of_call(dump).splitlines() == [TRACEBACK[0], '  File "/env/physics.py", line 3, in work']


@pytest.mark.parametrize("dump", ["", "Fatal Python error: Aborted\n", "garbage (most recent call first):\n"])
def test_a_dump_without_a_stack_has_no_traceback(dump):
    assert stack_of_call(dump) == ""
