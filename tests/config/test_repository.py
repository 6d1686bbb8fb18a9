"""What the settings of a repository may change: they can only make ccship send less."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ccship import config
from ccship.config import Config
from ccship.config.tracked import is_tracked
from ccship.errors import ConfigError
from clones import LOCAL, SHARED, clone, env_of, git, merged, repository, run_hook, session_in, write
from conftest import ROOT
from helpers import run_ccship
from loopback import LoopbackLangfuse
from redact_examples.notation import made_up

SECRET = "ghp_" + made_up(36)


@pytest.fixture
def person(tmp_path: Path, langfuse: LoopbackLangfuse) -> dict[str, str]:
    """The shell of somebody who sends everything, with keys of their own."""
    return {**langfuse.environ, "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"), "TRACE_TO_LANGFUSE": "true"}


def loaded(tmp_path: Path, own: dict[str, str], shared: dict[str, Any], file: str) -> Config:
    """The settings in a project whose repository sets variables."""
    write(tmp_path, {f"project/{SHARED}": env_of(**shared), "home/config.toml": file})
    return config.load({**os.environ, **merged(own, tmp_path / "project")})


CAPTURE = "CC_LANGFUSE_CAPTURE"
# what the environment sets, what the repository sets, config.toml, what applies, whether something was ignored
RULES: dict[str, tuple[dict[str, str], dict[str, str], str, dict[str, Any], bool]] = {
    "nothing": ({}, {}, "", {"redact": True, "capture": "full"}, False),
    "the person switches redaction off": ({"CC_LANGFUSE_REDACT": "off"}, {}, "", {"redact": False}, False),
    "a repository does not": ({}, {"CC_LANGFUSE_REDACT": "off"}, "", {"redact": True}, True),
    "config.toml does": ({}, {}, "redact = false", {"redact": False}, False),
    "config.toml does, a repository on again": (
        {}, {"CC_LANGFUSE_REDACT": "on"}, "redact = false", {"redact": True}, False,
    ),
    "config.toml keeps it on": ({"CC_LANGFUSE_REDACT": "off"}, {}, "redact = true", {"redact": True}, True),
    "the person captures less": ({CAPTURE: "metadata"}, {}, 'capture = "no-tool-io"', {"capture": "metadata"}, False),
    "the person captures more": ({CAPTURE: "full"}, {}, 'capture = "no-tool-io"', {"capture": "no-tool-io"}, True),
    "a repository captures less": ({}, {CAPTURE: "no-tool-io"}, "", {"capture": "no-tool-io"}, False),
    "a repository captures more": ({}, {CAPTURE: "full"}, 'capture = "metadata"', {"capture": "metadata"}, True),
    "a repository empties the mode": ({}, {CAPTURE: ""}, 'capture = "metadata"', {"capture": "metadata"}, False),
    "a repository lets images out": (
        {}, {"CC_LANGFUSE_CAPTURE_IMAGES": "true"}, "capture_images = false", {"images": False}, True,
    ),
    "the person keeps images": ({"CC_LANGFUSE_CAPTURE_IMAGES": "false"}, {}, "", {"images": False}, False),
    "a repository wants longer texts": ({}, {"CC_LANGFUSE_MAX_CHARS": "90000"}, "", {"max_chars": 20_000}, True),
    "a repository wants shorter texts": ({}, {"CC_LANGFUSE_MAX_CHARS": "300"}, "", {"max_chars": 300}, False),
    "the person wants longer texts": ({"CC_LANGFUSE_MAX_CHARS": "90000"}, {}, "", {"max_chars": 90_000}, False),
    "the person wants more than config.toml": (
        {"CC_LANGFUSE_MAX_CHARS": "9000"}, {}, "max_chars = 1000", {"max_chars": 1000}, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("own", "shared", "file", "expected", "ignored"), RULES.values(), ids=RULES.keys())
def test_of_config_toml_and_the_environment_the_stricter_applies(
    own: dict[str, str], shared: dict[str, str], file: str, expected: dict[str, Any], ignored: bool, tmp_path: Path
) -> None:
    """A repository can be stricter than the person, and is never listened to where it is not."""
    found = loaded(tmp_path, own, shared, file)
    assert {name: getattr(found.policy, name) for name in expected} == expected
    assert bool(found.ignored) == ignored


def test_a_table_is_a_floor_too(tmp_path: Path) -> None:
    """Its word replaces that of the top of the file, and the environment can be stricter."""
    file = 'capture = "metadata"\n[[destinations]]\nprojects = ["/work"]\ncapture = "no-tool-io"\n'
    for own, expected in (("full", "no-tool-io"), ("metadata", "metadata")):
        found = loaded(tmp_path, {CAPTURE: own}, {}, file)
        routed = found.for_project("/work")
        assert routed is not None
        assert (routed.policy.capture, found.policy.capture) == (expected, "metadata")


def test_rules_and_exclusions_add_up(tmp_path: Path) -> None:
    """A repository adds its own and takes nobody's back."""
    for name in ("person", "file", "repository"):
        (tmp_path / name).write_text(f'[[rules]]\nname = "{name}"\npattern = "x"')
    found = loaded(
        tmp_path,
        {},
        {"CC_LANGFUSE_REDACT_EXTRA": str(tmp_path / "repository"), "CC_LANGFUSE_EXCLUDE": "/b"},
        f'exclude = ["/a"]\nredact_extra = "{tmp_path}/file"',
    )
    assert {rule.name for rule in found.policy.rules} == {"file", "repository"}
    assert [found.for_project(cwd) for cwd in ("/a", "/b")] == [None, None]


def test_a_device_is_no_file_of_rules(tmp_path: Path) -> None:
    """It would be read for ever."""
    with pytest.raises(ConfigError, match="/dev/zero, which is not a file"):
        loaded(tmp_path, {}, {"CC_LANGFUSE_REDACT_EXTRA": "/dev/zero"}, "")


CONSENT = {
    "nobody": ({}, {}, "", False),
    "the repository alone": ({}, {"TRACE_TO_LANGFUSE": "true"}, "", False),
    "the repository over config.toml": ({}, {"TRACE_TO_LANGFUSE": "true"}, "trace = true", True),
    "the repository withdraws": ({}, {"TRACE_TO_LANGFUSE": "false"}, "trace = true", False),
    "the environment over config.toml": ({"TRACE_TO_LANGFUSE": "true"}, {}, "trace = false", True),
}


@pytest.mark.parametrize(("own", "shared", "file", "expected"), CONSENT.values(), ids=CONSENT.keys())
def test_a_repository_cannot_consent_for_a_person(
    own: dict[str, str], shared: dict[str, str], file: str, expected: bool, tmp_path: Path
) -> None:
    """It can withdraw."""
    assert loaded(tmp_path, own, shared, file).opted_in == expected


def test_an_attempt_is_logged_and_shown(
    person: dict[str, str], tmp_path: Path, langfuse: LoopbackLangfuse, state_dir: Path
) -> None:
    """By the worker, by doctor and by config; what is sent is redacted."""
    project = clone(tmp_path / "git", {SHARED: env_of(CC_LANGFUSE_REDACT="off", CC_LANGFUSE_CAPTURE="full")})
    write(tmp_path, {"home/config.toml": 'capture = "no-tool-io"\n'})
    inside = merged(person, project)
    run_hook(session_in(project, tmp_path / "claude", f"use {SECRET}"), inside, project)
    assert langfuse.accepted
    assert SECRET not in str([span.attributes for span in langfuse.accepted])
    attempt = f"CC_LANGFUSE_REDACT=off in {project / SHARED} is ignored"
    assert attempt in (state_dir / "ccship.log").read_text()
    doctor = run_ccship("doctor", environ=person, cwd=project)
    assert f"FAIL  {'no setting ignored':27}CC_LANGFUSE_CAPTURE=full in {project / SHARED} is ignored" in doctor.stdout
    assert attempt in doctor.stdout
    done = run_ccship("config", environ=inside, cwd=project)
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert (
        lines[lines.index("redact true default") + 1] == f"redact off ignored: CC_LANGFUSE_REDACT in {project / SHARED}"
    )
    assert "capture no-tool-io config.toml: capture" in lines
    document = json.loads(run_ccship("config", "--json", environ=inside, cwd=project).stdout)
    (redact,) = (row for row in document["settings"] if row["setting"] == "redact")
    assert redact["ignored"] == [{"value": "off", "from": f"CC_LANGFUSE_REDACT in {project / SHARED}"}]


def test_the_consent_of_a_stranger_sends_nothing(
    person: dict[str, str], tmp_path: Path, langfuse: LoopbackLangfuse, state_dir: Path
) -> None:
    """The log says whose it was; the person's own, as `install --opt-in` writes it, sends."""
    del person["TRACE_TO_LANGFUSE"]
    project = clone(tmp_path / "git", {SHARED: env_of(TRACE_TO_LANGFUSE="true")})
    transcript = session_in(project, tmp_path / "claude")
    run_hook(transcript, merged(person, project), project)
    assert langfuse.contacts == []
    assert f"TRACE_TO_LANGFUSE=true in {project / SHARED} is ignored" in (state_dir / "ccship.log").read_text()
    assert run_ccship("install", "--opt-in", environ=person, cwd=project).returncode == 0
    run_hook(transcript, merged(person, project), project)
    assert langfuse.accepted


ALIKE = [f".claude/settings.loc{n}.json" for n in range(50)]


@pytest.mark.parametrize("version", ["2", "4"])
def test_a_tracked_file_is_known_from_the_index(version: str, tmp_path: Path) -> None:
    """With names in full or as differences, among files whose names are alike; no git runs."""
    folder = repository(tmp_path / "a", dict.fromkeys((f".claude/{'a' * 200}", *ALIKE), "{}"))
    git("update-index", "--index-version", version, cwd=folder)
    write(folder, {LOCAL: "{}", ".claude/settings.local.jso": ""})
    assert not is_tracked(folder / LOCAL)
    git("add", "-f", ".", cwd=folder)
    assert (folder / ".git/index").read_bytes()[7] == int(version)
    assert is_tracked(folder / LOCAL)
    git("rm", "-q", "--cached", LOCAL, cwd=folder)
    assert not is_tracked(folder / LOCAL)


def test_intent_to_add_and_long_ids_are_read_too(tmp_path: Path) -> None:
    """Longer entries of the index."""
    folder = repository(tmp_path / "a", {"x": ""})
    write(folder, {LOCAL: "{}", ".a": ""})
    git("add", "-f", "-N", ".a", LOCAL, cwd=folder)
    assert is_tracked(folder / LOCAL)
    (tmp_path / "b").mkdir()
    git("init", "-q", "--object-format=sha256", ".", cwd=tmp_path / "b")
    write(tmp_path / "b", {LOCAL: "{}", ".a": ""})
    git("add", "-f", ".", cwd=tmp_path / "b")
    assert is_tracked(tmp_path / "b" / LOCAL)


def test_worktrees_and_links_lead_to_the_index(tmp_path: Path) -> None:
    """`.git` is a file there; a tracked link to a tracked file is tracked."""
    folder = repository(tmp_path / "a", {LOCAL: "{}", "sub/x": "", "cfg/settings.local.json": "{}"})
    git("worktree", "add", "-q", tmp_path / "tree", cwd=folder)
    assert is_tracked(tmp_path / "tree" / LOCAL)
    (folder / "sub/.claude").symlink_to("../cfg")
    assert is_tracked(folder / "sub" / LOCAL)


def test_an_index_that_cannot_be_read_counts_as_tracked(tmp_path: Path) -> None:
    """The stricter of two guesses."""
    folder = repository(tmp_path / "a", {"x": ""})
    write(folder, {LOCAL: "{}"})
    index = (folder / ".git/index").read_bytes()
    (folder / ".git/index").write_bytes(index[:30])
    assert is_tracked(folder / LOCAL)


def test_no_settings_file_of_this_repository_decides_on_the_tests() -> None:
    """They run inside it."""
    assert not (ROOT / SHARED).exists()
