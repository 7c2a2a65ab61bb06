"""Arrays and a header in one file that is safe to open, even if it is untrusted.

The file is a NumPy archive (`numpy.load` reads it): the member `header` is a JSON object as bytes, every other member
is an array. Nothing is compressed, so that the file's size bounds the memory for reading, and nothing is pickled.
The archive's comment is a digest of all bytes before it, which reveals damage. The digest is not a signature: a forged
file with the right digest has to pass every check below, each before memory is allocated.

A state (nested dicts and lists of arrays and plain values) is an archive, too, with the tree as the header.
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
from collections.abc import Iterator, Mapping
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from evonet.errors import ConfigError
from evonet.files.bounded import MAX_PARTS, PathLike, check_depth, parse_object
from evonet.files.text import short_repr

Arrays = dict[str, NDArray[Any]]

_HEADER = "header"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_DTYPE_CODES = ("?", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", "<c8", "<c16")
_DTYPES = {np.dtype(code).str: np.dtype(code) for code in _DTYPE_CODES}
_MEMBER_HEADER = re.compile(
    r"\{'descr': '([<|][a-z][0-9]{1,2})', 'fortran_order': False, 'shape': \(([0-9, ]*)\), \} *\n"
)
DIGITS = 32
"""Hexadecimal digits of the digest at the end of an archive."""

END = 22
"""Bytes of an archive's last record, before the digest."""

_LONGEST_DIRECTORY = 4 << 20
_MAX_DIMENSIONS = 32
_BLOCK = 1 << 20

_TreePath = list[str | int]


class ArchiveLimits(NamedTuple):
    """The size limits of an archive, for its writer and its reader.

    Attributes:
        file: bytes of the file, and thereby of its arrays in memory.
        header: bytes of the JSON text; the parsed objects may take 25 times as much memory.
    """

    file: int
    header: int = 1 << 20


def pack_archive(header: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], limits: ArchiveLimits) -> bytes:
    """The bytes of an archive; equal headers and arrays give equal bytes.

    Args:
        header: a JSON object; infinities and NaN are allowed.
        arrays: arrays by name, a lower-case word; the dtype is boolean, integer, float or complex of at most 128 bits.
        limits: the limits of the archive's size.

    Raises:
        TypeError: the header cannot be written as JSON, or an array has another dtype.
        ValueError: a name is not a lower-case word, or the archive is larger than `limits` allow.
    """
    members: Arrays = {_HEADER: np.frombuffer(header_text(header, limits), dtype=np.uint8)}
    for name, array in arrays.items():
        if not _NAME.fullmatch(name) or name == _HEADER:
            raise ValueError(f"an array's name must be a lower-case word other than {_HEADER!r}, got {name!r}")
        little = np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C")
        if little.dtype.str not in _DTYPES:
            raise TypeError(f"an archive holds arrays of numbers, got {array.dtype} as {name!r}")
        members[name] = little
    size = sum(_size_of_member(name, array) for name, array in members.items()) + END + DIGITS
    if size > limits.file:
        raise ValueError(f"it may have at most {limits.file} bytes, got {size}")
    return with_digest(members)


def header_text(header: Mapping[str, Any], limits: ArchiveLimits) -> bytes:
    """The header as JSON.

    Raises:
        TypeError: it cannot be written as JSON.
        ValueError: it is larger than `limits` allow.
    """
    text = json.dumps(header).encode()
    if len(text) > limits.header:
        raise ValueError(f"its header may have at most {limits.header} bytes, got {len(text)}")
    if (parts := text.count(b"[") + text.count(b"{")) > MAX_PARTS:
        raise ValueError(f"its header may have at most {MAX_PARTS} lists and objects, got {parts}")
    check_depth(header)
    return text


def _size_of_member(name: str, array: NDArray[Any]) -> int:
    """An upper bound of a member's bytes: its data, its NumPy header, its name twice, its entry in the member list."""
    return array.nbytes + 128 + 16 * array.ndim + 2 * len(name) + 256


def with_digest(members: Arrays) -> bytes:
    """The bytes of the archive of `members`, with the digest as the archive's comment."""
    buffer = io.BytesIO()
    np.savez(buffer, **members)  # type: ignore[arg-type]
    buffer.seek(-2, io.SEEK_END)  # the field with the comment's length
    buffer.write(struct.pack("<H", DIGITS))
    buffer.write(digest(buffer, buffer.tell()))
    return buffer.getvalue()


def read_archive(file: IO[bytes], limits: ArchiveLimits) -> tuple[dict[str, Any], Arrays]:
    """The header and the arrays of an archive, checked; no code in the file is run.

    Args:
        file: a file that `bounded.reading` opened.
        limits: the limits of the file's size.

    Returns:
        The header as a dict, and the arrays by name; each is writable and owns its memory.

    Raises:
        ConfigError: the file is too long, or is not a valid archive; the message says why.
        OSError: the file cannot be read.
    """
    try:
        return _read(file, os.fstat(file.fileno()).st_size, limits)
    except OSError:
        raise
    except Exception as error:  # a damaged file can make zipfile and NumPy raise any error
        raise ConfigError(f"{file.name}: not a valid archive: {error}") from error


def pack_state(kind: str, state: Mapping[str, Any], limits: ArchiveLimits) -> bytes:
    """The bytes of an archive of nested dicts and lists of arrays, numbers, booleans, strings and None.

    Args:
        kind: the file's format, such as "evonet checkpoint 2".
        state: the state.
        limits: the limits of the archive's size.

    Raises:
        TypeError: the state has a value of another type.
        ValueError: the archive is larger than `limits` allow.
    """
    arrays: list[tuple[_TreePath, NDArray[Any]]] = []
    tree = _without_arrays(state, [], arrays)
    header = {"format": kind, "state": tree, "arrays": [path for path, _ in arrays]}
    return pack_archive(header, {_array_name(number): array for number, (_, array) in enumerate(arrays)}, limits)


def read_state(file: IO[bytes], kind: str, limits: ArchiveLimits) -> dict[str, Any]:
    """The state that `pack_state` packed, bit for bit, after the checks of `read_archive`.

    Raises:
        NewerFormat: a newer version of evonet wrote the file.
        ConfigError: the file is too long, or is not a valid state; the message says why.
        OSError: the file cannot be read.
    """
    header, arrays = read_archive(file, limits)
    check_format(file.name, header.get("format"), kind)
    try:
        if set(header) != {"format", "state", "arrays"} or not isinstance(header["state"], dict):
            raise ValueError("its header must hold a state and the places of its arrays")  # noqa: TRY301
        if list(arrays) != [_array_name(number) for number in range(len(header["arrays"]))]:
            raise ValueError("its arrays are not those that its header lists")  # noqa: TRY301
        for path, array in zip(header["arrays"], arrays.values(), strict=True):
            _insert(header["state"], path, array)
    except (LookupError, TypeError, ValueError) as error:
        raise ConfigError(f"{file.name}: not a valid archive: {error}") from error
    state: dict[str, Any] = header["state"]
    return state


class NewerFormat(ConfigError):
    """A newer version of evonet wrote the file."""


def check_format(path: PathLike, found: Any, known: str) -> None:
    """Refuse a file of another kind or of an unknown version.

    Args:
        path: the path of the file.
        found: the format in the file.
        known: the expected format: a kind, a space and a version, such as "evonet champion 1".

    Raises:
        NewerFormat: the file has the expected kind, but a newer version.
        ConfigError: the file has another kind, or an older version.
    """
    if found == known:
        return
    kind, _, version = known.rpartition(" ")
    match = re.fullmatch(rf"{re.escape(kind)} ([0-9]{{1,9}})", found) if isinstance(found, str) else None
    if match and int(match[1]) > int(version):
        raise NewerFormat(
            f"{os.fspath(path)}: was written by a newer version of evonet: its format is {found!r}, this version knows "
            f"{known!r}; nothing was changed"
        )
    hint = "; an older version of evonet may have written it" if found is None else ""
    raise ConfigError(f"{os.fspath(path)}: its format must be {known!r}, got {short_repr(found)}{hint}")


def digest(file: IO[bytes], length: int) -> bytes:
    """The digest of the first `length` bytes of a file; leaves the file's position at `length`."""
    hashed = hashlib.blake2b(digest_size=DIGITS // 2, usedforsecurity=False)
    file.seek(0)
    while length and (block := file.read(min(length, _BLOCK))):
        hashed.update(block)
        length -= len(block)
    return hashed.hexdigest().encode()


def _read(file: IO[bytes], size: int, limits: ArchiveLimits) -> tuple[dict[str, Any], Arrays]:
    if size > limits.file:
        raise ValueError(f"it must have at most {limits.file} bytes, got {size}")
    if size < END + DIGITS:
        raise ValueError(f"it must have at least {END + DIGITS} bytes, got {size}")
    _check_end(file, size)
    if digest(file, size - DIGITS) != file.read():
        raise ValueError("it is truncated or changed: its checksum is wrong")
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_members(members, size)
        if members[0].file_size > limits.header + _BLOCK:
            raise ValueError(f"its header must have at most {limits.header} bytes, got {members[0].file_size}")
        raw, *arrays = (_array(archive, member) for member in members)
        if raw.dtype != np.uint8 or raw.ndim != 1 or len(raw) > limits.header:
            raise ValueError(f"its header must be at most {limits.header} bytes of text, got {raw.dtype} {raw.shape}")
        names = (member.filename.removesuffix(".npy") for member in members[1:])
        return parse_object(raw.tobytes()), dict(zip(names, arrays, strict=True))


def _check_end(file: IO[bytes], size: int) -> None:
    """Refuse an archive if its last record is missing or its list of members is too long."""
    end = size - DIGITS - END
    file.seek(end)
    signature, length, comment = struct.unpack("<4s8xI4xH", file.read(END))
    if signature != b"PK\5\6" or comment != DIGITS:
        raise ValueError("it is truncated, or not an archive: its last record is missing")
    length = _directory_length(file, end, length)
    if length > _LONGEST_DIRECTORY:
        raise ValueError(f"its list of members must have at most {_LONGEST_DIRECTORY} bytes, got {length}")


def _directory_length(file: IO[bytes], end: int, recorded: int) -> int:
    """Bytes of the list of members, which `zipfile` reads as a whole.

    Args:
        file: the archive.
        end: the position of the archive's last record.
        recorded: the length in the last record.
    """
    if recorded != 0xFFFFFFFF or end < 76:
        return recorded
    file.seek(end - 76)  # an archive of over 4 GB has the length in another record
    (length,) = struct.unpack("<40xQ8x", file.read(56))
    return int(length)


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    if not members or members[0].filename != f"{_HEADER}.npy":
        raise ValueError("its first member must be the header")
    names = set()
    for member in members:
        name, dot, suffix = member.filename.partition(".")
        if not (_NAME.fullmatch(name) and dot + suffix == ".npy"):
            raise ValueError(f"a member's name must be a lower-case word and .npy, got {short_repr(member.filename)}")
        if name in names:
            raise ValueError(f"two members have the name {member.filename!r}")
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise ValueError(f"member {member.filename!r} must not be compressed")
        names.add(name)
    total = sum(member.file_size for member in members)
    if total > size:
        raise ValueError(f"its members must not be longer than the file, got {total} bytes in a file of {size}")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """The array in a member, after a check that its NumPy header fits the member's size."""
    with archive.open(member) as stream:
        start = stream.read(10)
        if start[:8] != b"\x93NUMPY\1\0":
            raise ValueError(f"member {member.filename!r} is not an array, or has an unknown version")
        header = stream.read(int.from_bytes(start[8:], "little")).decode("latin-1")
        match = _MEMBER_HEADER.fullmatch(header)
        if not match or match[1] not in _DTYPES:
            raise ValueError(
                f"member {member.filename!r} must be a plain array of numbers, got {short_repr(header.strip())}"
            )
        dtype, left = _DTYPES[match[1]], member.file_size - len(start) - len(header)
        lengths = [length.strip() for length in match[2].split(",") if length.strip()]
        if len(lengths) > _MAX_DIMENSIONS or any(len(length) > 18 for length in lengths):
            raise ValueError(f"member {member.filename!r} must have another shape than {short_repr(match[2])}")
        shape = tuple(map(int, lengths))
        if math.prod(shape) * dtype.itemsize != left:
            raise ValueError(f"member {member.filename!r} must have {left} bytes of numbers, got the shape {shape}")
        return np.frombuffer(bytearray(stream.read()), dtype=dtype).reshape(shape)


def _array_name(number: int) -> str:
    return f"array_{number}"


def _without_arrays(value: Any, path: _TreePath, arrays: list[tuple[_TreePath, NDArray[Any]]]) -> Any:
    """`value` as plain data for JSON, with None for each array; appends each array and its path to `arrays`."""
    if isinstance(value, np.ndarray):
        if value.dtype.newbyteorder("<").str not in _DTYPES:
            raise TypeError(f"a state's array must hold numbers, got {value.dtype} at {_dotted(path)}")
        arrays.append((path, value))
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise TypeError(f"a state's keys must be strings, got {wrong[0]!r} at {_dotted(path)}")
        return {key: _without_arrays(item, [*path, key], arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_arrays(item, [*path, index], arrays) for index, item in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"a state holds arrays, numbers, booleans, strings, None, and dicts and lists of these, "
        f"got {type(value).__name__} at {_dotted(path)}"
    )


def _dotted(path: _TreePath) -> str:
    return ".".join(map(str, path)) or "its top"


def _insert(tree: Any, path: Any, array: NDArray[Any]) -> None:
    """Insert an array into a tree at its path, where the tree must have None."""
    *parents, last = _checked_path(path)
    for step in parents:
        tree = tree[step]
    if tree[last] is not None:
        raise ValueError("two arrays have the same place")
    tree[last] = array


def _checked_path(path: Any) -> Iterator[str | int]:
    if not isinstance(path, list) or not path:
        raise ValueError("an array's place must be a list of keys and indices")
    for step in path:
        if type(step) is not str and not (type(step) is int and step >= 0):
            raise ValueError("an array's place must be a list of keys and indices")
        yield step
