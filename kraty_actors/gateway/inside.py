"""Operations asked for by the program itself: what a connection does, without a socket.

Requests and answers are packed and unpacked as on the wire: they are judged by the same rules, and neither side can
change what the other holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio
from anyio.abc import TaskGroup

from kraty_actors.gateway.auth import Identity
from kraty_actors.gateway.connection import Connection, Line
from kraty_actors.gateway.frames import SharedPush
from kraty_actors.gateway.gateway import Gateway
from kraty_protocol.codec import JSON
from kraty_protocol.conversation import Conversation
from kraty_protocol.errors import Refused
from kraty_protocol.limits import TRUSTED_LIMITS, Role


class Inside:
    """Asks as a server or an operator would."""

    def __init__(self, gateway: Gateway, tasks: TaskGroup, role: Role) -> None:
        self._gateway = gateway
        self._tasks = tasks
        self._role: Role = role

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """As `call`, with the fields that are not None."""
        return await self.call(op, {name: value for name, value in fields.items() if value is not None})

    async def call(self, op: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Ask, with the fields as they would travel.

        Raises:
            Refused: The rules say no.
            ValueError, TypeError: A field could not travel: NaN, or a type that the wire does not have.
        """
        doorbell = Doorbell()
        conversation = Conversation(JSON)
        conversation.admit(self._role, None)
        connection = Connection(self._gateway, conversation, doorbell, Line(), self._tasks)
        connection.identity = Identity(self._role, None)
        pending = connection.receive(JSON.encode({"id": 1, "op": op, **fields}).decode())
        if pending is not None:
            await pending
        await doorbell.rung()
        reply = JSON.decode(doorbell.last.decode(), TRUSTED_LIMITS)
        if "error" in reply:
            raise Refused.from_wire(reply["error"])
        ok: dict[str, Any] = reply["ok"]
        return ok


class Doorbell:
    """An outbox that keeps only what came last, and tells that something came."""

    is_behind = False
    unsent_bytes = 0

    def __init__(self) -> None:
        self.last = b""
        self._bell = anyio.Event()

    def put(self, payload: bytes) -> None:
        self.last = payload
        self._bell.set()

    def send_shared(self, push: SharedPush) -> None:
        self._bell.set()

    def flush(self) -> None:
        pass

    async def caught_up(self) -> None:
        pass

    def when_caught_up(self, tell: Callable[[], None]) -> None:
        pass

    async def rung(self) -> None:
        """Wait until something came since the last time."""
        await self._bell.wait()
        self._bell = anyio.Event()
