"""What is redacted, what is not, and what never happens."""

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canaries import CANARIES, PLACES, pieces_of
from ccship.redact import RULES, Redactor, Rule, load_rules
from ccship.redact.rules import canary, made_up

HITS = [(rule, marked) for rule in RULES for marked in rule.hits]
MISSES = [(rule, text) for rule in RULES for text in rule.misses]
MARKED = re.compile("«[^»]*»")
TOKEN = "gh" + "p_" + made_up(36)
OTHER = "gl" + "pat-" + made_up(20)

FRAGMENTS = st.sampled_from(
    [MARKED.sub(lambda it: it[0][1:-1], marked) for _, marked in HITS]
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


def rule_of(row: Any) -> str:
    return row.name if isinstance(row, Rule) else ""


@pytest.mark.parametrize(("rule", "marked"), HITS, ids=rule_of)
def test_a_rule_takes_out_the_secret_and_nothing_else(rule: Rule, marked: str) -> None:
    """Its true positives; a part of one may go by the name of a rule that comes first."""
    text = MARKED.sub(lambda it: it[0][1:-1], marked)
    redacted = Redactor().text(text)
    assert re.fullmatch(r"\[redacted:[a-z0-9-]+\]".join(map(re.escape, MARKED.split(marked))), redacted)
    assert f"[redacted:{rule.name}]" in redacted


@pytest.mark.parametrize(("rule", "text"), MISSES, ids=rule_of)
def test_what_only_looks_like_a_secret_stays(rule: Rule, text: str) -> None:
    """Its false positives."""
    assert Redactor().text(text) == text


@pytest.mark.parametrize("rule", RULES, ids=rule_of)
def test_every_rule_has_its_examples(rule: Rule) -> None:
    """Two of either kind at least, and a keyword of three characters or more where it has keywords."""
    assert min(len(rule.hits), len(rule.misses)) >= 2
    assert all(len(keyword) >= 3 for keyword in rule.keywords)


def test_rules_have_names_of_their_own() -> None:
    """The name is all that is left of a secret."""
    assert len({rule.name for rule in RULES}) == len(RULES)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("rule", RULES, ids=rule_of)
def test_no_canary_is_left_wherever_it_stands(rule: Rule, place: str) -> None:
    """Every canary of the rule in that place, in the bytes that would be sent."""
    for it in (it for it in CANARIES if it.rule == rule.name):
        redactor = Redactor()
        sent = orjson.dumps(redactor.value(PLACES[place](it.text))).decode()
        assert [piece for piece in pieces_of(it.secret) if piece in sent] == []
        assert redactor.errors == 0
        assert redactor.counts.total() > 0


def test_there_are_canaries_enough() -> None:
    """All different."""
    assert len({it.text for it in CANARIES}) >= 200
    assert {it.rule for it in CANARIES} == {rule.name for rule in RULES}


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


KEYWORDS = re.compile("|".join(re.escape(keyword) for rule in RULES for keyword in rule.keywords))


@given(st.text(max_size=200).filter(lambda text: text.count("=") < 3 and not KEYWORDS.search(text)))
def test_a_text_without_any_keyword_stays(text: str) -> None:
    """Nothing is guessed at."""
    assert Redactor().text(text) == text


@given(st.text(max_size=60), st.sampled_from([rule for rule in RULES if rule.keywords]), st.text(max_size=60))
def test_a_keyword_is_found_wherever_it_stands(left: str, rule: Rule, right: str) -> None:
    """The one pass that decides whether to look closer overlooks no keyword."""
    for keyword in rule.keywords:
        assert Redactor()._search(left + keyword + right)  # noqa: SLF001 - what nearly every text ends with


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
    assert Redactor().value(value) == {"[redacted:github-token]": 1, "[redacted:github-token] (2)": 2, "plain": 3}


def test_a_key_that_was_a_secret_says_nothing_of_its_value() -> None:
    """The name of the rule in its mark is not the name of the value; what stands beside the mark is."""
    value = {TOKEN: "kept", f"password{TOKEN}": "hunter2"}
    redacted = Redactor().value(value)
    assert redacted == {
        "[redacted:github-token]": "kept",
        "password[redacted:github-token]": "[redacted:named-secret]",
    }
    assert Redactor().value(redacted) == redacted


def test_a_clean_value_comes_back_equal_and_the_given_one_is_not_changed() -> None:
    """Numbers, nothing, tuples and keys that are no strings pass."""
    clean = {"a": [1, 2.5, None, True, ("x", "y")], 7: "seven"}
    secret = {"a": [TOKEN]}
    assert Redactor().value(clean) == clean
    assert Redactor().value(secret) == {"a": ["[redacted:github-token]"]}
    assert secret == {"a": [TOKEN]}


def test_it_is_counted_what_was_taken_out() -> None:
    """By rule, over all calls."""
    redactor = Redactor()
    redactor.text(f"{TOKEN} {OTHER}")
    redactor.value({"token": TOKEN})
    assert redactor.counts == {"github-token": 2, "gitlab-token": 1}


def test_what_overlaps_is_one_secret_of_the_most_particular_rule() -> None:
    """A token beside a name that says secret."""
    assert Redactor().text(f'{{"api_key": "{TOKEN} and"}}') == '{"api_key": "[redacted:github-token] and"}'


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
    assert redactor.text(text) == "TCK-[redacted:ticket] of [redacted:customer] with [redacted:github-token]"


def test_an_extra_rule_leaves_marks_alone() -> None:
    """Or redacting twice would not be redacting once."""
    redactor = Redactor((Rule("words", r"\w{4,}"),))
    assert redactor.text(f"so {TOKEN} is gone") == "so [redacted:github-token] is [redacted:words]"


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
