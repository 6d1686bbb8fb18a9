"""`ccship install` and `uninstall`: add the hook to Claude Code's settings, and remove it.

Keys are never written to settings: `install` prints the places to set them.
"""

import difflib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial, reduce
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

import ccship.statusline
from ccship.claude_code import own_hook, registration
from ccship.claude_code.installed import SCOPES, Client, Scope, config_dir, find_client, plugins_of, settings_file
from ccship.claude_code.settings_file import SettingsFile, is_store_path
from ccship.cli.output import JsonOption, print_json
from ccship.errors import ConfigError

_NO_SETTINGS = "{}\n"

_EPHEMERAL = ("/uv/archive-v", "/uv/environments-v", "/uv/builds-v")
"""Cache folders from which uv may delete an environment: those of `uvx`, scripts and builds."""

_KEYS = """\
Keys are not written to settings. Set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY where Claude Code runs, or name files
with LANGFUSE_PUBLIC_KEY_FILE and LANGFUSE_SECRET_KEY_FILE, or write public_key and secret_key in config.toml
(`ccship config` shows its path).
"""

_OPT_IN = f"""\
Nothing is sent until you opt in: run `ccship install --opt-in` in a project, or set {registration.OPT_IN}=true for all.
"""

_OPTED_IN = f"""\
Sending is enabled for this project: .claude/settings.local.json sets {registration.OPT_IN}=true.
"""

_DOCTOR = "Next: run `ccship doctor` to check the setup."

_Edit: TypeAlias = Callable[[str], str]

_Scope = Annotated[
    Scope,
    typer.Option(help="Settings file: yours for all projects, this project's shared one, or yours for this project"),
]
_ClaudeDir = Annotated[
    Path | None, typer.Option(help="Claude config folder (default: $CLAUDE_CONFIG_DIR or ~/.claude)")
]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the change as a diff; write nothing")]


@dataclass(frozen=True, slots=True)
class _Change:
    """One settings file before and after; None: the file does not exist."""

    file: SettingsFile
    before: str | None
    after: str | None

    @property
    def path(self) -> Path:
        return self.file.path

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
        bool, typer.Option("--opt-in", help="Also enable sending for this project, in .claude/settings.local.json")
    ] = False,
    statusline: Annotated[
        bool, typer.Option("--statusline", help="Also show cost, budgets and backlog in the status line")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace another status line; with --statusline")] = False,
    dry_run: _DryRun = False,
    claude_dir: _ClaudeDir = None,
    as_json: JsonOption = False,
) -> int:
    """Add the hook to Claude Code's settings.

    The rest of the file keeps every byte.
    """
    if replace and not statusline:
        raise ConfigError("--replace is for a status line: add --statusline")
    client = find_client(os.environ)
    command = own_hook.own_command()
    plugins = _plugins(scope, claude_dir, client)
    hooks = (
        {} if plugins else registration.hooks_of(command, registration.events_of(client.version if client else None))
    )
    edits: dict[SettingsFile, list[_Edit]] = {}
    if not plugins:
        edits[_file(scope, claude_dir)] = [lambda text: registration.register(text, hooks)]
    if opt_in:
        edits.setdefault(_file("local", claude_dir), []).append(registration.opt_in)
    if statusline:
        line = registration.status_line_of(Path(sys.executable), Path(ccship.statusline.__file__))
        edits.setdefault(_file(scope, claude_dir), []).append(
            partial(registration.put_status_line, command=line, replace=replace)
        )
    changes = [_planned(file, steps) for file, steps in edits.items()]
    if hooks and any(change.is_needed for change in changes):
        _refuse_broken(command)
    warnings = [] if plugins else list(_warnings(client, scope, command))
    more: dict[str, object] = {"hooks": hooks, "plugins": plugins, "warnings": warnings}
    _carry_out(changes, dry_run=dry_run, as_json=as_json, more=more)
    if not as_json:
        for plugin in plugins:
            typer.echo(f"hook not registered: the plugin {plugin} already registers it")
        for warning in warnings:
            typer.echo(f"ccship: {warning}", err=True)
        if not dry_run:
            typer.echo(_KEYS + (_OPTED_IN if opt_in else _OPT_IN) + _DOCTOR)
    return 0


def uninstall(
    *,
    scope: _Scope = "user",
    opt_in: Annotated[
        bool, typer.Option("--opt-in", help=f"Also remove {registration.OPT_IN} from .claude/settings.local.json")
    ] = False,
    dry_run: _DryRun = False,
    claude_dir: _ClaudeDir = None,
    as_json: JsonOption = False,
) -> int:
    """Remove the hook from Claude Code's settings.

    The rest of the file keeps every byte.
    """
    edits: dict[SettingsFile, list[_Edit]] = {
        _file(scope, claude_dir): [registration.unregister, registration.cut_status_line]
    }
    if opt_in:
        edits.setdefault(_file("local", claude_dir), []).append(registration.opt_out)
    changes = [_reverted(file, steps) for file, steps in edits.items()]
    _carry_out(changes, dry_run=dry_run, as_json=as_json, more={})
    return 0


def _file(scope: Scope, claude_dir: Path | None) -> SettingsFile:
    return settings_file(scope, claude_dir or config_dir(os.environ), Path.cwd())


def _plugins(scope: Scope, claude_dir: Path | None, client: Client | None) -> list[str]:
    """Return the plugins that run the hook wherever the settings of a scope apply."""
    apply = ("user",) if scope == "user" else SCOPES
    texts = [text for scope in apply if (text := _file(scope, claude_dir).read()) is not None]
    settings = []
    for text in texts:
        with suppress(ConfigError):  # reported if this file has to be changed
            settings.append(registration.parse(text))
    return plugins_of(settings, claude_dir or config_dir(os.environ), client)


def _refuse_broken(command: str) -> None:
    """Run the hook once, and raise ConfigError if it fails: a registered hook fails silently at every turn."""
    probe = own_hook.probe(command)
    if not probe.works:
        problem = probe.complaint or f"its worker does not start: {probe.worker_complaint}"
        raise ConfigError(f"settings unchanged, because the hook does not work: {problem}. Fix: {probe.remedy}")


def _planned(file: SettingsFile, edits: Sequence[_Edit]) -> _Change:
    before = file.read()
    return _Change(file, before, _edited(file.path, _NO_SETTINGS if before is None else before, edits))


def _reverted(file: SettingsFile, edits: Sequence[_Edit]) -> _Change:
    """Return the change that removes the hook; restore the original bytes if nothing else changed since `install`.

    Removing the entries also removes objects and lists that were empty before `install`. So the backup is restored, or
    a file that `install` created is deleted. A backup in a project may come from the repository: it is used only if
    registering in it gives the current file byte for byte, so that it differs in empty containers at most.
    """
    before = file.read()
    if before is None:
        return _Change(file, None, None)
    after = _edited(file.path, before, edits)
    if after == before:
        return _Change(file, before, before)
    backup = file.backup.read()
    original = _NO_SETTINGS if backup is None else backup
    if _is_original(original, before, after, edits):
        after = original
    return _Change(file, before, None if backup is None and after == _NO_SETTINGS else after)


def _is_original(original: str, before: str, after: str, edits: Sequence[_Edit]) -> bool:
    """Return whether `original` contains no entry of ccship, and registering in it gives `before`."""
    hooks: dict[str, list[dict[str, Any]]] = {}
    settings = registration.parse(before)
    for registered in registration.registered(settings):
        hooks.setdefault(registered.event, []).append({"hooks": [dict(registered.hook)]})
    try:
        redone = registration.register(original, hooks)
        if registration.has_status_line(settings):
            redone = registration.put_status_line(redone, settings[registration.STATUS_LINE]["command"])
        untouched = _apply(edits, original) == original
    except ConfigError:
        return False
    if settings.get("env") != registration.parse(after).get("env"):
        redone = registration.opt_in(redone)
    return untouched and redone == before


def _edited(path: Path, text: str, edits: Sequence[_Edit]) -> str:
    try:
        return _apply(edits, text)
    except ConfigError as error:
        raise ConfigError(f"{path} unchanged: {error}") from None


def _apply(edits: Sequence[_Edit], text: str) -> str:
    return reduce(lambda edited, edit: edit(edited), edits, text)


def _carry_out(changes: Sequence[_Change], *, dry_run: bool, as_json: bool, more: dict[str, object]) -> None:
    """Write all changes, or none if one of the files is not writable; print the result."""
    needed = [change for change in changes if change.is_needed]
    for change in needed:
        change.file.refuse_unwritable()
    backups = {} if dry_run else {change.path: _write(change) for change in needed}
    if as_json:
        files = [
            {
                "path": str(change.path),
                "changed": change.is_needed,
                "backup": str(backups[change.path]) if backups.get(change.path) else None,
            }
            for change in changes
        ]
        print_json({"dry_run": dry_run, "files": files, **more})
        return
    for change in changes:
        if not change.is_needed:
            typer.echo(f"{change.path}: already up to date")
        elif dry_run:
            typer.echo(change.diff, nl=False)
        else:
            backup = backups[change.path]
            typer.echo(
                f"{change.path}: {'changed' if change.after is not None else 'deleted, it contained nothing else'}"
            )
            if backup is not None:
                typer.echo(f"{backup}: backup of the previous version")


def _write(change: _Change) -> Path | None:
    """Write one file; return its backup, or None if no backup is needed."""
    if change.after is None:
        change.file.remove()
        return None
    if change.after == change.file.backup.read():
        change.file.write(change.after, backup=False)
        change.file.backup.remove()
        return None
    return change.file.write(change.after)


def _warnings(client: Client | None, scope: Scope, command: str) -> Iterator[str]:
    if client is None or client.version is None:
        yield (
            "the version of Claude Code is unknown, so only events that every version supports are registered:"
            " put claude on the PATH, then rerun ccship install"
        )
    if is_store_path(command):
        yield (
            "this hook is in the Nix store, and the next update removes it:"
            " set `programs.ccship.enable = true;` in your home-manager configuration instead"
        )
    elif any(part in command for part in _EPHEMERAL):
        yield "this hook is in a cache that uv may delete: run `uv tool install ccship`, then `ccship install`"
    if scope == "project":
        yield "these settings are shared, but the hook's path exists only on this machine: use --scope local"
