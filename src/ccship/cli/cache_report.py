"""`ccship usage cache`: what the prompt cache served, and what rebuilding it cost."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from ccship.cli.columns import GAP, dollars, padded, widths
from ccship.cli.usage_document import fields_of
from ccship.ledger.calls import iso_of
from ccship.usage.cache import Rebuild
from ccship.usage.query import CacheReport

_PAUSES = 5
"""How many pauses are listed."""

_SESSION_CHARS = 8


def cache_text(report: CacheReport) -> str:
    """Return the report for people."""
    total = report.total
    prompt = total.input + total.cache_read + total.cache_write_5m + total.cache_write_1h
    lines = [f"hit rate {_share(total.cache_read, prompt)}: {total.cache_read:,} of {prompt:,} prompt tokens"]
    if report.rebuilds:
        lines += ["", *_table([("rebuilt because of", "times", "tokens", "extra cost"), *_causes(report.rebuilds)])]
    if pauses := _longest(report.rebuilds):
        heads = ("longest pauses", "session", "pause", "tokens", "extra cost")
        lines += ["", *_table([heads, *map(_pause, pauses)], texts=2)]
    return "\n".join([*lines, "extra cost: of writing instead of reading the cache, at API prices"])


def cache_document(report: CacheReport, problems: list[str]) -> bytes:
    """Return the JSON document."""
    content = {
        "total": fields_of(report.total),
        "causes": [
            {
                "cause": cause,
                "times": len(found),
                "tokens": _tokens(found),
                "cost_usd": _cost(found),
            }
            for cause, found in _by_cause(report.rebuilds)
        ],
        "longest_pauses": [
            {
                "session": each.session,
                "time": iso_of(each.time_ms),
                "pause_seconds": each.pause_ms // 1000,
                "tokens": each.tokens,
                "cost_usd": None if each.cost_usd is None else round(each.cost_usd, 6),
            }
            for each in _longest(report.rebuilds)
        ],
        "prices": "API",
        "problems": problems,
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"


def _by_cause(rebuilds: Sequence[Rebuild]) -> list[tuple[str, list[Rebuild]]]:
    """Return the rebuilds of each cause, the most expensive cause first."""
    found: dict[str, list[Rebuild]] = defaultdict(list)
    for rebuild in rebuilds:
        found[rebuild.cause].append(rebuild)
    return sorted(found.items(), key=lambda item: (-(_cost(item[1]) or 0), item[0]))


def _causes(rebuilds: Sequence[Rebuild]) -> list[tuple[str, ...]]:
    named = [*_by_cause(rebuilds), ("total", list(rebuilds))]
    return [(cause, f"{len(found):,}", f"{_tokens(found):,}", _money(_cost(found))) for cause, found in named]


def _longest(rebuilds: Sequence[Rebuild]) -> list[Rebuild]:
    pauses = [each for each in rebuilds if each.cause == "pause"]
    return sorted(pauses, key=lambda each: (-each.pause_ms, each.time_ms))[:_PAUSES]


def _pause(rebuild: Rebuild) -> tuple[str, ...]:
    began = datetime.fromtimestamp(rebuild.time_ms / 1000, UTC).astimezone()
    minutes = rebuild.pause_ms // 60_000
    pause = f"{minutes // 60}h {minutes % 60:02}m" if minutes >= 60 else f"{minutes}m"  # noqa: PLR2004 - minutes
    return (
        f"{began:%Y-%m-%d %H:%M}",
        rebuild.session[:_SESSION_CHARS],
        pause,
        f"{rebuild.tokens:,}",
        _money(rebuild.cost_usd),
    )


def _table(rows: Sequence[tuple[str, ...]], texts: int = 1) -> list[str]:
    """Return the lines of a table whose first columns are texts."""
    sizes = widths(rows)
    return [
        GAP.join(
            padded(cell, size) if at < texts else cell.rjust(size)
            for at, (cell, size) in enumerate(zip(row, sizes, strict=True))
        )
        for row in rows
    ]


def _tokens(rebuilds: Sequence[Rebuild]) -> int:
    return sum(rebuild.tokens for rebuild in rebuilds)


def _cost(rebuilds: Sequence[Rebuild]) -> float | None:
    """Return the cost of rebuilds; None if no model has a price."""
    known = [each.cost_usd for each in rebuilds if each.cost_usd is not None]
    return round(sum(known), 6) if known or not rebuilds else None


def _money(cost_usd: float | None) -> str:
    return "?" if cost_usd is None else dollars(cost_usd)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
