"""Which turn made this commit: what a repository says of the time of a turn."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ccship.observations import Observation
from ccship.pipeline import git
from ccship.pipeline.git import Repositories, without_credentials
from ccship.pipeline.plan import Options
from ccship.pipeline.ship import Shipper
from ccship.state import State
from ccship.transcript.discover import sessions_at
from helpers import KeepingSink
from lines import Lines, tool
from repositories import commit, new_repository, run_git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return new_repository(tmp_path / "widgets")


def roots(transcript: Path, state: State | None = None, *, live: bool = False) -> list[Observation]:
    sink = KeepingSink()
    shipper = Shipper(sink, state or State(None, "test"), Options(is_live=live), repositories=Repositories(live=live))
    shipper.ship(sessions_at([transcript]))
    return [observation for observation in sink.sent if observation.parent_span_id is None]


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
    one, two = (root.volatile for root in roots(work(repository, tmp_path)))
    assert (one["git_commits"], one["git_commit"]) == (first, first[-1])
    assert (two["git_commits"], two["git_commit"]) == ([second], second)
    assert before not in str((one, two))


def test_the_remote_is_told_without_credentials(repository: Path, tmp_path: Path) -> None:
    """And names the repository."""
    commit(repository, "x", -1)
    facts = roots(work(repository, tmp_path))[0].volatile
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
        assert [root.volatile["git_dirty"] for root in roots(transcript, state, live=True)] == [True, True]
        run_git(repository, "checkout", "-q", "file")
        assert roots(transcript, state, live=True) == []


def test_a_repository_that_is_gone_is_no_reason_to_send_again_or_to_forget_it(repository: Path, tmp_path: Path) -> None:
    """Worktrees are removed, branches are rebased."""
    commit(repository, "x", -1)
    transcript = work(repository, tmp_path)
    with State(None, "test") as state:
        facts = [root.volatile for root in roots(transcript, state)]
        repository.rename(tmp_path / "elsewhere")
        assert roots(transcript, state) == []
        lines = transcript.read_text().splitlines(keepends=True)
        transcript.write_text("".join([*lines, lines[-1].replace('"n2"', '"o2"').replace("s1-7", "s1-8")]))
        assert [root.volatile for root in roots(transcript, state)] == facts[1:]


def test_the_branch_of_the_turn_is_looked_at_not_the_one_of_today(repository: Path, tmp_path: Path) -> None:
    """Where it still exists."""
    commit(repository, "x", -1)
    run_git(repository, "checkout", "-qb", "other")
    commit(repository, "elsewhere", 5)
    assert "git_commits" not in roots(work(repository, tmp_path))[0].volatile


def test_a_change_of_the_facts_alone_sends_nothing_again(repository: Path, tmp_path: Path) -> None:
    """A backfill, a dry run and a run after the repository has moved find other facts, or none."""
    commit(repository, "x", 5)
    transcript = work(repository, tmp_path)
    with State(None, "test") as state:
        assert len(roots(transcript, state, live=True)) == 2
        commit(repository, "y", 8)
        run_git(repository, "remote", "set-url", "origin", "https://example.org/moved.git")
        assert roots(transcript, state) == []
        repository.rename(tmp_path / "moved")
        assert roots(transcript, state) == []


def packed(repository: Path, folder: Path) -> Path:
    run_git(repository, "gc", "--quiet")
    return repository


def below(repository: Path, folder: Path) -> Path:
    (repository / "a/b").mkdir(parents=True)
    return repository / "a/b"


def behind_a_link(repository: Path, folder: Path) -> Path:
    (folder / "link").symlink_to(below(repository, folder))
    return folder / "link"


def worktree(repository: Path, folder: Path) -> Path:
    run_git(repository, "worktree", "add", "-q", "-b", "side", str(folder / "side"))
    commit(folder / "side", "on the side", 6)
    return folder / "side"


def worktree_of_bare(repository: Path, folder: Path) -> Path:
    run_git(folder, "clone", "-q", "--bare", str(repository), "bare.git")
    run_git(folder / "bare.git", "worktree", "add", "-q", str(folder / "side"), "main")
    return folder / "side"


def submodule(repository: Path, folder: Path) -> Path:
    outer = new_repository(folder / "outer")
    run_git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "inner")
    commit(outer, "outer", 7)
    return outer / "inner"


def around_a_submodule(repository: Path, folder: Path) -> Path:
    return submodule(repository, folder).parent


def separate(repository: Path, folder: Path) -> Path:
    run_git(repository, "init", "-q", "--separate-git-dir", str(folder / "apart"))
    return repository


def shallow(repository: Path, folder: Path) -> Path:
    commit(repository, "more", 6)
    run_git(folder, "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")
    return folder / "shallow"


def shared(repository: Path, folder: Path) -> Path:
    run_git(folder, "clone", "-q", "--shared", str(repository), "shared")
    return folder / "shared"


def partial(repository: Path, folder: Path) -> Path:
    run_git(repository, "config", "uploadpack.allowFilter", "true")
    run_git(folder, "clone", "-q", "--filter=blob:none", f"file://{repository}", "partial")
    return folder / "partial"


def detached(repository: Path, folder: Path) -> Path:
    run_git(repository, "checkout", "-q", "--detach")
    return repository


def old_link(repository: Path, folder: Path) -> Path:
    (repository / ".git/HEAD").unlink()
    (repository / ".git/HEAD").symlink_to("refs/heads/main")
    return repository


def without_modes(repository: Path, folder: Path) -> Path:
    run_git(repository, "config", "core.fileMode", "false")
    run_git(repository, "config", "core.trustctime", "false")  # git compares seconds: one may pass here
    (repository / "file").chmod(0o755)
    return repository


def sha256(repository: Path, folder: Path) -> Path:
    other = new_repository(folder / "sha256", "--object-format=sha256")
    commit(other, "x", 5)
    return other


SHAPES: list[Callable[[Path, Path], Path]] = [
    packed, below, behind_a_link, worktree, worktree_of_bare, submodule, around_a_submodule, separate, shallow, shared,
    partial, detached, old_link, without_modes, sha256,
]  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_repository_has_facts(
    shape: Callable[[Path, Path], Path], repository: Path, tmp_path: Path
) -> None:
    """Worktrees, submodules, clones of all kinds."""
    commit(repository, "x", 5)
    cwd = shape(repository, tmp_path)
    branch = run_git(cwd, "rev-parse", "--abbrev-ref", "HEAD")
    history = Repositories().history(str(cwd), branch)
    assert history is not None
    head = run_git(cwd, "rev-parse", "HEAD")
    assert history.facts(0, 10**19)["git_commit"] == head
    assert history.hashes[::-1] == tuple(run_git(cwd, "log", "--format=%H").splitlines())
    assert history.volatile() == {"git_dirty": False}
    top = Path(run_git(cwd, "rev-parse", "--show-toplevel"))
    (top / "file").write_text("changed")
    run_git(top, "add", "file")
    later = Repositories().history(str(cwd), branch)
    assert later is not None
    assert later.volatile() == {"git_dirty": True}


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
    run_git(repository, "config", "core.fsmonitor", f"touch {tmp_path / 'run'}; true")
    history = Repositories().history(str(repository), "main")
    assert history is not None
    assert history.volatile() == {"git_dirty": False}
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
