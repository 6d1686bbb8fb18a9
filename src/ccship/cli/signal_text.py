"""Names of signals with their values, for people."""

from collections.abc import Iterable

from ccship.cli.columns import dollars
from ccship.signals.model import Mark, SignalName, Signals, Value


def fired_text(signals: Signals) -> str:
    """Return what fired, with values: `complaint (conceded), edit_failed 2`."""
    return ", ".join(_shown(name, value, signals) for name, value in signals.fired())


def fired_names(signals: Signals) -> str:
    """Return the names of what fired, for a narrow column."""
    return ", ".join(name.removesuffix("_usd") for name, _ in signals.fired())


def reasons_text(signals: Signals) -> str:
    """Return why a turn is worth reading, the most telling reason first."""
    return ", ".join(_shown(reason, getattr(signals, reason), signals) for reason in signals.reasons)


def marks_text(marks: Iterable[Mark]) -> str:
    """Return the signals that were found at a step."""
    return ", ".join(_shown(mark.signal, mark.value, None) for mark in marks)


def _shown(name: SignalName, value: Value, signals: Signals | None) -> str:
    if name == "cache_rebuild_usd":
        return f"cache_rebuild {dollars(value)}"
    if name == "complaint" and signals:
        return f"complaint ({', '.join(signals.complaint_parts)})"
    if name == "api_error" and signals:
        return f"api_error ({signals.api_error_class})"
    return name if value is True or value == 1 else f"{name} {value:,}"
