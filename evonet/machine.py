"""What evonet asks of the machine: files that are written whole or not at all, locks."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from pathlib import Path

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends
_LARGEST_KEPT = 1 << 24  # bytes

BLAS_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What says, before NumPy is imported, how many threads its linear algebra starts: evonet's products are small, and
sums that threads share have other bits with other numbers of them."""


def keep_freed_memory() -> None:
    """Let the C library keep the memory of arrays that are gone, up to 16 MB each, for those that come.

    The one of most Linux systems hands large pieces back to the kernel, which clears every page of the next; once it
    has seen one as large as this freed, it no longer does (mallopt(3), M_MMAP_THRESHOLD). Elsewhere nothing happens.
    """
    import numpy as np  # which whoever only starts processes does not wait for

    np.empty(_LARGEST_KEPT, np.uint8)


def write_whole(path: Path, content: bytes, *, last: bool = True) -> None:
    """Write a file so that whoever looks finds the old content or the new, never a part.

    Args:
        path: of the file.
        content: all of it.
        last: whether it is the last of those that belong together in its folder, whose names are made to last then.

    Raises:
        OSError: it cannot be written; the old content is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o666)
        try:
            write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)  # noqa: PTH105 - all that touches the disk goes through `os`, where it can be seen
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
    if last:
        fix_names(path.parent)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`, in as many turns as it takes."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def fix_names(folder: Path) -> None:
    """See to it that what was made, renamed or removed in a folder is so even after a power cut."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some file systems have no such thing
            raise
    finally:
        os.close(descriptor)


def is_temporary(path: Path) -> bool:
    """Whether this is what `write_whole` leaves behind if its process is killed."""
    return re.fullmatch(r"\..+\.\d+", path.name) is not None


def lock(path: Path) -> int:
    """Open a file that no other process has open so; the lock is gone with the descriptor, or with the process.

    Raises:
        BlockingIOError: another process has.
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(descriptor)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:  # a file system without locks
        return descriptor
    return descriptor


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from error
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
