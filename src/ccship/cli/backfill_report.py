"""Plan and result of a backfill, as text and as a JSON document."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.filesize import decimal

from ccship.cli.output import counted, iso_time, local_time
from ccship.config.routing import Destination, title_of
from ccship.observations.line_outcomes import BAD, RecordCounts, outcomes_in
from ccship.pipeline.report import Report
from ccship.transcript.usage import CACHE_WRITES


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected sessions by destination, and the number of sessions that each pattern excludes."""

    destinations: list[Destination]
    excluded: Counter[str]

    @property
    def ready(self) -> "Selection":
        """The same without destinations that have no keys."""
        ready = [destination for destination in self.destinations if destination.settings.can_send]
        return Selection(ready, self.excluded)

    @property
    def servers(self) -> str:
        """The servers' addresses, for messages."""
        settings = (destination.settings for destination in self.destinations)
        servers = ("no server (refused)" if each.refusal else each.base_url for each in settings)
        return " and ".join(dict.fromkeys(servers))

    @property
    def size(self) -> int:
        """The size of all transcripts, in bytes."""
        return sum(session.size for destination in self.destinations for session in destination.sessions)

    @property
    def by_name(self) -> "dict[str, Selection]":
        """The destinations one by one if sessions go to several of them, so that sums would count these twice."""
        paths = [
            path for destination in self.destinations for session in destination.sessions for path in session.paths
        ]
        if len(set(paths)) == len(paths):
            return {}
        of_name: dict[str, list[Destination]] = {}
        for destination in self.destinations:
            of_name.setdefault(destination.settings.name, []).append(destination)
        return {name: Selection(destinations, Counter()) for name, destinations in of_name.items()}

    def without_keys(self) -> Iterator[str]:
        """Yield a problem for each destination that has no keys."""
        for destination in self.destinations:
            if not destination.settings.can_send:
                yield destination.without_keys(f"{counted(len(destination.sessions), 'session')} not sent")


def plan_text(plan: Report, selection: Selection) -> str:
    """Format the plan of a run, each destination apart if sessions go to several."""
    parts = [_plan_text(plan.destinations.get(name, Report()), each) for name, each in selection.by_name.items()]
    return "\n".join([*parts, *_excluded(selection)]) if parts else _plan_text(plan, selection)


def _plan_text(plan: Report, selection: Selection) -> str:
    span = " to ".join(local_time(moment_ns / 1e9) for moment_ns in plan.began_ns or ())
    tokens = plan.tokens
    written = sum(tokens[key] for key in CACHE_WRITES)
    turns, subagents = counted(plan.turns["sent"], "turn"), counted(plan.turns["subagents"], "subagent")
    observations = _sent(plan)
    read = tokens["cache_read_input_tokens"]
    lines = [
        f"would send to {selection.servers}:" if selection.destinations else "would send nothing:",
        f"  {turns} and {subagents} of {counted(plan.sessions, 'session')}" + (f", begun {span}" if span else ""),
        f"  {observations}, {decimal(plan.text_bytes)}, from {decimal(selection.size)} of transcripts",
        f"  tokens: {tokens['input']:,} in, {tokens['output']:,} out, {read:,} cache read, {written:,} cache write",
    ]
    return "\n".join([*lines, *_skipped(plan, selection), *_notes(plan)])


def result_text(report: Report, selection: Selection, verb: str) -> str:
    """Format the result of a run, each destination apart if sessions go to several.

    `verb`: `sent`, `wrote` or `would send`.
    """
    parts = [
        f"{name}: {_result_text(report.destinations.get(name, Report()), each, verb)}"
        for name, each in selection.by_name.items()
    ]
    return "\n".join([*parts, *_excluded(selection)]) if parts else _result_text(report, selection, verb)


def _result_text(report: Report, selection: Selection, verb: str) -> str:
    tokens = report.tokens
    turns, subagents = counted(report.turns["sent"], "turn"), counted(report.turns["subagents"], "subagent")
    size = f"{_sent(report)}, {tokens['output']:,} tokens out, {tokens['cache_read_input_tokens']:,} cache read"
    return "\n".join(
        [
            f"{verb} {turns} and {subagents} of {counted(report.sessions, 'session')}: {size}",
            *_skipped(report, selection),
            *_notes(report),
        ]
    )


def failures(report: Report) -> list[str]:
    """Return the messages about servers that did not accept everything; of several, with the destination's name."""
    if len(report.destinations) < 2:  # noqa: PLR2004 - one needs no name
        return [str(report.failure)] if report.failure else []
    failed = {name: each.failure for name, each in report.destinations.items() if each.failure}
    return [f"{title_of(name)}: {failure}" for name, failure in failed.items()]


def document(report: Report, selection: Selection, verb: str) -> dict[str, object]:
    """Return the plan or the result of a run as a JSON document."""
    return {
        "done": verb,
        "ok": report.ok,
        "stopped": report.stopped,
        "sessions": report.sessions,
        "transcript_bytes": selection.size,
        "text_bytes": report.text_bytes,
        "oldest": iso_time(report.began_ns[0] / 1e9) if report.began_ns else None,
        "newest": iso_time(report.began_ns[1] / 1e9) if report.began_ns else None,
        "turns": dict(report.turns),
        "observations": dict(report.spans),
        "scores": dict(report.scores),
        "tokens": dict(report.tokens),
        "lines": dict(report.lines),
        "redacted": dict(report.redacted),
        "excluded": dict(selection.excluded),
        "unpriced_models": sorted(report.unpriced),
        "problems": report.problems,
        "failure": str(report.failure) if report.failure else None,
        "destinations": {
            name: {
                "turns": dict(each.turns),
                "observations": dict(each.spans),
                "scores": dict(each.scores),
                "failure": str(each.failure) if each.failure else None,
            }
            for name, each in report.destinations.items()
        },
    }


def _sent(report: Report) -> str:
    observations = counted(report.spans["accepted"], "observation")
    scores = report.scores["accepted"]
    return f"{observations} and {counted(scores, 'score')}" if scores else observations


def unpriced_text(models: Iterable[str]) -> str:
    """Format the models that neither Langfuse nor ccship has a price for, and the fix."""
    names = ", ".join(sorted(models))
    return f"no price for {names}: add the model in Langfuse (Settings > Models), or update ccship"


def waiting_text(count: int) -> str:
    """Format the number of subagents whose launch is not in a transcript yet."""
    return f"{counted(count, 'subagent')} whose launch is not on disk yet; sent when the session ends"


def _skipped(report: Report, selection: Selection) -> Iterator[str]:
    if report.spans["unchanged"]:
        yield f"skipped {counted(report.spans['unchanged'], 'observation')} delivered before"
    if report.turns["copied"]:
        yield f"skipped {counted(report.turns['copied'], 'turn')} already sent as part of another session"
    if report.turns["unwanted"]:
        yield f"skipped {counted(report.turns['unwanted'], 'turn')} outside --since and --until"
    if report.turns["waiting"]:
        yield f"not sent yet: {waiting_text(report.turns['waiting'])}"
    yield from _excluded(selection)


def _excluded(selection: Selection) -> Iterator[str]:
    for pattern, count in selection.excluded.items():
        yield f"skipped {counted(count, 'session')} of projects excluded by {pattern}"


def _notes(report: Report) -> Iterator[str]:
    if redacted := report.redacted.total():
        rules = ", ".join(f"{rule} {count}" for rule, count in report.redacted.most_common())
        yield f"redacted {counted(redacted, 'likely credential')}: {rules}"
    if report.unpriced:
        yield unpriced_text(report.unpriced)
    if report.spans["dead_lettered"]:
        refused = counted(report.spans["dead_lettered"], "observation")
        yield f"the server refused {refused}: run ccship status for the reason"
    if report.scores["dead_lettered"]:
        refused = counted(report.scores["dead_lettered"], "score")
        yield f"the server refused {refused}: run ccship status for the reason"
    if report.scores["unsupported"]:
        yield (
            "the server takes no scores: update Langfuse, or let the gateway forward /api/public/ingestion, then run"
            " ccship backfill --signals-only"
        )
    lines = RecordCounts.of(outcomes_in(report.lines))
    bad, unknown = lines.ignored[BAD], lines.unknown.total()
    if bad or unknown:
        yield f"{counted(bad, 'line')} could not be parsed, {counted(unknown, 'record')} of an unknown type"
