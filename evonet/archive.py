"""Arrays and a header in one file, safe to open whoever wrote it.

The file is a NumPy archive (`numpy.load` reads it): member `header` is a JSON object as bytes, every other member an
array. Nothing is compressed and nothing is pickled, so that what is read is never more than the file is long; the
archive's comment is a digest of all bytes before it, so that no change goes unnoticed. The digest is no signature: who
forges it too still meets every check below, each of them before memory is taken.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from evonet.errors import ConfigError
from evonet.machine import write_whole
from evonet.reading import PathLike, open_plain, parse_object, shown, unreadable

Arrays = dict[str, NDArray[Any]]

_HEADER = "header"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_PLAIN = ("?", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16")
_DTYPES = {np.dtype(code).str: np.dtype(code) for code in _PLAIN}
_MEMBER_HEADER = re.compile(
    r"\{'descr': '([<|][a-z][0-9]{1,2})', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n"
)
DIGITS = 32
"""Hexadecimal digits of the digest, which an archive ends with."""

END = 22
"""Bytes of an archive's last record, before the digest."""

_LONGEST_DIRECTORY = 1 << 20
_MOST_DIMENSIONS = 32
_BLOCK = 1 << 20


def pack_archive(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The content of an archive; the same bytes for the same header and arrays.

    Args:
        header: JSON-ready; infinities and NaN may be in it.
        arrays: by name, a lower-case word; of truths, whole numbers, floats or complex numbers of at most 128 bits.

    Raises:
        TypeError: the header is not JSON-ready, or an array's type is none of these.
        ValueError: a name is no such word.
    """
    members: Arrays = {_HEADER: np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)}
    for name, array in arrays.items():
        if not _NAME.fullmatch(name) or name == _HEADER:
            raise ValueError(f"an array's name must be a lower-case word other than {_HEADER!r}, got {name!r}")
        little = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
        if little.dtype.str not in _DTYPES:
            raise TypeError(f"an archive holds arrays of numbers, got {array.dtype} as {name!r}")
        members[name] = little
    return sealed(members)


def sealed(members: Arrays) -> bytes:
    """The archive of some arrays, with its digest as a comment."""
    buffer = io.BytesIO()
    np.savez(buffer, **members)  # type: ignore[arg-type]
    buffer.seek(-2, io.SEEK_END)  # the comment's length
    buffer.write(struct.pack("<H", DIGITS))
    buffer.write(digest(buffer, buffer.tell()))
    return buffer.getvalue()


def write_archive(path: PathLike, header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an archive, whole or not at all.

    Raises:
        OSError: it cannot be written.
        TypeError, ValueError: as `pack_archive`.
    """
    write_whole(Path(path), pack_archive(header, arrays))


def read_archive(path: PathLike, *, max_bytes: int, max_header: int = 1 << 20) -> tuple[dict[str, Any], Arrays]:
    """The header and the arrays of an archive. Nothing in it is believed before it is checked, no code is run.

    Args:
        path: of the file.
        max_bytes: that it may have, and so what its arrays may take.
        max_header: bytes of the JSON text; an object may take 25 times as much.

    Returns:
        The header as a dict, and the arrays, each writable and its own.

    Raises:
        ConfigError: it cannot be read, is too long, or is not as `pack_archive` made it; the message says in what.
    """
    try:
        with open_plain(path) as file:
            size = os.fstat(file.fileno()).st_size
            try:
                return _read(file, size, max_bytes, max_header)
            except OSError:
                raise
            except Exception as error:  # garbage makes zipfile and NumPy raise whatever they like
                raise ConfigError(f"{os.fspath(path)}: not a sound archive: {error}") from error
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def check_format(path: PathLike, found: Any, known: str) -> None:
    """Refuse a file of another kind or of a version that is not known.

    Args:
        path: of the file.
        found: the format that it says it has.
        known: what it should be: a kind, a space and a version, such as "evonet champion 1".

    Raises:
        ConfigError: it is another; a newer version is told apart.
    """
    if found == known:
        return
    kind, _, version = known.rpartition(" ")
    match = re.fullmatch(rf"{re.escape(kind)} ([0-9]{{1,9}})", found) if isinstance(found, str) else None
    if match and int(match[1]) > int(version):
        raise ConfigError(
            f"{os.fspath(path)}: was written by a newer version of evonet: its format is {found!r}, this version knows "
            f"{known!r}; nothing was changed"
        )
    raise ConfigError(f"{os.fspath(path)}: its format must be {known!r}, got {shown(found)}")


def digest(file: IO[bytes], length: int) -> bytes:
    """Of the first bytes of a file, which is left behind them."""
    hashed = hashlib.blake2b(digest_size=DIGITS // 2, usedforsecurity=False)
    file.seek(0)
    while length and (block := file.read(min(length, _BLOCK))):
        hashed.update(block)
        length -= len(block)
    return hashed.hexdigest().encode()


def _read(file: IO[bytes], size: int, max_bytes: int, max_header: int) -> tuple[dict[str, Any], Arrays]:
    if size > max_bytes:
        raise ValueError(f"it must have at most {max_bytes} bytes, got {size}")
    if size < END + DIGITS:
        raise ValueError(f"it must have at least {END + DIGITS} bytes, got {size}")
    _check_end(file, size)
    if digest(file, size - DIGITS) != file.read():
        raise ValueError("it is cut or changed: its checksum is wrong")
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_members(members, size)
        if members[0].file_size > max_header + _BLOCK:
            raise ValueError(f"its header must have at most {max_header} bytes, got {members[0].file_size}")
        raw, *arrays = (_array(archive, member) for member in members)
        if raw.dtype != np.uint8 or raw.ndim != 1 or len(raw) > max_header:
            raise ValueError(f"its header must be at most {max_header} bytes of text, got {raw.dtype} {raw.shape}")
        names = (member.filename.removesuffix(".npy") for member in members[1:])
        return parse_object(raw.tobytes()), dict(zip(names, arrays, strict=True))


def _check_end(file: IO[bytes], size: int) -> None:
    """See that the archive ends as it should, with a list of members that is no longer than it may be."""
    end = size - DIGITS - END
    file.seek(end)
    signature, length, comment = struct.unpack("<4s8xI4xH", file.read(END))
    if signature != b"PK\5\6" or comment != DIGITS:
        raise ValueError("it is cut, or no archive at all: its last record is missing")
    length = directory_length(file, end, length)
    if length > _LONGEST_DIRECTORY:
        raise ValueError(f"its list of members must have at most {_LONGEST_DIRECTORY} bytes, got {length}")


def directory_length(file: IO[bytes], end: int, said: int) -> int:
    """Bytes of the list of members, which `zipfile` would read whole.

    Args:
        file: the archive.
        end: where its last record begins.
        said: the length that stands there.
    """
    if said != 0xFFFFFFFF or end < 76:
        return said
    file.seek(end - 76)  # an archive of over 4 GB says it in a record more
    (length,) = struct.unpack("<40xQ8x", file.read(56))
    return int(length)


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    if not members or members[0].filename != f"{_HEADER}.npy":
        raise ValueError("its first member must be the header")
    names = set()
    for member in members:
        name, dot, suffix = member.filename.partition(".")
        if not (_NAME.fullmatch(name) and dot + suffix == ".npy"):
            raise ValueError(f"a member's name must be a lower-case word and .npy, got {shown(member.filename)}")
        if name in names:
            raise ValueError(f"two members have the name {member.filename!r}")
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise ValueError(f"member {member.filename!r} must not be compressed")
        names.add(name)
    total = sum(member.file_size for member in members)
    if total > size:
        raise ValueError(f"its members must not be longer than itself, got {total} bytes in a file of {size}")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """The array in a member, whose own header must fit the member's size."""
    with archive.open(member) as stream:
        start = stream.read(10)
        if start[:8] != b"\x93NUMPY\1\0":
            raise ValueError(f"member {member.filename!r} is no array, or of an unknown version")
        said = stream.read(int.from_bytes(start[8:], "little")).decode("latin-1")
        match = _MEMBER_HEADER.fullmatch(said)
        if not match or match[1] not in _DTYPES:
            raise ValueError(f"member {member.filename!r} must be a plain array of numbers, got {shown(said.strip())}")
        dtype, left = _DTYPES[match[1]], member.file_size - len(start) - len(said)
        lengths = [length.strip() for length in match[2].split(",") if length.strip()]
        if len(lengths) > _MOST_DIMENSIONS or any(len(length) > 18 for length in lengths):
            raise ValueError(f"member {member.filename!r} must have another shape than {shown(match[2])}")
        shape = tuple(map(int, lengths))
        if math.prod(shape) * dtype.itemsize != left:
            raise ValueError(f"member {member.filename!r} must have {left} bytes of numbers, got the shape {shape}")
        return np.frombuffer(bytearray(stream.read()), dtype=dtype).reshape(shape)
