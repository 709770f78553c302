"""What peers may ask in what time, and what becomes of those who ask for more."""

from __future__ import annotations

from contextlib import AsyncExitStack

import pytest
from anyio.lowlevel import checkpoint
from raw_peer import HandshakeRefused, Map, Peer, dialled
from servers import ATTACK, Server, game_of, serving

from kraty_actors.gateway import listener
from kraty_actors.gateway.addresses import read_address
from kraty_protocol.errors import CloseCode

pytestmark = pytest.mark.anyio

BURST = 20


def limited(**limits: int) -> Map:
    """A game whose connections get one request a second after the first twenty, or what is said."""
    given = {"requestsPerSecond": 1, "burst": BURST, **limits}
    return game_of(ATTACK) | {"settings": {"seed": 7, "limits": given}}


async def answers(peer: Peer, requests: list[Map]) -> list[str]:
    """What each of these requests, sent in one go, is answered: a code, or "ok"."""
    payloads = [peer.codec.encode({"id": at, **request}) for at, request in enumerate(requests, 1000)]
    for payload in payloads:
        await peer.send_frame(payload.decode() if peer.codec.text else payload)
    found = [await peer.receive() for _ in requests]
    return [message["error"]["code"] if "error" in message else "ok" for message in found]


async def emptied(server: Server) -> None:
    """Wait until the server knows that everybody has hung up."""
    while server.connections:
        await checkpoint()


PING: Map = {"op": "ping"}


async def test_requests_beyond_the_burst_are_rate_limited_and_told_how_long_to_wait(codec: str) -> None:
    async with serving(limited()) as server, server.peer("ann", codec=codec) as ann:
        assert ann.welcome["limits"]["requestsPerSecond"] == 1
        codes = await answers(ann, [PING] * (BURST + 5))
        assert codes[: BURST - 1] == ["ok"] * (BURST - 1)  # the hello was one, too
        assert codes.count("rate_limited") in (5, 6)
        error = await ann.error("ping")
        assert (error["code"], error["status"]) == ("rate_limited", 429)
        assert 0 < error["details"]["retryAfter"] <= 1.001


async def test_a_write_that_is_rate_limited_is_not_applied_and_uses_no_seq(codec: str) -> None:
    async with serving(limited(burst=40)) as server, server.peer("ann", codec=codec) as ann:
        attempt = (await ann.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        writes = [{"op": "events.progress", "attemptId": attempt, "metricValue": 1, "seq": seq} for seq in range(1, 61)]
        codes = await answers(ann, writes)
        applied = codes.count("ok")
        assert set(codes) == {"ok", "rate_limited"}
        read = await server.game.attempt("ann", attempt)
        assert (read["score"], read["lastSeq"]) == (applied, applied)


async def test_who_goes_on_is_closed_for_flooding(codec: str) -> None:
    async with serving(limited()) as server, server.peer("ann", codec=codec) as ann:
        for _ in range(3 * BURST):
            await ann.post("ping")
        assert await ann.until_closed() == CloseCode.FLOODING


@pytest.mark.parametrize("frame", ["ping", "fragment"])
async def test_frames_that_ask_for_nothing_are_counted_as_well(codec: str, frame: str) -> None:
    async with serving(limited()) as server, server.peer("ann", codec=codec) as ann:
        if frame == "fragment":
            await ann.send_frame("{" if ann.codec.text else b"{", fin=False)
        for _ in range(3 * BURST):
            await (ann.send_bytes(b"\x89\x80\0\0\0\0") if frame == "ping" else ann.send_rest(b"", fin=False))
        assert await ann.until_closed() == CloseCode.FLOODING


async def test_the_connections_of_a_player_share_one_allowance(codec: str) -> None:
    async with serving(limited()) as server, server.peer("ann", codec=codec) as ann:
        assert await answers(ann, [PING] * (BURST - 1)) == ["ok"] * (BURST - 1)
        async with server.peer("ann", codec=codec) as again, server.peer("bob", codec=codec) as bob:
            assert (await answers(again, [PING] * 5)).count("ok") <= 1
            assert await answers(bob, [PING] * 5) == ["ok"] * 5


async def test_hanging_up_does_not_fill_the_allowance(codec: str) -> None:
    async with serving(limited()) as server:
        async with server.peer("ann", codec=codec) as ann:
            await answers(ann, [PING] * BURST)
        await emptied(server)
        async with server.peer("ann", codec=codec) as ann:
            assert (await answers(ann, [PING] * 5)).count("ok") <= 1


async def test_the_program_itself_has_no_limit() -> None:
    async with serving(limited()) as server:
        board_id = (await server.game.start("ann", "attack"))["leaderboardId"]
        for _ in range(3 * BURST):
            assert (await server.game.board(board_id))["total"] == 1


# -- connections of one address

TWO = limited(connectionsPerAddress=2)
PROXY = "127.0.0.0/8"


def of(address: str) -> Map:
    return {"X-Forwarded-For": address}


async def test_an_address_behind_a_proxy_has_so_many_connections(codec: str) -> None:
    async with serving(TWO, behind_proxy=PROXY) as server, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(dialled(server.port, codec=codec, headers=of("203.0.113.7")))
        with pytest.raises(HandshakeRefused) as refused:
            await stack.enter_async_context(dialled(server.port, codec=codec, headers=of("1.1.1.1, 203.0.113.7")))
        assert refused.value.status == 429
        other = await stack.enter_async_context(dialled(server.port, codec=codec, headers=of("203.0.113.8")))
        await other.ok("hello", playerId="ann")


async def test_a_place_is_free_again_when_a_connection_ends(codec: str) -> None:
    async with serving(TWO, behind_proxy=PROXY) as server:
        for _ in range(5):
            async with dialled(server.port, codec=codec, headers=of("203.0.113.7")) as peer:
                await peer.ok("hello", playerId="ann")
            await emptied(server)


@pytest.mark.parametrize("proxy", [None, PROXY])
async def test_loopback_and_the_proxy_itself_are_not_counted(codec: str, proxy: str | None) -> None:
    async with serving(TWO, behind_proxy=proxy) as server, AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(dialled(server.port, codec=codec))


async def test_who_comes_by_themselves_is_counted_before_they_say_anything(
    codec: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "read_address", lambda _: read_address("203.0.113.7"))
    async with serving(TWO) as server, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(dialled(server.port, codec=codec))
        with pytest.raises(HandshakeRefused) as refused:
            await stack.enter_async_context(dialled(server.port, codec=codec))
        assert refused.value.status == 429
        assert server.game._gateway.figures.turned_away == 1
