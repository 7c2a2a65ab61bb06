"""A directory whose files are opened below its descriptor: regular files only, and through no symbolic link.

A directory may come from a stranger. A link in it could lead a write to any file of the user, a pipe or a device could
make a read endless; such entries are refused when they are opened, before anything is read, written or cut.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from evonet.files.bounded import NotARegularFile, kind_of, reading, require_regular, unreadable
from evonet.files.lock import Lock

_BELOW = os.open in os.supports_dir_fd  # Windows has no descriptors of directories
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends
_TEMPORARY = re.compile(r"\.(.+)\.\d+")
_RENAME_ATTEMPTS = 5
_RENAME_PAUSE = 0.05  # seconds; on Windows a virus scanner may hold a new file for a moment


class Directory:
    """An open directory; a context manager, which closes it.

    The directory itself may be reached through links, for the user typed its path; what lies in it may not.

    Args:
        path: of the directory.
        create: whether to make it and its parents if they are missing.

    Attributes:
        path: of the directory.

    Raises:
        OSError: it cannot be opened or made.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        if create:
            path.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY) if _BELOW else -1

    def subdirectory(self, name: str, *, create: bool = False) -> Directory:
        """The directory `name` in this one.

        Raises:
            NotARegularFile: it is a link.
            OSError: it cannot be opened or made.
        """
        target, below = self._at(name)
        if create:
            with contextlib.suppress(FileExistsError):
                os.mkdir(target, **below)
                self.sync()
        if stat.S_ISLNK(self._stat(name).st_mode):
            raise NotARegularFile(errno.ELOOP, "it is a symbolic link, not a directory")
        found = object.__new__(Directory)
        found.path = self.path / name
        found._descriptor = os.open(target, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK, **below) if _BELOW else -1
        return found

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """A descriptor of the regular file `name`, opened with `flags`.

        Raises:
            NotARegularFile: it is something else.
            OSError: it cannot be opened.
        """
        target, below = self._at(name)
        with contextlib.suppress(FileNotFoundError):
            require_regular(self._stat(name).st_mode)  # opening some devices has effects
        descriptor = os.open(target, flags | _NO_LINK | _NEVER_WAIT | _BINARY, 0o666, **below)
        try:
            require_regular(os.fstat(descriptor).st_mode)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def reading(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """The regular file `name`, open for reading; see `bounded.reading`."""
        return reading(self.path / name, lambda: self.open(name))

    def write(self, name: str, content: bytes, *, sync_names: bool = True) -> None:
        """Write the file `name` so that a reader finds the old content or the new, never a part.

        Args:
            name: of the file.
            content: all of it.
            sync_names: whether to wait until the disk knows the new name; it is enough for the last of several files.

        Raises:
            OSError: it cannot be written; the old content is as it was.
        """
        temporary = f".{name}.{os.getpid()}"
        try:
            descriptor = self._create(temporary)
            try:
                write_all(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            self._rename(temporary, name)
        except BaseException:
            with contextlib.suppress(OSError):
                self.remove(temporary)
            raise
        if sync_names:
            self.sync()

    def remove(self, name: str) -> None:
        """Remove the file or link `name`.

        Raises:
            OSError: it cannot be removed.
        """
        target, below = self._at(name)
        os.unlink(target, **below)

    def names(self) -> list[str]:
        """The names in the directory, sorted."""
        return sorted(os.listdir(self._descriptor if _BELOW else self.path))

    def has(self, name: str) -> bool:
        """Whether there is an entry `name`, whatever it is."""
        try:
            self._stat(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        """Bytes of the regular file `name`; 0 if there is none.

        Raises:
            NotARegularFile: it is something else.
        """
        try:
            found = self._stat(name)
        except FileNotFoundError:
            return 0
        require_regular(found.st_mode)
        return found.st_size

    def check(self, is_file: Callable[[str], bool], is_directory: Callable[[str], bool] = lambda _: False) -> None:
        """See that entries with the names of files and directories are such.

        Args:
            is_file: whether a name is that of a regular file.
            is_directory: whether a name is that of a directory.

        Raises:
            NotARegularFile: one is something else; its `filename` says which.
        """
        for name in self.names():
            with contextlib.suppress(FileNotFoundError):  # removed meanwhile
                mode = self._stat(name).st_mode
                if is_file(name):
                    require_regular(mode, str(self.path / name))
                elif is_directory(name) and not stat.S_ISDIR(mode):
                    path = str(self.path / name)
                    raise NotARegularFile(errno.ENOTDIR, f"it is {kind_of(mode)}, not a directory", path)

    def lock(self, name: str) -> Lock:
        """Take the lock `name`, a file that is made if it is missing.

        Raises:
            BlockingIOError: another process holds it.
            OSError: it cannot be opened.
        """
        return Lock(self.open(name, os.O_RDWR | os.O_CREAT))

    def sync(self) -> None:
        """Wait until the disk knows which names were made, renamed or removed here."""
        if not _BELOW:
            return
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # some file systems cannot
                raise

    def close(self) -> None:
        """Close the directory."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _at(self, name: str) -> tuple[str | Path, dict[str, Any]]:
        """What names an entry to a function of `os`."""
        if name in {"", ".", ".."} or os.path.basename(name) != name:
            raise ValueError(f"a file's name must have no folder in it, got {name!r}")
        return (name, {"dir_fd": self._descriptor}) if _BELOW else (self.path / name, {})

    def _stat(self, name: str) -> os.stat_result:
        target, below = self._at(name)
        return os.stat(target, follow_symlinks=False, **below)

    def _create(self, name: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            return self.open(name, flags)
        except (FileExistsError, NotARegularFile):  # left behind by a killed process that had the same id, or planted
            self.remove(name)
            return self.open(name, flags)

    def _rename(self, source: str, target: str) -> None:
        (old, _), (new, _) = self._at(source), self._at(target)
        below: dict[str, Any] = {f"{end}_dir_fd": self._descriptor for end in ("src", "dst")} if _BELOW else {}
        for attempt in range(_RENAME_ATTEMPTS):
            try:
                os.replace(old, new, **below)
            except PermissionError:
                if sys.platform != "win32" or attempt == _RENAME_ATTEMPTS - 1:
                    raise
                time.sleep(_RENAME_PAUSE * 2**attempt)
            else:
                return


@contextlib.contextmanager
def reading_below(path: Path) -> Iterator[IO[bytes]]:
    """The regular file at `path`, open for reading below its directory: no link is followed but those to the directory.

    Raises:
        ConfigError: the file cannot be opened or read.
    """
    try:
        directory = Directory(path.parent)
    except (OSError, ValueError) as error:  # a name with a NUL is a ValueError
        raise unreadable(path, error) from error
    with directory, directory.reading(path.name) as file:
        yield file


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old content or the new, never a part.

    Raises:
        OSError: it cannot be written; the old content is as it was.
    """
    with Directory(path.parent) as directory:
        directory.write(path.name, content)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`, in as many calls as it takes."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def name_of_temporary(name: str) -> str | None:
    """The file that a killed `Directory.write` left the temporary file `name` of; None if `name` is no such file."""
    match = _TEMPORARY.fullmatch(name)
    return None if match is None else match[1]
