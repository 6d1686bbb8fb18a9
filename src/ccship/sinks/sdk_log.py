"""What Langfuse's SDK would print by itself: told by us, once, and without any text that a span may hold."""

import logging

_log = logging.getLogger("ccship")
_sdk = logging.getLogger("langfuse")


class _Teller(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._told: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if record.module == "media_manager":  # its messages hold an error, no text
            what = f"an image or PDF did not arrive; if its turn did, send both with --resend: {record.getMessage()}"
        else:
            what = f"Langfuse's SDK had a problem in {record.module}.{record.funcName}"
        if what not in self._told:
            self._told.add(what)
            _log.warning("%s", what[:400])


def tell_of_sdk() -> None:
    """Listen to the SDK from now on; twice is as good as once."""
    if not any(isinstance(handler, _Teller) for handler in _sdk.handlers):
        _sdk.addHandler(_Teller())
