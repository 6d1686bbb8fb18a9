"""Two destinations, four projects, one of them excluded: by the hook and by backfill, against real servers."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from helpers import run_ccship
from lines import Lines, tool
from loopback import LoopbackLangfuse, loopback_langfuse

PROJECTS = ("acme/web", "acme/api", "zeta", "hidden")


@pytest.fixture
def acme() -> Iterator[LoopbackLangfuse]:
    """The server of a customer; the global keys are those of `langfuse`."""
    with loopback_langfuse() as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Claude config folder with a session in each project, one of them with a subagent that works elsewhere."""
    for project in PROJECTS:
        cwd = f"/work/{project}"
        session = project.replace("/", "-")
        lines = Lines(session=session).plain("mode").prompt("hello", cwd=cwd)
        lines.assistant(f"{session}-m1", tool("t1", "Agent", prompt="look", subagent_type="Explore"), cwd=cwd)
        # `cd` leads out of the project: the session stays where it began
        lines.result("t1", "found", cwd="/work/zeta", toolUseResult={"agentId": "a1"}).assistant(
            f"{session}-m2", "done", cwd="/"
        )
        where = tmp_path / "claude/projects" / f"-work-{session}"
        lines.write(where / f"{session}.jsonl")
        agent = Lines(session=session)
        agent.seconds = 1.5
        agent.user("look", cwd="/work/zeta", agentId="a1", isSidechain=True, uuid=f"{session}-a")
        agent.assistant(f"{session}-m3", "found", cwd="/work/zeta", agentId="a1", isSidechain=True, uuid=f"{session}-b")
        agent.write(where / session / "subagents" / "agent-a1.jsonl")
    return tmp_path / "claude"


@pytest.fixture
def environ(folder: Path, tmp_path: Path, langfuse: LoopbackLangfuse, acme: LoopbackLangfuse) -> dict[str, str]:
    """Global keys in the environment, as Claude Code hands them to every hook; acme's in the file."""
    (tmp_path / "acme.key").write_text(acme.secret_key)
    config = tmp_path / "config.toml"
    config.write_text(f"""
exclude = ["/work/hidden"]
[[destinations]]
name = "acme"
projects = ["/work/acme/**"]
public_key = "{acme.public_key}"
secret_key_file = "{tmp_path}/acme.key"
base_url = "{acme.url}"
environment = "customer"
trace_tags = ["team:acme"]
""")
    return {
        **langfuse.environ,
        "CLAUDE_CONFIG_DIR": str(folder),
        "CC_LANGFUSE_CONFIG": str(config),
        "CC_LANGFUSE_FOREGROUND": "true",
        "LANGFUSE_TRACING_ENVIRONMENT": "own",
        "TRACE_TO_LANGFUSE": "true",
    }


def sessions_of(server: LoopbackLangfuse) -> set[str]:
    return {str(span.attributes["session.id"]) for span in server.accepted}


def run_hook(transcript: Path, environ: dict[str, str]) -> None:
    """As Claude Code runs it at the end of a turn; the payload's folder has followed `cd` somewhere else."""
    payload = {"session_id": transcript.stem, "transcript_path": str(transcript), "cwd": "/work/zeta"}
    done = run_ccship("hook", stdin=json.dumps(payload).encode(), environ=environ)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("way", ["hook", "backfill"])
def test_every_span_lands_where_its_project_says(
    way: str, folder: Path, environ: dict[str, str], langfuse: LoopbackLangfuse, acme: LoopbackLangfuse, state_dir: Path
) -> None:
    """By hook and by backfill alike, subagents with their session; of the excluded project nothing leaves."""
    if way == "hook":
        for transcript in sorted(folder.glob("projects/*/*.jsonl")):
            run_hook(transcript, environ)
        assert "hidden: its project is excluded" in (state_dir / "ccship.log").read_text()
        assert list((state_dir / "requests").iterdir()) == []
    else:
        done = run_ccship("backfill", environ=environ)
        assert (done.returncode, done.stderr) == (0, "")
        assert "sent 3 turns and 3 subagents of 3 sessions" in done.stdout
        assert "1 session of projects excluded by " in done.stdout
    assert sessions_of(acme) == {"acme-web", "acme-api"}
    assert sessions_of(langfuse) == {"zeta"}
    assert (len(acme.keys), len(langfuse.keys)) == (2 * 6, 6)
    for server, environment, tagged in ((acme, "customer", True), (langfuse, "own", False)):
        for span in server.accepted:
            assert span.attributes["langfuse.environment"] == environment
            assert ("team:acme" in span.attributes["langfuse.trace.tags"]) is tagged


def test_what_one_way_has_sent_the_other_does_not_send_again(
    folder: Path, environ: dict[str, str], langfuse: LoopbackLangfuse, acme: LoopbackLangfuse
) -> None:
    """Both keep the same books for a destination."""
    for transcript in sorted(folder.glob("projects/*/*.jsonl")):
        run_hook(transcript, environ)
    langfuse.clear()
    acme.clear()
    assert run_ccship("backfill", environ=environ).returncode == 0
    assert (langfuse.requests, acme.requests) == ([], [])


def test_a_server_that_is_down_does_not_keep_the_sessions_of_the_other(
    environ: dict[str, str], langfuse: LoopbackLangfuse, acme: LoopbackLangfuse
) -> None:
    """The run failed, and says at which server; what could be sent was."""
    acme.refused_spans = {}
    acme.secret_key = "sk-lf-changed-meanwhile"
    done = run_ccship("backfill", environ=environ)
    assert done.returncode == 1
    assert "the keys were not accepted (401)" in done.stderr
    assert (sessions_of(acme), sessions_of(langfuse)) == (set(), {"zeta"})


def test_a_worker_sweeps_up_sessions_of_its_own_destination_only(
    folder: Path, environ: dict[str, str], langfuse: LoopbackLangfuse, acme: LoopbackLangfuse, state_dir: Path
) -> None:
    """What other destinations wait for is left to their own workers."""
    acme.secret_key, secret = "changed", acme.secret_key
    run_hook(folder / "projects/-work-acme-web/acme-web.jsonl", environ)
    run_hook(folder / "projects/-work-zeta/zeta.jsonl", environ)
    assert sessions_of(langfuse) == {"zeta"}
    assert len(acme.requests) == 1
    acme.secret_key = secret
    run_hook(folder / "projects/-work-acme-api/acme-api.jsonl", environ)
    assert sessions_of(acme) == {"acme-web", "acme-api"}
    assert list((state_dir / "requests").iterdir()) == []


def test_destinations_without_keys_are_named_and_the_others_are_sent(
    tmp_path: Path, environ: dict[str, str], acme: LoopbackLangfuse
) -> None:
    """One line for each."""
    bare = {name: value for name, value in environ.items() if not name.startswith("LANGFUSE_")}
    done = run_ccship("backfill", environ=bare)
    assert done.returncode == 1
    assert "no keys for the default destination: 1 session not sent" in done.stderr
    assert sessions_of(acme) == {"acme-web", "acme-api"}


def test_one_key_at_two_servers_is_refused_before_anything_goes_to_the_wrong_one(
    tmp_path: Path, environ: dict[str, str], langfuse: LoopbackLangfuse, acme: LoopbackLangfuse
) -> None:
    """The SDK keeps one client for each public key: the second would send to the first's server."""
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace(acme.public_key, langfuse.public_key))
    done = run_ccship("backfill", environ=environ)
    assert done.returncode == 2
    assert "use a key for one server only" in done.stderr
    assert not sessions_of(langfuse) & {"acme-web", "acme-api"}


BROKEN = {
    "no rules where they should be": (
        'redact_extra = "/nowhere/rules.toml"',
        "/nowhere/rules.toml, which cannot be read",
    ),
    "a pattern that is none": ('redact_extra = "RULES"', "the pattern is wrong"),
    "no word for off": ('redact = "maybe"', "is 'maybe': expected true or false"),
    "a mode that nobody knows": ('capture = "meta"', "expected one of full, no-tool-io, metadata"),
    "fewer characters than the note of a cut": ("max_chars = 10", "expected a whole number of at least 200"),
    "a setting that nobody knows": ('redcat = "off"', "did you mean redact?"),
    "no TOML": ("[", "is not valid TOML"),
    "a pattern of nothing": ('exclude = ["here"]', "is not a path pattern"),
}


@pytest.mark.parametrize(("text", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_nothing_is_sent_while_the_settings_are_broken(
    text: str, expected: str, tmp_path: Path, folder: Path, environ: dict[str, str], langfuse: LoopbackLangfuse,
    state_dir: Path,
) -> None:  # fmt: skip
    """Neither by hook nor by backfill; what waits is sent once they are mended."""
    config, rules = tmp_path / "config.toml", tmp_path / "rules.toml"
    rules.write_text('[[rules]]\nname = "x"\npattern = "("')
    config.write_text(text.replace("RULES", str(rules)))
    done = run_ccship("backfill", environ=environ)
    assert done.returncode == 2
    assert expected in done.stderr
    run_hook(folder / "projects/-work-zeta/zeta.jsonl", environ)
    assert expected in (state_dir / "ccship.log").read_text()
    assert langfuse.requests == []
    config.write_text("")
    run_hook(folder / "projects/-work-acme-web/acme-web.jsonl", environ)
    assert sessions_of(langfuse) == {"zeta", "acme-web"}


def test_a_broken_destination_keeps_its_sessions_until_it_is_mended(
    tmp_path: Path, folder: Path, environ: dict[str, str], langfuse: LoopbackLangfuse, acme: LoopbackLangfuse
) -> None:
    """They do not go to the default one instead, and the others go on."""
    key = tmp_path / "acme.key"
    key.unlink()
    run_hook(folder / "projects/-work-acme-web/acme-web.jsonl", environ)
    run_hook(folder / "projects/-work-zeta/zeta.jsonl", environ)
    assert (sessions_of(acme), sessions_of(langfuse)) == (set(), {"zeta"})
    assert run_ccship("backfill", environ=environ).returncode == 2
    key.write_text(acme.secret_key)
    run_hook(folder / "projects/-work-acme-api/acme-api.jsonl", environ)
    assert sessions_of(acme) == {"acme-web", "acme-api"}


CONSENT = {
    "withdrawn for one destination": ("true", '[[destinations]]\nprojects = ["/work/acme"]\ntrace = false', {"zeta"}),
    "given for one destination": ("", '[[destinations]]\nprojects = ["/work/acme"]\ntrace = true', {"acme-web"}),
    "never given": ("", 'environment = "own"', set()),
}


@pytest.mark.parametrize(("asked", "text", "expected"), CONSENT.values(), ids=CONSENT.keys())
def test_the_hook_sends_the_sessions_that_have_consent(
    asked: str, text: str, expected: set[str], tmp_path: Path, folder: Path, environ: dict[str, str],
    langfuse: LoopbackLangfuse,
) -> None:  # fmt: skip
    """The config file may give or withdraw it; the hook itself does not read that file, its worker does."""
    (tmp_path / "config.toml").write_text(text)
    for session in ("acme-web", "zeta"):
        run_hook(next(folder.rglob(f"{session}.jsonl")), {**environ, "TRACE_TO_LANGFUSE": asked})
    assert sessions_of(langfuse) == expected


def test_two_tables_may_share_a_server(tmp_path: Path, environ: dict[str, str], langfuse: LoopbackLangfuse) -> None:
    """Same keys, other labels."""
    (tmp_path / "config.toml").write_text("""
[[destinations]]
projects = ["/work/acme"]
environment = "a"
[[destinations]]
projects = ["/work/zeta"]
environment = "b"
capture = "metadata"
""")
    assert run_ccship("backfill", environ=environ).returncode == 0
    found = {
        (str(span.attributes["session.id"]), str(span.attributes["langfuse.environment"])) for span in langfuse.accepted
    }
    assert found == {("acme-web", "a"), ("acme-api", "a"), ("zeta", "b"), ("hidden", "own")}
    inputs = {
        str(span.attributes["session.id"]): str(span.attributes["langfuse.observation.input"])
        for span in langfuse.accepted
        if not span.parent
    }
    assert inputs["acme-web"] == "hello"
    assert json.loads(inputs["zeta"])["characters"] == 5


def test_verify_asks_every_server_for_what_is_its_own(environ: dict[str, str], acme: LoopbackLangfuse) -> None:
    """What is excluded, and what cannot be asked for, is said and not called whole."""
    assert run_ccship("backfill", environ=environ).returncode == 0
    done = run_ccship("verify", environ=environ)
    assert done.returncode == 0, done.stdout
    assert "checked 3 sessions" in done.stdout
    assert "skipped 1 session of excluded projects" in done.stdout
    acme.accepted.pop()
    assert "1 missing" in run_ccship("verify", environ=environ).stdout
    keyless = {**environ, "LANGFUSE_SECRET_KEY": ""}
    partly = run_ccship("verify", environ=keyless)
    assert partly.returncode == 1
    assert "1 missing" in partly.stdout
    assert "no keys for the default destination: 1 session not checked" in partly.stderr
