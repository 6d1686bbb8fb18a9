"""The options under `programs.ccship.settings` are the settings that ccship reads, with the same types."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ccship.config import Config, load
from ccship.config.table import SETTINGS, Kind, Setting
from ccship.errors import ConfigError
from nix import settings_table
from nix.evaluation import WORLDS, Json, Refused, home, needs_nix

IN_FILE = [setting for setting in SETTINGS if setting.in_file]


def toml(value: Json) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return json.dumps(value)


def load_with(settings: dict[str, Json]) -> Config:
    """Read these settings as ccship does, from its config file.

    Raises:
        ConfigError: ccship does not accept them.
    """
    text = "".join(f"{key} = {toml(value)}\n" for key, value in settings.items())
    Path(os.environ["CC_LANGFUSE_CONFIG"]).write_text(text)
    config = load()
    for route in config.routes:
        assert route.config
    return config


def accepted(setting: Setting, folder: Path) -> list[Json]:
    """Values that a setting accepts by its row of the table."""
    rules = folder / "rules.toml"
    rules.write_text("rules = []")
    values: dict[Kind, list[Json]] = {
        "choice": list(setting.choices),
        "flag": [True, False],
        "number": [setting.least, 12_345],
        "pairs": [{"team": "compilers"}, {}],
        "path": [str(rules)],
        "text": ["https://langfuse.example" if setting.name in ("BASE_URL", "ENDPOINT") else "some-text"],
        "words": [["/a", "/b"], []],
    }
    return values[setting.kind]


REJECTED: dict[str, Json] = {"flag": "maybe", "number": "many", "choice": "other", "pairs": "team", "text": ["a", "b"]}
"""A value that the reader of each kind refuses; the reader of words accepts everything."""


@pytest.mark.parametrize("setting", IN_FILE, ids=lambda setting: setting.key)
def test_a_setting_is_read_as_the_table_declares_it(setting: Setting, tmp_path: Path) -> None:
    """It accepts the values of its kind and refuses another one; the message lists the same choices."""
    for value in accepted(setting, tmp_path):
        load_with(placed(setting, value))
    if setting.kind in REJECTED:
        with pytest.raises(ConfigError, match=", ".join(setting.choices) or None):
            load_with(placed(setting, REJECTED[setting.kind]))
    if setting.kind == "number":
        with pytest.raises(ConfigError):
            load_with(placed(setting, setting.least - 1))


def placed(setting: Setting, value: Json) -> dict[str, Json]:
    """A file that contains a setting: in a table with the settings that it needs, if it is for tables only."""
    if not setting.only_in_tables:
        return {setting.key: value}
    needed: dict[str, Json] = {"projects": ["/a"]}
    if value != "langfuse":
        needed |= {"kind": "otlp", "endpoint": "https://otel.example"}
    if setting.name in CLIENT:
        needed |= {name.lower(): value for name in CLIENT}
    return {"destinations": [{**needed, setting.key: value}]}


CLIENT = ("CLIENT_CERTIFICATE", "CLIENT_KEY")


def test_the_module_declares_the_settings_of_the_table(request: pytest.FixtureRequest) -> None:
    """`nix/settings.json` is written from the table, with `--update-golden`."""
    written = json.dumps(settings_table.rows(), indent=2) + "\n"
    if request.config.getoption("--update-golden"):
        settings_table.FILE.write_text(written)
    assert settings_table.FILE.read_text() == written


def nix(value: Json) -> str:
    """A value in Nix, which parses JSON."""
    return f"(builtins.fromJSON {json.dumps(json.dumps(value))})".replace("$", "\\$")


def settings_of_home(settings: Json, world: str) -> Json:
    """What the module writes to `config.toml` for these settings."""
    it = home(f"{{ programs.ccship = {{ enable = true; settings = {nix(settings)}; }}; }}", world)
    (config,) = (content for path, content in it["files"].items() if path.endswith("config.toml"))
    return config


@needs_nix
@pytest.mark.parametrize("world", WORLDS)
def test_every_setting_can_be_written_by_the_module(world: str, tmp_path: Path) -> None:
    """In Nix as in the file, and ccship accepts the file that the module writes."""
    (tmp_path / "key").write_text("x-key: some-key")

    def sample(settings: list[Setting]) -> dict[str, Any]:
        values = {setting.key: accepted(setting, tmp_path)[0] for setting in settings if not setting.is_secret}
        return values | {f"{setting.key}_file": str(tmp_path / "key") for setting in settings if setting.is_secret}

    own = [setting for setting in IN_FILE if setting.per_destination]
    langfuse = sample([setting for setting in own if setting.name not in ("ENDPOINT", "FROM_ENV")])
    otlp = sample([setting for setting in own if setting.name not in ("BASE_URL", "PUBLIC_KEY", "SECRET_KEY")])
    settings = {
        **sample([setting for setting in IN_FILE if not setting.only_in_tables]),
        "destinations": [
            {"name": "acme", "projects": ["/a/**"], **langfuse},
            {"name": "tempo", "projects": ["**"], **otlp, "kind": "otlp"},
            {"name": "gateway", "projects": ["/b"], "base_url": "https://gw.example", "headers": {}},
        ],
        "budgets": [BUDGET],
    }
    written = settings_of_home(settings, world)
    assert written == settings
    assert {budget.name for budget in load_with(written).budgets} == {"acme"}


BUDGET = {
    "name": "acme", "period": "month", "usd": 12.5, "projects": ["/a/**"], "branches": ["main"],
    "command": ["/bin/cat"],
}  # fmt: skip

MISTAKES: dict[str, tuple[Json, str]] = {
    "a typo": ({"trcae": True}, "programs.ccship.settings.trcae' does not exist"),
    "a typo in a destination": (
        {"destinations": [{"projects": ["/a"], "base_ulr": "https://a"}]}, "base_ulr' does not exist",
    ),
    "a setting that a destination does not have": (
        {"destinations": [{"projects": ["/a"], "debug": True}]}, "debug' does not exist",
    ),
    "a setting that only a destination has": ({"kind": "otlp"}, "programs.ccship.settings.kind' does not exist"),
    "an unknown kind": ({"destinations": [{"projects": ["/a"], "kind": "zipkin"}]}, "kind' is not of type"),
    "a text for headers": ({"headers": "a=b"}, "programs.ccship.settings.headers' is not of type"),
    "a setting that is a variable only": ({"state_dir": "/a"}, "programs.ccship.settings.state_dir' does not exist"),
    "a text for a flag": ({"trace": "true"}, "programs.ccship.settings.trace' is not of type"),
    "a number for a flag": ({"debug": 1}, "programs.ccship.settings.debug' is not of type"),
    "a text for a number": ({"max_chars": "20000"}, "programs.ccship.settings.max_chars' is not of type"),
    "too small a number": ({"max_chars": 5}, "programs.ccship.settings.max_chars' is not of type"),
    "an unknown choice": ({"capture": "all"}, "programs.ccship.settings.capture' is not of type"),
    "a text for a list": ({"trace_tags": "a,b"}, "programs.ccship.settings.trace_tags' is not of type"),
    "a text for a table": ({"metadata": "a=b"}, "programs.ccship.settings.metadata' is not of type"),
    "a list for a text": ({"base_url": ["https://a"]}, "programs.ccship.settings.base_url' is not of type"),
    "a table for the destinations": ({"destinations": {"a": {}}}, "programs.ccship.settings.destinations' is not of"),
    "a destination of no projects": ({"destinations": [{"projects": []}]}, "projects' is not of type"),
    "a budget of an unknown period": ({"budgets": [{**BUDGET, "period": "year"}]}, "period' is not of type"),
    "a budget of nothing": ({"budgets": [{**BUDGET, "usd": 0}]}, "usd' is not of type"),
    "a typo in a budget": ({"budgets": [{**BUDGET, "limit": 3}]}, "limit' does not exist"),
    "a destination without projects": ({"destinations": [{"name": "a"}]}, "projects' was accessed but has no value"),
}  # fmt: skip


@needs_nix
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("settings", "message"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_in_the_settings_is_an_error_that_names_the_option(settings: Json, message: str, world: str) -> None:
    """At evaluation: ccship would refuse the whole file when it runs."""
    with pytest.raises(Refused) as refused:
        settings_of_home(settings, world)
    assert message in str(refused.value)


SECRET = "sk-" + "lf-" + "00000000-0000"
API_KEY = "sk-" + "ant-" + "api03-" + "a" * 30
SECRETS: dict[str, tuple[Json, str]] = {
    "a secret key": ({"secret_key": "x"}, "settings.secret_key"),
    "one in the place of the public key": ({"public_key": SECRET}, "settings.public_key"),
    "one of a destination": (
        {"destinations": [{"projects": ["/a"]}, {"projects": ["/b"], "secret_key": "x"}]},
        "settings.destinations.1.secret_key",
    ),
    "one in the metadata": ({"metadata": {"key": SECRET}}, "settings.metadata.key"),
    "one in the metadata of a destination": (
        {"destinations": [{"projects": ["/a"], "metadata": {"key": SECRET}}]}, "settings.destinations.0.metadata.key",
    ),
    "one in a list": ({"trace_tags": ["laptop", SECRET]}, "settings.trace_tags.1"),
    "one in an address": ({"base_url": f"https://pk:{SECRET}@langfuse.example"}, "settings.base_url"),
    "one in the middle of a text": (
        {"metadata": {"note": f"one line\nthe key is {SECRET}\n"}}, "settings.metadata.note",
    ),
    "the key of another service": ({"metadata": {"key": API_KEY}}, "settings.metadata.key"),
}  # fmt: skip


@needs_nix
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("settings", "place"), SECRETS.values(), ids=SECRETS.keys())
def test_a_secret_key_in_any_setting_is_refused(settings: Json, place: str, world: str) -> None:
    """The message names the setting and what to do instead, and does not repeat the key."""
    with pytest.raises(Refused) as refused:
        settings_of_home(settings, world)
    message = str(refused.value)
    assert f"programs.ccship.{place} is a secret key or looks like one" in message
    assert "secretKeyFile" in message
    assert SECRET not in message.partition("Failed assertions")[2]


HEADERS: dict[str, tuple[Json, str]] = {
    "of the file": ({"headers": {"authorization": "Bearer x"}}, "settings.headers.authorization"),
    "of a destination": (
        {"destinations": [{"projects": ["/a"], "kind": "otlp", "headers": {"x-scope-orgid": "7"}}]},
        "settings.destinations.0.headers.x-scope-orgid",
    ),
}


@needs_nix
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize(("settings", "place"), HEADERS.values(), ids=HEADERS.keys())
def test_the_value_of_a_header_is_refused(settings: Json, place: str, world: str) -> None:
    """Whatever it is: nobody can tell which are secret."""
    with pytest.raises(Refused) as refused:
        settings_of_home(settings, world)
    assert f"programs.ccship.{place} may be secret" in str(refused.value)
    assert "set headers_file to its path" in str(refused.value)


@needs_nix
@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("key", ["headers_file", "client_key"])
def test_a_secret_file_in_the_store_is_refused(key: str, world: str) -> None:
    """Certificates may be there, keys not."""
    table = {"projects": ["/a"], "kind": "otlp", "certificate": "/nix/store/aaa-ca.pem", key: "/nix/store/aaa-key"}
    with pytest.raises(Refused) as refused:
        settings_of_home({"destinations": [table]}, world)
    assert f"settings.destinations.0.{key} is in the store" in str(refused.value)
    assert "certificate is in the store" not in str(refused.value)


@needs_nix
@pytest.mark.parametrize("world", WORLDS)
def test_metadata_may_have_the_name_of_a_setting(world: str) -> None:
    """Its keys are free."""
    settings = {"metadata": {"headers": "seven", "secret_key_file": "/nix/store/x"}}
    assert settings_of_home(settings, world) == settings


@needs_nix
@pytest.mark.parametrize("world", WORLDS)
def test_a_text_that_only_resembles_a_key_is_accepted(world: str) -> None:
    """A public key, a word that ends in sk-, a short name."""
    settings = {"public_key": "pk-" + "lf-1234", "metadata": {"a": "task-lfs-pointer-of-some-length", "b": "sk-short"}}
    assert settings_of_home(settings, world) == settings
