"""YAML files: plain data with the position of each value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonet.errors import ConfigError
from evonet.experiment.config.document import Document, to_yaml


def read(tmp_path, text, *overrides):
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    return Document.read(str(path), overrides)


def refusal(tmp_path, text, *overrides):
    with pytest.raises(ConfigError) as refused:
        read(tmp_path, text, *overrides)
    return str(refused.value).replace(str(tmp_path), "")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("12", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("on", "on"),
        ("off", "off"),
        ("yes", "yes"),
        ("no", "no"),
        ("y", "y"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12:30:45", "12:30:45"),
        ("'7'", "7"),
        ('"1e-3"', "1e-3"),
        (".inf", math.inf),
        ("CartPole-v1", "CartPole-v1"),
        ("module:Id-v0", "module:Id-v0"),
        ("[1, two, 3.0]", [1, "two", 3.0]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
    ],
)
def test_scalars_are_what_yaml_1_2_says_and_plain_python(tmp_path, text, value):
    found = read(tmp_path, f"key: {text}\n").data["key"]
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, list):
        assert [type(item) for item in found] == [type(item) for item in value]


def test_every_key_and_item_is_found_at_its_line_and_column(tmp_path):
    document = read(tmp_path, "a: 1\nb:\n  c: {d: 2, e: [3, 4]}\n  f:\n    - 5\n    - g: 6\n7: 8\n")
    places = {
        ("a",): "1:1",
        ("b",): "2:1",
        ("b", "c"): "3:3",
        ("b", "c", "d"): "3:7",
        ("b", "c", "e", 1): "3:20",
        ("b", "f", 0): "5:7",
        ("b", "f", 1, "g"): "6:7",
        ("7",): "7:1",
        ("b", "c", "x", "y"): "3:3",
        ("x",): "1:1",
    }
    for path, place in places.items():
        assert document.position(path) == f"{tmp_path}/c.yaml:{place}", path


def test_values_of_a_merge_have_the_position_of_their_section(tmp_path):
    document = read(tmp_path, "base: &base {hidden: 3}\nnetwork:\n  <<: *base\n  bias: 3\n")
    assert document.data["network"] == {"hidden": 3, "bias": 3}
    assert document.position(("network", "hidden")).endswith(":2:1")
    assert document.position(("network", "bias")).endswith(":4:3")


SECOND = (
    "/c.yaml:2:1: not valid YAML: a second document begins here; a config is one document, so remove this line and "
    "what follows it"
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", '/c.yaml:3:1: not valid YAML: found duplicate key "a"'),
        ("b: {c: 1, c: 2}\n", '/c.yaml:1:11: not valid YAML: found duplicate key "c"'),
        ("a:\n\tb: 1\n", "/c.yaml:2:1: not valid YAML: found character '\\t' that cannot start any token"),
        ("a: [1, 2\n", "/c.yaml:2:1: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: 1\n---\nb: 2\n", SECOND),
        ("hello\n", "/c.yaml:1:1: the config must be a mapping of sections, got 'hello'"),
        ("", "/c.yaml:1:1: the config must be a mapping of sections, got None"),
        ("- a\n", "/c.yaml:1:1: the config must be a mapping of sections, got ['a']"),
        ("a: " + "[" * 900, "/c.yaml:1:44: not valid YAML: nested more than 40 levels deep"),
    ],
    ids=lambda value: value[:12],
)
def test_a_file_that_is_not_a_config_is_refused_with_its_position(tmp_path, text, message):
    assert refusal(tmp_path, text) == message


def test_tags_run_no_code_and_raise_nothing_of_their_own(tmp_path):
    document = read(tmp_path, "a: !!python/object/apply:os.system [touch pwned]\nb: !mine 3\nc: !mine {d: 1}\n")
    assert document.data["a"] == ["touch pwned"]
    assert document.position(("a", 0)).endswith("/c.yaml:1:1")
    assert document.position(("c", "d")).endswith((":3:1", ":3:11"))


def test_files_that_cannot_be_read_are_refused_by_name(tmp_path):
    missing = str(tmp_path / "missing.yaml")
    for path, reason in (
        (missing, "No such file or directory"),
        (str(tmp_path), "it is a directory, not a regular file"),
    ):
        with pytest.raises(ConfigError) as refused:
            Document.read(path)
        assert str(refused.value) == f"{path}: cannot be read: {reason}"
    (tmp_path / "latin.yaml").write_bytes("name: Z\xfcrich\n".encode("latin-1"))
    with pytest.raises(ConfigError) as refused:
        Document.read(str(tmp_path / "latin.yaml"))
    assert str(refused.value).startswith(f"{tmp_path}/latin.yaml: the file is not UTF-8 text: ")


BASE = "seed: 1\nnetwork: {hidden: 4, bias: true}\nlist: [1, 2]\n"


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("seed=5", ("seed",), 5),
        ("network.hidden=1e-3", ("network", "hidden"), 0.001),
        ("network.hidden=off", ("network", "hidden"), "off"),
        ("new.deep.key=[1, {a: b}]", ("new", "deep", "key"), [1, {"a": "b"}]),
        ("network={bias: false}", ("network",), {"bias": False}),
        ("seed=", ("seed",), None),
        ("name=a=b", ("name",), "a=b"),
    ],
)
def test_an_override_sets_one_value_and_is_named_in_its_place(tmp_path, override, path, value):
    document = read(tmp_path, BASE, override)
    node = document.data
    for step in path:
        node = node[step]
    assert node == value
    assert document.position(path) == f"--set {override}"
    assert document.position(("list",)) == f"{tmp_path}/c.yaml:3:1"


def test_later_overrides_win(tmp_path):
    document = read(tmp_path, BASE, "network.hidden=5", "network.hidden=6")
    assert document.data["network"] == {"hidden": 6, "bias": True}
    assert document.position(("network", "hidden")) == "--set network.hidden=6"


def test_the_sections_that_an_override_had_to_make_are_blamed_on_it(tmp_path):
    document = read(tmp_path, BASE, "algorithm.mutation.sigma=1")
    assert document.position(("algorithm",)) == "--set algorithm.mutation.sigma=1"
    assert document.position(("algorithm", "mutation")) == "--set algorithm.mutation.sigma=1"
    assert document.position(("algorithm", "crossover")) == "--set algorithm.mutation.sigma=1"


def test_what_an_override_replaced_is_no_longer_blamed_on_the_file(tmp_path):
    document = read(tmp_path, BASE, "network={hidden: 0}")
    assert document.position(("network", "hidden")) == "--set network={hidden: 0}"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "--set must have the form key.path=value, got 'seed'"),
        ("=3", "--set must have the form key.path=value, got '=3'"),
        ("a..b=3", "--set must have the form key.path=value, got 'a..b=3'"),
        ("seed.x=3", "--set seed.x=3: 'seed' must be a section, got 1"),
        ("list.0=3", "--set list.0=3: 'list' must be a section, got [1, 2]"),
        ("seed=[", "--set seed=[:1:2: not valid YAML: expected the node content, but found '<stream end>'"),
    ],
)
def test_an_invalid_override_is_refused(tmp_path, override, message):
    assert refusal(tmp_path, BASE, override) == message


keys = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=8)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12),
    st.sampled_from(["on", "off", "1e-3", "7", "null", "~", "true", "", "2024-01-01", "=", "<<", "a: b", "# no", "'"]),
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3))


@given(st.dictionaries(keys, values, max_size=4))
def test_what_is_written_as_yaml_is_read_as_it_was(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("yaml") / "c.yaml"
    path.write_text(to_yaml(data), encoding="utf-8")
    again = Document.read(str(path)).data
    assert again == data
    assert repr(again) == repr(data)
