"""A state as a file: nested dicts and lists of arrays, numbers, truths, texts and None, to the last bit.

The file is a plain NumPy archive: member `header` is JSON, with null wherever an array stands, and a list of these
arrays, each a member of its own. Nothing is compressed, so that what is read is never more than the file is long, and
the archive's comment is a digest of all bytes before it, so that no change goes unnoticed. Nothing is pickled.
"""

from __future__ import annotations

import io
import json
import math
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from evonet.archive import DIGITS, END, digest, directory_length, sealed
from evonet.reading import MOST_PARTS, parse_object

_LONGEST_HEADER = 16 << 20
_LONGEST_DIRECTORY = 4 << 20
_BLOCK = 1 << 20
_DTYPES = {np.dtype(code).str: np.dtype(code) for code in "?bhilqBHILQefdgFDG"}

_Steps = list[str | int]


def pack(state: Mapping[str, Any]) -> bytes:
    """The file of a state; the same bytes for the same state.

    Raises:
        TypeError: something in it is none of what a state may hold.
        ValueError: so much of it is not in arrays that the header becomes too long.
    """
    arrays: list[tuple[_Steps, NDArray[Any]]] = []
    tree = _plain(state, [], arrays)
    listed = [{"path": path, "dtype": array.dtype.str, "shape": array.shape} for path, array in arrays]
    header = json.dumps({"state": tree, "arrays": listed}).encode()
    if len(header) > _LONGEST_HEADER:
        raise ValueError(f"a state's header may have {_LONGEST_HEADER} bytes, got {len(header)}; use arrays")
    if (parts := header.count(b"[") + header.count(b"{")) > MOST_PARTS:
        raise ValueError(f"a state's header may have {MOST_PARTS} lists and objects, got {parts}; use arrays")
    members = {_member(number): array for number, (_, array) in enumerate(arrays)}
    return sealed({"header": np.frombuffer(header, dtype=np.uint8), **members})


def unpack(path: Path) -> dict[str, Any]:
    """The state in a file. Nothing in it is believed before it is checked, and no code is run.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not as `pack` made it; the message says in what.
    """
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if size < END + DIGITS or digest(file, size - DIGITS) != file.read():
            raise ValueError("it is cut or changed: its checksum is wrong")
        try:
            return _read(file, size)
        except Exception as error:  # who forges the checksum too can make anything be raised
            raise ValueError(f"it is no state: {error}") from error


def _member(number: int) -> str:
    return f"array_{number}"


def _plain(value: Any, path: _Steps, arrays: list[tuple[_Steps, NDArray[Any]]]) -> Any:
    """`value` for JSON, its arrays put aside."""
    if isinstance(value, np.ndarray):
        if value.dtype.str not in _DTYPES:
            raise TypeError(f"a state's array must hold numbers, got {value.dtype} at {_place(path)}")
        arrays.append((path, np.asarray(value, order="C")))
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        wrong = [key for key in value if not isinstance(key, str)]
        if wrong:
            raise TypeError(f"a state's keys must be texts, got {wrong[0]!r} at {_place(path)}")
        return {key: _plain(item, [*path, key], arrays) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, [*path, index], arrays) for index, item in enumerate(value)]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(
        f"a state holds arrays, numbers, truths, texts, None, and dicts and lists of these, "
        f"got {type(value).__name__} at {_place(path)}"
    )


def _place(path: _Steps) -> str:
    return ".".join(map(str, path)) or "its top"


def _read(file: IO[bytes], size: int) -> dict[str, Any]:
    if _directory_size(file, size) > _LONGEST_DIRECTORY:
        raise ValueError("it has too many members")
    with zipfile.ZipFile(file) as archive:
        members = {member.filename: member for member in archive.infolist()}
        _check_members(archive.infolist(), size)
        raw = _array(archive, members["header.npy"], np.dtype(np.uint8), None)
        header = parse_object(raw.tobytes())
        tree, listed = header["state"], header["arrays"]
        expected = {"header.npy"} | {f"{_member(number)}.npy" for number in range(len(listed))}
        if set(members) != expected or not isinstance(tree, dict):
            raise ValueError("its members are not those that its header lists")
        for number, entry in enumerate(listed):
            member = members[f"{_member(number)}.npy"]
            array = _array(archive, member, _DTYPES[entry["dtype"]], _shape(entry["shape"]))
            _put(tree, entry["path"], array)
        return tree


def _directory_size(file: IO[bytes], size: int) -> int:
    """Bytes of the archive's list of members, which `zipfile` would read whole."""
    end = size - DIGITS - END
    file.seek(end)
    signature, directory = struct.unpack("<4s8xI6x", file.read(END))
    if signature != b"PK\5\6":
        raise ValueError("its last record is wrong")
    return directory_length(file, end, directory)


def _check_members(members: list[zipfile.ZipInfo], size: int) -> None:
    if len({member.filename for member in members}) < len(members):
        raise ValueError("two members have one name")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            raise ValueError(f"member {member.filename!r} is compressed")
    if sum(member.file_size for member in members) > size:
        raise ValueError("its members are longer than itself")
    header = next((member for member in members if member.filename == "header.npy"), None)
    if header is None or header.file_size > _LONGEST_HEADER + _BLOCK:
        raise ValueError("its header is missing or too long")


def _array(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, dtype: np.dtype[Any], shape: tuple[int, ...] | None
) -> NDArray[Any]:
    """The array in a member, whose own header must say the same and must fit the member's size."""
    with archive.open(member) as stream:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise ValueError(f"member {member.filename!r} is of an unknown version")
        said, fortran_order, kind = np.lib.format.read_array_header_1_0(stream)
        shape = said if shape is None else shape
        left = member.file_size - stream.tell()
        if said != shape or kind != dtype or fortran_order or math.prod(shape) * dtype.itemsize != left:
            raise ValueError(f"member {member.filename!r} is not of the size or type that it should have")
        return np.frombuffer(bytearray(stream.read()), dtype=dtype).reshape(shape)


def _shape(entry: Any) -> tuple[int, ...]:
    if not isinstance(entry, list) or not all(type(length) is int and length >= 0 for length in entry):
        raise ValueError("an array's shape is wrong")
    return tuple(entry)


def _put(tree: Any, path: Any, array: NDArray[Any]) -> None:
    """Put an array where it belongs, which must be empty."""
    *way, last = path
    for step in _checked(way):
        tree = tree[step]
    (last,) = _checked([last])
    if tree[last] is not None:
        raise ValueError("two values have one place")
    tree[last] = array


def _checked(steps: list[Any]) -> Iterator[str | int]:
    for step in steps:
        if type(step) is not str and not (type(step) is int and step >= 0):
            raise ValueError("an array's place is wrong")
        yield step
