"""Archives: arrays are read back to the last bit, and invalid files are refused."""

import io
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from evonet.errors import ConfigError
from evonet.files import archive
from evonet.files.archive import ArchiveLimits, check_format
from evonet.files.bounded import reading
from tests.rewriting import write_anew

HEADER = {"format": "evonet test 1", "numbers": [1, 2.5, None, True, "ü"], "deep": {"a": {"b": float("-inf")}}}
ARRAYS = {
    "floats": np.linspace(0, 1, 7).reshape(7, 1),
    "wholes": np.arange(6).reshape(1, 2, 3),
    "truths": np.array([True, False]),
    "one": np.array(3, np.uint8),
    "none": np.empty((0, 4), np.float32),
    "phases": np.array([1j, -2.0]),
}
DTYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]


LIMITS = ArchiveLimits(file=1 << 20)


def pack_archive(header, arrays):
    return archive.pack_archive(header, arrays, ArchiveLimits(file=1 << 30, header=1 << 24))


def read_archive(path, limits=LIMITS):
    with reading(path) as file:
        return archive.read_archive(file, limits)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.npz"


def refusal(path, file=1 << 20, header=1 << 20):
    with pytest.raises(ConfigError) as refused:
        read_archive(path, ArchiveLimits(file, header))
    message = str(refused.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def test_what_is_written_comes_back_to_the_last_bit(path):
    path.write_bytes(pack_archive(HEADER, ARRAYS))
    header, read = read_archive(path)
    assert header == HEADER
    assert list(read) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        assert read[name].tobytes() == array.tobytes()
        read[name][...] = 1


@given(st.sampled_from(DTYPES).flatmap(lambda kind: arrays(kind, array_shapes(min_dims=0, min_side=0, max_side=3))))
def test_any_plain_array_comes_back(tmp_path_factory, array):
    path = tmp_path_factory.mktemp("archive") / "a.npz"
    for written in (array, array.T, array.astype(array.dtype.newbyteorder(">"))):
        path.write_bytes(pack_archive({}, {"a": written}))
        read = read_archive(path)[1]["a"]
        assert (read.dtype, read.shape) == (array.dtype, written.shape)
        assert read.tobytes() == written.astype(array.dtype).tobytes()


def test_the_same_content_has_the_same_bytes_whenever_it_is_written(monkeypatch):
    first = pack_archive(HEADER, ARRAYS)
    monkeypatch.setattr("time.time", lambda: 2e9)
    assert pack_archive(HEADER, ARRAYS) == first


def test_numpy_reads_it_too(path):
    path.write_bytes(pack_archive(HEADER, ARRAYS))
    with np.load(path, allow_pickle=False) as loaded:
        assert loaded.files == ["header", *ARRAYS]
        assert np.array_equal(loaded["wholes"], ARRAYS["wholes"])


@pytest.mark.parametrize("name", ["header", "", "Upper", "../x", "a.b", "a" * 65, "1st"])
def test_an_array_name_that_is_not_a_lower_case_word_is_refused(name):
    with pytest.raises(ValueError) as refused:
        pack_archive({}, {name: np.ones(2)})
    assert str(refused.value) == f"an array's name must be a lower-case word other than 'header', got {name!r}"


@pytest.mark.parametrize(
    "array", [np.array([object()]), np.array(["a"]), np.array(["2020"], "M8[Y]"), np.ones(1, "f4,f8")]
)
def test_an_array_of_anything_but_numbers_is_not_written(array):
    with pytest.raises(TypeError) as refused:
        pack_archive({}, {"a": array})
    assert str(refused.value) == f"an archive holds arrays of numbers, got {array.dtype} as 'a'"


def test_every_truncation_is_noticed(path):
    content = pack_archive({"a": 1}, {"x": np.arange(3.0)})
    for end in range(len(content)):
        write_anew(path, content[:end])
        refusal(path)


def test_every_changed_byte_is_noticed(path):
    content = pack_archive({"a": 1}, {"x": np.arange(3.0)})
    for place in range(len(content)):
        write_anew(path, content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :])
        refusal(path)
    path.write_bytes(content + b"\0")
    refusal(path)


def with_digest(content):
    """An archive's bytes with the comment that `pack_archive` would have given them."""
    buffer = io.BytesIO(content[:-2] + struct.pack("<H", 32))
    end = buffer.seek(0, io.SEEK_END)
    buffer.write(archive.digest(buffer, end))
    return buffer.getvalue()


def forged(members, compression=zipfile.ZIP_STORED):
    """An archive with a right checksum and these members, name by name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as written:
        for name, content in members:
            written.writestr(name, content)
    return with_digest(buffer.getvalue())


def npy(array, **changes):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), **changes)
    return buffer.getvalue()


def said(header, rest=b"\0" * 80):
    """An array's member whose own header is this text."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text + rest


def text(content):
    return "header.npy", npy(np.frombuffer(content, np.uint8))


PLAIN = text(b"{}")
OURS = "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }"
HUGE = OURS % f"({10**17},)"
NOT_PLAIN = "member 'x.npy' must be a plain array of numbers, got "
NO_ARRAY = "member 'x.npy' is not an array, or has an unknown version"
WRONG_NAME = "a member's name must be a lower-case word and .npy, got "
WRONG_SHAPE = "member 'x.npy' must have {} bytes of numbers, got the shape ({},)"


def x(content):
    return [PLAIN, ("x.npy", content)]


MEMBERS = {
    "no members": ([], "its first member must be the header"),
    "no header": ([("a.npy", npy([1.0]))], "its first member must be the header"),
    "a header of numbers": (
        [("header.npy", npy([1.0]))],
        "its header must be at most 1048576 bytes of text, got float64 (1,)",
    ),
    "a header that is no JSON": ([text(b"{")], "Expecting property name enclosed in double quotes"),
    "a header that is no object": ([text(b"[]")], "it must be an object, got []"),
    "a header nested too deeply": (
        [text(b'{"a":' + b"[" * 900 + b"]" * 900 + b"}")],
        "nested too deeply: it may be 200 levels deep",
    ),
    "a header nested a lot too deeply": ([text(b'{"a":' + b"[" * 90_000)], "nested too deeply"),
    "a duplicate key": ([text(b'{"a": 1, "a": 2}')], "duplicate key 'a'"),
    "a header that is not UTF-8": ([text(b'{"a": "\xff"}')], "'utf-8' codec can't decode byte 0xff"),
    "a name that leads out": ([PLAIN, ("../x.npy", npy([1.0]))], WRONG_NAME + "'../x.npy'"),
    "an absolute name": ([PLAIN, ("/etc/x.npy", npy([1.0]))], WRONG_NAME + "'/etc/x.npy'"),
    "another ending": ([PLAIN, ("x.pkl", npy([1.0]))], WRONG_NAME + "'x.pkl'"),
    "a pickle": (x(b"\x80\x04]\x94."), NO_ARRAY),
    "an array of objects": (x(npy(np.array([{}], object), allow_pickle=True)), NOT_PLAIN),
    "an array of structures": (x(npy(np.ones(1, "f4,f8"))), NOT_PLAIN),
    "an array of text": (x(npy(["abc"])), NOT_PLAIN),
    "an array column by column": (x(npy(np.ones((3, 2), order="F"))), NOT_PLAIN),
    "a header that computes": (x(said(OURS % "(9**9**9,)")), NOT_PLAIN),
    "an array larger than its member": (x(said(HUGE)), WRONG_SHAPE.format(80, 10**17)),
    "an array smaller than its member": (x(npy([1.0, 2.0]) + b"\0"), WRONG_SHAPE.format(17, 2)),
    "an array of endless shape": (x(said(OURS % f"({'1, ' * 40}1)")), "member 'x.npy' must have another shape than "),
    "a negative shape": (x(said(OURS % "(-1, -10)")), NOT_PLAIN),
    "an array with a truncated header": (x(npy([1.0])[:20]), NOT_PLAIN),
    "an empty member": (x(b""), NO_ARRAY),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_forged_member_is_refused_for_what_is_wrong_with_it(name, path):
    members, reason = MEMBERS[name]
    path.write_bytes(forged(members))
    assert refusal(path).startswith(f"not a valid archive: {reason}")


def test_two_members_of_one_name_are_refused(path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path.write_bytes(forged([PLAIN, ("x.npy", npy([1.0])), ("x.npy", npy([2.0]))]))
    assert refusal(path) == "not a valid archive: two members have the name 'x.npy'"


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_bomb_is_refused_unopened(compression, path):
    path.write_bytes(forged([PLAIN, ("x.npy", npy(np.zeros(1 << 20)))], compression))
    assert path.stat().st_size < 1 << 16
    assert refusal(path) == "not a valid archive: member 'header.npy' must not be compressed"


def test_members_that_share_their_bytes_are_refused(path):
    """What makes a bomb without compression: many entries of the list, one content."""
    content = bytearray(pack_archive({}, {"a": np.zeros(1000), "b": np.zeros(1000), "c": np.zeros(1000)})[:-32])
    entries = [at for at in range(len(content)) if content[at : at + 4] == b"PK\1\2"]
    for entry in entries[1:]:
        content[entry + 20 : entry + 28] = struct.pack("<II", 20_000, 20_000)
    path.write_bytes(with_digest(bytes(content)))
    assert "its members must not be longer than the file" in refusal(path)


def test_the_list_of_members_is_limited_before_it_is_read(path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as written:
        for number in range(60_000):
            written.writestr(f"a{number:030}.npy", b"")
    path.write_bytes(with_digest(buffer.getvalue()))
    assert refusal(path, file=1 << 30).startswith("not a valid archive: its list of members must have at most 4194304")


def test_a_file_longer_than_it_may_be_is_not_read(path):
    path.write_bytes(pack_archive(HEADER, ARRAYS))
    size = path.stat().st_size
    assert refusal(path, file=size - 1) == f"not a valid archive: it must have at most {size - 1} bytes, got {size}"
    read_archive(path, ArchiveLimits(size))


def test_a_header_longer_than_it_may_be_is_not_parsed(path):
    path.write_bytes(pack_archive({"a": "x" * 100}, {}))
    assert (
        refusal(path, header=100)
        == "not a valid archive: its header must be at most 100 bytes of text, got uint8 (109,)"
    )
    path.write_bytes(pack_archive({"a": "x" * (3 << 20)}, {}))
    assert refusal(path, file=1 << 30).startswith(
        "not a valid archive: its header must have at most 1048576 bytes, got "
    )


def test_a_disk_error_is_not_reported_as_an_invalid_archive(path, tmp_path):
    assert refusal(path) == "cannot be read: No such file or directory"
    assert refusal(tmp_path) == "cannot be read: it is a directory, not a regular file"


NEWER = (
    "was written by a newer version of evonet: its format is 'evonet champion {}', "
    "this version knows 'evonet champion 1'; nothing was changed"
)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("evonet champion 2", NEWER.format(2)),
        ("evonet champion 999", NEWER.format(999)),
        ("evonet champion 0", "its format must be 'evonet champion 1', got 'evonet champion 0'"),
        ("evonet checkpoint 2", "its format must be 'evonet champion 1', got 'evonet checkpoint 2'"),
        ("evonet champion 1e9", "its format must be 'evonet champion 1', got 'evonet champion 1e9'"),
        ("evonet champion " + "9" * 5000, "its format must be 'evonet champion 1', got 'evonet champion 99"),
        (None, "its format must be 'evonet champion 1', got None; an older version of evonet may have written it"),
        ([], "its format must be 'evonet champion 1', got []"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_another_format_and_a_newer_version_are_refused_with_different_errors(found, message):
    with pytest.raises(ConfigError) as refused:
        check_format("f.npz", found, "evonet champion 1")
    assert str(refused.value).startswith(f"f.npz: {message}")
    assert refused.value.exit_status == 2


def test_the_known_format_passes():
    check_format("f.npz", "evonet champion 1", "evonet champion 1")
