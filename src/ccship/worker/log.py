"""The log of the workers: one small file, which all of them share."""

import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from ccship.hook import MAX_LOG_BYTES
from ccship.pipeline.report import Report
from ccship.storage import private

LOG = logging.getLogger("ccship")
_TIME = "%Y-%m-%d %H:%M:%S"


def sent_text(report: Report) -> str:
    """Return what was sent, for the log."""
    spans, scores = report.spans["accepted"], report.scores["accepted"]
    refused = report.spans["dead_lettered"] + report.scores["dead_lettered"]
    return f"sent {spans} spans and {scores} scores, {refused} refused" if spans or scores or refused else "up to date"


def open_log(folder: Path) -> None:
    """Log into the state folder."""
    path = private(folder) / "ccship.log"
    if path.is_symlink():
        path.unlink()  # a link would let others choose the file that is written
    handler = RotatingFileHandler(path, maxBytes=MAX_LOG_BYTES, backupCount=1)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", _TIME))
    LOG.addHandler(handler)
    LOG.propagate = False
    LOG.setLevel(logging.INFO)


def name_in_log(name: str) -> None:
    """Write the name of a further destination into the lines of its worker: several processes share the log."""
    for handler in LOG.handlers:
        handler.setFormatter(
            logging.Formatter(f"%(asctime)s %(levelname)s {name.replace('%', '%%')}: %(message)s", _TIME)
        )
