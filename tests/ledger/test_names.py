"""Names are stored without credentials, whatever they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canaries import CANARIES
from ccship.ledger.names import stored_name
from ccship.privacy.redact import Redactor


@pytest.mark.parametrize("part", ["-", "_", ".", "a", "1", "a1", "-a", "--a", "a" * 16, "1" * 9])
def test_a_row_of_anything_is_judged_at_once(part: str) -> None:
    """A pattern that can divide it in many ways would take years."""
    for length in (20, 40, 80, 200):
        name = (part * length)[: length - 1] + "é"
        assert stored_name(name) == name[:200]


@given(name=st.text("aZ19-_/. ", max_size=60) | st.sampled_from([canary.secret for canary in CANARIES]))
def test_a_name_is_what_the_redactor_leaves_of_it(name: str) -> None:
    """The rules are not loaded for words and numbers, of which they change nothing."""
    printable = "".join(character if character.isprintable() else " " for character in Redactor().text(name))
    assert stored_name(name) == printable[:200]


def test_a_name_has_no_control_characters() -> None:
    """A report prints it to a terminal."""
    assert stored_name("\x1b[31mred\nfeature") == " [31mred feature"
