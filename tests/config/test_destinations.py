"""Which destination a project goes to, and what holds there."""

from pathlib import Path

import pytest

from ccship import config
from ccship.config import Config
from ccship.errors import ConfigError
from ccship.transcript.discover import cwd_of, sessions_at
from conftest import FIXTURES
from lines import Lines

ROUTES = """
environment = "default-environment"
exclude = ["/work/hidden", "/work/acme/hidden"]

[[destinations]]
name = "acme"
projects = ["/work/acme/**", "~/acme"]
public_key = "pk-lf-acme"
secret_key_file = "$KEYS/acme"
base_url = "https://acme.example"
environment = "production"
trace_tags = ["team:acme"]

[[destinations]]
projects = "/work/*/private"
trace = false
"""


@pytest.fixture
def routed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Settings with two destinations and global keys, as Claude Code hands them to every hook."""
    monkeypatch.setenv("KEYS", str(tmp_path))
    (tmp_path / "acme").write_text("sk-lf-acme\n")
    return load(
        ROUTES,
        tmp_path,
        LANGFUSE_PUBLIC_KEY="pk-lf-global",
        LANGFUSE_SECRET_KEY="sk-lf-global",
        LANGFUSE_TRACING_ENVIRONMENT="everywhere",
        TRACE_TO_LANGFUSE="true",
    )


def load(text: str, folder: Path, **environ: str) -> Config:
    """The settings of a config file and an environment."""
    path = folder / "config.toml"
    path.write_text(text)
    return config.load({"CC_LANGFUSE_CONFIG": str(path), "USER": "ada", **environ})


PLACES = {
    "the folder itself": ("/work/acme", "acme"),
    "a folder beneath": ("/work/acme/web/src", "acme"),
    "a folder of a like name": ("/work/acmeville", "default"),
    "a folder under home": ("$HOME/acme/x", "acme"),
    "one name between": ("/work/zeta/private/x", "/work/*/private"),
    "the first table wins": ("/work/acme/private", "acme"),
    "two names between": ("/work/zeta/y/private", "default"),
    "elsewhere": ("/srv", "default"),
    "no folder named": (None, "default"),
    "excluded": ("/work/hidden", None),
    "beneath what is excluded": ("/work/hidden/x", None),
    "excluded in a project that has a destination": ("/work/acme/hidden/x", None),
}


@pytest.mark.parametrize(("cwd", "expected"), PLACES.values(), ids=PLACES.keys())
def test_a_project_goes_where_the_first_pattern_that_holds_says(
    routed: Config, cwd: str | None, expected: str | None
) -> None:
    """And nowhere when it is excluded."""
    found = routed.for_project(cwd and cwd.replace("$HOME", str(Path.home())))
    assert (found and found.name) == expected


def test_what_the_table_names_wins_over_the_environment_and_the_rest_is_shared(routed: Config) -> None:
    """Claude Code hands the global keys to every hook: they must not defeat the route."""
    acme = routed.for_project("/work/acme")
    assert acme is not None
    assert (acme.public_key, acme.secret_key, acme.base_url) == ("pk-lf-acme", "sk-lf-acme", "https://acme.example")
    assert (acme.trace_settings.environment, acme.trace_settings.tags, acme.opted_in) == (
        "production",
        ("team:acme",),
        True,
    )
    assert (routed.public_key, routed.trace_settings.environment, routed.trace_settings.tags) == (
        "pk-lf-global",
        "everywhere",
        (),
    )


def test_a_table_may_change_one_setting_and_keep_the_keys(routed: Config) -> None:
    """Here: a project that did not opt in."""
    private = routed.for_project("/work/zeta/private")
    assert private is not None
    assert (private.public_key, private.opted_in) == ("pk-lf-global", False)


def test_links_lead_to_the_same_destination(tmp_path: Path) -> None:
    """Whichever side of the link the pattern or the session names."""
    real = tmp_path / "disk" / "acme"
    real.mkdir(parents=True)
    (tmp_path / "work").symlink_to(tmp_path / "disk")
    for named in ("disk", "work"):
        settings = load(f'exclude = ["{tmp_path}/{named}/acme"]', tmp_path)
        assert settings.for_project(str(real)) is None
        assert settings.for_project(str(tmp_path / "work" / "acme")) is None
        assert settings.for_project(str(tmp_path)) is not None


def test_exclusions_add_up(tmp_path: Path) -> None:
    """A variable that every hook gets must not take back what the file keeps."""
    settings = load('exclude = ["/a"]', tmp_path, CC_LANGFUSE_EXCLUDE="/b, **/secret")
    assert [settings.for_project(cwd) for cwd in ("/a", "/b/c", "/x/y/secret", "/secret/z")] == [None] * 4
    assert settings.for_project("/c") is settings


WRONG = {
    "a typo": ('base_ulr = "x"', "unknown setting 'base_ulr': did you mean base_url?"),
    "a typo in a table": (
        '[[destinations]]\nproject = ["/x"]',
        "destination 1: unknown setting 'project': did you",
    ),
    "another's name for it": ('[[destinations]]\ntags = ["x"]', "did you mean trace_tags?"),
    "nothing like it": ("xyzzy = 1", "expected one of base_url, budgets, capture"),
    "one table for all": ('[destinations]\nprojects = ["/x"]', "its own [[destinations]] table"),
    "no projects": ('[[destinations]]\nname = "x"', "list its projects"),
    "a relative pattern": ('exclude = ["acme/**"]', "'acme/**' is not a path pattern"),
    "a variable that is not set": ('exclude = ["$NOWHERE_AT_ALL/x"]', "contains $NOWHERE_AT_ALL, which is not set"),
    "a password in the address": ('base_url = "https://u:p@host"', "set public_key and secret_key instead"),
    "keys in each other's place": ('public_key = "sk-lf-1"\nsecret_key = "pk-lf-1"', "mixed up"),
    "an environment that Langfuse does not take": ('environment = "Prod!"', "a-z, 0-9"),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_config_that_cannot_be_meant_is_one_clear_line(text: str, expected: str, tmp_path: Path) -> None:
    """It says which setting, and what to write; a secret is never in it."""
    with pytest.raises(ConfigError) as caught:
        load(text, tmp_path)
    assert expected in str(caught.value)
    assert "sk-lf-1" not in str(caught.value)


WRONG_DESTINATIONS = {
    "half a pair": ('public_key = "pk-lf-1"', "set both public_key and secret_key"),
    "the other half": ('secret_key = "sk-lf-1"', "set both public_key and secret_key"),
    "the other half, in a file": ('secret_key_file = "/dev/null"', "set both public_key and secret_key"),
    "a server without keys": ('base_url = "https://x"', "no keys: set its public_key"),
    "a key file that is gone": (
        'public_key = "pk-lf-1"\nsecret_key_file = "/nowhere/key"',
        "destination x: secret_key_file names /nowhere/key, which cannot be read",
    ),
    "an empty key file": ('public_key = "pk-lf-1"\nsecret_key_file = "/dev/null"', "which is empty"),
}


@pytest.mark.parametrize(("text", "expected"), WRONG_DESTINATIONS.values(), ids=WRONG_DESTINATIONS.keys())
def test_a_broken_destination_keeps_its_own_sessions_only(text: str, expected: str, tmp_path: Path) -> None:
    """The others go on."""
    settings = load(f'[[destinations]]\nname = "x"\nprojects = ["/x"]\n{text}', tmp_path)
    assert settings.for_project("/y") is settings
    with pytest.raises(ConfigError, match=expected):
        settings.for_project("/x")


def test_no_secret_is_in_a_repr(routed: Config) -> None:
    """Neither of the default destination nor of the routes, with what they were read from."""
    shown = repr(routed) + repr(routed.for_project("/work/acme"))
    assert "sk-lf" not in shown
    assert "pk-lf-global" in shown


def test_a_session_goes_where_it_began(tmp_path: Path) -> None:
    """Its transcript's first working directory counts, whatever `cd` did later."""
    lines = Lines().plain("mode", cwd="/not/a/record").prompt("hi", cwd="/work/acme").assistant("m1", "hello", cwd="/")
    (session,) = sessions_at([lines.write(tmp_path / "s1.jsonl")])
    assert cwd_of(session) == "/work/acme"


def test_a_session_without_folder_has_none(tmp_path: Path) -> None:
    """Nothing to decide by."""
    (session,) = sessions_at([Lines().prompt("hi", cwd=None).write(tmp_path / "s1.jsonl")])
    assert cwd_of(session) is None


def test_a_subagent_goes_with_its_session() -> None:
    """Its own file is no session."""
    agent = next((FIXTURES / "claude").rglob("agent-*.jsonl"))
    (session,) = sessions_at([agent])
    assert session.main is not None
    assert cwd_of(session) == "/home/dev/demo"
