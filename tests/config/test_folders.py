"""Where ccship looks for its files: the hook, which has no platformdirs, in the same folders as platformdirs."""

import ntpath
import os
import sys

import pytest
from platformdirs import macos, unix, windows

from ccship.hook import config_files, state_folder

HOME = "/home/ada"
UNIX = [{}, {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"}, {"XDG_CONFIG_HOME": "c", "XDG_STATE_HOME": " "}]


@pytest.mark.parametrize("environ", UNIX, ids=["plain", "XDG", "XDG that is not absolute"])
def test_the_hook_finds_the_folders_of_platformdirs_on_linux(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both of them."""
    on(monkeypatch, "linux", environ)
    folders = unix.Unix("ccship")
    assert state_folder(dict(os.environ)) == folders.user_state_dir
    assert config_files(dict(os.environ)) == [f"{folders.user_config_dir}/config.toml"]


@pytest.mark.parametrize("environ", UNIX, ids=["plain", "XDG", "XDG that is not absolute"])
def test_the_hook_finds_the_folders_of_platformdirs_on_macos(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without XDG_CONFIG_HOME, as older versions; the state stays where 0.1.0 has it."""
    on(monkeypatch, "darwin", environ)
    folders = macos.MacOS("ccship")
    assert f"{folders.user_config_dir}/config.toml" in config_files(dict(os.environ))
    for variable in environ:
        monkeypatch.delenv(variable)
    assert state_folder({**os.environ, **environ}) == folders.user_state_dir
    assert f"{folders.user_config_dir}/config.toml" in config_files({**os.environ, **environ})


def test_the_hook_finds_the_folders_of_platformdirs_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows itself names the local folder of applications to platformdirs, a variable of its own here."""
    local = r"C:\Users\ada\AppData\Local"
    on(monkeypatch, "win32", {"WIN_PD_OVERRIDE_LOCAL_APPDATA": local, "LOCALAPPDATA": local})
    monkeypatch.setattr(os, "path", ntpath)
    folders = windows.Windows("ccship")
    assert state_folder(dict(os.environ)) == folders.user_state_dir
    assert config_files(dict(os.environ)) == [rf"{folders.user_config_dir}\config.toml"]


def on(monkeypatch: pytest.MonkeyPatch, platform: str, environ: dict[str, str]) -> None:
    """A platform, and the variables of a person there."""
    for name in [it for it in os.environ if it.startswith(("XDG_", "CC_LANGFUSE_"))]:
        monkeypatch.delenv(name)
    for name, value in {"HOME": HOME, **environ}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
