"""A file of OTLP JSON lines, one export request a line: OpenTelemetry's file format.

Written beside its destination and renamed when complete, so that a reader sees the old file or the new one.
"""

import base64
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan

from ccship.errors import ConfigError
from ccship.sinks.spans import AccountingExporter, SpanSink, span_id_of

STDOUT = Path("-")


class OtlpFileSink(SpanSink):
    """Delivers to a file; `commit` makes it appear. The path `-` is standard output."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._temporary: Path | None = None
        self._file = self._open()
        super().__init__(
            _FileExporter(self._file), public_key="pk-lf-file", secret_key="sk-lf-file",  # noqa: S106 - never sent
            base_url="http://127.0.0.1:9", upload_media=False,
        )  # fmt: skip

    def commit(self) -> None:
        """Make the file appear under its name, whole."""
        self._file.flush()
        if self._temporary is not None:
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._path)
            self._temporary = None

    def close(self) -> None:
        """Drop what was not committed."""
        super().close()
        if self._temporary is not None:
            with suppress(OSError):  # of a full disk, once more
                self._file.close()
            self._temporary.unlink(missing_ok=True)

    def _open(self) -> BinaryIO:
        if self._path == STDOUT:
            return sys.stdout.buffer
        if self._path.exists() and not self._path.is_file():
            # a folder cannot be replaced, and a device or a pipe must not be
            raise ConfigError(f"{self._path} is no file: name one with --to, or - for stdout")
        try:
            descriptor, name = tempfile.mkstemp(dir=self._path.absolute().parent, prefix=f".{self._path.name}.")
        except OSError as error:
            raise ConfigError(
                f"{self._path} cannot be written ({error.strerror}): name another file with --to"
            ) from error
        self._temporary = Path(name)
        return os.fdopen(descriptor, "wb")


class _FileExporter(AccountingExporter):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def send(self, spans: Sequence[ReadableSpan]) -> None:
        request = MessageToDict(encode_spans(spans), use_integers_for_enums=True)
        _hex_ids(request)
        self._file.write(orjson.dumps(request) + b"\n")
        self.delivery.accepted.update(map(span_id_of, spans))


def _hex_ids(request: dict[str, Any]) -> None:
    """OTLP JSON writes ids in hex, unlike protobuf's own JSON mapping."""
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in ("traceId", "spanId", "parentSpanId"):
                    if name in span:
                        span[name] = base64.b64decode(span[name]).hex()
