"""Claude Code's settings files: read, replace, back up, remove.

The user's own settings may be links (dotfile managers make them). Below a project no link is followed, because the
author of the repository chose its target. Files are opened relative to a descriptor of their folder, so a link that
replaces the folder between a check and a write has no effect.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ccship.errors import ConfigError

BACKUP_SUFFIX = ".ccship-backup"

_FOLDER = os.O_RDONLY | os.O_DIRECTORY
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
"""Opening a pipe without O_NONBLOCK would wait for a writer."""

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """A settings file or its backup. Below `project` no link is followed; None for the user's own settings."""

    path: Path
    project: Path | None = None

    @property
    def backup(self) -> "SettingsFile":
        """The backup: the settings before the last change."""
        return SettingsFile(self.path.with_name(self.path.name + BACKUP_SUFFIX), self.project)

    def read(self) -> str | None:
        """Return the text with its own line ends; None without a file.

        Raises:
            ConfigError: It cannot be read, or is a link below a project.
        """
        try:
            with _folder_of(self) as (folder, name):
                return _read(folder, name)[0].decode()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            raise ConfigError(f"{self.path} is not UTF-8: fix it first") from None
        except OSError as error:
            raise self._failed("read", error) from error

    def refuse_unwritable(self) -> None:
        """Raise ConfigError if `write` or `remove` must not change this file, or cannot."""
        if link := self._link():
            raise _follows_none(link)
        real = Path(os.path.realpath(self.path))
        if is_store_path(real):
            raise ConfigError(
                f"{self.path} is a link into the Nix store: enable ccship in home-manager, which writes that file"
            )
        for place in {next(path for path in (real, *real.parents) if path.exists()), real.parent}:
            if not _is_writable(place):
                raise ConfigError(f"{place} is read-only: ccship cannot register itself there")

    def write(self, text: str, *, backup: bool = True) -> Path | None:
        """Replace the whole file, keep its mode; return the path of the backup, None if none was written.

        Raises:
            ConfigError: It cannot be written.
        """
        try:
            with _folder_of(self, make=True) as (folder, name):
                try:
                    before, mode = _read(folder, name)
                except FileNotFoundError:
                    _replace(folder, name, text.encode(), None)
                    return None
                if backup:
                    with _folder_of(self.backup) as (beside, its_name):
                        _replace(beside, its_name, before, mode)
                _replace(folder, name, text.encode(), mode)
        except OSError as error:
            raise self._failed("written", error) from error
        return self.backup.path if backup else None

    def remove(self) -> None:
        """Delete the file.

        Raises:
            ConfigError: It cannot be deleted.
        """
        try:
            with _folder_of(self) as (folder, name):
                os.unlink(name, dir_fd=folder)
        except OSError as error:
            raise self._failed("removed", error) from error

    def _link(self) -> Path | None:
        """Find a link below a project, for clear messages. The protection is in `_open_below`."""
        places = (self.path.parent, self.path, self.backup.path) if self.project else ()
        return next((place for place in places if place.is_symlink()), None)

    def _failed(self, what: str, error: OSError) -> ConfigError:
        if link := self._link():
            return _follows_none(link)
        return ConfigError(f"{self.path} cannot be {what}: {error.strerror}")


def is_store_path(path: Path | str) -> bool:
    """Return whether only Nix writes to a path."""
    return "/nix/store/" in str(path)


def _is_writable(place: Path) -> bool:
    """Return whether a file or folder may be changed. root may write anywhere, so the mode counts too."""
    try:
        mode = place.stat().st_mode
    except OSError:
        return True  # it does not exist; writing reports other errors
    return bool(mode & 0o222) and os.access(place, os.W_OK)


def _follows_none(link: Path) -> ConfigError:
    return ConfigError(
        f"{link} is a link, and ccship follows no link below a project (the author of the repository chose its target):"
        " replace it with a real file or folder, or remove it"
    )


@contextmanager
def _folder_of(file: SettingsFile, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """Open the folder of a file; yield its descriptor, and the file's name in it."""
    if file.project is None:
        real = Path(os.path.realpath(file.path))
        if make:
            real.parent.mkdir(parents=True, exist_ok=True)
        folder, name = os.open(real.parent, _FOLDER), real.name
    else:
        folder, name = _open_below(file.project, file.path.parent.name, make=make), file.path.name
    try:
        yield folder, name
    finally:
        os.close(folder)


def _open_below(project: Path, name: str, *, make: bool) -> int:
    root = os.open(project, _FOLDER)
    try:
        if make:
            with suppress(FileExistsError):
                os.mkdir(name, dir_fd=root)
        return os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=root)
    finally:
        os.close(root)


def _read(folder: int, name: str) -> tuple[bytes, int]:
    """Return the content and the mode of a regular file."""
    with os.fdopen(os.open(name, _READ, dir_fd=folder), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(0, "it is not a regular file")
        return file.read(), mode & 0o777


def _replace(folder: int, name: str, content: bytes, mode: int | None) -> None:
    """Write a temporary file and rename it, so that a client never reads half of it.

    A link at `name` is replaced, not followed. Without a mode the new file gets that of the umask.
    """
    temporary = f".{name}.{os.urandom(8).hex()}"
    descriptor = os.open(temporary, _CREATE, 0o644 if mode is None else 0o600, dir_fd=folder)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary, dir_fd=folder)
        raise
