"""What a stranger can put into a run directory: odd values in sound files, other files in their place.

`PLANTS` has one function for each file; `plant(directory, decoys, turn, rng)` changes the directory and says what it
changed. `turn` counts up, and a plant takes the next place of its file each time, so that none is left out by chance.
"""

import copy
import hashlib
import io
import json
import os
import random
import shutil
import socket
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

HOSTILE = "../../x\x1b]0;pwned\x07\x9b31m <script>alert(1)</script>\u202e\r\nSolved: the champion scores 500"
DEEP = "@deep@"
SPARSE = 10 << 30
_DIGITS = 32

VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "zero": 0,
    "one": 1,
    "a negative number": -7,
    "a fraction": 0.5,
    "a number of 31 digits": 10**30,
    "2 to the 63rd": 2**63,
    "1e308": 1e308,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a negative infinity": float("-inf"),
    "no text": "",
    "a digit": "7",
    "escape sequences": HOSTILE,
    "a way out": "../../decoys/secret.txt",
    "half a character": "\ud800",
    "100,000 characters": "x" * 100_000,
    "a module": "evil:Env-v0",
    "an empty list": [],
    "an empty object": {},
    "a list of texts": ["a", HOSTILE],
    "a list of lists": [[[]], [[1.0]]],
    "numbers that differ in size": [1e308, -1e308, 0],
    "100,000 numbers": [1.5] * 100_000,
    "10,000 keys": {f"k{i}": i for i in range(10_000)},
    "100,000 lists within each other": DEEP,
}
MISSING = "nothing"
LABELS = (MISSING, *VALUES)

Plant = Callable[[Path, Path, int, random.Random], str]
Way = tuple[str | int, ...]


def places(tree: Any, way: Way = ()) -> Iterator[Way]:
    """All places in a tree but its root; of a list, the first and the last item stand for all."""
    if isinstance(tree, dict):
        below = list(tree.items())
    elif isinstance(tree, list):
        below = [(number, tree[number]) for number in sorted({0, len(tree) - 1}) if tree]
    else:
        return
    for step, item in below:
        yield (*way, step)
        yield from places(item, (*way, step))


def replaced(tree: Any, way: Way, label: str) -> Any:
    """The tree with another value, or none, in one of its places."""
    tree = copy.deepcopy(tree)
    node = tree
    for step in way[:-1]:
        node = node[step]
    if label == MISSING:
        del node[way[-1]]
    else:
        node[way[-1]] = VALUES[label]
    return tree


def to_json(tree: Any) -> str:
    """Its JSON; deep lists are made here, for `json` would not."""
    return json.dumps(tree).replace(f'"{DEEP}"', "[" * 100_000 + "]" * 100_000)


def _odd(tree: Any, turn: int, rng: random.Random) -> tuple[Any, str]:
    """The tree with something odd in the place whose turn it is, now and then in a second one too."""
    found = list(places(tree))
    way, label = found[turn % len(found)], rng.choice(LABELS)
    tree, said = replaced(tree, way, label), f"{_dotted(way)}: {label}"
    if rng.random() < 0.15 and (more := list(places(tree))):
        way, label = rng.choice(more), rng.choice(LABELS)
        tree, said = replaced(tree, way, label), f"{said}; {_dotted(way)}: {label}"
    return tree, said


def _dotted(way: Way) -> str:
    return ".".join(map(str, way))


def json_plant(name: str) -> Plant:
    """Odd values in a JSON file."""

    def plant(directory: Path, decoys: Path, turn: int, rng: random.Random) -> str:
        path = directory / name
        tree, said = _odd(json.loads(path.read_text(encoding="utf-8")), turn, rng)
        path.write_text(to_json(tree), encoding="utf-8")
        return said

    return plant


LINES: dict[str, Callable[[list[bytes], random.Random], list[bytes]]] = {
    "no line": lambda lines, rng: [],
    "the first line is missing": lambda lines, rng: lines[1:],
    "a line is cut": lambda lines, rng: [*lines[:-1], lines[-1][: rng.randrange(len(lines[-1]))]],
    "lines turned round": lambda lines, rng: lines[::-1],
    "each line twice": lambda lines, rng: [line for line in lines for _ in range(2)],
    "a line that is a list": lambda lines, rng: [*lines, b"[]"],
    "a line that is a number": lambda lines, rng: [b"7", *lines],
    "a line that is null": lambda lines, rng: [lines[0], b"null", *lines[1:]],
    "an empty line": lambda lines, rng: [lines[0], b"", *lines[1:]],
    "an empty object": lambda lines, rng: [lines[0], b"{}", *lines[1:]],
    "garbage": lambda lines, rng: [lines[0], rng.randbytes(50).replace(b"\n", b""), *lines[1:]],
    "null bytes": lambda lines, rng: [*lines, bytes(4096)],
    "a line of 20 MB": lambda lines, rng: [*lines, b'{"generation": ' + b"9" * 20_000_000 + b"}"],
    "a line of deep lists": lambda lines, rng: [*lines, b"[" * 1_000_000],
    "100,000 lines": lambda lines, rng: lines * (100_000 // len(lines)),
    "a million short lines": lambda lines, rng: [*lines, *[b"{}"] * 1_000_000],
}


def lines_plant(name: str) -> Plant:
    """Odd values in a line of a journal, or odd lines."""

    def plant(directory: Path, decoys: Path, turn: int, rng: random.Random) -> str:
        path = directory / name
        lines = path.read_bytes().splitlines()
        if rng.random() < 0.25:
            kind = rng.choice(list(LINES))
            lines = LINES[kind](lines, rng)
            said = kind
        else:
            row = rng.choice([0, len(lines) // 2, len(lines) - 1])
            tree, odd = _odd(json.loads(lines[row]), turn, rng)
            lines[row] = to_json(tree).encode()
            said = f"line {row}: {odd}"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return said

    return plant


YAML = (
    "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{i}: &b{i} [{', '.join(['*a'] * 10)}]\n" for i in range(9)),
    "name: !!python/object/apply:os.system [touch pwned]\n",
    "name: " + "[" * 20_000,
    "seed: " + "9" * 60_000,
    'name: "' + "\\e]0;pwned\\a" * 10 + '"\n',
    "\x1b[31m: \x07\n",
    "a: &a [*a]\n",
    "%YAML 9.9\n---\n",
    "? [a, b]\n: c\n",
    "k: 1\n" * 100_000,
    "\0",
)


def config_plant(directory: Path, decoys: Path, turn: int, rng: random.Random) -> str:
    """Odd values in `config.yaml`, written as JSON, which is YAML; or odd YAML after it."""
    from ruamel.yaml import YAML as Reader  # noqa: N811 - not to be taken for the list above

    path = directory / "config.yaml"
    text = path.read_text(encoding="utf-8")
    if rng.random() < 0.2:
        number = rng.randrange(len(YAML))
        path.write_text(rng.choice(["", text]) + YAML[number], encoding="utf-8")
        return f"odd YAML {number}"
    tree, said = _odd(Reader(typ="safe", pure=True).load(text), turn, rng)
    path.write_text(to_json(tree), encoding="utf-8")
    return said


def read_members(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Header and arrays of an archive."""
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return json.loads(arrays.pop("header").tobytes()), arrays


def sealed(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of these members, with the digest that belongs to it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.comment = b"0" * _DIGITS
    return resealed(buffer.getvalue())


def resealed(content: bytes) -> bytes:
    """An archive whose last bytes are the digest of all before them."""
    body = content[:-_DIGITS]
    return body + hashlib.blake2b(body, digest_size=_DIGITS // 2).hexdigest().encode()


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    """An array as a member."""
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array), allow_pickle=allow_pickle)
    return buffer.getvalue()


def packed(header: str | bytes, arrays: dict[str, Any]) -> dict[str, bytes]:
    """Members of an archive."""
    text = header.encode() if isinstance(header, str) else header
    return {"header.npy": npy(np.frombuffer(text, np.uint8)), **{f"{name}.npy": npy(a) for name, a in arrays.items()}}


ARRAYS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "of no size": lambda array: array.ravel()[:0],
    "one number short": lambda array: array.ravel()[:-1],
    "with an axis more": lambda array: array[None],
    "twice as long": lambda array: np.concatenate([array.ravel(), array.ravel()]),
    "of NaN": lambda array: np.full(array.shape, np.nan),
    "of infinity": lambda array: np.full(array.shape, np.inf),
    "of -1": lambda array: np.full_like(array, -1) if array.dtype.kind != "b" else ~array,
    "of the largest numbers": lambda array: np.full(array.shape, 1e308),
    "of float32": lambda array: array.astype("f4"),
    "of whole numbers": lambda array: np.zeros(array.shape, np.int64),
    "of truths": lambda array: np.zeros(array.shape, np.bool_),
    "of complex numbers": lambda array: array.astype("c16"),
    "of a million numbers": lambda array: np.zeros(1_000_000),
}


def header_plant(pattern: str) -> Plant:
    """Odd values in the header of an archive (of a checkpoint, its state), sealed again."""

    def plant(directory: Path, decoys: Path, turn: int, rng: random.Random) -> str:
        for path in directory.glob(pattern):
            header, arrays = read_members(path)
            tree, said = _odd(header, turn, rng)
            path.write_bytes(sealed(packed(to_json(tree), arrays)))
        return said

    return plant


def arrays_plant(pattern: str) -> Plant:
    """Another array than there was, sealed again."""

    def plant(directory: Path, decoys: Path, turn: int, rng: random.Random) -> str:
        kind = rng.choice(list(ARRAYS))
        for path in directory.glob(pattern):
            header, arrays = read_members(path)
            name = sorted(arrays)[turn % len(arrays)]
            arrays[name] = ARRAYS[kind](arrays[name])
            listed = header.get("arrays", ())  # the places of a state's arrays
            place = next((_dotted(way) for i, way in enumerate(listed) if name == f"array_{i}"), name)
            path.write_bytes(sealed(packed(to_json(header), arrays)))
        return f"{place}: an array {kind}"

    return plant


class _Evil:
    """Leaves a mark when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("pwned",)


_OBJECTS = np.array([_Evil()], dtype=object)
FORGED: dict[str, Callable[[bytes, dict[str, bytes], random.Random], bytes]] = {
    "nothing": lambda content, members, rng: b"",
    "garbage": lambda content, members, rng: rng.randbytes(5000),
    "bytes changed": lambda content, members, rng: _changed(content, rng),
    "bytes changed, sealed again": lambda content, members, rng: resealed(_changed(content, rng)),
    "cut, sealed again": lambda content, members, rng: resealed(content[: rng.randrange(40, len(content))]),
    "a zip bomb": lambda content, members, rng: sealed(
        {**members, "bomb.npy": npy(np.zeros(1 << 24))}, zipfile.ZIP_DEFLATED
    ),
    "pickled objects": lambda content, members, rng: sealed(
        {**members, list(members)[-1]: npy(_OBJECTS, allow_pickle=True)}
    ),
    "a member that leads out": lambda content, members, rng: sealed({**members, "../decoys/secret.txt": b"x"}),
    "100,000 members": lambda content, members, rng: sealed({**members, **{f"m{i}.npy": b"" for i in range(100_000)}}),
    "a header of 30 MB": lambda content, members, rng: sealed(
        {**members, **packed(b'{"a": "' + b"x" * 30_000_000, {})}
    ),
    "a header of a million lists": lambda content, members, rng: sealed(
        {**members, **packed(b'{"state": [' + b"[]," * 1_000_000 + b"[]]}", {})}
    ),
    "a shape that lies": lambda content, members, rng: sealed(
        {**members, list(members)[-1]: npy(np.zeros(3)).replace(b"(3,)", b"(9999999999,)".ljust(4))}
    ),
    "no header": lambda content, members, rng: sealed(dict(list(members.items())[1:])),
    "no arrays": lambda content, members, rng: sealed(dict(list(members.items())[:1])),
}


def _changed(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    return bytes(changed)


def forged_plant(pattern: str) -> Plant:
    """An archive whose bytes are not what they should be."""

    def plant(directory: Path, decoys: Path, turn: int, rng: random.Random) -> str:
        kind = list(FORGED)[turn % len(FORGED)]
        for path in directory.glob(pattern):
            with zipfile.ZipFile(path) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
            path.write_bytes(FORGED[kind](path.read_bytes(), members, rng))
        return kind

    return plant


def _link_to(target: Callable[[Path, Path], Path | str]) -> Callable[[Path, Path], None]:
    return lambda path, decoys: path.symlink_to(target(path, decoys))


def _sparse(path: Path, decoys: Path) -> None:
    with path.open("wb") as file:
        file.truncate(SPARSE)


def _socket(path: Path, decoys: Path) -> None:
    os.chdir(path.parent)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket")  # the path may not be long
    Path("socket").rename(path.name)


def _kept_apart(path: Path, decoys: Path) -> None:
    path.symlink_to(decoys / ("folder" if path.name == "checkpoints" else f"sound-{path.name}"))


SPECIAL: dict[str, Callable[[Path, Path], None]] = {
    "a link to a sound file of its kind": _kept_apart,
    "a link to a secret": _link_to(lambda path, decoys: decoys / "secret.txt"),
    "a link to a shell's start file": _link_to(lambda path, decoys: decoys / "profile"),
    "a link to a folder": _link_to(lambda path, decoys: decoys / "folder"),
    "a link to nothing": _link_to(lambda path, decoys: decoys / "not-there"),
    "a link to itself": _link_to(lambda path, decoys: path.name),
    "a link to an endless device": _link_to(lambda path, decoys: "/dev/zero"),
    "a link to a full device": _link_to(lambda path, decoys: "/dev/full"),
    "a link to the process's own environment": _link_to(lambda path, decoys: "/proc/self/environ"),
    "a FIFO": lambda path, decoys: os.mkfifo(path),
    "a socket": _socket,
    "a sparse file of 10 GB": _sparse,
    "a folder": lambda path, decoys: path.mkdir(),
    "an empty file": lambda path, decoys: path.touch(),
    "an unreadable file": lambda path, decoys: path.touch(0o000),
}
NAMES = (
    "a\nb",
    "\x1b]0;pwned\x07",
    "generation-99999999.npz",
    "generation-00000001.npz.tmp",
    ".run.json.1",
    "-rf",
    "x" * 255,
)


def special_plant(directory: Path, decoys: Path, turn: int, rng: random.Random) -> str:
    """Something else where a file or a folder should be, or beside it."""
    there = sorted(directory.rglob("*"))
    pairs = [(path, kind) for path in there for kind in SPECIAL]
    random.Random(0).shuffle(pairs)  # each file meets each kind once, and the first few cases meet all files
    path, kind = pairs[turn % len(pairs)]
    if rng.random() < 0.15:
        path = rng.choice([directory, *(path for path in there if path.is_dir())]) / rng.choice(NAMES)
    if path.is_dir():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    SPECIAL[kind](path, decoys)
    return f"{path.relative_to(directory)}: {kind}"


PLANTS: dict[str, tuple[str, int, Plant]] = {
    "run.json": ("whole", 20, json_plant("run.json")),
    "metrics.jsonl": ("whole", 9, lines_plant("metrics.jsonl")),
    "timing.jsonl": ("whole", 4, lines_plant("timing.jsonl")),
    "faults.jsonl": ("whole", 6, lines_plant("faults.jsonl")),
    "lineage.jsonl": ("whole", 8, lines_plant("lineage.jsonl")),
    "genomes.jsonl": ("whole", 8, lines_plant("genomes.jsonl")),
    "archive.jsonl": ("whole", 5, lines_plant("archive.jsonl")),
    "archive.npz: header": ("whole", 4, header_plant("archive.npz")),
    "archive.npz: arrays": ("whole", 4, arrays_plant("archive.npz")),
    "config.yaml": ("whole", 9, config_plant),
    "config.yaml of a stopped run": ("stopped", 4, config_plant),
    "champion: header": ("whole", 14, header_plant("champion.npz")),
    "champion: arrays": ("whole", 4, arrays_plant("champion.npz")),
    "champion: bytes": ("whole", 3, forged_plant("champion.npz")),
    "checkpoint: header and state": ("stopped", 14, header_plant("checkpoints/*.npz")),
    "checkpoint: arrays": ("stopped", 5, arrays_plant("checkpoints/*.npz")),
    "checkpoint: bytes": ("stopped", 3, forged_plant("checkpoints/*.npz")),
    "journals of a stopped run": ("stopped", 4, lines_plant("metrics.jsonl")),
    "study.json": ("study", 7, json_plant("study.json")),
    "run.json of a study": ("study", 3, json_plant("seed-0/run.json")),
    "config.yaml of a study": ("study", 2, config_plant),
    "special files": ("whole", 24, special_plant),
    "special files of a stopped run": ("stopped", 14, special_plant),
    "special files of a study": ("study", 4, special_plant),
}
"""For each: the sound directory that is changed, how often compared with the others, and the function."""
