"""`cost = "auto"`: ccship sends costs for the models that the server has no price for, and for no other."""

import json
from pathlib import Path

import pytest

from ccship import config
from ccship.sinks.server_prices import ServerPrices
from conftest import FIXTURES
from helpers import run_ccship
from lines import Lines
from loopback import LoopbackLangfuse

COSTS = "langfuse.observation.cost_details"
CLAUDE = FIXTURES / "claude"


@pytest.fixture
def server(langfuse: LoopbackLangfuse, monkeypatch: pytest.MonkeyPatch) -> LoopbackLangfuse:
    """A running server, and its keys in the environment."""
    for name, value in langfuse.environ.items():
        monkeypatch.setenv(name, value)
    return langfuse


def calls_of(server: LoopbackLangfuse) -> dict[str, bool]:
    """The models of the calls that arrived, and whether each came with a cost."""
    return {
        str(span.attributes["langfuse.observation.model.name"]): COSTS in span.attributes
        for span in server.accepted
        if span.type == "generation"
    }


def session(folder: Path, *models: str) -> Path:
    """A transcript with one turn for each model."""
    lines = Lines()
    for number, model in enumerate(models):
        lines.prompt(f"go {number}").assistant(f"m{number}", "ok", model=model)
    return lines.write(folder / "s1.jsonl")


def backfill(path: Path, **environ: str) -> str:
    done = run_ccship("backfill", path, environ=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


def verified() -> dict[str, object]:
    document = json.loads(run_ccship("verify", "--claude-dir", CLAUDE, "--json").stdout)
    assert isinstance(document, dict)
    return document


def test_a_server_that_knows_no_model_gets_every_cost(server: LoopbackLangfuse) -> None:
    """`verify` then finds a cost for each call."""
    server.priced = []
    backfill(CLAUDE)
    assert set(calls_of(server).values()) == {True}
    assert (verified()["ok"], verified()["unpriced"]) == (True, 0)


def test_a_server_that_knows_every_model_gets_no_cost(server: LoopbackLangfuse) -> None:
    """It computes them by itself, and `verify` finds them."""
    backfill(CLAUDE)
    assert set(calls_of(server).values()) == {False}
    assert verified()["unpriced"] == 0


def test_only_the_models_that_the_server_does_not_know_get_a_cost(server: LoopbackLangfuse, tmp_path: Path) -> None:
    """By the server's own patterns, on whichever page of its list they are."""
    server.priced = ["(?i)^(claude-opus-4-5-20251101)$", "(?i)^claude-haiku"]
    backfill(session(tmp_path, "claude-opus-4-5-20251101", "claude-opus-5-5"))
    assert calls_of(server) == {"claude-opus-4-5-20251101": False, "claude-opus-5-5": True}


@pytest.mark.parametrize(("mode", "has_cost"), [("server", False), ("client", True)])
def test_the_other_modes_do_not_ask(server: LoopbackLangfuse, tmp_path: Path, mode: str, has_cost: bool) -> None:
    """They need no list."""
    server.priced = []
    backfill(session(tmp_path, "claude-opus-5-5"), CC_LANGFUSE_COST=mode)
    assert calls_of(server) == {"claude-opus-5-5": has_cost}
    assert server.price_lists == 0


def test_a_server_without_a_list_is_left_to_itself(server: LoopbackLangfuse, tmp_path: Path) -> None:
    """Delivery does not depend on the list; it is not asked for again at once."""
    server.priced = None
    backfill(session(tmp_path, "claude-opus-5-5"))
    assert calls_of(server) == {"claude-opus-5-5": False}
    session(tmp_path, "claude-opus-5-5", "claude-opus-5-5")
    backfill(tmp_path / "s1.jsonl")
    assert server.price_lists == 1


def test_the_list_is_asked_for_once_a_day(server: LoopbackLangfuse) -> None:
    """By whichever process is first; after a day again, and a failure then keeps what was known."""
    server.priced = ["^known$"]
    clock = [1_000_000.0]
    settings = config.load()

    def prices() -> ServerPrices:
        return ServerPrices(settings, now=lambda: clock[0])

    assert (prices()("known"), prices()("unknown")) == (True, False)
    assert server.price_lists == 2  # pages
    server.priced = ["^known$", "^unknown$"]
    clock[0] += 86_000
    assert not prices()("unknown")
    clock[0] += 1_000
    assert prices()("unknown")
    assert server.price_lists == 5
    server.priced = None
    clock[0] += 90_000
    assert (prices()("unknown"), prices()("another")) == (True, False)
    assert server.price_lists == 6


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 99, "patterns": ["x"]}', b'{"patterns": 7}'])
def test_a_file_that_is_not_ours_to_read_is_asked_for_again(server: LoopbackLangfuse, content: bytes) -> None:
    """It is a copy of what the server says."""
    settings = config.load()
    assert ServerPrices(settings)("known")
    (path,) = settings.state_dir.glob("models-*.json")
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(content)
    asked = server.price_lists
    assert ServerPrices(settings)("known")
    assert server.price_lists > asked


def test_a_cost_is_no_reason_to_send_a_call_again(server: LoopbackLangfuse, tmp_path: Path) -> None:
    """A server that has learned a price since, or another mode, changes nothing that was sent."""
    server.priced = []
    transcript = session(tmp_path, "claude-opus-5-5")
    backfill(transcript)
    requests = len(server.requests)
    backfill(transcript, CC_LANGFUSE_COST="server")
    assert len(server.requests) == requests


def test_a_model_that_nobody_can_price_is_named(server: LoopbackLangfuse, tmp_path: Path) -> None:
    """By the backfill and by `verify`, with what to do about it; it is no failure."""
    server.priced = []
    transcript = session(tmp_path, "glm-99", "claude-opus-5-5")
    assert "no price for glm-99: add the model in Langfuse" in backfill(transcript)
    done = run_ccship("verify", transcript)
    assert done.returncode == 0
    assert "no price for glm-99" in done.stdout
    assert ServerPrices(config.load()).unpriced() == ["glm-99"]


def test_repair_sends_costs_that_are_missing(server: LoopbackLangfuse, tmp_path: Path) -> None:
    """Calls that were sent before the server's gap was known get their cost, and only these are sent."""
    server.priced = []
    transcript = session(tmp_path, "claude-opus-5-5")
    backfill(transcript, CC_LANGFUSE_COST="server")
    sent = len(server.accepted)
    done = run_ccship("verify", transcript, "--repair")
    assert (done.returncode, len(server.accepted)) == (0, sent + 1)
    assert calls_of(server) == {"claude-opus-5-5": True}
    assert "0 without cost" in run_ccship("verify", transcript).stdout
