"""After a lost connection: what is sent again, what is not, and when not to come back."""

from __future__ import annotations

import anyio
import pytest

from kraty_actors.client import ConnectionLost, connect, session
from tests.client.fake_server import Peer, serving

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "FIRST_BACKOFF_SECONDS", 0.001)


async def idle(peer: Peer) -> None:
    await peer.welcome()
    await peer.until_gone()


async def test_r15_unanswered_writes_are_sent_again_in_order_with_their_seqs() -> None:
    all_sent = anyio.Event()

    async def lose_three(peer: Peer) -> None:
        await peer.welcome()
        await all_sent.wait()

    async def answer_three(peer: Peer) -> None:
        await peer.welcome()
        for expected in (1, 2, 3):
            request = await peer.receive("events.progress")
            assert request.fields.seq == expected
            await peer.reply(request, {"seq": expected, "status": "in_progress"})
        await peer.until_gone()

    answers = []
    async with serving(lose_three, answer_three) as url, connect(url) as client:

        async def write(seq: int) -> None:
            answers.append((await client.progress("a1", {"streak": 1}, seq=seq))["seq"])

        async with anyio.create_task_group() as tasks:
            for seq in (1, 2, 3):
                tasks.start_soon(write, seq)
                while len(client._session._calls) < seq:
                    await anyio.lowlevel.checkpoint()
            all_sent.set()
    assert sorted(answers) == [1, 2, 3]


ORDER = {"playerId": "p1", "key": "cash", "reason": "purchase", "idempotencyKey": "order-1"}


@pytest.mark.parametrize(
    ("role", "op", "fields"),
    [
        ("player", "events.list", {}),
        ("player", "events.start", {"eventKey": "race"}),
        ("player", "events.finish", {"attemptId": "a1"}),
        ("player", "grants.claim", {"grantId": "g1"}),
        ("player", "wallet.get", {}),
        ("player", "boards.periods", {"boardKey": "weekly"}),
        ("player", "profile.set", {"name": "Ada"}),
        ("server", "players.put", {"playerId": "p1", "attributes": {}}),
        ("server", "wallet.credit", {**ORDER, "amount": 5}),
        ("server", "inventory.revoke", {**ORDER, "quantity": 5}),
        ("server", "lobbies.push", {"eventKey": "duel", "key": "match-1", "playerIds": ["p1"]}),
    ],
)
async def test_what_has_no_second_effect_is_sent_again(role: str, op: str, fields: dict) -> None:
    async def lose(peer: Peer) -> None:
        await peer.welcome()
        await peer.receive(op)

    async def answer(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive(op), {"again": True})
        await peer.until_gone()

    async with serving(lose, answer) as url, connect(url, role=role) as client:
        assert await client.call(op, **fields) == {"again": True}


@pytest.mark.parametrize(
    ("role", "op", "fields"),
    [
        ("player", "events.progress", {"attemptId": "a1", "metricValue": 1}),
        ("operator", "game.put", {"game": {}}),
        ("operator", "events.finalize", {"eventKey": "race"}),
        ("operator", "windows.cancel", {"windowId": "w1"}),
        ("player", "lobbies.leave", {"lobbyId": "w1.2"}),
    ],
)
async def test_what_might_count_twice_is_never_sent_again(role: str, op: str, fields: dict) -> None:
    async def lose(peer: Peer) -> None:
        await peer.welcome()
        await peer.receive(op)

    async def next_is_ping(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("ping"), {"serverTime": "now"})
        await peer.until_gone()

    async with serving(lose, next_is_ping) as url, connect(url, role=role) as client:
        with pytest.raises(ConnectionLost):
            await client.call(op, **fields)
        assert await client.ping() == "now"


async def test_what_was_asked_while_away_is_sent_on_return() -> None:
    away = anyio.Event()

    async def leave(peer: Peer) -> None:
        await peer.welcome()
        await peer.close(1001)
        away.set()

    async def refuse_service(peer: Peer) -> None:
        await peer.refuse(await peer.receive("hello"), "overloaded", {"retryAfter": 1})

    async def answer(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("game.put"), {"changed": []})
        await peer.until_gone()

    async with serving(leave, refuse_service, answer) as url, connect(url, role="operator") as client:
        await away.wait()
        while client._session._link is not None:
            await anyio.lowlevel.checkpoint()
        assert await client.call("game.put", game={}) == {"changed": []}


@pytest.mark.parametrize("code", [1008, 1009, 4401, 4403])
async def test_after_a_final_close_code_the_client_does_not_come_back(code: int) -> None:
    async def close(peer: Peer) -> None:
        await peer.welcome()
        await peer.receive("ping")
        await peer.close(code)
        await peer.until_gone()

    async with serving(close, idle) as url, connect(url) as client:
        with pytest.raises(ConnectionLost) as caught:
            await client.ping()
        assert caught.value.code == code
        with pytest.raises(ConnectionLost):
            await client.ping()


async def test_reconnecting_can_be_left_to_the_caller() -> None:
    async def lose(peer: Peer) -> None:
        await peer.welcome()
        await peer.receive("ping")

    async with serving(lose, idle) as url, connect(url, reconnect=False) as client:
        with pytest.raises(ConnectionLost):
            await client.ping()
        assert [push async for push in client.pushes()] == []


async def test_a_cancelled_call_is_forgotten() -> None:
    async def lose(peer: Peer) -> None:
        await peer.welcome()
        await peer.receive("wallet.get")
        await peer.receive("ping")

    async def next_is_ping(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("ping"), {"serverTime": "now"})
        await peer.until_gone()

    async with serving(lose, next_is_ping) as url, connect(url) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.wallet)
            while not client._session._calls:
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        assert await client.ping() == "now"
