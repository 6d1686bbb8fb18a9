"""What several test modules do with ccship."""

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import msgspec

from ccship.observations import Observation, Trace, TraceSettings
from ccship.pipeline.plan import Options
from ccship.pipeline.report import Report
from ccship.pipeline.ship import Shipper
from ccship.privacy import UNFILTERED
from ccship.privacy.encoding import Encoded
from ccship.signals.scores import Score, SignalsMode
from ccship.sinks import Delivery
from ccship.state import State
from ccship.transcript.discover import sessions_at
from fork_server import LIMIT_S, fork_server
from scored import ScoreTable

Done = subprocess.CompletedProcess[str]


HURRIED = """
from dataclasses import replace
from ccship.sinks import langfuse, otlp_http
langfuse.PATIENCE = otlp_http.PATIENCE = replace(langfuse.PATIENCE, first_wait_s=0.01)
"""
"""To be run before ccship: a server that fails is asked again at once, not after half a second and a second."""


class KeepingSink:
    """Accepts everything and keeps it: `latest` by id, `sent` in order, and `scores` as a server does."""

    def __init__(self, scores: ScoreTable | None = None) -> None:
        self.sent: list[Observation] = []
        self.scores = ScoreTable() if scores is None else scores

    @property
    def latest(self) -> dict[str, Observation]:
        return {observation.span_id: observation for observation in self.sent}

    def deliver(self, spans: Sequence[Encoded]) -> Delivery:
        self.sent += (span.observation for span in spans)
        return Delivery(accepted={span.span_id for span in spans})

    def score(self, scores: Sequence[Score]) -> Delivery:
        self.scores.add(scores)
        return Delivery(accepted={score.id for score in scores})

    def close(self) -> None:
        pass


def ship_to(
    sink: KeepingSink,
    paths: Iterable[Path],
    state: State | None = None,
    trace_settings: TraceSettings | None = None,
    signals: SignalsMode = "off",
) -> Report:
    """Ship transcripts to a sink as they are, with a fresh state if none is given."""
    options = Options(trace_settings or TraceSettings(), signals=signals)
    shipper = Shipper(sink, state or State(None, "test"), options, policy=UNFILTERED)
    shipper.ship(sessions_at(paths))
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
        case Trace():
            yield from strings_in(list(dataclasses.asdict(value).values()))
        case Observation():
            yield from strings_in(list(msgspec.structs.asdict(value).values()))


def run_ccship(
    *arguments: str | Path,
    environ: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    cwd: Path | None = None,
    first: str = "",
    module: str = "ccship",
) -> Done:
    """Run the program in a child of the fork server; `first`: a program of the test's own to run in it before."""
    given, server = {**os.environ, **(environ or {})}, fork_server()
    if not server.can_show(given):
        return run_anew(*arguments, environ=environ, stdin=stdin, cwd=cwd, first=first, module=module)
    with TemporaryFile() as asked, TemporaryFile() as said, TemporaryFile() as complained:
        asked.write(stdin)
        asked.seek(0)
        child = server.start(module, [*map(str, arguments)], given, cwd or Path.cwd(), (asked, said, complained), first)
        try:
            code = child.wait()
        except subprocess.TimeoutExpired:
            child.kill()
            raise
        return Done(arguments, code, *(os.pread(file.fileno(), 1 << 30, 0).decode() for file in (said, complained)))


def run_anew(
    *arguments: str | Path,
    environ: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    cwd: Path | None = None,
    first: str = "",
    module: str = "ccship",
) -> Done:
    """The same in a new interpreter, as a person would: 40 times as slow, but nothing is imported yet."""
    start = ["-c", f"{first}\nimport runpy\nrunpy.run_module({module!r}, run_name='__main__', alter_sys=True)"]
    done = subprocess.run(
        [sys.executable, *(start if first else ["-m", module]), *map(str, arguments)],
        input=stdin,
        capture_output=True,
        env={**os.environ, **(environ or {})},
        cwd=cwd,
        check=False,
        timeout=LIMIT_S,
    )
    return Done(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


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
