"""What several test modules do with ccship."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir
from dataclasses import fields
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from ccship.cli import app
from ccship.observations import Labels, Observation, Trace
from ccship.outbox import Report
from ccship.privacy import OPEN
from ccship.ship import Shipper
from ccship.sinks import Delivery
from ccship.state import State
from ccship.transcript.discover import sessions_at


class KeepingSink:
    """Accepts everything and keeps it: `latest` by id, `sent` in order."""

    def __init__(self) -> None:
        self.sent: list[Observation] = []

    @property
    def latest(self) -> dict[str, Observation]:
        return {observation.span_id: observation for observation in self.sent}

    def deliver(self, observations: Sequence[Observation]) -> Delivery:
        self.sent += observations
        return Delivery(accepted={observation.span_id for observation in observations})

    def close(self) -> None:
        pass


def ship_to(sink: KeepingSink, paths: Iterable[Path], state: State | None = None) -> Report:
    """Ship transcripts to a sink as they are, with a fresh state if none is given."""
    shipper = Shipper(sink, state or State(None, "test"), Labels(), policy=OPEN)
    for session in sessions_at(paths):
        shipper.ship(session)
    return shipper.report


def observe(path: Path) -> list[Observation]:
    """What a transcript (with its subagents') gives, taken alone."""
    sink = KeepingSink()
    ship_to(sink, [path])
    return sink.sent


def strings_in(value: Any) -> Iterator[str]:
    """All texts of a value, keys too."""
    match value:
        case str():
            yield value
        case list() | tuple():
            for item in value:
                yield from strings_in(item)
        case dict():
            for key, item in value.items():
                yield key
                yield from strings_in(item)
        case Observation() | Trace():
            for field in fields(value):
                yield from strings_in(getattr(value, field.name))


def run_ccship(
    *arguments: str | Path, environ: Mapping[str, str] | None = None, stdin: bytes = b"", cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program as a person would."""
    done = subprocess.run(
        [sys.executable, "-m", "ccship", *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env={**os.environ, **(environ or {})},
        cwd=cwd,
        check=False,
        timeout=120,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def call_ccship(
    *arguments: str | Path, environ: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """The same without a process of its own, for tables: 10 ms instead of 500."""
    with chdir(cwd or Path.cwd()):
        done = CliRunner(env=environ).invoke(app, list(map(str, arguments)), prog_name="ccship")
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def until(holds: Callable[[], bool], patience_s: float) -> None:
    """Return when something holds; fail when it takes too long."""
    give_up = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.01)


def fake_client(folder: Path, says: str) -> dict[str, str]:
    """A `claude` that says its version, in front of everything else on the PATH; returns that PATH."""
    script = folder / "bin" / "claude"
    script.parent.mkdir(exist_ok=True)
    script.write_text(f"#!/bin/sh\necho '{says}'\n")
    script.chmod(0o755)
    return {"PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}"}
