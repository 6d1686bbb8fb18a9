"""Reads from git's index whether a file is tracked. Running git in a hostile repository can run its code."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

_FIXED = 40
"""Bytes of an entry before its object id: times, device, inode, mode, owner, size."""

_EXTENDED = 0x4000
_COMPRESSED = 4
"""The index version that stores each name as a difference from the previous one."""


def is_tracked(path: Path) -> bool:
    """Return whether the repository's index contains a file, under its name or the name of its link target.

    Case is ignored, as on some file systems. True if the index cannot be read.
    """
    if not os.path.lexists(path):
        return False
    for named in {path, Path(os.path.realpath(path))}:
        for folder in named.parents:
            git = _git_folder(folder / ".git")
            wanted = named.relative_to(folder).as_posix().lower().encode()
            try:
                if git is not None and any(name.lower() == wanted for name in _names(git)):
                    return True
            except (OSError, struct.error, ValueError, IndexError):
                return True
    return False


def _git_folder(git: Path) -> Path | None:
    """Return the folder of the index. In a worktree or a submodule, `.git` is a file with its path."""
    if git.is_file():
        git = git.parent / git.read_text(errors="replace").removeprefix("gitdir:").strip()
    return git if (git / "index").is_file() else None


def _names(git: Path) -> Iterator[bytes]:
    """Yield the paths in an index of version 2 to 4 (see gitformat-index in git's manual)."""
    index = (git / "index").read_bytes()
    version, count = struct.unpack_from(">II", index, 4)
    fixed = _FIXED + (32 if _has_sha256(git) else 20)
    at, name = 12, b""
    for _ in range(count):
        start, (flags,) = at, struct.unpack_from(">H", index, at + fixed)
        at += fixed + (4 if flags & _EXTENDED else 2)
        kept = 0
        if version == _COMPRESSED:
            dropped, at = _offset(index, at)
            kept = len(name) - dropped
        end = index.index(b"\0", at)
        name = name[:kept] + index[at:end]
        at = end + 1 if version == _COMPRESSED else start + (end - start + 8) // 8 * 8
        yield name


def _offset(index: bytes, at: int) -> tuple[int, int]:
    """Return a variable-width integer in git's pack format, and where it ends."""
    value = index[at] & 0x7F
    while index[at] & 0x80:
        at += 1
        value = (value + 1) << 7 | index[at] & 0x7F
    return value, at + 1


def _has_sha256(git: Path) -> bool:
    common = git / "commondir"
    folder = git / common.read_text().strip() if common.is_file() else git
    config = folder / "config"
    return config.is_file() and b"sha256" in config.read_bytes().lower()
