"""One caller's requests, each sent until its fate is known, and what is certain about when it happened."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import ByteStream

from kraty_actors.client.link import ConnectionLost, Link
from kraty_protocol.codec import MSGPACK

URL = "ws://simulated:1/v1/socket"
PATIENCE_SECONDS = 8.0
"""How long an answer is waited for before the connection is given up."""

PAUSE_SECONDS = 1.0
"""Before the next try."""

Dial = Callable[[], Awaitable[ByteStream]]


@dataclass(frozen=True, slots=True)
class Answer:
    """The last answer to a request that may have been sent several times.

    Attributes:
        reply: `ok` or `error`, as it came.
        sent, came: Of the first frame and of the answer: what was done was done between the two (ms).
        lost: So many earlier frames have no answer: each may have been taken up or not.
    """

    reply: Mapping[str, Any]
    sent: int
    came: int
    lost: int

    @property
    def ok(self) -> Mapping[str, Any] | None:
        return self.reply.get("ok")

    @property
    def code(self) -> str | None:
        """The error's code."""
        error = self.reply.get("error")
        return None if error is None else error["code"]

    @property
    def details(self) -> Mapping[str, Any]:
        error = self.reply.get("error") or {}
        return error.get("details") or {}


class Caller:
    """Asks one thing at a time."""

    def __init__(
        self, dial: Dial, now_ms: Callable[[], int], hello: Mapping[str, Any], tell: Callable[[str], None]
    ) -> None:
        self.pushes: list[Mapping[str, Any]] = []
        self._dial = dial
        self._now_ms = now_ms
        self._hello = hello
        self._tell = tell
        self._link: Link | None = None
        self._last_id = 0

    async def ask(self, op: str, *, twice: bool = False, **fields: Any) -> Answer:
        """Send a request again and again until it is answered, and the answer is not that the server is busy.

        With `twice` every frame is sent twice in a row, and the second answer counts.
        """
        sent, lost = self._now_ms(), 0
        frame = {"op": op, **{name: value for name, value in fields.items() if value is not None}}
        while True:
            try:
                with anyio.fail_after(PATIENCE_SECONDS):
                    reply = await self._once(frame, twice=twice)
            except (ConnectionLost, OSError, TimeoutError):
                lost += 1
                await self.hang_up()
            else:
                answer = Answer(reply, sent, self._now_ms(), lost + twice)
                self._tell(f"{self._hello.get('playerId') or self._hello['role']}: {frame} -> {reply}")
                if answer.code != "overloaded":
                    return answer
                lost += op == "events.start"  # it may have been admitted, and not be there to be shown yet
            await anyio.sleep(PAUSE_SECONDS)

    async def hang_up(self) -> None:
        """Leave without a word; the next request goes over another connection."""
        if self._link is not None:
            link, self._link = self._link, None
            await link.aclose()

    async def _once(self, frame: Mapping[str, Any], *, twice: bool) -> Mapping[str, Any]:
        if self._link is None:
            link = await Link.open(URL, MSGPACK, self._dial)
            self._link = link
            welcome = await self._answer_to({"op": "hello", **self._hello})
            if "error" in welcome:
                raise ConnectionLost(None, "not let in")
        if twice:
            self._post(frame)
        return await self._answer_to(frame)

    def _post(self, frame: Mapping[str, Any]) -> int:
        if self._link is None:
            raise ConnectionLost(None, "hung up")
        self._last_id += 1
        if not self._link.post(MSGPACK.encode({"id": self._last_id, **frame})):
            raise ConnectionLost(None, "closing")
        return self._last_id

    async def _answer_to(self, frame: Mapping[str, Any]) -> Mapping[str, Any]:
        request_id = self._post(frame)
        link = self._link
        if link is None:
            raise ConnectionLost(None, "hung up")
        await link.flush()
        while True:
            for message in await link.receive():
                if message.get("id") == request_id:
                    return message
                if "push" in message:
                    self.pushes.append(message)

    async def send_and_leave(self, op: str, **fields: Any) -> None:
        """Send a request, if there is a way, and hang up without its answer."""
        try:
            with anyio.fail_after(PATIENCE_SECONDS):
                if self._link is None:
                    await self._once({"op": "ping"}, twice=False)
                self._post({"op": op, **fields})
                if self._link is not None:
                    await self._link.flush()
        except (ConnectionLost, OSError, TimeoutError):
            pass  # who knows how far it came
        await self.hang_up()
