"""Which turn made this commit: what a repository says of the time of a turn."""

import os
import subprocess
from pathlib import Path

import pytest

from ccship import git
from ccship.git import Repositories, without_credentials
from ccship.observations import Labels, Observation
from ccship.ship import Shipper
from ccship.state import State
from ccship.transcript.discover import sessions_at
from helpers import KeepingSink
from lines import Lines, at, tool


def run(repository: Path, *command: str, seconds: float = 0) -> str:
    """git, at a time of the transcript's."""
    who = {
        "GIT_AUTHOR_NAME": "ada",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "ada",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    times = {"GIT_AUTHOR_DATE": at(seconds), "GIT_COMMITTER_DATE": at(seconds)}
    done = subprocess.run(
        ["/usr/bin/env", "git", *command],
        cwd=repository,
        env={**os.environ, **who, **times},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit(repository: Path, text: str, seconds: float) -> str:
    (repository / "file").write_text(text)
    run(repository, "add", "file")
    run(repository, "commit", "-qm", text, seconds=seconds)
    return run(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    path = tmp_path / "widgets"
    path.mkdir()
    run(path, "init", "-q", "-b", "main")
    run(path, "remote", "add", "origin", "https://ada:token123@example.org/team/widgets.git")
    return path


def roots(transcript: Path, state: State | None = None, *, live: bool = False) -> list[Observation]:
    sink = KeepingSink()
    shipper = Shipper(sink, state or State(None, "test"), Labels(), live=live)
    for session in sessions_at([transcript]):
        shipper.ship(session)
    return [it for it in sink.sent if it.parent_span_id is None]


def work(repository: Path, folder: Path) -> Path:
    """Two turns, each with a call and a tool, from second 0 and from second 100."""
    lines = Lines()
    for n in (1, 2):
        lines.prompt("go", cwd=str(repository)).assistant(f"m{n}", tool(f"t{n}"))
        lines.seconds += 10
        lines.result(f"t{n}").assistant(f"n{n}", "done")
        lines.seconds = 100
    return lines.write(folder / "s1.jsonl")


def test_a_turn_names_the_commits_made_while_it_ran(repository: Path, tmp_path: Path) -> None:
    """And the commit that was current when it ended, also when it is shipped much later."""
    before = commit(repository, "before", -50)
    first = [commit(repository, f"{n}", n) for n in (5, 8)]
    commit(repository, "between", 50)
    second = commit(repository, "second", 105)
    commit(repository, "after", 500)
    one, two = (it.metadata for it in roots(work(repository, tmp_path)))
    assert (one["git_commits"], one["git_commit"]) == (first, first[-1])
    assert (two["git_commits"], two["git_commit"]) == ([second], second)
    assert before not in str((one, two))


def test_the_remote_is_told_without_credentials(repository: Path, tmp_path: Path) -> None:
    """And names the repository."""
    commit(repository, "x", -1)
    facts = roots(work(repository, tmp_path))[0].metadata
    assert facts["git_remote"] == "https://example.org/team/widgets.git"
    assert facts["git_repository"] == "widgets"


def test_uncommitted_changes_are_told_of_live_turns_and_are_no_reason_to_send_again(
    repository: Path, tmp_path: Path
) -> None:
    """They come and go."""
    commit(repository, "x", -1)
    transcript = work(repository, tmp_path)
    (repository / "file").write_text("changed")
    with State(None, "test") as state:
        assert [it.passing for it in roots(transcript, state, live=True)] == [{"git_dirty": True}] * 2
        run(repository, "checkout", "-q", "file")
        assert roots(transcript, state, live=True) == []


def test_the_branch_of_the_turn_is_looked_at_not_the_one_of_today(repository: Path, tmp_path: Path) -> None:
    """Where it still exists."""
    commit(repository, "x", -1)
    run(repository, "checkout", "-qb", "other")
    commit(repository, "elsewhere", 5)
    assert "git_commits" not in roots(work(repository, tmp_path))[0].metadata


@pytest.mark.parametrize("folder", ["gone", "plain"])
def test_there_are_no_facts_without_a_repository(folder: str, tmp_path: Path) -> None:
    """Silently."""
    (tmp_path / "plain").mkdir()
    assert Repositories().history(str(tmp_path / folder), "main") is None


def test_there_are_no_facts_without_git(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A desktop's PATH may be short."""
    commit(repository, "x", -1)
    monkeypatch.setenv("PATH", str(tmp_path))
    history = Repositories().history(str(repository), "main")
    assert history is None or "git_commit" not in history.facts(0, 10**18)


def test_a_slow_repository_is_left_out(repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its answer would come too late."""
    commit(repository, "x", -1)
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text("#!/bin/sh\nexec sleep 30\n")
    (slow / "git").chmod(0o755)
    monkeypatch.setattr(git, "TIME_LIMIT_S", 0.05)
    monkeypatch.setenv("PATH", str(slow), prepend=os.pathsep)
    history = Repositories().history(str(repository), "main")
    assert history is None or history.times == ()


def test_a_repository_cannot_make_us_run_anything(repository: Path, tmp_path: Path) -> None:
    """Its configuration is not ours."""
    commit(repository, "x", -1)
    run(repository, "config", "core.fsmonitor", f"touch {tmp_path / 'run'}; true")
    history = Repositories().history(str(repository), "main")
    assert history is not None
    assert history.passing() == {"git_dirty": False}
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://user:pass@host:8443/a.git?x=1", "https://host:8443/a.git"),
        ("ssh://git@host/a.git", "ssh://host/a.git"),
        ("git@host:a/b.git", "git@host:a/b.git"),
        ("/srv/a.git", "/srv/a.git"),
        ("https://[broken", ""),
    ],
)
def test_credentials_are_cut_out_of_any_url(url: str, expected: str) -> None:
    """Query strings go too."""
    assert without_credentials(url) == expected
