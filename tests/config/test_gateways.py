"""Langfuse behind a gateway that adds the keys, and projects that go to several destinations."""

import os
from pathlib import Path

import pytest

from ccship import config
from ccship.config import Config
from ccship.config.routing import also_of, by_destination
from ccship.errors import ConfigError
from ccship.transcript.discover import Session, sessions_at
from clones import SHARED, clone, env_of, merged, run_hook, session_in
from collector import LoopbackOtlp
from helpers import run_ccship
from lines import Lines
from loopback import TRACES, LoopbackLangfuse

KEYS = {"LANGFUSE_PUBLIC_KEY": "pk-lf-1", "LANGFUSE_SECRET_KEY": "sk-lf-1"}
KEY_LINES = 'public_key = "pk-lf-t"\nsecret_key = "sk-lf-t"\n'


def load(text: str, folder: Path, **environ: str) -> Config:
    """The settings of a config file and an environment."""
    file = folder / "config.toml"
    file.write_text(text)
    return config.load({"CC_LANGFUSE_CONFIG": str(file), "USER": "ada", **environ})


def table(lines: str, name: str = "gw", projects: str = "/work/**") -> str:
    """A destination's table."""
    return f'[[destinations]]\nname = "{name}"\nprojects = ["{projects}"]\n{lines}\n'


def at_work(settings: Config) -> Config:
    """The first destination of a project."""
    found = settings.for_project("/work/a")
    assert found is not None
    return found


GATEWAYS: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "an empty table of headers": (table('base_url = "https://gw.example"\nheaders = {}'), {}, {}),
    "headers": (table('base_url = "https://gw.example"\nheaders = { a = "b" }'), {}, {"a": "b"}),
    "keys of the default destination": (table('base_url = "https://gw.example"\nheaders = {}'), KEYS, {}),
    "the file": ('base_url = "https://gw.example"\nheaders = { a = "b" }', {}, {"a": "b"}),
    "the environment": ("", {"CC_LANGFUSE_HEADERS": "a=b", "LANGFUSE_BASE_URL": "https://gw.example"}, {"a": "b"}),
    "headers of the environment, address of the file": (
        'base_url = "https://gw.example"', {"CC_LANGFUSE_HEADERS": "a=b"}, {"a": "b"},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "environ", "headers"), GATEWAYS.values(), ids=GATEWAYS)
def test_headers_instead_of_keys_are_a_gateway(
    text: str, environ: dict[str, str], headers: dict[str, str], tmp_path: Path
) -> None:
    """No key goes there; it can send; images stay, because their upload needs keys."""
    found = at_work(load(text, tmp_path, **environ))
    assert (found.is_gateway, found.can_send, found.base_url) == (True, True, "https://gw.example")
    assert (found.public_key, found.secret_key, found.access.headers) == (None, None, headers)
    assert not found.trace_settings.images


KEYED_TABLE = table(f"base_url = 'https://x.example'\n{KEY_LINES}")
KEYED: dict[str, tuple[str, dict[str, str], dict[str, str]]] = {
    "headers beside keys": (KEYED_TABLE + 'headers = { a = "b" }', {}, {"a": "b"}),
    "headers of the file, another address": ('headers = { a = "b" }\n' + KEYED_TABLE, {}, {}),
    "headers of the environment, another address": (KEYED_TABLE, {"CC_LANGFUSE_HEADERS": "a=b"}, {}),
    "headers of the file, the same address": (f'headers = {{ a = "b" }}\n{table(KEY_LINES)}', {}, {"a": "b"}),
    "headers and keys of the environment": ("", {**KEYS, "CC_LANGFUSE_HEADERS": "a=b"}, {"a": "b"}),
}  # fmt: skip


@pytest.mark.parametrize(("text", "environ", "headers"), KEYED.values(), ids=KEYED)
def test_headers_beside_keys_are_sent_too(
    text: str, environ: dict[str, str], headers: dict[str, str], tmp_path: Path
) -> None:
    """But never to the address of a table that has none of its own."""
    found = at_work(load(text, tmp_path, **environ))
    assert (found.is_gateway, found.can_send, found.access.headers) == (False, True, headers)


GATEWAY = 'base_url = "https://gw.example"\n'
WRONG = {
    "an address alone": (table(GATEWAY), "no keys: set its public_key and secret_key, or headers"),
    "headers alone": (table("headers = {}"), "headers but no keys: set base_url, the address of the gateway"),
    "half a pair": (table(GATEWAY + 'headers = {}\nsecret_key = "x"'), "contains only secret_key"),
    "half a client certificate": (table(GATEWAY + 'headers = {}\nclient_key = "/dev/null"'), "or none"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_half_a_gateway_is_an_error(text: str, expected: str, tmp_path: Path) -> None:
    """It names the destination."""
    with pytest.raises(ConfigError, match=r"^destination gw: ") as caught:
        at_work(load(text, tmp_path))
    assert expected in str(caught.value)


def test_headers_of_the_file_do_not_go_to_an_address_of_the_environment(tmp_path: Path) -> None:
    """As keys do not."""
    found = load('headers = { a = "b" }', tmp_path, LANGFUSE_BASE_URL="https://env.example")
    assert not found.can_send
    assert found.access.headers == {}
    assert "LANGFUSE_BASE_URL comes from the environment, headers comes from" in found.why_no_keys


def test_a_repository_chooses_no_headers(tmp_path: Path) -> None:
    """Of the default destination; those of a table are used whatever it names."""
    project = clone(tmp_path / "git", {SHARED: env_of(CC_LANGFUSE_HEADERS="a=b", LANGFUSE_PUBLIC_KEY="pk-lf-x")})
    own = KEYED_TABLE + table("base_url = 'https://gw.example'\nheaders = {}", "gateway", "/other")
    (tmp_path / "home/config.toml").write_text(own)
    settings = config.load(merged({**os.environ, **KEYS, "CLAUDE_CONFIG_DIR": str(tmp_path)}, project))
    assert not settings.can_send
    assert "CC_LANGFUSE_HEADERS" in settings.why_no_keys
    assert [route.config.can_send for route in settings.routes] == [True, True]
    assert [dict(route.config.access.headers) for route in settings.routes] == [{}, {}]


SAME = 'kind = "otlp"\nendpoint = "https://otel.example"\n'
TWINS = {
    "other headers": (SAME + 'headers = { a = "1" }', SAME + 'headers = { a = "2" }'),
    "headers and none": (SAME, SAME + "headers_file = '/x'"),
    "another certificate": (SAME, SAME + 'client_certificate = "/c"\nclient_key = "/k"'),
    "a slash": (SAME, 'kind = "otlp"\nendpoint = "https://otel.example/"\nheaders = { a = "2" }'),
    "the whole path": (SAME, 'kind = "otlp"\nendpoint = "https://otel.example/v1/traces"\nheaders = { a = "2" }'),
    "two gateways": ("base_url = 'https://a:x@gw'\nheaders = {}", "base_url = 'https://a:x@gw'\nheaders = { a = 'b' }"),
}  # fmt: skip


@pytest.mark.parametrize(("one", "other"), TWINS.values(), ids=TWINS)
def test_destinations_that_would_share_a_cursor_need_names(one: str, other: str, tmp_path: Path) -> None:
    """Without quoting an address, which may contain a password. Names make them two."""
    with pytest.raises(ConfigError) as caught:
        load(table(one) + table(other), tmp_path)
    assert str(caught.value) == (
        "destination 1 and destination 2 have the same address and name, but different headers or certificates: give"
        " each a name of its own"
    )
    load(table(one) + table(other, "another"), tmp_path)


def test_the_default_gateway_and_one_without_a_name_are_two(tmp_path: Path) -> None:
    """Their state would be the same."""
    own = 'base_url = "https://gw.example"\nheaders = { a = "1" }\n'
    unnamed = '[[destinations]]\nprojects = ["/x"]\nbase_url = "https://gw.example"\nheaders = { a = "2" }'
    with pytest.raises(ConfigError, match=r"^the default destination and destination 1 have the same address"):
        load(own + unnamed, tmp_path)


def test_tables_with_one_destination_share_its_state(tmp_path: Path) -> None:
    """Two tables may send with other settings to the same place."""
    settings = load(table(SAME, projects="/a") + table(SAME + 'capture = "metadata"', projects="/b"), tmp_path)
    one, other = (route.config for route in settings.routes)
    assert one.destination == other.destination == "https://otel.example/v1/traces gw"


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """A session in /work/a."""
    lines = Lines(session="s1").prompt("hello", cwd="/work/a").assistant("m1", "done", cwd="/work/a")
    return sessions_at([lines.write(tmp_path / "projects" / "-work-a" / "s1.jsonl")])[0]


def names(settings: Config, session: Session) -> tuple[list[str], list[str]]:
    """The destinations of a session, and the problems."""
    problems: list[str] = []
    further = also_of(settings, session, problems)
    first = settings.for_project("/work/a")
    assert further is not None
    return [each.name for each in ([first] if first else []) + further], problems


ALSO = "also = true\n"
ROUTES = {
    "the default and another": (table(ALSO + SAME, "b"), ["default", "b"]),
    "a table and another": (table(KEY_LINES, "a") + table(ALSO + SAME, "b"), ["a", "b"]),
    "another one before": (table(ALSO + SAME, "b") + table(KEY_LINES, "a"), ["a", "b"]),
    "two others": (table(ALSO + SAME, "b") + table(ALSO + SAME, "c"), ["default", "b", "c"]),
    "other projects": (table(ALSO + SAME, "b", "/elsewhere"), ["default"]),
    "an excluded project": ('exclude = ["/work"]\n' + table(ALSO + SAME, "b"), []),
    "the same one twice": (table(ALSO + SAME, "b") + table(ALSO + SAME, "b"), ["default", "b"]),
    "the first one again": (table(SAME, "a") + table(ALSO + SAME, "a"), ["a"]),
    "not also": (table(ALSO.replace("true", "false") + SAME, "a"), ["a"]),
}


@pytest.mark.parametrize(("text", "expected"), ROUTES.values(), ids=ROUTES)
def test_a_project_goes_to_its_first_destination_and_to_all_that_are_also(
    text: str, expected: list[str], session: Session, tmp_path: Path
) -> None:
    """Each once; an excluded one nowhere."""
    assert names(load(text, tmp_path, **KEYS), session) == (expected, [])


def test_an_invalid_further_destination_stops_no_other(session: Session, tmp_path: Path) -> None:
    """It is a problem of its own; neither does an invalid first one."""
    broken = table('also = true\nkind = "otlp"', "broken")
    settings = load(broken + table(ALSO + SAME, "b"), tmp_path, **KEYS)
    assert names(settings, session) == (
        ["default", "b"],
        ['destination broken: it has no address: set endpoint = "https://...", or from_env = true'],
    )
    settings = load(table('kind = "otlp"', "first") + table(ALSO + SAME, "b"), tmp_path)
    problems: list[str] = []
    assert [each.name for each in also_of(settings, session, problems) or []] == ["b"]
    with pytest.raises(ConfigError, match="destination first"):
        settings.for_project("/work/a")


def test_a_further_destination_is_a_queue_and_a_lock_of_its_own(tmp_path: Path) -> None:
    """One that is down delays no other."""
    settings = load(table(ALSO + SAME, "b"), tmp_path, **KEYS)
    (route,) = settings.routes
    assert settings.requests_dir == settings.state_dir / "requests"
    assert route.config.requests_dir.parent == settings.requests_dir
    assert (settings.lock_id("s1"), route.config.lock_id("s1") != "s1") == ("s1", True)


def test_a_default_destination_without_keys_does_not_count_beside_others(session: Session, tmp_path: Path) -> None:
    """Whoever sends everything to an OTLP backend needs no keys."""
    text = table(ALSO + SAME, "b")
    assert [each.settings.name for each in by_destination(load(text, tmp_path), [session])[0]] == ["b"]
    both = by_destination(load(text, tmp_path, **KEYS), [session])[0]
    assert [each.settings.name for each in both] == ["default", "b"]
    alone = by_destination(load(text, tmp_path, **KEYS), [session], only_first=True)[0]
    assert [each.settings.name for each in alone] == ["default"]


def test_also_is_a_flag(tmp_path: Path) -> None:
    """Routing depends on it, so that it is checked before anything is sent."""
    with pytest.raises(ConfigError, match=r"^destination b: also must be true or false$"):
        load(table('also = "yes"\n' + SAME, "b"), tmp_path)


KINDS = {
    "langfuse": ("", "review", "auto"),
    "otlp": (SAME, "off", "server"),
}


@pytest.mark.parametrize(("lines", "signals", "cost"), KINDS.values(), ids=KINDS)
def test_an_otlp_destination_gets_no_scores_and_no_costs(lines: str, signals: str, cost: str, tmp_path: Path) -> None:
    """OpenTelemetry's conventions have neither; the rest of the settings applies to it."""
    found = at_work(load("user_id = 'eve'\n" + table(lines + 'capture = "metadata"'), tmp_path, **KEYS))
    assert (found.signals, found.trace_settings.cost) == (signals, cost)
    assert (found.policy.capture, found.trace_settings.user_id) == ("metadata", "eve")


@pytest.mark.parametrize("foreground", ["true", "false"])
def test_the_hook_sends_with_headers_alone(foreground: str, tmp_path: Path, langfuse: LoopbackLangfuse) -> None:
    """Without keys and without config.toml."""
    (tmp_path / "claude").mkdir()
    environ = {
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"), "TRACE_TO_LANGFUSE": "true", "LANGFUSE_BASE_URL": langfuse.url,
        "CC_LANGFUSE_HEADERS": "authorization=Bearer%20x", "CC_LANGFUSE_FOREGROUND": foreground,
    }  # fmt: skip
    project = clone(tmp_path / "git", {"x": ""})
    run_hook(session_in(project, tmp_path / "claude"), environ, project)
    assert (TRACES, "Bearer x") in langfuse.contacts


def test_the_headers_of_a_destination_go_to_no_other(
    tmp_path: Path, otlp: LoopbackOtlp, langfuse: LoopbackLangfuse
) -> None:
    """Two at once, over HTTP."""
    text = otlp.table(name="otel", also=True, headers={"authorization": "Bearer otel"})
    (tmp_path / "home/config.toml").write_text(text)
    (tmp_path / "claude").mkdir()
    environ = {"CLAUDE_CONFIG_DIR": str(tmp_path / "claude"), **langfuse.environ, "CC_LANGFUSE_HEADERS": "x-mine=1"}
    session_in(clone(tmp_path / "git", {"x": ""}), tmp_path / "claude")
    done = run_ccship("backfill", "--yes", environ=environ)
    assert done.returncode == 0, done.stderr
    assert {header.get("authorization") for header in otlp.headers} == {"Bearer otel"}
    assert not any("x-mine" in headers for headers in otlp.headers)
    assert "Bearer otel" not in {authorization for _, authorization in langfuse.contacts}
    assert langfuse.accepted
    assert otlp.accepted
