"""Connections that a program brings along: of a `websockets` server, or any byte stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal

import anyio
import pytest
import trio
import websockets.asyncio.server
import websockets.trio.server
from small_game import opened_at_noon

from kraty_actors import Game, select_subprotocol
from kraty_actors.client import Client, connect

pytestmark = pytest.mark.anyio

Codec = Literal["msgpack", "json"]


@asynccontextmanager
async def hosted(game: Game, backend: str) -> AsyncIterator[str]:
    """The URL of a server of the backend's own kind that hands its connections on."""
    if backend == "asyncio":
        async with websockets.asyncio.server.serve(
            game.websocket_handler, "127.0.0.1", 0, select_subprotocol=select_subprotocol
        ) as server:
            yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        return
    async with trio.open_nursery() as nursery:
        serving = partial(websockets.trio.server.serve, host="127.0.0.1", select_subprotocol=select_subprotocol)
        listening = await nursery.start(serving, game.websocket_handler, 0)
        yield f"ws://127.0.0.1:{listening.listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def _play(client: Client) -> None:
    """All kinds of traffic: requests, a refusal, deltas and the final standings."""
    attempt = await client.start("sprint")
    async with client.watch(str(attempt["leaderboardId"])) as boards:
        first = await anext(boards)
        assert first.total == 4
        await client.progress(attempt["attemptId"], {"wins": 1})
        second = await anext(boards)
        assert second.own is not None
        assert second.own["score"] == 1
    with pytest.raises(Exception, match="not_found"):
        await client.start("nowhere")


@pytest.mark.parametrize("codec", ["msgpack", "json"])
async def test_a_websockets_server_hands_connections_on(anyio_backend: str, codec: Codec) -> None:
    async with (
        opened_at_noon(insecure_dev=True) as (game, _),
        hosted(game, anyio_backend) as url,
        connect(url, player_id="ada", codec=codec) as client,
    ):
        await _play(client)


async def test_two_connections_of_a_host_watch_one_board(anyio_backend: str) -> None:
    async with (
        opened_at_noon(insecure_dev=True) as (game, _),
        hosted(game, anyio_backend) as url,
        connect(url, player_id="ada") as ada,
        connect(url, player_id="bob") as bob,
    ):
        board_id = str((await ada.start("sprint"))["leaderboardId"])
        async with bob.watch(board_id) as boards:
            await anext(boards)
            await game.progress("ada", "sprint", 1)
            board = await anext(boards)
            assert [row["score"] for row in board.entries if row["participantId"] == ada.participant_id] == [1]


async def test_a_host_is_told_of_a_bad_hello(anyio_backend: str) -> None:
    async with opened_at_noon() as (game, _), hosted(game, anyio_backend) as url:
        with pytest.raises(Exception, match="unauthenticated"):
            async with connect(url, player_id="ada"):
                raise AssertionError("nobody was asked for a token")


@pytest.mark.parametrize("codec", ["msgpack", "json"])
async def test_any_byte_stream_will_do(codec: Codec) -> None:
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    async with opened_at_noon(insecure_dev=True) as (game, _), listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, game.handle)
        async with connect(f"ws://127.0.0.1:{port}/v1/socket", player_id="ada", codec=codec) as client:
            await _play(client)
        tasks.cancel_scope.cancel()


def test_the_subprotocol_is_agreed_on_if_there_is_one_of_ours() -> None:
    assert select_subprotocol(None, ["chat", "kraty.v1.json"]) == "kraty.v1.json"  # type: ignore[list-item]
    assert select_subprotocol(None, ["chat"]) is None  # type: ignore[list-item]
    assert select_subprotocol(None, []) is None
