"""Transcript files: their names, how to list and open them, why one cannot be read.

Import nothing heavy here: a report over thousands of files must start in milliseconds. Listing checks names only;
opening a file raises the reason if it cannot be read.
"""

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from io import BufferedReader
from pathlib import Path

from ccship.errors import ConfigError

_SUBAGENTS = "subagents"
_UTF_16 = "it is UTF-16: convert it to UTF-8"
_AGENT = re.compile(r"agent-.*\.jsonl", re.DOTALL)

_HEAD_BYTES = 4
_FORMATS = {
    b"\x1f\x8b": "it is compressed with gzip: decompress it",
    b"\x28\xb5\x2f\xfd": "it is compressed with zstd: decompress it",
    b"PK\x03\x04": "it is a zip archive: unpack it",
    b"\xff\xfe": _UTF_16,
    b"\xfe\xff": _UTF_16,
    b'{\0"\0': _UTF_16,
    b'\0{\0"': _UTF_16,
}
"""First bytes of compressed or converted files, with the reason and the fix."""


def transcripts_of(claude_dir: Path) -> list[Path]:
    """Return all transcripts under a Claude config folder (`~/.claude`), including those of subagents."""
    projects = claude_dir / "projects"
    if not projects.is_dir():
        raise ConfigError(f"{claude_dir} has no projects folder: name the Claude config folder with --claude-dir")
    try:
        return [Path(path) for project in _folders(str(projects)) for path in _in_project(project)]
    except OSError as error:
        raise ConfigError(f"{projects} cannot be read: {error.strerror}") from error


def transcripts_in(folder: Path) -> list[Path]:
    """Return all transcripts in a folder and its subfolders."""
    return sorted(path for path in folder.rglob("*.jsonl") if path.name != "journal.jsonl")


def unreadable(path: Path) -> str | None:
    """Return why a path cannot be a readable transcript; None if it may be one. Reads no content."""
    if not _is_utf8(path):
        return "its name is not UTF-8: rename it"
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - Path.stat takes three times as long, for thousands of files
        if stat.S_ISDIR(mode):
            os.scandir(path).close()  # a project folder that cannot be listed is reported like a transcript
    except OSError as error:
        return error.strerror
    except ValueError:
        return "its name contains a NUL byte"  # a damaged line can contain such a session id
    return None if stat.S_ISREG(mode) else "it is not a file"


_READ_BYTES = 128 * 1024
"""Bytes read at once: lines are long, and twice as fast to read as with Python's default of 8 kB."""


def open_transcript(path: Path) -> BufferedReader:
    """Open a transcript for reading from its beginning.

    Raises:
        OSError: It cannot be read or is not a transcript; `strerror` is the reason.
    """
    if reason := unreadable(path):
        raise OSError(errno.EINVAL, reason)  # opening a pipe could block forever
    file: BufferedReader = BufferedReader(path.open("rb", buffering=0), _READ_BYTES)
    if reason := foreign_format(file.peek(_HEAD_BYTES)):
        file.close()
        raise OSError(errno.EINVAL, reason)
    return file


def foreign_format(head: bytes) -> str | None:
    """Return what a file is, and the fix, if its first bytes are not those of JSON lines in UTF-8; else None."""
    return next((reason for mark, reason in _FORMATS.items() if head.startswith(mark)), None)


def is_there(path: Path) -> bool:
    """Return whether a path exists. Never raises, also for impossible paths."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises for a name that is too long


def printable(path: Path | str) -> str:
    """Return a path that can be printed and stored, even if it is not UTF-8."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def check_named(path: Path) -> None:
    """Check a path that the user named.

    Raises:
        ConfigError: It is neither a transcript nor a folder.
    """
    if not _is_utf8(path):
        raise ConfigError(f"{printable(path)} cannot be read: its name is not UTF-8: rename it")
    if not is_there(path):
        raise ConfigError(f"{path} does not exist: name a transcript (.jsonl) or a folder of transcripts")
    if not path.is_dir() and (path.suffix != ".jsonl" or not path.is_file()):
        raise ConfigError(f"{path} is not a transcript: name a .jsonl file")


def session_folder_of(path: Path) -> Path | None:
    """Return the folder `<session id>/` that contains a subagent's transcript; None for a main or flat one."""
    if _SUBAGENTS not in path.parts:
        return None
    return next((parent.parent for parent in path.parents if parent.name == _SUBAGENTS), None)


def project_folder_name(directory: str) -> str:
    """Return the name of the folder in which Claude Code stores the sessions of a working directory."""
    return re.sub(r"[^A-Za-z0-9]", "-", directory)


def none_found(where: Iterable[Path]) -> ConfigError:
    """Return the error for a search without results."""
    places = ", ".join(map(str, where))
    return ConfigError(
        f"no transcripts in {places}: expected .jsonl files, as in Claude's config folder under projects/"
    )


def _in_project(project: str) -> Iterator[str]:
    # os.scandir instead of Path: for thousands of files a Path each costs as much as reading ten kilobytes
    try:
        with os.scandir(project) as found:
            yield from sorted(entry.path for entry in found if entry.name.endswith(".jsonl"))
    except OSError:
        yield project  # whoever opens it gets the reason why it cannot be listed
        return
    for session in _folders(project):
        for folder, folders, files in os.walk(f"{session}/{_SUBAGENTS}"):
            yield from (f"{folder}/{name}" for name in sorted(folders + files) if _AGENT.fullmatch(name))


def _folders(folder: str) -> list[str]:
    with os.scandir(folder) as found:
        return sorted(entry.path for entry in found if _is_folder(entry))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a circular link: whoever lists it gets the reason
        return True


def _is_utf8(path: Path | str) -> bool:
    try:
        return bool(str(path).encode())
    except UnicodeEncodeError:  # Python decoded other bytes as lone surrogates
        return False
