"""Watching: the copy equals the board, whatever way it came by (R-34)."""

from __future__ import annotations

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kraty_actors.client import BoardView, ConnectionLost, Refused, connect, session
from kraty_protocol.check import board_check
from tests.client.fake_server import Peer, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "FIRST_BACKOFF_SECONDS", 0.001)


def entry(name: str, score: int, rank: int) -> dict:
    return {"participantId": name, "kind": "player", "score": score, "rank": rank}


ANSWER = {
    "sub": "s1",
    "leaderboardId": "b1",
    "version": 7,
    "total": 2,
    "entries": [entry("me", 3, 1), entry("you", 1, 2)],
    "self": {"rank": 1, "score": 3},
}
DELTA = {
    "sub": "s1",
    "since": 7,
    "version": 9,
    "total": 2,
    "removed": [],
    "entries": [entry("you", 4, 1), entry("me", 3, 2)],
}
FINAL = {"sub": "s1", "version": 12, "entries": [entry("you", 4, 1), entry("me", 3, 2)]}

boards = st.dictionaries(st.text("abcdefgh", min_size=1, max_size=2), st.integers(0, 9), max_size=8)


def ranked(scores: dict[str, int]) -> list[dict]:
    order = sorted(scores, key=lambda name: (-scores[name], name))
    return [entry(name, scores[name], rank) for rank, name in enumerate(order, start=1)]


@given(st.lists(boards, min_size=1, max_size=6))
def test_r34_deltas_lead_to_the_board_itself(states: list[dict[str, int]]) -> None:
    view = BoardView()
    view.replace({"leaderboardId": "b", "version": 0, "total": len(states[0]), "entries": ranked(states[0])})
    for version, scores in enumerate(states[1:], start=1):
        old = {row["participantId"]: row for row in view.entries}
        rows = ranked(scores)
        delta = {
            "since": version - 1,
            "version": version,
            "total": len(rows),
            "entries": [row for row in reversed(rows) if old.get(row["participantId"]) != row],
            "removed": sorted(old.keys() - scores.keys()),
            "check": board_check((row["participantId"], row["score"]) for row in rows),
        }
        assert view.apply(delta)
        assert (view.entries, view.version, view.total) == (rows, version, len(rows))


def test_r34_a_copy_gone_astray_is_noticed() -> None:
    view = BoardView()
    view.replace(ANSWER)
    assert not view.apply({**DELTA, "since": 8})
    assert not view.apply({**DELTA, "check": 1})


def test_own_row_is_found_inside_and_outside_the_view() -> None:
    view = BoardView("me")
    view.replace(ANSWER)
    view.apply(DELTA)
    assert view.own == {"rank": 2, "score": 3}
    view.apply({**DELTA, "since": 9, "version": 10, "removed": ["me"], "entries": []})
    view.apply_own({"rank": 60, "score": 2})
    assert view.own == {"rank": 60, "score": 2}


async def test_r34_a_watch_runs_from_copy_through_deltas_to_the_final_standings() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        request = await peer.receive("boards.watch")
        assert (request.fields.leaderboard_id, request.fields.limit) == ("b1", 10)
        await peer.reply(request, ANSWER)
        await peer.reply(await peer.receive("ping"), {"serverTime": ""})
        await peer.push("board.delta", **DELTA)
        await peer.reply(await peer.receive("ping"), {"serverTime": ""})
        await peer.push("board.final", **FINAL)
        await peer.until_gone()

    seen = []
    async with serving(script) as url, connect(url) as client:
        async for board in client.watch("b1", limit=10):
            seen.append((board.version, board.own, board.final))
            if not board.final:
                await client.ping()
        assert client.mismatches == 0
    assert seen == [
        (7, {"rank": 1, "score": 3}, False),
        (9, {"rank": 2, "score": 3}, False),
        (12, {"rank": 2, "score": 3}, True),
    ]


@pytest.mark.parametrize("wrong", [{"since": 8}, {"check": 1}], ids=["since", "check"])
async def test_r34_a_copy_gone_astray_is_watched_again(wrong: dict) -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("boards.watch"), ANSWER)
        await peer.push("board.delta", **{**DELTA, **wrong})
        await peer.reply(await peer.receive("boards.watch"), {**ANSWER, "version": 9})
        await peer.until_gone()

    async with serving(script) as url, connect(url) as client:
        async for board in client.watch("b1"):
            if board.version == 9 and board.check() == board_check([("me", 3), ("you", 1)]):
                break
        assert client.mismatches == 1


async def test_a_refused_watch_raises() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.refuse(await peer.receive("boards.watch"), "not_found")
        await peer.until_gone()

    async with serving(script) as url, connect(url) as client:
        with pytest.raises(Refused) as caught:
            await anext(client.watch("nowhere"))
        assert caught.value.is_not_found


async def test_leaving_a_watch_ends_it_once_nobody_shares_the_view() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("boards.watch"), ANSWER)
        await peer.reply(await peer.receive("boards.watch"), ANSWER)
        await peer.reply(await peer.receive("ping"), {"serverTime": ""})
        request = await peer.receive("boards.unwatch")
        assert request.fields.sub == "s1"
        await peer.until_gone()

    async with serving(script) as url, connect(url) as client, client.watch("b1") as first:
        await anext(first)
        async with client.watch("b1") as second:
            await anext(second)
        assert [board async for board in second] == []
        await client.ping()


async def test_r34_a_lost_connection_resumes_from_the_copy() -> None:
    async def lose(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("boards.watch"), ANSWER)

    async def resume(peer: Peer) -> None:
        hello = await peer.receive("hello")
        (view,) = hello.fields.resume
        assert (view.leaderboard_id, view.version, view.limit) == ("b1", 7, 10)
        subs = [{"leaderboardId": "b1", "sub": "s2", "version": 9, "how": "delta"}]
        peer._conversation.admit("player", "p1")
        await peer.reply(hello, {"role": "player", "subs": subs, "resumed": True})
        await peer.push("board.delta", **{**DELTA, "sub": "s2"})
        await peer.push("board.final", **{**FINAL, "sub": "s2"})
        await peer.until_gone()

    async with serving(lose, resume) as url, connect(url) as client:
        versions = [board.version async for board in client.watch("b1", limit=10)]
    assert versions[-1] == 12
    assert versions == sorted(versions)


@pytest.mark.parametrize("subs", [[], [{"leaderboardId": "b1", "how": "gone"}]], ids=["unknown", "gone"])
async def test_r34_what_cannot_be_resumed_is_watched_again(subs: list) -> None:
    async def lose(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("boards.watch"), ANSWER)

    async def begin_anew(peer: Peer) -> None:
        await peer.welcome(subs=subs)
        await peer.reply(await peer.receive("boards.watch"), {**ANSWER, "version": 11})
        await peer.push("board.final", **FINAL)
        await peer.until_gone()

    async with serving(lose, begin_anew) as url, connect(url) as client:
        versions = [board.version async for board in client.watch("b1")]
    assert versions[-1] == 12


async def test_a_watch_ends_with_its_client() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("boards.watch"), ANSWER)
        await peer.until_gone()

    async with serving(script) as url:
        async with connect(url) as client:
            watch = client.watch("b1")
            await anext(watch)
        with anyio.fail_after(1), pytest.raises(ConnectionLost):
            await anext(watch)
