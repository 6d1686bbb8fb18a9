"""`ccship status`, `review` and `show` where sessions go to OTLP destinations."""

import json
from pathlib import Path

import pytest

from answering import Reply
from collector import LoopbackOtlp
from helpers import HURRIED, run_ccship
from lines import Lines
from loopback import LoopbackLangfuse


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Somebody with one session, in which the model's API failed."""
    lines = Lines(session="s1").prompt("hello").synthetic("API Error: 529", isApiErrorMessage=True, error="overloaded")
    lines.write(tmp_path / "claude" / "projects" / "-home-dev-demo" / "s1.jsonl")
    return {"CLAUDE_CONFIG_DIR": str(tmp_path / "claude")}


def test_status_names_each_destination(
    environ: dict[str, str], langfuse: LoopbackLangfuse, otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """With its address and its failure; in JSON by name."""
    (tmp_path / "home/config.toml").write_text(otlp.table(name="tempo", also=True, headers={"a": "canary"}))
    environ |= langfuse.environ
    otlp.script = [Reply(status=503)] * 9
    assert run_ccship("backfill", "--yes", environ=environ, first=HURRIED).returncode == 1
    done = run_ccship("status", environ=environ)
    assert done.returncode == 1
    heads = [line for line in done.stdout.splitlines() if line.startswith("http")]
    assert sorted(heads) == sorted([f"{langfuse.url}  {langfuse.public_key}", f"{otlp.url}/v1/traces  tempo"])
    assert "the server is busy (503)" in done.stdout
    document = json.loads(run_ccship("status", "--json", environ=environ).stdout)
    pending = {each["name"]: each["records"]["pending"] for each in document["destinations"]}
    assert pending["default"] == 0
    assert pending["tempo"] > 0
    assert "canary" not in done.stdout


def test_review_has_no_links_to_other_backends(environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path) -> None:
    """And says nothing of keys."""
    (tmp_path / "home/config.toml").write_text(otlp.table(name="tempo"))
    done = run_ccship("review", "--since", "2000-01-01", environ=environ)
    assert "1 of 1 turn of 1 session" in done.stdout
    assert "no links to destination tempo: ccship links to Langfuse only\n" in done.stdout
    assert "keys" not in done.stdout
    assert otlp.paths == []


def test_show_works_without_any_server(environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path) -> None:
    """With the redaction and capture mode of the destination."""
    (tmp_path / "home/config.toml").write_text(otlp.table(name="tempo", capture="metadata"))
    shown = run_ccship("show", "s1", "--turn", "1", environ=environ)
    sent = run_ccship("show", "s1", "--turn", "1", "--as-sent", environ=environ)
    assert (shown.returncode, sent.returncode) == (0, 0)
    assert "hello" in shown.stdout
    assert "hello" not in sent.stdout
    assert otlp.paths == []
