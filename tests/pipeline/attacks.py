"""Repositories from a stranger, each of which makes git run a program."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from repositories import commit, new_repository, run_git

PASS_ON = "cat"
"""What a filter does with the text that it is given."""


@dataclass(frozen=True)
class Trap:
    """A folder to build a repository in, and programs that leave a mark when they run."""

    name: str
    folder: Path
    marks: Path

    def program(self, path: Path | None = None, *, then: str = "exit 1") -> Path:
        path = path or self.folder / "run"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n: > '{self.marks / self.name}'\n{then}\n")
        path.chmod(0o755)
        return path

    def repository(self, *options: str) -> Path:
        return new_repository(self.folder / "demo", *options)


SIGNED = {
    "gpg.program": "PGP SIGNATURE",
    "gpg.x509.program": "SIGNED MESSAGE",
    "gpg.ssh.program": "SSH SIGNATURE",
}


def sign(repository: Path, kind: str = "PGP SIGNATURE") -> None:
    """Make the newest commit one that looks signed, so that git asks a program about it."""
    commit(repository, "signed", 1)
    head, _, message = run_git(repository, "cat-file", "commit", "HEAD").partition("\n\n")
    signature = f"gpgsig -----BEGIN {kind}-----\n \n iQ==\n -----END {kind}-----"
    text = f"{head}\n{signature}\n\n{message}\n"
    run_git(repository, "reset", "-q", run_git(repository, "hash-object", "-t", "commit", "-w", "--stdin", text=text))


def ask_about_signatures(repository: Path, program: Path | str, kind: str = "gpg.program") -> None:
    sign(repository, SIGNED[kind])
    run_git(repository, "config", "log.showSignature", "true")
    run_git(repository, "config", kind, str(program))
    run_git(repository, "config", "gpg.ssh.allowedSignersFile", "file")


def filtered(repository: Path, program: Path | str, kind: str) -> None:
    """Make git ask a filter whether a file has changed."""
    (repository / ".gitattributes").write_text("file filter=x\n")
    commit(repository, "filtered", 1)
    run_git(repository, "config", f"filter.x.{kind}", str(program))
    (repository / "file").write_text("FILTERED")


def unfetched(repository: Path, url: str, **settings: str) -> None:
    """Make git fetch the newest commit from the remote that promised it."""
    commit(repository, "x", 1)
    run_git(repository, "update-ref", "--no-deref", "HEAD", "HEAD")
    (repository / ".git/refs/heads/main").write_text("1" * 40 + "\n")
    run_git(repository, "config", "core.repositoryformatversion", "1")
    run_git(repository, "config", "extensions.partialClone", "origin")
    run_git(repository, "config", "remote.origin.promisor", "true")
    run_git(repository, "config", "remote.origin.url", url)
    for key, value in settings.items():
        run_git(repository, "config", key.replace("_", "."), value)


def cloned_bare(trap: Trap) -> Path:
    repository = trap.repository()
    ask_about_signatures(repository, "./run")
    origin = new_repository(trap.folder / "origin")
    shutil.copytree(repository / ".git", origin / "docs", ignore=shutil.ignore_patterns("hooks", "index", "logs"))
    run_git(origin, "config", "--file", "docs/config", "core.bare", "true")
    trap.program(origin / "docs/run")
    return clone(origin, trap) / "docs"


def cloned_bare_filter(trap: Trap) -> Path:
    repository = trap.repository()
    filtered(repository, "./run", "clean")
    origin = new_repository(trap.folder / "origin")
    shutil.copytree(repository / ".git", origin / "docs", ignore=shutil.ignore_patterns("hooks", "logs"))
    for name in ("file", ".gitattributes"):
        shutil.copy(repository / name, origin / "docs")
    run_git(origin, "config", "--file", "docs/config", "core.worktree", ".")
    trap.program(origin / "docs/run", then=PASS_ON)
    return clone(origin, trap) / "docs"


def clone(origin: Path, trap: Trap) -> Path:
    """What somebody gets who clones it: a repository in which another one is nested, file by file."""
    for folder, _, _ in os.walk(origin / "docs"):
        (Path(folder) / "keep").touch()  # git has no empty folders
    run_git(origin, "add", "--force", ".")
    run_git(origin, "commit", "-qm", "docs")
    run_git(trap.folder, "clone", "-q", str(origin), "clone")
    return trap.folder / "clone"


def signature(kind: str) -> Callable[[Trap], Path]:
    def build(trap: Trap) -> Path:
        ask_about_signatures(trap.repository(), trap.program(), kind)
        return trap.folder / "demo"

    return build


def included(trap: Trap) -> Path:
    repository = trap.repository()
    ask_about_signatures(repository, trap.program())
    config = repository / ".git/config"
    config.rename(repository / "more")
    config.write_text("[core]\n\trepositoryformatversion = 0\n[include]\n\tpath = ../more\n")
    return repository


def worktree_config(trap: Trap) -> Path:
    repository = trap.repository()
    ask_about_signatures(repository, trap.program())
    config = repository / ".git/config"
    config.rename(repository / ".git/config.worktree")
    config.write_text("[core]\n\trepositoryformatversion = 1\n[extensions]\n\tworktreeConfig = true\n")
    return repository


def file_to_folder(trap: Trap) -> Path:
    repository = trap.repository()
    ask_about_signatures(repository, trap.program())
    (repository / ".git").rename(repository / "docs")
    (repository / ".git").write_text("gitdir: docs\n")
    return repository


def common_elsewhere(trap: Trap) -> Path:
    repository = trap.repository()
    ask_about_signatures(repository, trap.program())
    (repository / ".git").rename(repository / "docs")
    (repository / ".git").mkdir()
    (repository / ".git/commondir").write_text("../docs\n")
    (repository / ".git/HEAD").write_text("ref: refs/heads/main\n")
    return repository


def linked(trap: Trap) -> Path:
    repository = trap.repository()
    ask_about_signatures(repository, trap.program())
    (repository / ".git").rename(repository / "docs")
    (repository / ".git").symlink_to("docs")
    return repository


def filters(kind: str) -> Callable[[Trap], Path]:
    def build(trap: Trap) -> Path:
        filtered(trap.repository(), trap.program(then=PASS_ON if kind == "clean" else "exit 1"), kind)
        return trap.folder / "demo"

    return build


def submodule_filter(trap: Trap) -> Path:
    inner, outer = new_repository(trap.folder / "inner"), trap.repository()
    commit(inner, "x", 1)
    run_git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "inner")
    filtered(outer / "inner", trap.program(then=PASS_ON), "clean")
    run_git(outer, "add", "inner")
    commit(outer, "x", 1)  # otherwise the submodule's commit alone is an answer
    return outer


def fetch(url: str, **settings: str) -> Callable[[Trap], Path]:
    def build(trap: Trap) -> Path:
        program = str(trap.program())
        more = {key: value.format(program=program) for key, value in settings.items()}
        unfetched(trap.repository(), url.format(program=program, demo=trap.folder / "demo"), **more)
        return trap.folder / "demo"

    return build


ATTACKS: dict[str, Callable[[Trap], Path]] = {
    "a bare repository in a clone": cloned_bare,
    "a repository with filters in a clone": cloned_bare_filter,
    "a program for PGP signatures": signature("gpg.program"),
    "a program for X.509 signatures": signature("gpg.x509.program"),
    "a program for SSH signatures": signature("gpg.ssh.program"),
    "an included configuration": included,
    "a configuration of the work tree": worktree_config,
    "a .git file": file_to_folder,
    "a common directory": common_elsewhere,
    "a linked .git": linked,
    "a clean filter": filters("clean"),
    "a process filter": filters("process"),
    "a filter of a submodule": submodule_filter,
    "a fetch by ext": fetch("ext::{program}", protocol_ext_allow="always"),
    "a fetch by uploadpack": fetch("{demo}", remote_origin_uploadpack="{program}"),
    "a fetch by ssh": fetch("ssh://localhost/x", core_sshCommand="{program}"),
    "a fetch by proxy": fetch("git://localhost/x", core_gitProxy="{program}"),
}
