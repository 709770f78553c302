"""Calls: typed answers, refusals, pipelining, seqs."""

from __future__ import annotations

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from kraty_actors.client import ConnectionLost, Refused, connect
from kraty_protocol.progress import Progress
from tests.client.fake_server import Peer, serving

pytestmark = pytest.mark.anyio

ATTEMPT = {"attemptId": "a1", "eventKey": "race", "status": "in_progress", "lastSeq": 4}


async def test_says_hello_with_its_token() -> None:
    async def script(peer: Peer) -> None:
        hello = await peer.welcome()
        assert hello.fields.token == "t"
        await peer.until_gone()

    async with serving(script) as url, connect(url, token="t") as client:
        assert (client.player_id, client.participant_id) == ("p1", "me")


@pytest.mark.parametrize("codec", ["msgpack", "json"])
async def test_answers_are_matched_by_id_whatever_their_order(codec: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        requests = [await peer.receive("events.get") for _ in range(20)]
        for request in reversed(requests):
            await peer.reply(request, {"echo": request.fields.event_key})
        await peer.until_gone()

    answers: dict[str, str] = {}

    async with serving(script) as url, connect(url, role="operator", codec=codec) as client:

        async def ask(key: str) -> None:
            answers[key] = (await client.call("events.get", eventKey=key))["echo"]

        async with anyio.create_task_group() as tasks:
            for at in range(20):
                tasks.start_soon(ask, f"e{at}")
    assert answers == {f"e{at}": f"e{at}" for at in range(20)}


async def test_a_refusal_is_raised_with_code_status_and_details() -> None:
    short = {"resource": "cash", "needed": 50, "have": 3}

    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.refuse(await peer.receive("events.start"), "insufficient_entry_cost", short)
        await peer.until_gone()

    async with serving(script) as url, connect(url) as client:
        with pytest.raises(Refused) as caught:
            await client.start("race")
        assert caught.value.is_insufficient_entry_cost
        assert not caught.value.is_conflict
        assert (caught.value.status, caught.value.details) == (402, short)


async def test_a_refused_hello_is_raised_plainly() -> None:
    async def script(peer: Peer) -> None:
        await peer.refuse(await peer.receive("hello"), "unauthenticated")
        await peer.close(4401)

    async with serving(script) as url:
        with pytest.raises(Refused, match="unauthenticated"):
            async with connect(url, token="bad"):
                pytest.fail("let in")


async def test_what_the_block_raises_comes_out_unwrapped() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.until_gone()

    async with serving(script) as url:
        with pytest.raises(LookupError, match="mine"):
            async with connect(url):
                raise LookupError("mine")


async def test_a_server_that_refuses_the_handshake_is_a_lost_connection() -> None:
    async def refuse(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, refuse)
        with pytest.raises(ConnectionLost, match="400"):
            async with connect(f"ws://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/"):
                pytest.fail("let in")
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("url", ["", "http://127.0.0.1/", "127.0.0.1:80"])
async def test_what_is_no_websocket_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="URI"):
        async with connect(url):
            pytest.fail("let in")


async def test_nobody_listening_is_an_os_error() -> None:
    async with serving() as url:
        pass
    with pytest.raises(OSError, match="connect"):
        async with connect(url):
            pytest.fail("let in")


async def test_r15_seqs_rise_from_the_attempts_last_one() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("events.start"), {"attempt": ATTEMPT})
        seen = []
        for _ in range(3):
            request = await peer.receive("events.progress")
            assert isinstance(request.fields, Progress)
            seen.append(request.fields.seq)
            await peer.reply(request, {"status": "in_progress"})
        assert seen == [5, 6, 7]
        await peer.until_gone()

    async with serving(script) as url, connect(url) as client:
        attempt = await client.start("race")
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(client.progress, attempt["attemptId"], {"streak": 1})


async def test_r15_the_seq_of_an_unknown_attempt_is_asked_for_and_again_after_a_conflict() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("attempts.get"), {"attempt": ATTEMPT, "rank": 1})
        request = await peer.receive("events.progress")
        assert (request.fields.seq, request.fields.metric_value) == (5, 2.5)
        await peer.refuse(request, "idempotency_conflict", {"lastSeq": 9, "applied": False})
        await peer.reply(await peer.receive("attempts.get"), {"attempt": {**ATTEMPT, "lastSeq": 9}, "rank": 1})
        request = await peer.receive("events.progress")
        assert request.fields.seq == 10
        await peer.reply(request, {"status": "completed"})
        await peer.until_gone()

    async with serving(script) as url, connect(url) as client:
        with pytest.raises(Refused) as caught:
            await client.progress("a1", 2.5)
        assert caught.value.is_idempotency_conflict
        assert (await client.progress("a1", 2.5))["status"] == "completed"


async def test_a_server_acts_for_named_players() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome(playerId=None, participantId=None)
        request = await peer.receive("wallet.get")
        assert request.fields.player_id == "p7"
        await peer.reply(request, {"balances": [{"key": "cash", "balance": 12}]})
        await peer.until_gone()

    async with serving(script) as url, connect(url, role="server") as client:
        assert await client.for_player("p7").wallet() == [{"key": "cash", "balance": 12}]


@pytest.mark.parametrize("codec", ["msgpack", "json"])
@pytest.mark.parametrize(
    "metrics",
    [{"a": "x\0"}, {"a": "\ud800"}, {1: 1}, {"a": {"a": {"a": [[[[[[[[[[[[[]]]]]]]]]]]]]}}}, {"a": "x" * 70_000}],
    ids=["nul", "surrogate", "key", "depth", "size"],
)
async def test_what_cannot_travel_is_refused_before_it_is_sent(codec: str, metrics: dict) -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.reply(await peer.receive("ping"), {"serverTime": "now"})
        await peer.until_gone()

    async with serving(script) as url, connect(url, codec=codec) as client:
        if not (codec == "json" and 1 in metrics):  # JSON turns the key 1 into "1"
            with pytest.raises(ValueError, match=r"NUL|Unicode|key|deep|surrogates|bytes"):
                await client.progress("a1", metrics, seq=1)
        assert await client.ping() == "now"


async def test_pushes_are_kept_until_they_are_read() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.push("grant", grant={"id": "g1"})
        await peer.push("grant", grant={"id": "g2"})
        await peer.reply(await peer.receive("ping"), {"serverTime": "now"})
        await peer.until_gone()

    async with serving(script) as url:
        async with connect(url) as client:
            await client.ping()
            pushes = client.pushes()
            first = await anext(pushes)
        assert first["grant"]["id"] == "g1"
        assert [push["grant"]["id"] async for push in pushes] == ["g2"]


async def test_a_closed_client_answers_no_more_calls() -> None:
    async def script(peer: Peer) -> None:
        await peer.welcome()
        await peer.until_gone()

    async with serving(script) as url:
        async with connect(url) as client:
            pass
        with pytest.raises(ConnectionLost):
            await client.ping()
