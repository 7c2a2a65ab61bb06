"""Where a process was when it crashed or hung, as Python's fault handler wrote it, told like any traceback."""

from __future__ import annotations

import re
import traceback

_FRAME = re.compile(r'^  File "(?P<file>[^"]*)", line (?P<line>\d+) in (?P<name>.*)$', re.MULTILINE)
_OURS = "gymnasium_engine.py"


def told(stack: str) -> str:
    """A stack of the fault handler's, its last call first, as a traceback from the engine on; "" if there is none."""
    stack = stack.rpartition("most recent call first):")[2].partition("\n\n")[0]  # one thread's, and the last
    frames = [(match["file"], int(match["line"]), match["name"]) for match in _FRAME.finditer(stack)]
    engine = next((i for i, (file, _, _) in enumerate(frames) if file.endswith(_OURS)), len(frames) - 1)
    if not frames:
        return ""
    summary = traceback.StackSummary.from_list([(*frame, None) for frame in reversed(frames[: engine + 1])])
    return "Traceback (most recent call last):\n" + "".join(summary.format())
