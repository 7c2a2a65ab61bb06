"""A disk that fails at its n-th operation: with an error that the run may handle, or for good, as in a crash."""

import contextlib
import errno
import os
from pathlib import Path

CHANGES = ("open", "write", "fsync", "replace", "unlink", "ftruncate", "mkdir")


class Crash(BaseException):
    """The machine is gone: nothing that comes after it reaches the disk."""


class Disk:
    """Counts what changes the files below a folder, and fails at one of it.

    Args:
        folder: the files below it.
        fails_at: which of the changes fails, counted from 1; 0 for none.
        torn: whether a write that fails leaves its first half.
        crashes: whether the machine is gone from then on; else the change alone fails, with EIO.
    """

    def __init__(self, folder, fails_at=0, *, torn=False, crashes=False):
        self.kinds = []  # of the changes so far
        self.failed = None
        self._folder, self._fails_at, self._torn, self._crashes = str(folder), fails_at, torn, crashes

    @contextlib.contextmanager
    def watched(self, monkeypatch):
        """Within it, changes go through this disk."""
        with monkeypatch.context() as patch:
            for name in CHANGES:
                patch.setattr(os, name, self._passed(name, getattr(os, name)))
            yield self

    def _passed(self, name, function):
        def passed(target, *arguments, **rest):
            if not self._is_change(name, target, arguments, rest):
                return function(target, *arguments, **rest)
            self.kinds.append(name)
            if self.failed is not None and self._crashes:
                raise Crash
            if len(self.kinds) == self._fails_at:
                self.failed = name
                if name == "write" and self._torn:
                    function(target, arguments[0][: len(arguments[0]) // 2])
                raise Crash if self._crashes else OSError(errno.EIO, os.strerror(errno.EIO))
            return function(target, *arguments, **rest)

        return passed

    def _is_change(self, name, target, arguments, rest):
        if name == "open" and not arguments[0] & os.O_CREAT:
            return False
        return str(place_of(target, rest)).startswith(self._folder)


def place_of(target, rest):
    """The path that a function of `os` is about to change: of a descriptor, or of a name below one."""
    below = rest.get("dir_fd", rest.get("src_dir_fd"))
    with contextlib.suppress(OSError):
        if isinstance(target, int):
            return Path(f"/proc/self/fd/{target}").readlink()
        if below is not None:
            return Path(f"/proc/self/fd/{below}").readlink() / target
    return Path(os.fspath(target)) if not isinstance(target, int) else Path()
