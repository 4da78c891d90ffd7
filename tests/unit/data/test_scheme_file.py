import pytest

from nocigram.core.actions import DEFAULT_SCHEME
from nocigram.core.errors import InputError
from nocigram.data.scheme_file import read_scheme


@pytest.fixture
def scheme_file(tmp_path):
    def write(text: str):
        path = tmp_path / "actions.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_without_a_file_the_actions_are_the_guides():
    assert read_scheme(None) is DEFAULT_SCHEME


@pytest.mark.parametrize(
    ("text", "classes", "col_map"),
    [
        pytest.param("names: [a, b]", ("a", "b"), {0: 0, 1: 1}, id="names only"),
        pytest.param("names: [a, b, c]\nmerges: {c: a}\n", ("a", "b"), {0: 0, 1: 1, 2: 0}, id="a merge"),
        pytest.param(
            "names: [a, b, c]\nmerges:\nignore: [a]\n", ("b", "c"), {0: -1, 1: 0, 2: 1}, id="an ignored action"
        ),
        pytest.param(
            "names: [a, b, c, d]\nmerges: {d: c}\nignore: [c]",
            ("a", "b"),
            {0: 0, 1: 1, 2: -1, 3: -1},
            id="merged into an ignored one",
        ),
        pytest.param(
            "\ufeffnames: [1, 2.5, 'yes']", ("1", "2.5", "yes"), {0: 0, 1: 1, 2: 2}, id="names that look like numbers"
        ),
        pytest.param(
            f"names: {[f'a{i}' for i in range(40)]}",
            tuple(f"a{i}" for i in range(40)),
            {i: i for i in range(40)},
            id="forty actions",
        ),
    ],
)
def test_a_laboratorys_own_actions_are_read(text, classes, col_map, scheme_file):
    scheme = read_scheme(scheme_file(text))
    assert scheme.classes == classes
    assert scheme.col_map == col_map


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("names: [a, b", "--actions: expected a YAML file, got", id="broken YAML"),
        pytest.param("[a, b]", "expected the keys names, merges and ignore, got list", id="a list"),
        pytest.param("merges: {a: b}", r"expected the keys names, merges and ignore, got \['merges'\]", id="no names"),
        pytest.param("names: [a, b]\nmerge: {}", r"got \['merge', 'names'\]", id="a misspelt key"),
        pytest.param("names: a b", "expected names and ignore to be lists and merges a mapping", id="names as text"),
        pytest.param("names: [a, b]\nmerges: [a]", "expected names and ignore to be lists", id="merges as a list"),
        pytest.param("names: ['', a, b]", "expected actions that are words, got ''. Write it in quotes", id="no name"),
        pytest.param("names: [on, a, b]", "expected actions that are words, got True", id="a word that YAML knows"),
        pytest.param("names: [[a], b, c]", r"expected actions that are words, got \['a'\]", id="a list as name"),
        pytest.param("[" * 400, "--actions: expected a YAML file, got", id="brackets without end"),
        pytest.param("names: [a, b, a]", "actions: names: expected each name once", id="a name twice"),
        pytest.param(
            "names: [a, b]\nignore: [c]", r"expected names among \['a', 'b'\], got \['c'\]", id="an unknown name"
        ),
        pytest.param(
            "names: [a, b, c, d]\nmerges: {a: b, b: c}", "targets that are not merged themselves, got", id="a chain"
        ),
        pytest.param("names: [a, b]\nmerges: {a: b}", "expected at least 2 actions after merging", id="a single class"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(text, message, scheme_file):
    with pytest.raises(InputError, match=message):
        read_scheme(scheme_file(text))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"--actions: expected a YAML file, got .*No such file.* Correct the path"):
        read_scheme(tmp_path / "no.yaml")
