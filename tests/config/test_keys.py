"""Keys go to an address of their own source: wherever both come from, whichever command sends."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ccship import config
from ccship.errors import ConfigError
from clones import LOCAL, SHARED, clone, env_of, git, merged, run_hook, session_in, write
from helpers import run_ccship
from loopback import LoopbackLangfuse, loopback_langfuse

CLOUD = "https://cloud.langfuse.com"
KEYS = ("environment", "file of the environment", "config.toml", "file of config.toml")
ADDRESSES = ("environment", "config.toml", "default", "repository")
REFUSED = {(keys, "repository") for keys in KEYS} | {(keys, "environment") for keys in KEYS[2:]}


@pytest.fixture
def stranger() -> Iterator[LoopbackLangfuse]:
    """A server that must not be contacted, let alone with keys."""
    with loopback_langfuse() as server:
        yield server
        assert server.contacts == []


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """What the person's shell sets besides keys and address."""
    (tmp_path / "claude").mkdir()
    return {"CLAUDE_CONFIG_DIR": str(tmp_path / "claude"), "TRACE_TO_LANGFUSE": "true"}


Place = Callable[[str, str, LoopbackLangfuse, str], tuple[dict[str, str], Path]]


@pytest.fixture
def place(tmp_path: Path, environ: dict[str, str]) -> Place:
    """Puts the keys of a server and an address where they are asked for; gives the environment and a clone."""

    def put(keys: str, address: str, server: LoopbackLangfuse, url: str) -> tuple[dict[str, str], Path]:
        lines, shared = [], {}
        for name, key in (("public_key", server.public_key), ("secret_key", server.secret_key)):
            (tmp_path / name).write_text(key)
            match keys:
                case "environment":
                    environ[f"LANGFUSE_{name.upper()}"] = key
                case "file of the environment":
                    environ[f"LANGFUSE_{name.upper()}_FILE"] = str(tmp_path / name)
                case "config.toml":
                    lines.append(f'{name} = "{key}"')
                case _:
                    lines.append(f'{name}_file = "{tmp_path / name}"')
        match address:
            case "environment":
                environ["LANGFUSE_BASE_URL"] = url
            case "config.toml":
                lines.append(f'base_url = "{url}"')
            case "repository":
                shared["LANGFUSE_BASE_URL"] = url
        (tmp_path / "home/config.toml").write_text("\n".join(lines))
        return environ, clone(tmp_path / "git", {SHARED: env_of(**shared)})

    return put


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("keys", KEYS)
def test_every_pair_of_sources_has_its_answer(
    keys: str, address: str, place: Place, langfuse: LoopbackLangfuse
) -> None:
    """The keys, and the address they may go to; or no keys, and both sources."""
    environ, project = place(keys, address, langfuse, "https://langfuse.example")
    found = config.load({**os.environ, **merged(environ, project)})
    if (keys, address) not in REFUSED:
        expected = CLOUD if address == "default" else "https://langfuse.example"
        assert (found.base_url, found.secret_key) == (expected, langfuse.secret_key)
        assert found.refusal is None
        return
    assert (found.public_key, found.secret_key) == (None, None)
    problem = str(found.refusal)
    assert "LANGFUSE_BASE_URL comes from" in problem
    assert (str(project / SHARED) if address == "repository" else "the environment") in problem
    assert ("config.toml" if "config.toml" in keys else "the environment") in problem
    assert "Fix: write" in problem


@pytest.mark.parametrize("address", [address for address in ADDRESSES if address != "default"])
@pytest.mark.parametrize("keys", KEYS)
def test_no_command_sends_keys_to_an_address_of_another_source(
    keys: str,
    address: str,
    place: Place,
    langfuse: LoopbackLangfuse,
    stranger: LoopbackLangfuse,
    tmp_path: Path,
    state_dir: Path,
) -> None:
    """Neither the hook and its worker, nor backfill, verify, doctor and config; each names the sources."""
    refused = (keys, address) in REFUSED
    environ, project = place(keys, address, langfuse, (stranger if refused else langfuse).url)
    inside = merged(environ, project)
    run_hook(session_in(project, tmp_path / "claude"), inside, project)
    done = {name: run_ccship(name, environ=inside, cwd=project) for name in ("backfill", "verify", "config")}
    doctor = json.loads(run_ccship("doctor", "--json", environ=environ, cwd=project).stdout)
    keys_found = {row["check"]: row["problem"] for row in doctor["checks"]}["keys set"]
    if not refused:
        assert langfuse.accepted
        assert ("/api/public/projects" in {path for path, _ in langfuse.contacts}) is True
        assert [run.returncode for run in done.values()] == [0, 0, 0]
        assert keys_found is None
        return
    told = [(state_dir / "ccship.log").read_text(), keys_found, *(run.stderr for run in done.values())]
    assert all("LANGFUSE_BASE_URL comes from" in text for text in told)
    assert {name: run.returncode for name, run in done.items()} == {"backfill": 1, "verify": 2, "config": 2}
    assert langfuse.contacts == []
    assert len(list((state_dir / "requests").iterdir())) == 1, "the session waits until the settings are fixed"


@pytest.fixture
def person(environ: dict[str, str], langfuse: LoopbackLangfuse) -> dict[str, str]:
    """Somebody who exports keys and address in the shell."""
    return environ | langfuse.environ


VARIANTS: dict[str, tuple[dict[str, str], str]] = {
    "the other name": ({"LANGFUSE_HOST": "URL", "LANGFUSE_BASE_URL": ""}, "LANGFUSE_BASE_URL comes"),
    "the stronger name": ({"CC_LANGFUSE_BASE_URL": "URL"}, "CC_LANGFUSE_BASE_URL comes"),
    "a name that ends early": ({"LANGFUSE_BASE_URL\0x": "URL"}, "LANGFUSE_BASE_URL comes"),
    "an option of the plugin": ({"CLAUDE_PLUGIN_OPTION_BASE_URL": "URL", "LANGFUSE_BASE_URL": ""}, "comes from"),
    "a private file as key": (
        {"LANGFUSE_BASE_URL": "URL", "LANGFUSE_SECRET_KEY_FILE": "~/id", "LANGFUSE_SECRET_KEY": ""},
        "LANGFUSE_BASE_URL and LANGFUSE_SECRET_KEY come",
    ),
    "a server and keys of its own": (
        {"LANGFUSE_BASE_URL": "URL", "LANGFUSE_PUBLIC_KEY": "pk-lf-x", "LANGFUSE_SECRET_KEY": "x"}, "come from",
    ),
    "keys of its own at the same server": (
        {"LANGFUSE_PUBLIC_KEY": "pk-lf-x", "LANGFUSE_SECRET_KEY": "x"}, "LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY",
    ),
    "no address, so that the default applies": ({"LANGFUSE_BASE_URL": ""}, "LANGFUSE_BASE_URL comes"),
    "a configuration of its own": ({"CC_LANGFUSE_CONFIG": "PROJECT/config.toml"}, "CC_LANGFUSE_CONFIG comes"),
    "a folder of configurations": ({"XDG_CONFIG_HOME": "PROJECT"}, "XDG_CONFIG_HOME comes"),
    "a home": ({"HOME": "PROJECT"}, "HOME comes"),
    "a home that is the repository": ({"CLAUDE_CONFIG_DIR": "PROJECT/.claude"}, "CLAUDE_CONFIG_DIR comes"),
    "a state": ({"CC_LANGFUSE_STATE_DIR": "PROJECT/state"}, "CC_LANGFUSE_STATE_DIR comes"),
    "a proxy": ({"http_proxy": "URL"}, "http_proxy comes"),
    "certificates": ({"SSL_CERT_FILE": "PROJECT/ca.pem"}, "SSL_CERT_FILE comes"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("variables", "problem", "file"),
    [*((*variant, SHARED) for variant in VARIANTS.values()), (*VARIANTS["the other name"], LOCAL)],
    ids=[*VARIANTS, "a local file that git tracks"],
)
def test_a_repository_chooses_neither_server_nor_keys(
    variables: dict[str, str],
    problem: str,
    file: str,
    person: dict[str, str],
    tmp_path: Path,
    stranger: LoopbackLangfuse,
    langfuse: LoopbackLangfuse,
) -> None:
    """Under whatever name, in either file that a clone delivers; no file that it names is read."""
    (tmp_path / "home/id").write_text("the private key of somebody")
    own = f'base_url = "{stranger.url}"\npublic_key = "pk-lf-x"\nsecret_key = "x"\ntrace = true\n'
    project = clone(tmp_path / "git", {"config.toml": own, "ccship/config.toml": own})
    shared = {
        name: value.replace("URL", stranger.url).replace("PROJECT", str(project)) for name, value in variables.items()
    }
    write(project, {file: env_of(**shared)})
    git("add", "-f", ".", cwd=project)
    transcript = session_in(project, tmp_path / "claude")
    run_hook(transcript, merged(person, project), project)
    doctor = run_ccship("doctor", environ=person, cwd=project)
    assert problem in doctor.stdout
    assert file in doctor.stdout
    assert "private key of somebody" not in doctor.stdout
    assert langfuse.contacts == []
    assert not (project / "state/ccship.log").exists()


def test_the_table_of_a_project_is_the_way_to_allow_an_address(
    person: dict[str, str], tmp_path: Path, langfuse: LoopbackLangfuse, stranger: LoopbackLangfuse
) -> None:
    """Its keys and its address are used, whatever the repository and the environment name."""
    project = clone(tmp_path / "git", {SHARED: env_of(LANGFUSE_BASE_URL=stranger.url, LANGFUSE_SECRET_KEY="x")})
    (tmp_path / "home/config.toml").write_text(f"""
[[destinations]]
projects = ["{project}"]
base_url = "{langfuse.url}"
public_key = "{langfuse.public_key}"
secret_key = "{langfuse.secret_key}"
""")
    run_hook(session_in(project, tmp_path / "claude"), merged(person, project), project)
    assert langfuse.accepted


def test_the_keys_of_a_table_do_not_go_to_the_address_of_the_environment(
    person: dict[str, str], tmp_path: Path
) -> None:
    """The table names the address too."""
    (tmp_path / "home/config.toml").write_text(
        '[[destinations]]\nprojects = ["/work"]\npublic_key = "pk-lf-1"\nsecret_key = "x"\n'
    )
    found = config.load({**os.environ, **person}).for_project("/work")
    assert found is not None
    assert found.secret_key is None
    assert "write base_url into the same table of" in str(found.refusal)


def test_the_settings_of_the_person_are_no_repository(
    person: dict[str, str], tmp_path: Path, langfuse: LoopbackLangfuse
) -> None:
    """An untracked settings.local.json, and what the person's own settings set to the same value."""
    address = env_of(LANGFUSE_BASE_URL=langfuse.url)
    project = clone(tmp_path / "git", {SHARED: address})
    inside = {**os.environ, **merged(person, project)}
    assert config.load(inside).refusal is not None
    write(tmp_path, {"claude/settings.json": address})
    assert config.load(inside).secret_key == langfuse.secret_key
    (tmp_path / "claude/settings.json").unlink()
    write(project, {LOCAL: address})
    assert config.load(inside).secret_key == langfuse.secret_key


def test_a_shell_is_not_changed_by_the_settings_of_a_folder(
    person: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, langfuse: LoopbackLangfuse
) -> None:
    """Outside Claude Code a repository is suspected only where the shell has its very value."""
    project = clone(tmp_path / "git", {SHARED: env_of(LANGFUSE_BASE_URL="https://stranger.example")})
    (project / "sub").mkdir()
    monkeypatch.chdir(project / "sub")
    shell = {**os.environ, **person}
    assert config.load(shell).base_url == langfuse.url
    assert config.load({**shell, "LANGFUSE_BASE_URL": "https://stranger.example"}).refusal is not None


def test_inside_claude_code_the_name_decides(person: dict[str, str], tmp_path: Path) -> None:
    """A value need not look in the file as Claude Code hands it on."""
    address = "https://stranger.example"
    project = clone(tmp_path / "git", {SHARED: env_of(LANGFUSE_BASE_URL=[address])})
    inside = {**os.environ, **person, "LANGFUSE_BASE_URL": address, "CLAUDE_PROJECT_DIR": str(project)}
    assert config.load(inside).refusal is not None


def test_settings_that_cannot_be_read_send_nothing(
    person: dict[str, str], tmp_path: Path, langfuse: LoopbackLangfuse, state_dir: Path
) -> None:
    """Claude Code may read what ccship cannot."""
    project = clone(tmp_path / "git", {SHARED: "\ufeff" + env_of(LANGFUSE_BASE_URL="https://stranger.example")})
    run_hook(session_in(project, tmp_path / "claude"), {**person, "CLAUDE_PROJECT_DIR": str(project)}, project)
    assert "What it sets is unknown" in (state_dir / "ccship.log").read_text()
    assert langfuse.contacts == []


def test_old_clients_name_the_project_in_the_payload_only(
    person: dict[str, str], tmp_path: Path, stranger: LoopbackLangfuse, state_dir: Path
) -> None:
    """Without `CLAUDE_PROJECT_DIR` the session's folder and those above it are looked at."""
    project = clone(tmp_path / "git", {SHARED: env_of(LANGFUSE_BASE_URL=stranger.url), "sub/x": ""})
    inside = merged(person, project)
    for name in ("CLAUDE_PROJECT_DIR", "CLAUDECODE"):
        del inside[name]
    run_hook(session_in(project, tmp_path / "claude"), inside, project / "sub")
    assert "LANGFUSE_BASE_URL comes from" in (state_dir / "ccship.log").read_text()


def test_a_repository_does_not_move_the_paths_of_config_toml(tmp_path: Path, person: dict[str, str]) -> None:
    """A variable in a pattern would take an excluded project back."""
    project = clone(tmp_path / "git", {SHARED: env_of(CLIENTS="/nowhere")})
    (tmp_path / "home/config.toml").write_text('exclude = ["$CLIENTS/secret"]')
    with pytest.raises(ConfigError, match=r"\$CLIENTS, which comes from .*settings.json"):
        config.load({**os.environ, **merged(person, project)})
