"""TLS with an authority of one's own, and with client certificates."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from collector import LoopbackOtlp, loopback_otlp
from helpers import HURRIED, run_ccship
from lines import Lines


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority (ca), and a server and a client that it vouches for: `.pem` and `.key` of each."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.private_key_pem.write_to_path(folder / "ca.key")
    for name, identity in {"server": "127.0.0.1", "client": "laptop"}.items():
        issued = authority.issue_cert(identity)
        issued.private_key_pem.write_to_path(folder / f"{name}.key")
        for part in issued.cert_chain_pems:
            part.write_to_path(folder / f"{name}.pem", append=True)
    return folder


@pytest.fixture
def strict(certificates: Path) -> Iterator[LoopbackOtlp]:
    """A server that asks for a client certificate."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    tls.load_verify_locations(certificates / "ca.pem")
    tls.verify_mode = ssl.CERT_REQUIRED
    with loopback_otlp(tls) as server:
        yield server


OWN = {"certificate": "ca.pem"}
CLIENT = {"client_certificate": "client.pem", "client_key": "client.key"}
CASES = {
    "the system's authorities, no client": ({}, False),
    "own authority, no client": (OWN, False),
    "the system's authorities": (CLIENT, False),
    "own authority and client": ({**OWN, **CLIENT}, True),
}


@pytest.mark.parametrize(("files", "arrives"), CASES.values(), ids=CASES)
def test_spans_arrive_only_with_both_sides_trusted(
    files: dict[str, str], arrives: bool, strict: LoopbackOtlp, certificates: Path, tmp_path: Path
) -> None:
    """Otherwise the next run sends them."""
    Lines(session="s1").prompt("hi").assistant("m1", "yo").write(tmp_path / "claude/projects/-x/s1.jsonl")
    paths = {key: str(certificates / name) for key, name in files.items()}
    (tmp_path / "home/config.toml").write_text(strict.table(**paths))
    environ = {"CLAUDE_CONFIG_DIR": str(tmp_path / "claude")}
    done = run_ccship("backfill", "--yes", environ=environ, first=HURRIED)
    assert (done.returncode == 0, bool(strict.accepted)) == (arrives, arrives)
    assert ("does not answer" in done.stderr) is not arrives
    assert ("certificate" in done.stderr) is not arrives


def test_a_key_that_does_not_fit_is_told_without_its_content(
    strict: LoopbackOtlp, certificates: Path, tmp_path: Path
) -> None:
    """Before anything is sent."""
    Lines(session="s1").prompt("hi").assistant("m1", "yo").write(tmp_path / "claude/projects/-x/s1.jsonl")
    table = strict.table(client_certificate=str(certificates / "client.pem"), client_key=str(certificates / "ca.key"))
    (tmp_path / "home/config.toml").write_text(table)
    done = run_ccship("backfill", "--yes", environ={"CLAUDE_CONFIG_DIR": str(tmp_path / "claude")})
    assert done.returncode != 0
    assert "check the certificates" in done.stderr
    assert "PRIVATE" not in done.stderr
    assert strict.paths == []
