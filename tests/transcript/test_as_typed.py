"""The input of a turn is what the person typed; what stands beside it in the transcript is metadata."""

from pathlib import Path
from typing import Any

import pytest

from ccship.observations import Observation
from ccship.privacy import Policy, protect
from ccship.transcript.records import Message, User
from ccship.transcript.typed import as_typed, context_of
from helpers import observe
from lines import Lines, tool
from observed import Observe, inputs, named, roots

ASIDE = "This may or may not be related to the current task."
OPENED = f"<ide_opened_file>The user opened the file /work/a b.md in the IDE. {ASIDE}</ide_opened_file>"
SELECTED_TEXT = "The user selected the lines 8 to 9 from c:\\work\\app.py:\ndef go():\n    pass"
SELECTED = f"<ide_selection>{SELECTED_TEXT}\n\n{ASIDE}</ide_selection>"
REMINDER = "<system-reminder>\nThe task tools have not been used.\n</system-reminder>"
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}


def text(content: str) -> dict[str, Any]:
    """A text block."""
    return {"type": "text", "text": content}


def prompted(seen: Observe, content: Any) -> Observation:
    """The turn that a prompt makes."""
    (root,) = roots(seen(Lines().prompt(content).assistant("m1", "ok")))
    return root


BESIDE: dict[str, tuple[Any, dict[str, str]]] = {
    "an open file": ([text(OPENED), text("shorten it")], {"ide_file": "/work/a b.md"}),
    "a selection": (
        [text(SELECTED), text("shorten it")],
        {"ide_file": "c:\\work\\app.py", "ide_selection": SELECTED_TEXT},
    ),
    "both": (
        [text(OPENED), text(SELECTED), text("shorten it")],
        {"ide_file": "c:\\work\\app.py", "ide_selection": SELECTED_TEXT},
    ),
    "one string": (f"{OPENED}\nshorten it", {"ide_file": "/work/a b.md"}),
    "a reminder": ([text(REMINDER), text("shorten it")], {}),
    "a file in other words": (
        "<ide_opened_file>notes.md is open</ide_opened_file>shorten it",
        {"ide_file": "notes.md is open"},
    ),
}


@pytest.mark.parametrize(("content", "context"), BESIDE.values(), ids=BESIDE.keys())
def test_what_the_editor_added_is_metadata(content: Any, context: dict[str, str], seen: Observe) -> None:
    """The person's words are the input."""
    root = prompted(seen, content)
    assert root.input == "shorten it"
    assert {key: value for key, value in root.metadata.items() if key.startswith("ide_")} == context


def test_the_call_is_given_all_that_the_model_was_given(seen: Observe) -> None:
    """Nothing is lost."""
    (call,) = named(seen(Lines().prompt([text(OPENED), text(REMINDER), text("go")]).assistant("m1", "ok")), "LLM call")
    assert call.input[0]["content"] == f"{OPENED}\n{REMINDER}\ngo"


UNCHANGED = {
    "words before the element": f"look: {OPENED}",
    "an element without end": "<ide_selection>The user selected",
    "an unknown element": "<objective>ship it</objective> now",
    "nothing but a reminder": REMINDER,
    "shell input and words": "<bash-input>ls</bash-input> is what I ran",
}


@pytest.mark.parametrize("content", UNCHANGED.values(), ids=UNCHANGED.keys())
def test_other_text_stays_as_it_is(content: str, seen: Observe) -> None:
    """It may be the person's own, and no input is empty that has text."""
    (root,) = roots(seen(Lines().user(content).assistant("m1", "ok")))
    assert root.input == content


def test_an_image_beside_an_open_file_is_named(seen: Observe) -> None:
    """Somebody pasted it without a word."""
    assert prompted(seen, [text(OPENED), IMAGE]).input == "[image]"


def test_a_command_behind_an_open_file_is_shown_as_typed(seen: Observe) -> None:
    """As without it."""
    assert prompted(seen, [text(OPENED), text("<command-name>/model</command-name>")]).input == "/model"


@pytest.mark.parametrize("typed", ["git switch main", " ls -la ", "a && b <c >d\ne"])
def test_shell_input_is_shown_as_typed(typed: str, seen: Observe) -> None:
    """Behind its exclamation mark."""
    (root,) = roots(seen(Lines().user(f"<bash-input>{typed}</bash-input>").assistant("m1", "ok")))
    assert root.input == f"!{typed.strip()}"


def message(words: str, sender: str = "lead", **attributes: str) -> str:
    """A message of a teammate."""
    more = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<teammate-message teammate_id="{sender}"{more}>\n{words}\n</teammate-message>'


TEAMMATES: dict[str, tuple[str, str, str]] = {
    "one": (message("start"), "start", "lead"),
    "with a color and a summary": (message("done", "ui", color="red", summary="A-1 -> A-2"), "done", "ui"),
    "two of one": (message("a") + "\n\n" + message("b"), "a\n\nb", "lead"),
    "two": (message("a") + "\n\n" + message("b", "qa"), "a\n\nb", "lead,qa"),
    "without end": ('<teammate-message teammate_id="lead">\nstart', "start", "lead"),
    "of nobody": ("<teammate-message>start</teammate-message>", "start", ""),
}


@pytest.mark.parametrize(("content", "words", "senders"), TEAMMATES.values(), ids=TEAMMATES.keys())
def test_a_message_of_a_teammate_is_its_text(content: str, words: str, senders: str, seen: Observe) -> None:
    """Who sent it is metadata."""
    (root,) = roots(seen(Lines("2.1.39").user(content).assistant("m1", "ok")))
    assert (root.input, root.metadata["trigger"]) == (words, "teammate")
    assert root.metadata.get("teammate", "") == senders


@pytest.mark.parametrize("content", [message("a") + " and so on", message("a", color='"red"')])
def test_a_message_of_another_shape_stays_as_it_is(content: str, seen: Observe) -> None:
    """No word of it is lost."""
    (root,) = roots(seen(Lines("2.1.39").user(content).assistant("m1", "ok")))
    assert root.input == content


def test_messages_that_are_queued_together_keep_their_senders(seen: Observe) -> None:
    """The second is an event of the turn."""
    lines = Lines("2.1.39").user(message("a")).user(message("b", "qa")).assistant("m1", "ok")
    (event,) = named(seen(lines), "queued_prompt")
    assert (event.input, event.metadata["teammate"]) == ("b", "qa")


def test_a_subagent_is_told_what_its_teammate_wrote(tmp_path: Path) -> None:
    """A teammate that runs in the session's own process has a transcript of its own."""
    lines = Lines().prompt("go").assistant("m1", tool("t1", "Agent", prompt="x"))
    main = lines.result("t1", toolUseResult={"agentId": "a1"}).write(tmp_path / "s1.jsonl")
    own = Lines(session="a1").user(message("start"), isSidechain=True, agentId="a1", sessionId="s1")
    own.assistant("m9", "ok", isSidechain=True, agentId="a1", sessionId="s1")
    own.write(tmp_path / "s1" / "subagents" / "agent-a1.jsonl")
    (agent,) = (observation for observation in observe(main) if observation.name.startswith("Agent: "))
    assert (agent.input, agent.metadata["teammate"]) == ("start", "lead")


def test_a_slice_that_begins_with_a_response_has_no_input(seen: Observe) -> None:
    """What the model said is not what it was asked."""
    observations = seen(Lines().assistant("m1", "as I said").prompt("next").assistant("m2", "ok"))
    assert inputs(observations) == [None, "next"]
    assert roots(observations)[0].output == "as I said"


# Privacy


def test_in_metadata_mode_no_text_of_the_editor_is_left(seen: Observe) -> None:
    """A path and a selection are text; the name of a teammate is a name, as those of agents are."""
    root = protect(prompted(seen, [text(SELECTED), text("go")]), Policy(capture="metadata"))
    assert set(root.metadata["ide_file"]) == set(root.metadata["ide_selection"]) == {"characters", "sha256"}
    (root,) = roots(seen(Lines("2.1.39").user(message("start")).assistant("m1", "ok")))
    assert protect(root, Policy(capture="metadata")).metadata["teammate"] == "lead"


def test_a_secret_in_a_selection_is_redacted(seen: Observe) -> None:
    """Metadata is text like any other."""
    secret = "ghp" + "_" + "q7Wm2Zx9KdL4vTb8RnY3hGs6PfJc5q7Wm2Zx"
    root = protect(prompted(seen, [text(SELECTED.replace("pass", f"x = '{secret}'")), text("go")]), Policy())
    assert secret not in str(root.metadata)
    assert "[redacted:" in root.metadata["ide_selection"]


HOSTILE = {
    "tags": "<teammate-message" * 200_000,
    "attributes": '<teammate-message a="b"' * 100_000,
    "one tag with many attributes": "<teammate-message" + ' a="b"' * 400_000,
    "elements": "<ide_opened_file>" * 200_000,
    "files": f"<ide_selection>The user selected {' from ' * 500_000}</ide_selection>x",
    "ends": f"<system-reminder>{'</system-reminder' * 200_000}",
    "shell input": "<bash-input>" * 300_000,
    "blanks": " " * 3_000_000,
    "a command": "/compact" + " \n" * 1_500_000 + "x",
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_markup_that_never_ends_is_read_once(hostile: str) -> None:
    """3 MB that would take hours if the rest were read again from each tag."""
    record = User(type="user", message=Message(content=hostile))
    assert as_typed(record)
    assert set(context_of(record)) <= {"ide_file", "ide_selection"}
