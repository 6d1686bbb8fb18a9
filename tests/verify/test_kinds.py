"""What `ccship verify` does about destinations that it cannot read."""

import base64
import json
from pathlib import Path

import pytest

from collector import LoopbackOtlp
from helpers import HURRIED, run_ccship
from loopback import LoopbackLangfuse


@pytest.fixture
def environ(claude_dir: Path) -> dict[str, str]:
    """Somebody without keys."""
    return {"CLAUDE_CONFIG_DIR": str(claude_dir)}


def test_a_further_otlp_destination_is_named_as_not_checked(
    environ: dict[str, str], langfuse: LoopbackLangfuse, otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """It is no failure: Langfuse was checked."""
    (tmp_path / "home/config.toml").write_text(otlp.table(name="tempo", also=True))
    environ |= langfuse.environ
    assert run_ccship("backfill", "--yes", environ=environ).returncode == 0
    done = run_ccship("verify", environ=environ)
    assert done.returncode == 0
    assert "checked 6 sessions" in done.stdout
    assert "destination tempo: not checked, because verify reads Langfuse only" in done.stderr
    document = json.loads(run_ccship("verify", "--json", environ=environ).stdout)
    assert document["not_checked"] == ["destination tempo: not checked, because verify reads Langfuse only"]
    assert (document["problems"], document["ok"]) == ([], True)


def test_nothing_to_read_is_not_well(environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path) -> None:
    """Exit code 1: nothing was checked. The server is not asked."""
    (tmp_path / "home/config.toml").write_text(otlp.table(name="tempo"))
    done = run_ccship("verify", environ=environ)
    assert done.returncode == 1
    assert "destination tempo: not checked, because verify reads Langfuse only" in done.stderr
    assert otlp.paths == []


def test_a_gateway_that_forwards_the_whole_api_is_checked(
    environ: dict[str, str], langfuse: LoopbackLangfuse, tmp_path: Path
) -> None:
    """Here it is Langfuse itself, with the header that a gateway would add."""
    key = base64.b64encode(f"{langfuse.public_key}:{langfuse.secret_key}".encode()).decode()
    (tmp_path / "home/config.toml").write_text(
        f'base_url = "{langfuse.url}"\nheaders = {{ authorization = "Basic {key}" }}\n'
    )
    assert run_ccship("backfill", "--yes", environ=environ).returncode == 0
    done = run_ccship("verify", environ=environ)
    assert done.returncode == 0, done.stderr
    assert "0 missing" in done.stdout
    langfuse.accepted.pop()
    assert "1 missing" in run_ccship("verify", environ=environ).stdout


def test_a_gateway_that_forwards_only_traces_is_told(
    environ: dict[str, str], otlp: LoopbackOtlp, tmp_path: Path
) -> None:
    """The traces arrive; scores and verify tell what to forward."""
    table = f'[[destinations]]\nname = "gw"\nprojects = ["**"]\nbase_url = "{otlp.url}"\nheaders = {{}}\n'
    (tmp_path / "home/config.toml").write_text(table)
    sent = run_ccship("backfill", "--yes", environ=environ, first=HURRIED)
    assert sent.returncode == 0, sent.stderr
    assert "let the gateway forward /api/public/ingestion" in sent.stdout
    assert set(otlp.paths) >= {"/api/public/otel/v1/traces"}
    done = run_ccship("verify", environ=environ, first=HURRIED)
    assert done.returncode == 1
    assert "let the gateway forward Langfuse's whole API, or verify with keys" in done.stderr
    assert "LANGFUSE_BASE_URL" not in done.stderr
