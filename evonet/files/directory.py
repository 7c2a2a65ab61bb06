"""A directory whose files are opened relative to its descriptor: regular files only, without symbolic links.

A directory may be untrusted: a symbolic link in it could redirect a write to any file of the user, and reading a pipe
or a device may never end. Such entries are refused when they are opened, before anything is read, written or truncated.
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

from evonet.files.bounded import NotARegularFile, kind_of, reading, regular, require_regular, unreadable
from evonet.files.lock import Lock

_BELOW = os.open in os.supports_dir_fd  # Windows cannot open a file relative to a directory
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_BINARY = getattr(os, "O_BINARY", 0)  # without it, Windows changes line ends
_TEMPORARY = re.compile(r"\.(.+)\.\d+")
_RENAME_ATTEMPTS = 5
_RENAME_PAUSE = 0.05  # seconds; on Windows a virus scanner may hold a new file open


class Directory:
    """An open directory; as a context manager, it is closed at the end.

    Links in the path of the directory are followed, because the user typed it; links in the directory are not.

    Args:
        path: the path of the directory.
        create: whether to make the directory and its parents if they are missing.
        location: where the directory is, if a relative `path` does not start from the working directory.

    Attributes:
        path: the path of the directory, as messages show it.

    Raises:
        OSError: the directory cannot be opened or made.
    """

    def __init__(self, path: Path, *, create: bool = False, location: Path | None = None) -> None:
        self.path = path
        self._location = path if location is None else location
        if create:
            self._location.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(self._location, os.O_RDONLY | os.O_DIRECTORY) if _BELOW else -1

    def subdirectory(self, name: str, *, create: bool = False) -> Directory:
        """Open the subdirectory `name`.

        Raises:
            NotARegularFile: `name` is a link.
            OSError: the directory cannot be opened or made.
        """
        target, below = self._at(name)
        if create:
            with contextlib.suppress(FileExistsError):
                os.mkdir(target, **below)
                self.sync()
        if stat.S_ISLNK(self._stat(name).st_mode):
            raise NotARegularFile(errno.ELOOP, "it is a symbolic link, not a directory")
        found = object.__new__(Directory)
        found.path, found._location = self.path / name, self._location / name
        found._descriptor = os.open(target, os.O_RDONLY | os.O_DIRECTORY | _NOFOLLOW, **below) if _BELOW else -1
        return found

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """A descriptor of the regular file `name`, opened with `flags`.

        Raises:
            NotARegularFile: `name` is not a regular file.
            OSError: the file cannot be opened.
        """
        target, below = self._at(name)
        with contextlib.suppress(FileNotFoundError):
            require_regular(self._stat(name).st_mode)  # opening some devices has side effects
        return regular(os.open(target, flags | _NOFOLLOW | _NONBLOCK | _BINARY, 0o666, **below))

    def reading(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """The regular file `name`, open for reading as by `bounded.reading`."""
        return reading(self.path / name, lambda: self.open(name))

    def write(self, name: str, content: bytes, *, sync_names: bool = True) -> None:
        """Write the file `name` atomically: a reader finds the old content or the new, never a part.

        Args:
            name: the name of the file.
            content: the whole content.
            sync_names: whether to wait until the directory's entry is on the disk; of several files, only the last
                needs it.

        Raises:
            OSError: the file cannot be written; its old content is unchanged.
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
            OSError: the entry cannot be removed.
        """
        target, below = self._at(name)
        os.unlink(target, **below)

    def names(self) -> list[str]:
        """The names in the directory, sorted."""
        return sorted(os.listdir(self._descriptor if _BELOW else self._location))

    def has(self, name: str) -> bool:
        """Whether there is an entry `name` of any kind."""
        try:
            self._stat(name)
        except FileNotFoundError:
            return False
        return True

    def size(self, name: str) -> int:
        """Bytes of the regular file `name`; 0 if there is no entry.

        Raises:
            NotARegularFile: `name` is not a regular file.
        """
        try:
            found = self._stat(name)
        except FileNotFoundError:
            return 0
        require_regular(found.st_mode)
        return found.st_size

    def check(self, is_file: Callable[[str], bool], is_directory: Callable[[str], bool] = lambda _: False) -> None:
        """Refuse the directory if an entry is not of the kind that its name requires.

        Args:
            is_file: whether the entry with a name must be a regular file.
            is_directory: whether the entry with a name must be a directory.

        Raises:
            NotARegularFile: an entry has the wrong kind; the error's `filename` is its path.
        """
        for name in self.names():
            with contextlib.suppress(FileNotFoundError):  # another process has removed it
                mode = self._stat(name).st_mode
                if is_file(name):
                    require_regular(mode, str(self.path / name))
                elif is_directory(name) and not stat.S_ISDIR(mode):
                    path = str(self.path / name)
                    raise NotARegularFile(errno.ENOTDIR, f"it is {kind_of(mode)}, not a directory", path)

    def lock(self, name: str) -> Lock:
        """Take the lock on the file `name`, which is made if it is missing.

        Raises:
            BlockingIOError: another process holds the lock.
            OSError: the file cannot be opened.
        """
        return Lock(self.open(name, os.O_RDWR | os.O_CREAT))

    def sync(self) -> None:
        """Wait until the creation, renaming and removal of this directory's entries are on the disk."""
        if not _BELOW:
            return
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            if error.errno not in {errno.EINVAL, errno.ENOTSUP}:  # the file system has no such operation
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
        """The path and the keyword arguments by which functions of `os` find the entry `name`."""
        if name in {"", ".", ".."} or os.path.basename(name) != name:
            raise ValueError(f"a file's name must have no folder in it, got {name!r}")
        return (name, {"dir_fd": self._descriptor}) if _BELOW else (self._location / name, {})

    def _stat(self, name: str) -> os.stat_result:
        target, below = self._at(name)
        return os.stat(target, follow_symlinks=False, **below)

    def _create(self, name: str) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        try:
            return self.open(name, flags)
        except (
            FileExistsError,
            NotARegularFile,
        ):  # left by a killed process with the same id, or placed by an attacker
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
    """Open the regular file at `path` for reading; its directory may be reached by links, the file must not be a link.

    Raises:
        ConfigError: the file cannot be opened or read.
    """
    try:
        directory = Directory(path.parent)
    except (OSError, ValueError) as error:  # `os.open` raises ValueError for a name with a NUL
        raise unreadable(path, error) from error
    with directory, directory.reading(path.name) as file:
        yield file


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old content or the new, never a part.

    Raises:
        OSError: the file cannot be written; its old content is unchanged.
    """
    with Directory(path.parent) as directory:
        directory.write(path.name, content)


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`; one call of `os.write` may write only a part."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def name_of_temporary(name: str) -> str | None:
    """The name of the file that the temporary file `name` was to replace; None if `name` is not a temporary file's."""
    match = _TEMPORARY.fullmatch(name)
    return None if match is None else match[1]
