"""`ccship install` and `uninstall`: register the hook in Claude Code's settings, and take it out again.

Secrets are never written into settings; what is printed says where they belong.
"""

import difflib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

import ccship.hook
from ccship import registration
from ccship.claude_code import (
    Client,
    Scope,
    backup_of,
    config_dir,
    find_client,
    is_store_path,
    read_settings,
    refuse_unwritable,
    remove_settings,
    settings_file,
    write_settings,
)
from ccship.cli.output import JsonOption, print_json
from ccship.errors import ConfigError

_NO_SETTINGS = "{}\n"

_EPHEMERAL = ("/uv/archive-v", "/uv/environments-v", "/uv/builds-v")
"""Where uv puts environments that it may delete again: those of `uvx`, of scripts, of builds."""

_NEXT = f"""\
Keys never go into settings. The hook finds LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY in Claude Code's environment,
in files that LANGFUSE_PUBLIC_KEY_FILE and LANGFUSE_SECRET_KEY_FILE name, or in config.toml (see `ccship config`).
It sends nothing before you opt in: `ccship install --opt-in` in a project, or {registration.OPT_IN}=true for all.
`ccship doctor` says what is still missing."""

_Edit: TypeAlias = Callable[[str], str]

_Scope = Annotated[
    Scope,
    typer.Option(help="Whose settings: yours everywhere, everybody's in this project, yours in this project."),
]
_ClaudeDir = Annotated[
    Path | None, typer.Option(help="Claude's config folder (default: $CLAUDE_CONFIG_DIR or ~/.claude).")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the change as a diff, write nothing.")]


@dataclass(frozen=True, slots=True)
class _Change:
    """What becomes of one settings file; None stands for no file."""

    path: Path
    before: str | None
    after: str | None

    @property
    def is_needed(self) -> bool:
        return self.before != self.after

    @property
    def diff(self) -> str:
        before, after = ((text or "").splitlines(keepends=True) for text in (self.before, self.after))
        lines = difflib.unified_diff(before, after, fromfile=str(self.path), tofile=str(self.path))
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def install(
    *,
    scope: _Scope = "user",
    opt_in: Annotated[
        bool, typer.Option("--opt-in", help=f"Also set {registration.OPT_IN} in .claude/settings.local.json here.")
    ] = False,
    dry_run: _DryRun = False,
    claude_dir: _ClaudeDir = None,
    as_json: JsonOption = False,
) -> int:
    """Register the hook in Claude Code's settings; the rest of the file keeps every byte."""
    client = find_client(os.environ)
    command = registration.command_of(Path(sys.executable), Path(ccship.hook.__file__))
    hooks = registration.hooks_of(command, registration.events_of(client.version if client else None))
    edits: dict[Path, list[_Edit]] = {_path(scope, claude_dir): [lambda text: registration.register(text, hooks)]}
    if opt_in:
        edits.setdefault(_path("local", claude_dir), []).append(registration.opt_in)
    changes = [_planned(path, steps) for path, steps in edits.items()]
    warnings = list(_warnings(client, scope))
    _carry_out(changes, dry_run=dry_run, as_json=as_json, more={"hooks": hooks, "warnings": warnings})
    if not as_json:
        for warning in warnings:
            typer.echo(f"ccship: {warning}", err=True)
        if not dry_run:
            typer.echo(_NEXT)
    return 0


def uninstall(
    *,
    scope: _Scope = "user",
    opt_in: Annotated[
        bool, typer.Option("--opt-in", help=f"Also take {registration.OPT_IN} out of .claude/settings.local.json here.")
    ] = False,
    dry_run: _DryRun = False,
    claude_dir: _ClaudeDir = None,
    as_json: JsonOption = False,
) -> int:
    """Take the hook out of Claude Code's settings; the rest of the file keeps every byte."""
    edits: dict[Path, list[_Edit]] = {_path(scope, claude_dir): [registration.unregister]}
    if opt_in:
        edits.setdefault(_path("local", claude_dir), []).append(registration.opt_out)
    changes = [_reverted(path, steps) for path, steps in edits.items()]
    _carry_out(changes, dry_run=dry_run, as_json=as_json, more={})
    return 0


def _path(scope: Scope, claude_dir: Path | None) -> Path:
    return settings_file(scope, claude_dir or config_dir(os.environ), Path.cwd())


def _planned(path: Path, edits: Sequence[_Edit]) -> _Change:
    before = read_settings(path)
    return _Change(path, before, _edited(path, _NO_SETTINGS if before is None else before, edits))


def _reverted(path: Path, edits: Sequence[_Edit]) -> _Change:
    """Taking out what is ours leaves the bytes that were there before, but for an object or a list that was empty.

    So where nothing else has changed since, those bytes are put back: from the backup, or by removing a new file.
    """
    before = read_settings(path)
    if before is None:
        return _Change(path, None, None)
    after = _edited(path, before, edits)
    if after == before:
        return _Change(path, before, before)
    backup = read_settings(backup_of(path))
    original = _NO_SETTINGS if backup is None else backup
    if _is_what_it_was(original, before, after, edits):
        after = original
    return _Change(path, before, None if backup is None and after == _NO_SETTINGS else after)


def _is_what_it_was(original: str, before: str, after: str, edits: Sequence[_Edit]) -> bool:
    """Whether registering in `original` gives what is there now, and `original` has nothing of ours."""
    hooks: dict[str, list[dict[str, Any]]] = {}
    for it in registration.registered(registration.parse(before)):
        hooks.setdefault(it.event, []).append({"hooks": [dict(it.hook)]})
    try:
        redone = registration.register(original, hooks)
        untouched = _apply(edits, original) == original
    except ConfigError:
        return False
    if registration.parse(before).get("env") != registration.parse(after).get("env"):
        redone = registration.opt_in(redone)
    return untouched and redone == before


def _edited(path: Path, text: str, edits: Sequence[_Edit]) -> str:
    try:
        return _apply(edits, text)
    except ConfigError as error:
        raise ConfigError(f"{path} is left as it is: {error}") from None


def _apply(edits: Sequence[_Edit], text: str) -> str:
    return reduce(lambda edited, edit: edit(edited), edits, text)


def _carry_out(changes: Sequence[_Change], *, dry_run: bool, as_json: bool, more: dict[str, object]) -> None:
    """Write what has to be written; nothing at all where one of the files may not be."""
    needed = [change for change in changes if change.is_needed]
    for change in needed:
        refuse_unwritable(change.path)
    backups = {} if dry_run else {change.path: _write(change) for change in needed}
    if as_json:
        files = [
            {
                "path": str(it.path),
                "changed": it.is_needed,
                "backup": str(backups[it.path]) if backups.get(it.path) else None,
            }
            for it in changes
        ]
        print_json({"dry_run": dry_run, "files": files, **more})
        return
    for change in changes:
        if not change.is_needed:
            typer.echo(f"{change.path}: nothing to change")
        elif dry_run:
            typer.echo(change.diff, nl=False)
        else:
            backup = backups[change.path]
            typer.echo(f"{change.path}: {'changed' if change.after is not None else 'removed, it held nothing else'}")
            if backup is not None:
                typer.echo(f"{backup}: as it was before")


def _write(change: _Change) -> Path | None:
    """Write one file; returns its backup. One that holds what is there anyway is not kept."""
    if change.after is None:
        remove_settings(change.path)
        return None
    backup = backup_of(change.path)
    if change.after == read_settings(backup):
        write_settings(change.path, change.after, backup=False)
        remove_settings(backup)
        return None
    return write_settings(change.path, change.after)


def _warnings(client: Client | None, scope: Scope) -> Iterator[str]:
    if client is None or client.version is None:
        yield (
            "no `claude` that tells its version was found, so only the events that every client knows are registered:"
            " run `ccship install` again once there is one"
        )
    if is_store_path(Path(sys.executable)):
        yield "this Python is in the Nix store and goes with the next update: enable ccship in home-manager instead"
    elif any(part in sys.executable for part in _EPHEMERAL):
        yield f"{sys.executable} is in a place that is emptied: `uv tool install ccship`, then `ccship install` again"
    if scope == "project":
        yield "these settings are shared and name paths of this machine; --scope local keeps them yours"
