"""Ann, and those who may act for her: what they all can do is tested for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from raw_peer import Map, Peer
from servers import ATTACK, LATER, RACE, TRAIL, Server, game_of, serving

from kraty_protocol.errors import STATUS

GAME = game_of(ATTACK, RACE, TRAIL, LATER, {**ATTACK, "key": "sketch", "state": "draft"})


@dataclass(frozen=True)
class Actor:
    """Ann, or somebody trusted who acts for her."""

    peer: Peer
    who: Map

    async def ok(self, op: str, **fields: Any) -> Map:
        return await self.peer.ok(op, **self.who, **fields)

    async def error(self, op: str, **fields: Any) -> Map:
        error = await self.peer.error(op, **self.who, **fields)
        assert error["status"] == STATUS[error["code"]]
        return error


@asynccontextmanager
async def acting(server: Server, role: str, codec: str) -> AsyncIterator[Actor]:
    if role == "player":
        async with server.peer("ann", codec=codec) as peer:
            yield Actor(peer, {})
    else:
        async with server.peer(role=role, codec=codec) as peer:
            yield Actor(peer, {"playerId": "ann"})


@asynccontextmanager
async def playing(role: str, codec: str) -> AsyncIterator[tuple[Server, Actor]]:
    async with serving(GAME) as server, acting(server, role, codec) as actor:
        yield server, actor


def assert_shape(answer: Mapping[str, Any], shape: Any) -> None:
    """Exactly the fields that the wire's shape has."""
    names = set(answer)
    assert shape.__required_keys__ <= names <= shape.__required_keys__ | shape.__optional_keys__, names
