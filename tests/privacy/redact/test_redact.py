"""What is redacted, what is not, and what never happens."""

import re
import tracemalloc
from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canaries import CANARIES, PLACES, pieces_of
from ccship.privacy.redact import OWN_RULES, RULES, Redactor, Rule, gitleaks, load_rules
from ccship.privacy.redact.scan import Scan
from redact_examples import EXAMPLES, MODULES
from redact_examples.notation import MARKED, canary, made_up, unmarked

HITS = [(name, marked) for name, examples in EXAMPLES.items() for marked in examples.hits]
MISSES = [(name, text) for name, examples in EXAMPLES.items() for text in examples.misses]
RULE_NAMED = {rule.name: rule for rule in OWN_RULES}
SCAN = Scan(RULES)
TOKEN = "gh" + "p_" + made_up(36)
OTHER = "gl" + "pat-" + made_up(20)

FRAGMENTS = st.sampled_from(
    [unmarked(marked) for _, marked in HITS]
    + [text for _, text in MISSES]
    + [keyword for rule in RULES for keyword in rule.keywords]
    + ["=", ": ", '"', "'", "\\", "\\n", "\n", " ", "AB=1", "[redacted:error]", "[redacted:", "é", "İ"]
)
TEXTS = st.lists(FRAGMENTS | st.text(max_size=8), max_size=8).map("".join)
VALUES = st.recursive(
    TEXTS | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize(("name", "marked"), HITS, ids=[name for name, _ in HITS])
def test_a_rule_takes_out_the_secret_and_nothing_else(name: str, marked: str) -> None:
    """Its true positives; a part of one may go by the name of a rule that comes first."""
    text, kept = unmarked(marked), MARKED.split(marked)[::2]
    assert re.fullmatch(r"\[redacted:[a-z0-9-]+\]".join(map(re.escape, kept)), Redactor().text(text))
    rule = RULE_NAMED[name]
    scan = Scan([rule])
    assert not rule.keywords or scan.found_in(text, scan.keywords_in(text))


@pytest.mark.parametrize(("name", "text"), MISSES, ids=[name for name, _ in MISSES])
def test_what_only_looks_like_a_secret_stays(name: str, text: str) -> None:
    """Its false positives."""
    assert Redactor().text(text) == text


@pytest.mark.parametrize("name", RULE_NAMED)
def test_every_rule_of_ours_has_its_examples(name: str) -> None:
    """At least two hits with a marked secret, two misses without, and keywords of two characters or more."""
    hits, misses = EXAMPLES[name]
    assert min(len(hits), len(misses)) >= 2
    assert all(map(MARKED.search, hits))
    assert not any(map(MARKED.search, misses))
    assert all(len(keyword) >= 2 for keyword in RULE_NAMED[name].keywords)


def test_every_example_belongs_to_one_rule() -> None:
    """A rule that is renamed or deleted leaves no examples behind, and no module replaces those of another."""
    names = [name for module in MODULES for name in module.EXAMPLES]
    assert sorted(names) == sorted(RULE_NAMED)


def test_rules_have_names_of_their_own() -> None:
    """The name is all that is left of a secret; the two shapes that a vendored rule may have share one."""
    assert len({rule.name for rule in OWN_RULES}) == len(OWN_RULES)
    assert not {rule.name for rule in OWN_RULES} & {rule.name for rule in gitleaks.RULES}


@pytest.mark.parametrize("place", PLACES)
def test_no_canary_is_left_wherever_it_is(place: str) -> None:
    """Every canary of every rule in that place, in the bytes that would be sent."""
    left = []
    for case in CANARIES:
        redactor = Redactor()
        sent = orjson.dumps(redactor.value(PLACES[place](case.text))).decode()
        if redactor.errors or not redactor.counts or any(piece in sent for piece in pieces_of(case.secret)):
            left.append(case)
    assert left == []


@pytest.mark.parametrize("between", [" ", "\n", "\\n", '"'])
def test_a_second_secret_right_behind_the_first_is_taken_out_too(between: str) -> None:
    """Of the same rule and of any other one, in the same text."""
    left = []
    for case in CANARIES:
        for text in (case.text + between + case.text, f"{TOKEN}{between}{case.text}", f"{case.text}{between}{TOKEN}"):
            redacted = Redactor().text(text)
            if any(piece in redacted for piece in (*pieces_of(case.secret), TOKEN)):
                left.append(text)
    assert left == []


def test_secrets_with_nothing_between_them_are_two() -> None:
    """A rule may end where it begins."""
    redactor = Redactor(load_rules("[[rules]]\nname = 'ticket'\npattern = 'TCK-\\d{6}'\nkeywords = ['tck-']"))
    assert redactor.text("TCK-123456TCK-654321") == "[redacted:ticket][redacted:ticket]"
    assert redactor.counts == {"ticket": 2}


def test_there_are_canaries_enough() -> None:
    """All different."""
    assert len({case.text for case in CANARIES}) >= 200
    assert {case.rule for case in CANARIES} == {rule.name for rule in RULES}


@given(TEXTS)
def test_redacting_twice_is_redacting_once(text: str) -> None:
    """And the same text gives the same, from another redactor too."""
    redacted = Redactor().text(text)
    assert Redactor().text(text) == redacted
    assert Redactor().text(redacted) == redacted


@given(VALUES)
def test_a_value_keeps_its_shape(value: Any) -> None:
    """No item and no key is lost; it can be sent, and redacting it again changes nothing."""
    redactor = Redactor()
    redacted = redactor.value(value)
    assert redactor.errors == 0
    assert Redactor().value(redacted) == redacted
    assert size(redacted) == size(value)


def size(value: Any) -> int:
    """Items at all depths."""
    match value:
        case dict():
            return 1 + sum(map(size, value.values()))
        case list():
            return 1 + sum(map(size, value))
    return 1


KEYWORDS = re.compile("|".join(re.escape(keyword.lower()) for rule in RULES for keyword in rule.keywords))


@given(st.text(max_size=200).filter(lambda text: text.count("=") < 3 and not KEYWORDS.search(text.lower())))
def test_a_text_without_any_keyword_stays(text: str) -> None:
    """Nothing is guessed at."""
    assert Redactor().text(text) == text


@given(st.text(max_size=60), st.sampled_from([rule for rule in RULES if rule.keywords]), st.text(max_size=60))
def test_a_keyword_is_found_wherever_it_stands(left: str, rule: Rule, right: str) -> None:
    """In any case, and after characters whose small letters are two."""
    for keyword in rule.keywords:
        for written in (keyword, keyword.lower(), keyword.upper()):
            text = f"{left}İ{written}{right}"
            at = len(left) + 1
            assert (at, at + len(written)) in {(start, end) for _, start, end in SCAN.keywords_in(text)}


def test_half_a_surrogate_pair_hides_nothing() -> None:
    """Python's strings may hold what cannot be encoded; only what is beside it is redacted."""
    assert Redactor().text(f"\ud83d {TOKEN}") == "\ud83d [redacted:github-pat]"


@pytest.mark.parametrize("key", ["password", "clientSecret", "API_KEY", "x-api-key", "auth_token", "dbPassword", "pwd"])
def test_a_key_that_says_secret_redacts_its_value(key: str) -> None:
    """Whatever the value looks like, in lists too; what only points to a secret stays."""
    value = {key: "tr0ub4dor & 3", "list": [{key: ["one", "two"]}], "nested": {key: "${FROM_ELSEWHERE}", "n": 1}}
    mark = "[redacted:named-secret]"
    assert Redactor().value(value) == {
        key: mark,
        "list": [{key: [mark, mark]}],
        "nested": {key: "${FROM_ELSEWHERE}", "n": 1},
    }


@pytest.mark.parametrize(
    "key", ["token_count", "max_tokens", "key", "public_key", "password_field", "tokenizer", "secretary", "next_token"]
)
def test_a_key_that_only_sounds_like_it_does_not(key: str) -> None:
    """Counts, names and places are no secrets."""
    assert Redactor().value({key: "hunter2 and more"}) == {key: "hunter2 and more"}


def test_keys_are_redacted_and_none_loses_its_value() -> None:
    """Two secrets become the same mark."""
    value = {TOKEN: 1, TOKEN + "x": 2, "plain": 3}
    assert Redactor().value(value) == {"[redacted:github-pat]": 1, "[redacted:github-pat] (2)": 2, "plain": 3}


def test_a_key_that_was_a_secret_says_nothing_of_its_value() -> None:
    """The name of the rule in its mark is not the name of the value; what stands beside the mark is."""
    value = {TOKEN: "kept", f"password{TOKEN}": "hunter2"}
    redacted = Redactor().value(value)
    assert redacted == {
        "[redacted:github-pat]": "kept",
        "password[redacted:github-pat]": "[redacted:named-secret]",
    }
    assert Redactor().value(redacted) == redacted


def test_a_clean_value_comes_back_equal_and_the_given_one_is_not_changed() -> None:
    """Numbers, nothing, tuples and keys that are no strings pass."""
    clean = {"a": [1, 2.5, None, True, ("x", "y")], 7: "seven"}
    secret = {"a": [TOKEN]}
    assert Redactor().value(clean) == clean
    assert Redactor().value(secret) == {"a": ["[redacted:github-pat]"]}
    assert secret == {"a": [TOKEN]}


def test_it_is_counted_what_was_taken_out() -> None:
    """By rule, over all calls."""
    redactor = Redactor()
    redactor.text(f"{TOKEN} {OTHER}")
    redactor.value({"token": TOKEN})
    assert redactor.counts == {"github-pat": 2, "gitlab-pat": 1}


@given(st.lists(VALUES, max_size=5))
def test_earlier_values_change_nothing(values: list[Any]) -> None:
    """A redactor that has cached texts and keys redacts and counts like a new one."""
    redactor, counts = Redactor(), Counter[str]()
    for value in (*values, *values):
        new = Redactor()
        assert redactor.value(value) == new.value(value)
        counts += new.counts
    assert redactor.counts == counts


def test_long_runs_take_no_more_memory() -> None:
    """A redactor remembers clean texts, but only a few megabytes of them."""
    redactor = Redactor()
    tracemalloc.start()
    try:
        for number in range(3_000):
            redactor.text(f"{number} " * 2_000)
        assert tracemalloc.get_traced_memory()[0] < 6_000_000
    finally:
        tracemalloc.stop()


def test_what_overlaps_is_one_secret_of_the_most_particular_rule() -> None:
    """A token beside a name that says secret."""
    assert Redactor().text(f'{{"api_key": "{TOKEN} and"}}') == '{"api_key": "[redacted:github-pat] and"}'


def test_a_value_that_cannot_be_judged_is_given_up_whole_and_counted() -> None:
    """Nothing of it leaves, and nothing is raised."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    redactor = Redactor()
    assert redactor.value({"deep": deep}) == "[redacted:error]"
    assert redactor.errors == 1


class Unreadable(str):
    """A string that cannot be looked at."""

    __slots__ = ()

    def __len__(self) -> int:
        raise OSError


def test_a_text_that_cannot_be_judged_is_given_up_whole_and_counted() -> None:
    """The reason does not matter."""
    redactor = Redactor()
    assert redactor.text(Unreadable(TOKEN)) == "[redacted:error]"
    assert redactor.errors == 1


EXTRA = """
[[rules]]
name = "ticket"
pattern = 'TCK-(?P<secret>\\d{6})'
keywords = ["tck-"]

[[rules]]
name = "customer"
pattern = 'Kunde \\w+'
"""


def test_extra_rules_are_added_to_the_built_in_ones() -> None:
    """Their keywords are sought in any case; the group `secret` is what goes, if there is one."""
    redactor = Redactor(load_rules(EXTRA))
    text = f"TCK-123456 of Kunde Lovelace with {TOKEN}"
    assert redactor.text(text) == "TCK-[redacted:ticket] of [redacted:customer] with [redacted:github-pat]"


def test_the_name_of_a_rule_in_a_mark_names_no_value() -> None:
    """`github-refresh-token` ends like the name of a secret, and what follows the mark may be anything."""
    refresh = "gh" + "r_" + made_up(36)
    assert Redactor().text(f"{refresh}: build7512") == "[redacted:github-refresh-token]: build7512"


def test_an_extra_rule_leaves_marks_alone() -> None:
    """Or redacting twice would not be redacting once."""
    redactor = Redactor((Rule("words", r"\w{4,}"),))
    assert redactor.text(f"so {TOKEN} is gone") == "so [redacted:github-pat] is [redacted:words]"


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("[[rules]", "not TOML"),
        ("rule = 1", "something other than [[rules]]"),
        ("rules = [1]", "something other than [[rules]]"),
        ("[[rules]]\npattern = 'x+'", "rule 1: needs a name"),
        ("[[rules]]\nname = 'Not Good'\npattern = 'x+'", "rule 1: needs a name"),
        ("[[rules]]\nname = 'a'", "rule a: needs a pattern"),
        ("[[rules]]\nname = 'a'\npattern = 7", "rule a: needs a pattern"),
        ("[[rules]]\nname = 'a'\npattern = '('", "rule a: the pattern is wrong"),
        ("[[rules]]\nname = 'a'\npattern = 'x*'", "rule a: the pattern matches nothing at all"),
        ("[[rules]]\nname = 'a'\npattern = 'x'\nkeywords = 'x'", "rule a: keywords is a list"),
        ("[[rules]]\nname = 'a'\npattern = 'x'\nregex = 'x'", "rule a: unknown field 'regex'"),
        ("[[rules]]\nname = 'jwt'\npattern = 'x'", "rule jwt: there is a built-in rule of this name"),
        (
            "[[rules]]\nname = 'a'\npattern = 'x'\n[[rules]]\nname = 'a'\npattern = 'y'",
            "rule a: there is a second rule",
        ),
    ],
)
def test_a_bad_rule_is_named_in_one_line(document: str, complaint: str) -> None:
    """So that a person can mend it."""
    with pytest.raises(ValueError, match=re.escape(complaint)) as error:
        load_rules(document)
    assert "\n" not in str(error.value)


def test_no_rules_are_no_rules() -> None:
    """An empty document is a mistake, an empty list is not."""
    assert load_rules("rules = []") == ()


def test_a_canary_is_marked() -> None:
    """The marks of the examples are not part of them."""
    assert canary("a", "b") == "«ab»"
