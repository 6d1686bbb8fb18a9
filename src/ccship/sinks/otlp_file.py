"""Writes OTLP JSON lines, one export request per line: OpenTelemetry's file format.

The file is written next to its destination and renamed when complete: readers see the old file or the new one.
"""

import base64
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from ccship.errors import ConfigError
from ccship.signals.scores import Score
from ccship.sinks import Delivery
from ccship.sinks.exporter import AccountingExporter, span_id_of
from ccship.sinks.spans import SpanSink
from ccship.storage import Replacement

STDOUT = Path("-")


class OtlpFileSink(SpanSink):
    """Delivers to a file; `commit` publishes it. The path `-` is standard output."""

    def __init__(self, path: Path) -> None:
        self._replacement = None if path == STDOUT else _replacement_of(path)
        self._file = self._replacement.content if self._replacement else sys.stdout.buffer
        super().__init__(
            _FileExporter(self._file), public_key="pk-lf-file", secret_key="sk-lf-file",  # noqa: S106 - never sent
            base_url="http://127.0.0.1:9", upload_media=False,
        )  # fmt: skip

    def score(self, scores: Sequence[Score]) -> Delivery:
        """Leave scores out: OTLP has none."""
        return Delivery(is_unsupported=bool(scores))

    def commit(self) -> None:
        """Move the complete file to its destination."""
        if self._replacement:
            self._replacement.commit()
        else:
            self._file.flush()

    def close(self) -> None:
        """Delete an uncommitted file."""
        super().close()
        if self._replacement:
            self._replacement.drop()


def _replacement_of(path: Path) -> Replacement:
    if path.exists() and not path.is_file():
        # a folder cannot be replaced, and a device or a pipe must not be
        raise ConfigError(f"{path} is not a file: name one with --to, or - for stdout")
    try:
        return Replacement(path)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written ({error.strerror}): name another file with --to") from error


class _FileExporter(AccountingExporter):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        request = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
        _hex_ids(request)
        line = orjson.dumps(request) + b"\n"
        if self._file.write(line) < len(line):
            # Python reports a reader that disconnects during a write as a short count
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        self.delivery.accepted.update(map(span_id_of, spans))


def _hex_ids(request: dict[str, Any]) -> None:
    """Convert ids to hex, as OTLP JSON requires; protobuf's own JSON mapping writes base64."""
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = base64.b64decode(span[name]).hex()
