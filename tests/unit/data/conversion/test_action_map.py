import pytest
import yaml

from nocigram.core.actions import DEFAULT_SCHEME, UNSCORED, ActionScheme
from nocigram.core.errors import InputError
from nocigram.data.conversion.action_map import LEFT_OUT, ActionMap, codes_of, read_action_map
from nocigram.data.formats import Event, ForeignLabels


@pytest.fixture
def map_file(tmp_path):
    def write(text):
        path = tmp_path / "map.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def labels(tmp_path):
    def make(*names):
        events = tuple(Event(name=name, start=0.0, stop=1.0) for name in names)
        return ForeignLabels(path=tmp_path / "a.csv", video=None, unit="s", events=events, names=names)

    return make


def test_a_file_answers_everything(map_file):
    text = """
actions: {Licking of paw: paw_lick, light: leave_out, hand: unscored}
background: rest
priority: [paw_shake, paw_lick]
scored: {mouse1: [0, 2.5]}
stimulus: von Frey
"""
    assert read_action_map(map_file(text), scheme=DEFAULT_SCHEME) == ActionMap(
        actions={"Licking of paw": 2, "light": LEFT_OUT, "hand": UNSCORED},
        background=0,
        priority=(4, 2),
        scored_s={"mouse1": (0.0, 2.5)},
        stimulus="von Frey",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "", "expected the keys actions, background, priority, scored, stimulus, got none", id="an empty file"
        ),
        pytest.param("lick: paw_lick", "priority, scored, stimulus, got lick. See docs/convert.md", id="no keys"),
        pytest.param("[a]", "expected a mapping, got list", id="a list"),
        pytest.param("actions: {a: b", "expected a YAML file, got", id="broken YAML"),
        pytest.param("actions: [a]", "expected actions and scored to be mappings", id="actions as a list"),
        pytest.param("actions: {a: bite}", "unscored, leave_out, got 'bite'", id="an unknown action"),
        pytest.param("background: unscored", "active, got 'unscored'. Correct the name", id="background is no action"),
        pytest.param("stimulus: [a]", r"expected stimulus to be a behaviour's name, got \['a'\]", id="two stimuli"),
        pytest.param("stimulus: ''", "expected stimulus to be a behaviour's name, got ''", id="an empty stimulus"),
        pytest.param("priority: [a, b]", "got 'a'.*\n.*got 'b'", id="unknown priorities"),
        pytest.param(
            "scored: {m: [3, 1]}", r"scored, m: expected \[start, stop\] in seconds, got \[3, 1\]", id="a span"
        ),
    ],
)
def test_a_file_that_says_something_else_is_refused(text, message, map_file):
    with pytest.raises(InputError, match=message):
        read_action_map(map_file(text), scheme=DEFAULT_SCHEME)


@pytest.mark.parametrize(
    ("theirs", "code"),
    [
        ("Rest", 0),
        ("paw lick", 2),
        ("Licking", 2),
        ("PAW-WITHDRAW", 1),
        ("withdrawal", 1),
        ("walking", 6),
        ("flinch", 5),
    ],
)
def test_our_actions_in_other_spellings_and_usual_words_need_no_answer(theirs, code, labels):
    assert codes_of([labels(theirs)], given=ActionMap(), scheme=DEFAULT_SCHEME) == {theirs: code}


def test_usual_words_mean_nothing_where_the_action_does_not_exist(labels):
    with pytest.raises(InputError, match="no answer for licking"):
        codes_of([labels("licking")], given=ActionMap(), scheme=ActionScheme(names=("rest", "groom")))


def test_a_users_answer_wins_over_the_usual_one_and_case_does_not_matter(labels):
    given = ActionMap(actions={"WALK": 0})
    assert codes_of([labels("walk")], given=given, scheme=DEFAULT_SCHEME) == {"walk": 0}


def test_a_behaviour_with_modifiers_is_what_it_is_without_them_unless_it_is_named(labels):
    given = ActionMap(actions={"paw": 1, "paw|shake": 4})
    found = labels("paw|shake", "paw|shake|left", "paw|other", "lick|left")
    codes = codes_of([found], given=given, scheme=DEFAULT_SCHEME)
    assert codes == {"paw|shake": 4, "paw|shake|left": 4, "paw|other": 1, "lick|left": 2}


def test_a_behaviour_that_never_occurs_needs_no_answer(labels):
    unused = labels("walk")
    assert codes_of([unused], given=ActionMap(actions={"bite": 1}), scheme=DEFAULT_SCHEME) == {"walk": 6}


def test_what_has_no_answer_is_listed_with_a_file_to_fill_in(labels, map_file):
    found = [labels("walk", "bite: hard", "bite: hard"), labels("no", "1")]
    with pytest.raises(InputError, match=r"no answer for 1, bite: hard, no\. Fill in this file") as caught:
        codes_of(found, given=ActionMap(), scheme=DEFAULT_SCHEME)
    template = str(caught.value).split("\n\n", 1)[1]
    assert "# events: 2" in template
    assert yaml.safe_load(template) == {"actions": {"1": None, "bite: hard": None, "no": None, "walk": "walk"}}
    with pytest.raises(InputError, match="no answer for 1, bite: hard, no"):  # as long as it isn't filled in
        codes_of(found, given=read_action_map(map_file(template), scheme=DEFAULT_SCHEME), scheme=DEFAULT_SCHEME)
    filled = template.replace(":    #", ": rest    #")
    codes = codes_of(found, given=read_action_map(map_file(filled), scheme=DEFAULT_SCHEME), scheme=DEFAULT_SCHEME)
    assert codes == {"1": 0, "bite: hard": 0, "no": 0, "walk": 6}


@pytest.mark.parametrize(
    ("theirs", "stimulus", "actions", "code"),
    [
        pytest.param("Von  Frey", "von frey", {}, LEFT_OUT, id="in another spelling"),
        pytest.param("Von Frey|0.4 g|left", "von frey", {}, LEFT_OUT, id="with modifiers"),
        pytest.param("hind paw|touch|left", "hind paw|touch", {}, LEFT_OUT, id="a stimulus with a modifier itself"),
        pytest.param("touch", "touch", {"Touch": 5}, 5, id="a user's answer of its own"),
        pytest.param("hind paw|lick", "hind paw|touch", {"hind paw": 6}, 6, id="another modifier is no stimulus"),
    ],
)
def test_the_stimulus_needs_no_action(theirs, stimulus, actions, code, labels):
    given = ActionMap(stimulus=stimulus, actions=actions)
    assert codes_of([labels(theirs)], given=given, scheme=DEFAULT_SCHEME) == {theirs: code}
    assert given.is_stimulus(theirs) == ("lick" not in theirs)
