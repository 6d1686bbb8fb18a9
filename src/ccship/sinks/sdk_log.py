"""Replaces the log of Langfuse's SDK: each problem once, without text of a span."""

import logging

_log = logging.getLogger("ccship")
_sdk = logging.getLogger("langfuse")

_REASON_CHARS = 200


class _Handler(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._logged: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = _message(record)
        if message not in self._logged:
            self._logged.add(message)
            _log.warning("%s", message)


def _message(record: logging.LogRecord) -> str:
    """Return a message for people: what happened, to what, what to do next."""
    if record.module == "media_manager":
        return (
            f"an image or PDF did not arrive ({_reason(record)}): fix the cause, then run"
            " ccship backfill --resend --session with the id of its session"
        )
    if record.module == "media":
        return "an image or PDF is damaged in its transcript and was not sent; the rest of its turn was sent"
    return (
        f"Langfuse's SDK reported a problem ({record.module}.{record.funcName}): run ccship verify to see what arrived"
    )


def _reason(record: logging.LogRecord) -> str:
    """Return the error in a log record; of a refused request only the status, because the text contains all headers."""
    errors = (
        [argument for argument in record.args if isinstance(argument, Exception)]
        if isinstance(record.args, tuple)
        else []
    )
    if not errors:
        return "refused by the SDK"
    status = getattr(errors[-1], "status_code", None)
    if status in (401, 403):
        return f"HTTP {status}: check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"
    return f"HTTP {status}" if status else str(errors[-1])[:_REASON_CHARS] or type(errors[-1]).__name__


def handle_sdk_log() -> None:
    """Handle warnings of the SDK. Calling it again has no effect."""
    if not any(isinstance(handler, _Handler) for handler in _sdk.handlers):
        _sdk.addHandler(_Handler())
