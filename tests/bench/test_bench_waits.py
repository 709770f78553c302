"""What a load measures, against a server that does as the test says, in virtual time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import anyio
import hypothesis.strategies as st
import pytest
import trio
from hypothesis import given
from trio.testing import MockClock

from kraty_actors.bench import drive as driving
from kraty_actors.bench.drive import NobodyPlays, drive
from kraty_actors.bench.load import Load, Unreadable, read_metric, read_mix
from kraty_actors.bench.measured import Measured, percentile
from kraty_actors.bench.picture import picture
from kraty_actors.client import ConnectionLost, Refused


class Server:
    """Answers after a while; stands still between two instants. Its players' attempts end after so many writes."""

    def __init__(
        self, *, takes: float = 0.001, stalls: tuple[float, float] = (0, 0), ends_after: int = 0, attempts: int = 1
    ) -> None:
        self.takes, self.stalls, self.ends_after, self.attempts = takes, stalls, ends_after, attempts
        self.writes = 0
        self.lost = False

    async def answer(self) -> None:
        since, until = self.stalls
        now = anyio.current_time()
        await anyio.sleep(until - now if since <= now < until else self.takes)
        if self.lost:
            raise ConnectionLost(None, "it is gone")


class Peer:
    def __init__(self, server: Server) -> None:
        self.server, self.started, self.written = server, 0, 0

    async def start(self, event: str) -> dict[str, Any]:
        if event != "race" or self.started == self.server.attempts:
            raise Refused("not_found", "no event")
        self.started += 1
        self.written = 0
        return {"attemptId": f"a{self.started}", "leaderboardId": None}

    async def progress(self, attempt_id: str, metrics: object) -> dict[str, Any]:
        assert attempt_id == f"a{self.started}"
        await self.server.answer()
        self.server.writes += 1
        self.written += 1
        return {"status": "completed" if self.written == self.server.ends_after else "in_progress"}

    async def ping(self) -> None:
        await self.server.answer()


def measured(server: Server, **load: Any) -> Measured:
    @asynccontextmanager
    async def dial(name: str) -> AsyncIterator[Any]:
        yield Peer(server)

    async def main() -> Measured:
        return await drive(Load(**{"event": "race", "players": 4, "warm_up": 0, **load}), dial, lambda _: None)

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def test_every_request_is_asked_when_it_is_due_and_answered():
    found = measured(Server(takes=0.25), rate=100, seconds=3)
    waits = found.waits["write"]
    assert (waits.asked, len(waits.ms), found.unanswered) == (300, 300, 0)
    assert list(waits.due) == pytest.approx([n / 100 for n in range(300)])
    assert list(waits.ms) == pytest.approx([250] * 300)


def test_a_server_that_stands_still_is_not_spared():
    """No coordinated omission: whoever came while it stood has waited until it went on."""
    found = measured(Server(stalls=(1, 2)), rate=100, seconds=3)
    by_due = dict(zip(found.waits["write"].due, found.waits["write"].ms, strict=True))
    waited = [ms for due, ms in sorted(by_due.items()) if 1 <= round(due, 6) < 2]
    assert waited == pytest.approx([1000 - 10 * n for n in range(100)])
    assert percentile(sorted(by_due.values()), 50) == pytest.approx(1)
    assert percentile(sorted(by_due.values()), 99) == pytest.approx(970)


def test_the_warm_up_counts_for_nothing():
    found = measured(Server(stalls=(0, 1)), rate=100, seconds=1, warm_up=1)
    assert found.waits["write"].asked == 100
    assert max(found.waits["write"].ms) == pytest.approx(1)


def test_a_mix_has_its_shares():
    waits = measured(Server(), rate=1000, seconds=4, mix=read_mix("write=3,ping=1")).waits
    assert waits["write"].asked + waits["ping"].asked == 4000
    assert waits["write"].asked == pytest.approx(3000, abs=120)


def test_whoever_can_start_again_goes_on_and_whoever_cannot_stops():
    found = measured(Server(ends_after=5, attempts=2), rate=100, seconds=10)
    assert (found.retired, found.waits["write"].asked) == (4, 4 * 2 * 5)
    assert found.seconds < 1


def test_refusals_and_lost_connections_are_counted_by_their_codes():
    server = Server()
    server.lost = True
    found = measured(server, rate=10, seconds=1)
    assert found.waits["write"].refused == {"connection_lost": 10}
    assert found.plain()["deeds"]["write"]["ms"]["p99"] is None


def test_what_is_never_answered_is_not_waited_for_for_ever():
    found = measured(Server(takes=1e9), rate=10, seconds=1)
    assert (found.unanswered, found.answered) == (10, 0)


def test_so_many_are_under_way_and_no_more(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(driving, "UNDER_WAY_MAX", 7)
    found = measured(Server(takes=1e9), rate=10, seconds=1)
    assert (found.unanswered, found.waits["write"].asked) == (7, 7)


def test_an_event_that_nobody_can_enter_is_told():
    with pytest.raises(ExceptionGroup) as raised:
        measured(Server(), event="nope", rate=1, seconds=1)
    assert raised.group_contains(NobodyPlays, match="nope can not be entered: not_found")


def test_so_many_connections_are_opened_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(driving, "DIALLED_AT_ONCE", 3)
    under_way: set[str] = set()
    most = 0

    @asynccontextmanager
    async def dial(name: str) -> AsyncIterator[Any]:
        nonlocal most
        under_way.add(name)
        most = max(most, len(under_way))
        await anyio.sleep(1)
        under_way.remove(name)
        yield Peer(Server())

    connect: Any = partial(_typed, dial)
    main = partial(drive, Load("race", players=20, rate=1, seconds=1, warm_up=0), connect, lambda _: None)
    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert most == 3


def _typed(dial: Any, name: str) -> AbstractAsyncContextManager[Any]:
    found: AbstractAsyncContextManager[Any] = dial(name)
    return found


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.001, 100))
def test_so_many_percent_are_not_above_a_percentile(values: list[float], percent: float):
    ordered = sorted(values)
    found = percentile(ordered, percent)
    assert sum(value <= found for value in ordered) >= len(ordered) * percent / 100 - 1e-9
    assert sum(value < found for value in ordered) < len(ordered) * percent / 100 + 1e-9


def test_a_picture_has_a_colour_for_each_deed_that_was_answered():
    found = measured(Server(), rate=100, seconds=3, mix=read_mix("write=1,ping=1"))
    drawn = ET.fromstring(picture(found))
    curves = [one.get("stroke") for one in drawn.iter() if "curve" in (one.get("class") or "")]
    assert (len(curves), len(set(curves))) == (6, 2)
    nothing = measured(Server(takes=1e9), rate=1, seconds=1)
    assert ET.fromstring(picture(nothing)).tag.endswith("svg")


@pytest.mark.parametrize(
    "text", ["", "write", "write=", "write=x", "write=-1", "write=inf", "=1", "write=0", "dance=1"]
)
def test_a_mix_that_says_nothing_is_refused(text: str):
    with pytest.raises(Unreadable, match=r"known|DEED=SHARE|above 0"):
        read_mix(text)


def test_a_mix_and_a_metric_as_people_write_them():
    assert read_mix("write=90, read=9,list=1") == {"write": 90, "read": 9, "list": 1}
    assert read_metric("points=2.5") == ("points", 2.5)
    with pytest.raises(Unreadable, match="METRIC=AMOUNT"):
        read_metric("points")
