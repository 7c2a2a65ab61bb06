"""What the bits of a run may depend on beside its config: the versions of packages, and the processor."""

from __future__ import annotations

import contextlib
import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from evonet.versions import versions

_PROCESSORS = Path("/proc/cpuinfo")


def fingerprint() -> dict[str, str]:
    """The versions, the processor, and which of its vector instructions NumPy uses."""
    configuration: Any = np.show_config(mode="dicts")
    extensions = configuration.get("SIMD Extensions", {})
    used = [*extensions.get("baseline", ()), *extensions.get("found", ())]
    return {**versions(), "processor": _processor(), "vector instructions": " ".join(used)}


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> str | None:
    """What differs, in a line; None if nothing does."""
    names = dict.fromkeys((*before, *now))
    differ = [f"{name} {before.get(name)} → {now.get(name)}" for name in names if before.get(name) != now.get(name)]
    return ", ".join(differ) or None


def _processor() -> str:
    with contextlib.suppress(OSError), _PROCESSORS.open(encoding="utf-8", errors="replace") as file:
        model = re.search(r"^model name\s*: *(.+)$", file.read(4096), re.MULTILINE)
        if model is not None:
            return model[1].strip()
    return platform.machine()
