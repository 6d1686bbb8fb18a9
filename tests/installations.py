"""Places that ccship is installed in: Python environments as packagers lay them out."""

import os
import sys
import sysconfig
from pathlib import Path

import ccship


def bare_python(folder: Path) -> Path:
    """An interpreter without any package, as nixpkgs' own is; returns its path."""
    return _wrapper(folder / "bin/python3", Path(sys.base_prefix) / "bin" / _VERSION)


def environment(folder: Path) -> Path:
    """An interpreter with ccship and all it needs, laid out as by nixpkgs' `withPackages`; returns its path."""
    library = folder / "lib" / _VERSION
    site = library / "site-packages"
    site.mkdir(parents=True)
    for entry in Path(os.__file__).parent.iterdir():
        if entry.name != site.name:
            (library / entry.name).symlink_to(entry)
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith(("ccship", "_")) and entry.suffix != ".pth":
            (site / entry.name).symlink_to(entry)
    (site / "ccship").symlink_to(Path(ccship.__file__).parent)
    if (Path(sys.base_prefix) / "lib/python3/dist-packages").is_dir():  # Debian's own Python looks there
        (folder / "lib/python3").mkdir()
        (folder / "lib/python3/dist-packages").symlink_to(site)
    return _wrapper(folder / "bin/python3", Path(sys.base_prefix) / "bin" / _VERSION)


def script(path: Path, text: str) -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def _wrapper(path: Path, python: Path) -> Path:
    """What nixpkgs' `makeBinaryWrapper --inherit-argv0` makes: the interpreter is told the name of the wrapper."""
    return script(path, f'#!/bin/bash\nPYTHONNOUSERSITE=true exec -a "$0" \'{python}\' "$@"\n')


_VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
