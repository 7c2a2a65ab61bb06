"""Numba's machine code on disk: one file for each compiled function, verified before LLVM sees it.

LLVM aborts the process when it is given damaged machine code, and whoever can write into the folder can have any code
run. So each file begins with a digest of the rest, and only a folder that belongs to this user alone is used. Without
such a folder everything is compiled anew in each process.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import stat
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numba
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from evonet.errors import EvonetWarning

_DIGEST_SIZE = hashlib.sha256().digest_size


class MachineCodeCache(NullCache):
    """The cache of one function, for each combination of argument types and processor.

    Args:
        digest: the digest of all that the function computes with.
    """

    def __init__(self, digest: str) -> None:
        self._digest = digest
        self._folder = cache_folder()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """What `save_overload` saved for these argument types; None if there is nothing, or it is damaged."""
        target_context.refresh()
        data = self._read(self._name(sig, target_context.codegen()))
        rebuild: Any = CompileResult._rebuild  # as Numba's own cache does
        return None if data is None else rebuild(target_context, *pickle.loads(data))  # noqa: S301 - verified

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save a compilation, if there is a folder for it and room in that."""
        if self._folder is None or data.library.has_dynamic_globals:
            return
        dump: Any = dumps
        payload: bytes = dump(data._reduce())
        path = self._folder / self._name(sig, data.codegen)
        try:
            _write(path, hashlib.sha256(payload).digest() + payload)
        except OSError as error:
            _warn(f"Numba's machine code cannot be kept: {path.parent}: {error.strerror}; the next run compiles again")

    def _name(self, sig: Any, codegen: Any) -> str:
        versions = (numba.__version__, sys.version, sys.implementation.cache_tag)
        key = repr((self._digest, str(sig), codegen.magic_tuple(), versions))
        return f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.nbc"

    def _read(self, name: str) -> bytes | None:
        if self._folder is None:
            return None
        path = self._folder / name
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            _warn(f"Numba's machine code cannot be read: {path}: {error.strerror}; it is compiled again")
            return None
        digest, payload = content[:_DIGEST_SIZE], content[_DIGEST_SIZE:]
        if hashlib.sha256(payload).digest() == digest:
            return payload
        with contextlib.suppress(OSError):
            path.unlink()
        _warn(f"Numba's machine code is damaged: {path}; it is compiled again")
        return None


def cache_folder() -> Path | None:
    """The folder for machine code, made if it is missing; None, with a warning, if there is none that can be used."""
    reasons = []
    for folder in _candidates():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_private(folder):
                return folder
            reasons.append(f"{folder} must belong to this user alone")
        except OSError as error:
            reasons.append(f"{folder}: {error.strerror}")
    _warn(f"Numba's machine code is not kept, each run compiles again: {'; '.join(reasons)}")
    return None


def _candidates() -> Iterator[Path]:
    """Folders to try, the best first."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    user_cache = os.environ.get("LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME")
    if chosen:
        yield Path(chosen) / "evonet"
    with contextlib.suppress(RuntimeError):  # no home
        yield Path(user_cache or Path.home() / ".cache") / "evonet"
    with contextlib.suppress(FileNotFoundError):  # no folder for temporary files
        yield Path(tempfile.gettempdir()) / f"evonet-{os.getuid() if hasattr(os, 'getuid') else 'cache'}"


def _is_private(folder: Path) -> bool:
    """Whether this user, and no other, can write there."""
    status = folder.lstat()
    mine = not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o077)
    return stat.S_ISDIR(status.st_mode) and mine and os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _write(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _warn(message: str) -> None:
    warnings.warn(message, EvonetWarning, stacklevel=2)
