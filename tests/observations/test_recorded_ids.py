"""What 0.1.0 sent keeps its ids, types and start times: a later version that sends it again doubles nothing.

`fixtures/recorded/ids-0.1.0.tsv` holds one line per observation of the fixtures, `shared-0.1.0.tsv` the first eight hex
digits of a SHA-256 of such a line for each observation of the transcripts beside this checkout. Changes that are meant
are listed here with their reason.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from conftest import FIXTURES, SHARED
from helpers import observe

RECORDED = FIXTURES / "recorded"

_CLAMPED = "starts with its turn or agent, no longer before it"
_AT_THE_END = "a compaction that was asked for after the work is at the end of its turn"
_FOLDED = "a compaction before the first turn of a file, where a command follows it, is an event of that turn"

CHANGED_IN_FIXTURES: dict[tuple[str, str], str] = {
    ("80c2a502-3338-43c6-9305-52ef820deea8", "66e0807a542fe004"): _AT_THE_END,
    ("80c2a502-3338-43c6-9305-52ef820deea8", "f9314a046ca34380"): _CLAMPED,
    ("a53fad9d-126c-4cfb-8c5b-4933dcec7972", "aaa52c9e2d659474"): _FOLDED,
    ("a53fad9d-126c-4cfb-8c5b-4933dcec7972", "b3aeb6516cda5a5e"): _CLAMPED,
    ("a53fad9d-126c-4cfb-8c5b-4933dcec7972", "cb2eff649206dec9"): _CLAMPED,
    ("aa6552c4-4cc1-4138-835c-23109a85332f", "63261cb5dad97add"): _AT_THE_END,
    ("aa6552c4-4cc1-4138-835c-23109a85332f", "b3aeb6516cda5a5e"): _CLAMPED,
    ("aa6552c4-4cc1-4138-835c-23109a85332f", "cb2eff649206dec9"): _CLAMPED,
    ("aa6552c4-4cc1-4138-835c-23109a85332f", "d871939ac698d636"): _CLAMPED,
    ("aa6552c4-4cc1-4138-835c-23109a85332f", "ff2c0adf2aa58bec"): _CLAMPED,
    ("dad1e8b6-649a-4fc2-8adb-bbdc197f183e", "97cae09d82a4defc"): _AT_THE_END,
    ("dad1e8b6-649a-4fc2-8adb-bbdc197f183e", "ae40c11c321489c4"): _CLAMPED,
}
"""(session, span id) of observations that 0.1.0 did not send, or sent with another start: why."""

CHANGED_IN_SHARED: dict[str, tuple[int, int]] = {
    "corpus/1.0.120-a.jsonl": (1, 1),
    "corpus/2.1.101-a.jsonl": (1, 1),
    "corpus/2.1.123-a.jsonl": (7, 7),
    "corpus/2.1.179-a.jsonl": (2, 2),
    "corpus/2.1.204-a.jsonl": (1, 1),
    "corpus/2.1.212-a.jsonl": (4, 3),
    "corpus/2.1.218-a.jsonl": (1, 1),
    "corpus/2.1.219-a.jsonl": (3, 3),
    "corpus/2.1.220-b.jsonl": (3, 3),
    "corpus/2.1.220-c.jsonl": (1, 1),
    "corpus/2.1.220-d.jsonl": (4, 5),
    "corpus/2.1.221-c.jsonl": (1, 1),
    "corpus/2.1.224-a.jsonl": (8, 8),
    "corpus/2.1.226-a.jsonl": (17, 17),
    "corpus/2.1.226-b.jsonl": (21, 19),
    "corpus/2.1.226-c.jsonl": (12, 12),
    "corpus/2.1.237-a.jsonl": (2, 2),
    "corpus/2.1.33-a.jsonl": (1, 2),
    "corpus/2.1.39-b.jsonl": (1, 1),
    "corpus/2.1.44-a.jsonl": (2, 2),
    "corpus/2.1.49-a.jsonl": (8, 1),
    "corpus/2.1.49-b.jsonl": (28, 1),
    "corpus/2.1.49-c.jsonl": (10, 1),
    "corpus/2.1.49-d.jsonl": (6, 5),
    "corpus/2.1.7-a.jsonl": (1, 1),
    "corpus/2.1.91-a.jsonl": (3, 3),
    "corpus/growing/5/00.jsonl": (2, 2),
    "corpus/growing/5/01.jsonl": (2, 2),
    "corpus/growing/5/02.jsonl": (2, 2),
    "corpus/growing/5/03.jsonl": (2, 2),
    "corpus/growing/5/04.jsonl": (2, 2),
    "corpus/growing/5/05.jsonl": (4, 4),
    "corpus/growing/6/00.jsonl": (1, 1),
    "corpus/growing/6/01.jsonl": (1, 1),
    "corpus/growing/6/02.jsonl": (1, 1),
    "corpus/growing/6/03.jsonl": (2, 2),
    "corpus/growing/6/04.jsonl": (3, 3),
    "corpus/growing/6/05.jsonl": (3, 3),
    "corpus/growing/7/00.jsonl": (1, 1),
    "corpus/growing/7/01.jsonl": (2, 2),
    "corpus/growing/7/02.jsonl": (8, 8),
    "corpus/growing/7/03.jsonl": (13, 13),
    "corpus/growing/7/04.jsonl": (17, 17),
    "transcripts/2.0.14/projects/-home-dev-demo/9690c712-38c0-46ff-815b-a803f3306ec0.jsonl": (0, 1),
    "transcripts/2.0.14/projects/-home-dev-demo/a5303e61-ca5e-480d-93f2-c4ff419145a1.jsonl": (2, 2),
    "transcripts/2.0.76/projects/-home-dev-demo/80c2a502-3338-43c6-9305-52ef820deea8.jsonl": (2, 2),
    "transcripts/2.1.150/projects/-home-dev-demo/a53fad9d-126c-4cfb-8c5b-4933dcec7972.jsonl": (2, 3),
    "transcripts/2.1.150/projects/-home-dev-demo/aa6552c4-4cc1-4138-835c-23109a85332f.jsonl": (5, 5),
    "transcripts/2.1.329/projects/-home-dev-demo/dad1e8b6-649a-4fc2-8adb-bbdc197f183e.jsonl": (2, 2),
    "transcripts/2.1.63/projects/-home-dev-demo/d2267770-1f58-4abf-9f05-a2a8c52eadf8.jsonl": (2, 2),
    "transcripts/interactive/2.1.150-a02-esc-stream/projects/-home-dev-demo/1e652cda-68c2-4f08-a235-815ed52ebeed.jsonl": (1, 1),  # noqa: E501
    "transcripts/interactive/2.1.150-a04-queued/projects/-home-dev-demo/399ef9ce-d801-48a3-a115-fdec65ef967c.jsonl": (1, 1),  # noqa: E501
    "transcripts/interactive/2.1.150-a09-resume/projects/-home-dev-demo/64b468d9-276a-4730-b5e5-505e462592b3.jsonl": (1, 1),  # noqa: E501
    "transcripts/interactive/2.1.150-a09-resume/projects/-home-dev-demo/c3d249eb-29e3-44ac-a555-6666c12da02e.jsonl": (1, 1),  # noqa: E501
    "transcripts/interactive/2.1.329-a05-commands/projects/-home-dev-demo/6138a7a6-f21d-4654-b5ac-246b719ef19c.jsonl": (1, 1),  # noqa: E501
    "transcripts/interactive/2.1.329-a05-commands/projects/-home-dev-demo/c19ea0dd-b366-4cf4-a824-790ab72e3d21.jsonl": (3, 3),  # noqa: E501
    "transcripts/interactive/2.1.329-b-bgexit/projects/-home-dev-demo/08ae6204-60b6-4632-afec-bc25f911b94f.jsonl": (1, 1),  # noqa: E501
}  # fmt: skip
"""Transcript: (observations of 0.1.0 that are gone or changed, observations that 0.1.0 did not send).

165 starts: 46 local commands, 7 queued prompts and 102 calls that started before their turn or agent, and 10
compactions that were asked for after the work. 46 queued prompts are gone: they were reports on background tasks.

32 calls (9 in the files that do not grow) start with the result before a prompt that waited, no longer with the
prompt. 6 events that got lost are there: 4 local commands, of which only the last one before a prompt was sent, and 2
compactions. 3 turns are gone: each was a `/compact` that its command repeats; its compaction is in the turn before it.
"""


def mains_in(folder: Path) -> list[Path]:
    """The main transcripts below a folder, in a fixed order."""
    paths = folder.rglob("*.jsonl")
    return sorted(path for path in paths if not path.name.startswith("agent-") and "subagents" not in path.parts)


def lines_of(transcript: Path) -> Iterator[str]:
    """One line per observation: trace id, span id, type, start in ns, separated by tabs."""
    for observation in {latest.span_id: latest for latest in observe(transcript)}.values():
        yield f"{observation.trace.trace_id}\t{observation.span_id}\t{observation.type}\t{observation.start_ns}"


def short_hashes_of(transcript: Path) -> set[str]:
    """The lines of a transcript, eight hex digits each."""
    return {sha256(line.encode()).hexdigest()[:8] for line in lines_of(transcript)}


def test_the_fixtures_give_the_ids_types_and_starts_of_0_1_0() -> None:
    """Each recorded line is there, and no other, except where this file gives a reason."""
    recorded = set((RECORDED / "ids-0.1.0.tsv").read_text().splitlines())
    current = {f"{path.stem}\t{line}" for path in mains_in(FIXTURES / "claude") for line in lines_of(path)}
    different = {(line.split("\t")[0], line.split("\t")[2]) for line in recorded ^ current}
    assert different == CHANGED_IN_FIXTURES.keys()


def shared_transcripts() -> list[Path]:
    return [path for name in ("corpus", "transcripts") for path in mains_in(SHARED / name)]


@pytest.mark.skipif(not SHARED.is_dir(), reason="other people's sessions are not beside this checkout")
def test_real_sessions_give_the_ids_types_and_starts_of_0_1_0() -> None:
    """The same for every transcript beside this checkout, each read alone."""
    recorded: dict[str, set[str]] = {}
    for line in (RECORDED / "shared-0.1.0.tsv").read_text().splitlines():
        name, _, hashes = line.partition("\t")
        recorded[name] = set(hashes.split())
    current = {str(path.relative_to(SHARED)): short_hashes_of(path) for path in shared_transcripts()}
    different = {
        name: counts
        for name in recorded.keys() | current.keys()
        if (counts := (len(recorded[name] - current[name]), len(current[name] - recorded[name]))) != (0, 0)
    }
    assert different == CHANGED_IN_SHARED
