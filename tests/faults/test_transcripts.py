"""Faults of the transcript."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from faults.case import SESSION, Case, conversation
from lines import Lines
from loopback import Reply

Break = Callable[[Case], object]


def cut_last_line(case: Case) -> None:
    case.transcript.write_bytes(b"".join(case.lines)[:-40])


def cut_in_a_character(case: Case) -> None:
    lines = [json.dumps(json.loads(line), ensure_ascii=False) + "\n" for line in case.lines]
    content = "".join(lines).encode()
    case.transcript.write_bytes(content[: content.rindex("ï".encode()) + 1])


def damage_bytes(case: Case) -> None:
    first, second, third, *rest = case.lines
    damaged = [
        b"\xef\xbb\xbf" + first,
        b"\0\0" + second.replace(b"\n", b"\r\n"),
        third.replace(b"result", b"re\xffsult"),
    ]
    case.transcript.write_bytes(b"".join([*damaged, *rest]))


def add_unknown_types(case: Case) -> None:
    strange = [b'{"type":"hologram","depth":3}\n', b'{"type":"assistant","message":[]}\n', b"[]\n", b"null\n", b"7\n"]
    case.transcript.write_bytes(b"".join([*strange, *case.lines, *strange]))


def add_monsters(case: Case) -> None:
    monsters = [b'{"type":"user","x":"' + b"x" * 64_000_000 + b'"}\n', b"[" * 10_000 + b"\n"]
    monsters.append(b'{"type":"user","n":' + b"9" * 1_000_000 + b"}\n")
    with case.transcript.open("ab") as file:
        file.writelines(monsters)
        file.write(
            Lines(session=SESSION).prompt("after", uuid="z").assistant("zz", "still here").lines[0].encode() + b"\n"
        )


def orphan_parents(case: Case) -> None:
    lines = [json.loads(line) for line in case.lines]
    text = "".join(json.dumps({**line, "parentUuid": "never-written"}) + "\n" for line in lines)
    case.transcript.write_text(text)


def double_lines(case: Case) -> None:
    case.transcript.write_bytes(b"".join(line + line for line in case.lines))


def join_lines(case: Case) -> None:
    first, second, *rest = case.lines
    case.transcript.write_bytes(b"".join([first.rstrip(), second, *rest]))


DAMAGE: dict[str, Break] = {
    "the last line has no end": cut_last_line,
    "cut inside a character": cut_in_a_character,
    "invalid UTF-8, NULs, BOM, CRLF": damage_bytes,
    "unknown types and shapes": add_unknown_types,
    "a line of 64 MB, deep nesting, a number of a million digits": add_monsters,
    "missing parents": orphan_parents,
    "every line twice": double_lines,
    "two records on one line": join_lines,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_damage_does_not_stop_the_rest(case: Case, damage: Break) -> None:
    """Accepted: what can be read is shipped, once, and a second hook finds nothing to do."""
    before = case.transcript.read_bytes()
    damage(case)
    assert case.transcript.read_bytes() != before
    case.hook()
    assert case.server.keys == case.expected
    assert len(case.expected) >= 12
    case.server.clear()
    case.hook()
    assert case.server.requests == []


def test_half_a_line_is_read_once_when_it_is_whole(case: Case) -> None:
    """One record, once; until then it waits, and nothing else does."""
    whole = case.transcript.read_bytes()
    cut_last_line(case)
    case.hook()
    first = case.server.keys
    case.transcript.write_bytes(whole)
    case.hook()
    assert first <= case.server.keys == case.expected
    spans = [span.span_id for span in case.server.accepted if span.type == "generation"]
    assert len(spans) == len(set(spans))


def test_lines_that_come_after_the_hook_are_shipped_by_the_next(case: Case) -> None:
    """Thirty of them."""
    case.hook()
    before = len(case.server.accepted)
    conversation(12).write(case.transcript)
    assert len(case.lines) >= 16 + 30
    case.hook()
    assert len(case.server.accepted) > before
    assert case.server.keys == case.expected


def truncate(case: Case) -> None:
    case.transcript.write_bytes(b"")


def shorten(case: Case) -> None:
    case.transcript.write_bytes(b"".join(case.lines[:6]))


def rewrite(case: Case) -> None:
    # in place, longer, other bytes before the cursor
    text = case.transcript.read_text().replace('"cwd": "/home/dev/demo"', '"cwd": "/home/dev/elsewhere"')
    with case.transcript.open("r+") as file:
        file.write(text)


def replace(case: Case) -> None:
    other = case.transcript.with_suffix(".new")
    shutil.copy(case.transcript, other)
    other.replace(case.transcript)


def rename(case: Case) -> None:
    moved = case.transcript.with_name("moved")
    case.transcript.rename(moved)
    moved.rename(case.transcript)


def recreate(case: Case) -> None:
    content = case.transcript.read_bytes()
    case.transcript.unlink()
    case.transcript.write_bytes(content)


CHANGES: dict[str, Break] = {
    "truncated to nothing": truncate,
    "truncated below the cursor": shorten,
    "rewritten in place, longer": rewrite,
    "replaced by another file": replace,
    "renamed and renamed back": rename,
    "deleted and written again": recreate,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_file_that_was_changed_is_read_from_the_start_under_the_same_ids(case: Case, change: Break) -> None:
    """Sent again under the same ids: no second key for any span, and what comes later is shipped."""
    case.hook()
    assert case.offset() > 0
    first = case.server.keys
    change(case)
    case.hook()
    conversation(6).write(case.transcript)
    case.hook()
    assert first <= case.server.keys
    assert case.server.keys == case.expected | first
    assert len({span_id for _, span_id, _, _ in case.server.keys}) == len(case.server.keys)


def test_a_transcript_that_is_linked_twice_has_one_cursor(case: Case) -> None:
    """By its real path."""
    link = case.transcript.parent.parent / "-link" / case.transcript.name
    link.parent.mkdir()
    link.symlink_to(case.transcript)
    case.hook()
    case.server.clear()
    case.hook(stdin=case.payload(transcript_path=str(link)))
    assert case.server.requests == []


def test_a_fork_does_not_send_what_it_copied(case: Case) -> None:
    """Only its own turn."""
    case.hook()
    shipped = case.server.keys
    case.server.clear()
    fork = case.transcript.with_name("f0f0f0f0-0000-4000-8000-000000000002.jsonl")
    copied = [{**json.loads(line), "sessionId": fork.stem, "session_id": SESSION} for line in case.lines]
    own = Lines(session=fork.stem).prompt("mine", uuid="mine").assistant("mine-1", "yes")
    fork.write_text("".join(json.dumps(line) + "\n" for line in copied) + "".join(line + "\n" for line in own.lines))
    case.hook(stdin=case.payload(transcript_path=str(fork), session_id=fork.stem))
    assert len(case.server.accepted) == 2
    assert not case.server.keys & shipped


def test_a_subagent_that_comes_late_sends_only_its_own_spans(case: Case) -> None:
    """The turn it belongs to has long been shipped."""
    launch = {"type": "tool_use", "id": "t9", "name": "Agent", "input": {"prompt": "explore"}}
    lines = Lines(session=SESSION).prompt("go").assistant("m1", launch)
    lines.result("t9", toolUseResult={"agentId": "late"}).assistant("m2", "ok").write(case.transcript)
    case.hook()
    case.server.clear()
    agent = Lines(session=SESSION).user("explore", uuid="x").assistant("m3", "found", uuid="y")
    agent.write(case.transcript.with_suffix("") / "subagents" / "agent-late.jsonl")
    case.hook()
    assert sorted(span.name for span in case.server.accepted) == ["Agent: subagent", "LLM call"]


def make_directory(path: Path) -> None:
    path.mkdir()


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "a directory": make_directory,
    "a pipe": os.mkfifo,
    "a dangling link": lambda path: path.symlink_to("/nowhere/at/all"),
    "nothing": lambda _: None,
}


@pytest.mark.parametrize("put", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_transcript_is_left_alone(case: Case, put: Callable[[Path], object]) -> None:
    """Nothing is sent; when the transcript is there, it is shipped."""
    content = case.transcript.read_bytes()
    case.transcript.unlink()
    put(case.transcript)
    case.hook()
    assert case.server.requests == []
    if case.transcript.is_dir():
        case.transcript.rmdir()
    else:
        case.transcript.unlink(missing_ok=True)
    case.transcript.write_bytes(content)
    case.check_all_arrives()


def test_a_transcript_deleted_while_it_is_shipped_is_shipped_up_to_there(case: Case) -> None:
    """The file is gone before the server has answered."""
    expected = case.expected
    case.server.script = [Reply(delay_s=1, keep=True)]
    process = case.start()
    case.server.wait_for_requests(1)
    case.transcript.unlink()
    assert process.wait(60) == 0
    assert case.server.keys == expected
