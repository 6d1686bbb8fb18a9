"""What a person may write for a setting, and what ccship answers to anything else."""

from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError

from ccship.config import load
from ccship.errors import ConfigError
from helpers import run_ccship

SECRET = "sk-" + "lf-" + "00000000-0000-4000-8000-000000000000"

WRONG = {
    "a flag": ('redact = "perhaps"', {}, "redact in {file} is 'perhaps': expected true or false"),
    "a flag in a variable": (
        "", {"CC_LANGFUSE_DEBUG": "perhaps"},
        "CC_LANGFUSE_DEBUG in the environment is 'perhaps': expected true or false",
    ),
    "a number": ("max_chars = 199", {}, "max_chars in {file} is 199: expected a whole number of at least 200"),
    "a choice": ('capture = "all"', {}, "capture in {file} is 'all': expected one of full, no-tool-io, metadata"),
    "a list for a text": ('user_id = ["ada"]', {}, "user_id in {file} must be a string"),
    "a list for a path": ('redact_extra = ["/a"]', {}, "redact_extra in {file} must be a string"),
    "a table for a list": ("trace_tags = {a = 1}", {}, "trace_tags in {file} must be a list of strings"),
    "a list for a table": (
        'metadata = ["a"]', {}, "metadata in {file} must be a table, or key=value, separated by commas",
    ),
    "a destination that is none": (
        "destinations = [1]", {}, "{file}: write each destination as its own [[destinations]] table",
    ),
    "no projects": (
        '[[destinations]]\nprojects = ["/a"]\n[[destinations]]\nprojects = []', {},
        '{file}, destination 2: list its projects: projects = ["~/work/acme/**"]',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "environ", "expected"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_value_is_one_line_that_names_the_setting_and_its_place(
    text: str, environ: dict[str, str], expected: str, tmp_path: Path
) -> None:
    """And what to write instead."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load({"CC_LANGFUSE_CONFIG": str(file), **environ})
    assert str(caught.value) == expected.format(file=file)


MISPLACED = [
    *(f'{key} = "{SECRET}"' for key in ("trace", "max_chars", "capture", "metadata")),
    *(f'{key} = ["{SECRET}"]' for key in ("secret_key", "public_key", "redact", "metadata")),
    *(f'secret_key = "{SECRET}"\n{wrong}' for wrong in ("redact = 7", "destinations = 7", "trcae = true")),
    f'[[destinations]]\nsecret_key = "{SECRET}"',
    f'destinations = ["{SECRET}"]',
    f'[[destinations]]\nprojects = [["{SECRET}"]]',
]


@pytest.mark.parametrize("text", MISPLACED)
def test_no_message_contains_a_key(text: str, tmp_path: Path) -> None:
    """Wherever it was written; messages are logged."""
    (tmp_path / "home/config.toml").write_text(text)
    done = run_ccship("backfill")
    assert done.returncode == 2
    assert SECRET not in done.stdout + done.stderr


def test_a_wrong_value_that_does_not_apply_stops_nothing(tmp_path: Path) -> None:
    """The variable decides; that of a destination is read when one of its sessions is sent."""
    file = tmp_path / "config.toml"
    file.write_text('cost = "all"\n[[destinations]]\nprojects = ["/x"]\ncost = "all"')
    settings = load({"CC_LANGFUSE_CONFIG": str(file), "CC_LANGFUSE_COST": "client"})
    assert settings.trace_settings.cost == "client"
    with pytest.raises(
        ConfigError, match=r"^destination /x: cost in .*config.toml is 'all': expected one of auto, server"
    ):
        settings.for_project("/x")


@pytest.mark.parametrize("word", ["1", "0", "on", "OFF", "t", "f", "true", "False", "y", "n", "Yes", "no", "2", "ja"])
def test_the_hook_reads_consent_as_the_settings_do(word: str, state_dir: Path, tmp_path: Path) -> None:
    """It has no pydantic; without consent it leaves no request."""
    try:
        expected = TypeAdapter(bool).validate_python(word)
    except ValidationError:
        expected = False
    environ = {"TRACE_TO_LANGFUSE": word, "LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk"}
    # a worker that cannot start: what the hook left stays
    first = "import sys; sys.executable = '/bin/true'"
    payload = f'{{"transcript_path": "{tmp_path}/s.jsonl"}}'.encode()
    assert run_ccship("hook", stdin=payload, environ=environ, first=first).returncode == 0
    assert (state_dir / "requests").exists() == expected
