"""Each check of `ccship doctor`, on facts that have one thing wrong."""

import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ccship.claude_code.installed import Client, Scope
from ccship.claude_code.own_hook import Probe
from ccship.claude_code.registration import EVENTS, Registered
from ccship.config import load
from ccship.config.keys import Refusal
from ccship.doctor import CHECKS, Facts, Finding, checks
from ccship.doctor.endpoint import Endpoint
from ccship.doctor.facts import Deadline, HookEntry
from ccship.doctor.server import Server
from ccship.observations.line_outcomes import Ignored, RecordCounts, Unknown
from ccship.sinks import MIN_SDK
from ccship.state import DeadLetter
from ccship.state.overview import DestinationStatus, Overview, SessionStatus
from conftest import ROOT

NOW = 1_800_000_000.0
COMMAND = "/opt/python -I -S /opt/ccship/hook.py || exit 0"
SETTINGS = Path("/home/ada/.claude/settings.json")
URL = "https://langfuse.example"
CONFIG = load(
    {
        "CC_LANGFUSE_CONFIG": "/nowhere",
        "LANGFUSE_PUBLIC_KEY": "pk",
        "LANGFUSE_SECRET_KEY": "key",
        "TRACE_TO_LANGFUSE": "true",
    }
)


def placed(
    command: str = COMMAND, events: tuple[str, ...] = EVENTS, file: Path = SETTINGS, scope: Scope = "user"
) -> tuple[HookEntry, ...]:
    is_own = COMMAND in command
    return tuple(HookEntry(file, scope, Registered(event, 0, 0, {"command": command}), is_own) for event in events)


def standing(**books: Any) -> SessionStatus:
    return SessionStatus("s1", "demo", (), RecordCounts(**books))


def overview_of(*sessions: SessionStatus, letters: tuple[DeadLetter, ...] = ()) -> Overview:
    return Overview((DestinationStatus(URL, "pk", "default", None, sessions, letters),), (), ())


def failed() -> SessionStatus:
    session = standing(pending=3)
    session.last_error = "the server is busy (500)"
    return session


def well() -> Facts:
    """Everything as it should be."""
    return Facts(
        now=NOW,
        client=Client("/opt/claude", (2, 1, 329)),
        hooks=placed(),
        probe=Probe(COMMAND, "", 0.02, ""),
        config=CONFIG,
        servers=(Server("default", URL, None, 200, "4.16.0", 200, 0.4),),
        endpoints=(Endpoint("tempo", "https://tempo.example/v1/traces"),),
        overview=overview_of(standing(shipped=3)),
        sdk=(4, 14, 3),
    )


OWN = "hook command is ccship's"
DENIED = Server("default", URL, None, 200, "4.16.0", 401)
FINDINGS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "no client": ({"client": None}, "Claude Code installed", "claude is not on the PATH", "install Claude Code"),
    "a client that does not start": (
        {"client": Client("/opt/claude", None)}, "Claude Code installed", "prints no version", "--version",
    ),
    "broken settings": ({"settings_errors": ("x is no JSON",)}, "settings readable", "x is no JSON", "correct"),
    "hooks turned off": ({"hooks_disabled_in": SETTINGS}, "hooks enabled", "disables all hooks", "disableAllHooks"),
    "no hook": ({"hooks": ()}, "hook registered", "is not registered", "ccship install"),
    "half a hook": ({"hooks": placed(events=("Stop",))}, "hook registered", "SessionEnd", "ccship install"),
    "two hooks": (
        {"hooks": (*placed(), *placed(f"({COMMAND}) || exit 0", ("Stop",), Path("/p/settings.json")))},
        "hook registered once", "more than once for Stop: /home/ada/.claude/settings.json and /p/", "ccship uninstall",
    ),
    "a hook and a plugin": (
        {"plugins": ("ccship@acme",)}, "hook registered once", "plugin ccship@acme", "disable the plugin",
    ),
    "an old client": (
        {"hooks": placed(events=(*EVENTS, "StopFailure")), "client": Client("/opt/claude", (2, 1, 63))},
        "hook events supported", "StopFailure", "ccship install",
    ),
    "another hook": (
        {"hooks": placed("/opt/ccship hook || exit 0")}, OWN,
        'did not write this command: /home/ada/.claude/settings.json: "/opt/ccship hook || exit 0"', "ccship install",
    ),
    "another hook, that may block": (
        {"hooks": placed("/opt/ccship hook")}, OWN, '"/opt/ccship hook" (can block Claude)', "ccship install",
    ),
    "another hook of the project": (
        {"hooks": (*placed(), *placed("x\x1b[2J; ccship hook || exit 0", ("PreToolUse",), Path("/p/x"), "project"))},
        OWN, r'/p/x: "x\u001b[2J; ccship hook || exit 0"', "ccship uninstall --scope project",
    ),
    "a command that is gone": (
        {"probe": Probe(COMMAND, "/opt/python: not found", 0.0, "")},
        "hook runs outside a shell", "/opt/python: not found", "uv tool install --force ccship",
    ),
    "a cold environment": ({"probe": Probe(COMMAND, "", 4.2, "")}, "hook starts fast", "4.2 s", "rerun ccship doctor"),
    "mixed keys": (
        {"servers": (Server("default", URL, None, 200, "4.16.0", 200, project="b (Acme)", knows_public_key=False),)},
        "keys belong together", "has no such public key as that of destination default", "of one project",
    ),
    "a model without a price": (
        {"servers": (Server("default", URL, None, 200, "4.16.0", 200, unpriced=("glm-99",)),)},
        "model prices known", "has a price for glm-99", "Settings > Models",
    ),
    "a broken environment": (
        {"probe": Probe(COMMAND, "", 0.1, "No module named orjson")},
        "worker starts", "orjson", "uv tool install --force ccship",
    ),
    "a setting that cannot be": (
        {"config_error": "DEBUG is 'perhaps'", "config": None, "servers": (), "overview": None},
        "configuration valid", "perhaps", "ccship config",
    ),
    "no consent": ({"config": replace(CONFIG, opted_in=False)}, "sending enabled", "not enabled", "--opt-in"),
    "an excluded folder": ({"config": None, "excluded": True}, "sending enabled", "is excluded", "CC_LANGFUSE_EXCLUDE"),
    "no keys": ({"config": replace(CONFIG, secret_key=None), "servers": ()}, "keys set", "no keys", "SECRET_KEY"),
    "keys that may not go there": (
        {"config": replace(CONFIG, secret_key=None, refusal=Refusal("it comes from x", "move it")), "servers": ()},
        "keys set", "comes from x", "move it",
    ),
    "a repository that wants more": (
        {"config": replace(CONFIG, ignored=("CC_LANGFUSE_REDACT=off in x is ignored",))},
        "no setting ignored", "REDACT=off in x", "remove it",
    ),
    "no server": (
        {"servers": (Server("default", URL, "ConnectError"),)}, "server reachable", "ConnectError", "BASE_URL",
    ),
    "another server": (
        {"servers": (Server("default", URL, None, 404),)}, "server reachable", "is not a Langfuse", "LANGFUSE_BASE_URL",
    ),
    "another server of a table": (
        {"servers": (Server("acme", URL, None, 404),)},
        "server reachable", "not a Langfuse", "check base_url of destination acme",
    ),
    "an endpoint that refuses": (
        {"endpoints": (Endpoint("tempo", "https://tempo.example", "the headers were not accepted (401)"),)},
        "endpoints take spans", "destination tempo: the headers were not", "correct the table in config.toml",
    ),
    "wrong keys": ({"servers": (DENIED,)}, "keys accepted", "rejects the keys", "copy both keys"),
    "an old server": (
        {"servers": (Server("default", URL, None, 200, "2.93.0", 200),)}, "server version supported", "2.93.0", "3.22",
    ),
    "a clock behind": (
        {"servers": (Server("default", URL, None, 200, "4.16.0", 200, 3600.0),)},
        "clocks agree", "3,600 s behind", "set the clock",
    ),
    "another SDK": ({"sdk": (3, 9, 0)}, "SDK version supported", "3.9.0", "reinstall"),
    "an open folder": (
        {"state_error": "chmod 700 it", "overview": None}, "state folder usable", "chmod 700 it", "ccship status",
    ),
    "a backlog": ({"waiting": (NOW - 60, NOW - 3600)}, "no backlog", "waiting to be sent: 1,", "ccship backfill"),
    "an error": ({"overview": overview_of(failed())}, "no failed sessions", "is busy (500)", "ccship backfill"),
    "dead letters": (
        {"overview": overview_of(standing(), letters=(DeadLetter("t", "s", "n", "p", "refused (400)", NOW),))},
        "no refused observations", "refused (400)", "--resend",
    ),
    "a deletion": (
        {"deadlines": (Deadline("s1", NOW + 86_400), Deadline("s2", NOW + 20 * 86_400))},
        "no expiring sessions", "will delete: 1, the first in 1.0 days", "ccship backfill",
    ),
    "unknown records": (
        {"overview": overview_of(standing(ignored=Counter({Unknown("9.9", "hologram"): 2, Ignored("mode"): 1})))},
        "record types known", "unknown types: 2 (9.9:hologram)", "update ccship",
    ),
}  # fmt: skip


def findings(facts: Facts) -> dict[str, Finding]:
    found = {check.name: check.find(facts) for check in CHECKS if check.needs(facts)}
    return {name: finding for name, finding in found.items() if finding is not None}


def test_nothing_is_found_where_all_is_well() -> None:
    """And nothing is left out."""
    assert findings(well()) == {}
    assert all(check.needs(well()) for check in CHECKS)


@pytest.mark.parametrize(("change", "name", "problem", "mend"), FINDINGS.values(), ids=FINDINGS.keys())
def test_one_thing_wrong_is_one_finding(change: dict[str, Any], name: str, problem: str, mend: str) -> None:
    """It says what, and what to do, on one line each."""
    ((found, finding),) = findings(replace(well(), **change)).items()
    assert found == name
    assert problem in finding.problem
    assert mend in finding.fix
    assert "\n" not in finding.problem + finding.fix


def test_rejected_keys_leave_out_the_checks_that_need_them() -> None:
    """Their result would be a guess."""
    facts = replace(well(), servers=(DENIED,))
    left_out = {check.name for check in CHECKS if not check.needs(facts)}
    assert left_out == {"keys belong together", "model prices known"}


def test_every_check_has_something_to_find() -> None:
    """A check that cannot fail is none."""
    assert {name for _, name, _, _ in FINDINGS.values()} == {check.name for check in CHECKS}


def test_the_sdk_is_the_one_that_is_required() -> None:
    """The range stands in two places."""
    (required,) = (
        line for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        if line.startswith("langfuse")
    )  # fmt: skip
    lowest, below = (".".join(map(str, version)) for version in (MIN_SDK, checks.SDK_BELOW))
    assert required == f"langfuse>={lowest},<{below}"
