"""The status line prints one line, quickly, whatever it is given."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import ccship.statusline
from ccship.statusline import line_of

GIVEN = {"cost": {"total_cost_usd": 1.234}, "context_window": {"used_percentage": 44.6}}
SPENDING = {
    "version": 1,
    "today_usd": 1234.5,
    "today_ends": 2000,
    "budgets": [{"name": "team", "share": 0.825, "ends": 3000}],
}


@pytest.mark.parametrize(
    ("now", "line"),
    [
        (1000, "$1.23 session | $1,234.50 today | budget team 82 % | context 45 % | 3 waiting"),
        (2500, "$1.23 session | budget team 82 % | context 45 % | 3 waiting"),
        (3500, "$1.23 session | context 45 % | 3 waiting"),
    ],
)
def test_a_line_has_what_is_known_and_not_over(now: float, line: str) -> None:
    """Yesterday's sum is not today's."""
    assert line_of(GIVEN, SPENDING, 3, now) == line


def test_what_is_unknown_is_left_out() -> None:
    """An older client sends no context, a newer worker another version."""
    assert line_of({}, {**SPENDING, "version": 2}, 0, 0) == ""
    assert line_of({"cost": None}, None, 1, 0) == "1 waiting"


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
shaped = st.fixed_dictionaries(
    {},
    optional={
        name: json_values | st.dictionaries(st.sampled_from(["total_cost_usd", "used_percentage"]), json_values)
        for name in ("cost", "context_window", "today_usd", "today_ends", "version", "budgets")
    },
)


@example({}, {**SPENDING, "budgets": [3, {"share": 1, "ends": 9, "name": "\x1b[31m"}]})
@given(given_=shaped | json_values, spending=shaped | json_values)
def test_any_json_gives_one_printable_line(given_: object, spending: object) -> None:
    """No control characters reach the terminal."""
    assert line_of(given_, spending, 0, 0.0).isprintable()


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, json.dumps(GIVEN).encode()])
def test_it_always_exits_with_zero(content: bytes, tmp_path: Path) -> None:
    """As a module of the package, and as a file without it; damaged sums do not matter."""
    (tmp_path / "spending.json").write_bytes(content)
    for command in (["-m", "ccship", "statusline"], ["-I", "-S", ccship.statusline.__file__]):
        done = subprocess.run(
            [sys.executable, *command],
            input=content,
            capture_output=True,
            env={"CC_LANGFUSE_STATE_DIR": str(tmp_path), "HOME": str(tmp_path)},
            check=False,
        )
        assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (0, b"", 1)


def test_it_reads_the_sums_and_counts_the_requests(tmp_path: Path) -> None:
    """Those in the state folder."""
    ends = time.time() + 3600
    (tmp_path / "spending.json").write_text(json.dumps({**SPENDING, "today_ends": ends, "budgets": []}))
    (tmp_path / "requests").mkdir()
    for n in range(2):
        (tmp_path / f"requests/{n}.json").touch()
    done = subprocess.run(
        [sys.executable, "-I", "-S", ccship.statusline.__file__],
        input=b"{}",
        capture_output=True,
        env={"CC_LANGFUSE_STATE_DIR": str(tmp_path)},
        check=False,
    )
    assert done.stdout.decode() == "$1,234.50 today | 2 waiting\n"


def test_it_loads_little_of_the_standard_library() -> None:
    """The time of a status line is that of its imports."""
    loaded = subprocess.run(
        [sys.executable, "-I", "-S", "-X", "importtime", ccship.statusline.__file__],
        input=b"{}",
        capture_output=True,
        check=False,
    ).stderr.decode()
    slow = {"json", "re", "typing", "pathlib", "subprocess", "sqlite3", "msgspec", "contextlib"}
    assert not slow & {line.rpartition("|")[2].strip() for line in loaded.splitlines()}
