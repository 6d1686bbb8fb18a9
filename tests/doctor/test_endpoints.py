"""What `ccship doctor` tells about OTLP destinations and gateways."""

import json
import os
import time
from pathlib import Path

import pytest

from answering import Reply
from collector import LoopbackOtlp
from doctor.test_doctor import checked
from helpers import fake_client, run_ccship
from loopback import LoopbackLangfuse

CHECK = "endpoints take spans"


@pytest.fixture
def environ(tmp_path: Path, claude_dir: Path) -> dict[str, str]:
    """Somebody without keys."""
    return {**fake_client(tmp_path, "2.1.329 (Claude Code)"), "CLAUDE_CONFIG_DIR": str(claude_dir)}


def configure(text: str, folder: Path) -> None:
    """Write config.toml."""
    (folder / "home/config.toml").write_text(text)


@pytest.mark.parametrize("also", [True, False])
def test_an_endpoint_that_takes_an_empty_export_is_well(
    also: bool, environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """It gets the headers, and no span. No key is missing, although the default destination has none."""
    configure(otlp.table(also=also, headers={"authorization": "Bearer x"}), tmp_path)
    otlp.required = {"authorization": "Bearer x"}
    found = checked(environ, tmp_path)
    assert (found[CHECK], found["keys set"], found["server reachable"]) == (True, True, None)
    assert (otlp.paths, otlp.accepted) == (["/v1/traces"], [])
    shown = run_ccship("doctor", environ=environ, cwd=tmp_path).stdout
    assert f"ok    {CHECK}       otlp at {otlp.url}/v1/traces\n" in shown


ANSWERS = {
    "wrong headers": (Reply(status=401), "the headers were not accepted (401): check the headers of destination otlp"),
    "no right": (Reply(status=403), "the headers may not write to this project (403)"),
    "another server": (Reply(status=404), "no OTLP endpoint at this address (404): check endpoint of destination otlp"),
    "a page": (Reply(body=b"<html>", content_type="text/html"), "not an acknowledgement (200): check endpoint of"),
    "a redirect": (Reply(status=302, headers={"location": "/"}), "an unexpected answer (302): check endpoint of"),
    "a failure": (Reply(status=503), "the server is busy (503)"),
    "a broken connection": (Reply(reset=True), "does not answer: ReadError"),
}


@pytest.mark.parametrize(("reply", "problem"), ANSWERS.values(), ids=ANSWERS)
def test_an_endpoint_that_does_not_is_named(
    reply: Reply, problem: str, environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """With what to check; nothing of Langfuse or keys."""
    configure(otlp.table(), tmp_path)
    otlp.script = [reply]
    found = checked(environ, tmp_path)[CHECK]
    assert found.startswith("destination otlp: ")
    assert problem in found
    assert "LANGFUSE" not in found


def test_a_server_that_refuses_even_an_export_without_spans_is_found(
    environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """MLflow without its header does; it takes an export of one resource, which a request of no bytes is not."""
    configure(otlp.table(), tmp_path)
    otlp.script = [Reply(status=422)]
    assert checked(environ, tmp_path)[CHECK] == "destination otlp: refused by the server (422)"


def test_a_gateway_is_asked_as_an_endpoint(environ: dict[str, str], langfuse: LoopbackLangfuse, tmp_path: Path) -> None:
    """It may forward traces only, so that nothing else is asked."""
    table = f'[[destinations]]\nname = "gw"\nprojects = ["**"]\nbase_url = "{langfuse.url}"\nheaders = {{ a = "b" }}\n'
    configure(table, tmp_path)
    found = checked(environ, tmp_path)
    assert found[CHECK] == ("destination gw: the headers were not accepted (401): check the headers of destination gw")
    assert (found["keys set"], found["keys accepted"]) == (True, None)
    assert {path for path, _ in langfuse.contacts} == {"/api/public/otel/v1/traces"}


def test_the_gateway_of_the_environment_is_named_by_its_variables(
    environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """There is no table to correct."""
    otlp.script = [Reply(status=401)]
    gateway = {"CC_LANGFUSE_HEADERS": "a=b", "LANGFUSE_BASE_URL": otlp.url}
    found = checked({**environ, **gateway}, tmp_path)[CHECK]
    assert found == "destination default: the headers were not accepted (401): check CC_LANGFUSE_HEADERS"


def test_certificates_that_cannot_be_used_are_a_problem(
    environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """Not a traceback."""
    (tmp_path / "ca.pem").write_text("no certificate")
    configure(otlp.table(certificate=str(tmp_path / "ca.pem")), tmp_path)
    assert "check the certificates" in checked(environ, tmp_path)[CHECK]


def test_an_invalid_further_table_is_an_invalid_configuration(environ: dict[str, str], tmp_path: Path) -> None:
    """It is named."""
    configure('[[destinations]]\nname = "tempo"\nkind = "otlp"\nprojects = ["**"]\nalso = true\n', tmp_path)
    assert "destination tempo: it has no address" in checked(environ, tmp_path)["configuration valid"]


def test_a_further_destination_that_a_repository_redirects_is_a_problem(
    environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """It is not contacted."""
    configure(otlp.table(also=True, endpoint=None, from_env=True), tmp_path)
    (tmp_path / ".claude").mkdir()
    variables = {"env": {"CC_LANGFUSE_OTEL_EXPORTER_OTLP_ENDPOINT": otlp.url}}
    (tmp_path / ".claude/settings.json").write_text(json.dumps(variables))
    assert "OTEL_EXPORTER_OTLP_ENDPOINT comes from" in checked(environ, tmp_path)[CHECK]
    assert otlp.paths == []


def test_a_backlog_of_a_further_destination_counts(
    environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path, state_dir: Path, claude_dir: Path
) -> None:
    """It has a queue of its own."""
    configure(otlp.table(also=True), tmp_path)
    with_consent = {**environ, "TRACE_TO_LANGFUSE": "true", "CC_LANGFUSE_FOREGROUND": "true"}
    otlp.script = [Reply(status=503)] * 9
    payload = {"transcript_path": str(next(claude_dir.rglob("9e4b*.jsonl"))), "hook_event_name": "Stop"}
    run_ccship("hook", stdin=json.dumps(payload).encode(), environ=with_consent, cwd=tmp_path)
    waiting = [path for path in (state_dir / "requests").rglob("*") if path.is_file()]
    assert [path.parent.parent.name for path in waiting] == ["requests"]
    os.utime(waiting[0], (time.time() - 3600, time.time() - 3600))
    assert "sessions waiting to be sent: 1," in checked(environ, tmp_path)["no backlog"]
