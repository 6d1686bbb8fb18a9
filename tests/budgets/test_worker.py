"""The worker enters what it ships into the ledger, checks budgets, and never waits for their notices."""

import json
import multiprocessing
import os
import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from budgets.test_notices import webhook
from ccship import config
from ccship.budgets.record import record
from ccship.ledger.store import Ledger
from faults.case import SESSION, Case
from helpers import run_ccship
from ledger.contents import recount, rows_of
from lines import Lines
from loopback import LoopbackLangfuse

NOW = datetime.now(UTC)

DEAR = {"input_tokens": 1_000_000}
"""A call of 5 dollars."""


@pytest.fixture
def case(tmp_path: Path, langfuse: LoopbackLangfuse) -> Case:
    """A session of today and its server."""
    case = Case(tmp_path, langfuse)
    spend(case, 1)
    return case


def spend(case: Case, calls: int, days_ago: float = 0, session: str = SESSION) -> Path:
    """A transcript that began when the tests did, or some days before."""
    lines = Lines(session=session)
    for n in range(calls):
        lines.prompt(f"prompt {n}").assistant(f"{session[-4:]}-{n}", f"answer {n}", usage=DEAR)
    moved = NOW - timedelta(days=days_ago)
    first = datetime.fromisoformat(json.loads(lines.lines[0])["timestamp"])

    def shifted(match: re.Match[str]) -> str:
        moment = datetime.fromisoformat(match[1]) - first + moved
        return f'"timestamp": "{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"'

    lines.lines = [re.sub(r'"timestamp": "([^"]+)"', shifted, line) for line in lines.lines]
    return lines.write(case.transcript.with_name(f"{session}.jsonl"))


def configure(case: Case, *budgets: str) -> None:
    """Write config.toml."""
    file = case.folder / "config.toml"
    file.write_text("".join(f"[[budgets]]\n{budget}\n" for budget in budgets))
    case.environ["CC_LANGFUSE_CONFIG"] = str(file)


def budget_of(address: str, usd: float = 8, period: str = "month") -> str:
    return f'name = "team"\nperiod = "{period}"\nusd = {usd}\nwebhook = "{address}"'


def test_a_shipped_session_is_in_the_ledger(case: Case) -> None:
    """Without a budget, nothing else is written."""
    case.hook()
    assert rows_of(Ledger(case.state / "ledger.db")) == recount([case.transcript])
    assert not (case.state / "spending.json").exists()
    assert not (case.state / "notices").exists()


def test_what_could_not_be_shipped_is_in_the_ledger_too(case: Case) -> None:
    """It was spent all the same."""
    case.environ["LANGFUSE_BASE_URL"] = "http://127.0.0.1:9"
    case.hook()
    assert case.offset() == 0
    assert len(rows_of(Ledger(case.state / "ledger.db"))["calls"]) == 1


def test_what_is_spent_while_the_server_is_down_is_in_the_ledger(case: Case) -> None:
    """A worker that waits for the server still records what was used."""
    case.environ["LANGFUSE_BASE_URL"] = "http://127.0.0.1:9"
    for calls in (1, 2, 3):
        spend(case, calls)
        with sqlite3.connect(case.state / "state.db") if calls > 1 else nullcontext() as db:
            if db is not None:
                db.execute("UPDATE destinations SET retry_at = ?", (time.time() + 3600,))
        case.hook()
    assert len(rows_of(Ledger(case.state / "ledger.db"))["calls"]) == 3


@pytest.mark.parametrize("name", ["notices/a.json", "spending.json"])
def test_a_pipe_in_the_state_folder_blocks_nothing(name: str, case: Case) -> None:
    """Neither the worker nor the status line."""
    configure(case, 'name = "all"\nperiod = "month"\nusd = 20')
    (case.state / "notices").mkdir(parents=True, mode=0o700)
    case.state.chmod(0o700)
    os.mkfifo(case.state / name)
    case.hook()
    assert case.server.keys == case.expected
    assert run_ccship("statusline", stdin=b"{}", environ=case.environ).returncode == 0


def test_a_budget_of_a_project_counts_what_was_spent_before_it_was_made(case: Case) -> None:
    """Also if another budget has read the older days already."""
    every, project = (f'name = "{name}"\nperiod = "month"\nusd = 1000' for name in ("all", "demo"))
    folder = case.transcript.parent.with_name("-home-dev-demo")
    spend(case, 2, days_ago=3, session="5e551011-0000-4000-8000-000000000007").unlink()
    case.transcript.parent.rename(folder)
    case.transcript = folder / case.transcript.name
    old = spend(case, 2, days_ago=3, session="5e551011-0000-4000-8000-000000000007")
    assert _recorded(case.environ, [old, case.transcript]) == []
    for budgets in (every,), (every, f'{project}\nprojects = "/home/dev/**"'):
        configure(case, *budgets)
        assert _recorded(case.environ, [case.transcript]) == []
    shown = json.loads((case.state / "spending.json").read_text())["budgets"]
    assert [each["share"] for each in shown] == pytest.approx([0.015, 0.015], abs=0.001)


@pytest.mark.parametrize("webhook", ["https://..../", "https://xn--/"])
def test_an_address_that_cannot_be_one_is_logged(webhook: str, case: Case) -> None:
    """The notices of other budgets are sent all the same."""
    configure(case, f'name = "bad"\nperiod = "month"\nusd = 1\nwebhook = "{webhook}"')
    case.hook()
    assert "budget bad: webhook failed, the next turn tries again" in case.log()


def test_a_crossed_budget_is_told_once(case: Case) -> None:
    """5 of 8 dollars are more than half; 10 are more than all."""
    with webhook() as (address, requests):
        configure(case, budget_of(address))
        for calls in (1, 1, 2, 3):
            spend(case, calls)
            case.hook()
    notices = list(map(json.loads, requests))
    assert [(notice["threshold"], notice["spent_usd"]) for notice in notices] == [("50", 5.0), ("100", 10.0)]
    assert case.log().count("WARNING") == 0


@pytest.mark.parametrize("behaviour", ["fail", "redirect", "hang"])
def test_turns_are_shipped_while_a_webhook_does_not_work(behaviour: str, case: Case) -> None:
    """The notice arrives later, once. While a worker waits for it, the session is not locked."""
    expected = case.expected
    with webhook(behaviour) as (address, requests):
        configure(case, budget_of(address))
        worker = case.start()
        until(lambda: bool(requests))  # the notice comes last
        assert case.server.keys == expected
        case.environ["CC_LANGFUSE_CONFIG"] = str(case.folder / "none.toml")
        spend(case, 2)
        case.hook()  # another turn, while the webhook hangs
        assert case.server.keys == case.expected
        with suppress(ProcessLookupError):
            worker.kill()
        worker.wait(30)
    with webhook() as (address, requests):
        configure(case, budget_of(address))
        for _ in range(2):
            os.utime(case.transcript)
            case.hook()
    assert len({json.loads(body)["id"] for body in requests}) == len(requests) == 2, "50 and 100 percent"


def test_eight_workers_at_once_send_one_notice(case: Case) -> None:
    """Each has entered a session of its own, and finds the budget crossed."""
    with webhook() as (address, requests):
        configure(case, budget_of(address, usd=16))
        paths = [spend(case, 1, session=f"5e551011-0000-4000-8000-00000000000{n}") for n in range(8)]
        context = multiprocessing.get_context("fork")
        barrier = context.Barrier(8)
        workers = [context.Process(target=_record, args=(case.environ, [path], barrier)) for path in paths]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0] * 8
        assert not list(_recorded(case.environ, paths))
    told = sorted(json.loads(body)["threshold"] for body in requests)
    assert "100" in told
    assert len(set(told)) == len(told)
    done = run_ccship("budget", "--json", environ=case.environ)
    assert json.loads(done.stdout)["budgets"][0]["spent_usd"] == pytest.approx(40, abs=0.01)


def _recorded(environ: dict[str, str], paths: list[Path]) -> list[str]:
    return list(record(config.load({**environ, "HOME": environ["CC_LANGFUSE_STATE_DIR"]}), {}, paths))


def _record(environ: dict[str, str], paths: list[Path], barrier: Any) -> None:
    barrier.wait()
    assert _recorded(environ, paths) == []


def test_an_unusual_day_is_told(case: Case) -> None:
    """Five dollars a day are usual. A session of an earlier day may be entered today."""
    with webhook() as (address, requests):
        configure(case, budget_of(address, usd=10_000))
        for n in range(6):
            case.transcript = spend(case, 1, days_ago=n + 1, session=f"5e551011-0000-4000-8000-0000000001{n:02}")
            case.hook()
        for calls in (2, 3, 4):
            case.transcript = spend(case, calls)
            case.hook()
    [notice] = map(json.loads, requests)
    assert (notice["threshold"], notice["usual_day_usd"], notice["today_usd"]) == ("unusual", 5, 15)


def test_an_invalid_budget_does_not_keep_turns(case: Case) -> None:
    """It is logged, and every command that needs it says what is wrong."""
    configure(case, 'name = "team"\nperiod = "year"\nusd = 1')
    case.hook()
    assert case.server.keys == case.expected
    assert "period is invalid: expected day, week or month" in case.log()


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"no database" * 1000), lambda path: path.mkdir()])
def test_a_ledger_that_cannot_be_used_does_not_keep_turns(damage: Callable[[Path], Any], case: Case) -> None:
    """Damaged, or no file at all."""
    case.state.mkdir(mode=0o700)
    damage(case.state / "ledger.db")
    case.hook()
    assert case.server.keys == case.expected
    assert "ledger" in case.log()


def test_the_status_line_asks_for_the_sums(case: Case) -> None:
    """From the next turn on."""
    case.hook()
    assert run_ccship("statusline", stdin=b"{}", environ=case.environ).stdout == "\n"
    spend(case, 2)
    case.hook()
    assert run_ccship("statusline", stdin=b"{}", environ=case.environ).stdout == "$10.00 today\n"


def test_budget_prints_each_budget_with_a_bar_and_a_forecast(case: Case) -> None:
    """What no hook has entered yet counts, too. The exit code is 1 if one is exceeded."""
    configure(case, 'name = "small"\nperiod = "day"\nusd = 5', 'name = "large"\nperiod = "month"\nusd = 20')
    done = run_ccship("budget", environ=case.environ)
    small, large = done.stdout.splitlines()[1:3]
    assert (done.returncode, done.stderr) == (1, "")
    assert "$5.00   $5.00  100%  " + "█" * 20 in small
    assert "$5.00  $20.00   25%  " + "█" * 5 + "░" * 15 in large
    configure(case, 'name = "large"\nperiod = "month"\nusd = 20')
    assert run_ccship("budget", environ=case.environ).returncode == 0


def test_calls_of_another_config_folder_do_not_count(case: Case) -> None:
    """The ledger has them, because somebody reported on that folder."""
    configure(case, 'name = "all"\nperiod = "month"\nusd = 20')
    other = case.folder / "other/projects/-demo"
    other.mkdir(parents=True)
    spend(case, 2, session="5e551011-0000-4000-8000-000000000099").rename(other / "other.jsonl")
    assert run_ccship("usage", "--claude-dir", case.folder / "other", environ=case.environ).returncode == 0
    done = run_ccship("budget", "--json", environ=case.environ)
    assert json.loads(done.stdout)["budgets"][0]["spent_usd"] == pytest.approx(5, abs=0.01)


def test_budget_without_a_table_says_where_to_add_one(case: Case) -> None:
    """By its path."""
    configure(case)
    done = run_ccship("budget", environ=case.environ)
    assert done.returncode == 2
    assert f"add a [[budgets]] table with name, period and usd to {case.folder / 'config.toml'}" in done.stderr


def until(is_true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.02)
