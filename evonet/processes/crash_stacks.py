"""Converts the dump that Python's fault handler writes for a crashed or hung process into a traceback."""

from __future__ import annotations

import re
import traceback

TIMEOUT = "Timeout ("
"""The first characters of a dump if the fault handler ended the process because a call took too long."""

_STACK = re.compile(r'\(most recent call first\):\n((?:  File ".*\n)+)')
_FRAME = re.compile(r'^  File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<name>.*)$', re.MULTILINE)
_Frame = tuple[str, int, str]  # file, line, function


def stack_of_call(dump: str) -> str:
    """The traceback of the call that a worker process was making, from the called function on.

    Args:
        dump: the fault handler's output: the stack of one or several threads, each with the innermost frame first.

    Returns:
        The traceback, with the innermost frame last; "" if the dump has no stack.
    """
    stacks = [
        [(match["file"], int(match["line"]), match["name"]) for match in _FRAME.finditer(stack)]
        for stack in _STACK.findall(f"{dump}\n")
    ]
    for frames in stacks:
        caller = next((i for i, frame in enumerate(frames) if _calls(frame)), None)
        if caller is not None:
            return _traceback(frames[:caller])
    return _traceback(stacks[-1]) if stacks else ""  # a thread that the environment started, or a very deep stack


def _calls(frame: _Frame) -> bool:
    """Whether a frame is that of the function with which a worker process makes calls."""
    file, _, name = frame
    return name == "_answer" and file.endswith("processes/worker_loop.py")


def _traceback(frames: list[_Frame]) -> str:
    summary = traceback.StackSummary.from_list([(*frame, None) for frame in reversed(frames)])
    return "Traceback (most recent call last):\n" + "".join(summary.format()) if frames else ""
