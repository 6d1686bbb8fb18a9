"""A damaged or hostile file costs at most its own turn: everything else ships, is counted and is shown."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ccship import config
from ccship.backfill.partition import Part
from ccship.backfill.pool import ship_parts
from ccship.backfill.runner import RunOptions
from ccship.privacy.encoding import Encoded
from ccship.sinks import Delivery
from ccship.transcript.discover import ids_in, sessions_of
from ccship.transcript.limits import MAX_DEPTH, MAX_LINE_BYTES
from ccship.transcript.parse import parse_line
from ccship.transcript.records import Record
from helpers import Done, KeepingSink, observe, run_ccship, ship_to
from hostile import written
from lines import Lines, tool
from loopback import spans_in_file

DAMAGED = "damaged"


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


def with_input(levels: int) -> bytes:
    """A turn whose tool was called with an argument that is nested so deep, and a turn after it."""
    lines = Lines(session=DAMAGED).prompt("go").assistant("m1", tool("t1", argument="<here>")).result("t1")
    lines.assistant("m2", "answer one").prompt("more").assistant("m3", "answer two")
    return "".join(f"{line}\n" for line in lines.lines).replace('"<here>"', nested(levels)).encode()


def with_fields(**fields: Any) -> bytes:
    """A turn whose response has a field that it should not have, and a turn after it."""
    lines = Lines(session=DAMAGED).prompt("go").assistant("m1", "answer one", **{"apiBlockIndex": 0, **fields})
    lines.prompt("more").assistant("m2", "answer two")
    return b"".join(written(json.loads(line)) for line in lines.lines)


def with_attachment() -> bytes:
    """A queued prompt whose block has a list for a name, and a turn after it."""
    queued = {"type": "queued_command", "prompt": [{"type": "text", "text": "also", "tool_use_id": ["t1"]}]}
    lines = Lines(session=DAMAGED).prompt("go").add("attachment", attachment=queued).assistant("m1", "answer one")
    return "".join(f"{line}\n" for line in lines.prompt("more").assistant("m2", "answer two").lines).encode()


def with_block(block: dict[str, Any]) -> bytes:
    lines = Lines(session=DAMAGED).prompt("go").assistant("m1", "answer one", block)
    return "".join(f"{line}\n" for line in lines.prompt("more").assistant("m2", "answer two").lines).encode()


def with_bytes(sound: str, broken: str) -> bytes:
    prompt, response, *rest = with_fields().decode().splitlines(keepends=True)
    assert sound in response
    return "".join([prompt, response.replace(sound, broken), *rest]).encode("utf-8", "surrogateescape")


CONTENT: dict[str, bytes] = {
    **{f"tool input nested {levels} levels deep": with_input(levels) for levels in (253, 254, 400, 990, 1100, 5000)},
    "a timestamp before 1970": with_fields(timestamp="1969-12-31T23:59:59Z"),
    "a timestamp of the year 1": with_fields(timestamp="0001-01-01T00:00:00+14:00"),
    "a timestamp of the year 2262": with_fields(timestamp="2262-12-31T23:59:59Z"),
    "a timestamp of the year 9999": with_fields(timestamp="9999-12-31T23:59:59-10:00"),
    "a timestamp that is a number of the year 10000": with_fields(timestamp=253402300800),
    "tokens above 2^63": with_fields(usage={"output_tokens": 2**63}),
    "tokens above 2^64": with_fields(usage={"output_tokens": 2**64, "input_tokens": 10**30}),
    "tokens below zero": with_fields(usage={"output_tokens": -(10**30)}),
    "a duration that is infinite": with_fields(thinkingDurationMs=float("inf")),
    "a duration of a million years": with_fields(thinkingDurationMs=-3e16),
    "a session id of 5,000 characters": with_fields(sessionId="x" * 5000, requestSessionId="y" * 5000),
    "a session id with a NUL": with_fields(sessionId="x\0y", requestSessionId="\0", cwd="/x\0y"),
    "a version of 5,000 digits": with_fields(version="9" * 5000),
    "a list for the id of a block": with_block({"type": "tool_use", "id": ["t1"], "name": {"a": 1}}),
    "a list for the id of a queued block": with_attachment(),
    "invalid UTF-8 in a type": with_bytes('"type": "assistant"', '"type": "assis\udcfftant"'),
    "invalid UTF-8 in a timestamp": with_bytes('"timestamp": "2', '"timestamp": "\udcff2'),
    "invalid UTF-8 in a session id": with_bytes('"sessionId": "d', '"sessionId": "\udcffd'),
    "invalid UTF-8 in a message id": with_bytes('"id": "m', '"id": "\udcffm'),
    "invalid UTF-8 in a model": with_bytes('"model": "c', '"model": "\udcffc'),
    "invalid UTF-8 in a stop reason": with_bytes('"end_turn"', '"end\udcffturn"'),
}


class Folder:
    """A Claude config folder with a session that is sound, beside which damage is done."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "claude/projects/-home-dev-demo"
        self.damaged = self.project / f"{DAMAGED}.jsonl"
        self.sound = Lines(session="sound").prompt("hi").assistant("g1", "sound answer").write(
            self.project / "sound.jsonl"
        )  # fmt: skip
        self.written = folder / "spans.jsonl"
        self.environ = {"CLAUDE_CONFIG_DIR": str(folder / "claude"), "TZ": "Asia/Tokyo"}

    def run(self) -> dict[str, Done]:
        """What each command says of the folder."""
        commands: list[tuple[str | Path, ...]] = [
            ("backfill", "--dry-run"), ("backfill", "--to", self.written), ("usage", "--json"), ("usage",),
            ("status",), ("status", "--json"),
        ]  # fmt: skip
        return {" ".join(map(str, command)): run_ccship(*command, environ=self.environ) for command in commands}

    @property
    def answers(self) -> set[str]:
        """The answers that were written to the file."""
        spans = spans_in_file(self.written.read_text())
        return {str(span.attributes.get("langfuse.observation.output")) for span in spans if span.name == "claude_turn"}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.mark.parametrize("content", CONTENT.values(), ids=CONTENT.keys())
def test_a_hostile_line_costs_at_most_itself(folder: Folder, content: bytes) -> None:
    """Each command does its work: the turn after it ships, and so does the other session."""
    folder.damaged.write_bytes(content)
    for command, done in folder.run().items():
        assert (done.returncode, done.stderr) == (0, ""), command
    assert folder.answers >= {"answer two", "sound answer"}
    for form in ([], ["--json"]):
        shown = run_ccship("show", folder.damaged, *form, environ=folder.environ)
        assert shown.returncode == 0, shown.stderr


def test_two_spans_of_one_id_do_not_stop_the_run(folder: Folder) -> None:
    """A flipped flag makes a line of a call one of a subagent: the call is there twice."""
    lines = Lines(session=DAMAGED).prompt("go").assistant("m1", "answer one").assistant("m1", "more", isSidechain=True)
    lines.prompt("more").assistant("m2", "answer two").write(folder.damaged)
    done = run_ccship("backfill", "--to", folder.written, environ=folder.environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert folder.answers >= {"answer two", "sound answer"}


def test_what_is_nested_too_deep_is_cut_and_the_rest_is_kept(tmp_path: Path) -> None:
    """The call with its tokens, its text and its other arguments."""
    (tmp_path / "s.jsonl").write_bytes(with_input(254))
    (ran,) = [observation for observation in observe(tmp_path / "s.jsonl") if observation.type == "tool"]
    text = json.dumps(ran.input)
    assert f"[nested more than {MAX_DEPTH} levels deep]" in text
    assert MAX_DEPTH - 10 < text.count('"a":') < MAX_DEPTH
    ((_, record),) = parse_line(with_input(254).splitlines()[1])
    assert isinstance(record, Record)
    assert record.misfits == ("nesting",)


def test_what_people_nest_is_not_touched(tmp_path: Path) -> None:
    """However many brackets a line has."""
    (tmp_path / "s.jsonl").write_bytes(with_input(MAX_DEPTH - 10))
    (ran,) = [observation for observation in observe(tmp_path / "s.jsonl") if observation.type == "tool"]
    assert json.dumps(ran.input, separators=(",", ":")) == f'{{"argument":{nested(MAX_DEPTH - 10)}}}'


def loop(path: Path) -> None:
    path.symlink_to(path)


def loop_in_projects(path: Path) -> None:
    (path.parent.parent / "-loop").symlink_to(path.parent.parent / "-loop")


def strange_name(path: Path) -> None:
    write_strange(path.parent, b"\xff.jsonl")


def strange_agent(path: Path) -> None:
    write_strange(path.with_name("sound") / "subagents", b"agent-\xff.jsonl")


def write_strange(folder: Path, name: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        Path(folder, os.fsdecode(name)).write_bytes(with_fields())
    except OSError:
        pytest.skip("this file system has only names that are UTF-8")


PUT: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link to itself": (loop, "damaged.jsonl cannot be read: Too many levels of symbolic links"),
    "a project that is a link to itself": (loop_in_projects, "-loop cannot be read: Too many levels of symbolic links"),
    "a folder": (Path.mkdir, "damaged.jsonl cannot be read: it is not a file"),
    "a pipe": (os.mkfifo, "damaged.jsonl cannot be read: it is not a file"),
    "a name that is not UTF-8": (strange_name, r"\xff.jsonl cannot be read: its name is not UTF-8: rename it"),
    "a subagent whose name is not UTF-8": (strange_agent, r"agent-\xff.jsonl cannot be read: its name is not UTF-8"),
    "UTF-16": (
        lambda path: path.write_text(with_fields().decode(), "utf-16"),
        "damaged.jsonl cannot be read: it is UTF-16: convert it to UTF-8",
    ),
    "UTF-16 without its mark": (
        lambda path: path.write_text(with_fields().decode(), "utf-16-be"),
        "damaged.jsonl cannot be read: it is UTF-16: convert it to UTF-8",
    ),
    "gzip": (
        lambda path: path.write_bytes(gzip.compress(with_fields())),
        "damaged.jsonl cannot be read: it is compressed with gzip: decompress it",
    ),
}


@pytest.mark.parametrize(("put", "reason"), PUT.values(), ids=PUT.keys())
def test_a_file_that_cannot_be_read_is_one_line(folder: Folder, put: Callable[[Path], object], reason: str) -> None:
    """Which file, and what it is; all commands go on, and exit with 1."""
    put(folder.damaged)
    for command, done in folder.run().items():
        told = done.stdout if command == "status" else done.stderr
        assert done.returncode == 1, command
        if command == "status --json":
            (problem,) = json.loads(done.stdout)["problems"]
            assert reason in problem
        else:
            (line,) = [line for line in told.splitlines() if "cannot be read" in line]
            assert reason in line, command
    assert folder.answers == {"sound answer"}


@pytest.mark.parametrize("name", ["x" * 5000, "../" * 900 + "x.jsonl"], ids=["too long", "too deep"])
def test_a_name_that_cannot_be_one_is_wrong_usage(folder: Folder, name: str) -> None:
    """As typed on a command line."""
    for command in ("show", "backfill", "usage"):
        done = run_ccship(command, name, environ=folder.environ)
        assert done.returncode == 2, (command, done.stderr[-200:])


class FailingSink(KeepingSink):
    """Fails for one session in a way that nobody foresaw."""

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        for span in spans:
            if span.observation.trace.session_id == DAMAGED:
                raise KeyError(span.input)
        return super().deliver(spans)


def test_a_session_that_meets_a_bug_is_skipped_and_reported(folder: Folder, state_dir: Path) -> None:
    """The sessions behind it ship, the run is no success, and the report holds nothing of the conversation."""
    folder.damaged.write_bytes(with_fields())
    Lines(session="zeta").prompt("ho").assistant("z1", "last answer").write(folder.project / "zeta.jsonl")
    sink = FailingSink()
    sessions = tuple(sessions_of(folder.project.parent.parent))
    assert [session.session_id for session in sessions] == [DAMAGED, "sound", "zeta"]
    report = ship_parts([Part(config.load({}), sessions)], RunOptions(state_mode="none"), sink=sink)
    assert {observation.trace.session_id for observation in sink.sent} == {"sound", "zeta"}
    assert not report.ok
    (problem,) = report.problems
    (written_report,) = state_dir.glob("bug-*.txt")
    assert problem == f"skipped session {DAMAGED} because of a bug (KeyError): please report {written_report}"
    assert "answer" not in written_report.read_text()


def test_the_same_bug_leaves_one_report(folder: Folder, state_dir: Path) -> None:
    """However many sessions meet it."""
    folder.damaged.write_bytes(with_fields())
    for _ in range(2):
        ship_to(FailingSink(), [folder.damaged])
    assert len(list(state_dir.glob("bug-*.txt"))) == 1


MEASURED = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024), os.waitstatus_to_exitcode(status))
"""


def test_a_line_of_any_length_is_never_held_whole(folder: Folder) -> None:
    """A dry run with several processes looks for ids first; of 400 MB in one line it holds what a line may have."""
    with folder.damaged.open("wb") as file:
        file.write(b'{"type":"user","uuid":"u1","message":{"content":"')
        file.truncate(400 * 1024 * 1024)
    command = [sys.executable, "-m", "ccship", "backfill", "--dry-run", "--jobs", "2"]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *command], env={**os.environ, **folder.environ}, capture_output=True,
        text=True, check=True, timeout=300,
    )  # fmt: skip
    resident, code = map(int, done.stdout.split())
    assert code == 0
    assert resident < 250 * 1024 * 1024


def test_the_ids_behind_a_line_that_is_too_long_are_found(tmp_path: Path) -> None:
    """Copies of a session are recognised by them."""
    long = b'{"uuid":"long","text":"' + b"x" * MAX_LINE_BYTES + b'"}\n'
    (tmp_path / "s.jsonl").write_bytes(b'{"uuid":"a"}\n' + long + b'{"uuid":"b"}\n')
    assert list(ids_in(tmp_path / "s.jsonl")) == [b"a", b"b"]
