"""What a backfill is about, and how it is told: before and after, to people and to programs."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from rich.filesize import decimal

from ccship.cli.output import counted, iso_time, local_time
from ccship.outbox import Report
from ccship.routing import Destination
from ccship.transcript.usage import CACHE_WRITES


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen: where it goes, and how many sessions of excluded projects there are, by pattern."""

    destinations: list[Destination]
    excluded: Counter[str]

    @property
    def ready(self) -> "Choice":
        """What can be sent: where there are keys."""
        return Choice([it for it in self.destinations if it.settings.has_keys], self.excluded)

    @property
    def servers(self) -> str:
        """Where it goes."""
        return " and ".join(dict.fromkeys(it.settings.base_url for it in self.destinations))

    @property
    def size(self) -> int:
        """Bytes of all transcripts."""
        return sum(session.size for it in self.destinations for session in it.sessions)

    def without_keys(self) -> Iterator[str]:
        """What cannot be sent, as problems."""
        for it in self.destinations:
            if not it.settings.has_keys:
                yield f"no keys for {it.title}: {counted(len(it.sessions), 'session')} not sent"


def plan_text(plan: Report, choice: Choice) -> str:
    """What a run would do."""
    span = " to ".join(local_time(moment_ns / 1e9) for moment_ns in plan.began_ns or ())
    tokens = plan.tokens
    written = sum(tokens[key] for key in CACHE_WRITES)
    turns, subagents = counted(plan.turns["sent"], "turn"), counted(plan.turns["subagents"], "subagent")
    observations = counted(plan.spans["accepted"], "observation")
    read = tokens["cache_read_input_tokens"]
    lines = [
        f"would send to {choice.servers}:" if choice.destinations else "would send nothing:",
        f"  {turns} and {subagents} of {counted(plan.sessions, 'session')}" + (f", begun {span}" if span else ""),
        f"  {observations}, {decimal(plan.text_bytes)}, from {decimal(choice.size)} of transcripts",
        f"  tokens: {tokens['input']:,} in, {tokens['output']:,} out, {read:,} from the cache, {written:,} into it",
    ]
    return "\n".join([*lines, *_left_out(plan, choice), *_remarks(plan)])


def result_text(report: Report, choice: Choice, verb: str) -> str:
    """What a run did."""
    tokens = report.tokens
    what = f"{report.turns['sent']} turns and {report.turns['subagents']} subagents of {report.sessions} sessions"
    size = (
        f"{report.spans['accepted']} observations, {tokens['output']:,} tokens out,"
        f" {tokens['cache_read_input_tokens']:,} read from the cache"
    )
    return "\n".join([f"{verb} {what}: {size}", *_left_out(report, choice), *_remarks(report)])


def document(report: Report, choice: Choice, verb: str) -> dict[str, object]:
    """A run for programs."""
    return {
        "done": verb,
        "ok": report.ok,
        "stopped": report.stopped,
        "sessions": report.sessions,
        "transcript_bytes": choice.size,
        "text_bytes": report.text_bytes,
        "oldest": iso_time(report.began_ns[0] / 1e9) if report.began_ns else None,
        "newest": iso_time(report.began_ns[1] / 1e9) if report.began_ns else None,
        "turns": dict(report.turns),
        "observations": dict(report.spans),
        "tokens": dict(report.tokens),
        "lines": dict(report.lines),
        "redacted": dict(report.redacted),
        "excluded": dict(choice.excluded),
        "problems": report.problems,
        "failure": str(report.failure) if report.failure else None,
    }


def _left_out(report: Report, choice: Choice) -> Iterator[str]:
    if report.spans["unchanged"]:
        yield f"{report.spans['unchanged']} observations had arrived before"
    if report.turns["copied"]:
        yield f"{report.turns['copied']} turns are copies of turns of another session"
    if report.turns["unwanted"]:
        yield f"{report.turns['unwanted']} turns began outside of --since and --until"
    for pattern, count in choice.excluded.items():
        yield f"{counted(count, 'session')} of projects that {pattern} excludes"


def _remarks(report: Report) -> Iterator[str]:
    if redacted := report.redacted.total():
        rules = ", ".join(f"{rule} {count}" for rule, count in report.redacted.most_common())
        yield f"{redacted} times something that looks like a credential was taken out: {rules}"
    if report.spans["dead_lettered"]:
        yield f"{report.spans['dead_lettered']} observations were refused for good: see ccship status"
    unknown = sum(count for kind, count in report.lines.items() if kind.startswith("ignored:unknown:"))
    if report.lines["bad"] or unknown:
        yield f"{report.lines['bad']} lines could not be read, {unknown} are of an unknown type"
