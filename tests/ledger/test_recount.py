"""The ledger equals a recount, whatever was read in which order."""

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ccship.ledger import reader
from ccship.ledger.groups import View, files_under, reading
from ccship.ledger.store import Ledger
from ccship.ledger.sums import Span
from ccship.transcript.files import transcripts_in
from conftest import FIXTURES, SHARED
from counted import count
from ledger.contents import alternatives, recount, rows_of

NAMES = ("p/s1.jsonl", "p/s2.jsonl", "q/s3/subagents/agent-a.jsonl")
LINES = {name: alternatives(f"s{n}") for n, name in enumerate(NAMES)}


def contents(name: str) -> st.SearchStrategy[bytes]:
    lines = st.lists(st.sampled_from(LINES[name]), max_size=12)
    return st.tuples(lines, st.booleans()).map(lambda drawn: b"\n".join(drawn[0]) + b"\n" * drawn[1])


@dataclass(frozen=True)
class Step:
    """What happens to a transcript: it has this content now, up to `cut` (a share), as the same file or another."""

    name: str
    content: bytes
    cut: float
    is_new_file: bool
    reads: tuple[str, ...]


steps = st.sampled_from(NAMES).flatmap(
    lambda name: st.builds(
        Step,
        st.just(name),
        contents(name),
        st.floats(0, 1),
        st.booleans(),
        st.lists(st.sampled_from(NAMES), max_size=3).map(tuple),
    )
)
finals = st.tuples(*map(contents, NAMES))


def write(path: Path, content: bytes, *, is_new_file: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if is_new_file:
        path.unlink(missing_ok=True)
    path.write_bytes(content)


@given(st.lists(steps, max_size=6), finals, st.permutations(NAMES))
@settings(max_examples=150)
def test_the_ledger_equals_a_recount(history: list[Step], last: tuple[bytes, ...], order: list[str]) -> None:
    """After any cuts, replaced and truncated files, copies and damage, read in any order."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, ledger = Path(temporary), Ledger(None)
        for step in history:
            content = step.content[: round(len(step.content) * step.cut)]
            write(folder / step.name, content, is_new_file=step.is_new_file)
            assert ledger.catch_up([folder / name for name in step.reads if (folder / name).exists()]) == []
        for name, content in zip(NAMES, last, strict=True):
            write(folder / name, content, is_new_file=False)
        assert ledger.catch_up([folder / name for name in order]) == []
        assert rows_of(ledger) == recount(sorted(folder / name for name in NAMES))


@given(contents(NAMES[0]), st.lists(st.floats(0, 1), max_size=6).map(sorted))
@settings(max_examples=300)
def test_a_transcript_may_be_cut_anywhere(content: bytes, cuts: list[float]) -> None:
    """In the middle of a line, of a character, before a newline."""
    with tempfile.TemporaryDirectory() as temporary:
        path, ledger = Path(temporary, "s1.jsonl"), Ledger(None)
        with path.open("wb") as file:
            for cut in [*(round(len(content) * cut) for cut in cuts), len(content)]:
                file.write(content[file.tell() : cut])
                file.flush()
                assert ledger.catch_up([path]) == []
        assert rows_of(ledger) == recount([path])


@pytest.mark.parametrize("size", [1, 1000])
def test_blocks_and_processes_change_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that are longer than a block, and batches in several processes."""
    paths = transcripts_in(FIXTURES / "claude")
    expected = recount(paths)
    monkeypatch.setattr(reader, "BLOCK_BYTES", size * 100)
    monkeypatch.setattr(reader, "_BATCH_BYTES", size * 100)
    monkeypatch.setattr(reader, "_PROCESS_BYTES", 1)
    ledger = Ledger(None)
    assert ledger.catch_up(paths, processes=2) == []
    assert rows_of(ledger) == expected


FOLDERS = [folder for folder in (FIXTURES / "claude", SHARED / "corpus") if folder.is_dir()]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_real_sessions_grow_into_the_same_ledger(folder: Path, tmp_path: Path) -> None:
    """Each transcript in thirds, in alternating order; the calls are those of a count without the ledger."""
    paths = [path for path in transcripts_in(folder) if path.stat().st_size < 2_000_000]
    copies = [tmp_path / path.relative_to(folder) for path in paths]
    ledger = Ledger(None)
    for third in (1, 2, 3):
        for path, copy in zip(paths, copies, strict=True):
            copy.parent.mkdir(parents=True, exist_ok=True)
            with path.open("rb") as source, copy.open("ab") as target:
                source.seek(target.tell())
                target.write(source.read(path.stat().st_size * third // 3 - target.tell()))
        for path in paths:
            meta = path.with_suffix(".meta.json")
            if meta.exists():
                shutil.copy(meta, tmp_path / meta.relative_to(folder))
        ledger.catch_up(reversed(copies) if third == 2 else copies)
    assert rows_of(ledger) == recount(copies)
    assert sums_of(ledger) == expected_sums(copies)


def sums_of(ledger: Ledger) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    with reading(ledger):
        view = View(ledger, list(files_under(ledger, None).values()), Span())
        for group in view.groups(["session"], [200_000]):
            tokens = group.tokens
            found[str(group.values["session"]), group.model] += tokens.prompt * 1000 + tokens.output + group.calls
    return found


def expected_sums(paths: list[Path]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for call in count(paths).calls:
        found[call.session, call.model] += call.tokens.prompt * 1000 + call.tokens.output + 1
    return found
