"""Writes ccship's files: private and atomically.

Independent of their content. Claude Code's settings files have their own rules.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from ccship.errors import StateError

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)


def private(folder: Path) -> Path:
    """Return the folder, created if needed, with access for its owner only.

    Raises:
        StateError: It cannot be created, or others could replace files in it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise StateError(
            f"the state folder {folder} cannot be created ({error.strerror}): set CC_LANGFUSE_STATE_DIR"
        ) from error
    if stat.S_ISLNK(status.st_mode):
        raise StateError(f"{folder} is a link, which others could redirect: set CC_LANGFUSE_STATE_DIR to a real folder")
    if hasattr(os, "geteuid") and (status.st_mode & 0o022 or status.st_uid != os.geteuid()):
        raise StateError(f"{folder} can be changed by others: chmod 700 it, or set CC_LANGFUSE_STATE_DIR")
    return folder


def read_own(path: Path, limit: int) -> bytes:
    """Return the beginning of a file of the state folder, at most `limit` bytes.

    Raises:
        OSError: It cannot be read, or is a link or no file: a pipe would block.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a file", str(path))
        return file.read(limit)


def write_whole(path: Path, content: bytes) -> None:
    """Replace or create a file. Other processes and a crash see the old content or the new one.

    Raises:
        OSError: Nothing was changed.
    """
    file = Replacement(path)
    try:
        file.content.write(content)
        file.commit()
    finally:
        file.drop()


class Replacement:
    """A file that is written next to the one it replaces, with access for its owner only. A link is replaced.

    Raises:
        OSError: It cannot be created.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._beside = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
        self.content = os.fdopen(os.open(self._beside, _CREATE, 0o600), "wb")

    def commit(self) -> None:
        """Move it to its final name."""
        self.content.flush()
        os.fsync(self.content.fileno())
        self.content.close()
        self._beside.replace(self._path)

    def drop(self) -> None:
        """Delete it unless committed."""
        with suppress(OSError):  # a full disk can fail again
            self.content.close()
        self._beside.unlink(missing_ok=True)
