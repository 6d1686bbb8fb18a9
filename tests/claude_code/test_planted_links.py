"""A repository that somebody cloned chooses no file that `install` and `uninstall` read or write."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ccship.claude_code import own_hook, registration
from helpers import fake_client, run_ccship

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links are POSIX's here")

PLANTED = '{"note": "$(touch ~/pwned)"}\n'
OURS = json.dumps({"env": {"TRACE_TO_LANGFUSE": "true"}, "hooks": registration.hooks_of(own_hook.own_command())})

LINKS = {
    "the backup": (".claude/{file}.ccship-backup", "../../../.bashrc"),
    "a backup that is not there yet": (".claude/{file}.ccship-backup", "../../../.profile"),
    "a backup inside the project": (".claude/{file}.ccship-backup", "../.git/hooks/post-commit"),
    "the file": (".claude/{file}", "../../../.claude/settings.json"),
    "a file that is not there yet": (".claude/{file}", "../../../.zshrc"),
    "a file by its absolute path": (".claude/{file}", "{home}/.claude/settings.json"),
    "a file by way of another link": (".claude/{file}", "way"),
    "the folder": (".claude", "../../.claude"),
    "a folder that is not there yet": (".claude", "../../.config/new"),
}
COMMANDS = {
    "install --opt-in": "settings.local.json",
    "install --scope local": "settings.local.json",
    "install --scope project": "settings.json",
    "uninstall --opt-in": "settings.local.json",
    "uninstall --scope local": "settings.local.json",
    "uninstall --scope project": "settings.json",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clone at `~/src/demo`, in the home of somebody with settings and a shell."""
    home = tmp_path / "home"
    (home / ".claude").mkdir()
    (home / ".claude/settings.json").write_text(OURS)
    (home / ".bashrc").write_text("alias ll='ls -l'\n")
    project = home / "src/demo"
    (project / ".git/hooks").mkdir(parents=True)
    return project


def plant(project: Path, link: str, target: str, file: str, content: str) -> None:
    """Make a link in a clone, and the settings beside it."""
    path = project / link.format(file=file)
    path.parent.mkdir(exist_ok=True)
    settings = project / ".claude" / file
    if path not in (settings, settings.parent):
        settings.write_text(content)
        settings.chmod(0o755)
    path.symlink_to(target.format(home=project.parents[1]))
    if target == "way":
        path.with_name("way").symlink_to("../../../.claude/settings.json")


def everything_in(folder: Path) -> dict[str, tuple[int, str | bytes]]:
    """Path -> mode and content, of files, links and folders."""
    found: dict[str, tuple[int, str | bytes]] = {}
    for path in sorted(folder.rglob("*")):
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        found[str(path.relative_to(folder))] = path.lstat().st_mode, content
    return found


@pytest.mark.parametrize(("command", "file"), COMMANDS.items(), ids=COMMANDS.keys())
@pytest.mark.parametrize(("link", "target"), LINKS.values(), ids=LINKS.keys())
def test_a_link_below_a_project_is_named_and_nothing_is_changed(
    link: str, target: str, command: str, file: str, project: Path
) -> None:
    """Not behind the link, not in the project, not in the user's own settings."""
    home = project.parents[1]
    if command.startswith("install"):
        (home / ".claude/settings.json").write_text("{}")
    plant(project, link, target, file, PLANTED if command.startswith("install") else OURS)
    before = everything_in(home)
    done = run_ccship(*command.split(), cwd=project)
    assert everything_in(home) == before
    assert done.returncode == 2
    assert f"{project / link.format(file=file)} is a link" in done.stderr


def test_doctor_reads_nothing_behind_a_link_of_a_project(project: Path) -> None:
    """It names the link."""
    (project / ".claude").mkdir()
    (project / ".claude/settings.json").symlink_to("../../../.claude/settings.json")
    done = run_ccship("doctor", cwd=project)
    assert f"{project}/.claude/settings.json is a link" in done.stdout


def test_a_pipe_in_the_place_of_settings_is_not_waited_for(project: Path) -> None:
    """Nobody will write to it."""
    (project / ".claude").mkdir()
    os.mkfifo(project / ".claude/settings.json")
    done = run_ccship("install", "--scope", "project", cwd=project)
    assert done.returncode == 2
    assert "is not a regular file" in done.stderr


def test_a_link_under_the_name_of_the_temporary_file_is_not_followed(project: Path) -> None:
    """Even if somebody guesses the name."""
    (project / ".claude").mkdir()
    (project / f".claude/.settings.local.json.{bytes(8).hex()}").symlink_to("../../../.bashrc")
    before = everything_in(project.parents[1])
    done = run_ccship("install", "--scope", "local", cwd=project, first="import os; os.urandom = bytes")
    assert done.returncode == 2
    assert "settings.local.json cannot be written: File exists" in done.stderr
    assert everything_in(project.parents[1]) == before


SWAP = """
import os, shutil, sys, time
os.chdir(sys.argv[1])
print("ready", flush=True)
while True:
    try:
        os.rename(".claude", "real")
        os.symlink(sys.argv[2], ".claude")
        time.sleep(0.001)
        os.unlink(".claude")
        os.rename("real", ".claude")
        time.sleep(0.001)
    except OSError:  # somebody made a folder between two steps
        shutil.rmtree("real", ignore_errors=True)
"""


def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(project: Path, tmp_path: Path) -> None:
    """A check of the path could be right and the write after it wrong."""
    victim = tmp_path / "victim"
    victim.mkdir()
    (project / ".claude").mkdir()
    swapper = subprocess.Popen([sys.executable, "-c", SWAP, project, victim], stdout=subprocess.PIPE)
    try:
        assert swapper.stdout
        swapper.stdout.readline()
        for command in ("install", "uninstall") * 100:
            assert run_ccship(command, "--scope", "local", cwd=project).returncode in {0, 2}
            assert list(victim.iterdir()) == []
    finally:
        swapper.kill()
        swapper.communicate()


BACKUPS = {
    "other variables": '{"env": {"LANGFUSE_BASE_URL": "http://evil"}}',
    "other hooks": '{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "evil"}]}]}}',
    "a key that stands there twice": '{"env": {"LANGFUSE_BASE_URL": "http://evil"}, "env": {}}',
    "another consent": '{"env": {"TRACE_TO_LANGFUSE": "1"}}',
    "our own hook": OURS,
    "no JSON": "evil",
    "an empty object": '{"env": {}}',
}


@pytest.mark.parametrize("backup", BACKUPS.values(), ids=BACKUPS.keys())
def test_a_backup_that_came_with_the_repository_brings_nothing_into_settings(backup: str, project: Path) -> None:
    """It could be a plain file: its content is taken only if installing in it gives the present file."""
    local = project / ".claude/settings.local.json"
    local.parent.mkdir()
    local.with_name("settings.local.json.ccship-backup").write_text(backup)
    run_ccship("install", "--scope", "local", "--opt-in", cwd=project)
    assert run_ccship("uninstall", "--scope", "local", "--opt-in", cwd=project).returncode == 0
    left = json.loads(local.read_text()) if local.exists() else {}
    assert left in ({}, {"env": {}}, {"hooks": {}})


def test_a_backup_below_a_project_is_a_file_like_any_other(project: Path) -> None:
    """Made new, and replaced."""
    local = project / ".claude/settings.local.json"
    local.parent.mkdir()
    local.write_text('{"model": "opus"}')
    backup = local.with_name("settings.local.json.ccship-backup")
    for planted in (None, "old"):
        if planted:
            backup.write_text(planted)
        run_ccship("install", "--scope", "local", cwd=project)
        assert backup.read_text() == '{"model": "opus"}'
        run_ccship("uninstall", "--scope", "local", cwd=project)
        assert [path.name for path in local.parent.iterdir()] == ["settings.local.json"]


def test_the_user_s_own_links_are_followed(tmp_path: Path) -> None:
    """The folder, and a file that is not there yet: managers of dotfiles make both."""
    home = tmp_path / "home"
    dotfiles = home / "dotfiles"
    dotfiles.mkdir()
    (home / ".claude").symlink_to(dotfiles)
    (dotfiles / "settings.json").symlink_to("work.json")
    run_ccship("install")
    assert (dotfiles / "settings.json").is_symlink()
    assert list(registration.registered(json.loads((dotfiles / "work.json").read_text())))
    run_ccship("uninstall")
    assert sorted(path.name for path in dotfiles.iterdir()) == ["settings.json"]


def test_in_the_home_folder_the_user_s_settings_are_the_project_s(tmp_path: Path) -> None:
    """There a linked folder is the user's, who may opt in."""
    home = tmp_path / "home"
    (home / "dotfiles").mkdir()
    (home / ".claude").symlink_to("dotfiles")
    assert run_ccship("install", "--opt-in", cwd=home).returncode == 0
    assert "TRACE_TO_LANGFUSE" in (home / "dotfiles/settings.local.json").read_text()
    environ = fake_client(tmp_path, "2.1.329 (Claude Code)")
    assert "ok    settings readable" in run_ccship("doctor", cwd=home, environ=environ).stdout
