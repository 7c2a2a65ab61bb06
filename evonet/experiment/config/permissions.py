"""The modules that a person allowed a run to import, remembered in that person's own settings.

Nothing in a run directory can allow an import, because a stranger may have sent it. What a person allowed when the run
was made is in a file of that person's configuration folder instead, and holds for this directory alone: one that is
moved, or put in its place, needs the permission again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from evonet.environments.imports import is_allowed
from evonet.errors import ConfigError
from evonet.files.bounded import read_json, reading
from evonet.shell import allowing

_LONGEST = 1 << 16  # bytes of a file
_LEVELS_IN_A_STUDY = 2  # a champion's file is two levels below its study's directory


def remember_permissions(run: Path, modules: Collection[str]) -> None:
    """Remember that a run or a study may import `modules`; nothing is remembered where no file can be written.

    Args:
        run: the directory of the run or the study, which exists.
        modules: the modules, which are imported already.
    """
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # no home, a full disk, a name that is no path
        allowed = {module: _folder_of(module) for module in modules}
        if not allowed.items() - _allowed(run).items():
            return
        path = run.resolve()
        folder = _folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _forget_removed_runs(folder)
        entry = {"run": str(path), "inode": path.stat().st_ino, "modules": {**_allowed(run), **allowed}}
        descriptor, temporary = tempfile.mkstemp(dir=folder)  # its mode is 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(entry, file)
        Path(temporary).replace(_file_of(folder, path))


def restore_permissions(path: Path) -> list[str]:
    """The modules that were allowed for a run, which can be imported from now on.

    Args:
        path: the directory of a run or a study, or a file in it.
    """
    allowed = _allowed(path)
    for folder in allowed.values():
        if folder and folder not in sys.path:
            sys.path.append(folder)  # last, so that no file of this folder replaces an installed package
    return list(allowed)


def flags_for(path: Path, modules: Iterable[str]) -> list[str]:
    """The options `--allow-import` that a command on the run or study at `path` needs: of modules not remembered."""
    known = _allowed(path)
    return allowing(module for module in modules if not is_allowed(module, known))


def _allowed(path: Path) -> dict[str, str]:
    """The modules that were allowed for a run, each with the folder that it was imported from."""
    try:
        place = path.resolve()
        folder = _folder()
        entries = [_entry(folder, each) for each in (place, *place.parents[:_LEVELS_IN_A_STUDY])]
    except (OSError, ValueError, RuntimeError):
        return {}
    return {module: origin for entry in reversed(entries) for module, origin in entry.items()}


def _entry(folder: Path, run: Path) -> dict[str, str]:
    """The modules that a file of this user allows for the directory that is at `run` now, with their folders."""
    file = _file_of(folder, run)
    try:
        with reading(file) as stream:
            status = os.fstat(stream.fileno())
            if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
                return {}  # somebody else could have written it
            entry = read_json(stream, _LONGEST)
        if entry.get("run") != str(run) or entry.get("inode") != run.stat().st_ino:
            return {}
    except (OSError, ConfigError):
        return {}
    modules: Any = entry.get("modules")
    if not isinstance(modules, dict) or not all(isinstance(origin, str) for origin in modules.values()):
        return {}
    return modules


def _folder() -> Path:
    """The folder of the files, which need not exist.

    Raises:
        RuntimeError: the user has no home directory.
    """
    named = os.environ.get("XDG_CONFIG_HOME", "") or (os.environ.get("APPDATA", "") if os.name == "nt" else "")
    home = Path.home()
    usual = home / "Library" / "Application Support" if sys.platform == "darwin" else home / ".config"
    return (Path(named) if Path(named).is_absolute() else usual) / "evonet" / "allowed-imports"


def _file_of(folder: Path, run: Path) -> Path:
    return folder / f"{hashlib.sha256(os.fsencode(run)).hexdigest()[:32]}.json"


def _folder_of(module: str) -> str:
    """The folder from which a module was imported; that of the current process where nothing is known of it."""
    top = sys.modules.get(module.partition(".")[0])
    file = getattr(top, "__file__", None)
    if file is None:
        return str(Path.cwd())
    folder = Path(file).resolve().parent
    return str(folder.parent if hasattr(top, "__path__") else folder)


def _forget_removed_runs(folder: Path) -> None:
    for file in folder.glob("*.json"):
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            if not Path(json.loads(file.read_text(encoding="utf-8"))["run"]).exists():
                file.unlink()
