"""A lock on a file; the system releases it when its process ends."""

from __future__ import annotations

import errno
import os
import sys

_WINDOWS_LOCKED = {errno.EACCES, errno.EDEADLK}


class Lock:
    """An exclusive lock on an open file.

    Args:
        descriptor: the file's descriptor; `release` closes it.

    Attributes:
        held: whether the lock keeps other processes out; False on a file system without locks.

    Raises:
        BlockingIOError: another process holds the lock.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        try:
            _lock(descriptor)
        except BlockingIOError:
            self.release()
            raise
        except OSError:
            self.held = False
        else:
            self.held = True

    def release(self) -> None:
        """Let another process take the lock."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def is_locked(descriptor: int) -> bool | None:
    """Whether another process holds the lock on an open file; None if the system or the file system cannot tell."""
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return False


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in _WINDOWS_LOCKED:
                raise BlockingIOError(*error.args) from error
            raise
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
