"""States: every bit is read back, every changed bit is noticed, and invalid files are refused."""

import io
import json
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from evonet.errors import ConfigError
from evonet.files.archive import DIGITS, ArchiveLimits, digest, pack_state, read_state
from evonet.files.bounded import reading
from tests.rewriting import write_anew

KIND, LIMITS = "evonet test 1", ArchiveLimits(file=1 << 20, header=1 << 18)
NUMBERS = arrays.arrays(
    st.sampled_from(["<f8", "<f4", "<i8", "<i4", "|u1", "<u8", "|b1", "<c16"]).map(np.dtype),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
LEAVES = st.one_of(NUMBERS, st.integers(), st.floats(), st.booleans(), st.none(), st.text())
STATES = st.dictionaries(
    st.text(),
    st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)),
    max_size=5,
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("state") / "state.npz"


def pack(state):
    return pack_state(KIND, state, LIMITS)


def unpack(file):
    with reading(file) as opened:
        return read_state(opened, KIND, LIMITS)


def there_and_back(state, file):
    write_anew(file, pack(state))
    return unpack(file)


def assert_same(one, other):
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert one.tobytes() == other.tobytes()
    elif isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, float):
        assert np.float64(one).tobytes() == np.float64(other).tobytes() or (one != one and other != other)
    else:
        assert one == other


@given(STATES)
@settings(max_examples=150)
def test_whatever_a_state_may_hold_comes_back_to_the_last_bit(file, state):
    assert_same(there_and_back(state, file), state)
    assert pack(state) == file.read_bytes()


@pytest.mark.parametrize(
    "value",
    [2**200, -0.0, float("inf"), float("nan"), np.array(np.nan), np.array([np.inf, -0.0]), "\ud800", {"a": {"": []}}],
    ids=repr,
)
def test_odd_values_come_back(value, file):
    assert_same(there_and_back({"value": value}, file)["value"], value)


def test_arrays_come_back_in_c_order_and_may_be_written(file):
    matrix = np.arange(12.0).reshape(3, 4)
    state = there_and_back({"columns": matrix[:, ::2], "turned": matrix.T}, file)
    assert state["turned"].tolist() == matrix.T.tolist()
    assert state["columns"].tolist() == matrix[:, ::2].tolist()
    assert all(array.flags.c_contiguous and array.flags.writeable for array in state.values())


def test_numpy_numbers_come_back_as_numbers_and_tuples_as_lists(file):
    state = there_and_back({"a": np.float64(0.1), "b": np.int32(3), "c": np.bool_(True), "d": (1, 2)}, file)
    assert_same(state, {"a": 0.1, "b": 3, "c": True, "d": [1, 2]})


def test_the_file_is_a_plain_archive_that_numpy_reads_without_pickle(file):
    file.write_bytes(pack({"genomes": np.arange(3.0), "count": 2}))
    with np.load(file, allow_pickle=False) as archive:
        assert archive.files == ["header", "array_0"]
        assert archive["array_0"].tolist() == [0.0, 1.0, 2.0]
        assert json.loads(archive["header"].tobytes())["state"] == {"genomes": None, "count": 2}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            {"a": [1, {2, 3}]},
            "a state holds arrays, numbers, booleans, strings, None, and dicts and lists of these, got set at a.1",
        ),
        ({"a": {"b": np.array([None])}}, "a state's array must hold numbers, got object at a.b"),
        ({"a": np.array(["x"])}, "a state's array must hold numbers, got <U1 at a"),
        ({"a": {1: 2}}, "a state's keys must be strings, got 1 at a"),
    ],
)
def test_what_a_state_cannot_hold_is_refused_with_its_place(state, message):
    with pytest.raises(TypeError) as refused:
        pack(state)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("limits", "state", "message"),
    [
        (
            ArchiveLimits(10_000, 1000),
            {"numbers": list(range(1000))},
            r"its header may have at most 1000 bytes, got \d+",
        ),
        (ArchiveLimits(10_000, 1000), {"numbers": np.arange(2000)}, r"it may have at most 10000 bytes, got \d+"),
        (LIMITS, {"nested": json.loads("[" * 300 + "]" * 300)}, "nested too deeply: it may be 200 levels deep"),
    ],
    ids=["header", "file", "depth"],
)
def test_a_state_that_could_not_be_read_back_is_not_written(limits, state, message):
    with pytest.raises(ValueError, match=message):
        pack_state(KIND, state, limits)


def test_the_largest_state_that_is_written_is_read(file):
    limits = ArchiveLimits(100_000, 2000)
    size = next(size for size in range(12_500, 0, -1) if fits({"a": np.arange(float(size)), "b": [1] * 30}, limits))
    write_anew(file, pack_state(KIND, {"a": np.arange(float(size)), "b": [1] * 30}, limits))
    with reading(file) as opened:
        assert read_state(opened, KIND, limits)["a"].tolist() == list(range(size))


def fits(state, limits):
    try:
        return bool(pack_state(KIND, state, limits))
    except ValueError:
        return False


def test_every_changed_byte_and_every_cut_is_seen(file):
    sound = pack({"a": np.arange(4.0), "b": {"c": "text", "d": 1.5}})
    for place in range(len(sound)):
        for bits in (1, 128):
            changed = bytearray(sound)
            changed[place] ^= bits
            assert_refused(bytes(changed), file)
        assert_refused(sound[:place], file)
    assert_refused(sound + b"\0", file)


def assert_refused(content, file, message="not a valid archive: "):
    write_anew(file, content)
    with pytest.raises(ConfigError) as refused:
        unpack(file)
    assert str(refused.value).startswith(f"{file}: {message}")


def with_digest(content):
    """An archive with the right checksum, as an attacker can forge it."""
    content = content[:-2] + struct.pack("<H", DIGITS)
    return content + digest(io.BytesIO(content), len(content))


def npy(shape, data=b"", dtype="<f8"):
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def archive(header, compression=zipfile.ZIP_STORED, **members):
    buffer = io.BytesIO()
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    with zipfile.ZipFile(buffer, "w", compression) as written:
        written.writestr("header.npy", npy((len(text),), text, "|u1"))
        for name, content in members.items():
            written.writestr(name.replace("__", "/").replace("_npy", ".npy"), content)
    return with_digest(buffer.getvalue())


def listed(path=("a",), kind=KIND):
    return {"format": kind, "state": {"a": None}, "arrays": [list(path)]}


def test_the_forger_of_these_tests_can_write_a_sound_file(file):
    write_anew(file, archive(listed(), array_0_npy=npy((2,), bytes(16))))
    assert unpack(file)["a"].tolist() == [0.0, 0.0]


HUGE = 10**10
TWO = npy((2,), bytes(16))
FORGED = {
    "a header that claims ten thousand million numbers": archive(listed(), array_0_npy=npy((HUGE,), bytes(16))),
    "a product that overflows": archive(listed(), array_0_npy=npy((2**32, 2**32))),
    "a shape of nothing that is endless": archive(listed(), array_0_npy=npy((0, 10**30))),
    "a shape below zero": archive(listed(), array_0_npy=npy((-1,), bytes(8))),
    "an object array": archive(listed(), array_0_npy=npy((1,), b"\x80\x04N.", "|O")),
    "pickle bytes": archive(listed(), array_0_npy=b"\x80\x04cos\nsystem\n(S'true'\ntR."),
    "a compressed member": archive(listed(), zipfile.ZIP_DEFLATED, array_0_npy=TWO),
    "a member outside": archive(listed(), **{"..__evil_npy": TWO}),
    "a member too many": archive(listed(), array_0_npy=TWO, array_1_npy=TWO),
    "a member too few": archive(listed()),
    "members out of order": archive(
        {**listed(), "state": {"a": None, "b": None}, "arrays": [["a"], ["b"]]}, array_1_npy=TWO, array_0_npy=TWO
    ),
    "a place that is taken": archive({**listed(), "state": {"a": 1}}, array_0_npy=TWO),
    "a place that is missing": archive(listed(path=("b", 3)), array_0_npy=TWO),
    "a place below a text": archive(listed(path=[["a"]]), array_0_npy=TWO),
    "a place in an array": archive({**listed(), "arrays": [["a"], ["a", 0]]}, array_0_npy=TWO, array_1_npy=TWO),
    "no place at all": archive(listed(path=()), array_0_npy=TWO),
    "a header that is no JSON": archive(b"{"),
    "a header that is nested": archive(b"[" * 100_000),
    "a state that is a list": archive({**listed(), "state": [], "arrays": []}),
    "no list of arrays": archive({**listed(), "arrays": 3}),
    "a part too many": archive({**listed(), "arrays": [], "more": 1}),
    "no archive": with_digest(b"PK" + bytes(100)),
    "nothing": with_digest(bytes(22)),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_file_is_refused_whatever_its_checksum(kind, file):
    assert_refused(FORGED[kind], file)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("evonet test 2", "was written by a newer version of evonet: its format is 'evonet test 2'"),
        ("evonet test 0", "its format must be 'evonet test 1', got 'evonet test 0'"),
        (None, "its format must be 'evonet test 1', got None; an older version of evonet may have written it"),
    ],
)
def test_a_state_of_another_format_is_refused(kind, message, file):
    assert_refused(archive(listed(kind=kind), array_0_npy=TWO), file, message)


def test_members_that_overlap_are_refused(file):
    sound = archive(listed(), array_0_npy=npy((200,), bytes(1600)))
    assert len(sound) < 2 * 1728
    twice = bytearray(sound)
    end = len(sound) - DIGITS - 22
    size, start = struct.unpack("<II", sound[end + 12 : end + 20])
    entry = sound[start : start + size]
    second = entry[entry.index(b"PK\1\2", 4) :]
    forged = second.replace(b"array_0", b"array_1")
    record = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 3, 3, size + len(forged), start, 0)
    content = with_digest(bytes(twice[:end]) + forged + record)
    assert_refused(content, file, "not a valid archive: its members must not be longer than the file")
