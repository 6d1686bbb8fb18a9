"""OTLP destinations: address, headers and certificates, from their tables or from the standard variables."""

import os
from pathlib import Path

import pytest

from ccship import config
from ccship.config import Config
from ccship.config.access import Access
from ccship.errors import ConfigError
from clones import SHARED, clone, env_of, merged, run_hook, session_in
from collector import LoopbackOtlp
from helpers import run_ccship

SECRET = "canary-of-a-header"
PREFIXES = (
    "CC_LANGFUSE_OTEL_EXPORTER_OTLP_TRACES_", "OTEL_EXPORTER_OTLP_TRACES_", "CC_LANGFUSE_OTEL_EXPORTER_OTLP_",
    "OTEL_EXPORTER_OTLP_",
)  # fmt: skip
"""The strongest first."""


def table(text: str) -> str:
    """A table of all projects."""
    return f'[[destinations]]\nname = "tempo"\nkind = "otlp"\nprojects = ["**"]\n{text}\n'


def loaded(text: str, folder: Path, **environ: str) -> Config:
    """The settings of the first destination of a project."""
    file = folder / "config.toml"
    file.write_text(text)
    found = config.load({"CC_LANGFUSE_CONFIG": str(file), "USER": "ada", **environ}).for_project("/work")
    assert found is not None
    return found


ADDRESSES = {
    "a host": ("https://otel.example:4318", "https://otel.example:4318/v1/traces"),
    "a slash at the end": ("http://otel.example/", "http://otel.example/v1/traces"),
    "a path": ("https://otel.example/otlp", "https://otel.example/otlp/v1/traces"),
    "the whole path": ("https://otel.example/v1/traces", "https://otel.example/v1/traces"),
    "another path for traces": ("https://otel.example/api/traces/", "https://otel.example/api/traces"),
}


@pytest.mark.parametrize(("endpoint", "address"), ADDRESSES.values(), ids=ADDRESSES)
def test_the_path_of_the_protocol_is_appended_to_an_endpoint(endpoint: str, address: str, tmp_path: Path) -> None:
    """Unless the endpoint ends in /traces."""
    assert loaded(table(f'endpoint = "{endpoint}"'), tmp_path).base_url == address


HEADERS = {
    "a table": ('headers = { authorization = "Bearer x", n = 1 }', {"authorization": "Bearer x", "n": "1"}),
    "the format of the variables": ('headers = "a=b%20c, d=e=,"', {"a": "b c", "d": "e="}),
    "a line": ('headers = "authorization: Basic YTpi="', {"authorization": "Basic YTpi="}),
    "lines": ('headers = "a: b\\nc: d=e,f\\n\\n"', {"a": "b", "c": "d=e,f"}),
    "an empty table": ("headers = {}", {}),
    "an empty text": ('headers = ""', {}),
    "none": ("", {}),
}


@pytest.mark.parametrize(("line", "expected"), HEADERS.values(), ids=HEADERS)
def test_headers_have_three_formats(line: str, expected: dict[str, str], tmp_path: Path) -> None:
    """A table, lines, and the format of OpenTelemetry's variables."""
    found = loaded(table(f'endpoint = "https://otel.example"\n{line}'), tmp_path)
    assert found.access.headers == expected


def test_headers_may_be_in_a_file(tmp_path: Path) -> None:
    """Its path may contain variables of the environment, as that of a key."""
    (tmp_path / "headers").write_text("authorization: Bearer x\nx-scope-orgid: 7\n")
    found = loaded(table(f'endpoint = "https://otel.example"\nheaders_file = "{tmp_path}/headers"'), tmp_path)
    assert found.access.headers == {"authorization": "Bearer x", "x-scope-orgid": "7"}


END = 'endpoint = "https://otel.example"\n'
WRONG = {
    "no address": ("", 'it has no address: set endpoint = "https://...", or from_env = true'),
    "keys": (END + 'public_key = "pk"', "it is of kind otlp and contains public_key: set endpoint and headers instead"),
    "a file of a key": (END + 'secret_key_file = "/k"', "contains secret_key: set endpoint and headers instead"),
    "a base_url": ('base_url = "https://x.example"', "contains base_url: set endpoint and headers instead"),
    "no URL": ('endpoint = "otel.example:4318"', "is 'otel.example:4318': expected http:// or https:// and a host"),
    "a blank in the URL": ('endpoint = "http://a b"', "is 'http://a b': expected http:// or https:// and a host"),
    "a password": (
        f'endpoint = "https://ada:{SECRET}@otel.example"',
        "endpoint in {file} contains a user name or a password: set headers instead",
    ),
    "a query": (
        f'endpoint = "https://otel.example?key={SECRET}"',
        "endpoint in {file} contains a query or a fragment: set headers instead",
    ),
    "a fragment": (f'endpoint = "https://otel.example#{SECRET}"', "contains a query or a fragment"),
    "a header without a name": (END + f'headers = "{SECRET}"', "headers in {file} must be a table, lines of name: "),
    "a header that is no name": (
        END + f'headers = "Bearer {SECRET}=="', "headers in {file} contains a name that is not the name of a header",
    ),
    "a value with a line break": (
        END + f'headers = {{ a = "{SECRET}\\nb: c" }}', "headers in {file} contains a value of a that no header can",
    ),
    "a value that is not ASCII": (END + f'headers = {{ a = "{SECRET}é" }}', "contains a value of a that no header can"),
    "a header of the request": (
        END + f'headers = {{ Content-Type = "{SECRET}" }}', "contains content-type, which ccship sets itself",
    ),
    "a list of headers": (END + f'headers = ["{SECRET}"]', "headers in {file} must be a table, lines of name: "),
    "a list as value": (END + f'headers = {{ a = ["{SECRET}"] }}', "headers in {file} must be a table, or key=value"),
    "no file of headers": (END + 'headers_file = "/nowhere"', "headers_file names /nowhere, which cannot be read"),
    "an empty file of headers": (END + 'headers_file = "/dev/null"', "headers_file names /dev/null, which is empty"),
    "no certificate": (END + 'certificate = "/nowhere"', "certificate names /nowhere, which cannot be read"),
    "a relative path": (END + 'certificate = "ca.pem"', "certificate is 'ca.pem': expected an absolute path"),
    "no key for a certificate": (
        END + 'client_certificate = "/dev/null"', "set both client_certificate and client_key, or none",
    ),
    "no certificate for a key": (END + 'client_key = "/dev/null"', "set both client_certificate and client_key"),
    "no such key": (
        END + 'client_certificate = "/dev/null"\nclient_key = "/nowhere"',
        "client_key names /nowhere, which cannot be read",
    ),
    "a kind of its own": ('kind = "zipkin"\n' + END, "kind in {file} is 'zipkin': expected one of langfuse, otlp"),
    "an address of Langfuse's kind": ('kind = "langfuse"\n' + END, "contains endpoint, which only an otlp"),
    "variables for Langfuse": ('kind = "langfuse"\nfrom_env = true', "contains from_env, which only an otlp"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=WRONG)
def test_a_wrong_table_is_one_line_without_a_secret(text: str, expected: str, tmp_path: Path) -> None:
    """It names the destination and what to write."""
    with pytest.raises(ConfigError) as caught:
        loaded(table(text).replace('kind = "otlp"\n', "") if "kind" in text else table(text), tmp_path)
    assert str(caught.value).startswith("destination tempo: ")
    assert expected.format(file=tmp_path / "config.toml") in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_of_certificates_are_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Home folders and variables, as in other paths."""
    monkeypatch.setenv("CERTIFICATES", str(tmp_path))
    (tmp_path / "home/key.pem").write_text("")
    (tmp_path / "ca.pem").write_text("")
    text = 'certificate = "$CERTIFICATES/ca.pem"\nclient_certificate = "~/key.pem"\nclient_key = "~/key.pem"'
    access = loaded(table(END + text), tmp_path).access
    assert (access.certificate, access.client_key) == (str(tmp_path / "ca.pem"), str(tmp_path / "home/key.pem"))


@pytest.fixture
def values(tmp_path: Path) -> dict[str, str]:
    """A value of each variable, by the end of its name."""
    for name in ("ca", "crt", "key"):
        (tmp_path / name).write_text("")
    return {
        "ENDPOINT": "https://env.example/otlp",
        "HEADERS": f"authorization=Bearer%20{SECRET}",
        "TIMEOUT": "2500",
        "PROTOCOL": "http/protobuf",
        "COMPRESSION": "none",
        "CERTIFICATE": str(tmp_path / "ca"),
        "CLIENT_CERTIFICATE": str(tmp_path / "crt"),
        "CLIENT_KEY": str(tmp_path / "key"),
    }


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_destination_can_take_everything_from_the_standard_variables(
    prefix: str, values: dict[str, str], tmp_path: Path
) -> None:
    """Each has four names; only an address for all signals gets the path of traces."""
    found = loaded(table("from_env = true"), tmp_path, **{prefix + name: value for name, value in values.items()})
    assert found.base_url == values["ENDPOINT"] + ("" if "TRACES" in prefix else "/v1/traces")
    assert found.access == Access(
        {"authorization": f"Bearer {SECRET}"}, values["CERTIFICATE"], values["CLIENT_CERTIFICATE"],
        values["CLIENT_KEY"], timeout_s=2.5, compresses=False,
    )  # fmt: skip
    assert found.can_send


@pytest.mark.parametrize("prefix", PREFIXES)
def test_the_stronger_variable_decides(prefix: str, tmp_path: Path) -> None:
    """Those for traces before those for all signals, then those that Claude Code passes to hooks."""
    weaker = PREFIXES[PREFIXES.index(prefix) :]
    environ = {each + "ENDPOINT": f"https://{n}.example/" for n, each in enumerate(weaker)}
    environ |= {each + "HEADERS": f"n={n}" for n, each in enumerate(weaker)}
    found = loaded(table("from_env = true"), tmp_path, **environ)
    assert found.base_url.startswith("https://0.example")
    assert found.access.headers == {"n": "0"}


def test_an_empty_variable_is_unset(tmp_path: Path) -> None:
    """As everywhere in OpenTelemetry."""
    environ = {PREFIXES[0] + "ENDPOINT": " ", PREFIXES[3] + "ENDPOINT": "https://env.example"}
    assert loaded(table("from_env = true"), tmp_path, **environ).base_url == "https://env.example/v1/traces"


def test_the_table_wins_over_the_variables(values: dict[str, str], tmp_path: Path) -> None:
    """Also with `headers = {}`: no headers at all."""
    own = f'from_env = true\nheaders = {{}}\nendpoint = "https://own.example"\ncertificate = "{values["CLIENT_KEY"]}"'
    found = loaded(table(own), tmp_path, **{PREFIXES[3] + name: value for name, value in values.items()})
    assert found.base_url == "https://own.example/v1/traces"
    assert found.access.headers == {}
    assert found.access.certificate == values["CLIENT_KEY"]
    assert found.access.client_certificate == values["CLIENT_CERTIFICATE"]


def test_certificate_and_key_may_come_from_table_and_variable(values: dict[str, str], tmp_path: Path) -> None:
    """They are compared after both are read."""
    own = f'from_env = true\nendpoint = "https://own.example"\nclient_certificate = "{values["CLIENT_CERTIFICATE"]}"'
    found = loaded(table(own), tmp_path, OTEL_EXPORTER_OTLP_CLIENT_KEY=values["CLIENT_KEY"])
    assert found.access.client_key == values["CLIENT_KEY"]


WRONG_VARIABLES = {
    "no address": ({}, "from_env is true, but OTEL_EXPORTER_OTLP_ENDPOINT is not set (Claude Code removes OTEL_*"),
    "grpc": (
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc': ccship sends http/protobuf",
    ),
    "a compression": (
        {"OTEL_EXPORTER_OTLP_TRACES_COMPRESSION": "zstd"},
        "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION is 'zstd': expected one of gzip, none",
    ),
    "a timeout": ({"OTEL_EXPORTER_OTLP_TIMEOUT": "10s"}, "OTEL_EXPORTER_OTLP_TIMEOUT is not a number of milliseconds"),
    "a time before": ({"OTEL_EXPORTER_OTLP_TIMEOUT": "-1"}, "OTEL_EXPORTER_OTLP_TIMEOUT is not a number of millis"),
    "no number": ({"OTEL_EXPORTER_OTLP_TIMEOUT": "nan"}, "OTEL_EXPORTER_OTLP_TIMEOUT is not a number of millisec"),
    "a header": (
        {"CC_LANGFUSE_OTEL_EXPORTER_OTLP_HEADERS": SECRET},
        "CC_LANGFUSE_OTEL_EXPORTER_OTLP_HEADERS must be a table, lines of name: value, or name=value",
    ),
    "a password": (
        {"OTEL_EXPORTER_OTLP_ENDPOINT": f"https://a:{SECRET}@x.example"},
        "OTEL_EXPORTER_OTLP_ENDPOINT contains a user name or a password: set headers instead",
    ),
    "a query": (
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"https://x.example/?a={SECRET}"},
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT contains a query or a fragment",
    ),
    "a certificate": (
        {"OTEL_EXPORTER_OTLP_CERTIFICATE": "/nowhere"}, "certificate names /nowhere, which cannot be read",
    ),
    "half a client": ({"OTEL_EXPORTER_OTLP_CLIENT_KEY": "/dev/null"}, "set both client_certificate and client_key"),
}  # fmt: skip


@pytest.mark.parametrize(("environ", "expected"), WRONG_VARIABLES.values(), ids=WRONG_VARIABLES)
def test_a_wrong_variable_is_one_line_without_a_secret(environ: dict[str, str], expected: str, tmp_path: Path) -> None:
    """It names the variable that applies."""
    address = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://env.example"} if environ else {}
    with pytest.raises(ConfigError) as caught:
        loaded(table("from_env = true"), tmp_path, **{**address, **environ})
    assert expected in str(caught.value)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_variables_are_read_by_no_other_destination(values: dict[str, str], tmp_path: Path) -> None:
    """Many programs share them."""
    environ = {PREFIXES[3] + name: value for name, value in values.items()}
    found = loaded(table(END), tmp_path, **environ, CC_LANGFUSE_HEADERS=f"a={SECRET}")
    assert (found.base_url, found.access) == ("https://otel.example/v1/traces", Access())


def test_headers_of_a_table_do_not_go_to_an_address_of_the_environment(tmp_path: Path) -> None:
    """As keys do not; the other way round is the choice of whoever writes the table."""
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://env.example", "OTEL_EXPORTER_OTLP_HEADERS": "a=b"}
    found = loaded(table(f'from_env = true\nheaders = {{ a = "{SECRET}" }}'), tmp_path, **environ)
    assert not found.can_send
    assert found.access.headers == {}
    assert "write endpoint into the same table, next to the headers" in found.why_no_keys
    own = loaded(table(f"from_env = true\n{END}"), tmp_path, **environ)
    assert (own.base_url, own.access.headers) == ("https://otel.example/v1/traces", {"a": "b"})


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("name", ["ENDPOINT", "HEADERS", "CERTIFICATE", "TIMEOUT"])
def test_a_repository_sets_nothing_of_a_destination(
    prefix: str, name: str, values: dict[str, str], tmp_path: Path
) -> None:
    """Nothing is sent to such a destination, nowhere else either."""
    (tmp_path / "home/config.toml").write_text(table("from_env = true"))
    project = clone(tmp_path / "git", {SHARED: env_of(**{prefix + name: values[name]})})
    environ = {**os.environ, "CLAUDE_CONFIG_DIR": str(tmp_path), PREFIXES[3] + "ENDPOINT": "https://mine.example"}
    inside = merged(environ, project)
    found = config.load(inside).for_project("/work")
    assert found is not None
    assert not found.can_send
    assert f"{prefix}{name} comes from {project / SHARED}: nothing is sent" in found.why_no_keys


def test_variables_for_other_signals_are_a_matter_of_the_repository(tmp_path: Path) -> None:
    """A team may send the metrics of Claude Code somewhere."""
    (tmp_path / "home/config.toml").write_text(table("from_env = true"))
    project = clone(tmp_path / "git", {SHARED: env_of(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="https://team.example")})
    environ = {**os.environ, "CLAUDE_CONFIG_DIR": str(tmp_path), PREFIXES[3] + "ENDPOINT": "https://mine.example"}
    found = config.load(merged(environ, project)).for_project("/work")
    assert found is not None
    assert found.can_send


def test_a_repository_does_not_move_the_paths_of_variables(tmp_path: Path) -> None:
    """A variable in the path of a certificate would let it choose whom to trust."""
    (tmp_path / "home/config.toml").write_text(table("from_env = true"))
    project = clone(tmp_path / "git", {SHARED: env_of(TRUST=str(tmp_path))})
    own = {PREFIXES[2] + "ENDPOINT": "https://mine.example", PREFIXES[2] + "CERTIFICATE": "$TRUST/ca.pem"}
    environ = {**os.environ, "CLAUDE_CONFIG_DIR": str(tmp_path), **own}
    with pytest.raises(ConfigError, match=r"a setting uses \$TRUST, which comes from"):
        config.load(merged(environ, project))


def test_no_command_contacts_a_server_that_a_repository_chose(tmp_path: Path, otlp: LoopbackOtlp) -> None:
    """The hook, backfill and doctor; the address that applies otherwise is not contacted either."""
    (tmp_path / "home/config.toml").write_text(table("from_env = true"))
    (tmp_path / "claude").mkdir()
    project = clone(tmp_path / "git", {SHARED: env_of(CC_LANGFUSE_OTEL_EXPORTER_OTLP_ENDPOINT=otlp.url)})
    environ = {"CLAUDE_CONFIG_DIR": str(tmp_path / "claude"), "TRACE_TO_LANGFUSE": "true"}
    inside = merged(environ, project)
    run_hook(session_in(project, tmp_path / "claude"), inside, project)
    backfill = run_ccship("backfill", environ=inside, cwd=project)
    doctor = run_ccship("doctor", environ=environ, cwd=project)
    assert backfill.returncode == doctor.returncode == 1
    assert all("OTEL_EXPORTER_OTLP_ENDPOINT comes from" in text for text in (backfill.stderr, doctor.stdout))
    assert otlp.paths == []


def test_a_secret_is_in_no_repr_output_log_or_state(tmp_path: Path, otlp: LoopbackOtlp, state_dir: Path) -> None:
    """Of a header in a table, a file or a variable."""
    (tmp_path / "headers").write_text(f"authorization: Bearer {SECRET}\n")
    tables = [
        otlp.table(name="first", headers={"authorization": f"Bearer {SECRET}"}),
        otlp.table(name="second", headers_file=str(tmp_path / "headers"), also=True),
        otlp.table(name="third", from_env=True, also=True),
    ]
    (tmp_path / "home/config.toml").write_text("\n".join(tables))
    (tmp_path / "claude").mkdir()
    environ = {
        **os.environ,
        "CLAUDE_CONFIG_DIR": str(tmp_path / "claude"),
        "TRACE_TO_LANGFUSE": "true",
        "CC_LANGFUSE_DEBUG": "true",
        "CC_LANGFUSE_OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{SECRET}",
        "CC_LANGFUSE_HEADERS": f"a={SECRET}",
    }
    project = clone(tmp_path / "git", {"x": ""})
    session_in(project, tmp_path / "claude")
    root = config.load(environ)
    assert SECRET not in repr(root) + repr([route.config for route in root.routes]) + repr(root.routes)
    done = [
        run_ccship(*words.split(), environ=environ, cwd=project)
        for words in ("config", "config --json", "backfill --yes", "status", "status --json", "doctor", "verify")
    ]
    otlp.required = {"authorization": "another"}
    done.append(run_ccship("backfill", "--resend", "--yes", environ=environ, cwd=project))
    assert "check the headers of destination first" in done[-1].stderr
    assert [headers["authorization"] for headers in otlp.headers] == [f"Bearer {SECRET}"] * len(otlp.headers)
    assert len(otlp.headers) >= 6
    assert SECRET not in "".join(run.stdout + run.stderr for run in done)
    files = [path for path in state_dir.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if SECRET.encode() in path.read_bytes()]
