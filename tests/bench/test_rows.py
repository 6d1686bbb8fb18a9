"""The table of the benchmarks, on machines that lack something."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.mark import Mark
from bench.rows import Row, cores, matching, on_path, print_table
from conftest import ROOT

HOOK, UV, USAGE = "hook as python", "hook under uv", "ccship usage / ccusage"


def bench(*arguments: str, path: Path, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """The command as people type it, with this PATH."""
    return subprocess.run(
        [sys.executable, *python, "-m", "tests.bench", *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def program(folder: Path, name: str, body: str) -> None:
    script = folder / name
    script.write_text(f"#!{sys.executable}\n{body}\n")
    script.chmod(0o755)


def row(name: str, here: float = 1.0, limit: float | None = 1.0) -> Row:
    return Row(name, lambda: Mark(name, here, 1.0, limit))


def fails() -> Mark:
    raise OSError(28, "No space left on device")


def test_without_uv_its_row_is_not_measured(tmp_path: Path) -> None:
    """The first lines say what is missing and which rows are left out; that is no failure."""
    done = bench(UV, USAGE, path=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "ps is not on the PATH, uv is not on the PATH; not measured:"
    assert lines[1].strip().startswith(UV)
    (line,) = [line for line in lines if line.startswith(UV)]
    assert line.endswith("not measured: ps is not on the PATH, uv is not on the PATH")
    assert sum(line.endswith("not measured: ccusage is not on the PATH") for line in lines) == 3
    assert lines[-1] == "4 not measured"


def test_a_row_that_fails_does_not_end_the_run(tmp_path: Path) -> None:
    """A uv without network: the row says so, the cause is on standard error, and the exit code is 1."""
    program(tmp_path, "uv", "raise SystemExit('no network')")
    program(tmp_path, "ps", "")
    done = bench(UV, USAGE, path=tmp_path)
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if line.startswith(UV)]
    assert "failed: CalledProcessError: " in line
    assert "no network" in done.stderr
    assert "Traceback" in done.stderr
    assert done.stdout.splitlines()[-1] == "1 failed, 3 not measured"


def test_a_python_without_the_dependencies_is_told_what_to_install(tmp_path: Path) -> None:
    """No traceback."""
    done = bench("nonsense", path=tmp_path, python=("-S",))
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "uv sync" in line


def test_a_text_that_no_row_contains_is_answered_with_the_rows(tmp_path: Path) -> None:
    """They can be chosen by any part of their names."""
    done = bench("nonsense", path=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no row contains nonsense" in done.stderr
    assert all(name in done.stderr for name in (HOOK, UV, USAGE, "dry run of 1000 MB"))


def test_rows_are_chosen_by_parts_of_their_names() -> None:
    """In any case; without a text, all."""
    rows = [row("redaction"), row("Delivery / bare POST"), row("state")]
    assert matching(rows, []) == rows
    assert matching(rows, ["delivery", "STATE"]) == rows[1:]


def test_each_row_is_printed_when_it_is_measured(tmp_path: Path) -> None:
    """What is already measured can be read while the next row takes minutes."""
    table = tmp_path / "table"
    seen = []

    def second() -> Mark:
        seen.append(table.read_text())
        return Mark("second", 1.0, 1.0, 1.0)

    with table.open("w") as out:
        assert print_table([row("first"), Row("second", second)], out)
    assert seen[0].splitlines()[-1].startswith("first ")


@pytest.mark.parametrize(
    ("rows", "is_good", "summary"),
    [
        ([row("a"), row("b", limit=None)], True, "1 reached, 1 without a mark"),
        ([row("a", here=2.0), row("b")], False, "1 missed, 1 reached"),
        ([Row("a", fails), row("b")], False, "1 failed, 1 reached"),
        ([Row("a", fails, (lambda: "no disk",)), row("b")], True, "1 not measured, 1 reached"),
    ],
)
def test_a_run_is_good_if_all_that_can_be_measured_reaches_its_mark(
    rows: list[Row], is_good: bool, summary: str
) -> None:
    """A row that cannot be measured here is no failure; one that fails is."""
    out = io.StringIO()
    assert print_table(rows, out) is is_good
    assert out.getvalue().splitlines()[-1] == summary


def test_a_missed_mark_is_measured_again() -> None:
    """A shared machine may stall for seconds."""
    marks = iter([Mark("a", 3.0, 1.0, 2.0), Mark("a", 1.0, 1.0, 2.0)])
    assert not Row("a", lambda: next(marks)).measure().is_missed


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A need that is met says nothing."""
    program(tmp_path, "there", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert on_path("there")() is None
    assert on_path("not-there")() == "not-there is not on the PATH"
    assert cores(1)() is None
    assert str(cores(10**6)()).startswith("1000000 cores are needed and there are ")
