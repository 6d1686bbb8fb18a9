"""A backfill by several processes: the same as by one, whatever happens to it on the way."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from ccship import config
from ccship.backfill.partition import Part, parts_of
from ccship.backfill.pool import jobs_for, ship_parts
from ccship.backfill.runner import RunOptions
from ccship.config.routing import by_destination
from ccship.errors import steps_of
from ccship.transcript.discover import sessions_at
from conftest import FIXTURES
from helpers import run_ccship, until
from lines import Lines
from loopback import LoopbackLangfuse, Reply, Span

FIXTURE = FIXTURES / "claude"
ALL = ("backfill", "--claude-dir", FIXTURE)
TURNS = 600
PATIENCE_S = 60
MB = 1024 * 1024
ON_LINUX = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells a process's children here")


@contextmanager
def running(*arguments: str | Path, environ: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """A backfill that goes on while the test does; nothing of it is left behind."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ccship", *map(str, arguments)],
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=PATIENCE_S)


def children_of(process: "subprocess.Popen[str]") -> list[int]:
    return list(map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()))


def by_key(spans: Sequence[Span]) -> dict[object, object]:
    return {span.key: (span.parent, span.attributes) for span in spans}


@pytest.fixture
def history(claude_dir: Path) -> tuple[str | Path, ...]:
    """A backfill of more turns than fit into one batch."""
    lines = Lines(session="long")
    for n in range(TURNS):
        lines.prompt(f"do {n}").assistant(f"m{n}", "done")
    lines.write(claude_dir / "projects/-home-dev-long/long.jsonl")
    return ("backfill", "--claude-dir", claude_dir)


def everything(
    langfuse: LoopbackLangfuse, state_dir: Path, history: tuple[str | Path, ...] = ALL
) -> dict[object, object]:
    """What one undisturbed process sends."""
    assert run_ccship(*history, "--jobs", "1", environ=langfuse.environ).returncode == 0
    whole = by_key(langfuse.accepted)
    shutil.rmtree(state_dir)
    langfuse.clear()
    return whole


def test_several_processes_send_what_one_sends(langfuse: LoopbackLangfuse, state_dir: Path) -> None:
    """Forks and their originals too, which only one of them may send."""
    whole = everything(langfuse, state_dir)
    done = run_ccship(*ALL, "--jobs", "3", environ=langfuse.environ)
    assert done.returncode == 0, done.stderr
    assert by_key(langfuse.accepted) == whole
    assert len(langfuse.accepted) == len(whole)
    assert "sent 45 turns and 14 subagents of 6 sessions" in done.stdout
    assert run_ccship(*ALL, "--jobs", "3", environ=langfuse.environ).returncode == 0
    assert len(langfuse.accepted) == len(whole)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_says_how_far_it_came_and_the_next_run_sends_the_rest(
    jobs: str, langfuse: LoopbackLangfuse, state_dir: Path, history: tuple[str | Path, ...]
) -> None:
    """What is on its way is waited for, so nothing is sent twice."""
    whole = everything(langfuse, state_dir, history)
    langfuse.script = [Reply(delay_s=0.5)] * 99
    with running(*history, "--jobs", jobs, environ=langfuse.environ) as process:
        langfuse.wait_for_requests(2)
        os.killpg(process.pid, signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "^C again to stop at once" in stderr
    assert f"of {45 + TURNS} turns; rerun to send the rest" in stderr
    assert "sent" in stdout
    assert 0 < len(langfuse.accepted) < len(whole)
    langfuse.script.clear()
    assert run_ccship(*history, environ=langfuse.environ).returncode == 0
    assert by_key(langfuse.accepted) == whole
    assert len(langfuse.accepted) == len(whole)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_second_interrupt_leaves_at_once(
    jobs: str, langfuse: LoopbackLangfuse, state_dir: Path, history: tuple[str | Path, ...]
) -> None:
    """A server that hangs holds nobody up; what it kept without saying so comes again under the same ids."""
    whole = everything(langfuse, state_dir, history)
    langfuse.script = [Reply(delay_s=PATIENCE_S)] * 99
    with running(*history, "--jobs", jobs, environ=langfuse.environ) as process:
        langfuse.wait_for_requests(1)
        assert process.stderr
        os.killpg(process.pid, signal.SIGINT)
        while "at once" not in process.stderr.readline():
            pass
        os.killpg(process.pid, signal.SIGINT)
        process.wait(PATIENCE_S / 3)
    assert process.returncode == 130
    langfuse.script.clear()
    assert run_ccship(*history, environ=langfuse.environ).returncode == 0
    assert by_key(list(langfuse.latest.values())) == whole


def test_a_server_that_is_down_ends_the_work_for_all_processes(langfuse: LoopbackLangfuse) -> None:
    """It is said once; no process goes on to the next session."""
    langfuse.script = [Reply(status=401)] * 99
    done = run_ccship(*ALL, "--jobs", "2", environ=langfuse.environ)
    assert done.returncode == 1
    assert done.stderr.count("check LANGFUSE_PUBLIC_KEY") == 1
    assert len(langfuse.requests) <= 2
    assert langfuse.accepted == []


@ON_LINUX
def test_a_process_that_is_killed_loses_nothing(langfuse: LoopbackLangfuse, state_dir: Path) -> None:
    """The others are ended; the next run sends what is left, under the same ids."""
    whole = everything(langfuse, state_dir)
    langfuse.script = [Reply(delay_s=0.5)] * 99
    with running(*ALL, "--yes", "--jobs", "2", environ=langfuse.environ) as process:
        langfuse.wait_for_requests(2)
        for child in children_of(process):
            with suppress(ProcessLookupError):  # ended by the parent, which missed the one before
                os.kill(child, signal.SIGKILL)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert "a process was killed" in stderr
    assert "Traceback" not in stderr
    langfuse.script.clear()
    assert run_ccship(*ALL, environ=langfuse.environ).returncode == 0
    assert by_key(list(langfuse.latest.values())) == whole


@ON_LINUX
@pytest.mark.parametrize(
    ("ended_by", "code", "told"),
    [(signal.SIGINT, 130, "^C again to stop at once"), (signal.SIGKILL, 1, "a process was killed")],
    ids=["interrupt", "kill"],
)
def test_processes_that_are_only_just_starting_end_without_a_word(
    ended_by: signal.Signals, code: int, told: str, langfuse: LoopbackLangfuse
) -> None:
    """They have not read what they are to do, nor said that interrupts are not for them."""
    with running(*ALL, "--yes", "--jobs", "2", environ=langfuse.environ) as process:
        until(lambda: len(children_of(process)) == 3, PATIENCE_S)  # one is Python's own
        for child in children_of(process):
            os.kill(child, ended_by)
        if ended_by is signal.SIGINT:
            os.kill(process.pid, ended_by)
        _, stderr = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert told in stderr
    assert "Traceback" not in stderr


def test_a_state_that_cannot_be_used_is_one_line(langfuse: LoopbackLangfuse, state_dir: Path) -> None:
    """Also when it is another process that finds out."""
    state_dir.write_text("in the way")
    done = run_ccship(*ALL, "--yes", "--jobs", "2", environ=langfuse.environ)
    assert done.returncode == 1
    assert done.stderr.startswith("ccship: the state folder")
    assert done.stderr.count("\n") == 1


def test_a_bug_in_another_process_says_where_it_is() -> None:
    """For the report: a traceback cannot come along."""
    no_session: Any = None
    parts = [Part(config.load({}), (no_session,))] * 2
    with pytest.raises(AttributeError) as caught:
        ship_parts(parts, RunOptions(state_mode="none"), jobs=2)
    assert any("backfill/runner.py" in step for step in steps_of(caught.value))


def test_sessions_that_share_history_stay_together() -> None:
    """A fork copies from anywhere in its original, and may not say where it comes from."""
    settings = config.load({})
    destinations, _ = by_destination(settings, sessions_at([FIXTURE]))
    parts = [{session.session_id[:4] for session in part.sessions} for part in parts_of(destinations, 2)]
    assert sorted(map(sorted, parts)) == [["0a61", "dad1"], ["80c2", "9e4b"], ["a53f", "aa65"]]


def test_copies_of_copies_stay_together(tmp_path: Path) -> None:
    """The second has nothing of the first among its own first records."""
    first = Lines(session="s1").prompt("a").assistant("m1", "b")
    second = Lines(session="s2").plain("mode")
    second.lines += first.lines
    second.prompt("c").assistant("m2", "d")
    third = Lines(session="s3")
    third.lines += second.lines[-2:]
    alone = Lines(session="s4").prompt("e")
    paths = [lines.write(tmp_path / f"{lines.session}.jsonl") for lines in (first, second, third, alone)]
    destinations, _ = by_destination(config.load({}), sessions_at(paths))
    parts = [{session.session_id for session in part.sessions} for part in parts_of(destinations, 2)]
    assert sorted(map(sorted, parts)) == [["s1", "s2", "s3"], ["s4"]]


@pytest.mark.parametrize(
    ("size", "cores", "jobs"), [(0, 4, 1), (10, 4, 1), (40, 4, 2), (900, 4, 4), (900, 2, 2), (900, 64, 4)]
)
def test_a_process_must_pay_for_itself(size: int, cores: int, jobs: int) -> None:
    """It takes a second to start; more than four are more than a server likes."""
    assert jobs_for(size * MB, cores) == jobs


@pytest.mark.parametrize("option", [("--to", "-"), ("--limit", "3")])
def test_what_one_process_does_is_not_asked_of_several(option: tuple[str, str]) -> None:
    """Rather than quietly done by one."""
    done = run_ccship(*ALL, *option, "--jobs", "2")
    assert done.returncode == 2
    assert "remove --jobs" in done.stderr
