"""One notice per budget, period and threshold: never lost, never doubled."""

import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from budgets.test_status import NOW, TODAY, spent
from ccship.budgets import channels as ways
from ccship.budgets.channels import channels_of
from ccship.budgets.notices import Notice, send, store
from ccship.budgets.status import Status, status_of
from ccship.config.budgets import Budget

_BUDGET = Budget("team", "month", 100)


class Kept:
    """A channel that keeps what it gets, or fails."""

    def __init__(self, reason: str | None = None) -> None:
        self.reason = reason
        self.notices: list[Notice] = []

    def __call__(self, notice: Notice) -> str | None:
        if self.reason is None:
            self.notices.append(notice)
        return self.reason


def status(usd: float, budget: Budget = _BUDGET) -> Status:
    return status_of(budget, [spent(usd)], NOW)


def run(folder: Path, *found: Status, channel: Kept, today: date = TODAY) -> list[str]:
    for each in found:
        store(folder, each, today)
    return list(send(folder, [_BUDGET], lambda _: {"webhook": channel}, today))


def test_each_threshold_is_told_once(tmp_path: Path) -> None:
    """However often it is checked, and whatever is spent afterwards."""
    channel = Kept()
    for usd in (10, 55, 56, 85, 86, 120, 500):
        assert run(tmp_path / "notices", status(usd), channel=channel) == []
    assert [notice.threshold for notice in channel.notices] == ["50", "80", "100"]
    assert channel.notices[1].text == (
        "Claude Code budget team: $85.00 of $100.00 spent in 2026-11 (85%), forecast $118.60"
    )


def test_of_thresholds_that_are_reached_at_once_the_highest_is_told(tmp_path: Path) -> None:
    """Three messages about the same moment would be noise."""
    channel = Kept()
    run(tmp_path / "notices", status(130), status(140), channel=channel)
    assert [notice.threshold for notice in channel.notices] == ["100"]


def test_a_new_period_and_a_new_amount_are_told_again(tmp_path: Path) -> None:
    """A budget that was raised starts anew."""
    channel, folder = Kept(), tmp_path / "notices"
    run(folder, status(60), channel=channel)
    run(folder, status(60, Budget("team", "month", 110)), channel=channel)
    later = status_of(_BUDGET, [spent(60, days_ago=-20)], NOW + timedelta(days=20))
    run(folder, later, channel=channel, today=TODAY + timedelta(days=20))
    assert [(notice.period, notice.budget_usd) for notice in channel.notices] == [
        ("2026-11", 100), ("2026-11", 110), ("2026-12", 100),
    ]  # fmt: skip


def test_an_unusual_day_is_told_once_a_day(tmp_path: Path) -> None:
    """With what is usual."""
    channel = Kept()
    days = [spent(1, days_ago=n) for n in range(1, 10)]
    for usd in (3, 4):
        run(tmp_path / "notices", status_of(_BUDGET, [*days, spent(usd)], NOW), channel=channel)
    [notice] = channel.notices
    assert (notice.threshold, notice.period, notice.usual_day_usd) == ("unusual", f"{TODAY}", 1)


def test_what_a_channel_refuses_is_sent_later_and_once(tmp_path: Path) -> None:
    """To the channel that failed, and to no other."""
    folder, good, bad = tmp_path / "notices", Kept(), Kept("it is down")
    channels = {"webhook": bad, "command": good}
    store(folder, status(60), TODAY)
    for _ in range(3):
        problems = list(send(folder, [_BUDGET], lambda _: channels, TODAY))
        assert problems == ["budget team: webhook failed, the next turn tries again: it is down"]
    bad.reason = None
    for _ in range(3):
        assert list(send(folder, [_BUDGET], lambda _: channels, TODAY)) == []
    assert (len(good.notices), len(bad.notices)) == (1, 1)


def test_a_channel_that_fails_is_asked_once_a_turn(tmp_path: Path) -> None:
    """A webhook that hangs costs its time limit once, not once per notice."""
    folder, asked = tmp_path / "notices", []
    for usd in (60, 90):
        store(folder, status(usd), TODAY)

    def hang(notice: Notice) -> str:
        asked.append(notice.threshold)
        return "it does not answer"

    assert len(list(send(folder, [_BUDGET], lambda _: {"webhook": hang}, TODAY))) == 1
    assert len(asked) == 1


def test_damaged_and_newer_files_are_left_alone(tmp_path: Path) -> None:
    """And no notice of the same threshold is made."""
    folder, channel = tmp_path / "notices", Kept()
    store(folder, status(60), TODAY)
    [path] = folder.glob("*.json")
    newer = {**json.loads(path.read_text()), "version": 2}
    for content in ("{", json.dumps(newer)):
        path.write_text(content)
        assert run(folder, status(60), channel=channel) == []
        assert path.read_text() == content
    assert channel.notices == []


def test_old_notices_are_deleted_after_their_period(tmp_path: Path) -> None:
    """And one that no channel took is not tried for ever."""
    folder, channel = tmp_path / "notices", Kept("down")
    run(folder, status(60), channel=channel)
    channel.reason = None
    assert run(folder, channel=channel, today=TODAY + timedelta(days=31)) == []
    assert channel.notices == []
    assert len(list(folder.glob("*.json"))) == 1
    run(folder, channel=channel, today=TODAY + timedelta(days=63))
    assert list(folder.iterdir()) == []


def test_eight_processes_send_one_notice(tmp_path: Path) -> None:
    """All cross the threshold at the same moment."""
    with webhook() as (address, requests):
        budget = Budget("team", "month", 100, webhook=address)
        context = multiprocessing.get_context("fork")
        barrier = context.Barrier(8)
        workers = [context.Process(target=_worker, args=(tmp_path / "notices", budget, barrier)) for _ in range(8)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    assert [json.loads(body)["threshold"] for body in requests] == ["80"]


def _worker(folder: Path, budget: Budget, barrier: Any) -> None:
    barrier.wait()
    for _ in range(3):
        store(folder, status(81, budget), TODAY)
        assert not list(send(folder, [budget], lambda each: channels_of(each, os.environ), TODAY))


def test_a_webhook_gets_sums_and_a_text(tmp_path: Path) -> None:
    """As Slack and Teams display it, and with an id that stays the same."""
    with webhook() as (address, requests):
        folder, budget = tmp_path / "notices", Budget("team", "month", 100, webhook=address)
        store(folder, status(60, budget), TODAY)
        assert list(send(folder, [budget], lambda each: channels_of(each, {}), TODAY)) == []
    [body] = map(json.loads, requests)
    assert body.keys() == {
        "version", "id", "text", "budget", "period", "threshold", "spent_usd", "budget_usd", "forecast_usd",
        "today_usd", "usual_day_usd", "day",
    }  # fmt: skip
    assert (body["spent_usd"], body["budget_usd"], body["usual_day_usd"]) == (60, 100, None)


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("fail", "it answers with status 500"),
        ("redirect", "it answers with status 302"),
        ("hang", "it does not answer"),
        ("trickle", "it does not answer"),
    ],
)
def test_a_webhook_that_does_not_work_says_why(
    behaviour: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its address, which may be secret; a redirect is not followed."""
    monkeypatch.setattr(ways, "LIMIT_S", 0.3)
    with webhook(behaviour) as (address, requests):
        [channel] = channels_of(Budget("team", "month", 1, webhook=f"{address}/secret"), {}).values()
        store(tmp_path / "notices", status(60), TODAY)
        [problem] = send(tmp_path / "notices", [_BUDGET], lambda _: {"webhook": channel}, TODAY)
    assert reason in problem
    assert "secret" not in problem
    assert len(requests) == 1


def test_a_command_gets_the_notice_on_its_standard_input(tmp_path: Path) -> None:
    """And no variable that a repository may have set."""
    script = tmp_path / "notify"
    script.write_text(f'#!/bin/sh\ncat > "{tmp_path}/got"\nenv > "{tmp_path}/env"\n')
    script.chmod(0o755)
    budget = Budget("team", "month", 100, command=(str(script),))
    store(tmp_path / "notices", status(60), TODAY)
    environ = {"HOME": "/home/me", "LD_PRELOAD": "/evil.so", "PATH": "/evil"}
    assert list(send(tmp_path / "notices", [budget], lambda each: channels_of(each, environ), TODAY)) == []
    assert json.loads((tmp_path / "got").read_text())["threshold"] == "50"
    passed = (tmp_path / "env").read_text()
    assert "HOME=/home/me" in passed
    assert "evil" not in passed


@pytest.mark.parametrize(
    ("script", "reason"),
    [("exit 3", "exit code 3"), ("sleep 600 & sleep 600", "was stopped after"), (None, "cannot be run")],
)
def test_a_command_that_does_not_work_says_why(
    script: str | None, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that hangs is stopped with all that it started."""
    monkeypatch.setattr(ways, "LIMIT_S", 0.3)
    path = tmp_path / "notify"
    if script is not None:
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    [channel] = channels_of(Budget("team", "month", 1, command=(str(path),)), {}).values()
    store(tmp_path / "notices", status(60), TODAY)
    [problem] = send(tmp_path / "notices", [_BUDGET], lambda _: {"command": channel}, TODAY)
    assert reason in problem


@contextmanager
def webhook(behaviour: str = "accept") -> Iterator[tuple[str, list[bytes]]]:
    """A webhook on loopback; yields its address and the bodies of its requests."""
    requests: list[bytes] = []
    ended = threading.Event()
    answers: dict[str, Callable[[Any], object]] = {
        "accept": lambda handler: handler.answer(200),
        "fail": lambda handler: handler.answer(500),
        "redirect": lambda handler: handler.answer(302),
        "hang": lambda _: ended.wait(30),
        "trickle": lambda handler: handler.trickle(),
    }

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            requests.append(self.rfile.read(int(self.headers["content-length"])))
            answers[behaviour](self)

        def answer(self, code: int) -> None:
            self.send_response(code)
            self.send_header("location", self.path)
            self.send_header("content-length", "0")
            self.end_headers()

        def trickle(self) -> None:
            while not ended.wait(0.05):
                self.wfile.write(b"HTTP/1.1 200 OK\r\n"[:1])
                self.wfile.flush()

        def log_message(self, *_: object) -> None:
            pass

        def handle_error(self) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients hang up
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
