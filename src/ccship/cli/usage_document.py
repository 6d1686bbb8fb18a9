"""The report of `ccship usage` as JSON and as CSV."""

import csv
from io import StringIO

import msgspec

from ccship.cli.usage_table import cost_of
from ccship.ledger.calls import iso_of
from ccship.usage.dimensions import By
from ccship.usage.query import Report
from ccship.usage.report import Row, total_of


def document(report: Report, by: tuple[By, ...], problems: list[str]) -> bytes:
    """Return the JSON document."""
    content = {
        "by": ",".join(by),
        "rows": [{**_keys(row, by), **fields_of(row), **_of_session(row, by, report)} for row in report.rows],
        "total": fields_of(total_of(report.rows)),
        "prices": "API",
        "deleted_sessions": report.deleted_sessions,
        "problems": problems,
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def csv_of(report: Report, by: tuple[By, ...]) -> str:
    """Return the rows as CSV with a header, without their total."""
    rows = [{**_keys(row, by), **fields_of(row)} for row in report.rows]
    names = [*by, *(name for name in fields_of(Row(())) if name != "unpriced_tokens")]
    text = StringIO()
    writer = csv.DictWriter(text, names, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _keys(row: Row, by: tuple[By, ...]) -> dict[str, str]:
    return dict(zip(by, row.keys, strict=True))


def _of_session(row: Row, by: tuple[By, ...], report: Report) -> dict[str, str | None]:
    if "session" not in by and "project" not in by:
        return {}
    directory = {"directory": report.directories.get(row.project)}
    return directory if "project" in by else {"project": row.project, **directory}


def fields_of(row: Row) -> dict[str, object]:
    """Return the sums of a row."""
    return {
        "calls": row.calls,
        "input": row.input,
        "output": row.output,
        "cache_read": row.cache_read,
        "cache_write_5m": row.cache_write_5m,
        "cache_write_1h": row.cache_write_1h,
        "cost_usd": cost_of(row),
        "unpriced_calls": row.unpriced_calls,
        "unpriced_tokens": row.unpriced,
        "lower_bound_calls": row.lower_bound_calls,
        "first": None if row.first_ms is None else iso_of(row.first_ms),
        "last": None if row.last_ms is None else iso_of(row.last_ms),
    }
