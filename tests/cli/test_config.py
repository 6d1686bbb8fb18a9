"""`ccship config`: every setting, its value, and where that comes from; and what all commands have in common."""

import json
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from ccship import __version__
from ccship.cli.app import _command
from ccship.config.table import SETTINGS
from helpers import run_ccship

SECRET = "sk-lf-" + "canary" * 3


def settings_of(environ: dict[str, str]) -> dict[str, tuple[object, str]]:
    """Setting -> value and place."""
    document = json.loads(run_ccship("config", "--json", environ=environ).stdout)
    return {row["setting"]: (row["value"], row["from"]) for row in document["settings"]}


def test_every_setting_is_shown() -> None:
    """With its default where nobody set it."""
    found = settings_of({})
    assert set(found) == {setting.key for setting in SETTINGS if not setting.only_in_tables}
    assert found["base_url"] == ("https://cloud.langfuse.com", "default")
    assert found["state_dir"][1] == "CC_LANGFUSE_STATE_DIR"


@pytest.mark.parametrize(
    "setting", [setting for setting in SETTINGS if setting.variables], ids=lambda setting: setting.name
)
def test_a_variable_is_named_as_the_place_of_its_value(setting: object, tmp_path: Path) -> None:
    """The strongest of several."""
    (row,) = (row for row in SETTINGS if row is setting)
    value = str(tmp_path / "config.toml")
    expected: object = f"sk-lf-{'*' * 8}" if row.is_secret else value
    value = SECRET if row.is_secret else value
    if row.name == "HEADERS":
        value, expected = f"x-key={SECRET}", {"x-key": expected}
    environ = {variable: value if n == 0 else "weaker" for n, variable in enumerate(row.variables)}
    assert settings_of(environ)[row.key] == (expected, row.variables[0])


def test_the_file_and_its_destinations_are_shown(tmp_path: Path) -> None:
    """Lists, tables, keys in files, and what a destination has of its own."""
    (tmp_path / "key").write_text(SECRET)
    (tmp_path / "config.toml").write_text(f"""
trace_tags = ["a", "b"]
metadata = {{team = "x"}}
secret_key_file = "{tmp_path}/key"
[[destinations]]
name = "acme"
projects = ["~/work/**"]
public_key = "pk-lf-acme"
secret_key = "{SECRET}"
""")
    done = run_ccship("config", environ={"CC_LANGFUSE_CONFIG": str(tmp_path / "config.toml")})
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert done.returncode == 0
    assert "trace_tags a, b config.toml: trace_tags" in lines
    assert "metadata team=x config.toml: metadata" in lines
    assert "secret_key sk-lf-******** config.toml: secret_key_file" in lines
    assert lines[lines.index("destination acme overrides:") + 1 :] == [
        "setting value from",
        "public_key pk-lf-acme config.toml: public_key",
        "secret_key sk-lf-******** config.toml: secret_key",
    ]


def test_a_table_shows_what_only_tables_have(tmp_path: Path) -> None:
    """Headers by name, with their values masked; nothing of it is among the settings for all destinations."""
    (tmp_path / "headers").write_text("authorization: Bearer abcdef\nx-scope-orgid: 1234567\n")
    (tmp_path / "home/config.toml").write_text(f"""
[[destinations]]
name = "tempo"
kind = "otlp"
projects = ["**"]
also = true
endpoint = "https://tempo.example"
headers_file = "{tmp_path}/headers"
""")
    done = run_ccship("config")
    assert done.returncode == 0
    before, _, after = done.stdout.partition("destination tempo overrides:\n")
    lines = [" ".join(line.split()) for line in after.splitlines()]
    assert lines[1:] == [
        "headers authorization=********, x-scope-orgid=******** config.toml: headers_file",
        "kind otlp config.toml: kind",
        "also true config.toml: also",
        "endpoint https://tempo.example config.toml: endpoint",
    ]
    assert {line.split()[0] for line in before.splitlines() if line}.isdisjoint({"kind", "also", "endpoint"})
    document = json.loads(run_ccship("config", "--json").stdout)
    found = {row["setting"]: (row["value"], row["variables"]) for row in document["destinations"][0]["settings"]}
    assert found["kind"] == ("otlp", [])
    assert found["headers"] == (
        {"authorization": "********", "x-scope-orgid": "********"}, ["CC_LANGFUSE_HEADERS"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("CC_LANGFUSE_HEADERS", f"x-key: {SECRET}", "x-key=sk-lf-********"),
        ("CC_LANGFUSE_HEADERS", f"Bearer {SECRET}", "headers ********"),
        ("LANGFUSE_BASE_URL", f"https://ada:{SECRET}@langfuse.example", "base_url ********"),
    ],
)
def test_headers_and_addresses_show_no_secret(name: str, text: str, shown: str) -> None:
    """Also where they are invalid."""
    done = run_ccship("config", environ={name: text})
    assert shown in " ".join(done.stdout.split())
    assert SECRET not in done.stdout + done.stderr + run_ccship("config", "--json", environ={name: text}).stdout


def test_a_secret_in_a_wrong_place_is_masked_too() -> None:
    """And said to be in a wrong place."""
    done = run_ccship("config", environ={"LANGFUSE_PUBLIC_KEY": SECRET})
    assert done.returncode == 2
    assert "mixed up" in done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_the_default_user_is_shown_by_name() -> None:
    """As it is sent."""
    assert settings_of({"USER": "ada"})["user_id"] == ("ada", "default")


WRONG = {
    "a trace name with an unknown field": ("", {"CC_LANGFUSE_TRACE_NAME": "{session}"}, "{n}, {project}, {branch}"),
    "a trace name with an attribute": ("", {"CC_LANGFUSE_TRACE_NAME": "{n.real}"}, "{n}, {project}, {branch}"),
    "a trace name with a format": ("", {"CC_LANGFUSE_TRACE_NAME": "{n:>9}"}, "without formats"),
    "a trace name without a field name": ("", {"CC_LANGFUSE_TRACE_NAME": "turn {}"}, "{n}, {project}, {branch}"),
    "a trace name with a single brace": ("", {"CC_LANGFUSE_TRACE_NAME": "turn {n"}, "CC_LANGFUSE_TRACE_NAME"),
    "a trace name with a branch that is kept back": (
        'capture = "metadata"',
        {"CC_LANGFUSE_TRACE_NAME": "{branch}"},
        "remove {branch}",
    ),
    "a value that cannot be": ("", {"CC_LANGFUSE_DEBUG": "perhaps"}, "perhaps"),
    "a file that is no TOML": ("trace = ", {}, "is not valid TOML"),
    "a key file that is gone": ("", {"LANGFUSE_SECRET_KEY_FILE": "/nowhere/key"}, "cannot be read"),
    "a setting that nobody knows": ("tags = []", {}, "unknown setting 'tags'"),
}


@pytest.mark.parametrize(("file", "environ", "expected"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said_below_all_that_is_not(
    file: str, environ: dict[str, str], expected: str, tmp_path: Path
) -> None:
    """One line, exit code 2."""
    (tmp_path / "home/config.toml").write_text(file)
    done = run_ccship("config", environ=environ)
    assert done.returncode == 2
    assert expected in done.stderr
    assert done.stderr.count("\n") == 1
    assert "base_url" in done.stdout


def test_the_version_and_the_completion_are_there() -> None:
    """For bug reports, and for the shell."""
    assert run_ccship("--version").stdout == f"ccship {__version__}\n"
    assert "--install-completion" in run_ccship("--help").stdout
    done = run_ccship(
        environ={"_CCSHIP_COMPLETE": "complete_bash", "COMP_WORDS": "ccship st", "COMP_CWORD": "1"},
    )
    assert done.stdout.split() == ["status", "statusline"]


def broken() -> NoReturn:
    conversation = "what somebody said"
    raise ValueError(conversation)


def test_a_bug_leaves_a_report_without_what_was_said(state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 3, one line, and a file that can be sent to strangers."""
    with pytest.raises(SystemExit) as left:
        _command(broken)()
    assert left.value.code == 3
    (report,) = state_dir.glob("bug-*.txt")
    printed = capsys.readouterr().err
    assert printed == f"ccship: this is a bug (ValueError); please report {report}\n"
    text = report.read_text()
    assert "cli/test_config.py" in text
    assert "ValueError" in text
    assert "somebody said" not in text
    assert report.stat().st_mode & 0o077 == 0


def test_a_bug_is_told_where_nothing_can_be_written(state_dir: Path, tmp_path: Path) -> None:
    """A state folder that is a link is not written to; the report goes where temporary files go."""
    state_dir.symlink_to(tmp_path)
    with pytest.raises(SystemExit) as left:
        _command(broken)()
    assert left.value.code == 3
    assert not list(tmp_path.glob("bug-*"))


def test_a_reader_that_has_seen_enough_is_no_bug() -> None:
    """`ccship config | head -1`."""
    command = f"'{sys.executable}' -m ccship config --json | head -c 1"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, done.stderr) == ("{", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_no_bug(state_dir: Path) -> None:
    """Exit code 1 and one line."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "ccship", "config", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert "cannot write (No space left on device)" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not state_dir.exists()


@pytest.mark.parametrize("command", ["install", "uninstall", "doctor", "status", "config", "backfill"])
def test_an_unknown_option_is_wrong_usage(command: str) -> None:
    """Exit code 2, and no traceback."""
    done = run_ccship(command, "--nonsense")
    assert done.returncode == 2
    assert "--nonsense" in done.stderr
    assert "Traceback" not in done.stderr
