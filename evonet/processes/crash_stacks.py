"""Turns what Python's fault handler writes about a crashed or hung process into a traceback."""

from __future__ import annotations

import re
import traceback

TIMEOUT = "Timeout ("
"""How a dump of the fault handler begins if it ended a process that took too long."""

_STACK = re.compile(r'\(most recent call first\):\n((?:  File ".*\n)+)')
_FRAME = re.compile(r'^  File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<name>.*)$', re.MULTILINE)
_Frame = tuple[str, int, str]  # file, line, function


def stack_of_call(dump: str) -> str:
    """The stack of the call that a worker process was busy with, as a traceback of the call's function.

    Args:
        dump: what the fault handler wrote; stacks of one thread or of several, the last call of each first.

    Returns:
        The traceback, the last call last; "" if the dump has none.
    """
    stacks = [
        [(match["file"], int(match["line"]), match["name"]) for match in _FRAME.finditer(stack)]
        for stack in _STACK.findall(f"{dump}\n")
    ]
    for frames in stacks:
        caller = next((i for i, frame in enumerate(frames) if _calls(frame)), None)
        if caller is not None:
            return _traceback(frames[:caller])
    return _traceback(stacks[-1]) if stacks else ""  # a thread of the environment's own, or a very deep stack


def _calls(frame: _Frame) -> bool:
    """Whether a frame is the one from which a worker process makes calls."""
    file, _, name = frame
    return name == "_answer" and file.endswith("processes/worker_loop.py")


def _traceback(frames: list[_Frame]) -> str:
    summary = traceback.StackSummary.from_list([(*frame, None) for frame in reversed(frames)])
    return "Traceback (most recent call last):\n" + "".join(summary.format()) if frames else ""
