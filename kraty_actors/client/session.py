"""What outlives a connection: requests that wait for their answers, watched boards, and coming back.

When a connection is lost, the next one says hello again, resumes the watched boards, and then carries again,
in their old order, every unanswered request that is safe to send twice.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest
from typing import Any

import anyio
from anyio.abc import TaskStatus

from kraty_actors.client.link import ConnectionLost, Dial, Link
from kraty_actors.client.watch import Watch
from kraty_protocol.codec import Codec, Malformed
from kraty_protocol.errors import FINAL_CLOSE_CODES, Refused
from kraty_protocol.limits import HELLO_SECONDS, PLAYER_LIMITS, TRUSTED_LIMITS

FIRST_BACKOFF_SECONDS = 0.1
MAX_BACKOFF_SECONDS = 5.0
KEPT_PUSHES = 1000
"""Pushes that wait to be read; the oldest go first, for all they say can be asked for."""

OnOk = Callable[[dict[str, Any]], None]

_REPEATABLE = frozenset(
    {
        *("ping", "events.list", "events.get", "windows.list", "windows.report", "attempts.get", "lobbies.get"),
        *("boards.read", "boards.watch", "boards.periods"),
        *("wallet.get", "inventory.get", "grants.list", "players.get"),
        *("events.preview", "events.simulate", "players.lookup", "anomalies.list", "audit.list", "webhooks.dead"),
        "stats",
        # Their second answer is the same and has no second effect.
        *("events.start", "events.finish", "grants.claim", "crates.open"),
        *("profile.set", "players.put", "players.ban", "players.unban", "attempts.void", "lobbies.push"),
    }
)


@dataclass(slots=True, eq=False)
class _Call:
    """One request and, in the end, its answer.

    Attributes:
        frame: The request as it is sent, once or again.
        repeatable: Whether a second frame after a lost connection has no second effect.
        on_ok, on_error: Run before anything behind the answer is read.
    """

    frame: bytes
    repeatable: bool
    on_ok: OnOk | None = None
    on_error: Callable[[Refused], None] | None = None
    sent: bool = False
    done: anyio.Event = field(default_factory=anyio.Event)
    ok: dict[str, Any] = field(default_factory=dict)
    failure: Exception | None = None

    def answer(self, reply: Mapping[str, Any]) -> None:
        if "error" in reply:
            refused = Refused.from_wire(reply["error"])
            if self.on_error:
                self.on_error(refused)
            self.fail(refused)
            return
        self.ok = reply["ok"]
        if self.on_ok:
            self.on_ok(self.ok)
        self.done.set()

    def fail(self, failure: Exception) -> None:
        self.failure = failure
        self.done.set()


class Session:
    """One caller's dealings with one server, across as many connections as it takes.

    Attributes:
        welcome: The answer to the last `hello`.
        mismatches: How often a copy of a board was not what the server took it for, and was asked for anew.
    """

    def __init__(self, url: str, hello: Mapping[str, Any], codec: Codec, *, reconnect: bool, dial: Dial | None) -> None:
        self.welcome: dict[str, Any] = {}
        self.mismatches = 0
        self._url = url
        self._hello = hello
        self._codec = codec
        self._reconnect = reconnect
        self._dial = dial
        self._link: Link | None = None
        self._last_id = 0
        self._calls: dict[int, _Call] = {}
        self._watches: list[Watch] = []
        self._pushes: deque[dict[str, Any]] = deque(maxlen=KEPT_PUSHES)
        self._pushed = anyio.Event()
        self._ended: Exception | None = None

    # Requests

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """As `call`, with the fields that are not None."""
        return await self.call(op, given(fields))

    async def call(self, op: str, fields: Mapping[str, Any], on_ok: OnOk | None = None) -> dict[str, Any]:
        """Ask, with the fields as they are to travel, and wait for the answer.

        Raises:
            Refused: The server said no.
            ConnectionLost: The session is over, or the connection broke under a request that must not be sent
                twice.
            ValueError, TypeError: A field cannot travel: NaN, text that is not Unicode, a key that is not
                text, too deep, too large.
        """
        request_id, call = self._post(op, fields, on_ok)
        try:
            await self.flush()
            await call.done.wait()
        finally:
            self._calls.pop(request_id, None)
        if call.failure is not None:
            raise call.failure
        return call.ok

    def _post(
        self,
        op: str,
        fields: Mapping[str, Any],
        on_ok: OnOk | None = None,
        on_error: Callable[[Refused], None] | None = None,
    ) -> tuple[int, _Call]:
        if self._ended is not None:
            raise self._ended
        request_id, frame = self._encode(op, fields)
        call = self._calls[request_id] = _Call(frame, _is_repeatable(op, fields), on_ok, on_error)
        if self._link is not None:
            call.sent = self._link.post(frame)
        return request_id, call

    def _encode(self, op: str, fields: Mapping[str, Any]) -> tuple[int, bytes]:
        self._last_id += 1
        frame = self._codec.encode({"id": self._last_id, "op": op, **fields})
        limits = PLAYER_LIMITS if self.welcome.get("role", "player") == "player" else TRUSTED_LIMITS
        if len(frame) > limits.frame_bytes:
            raise ValueError(f"a request is at most {limits.frame_bytes} bytes, this one is {len(frame)}")
        try:
            # What the server cannot read it can hardly answer, so it is read here first.
            self._codec.decode(frame.decode() if self._codec.text else frame, limits)
        except Malformed as error:
            raise ValueError(str(error)) from None
        return self._last_id, frame

    async def flush(self) -> None:
        """Send what was posted."""
        if self._link is not None:
            # A broken connection shows in the reading task too, which decides what becomes of the calls.
            with suppress(ConnectionLost):
                await self._link.flush()

    # Watches and other pushes

    def watch(self, fields: Mapping[str, Any]) -> Watch:
        """Begin to watch a board; `fields` are those of `boards.watch`."""
        watch = Watch(self, fields, self.welcome.get("participantId"))
        self._watches = [*(other for other in self._watches if not other.ended), watch]
        self.watch_again(watch)
        return watch

    def watch_again(self, watch: Watch) -> None:
        """Ask for a view anew; its pushes count again from the answer on."""
        watch.sub = None
        self._post("boards.watch", watch.fields, on_ok=partial(self._watched, watch), on_error=watch.fail)

    def went_astray(self, watch: Watch) -> None:
        """A copy does not fit to its delta, or to the checksum that came with it."""
        self.mismatches += 1
        self.watch_again(watch)

    def _watched(self, watch: Watch, ok: dict[str, Any]) -> None:
        watch.started(ok)
        if watch not in self._watches:  # given up before the answer came
            self._give_up(ok["sub"])

    async def unwatch(self, watch: Watch) -> None:
        """Give a view up; the server is told when no other watch shares it."""
        self._watches.remove(watch)
        if watch.sub is not None:
            self._give_up(watch.sub)
            await self.flush()

    def _give_up(self, sub: str) -> None:
        if self._link is not None and all(other.sub != sub for other in self._watches):
            self._post("boards.unwatch", {"sub": sub})

    async def next_push(self) -> dict[str, Any] | None:
        """The oldest unread push of those that belong to no watch; None once the session is over."""
        while not self._pushes:
            if self._ended is not None:
                return None
            self._pushed = anyio.Event()
            await self._pushed.wait()
        return self._pushes.popleft()

    # Connections

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """Connect, report it, then read and come back until the session is over.

        Raises:
            Refused, ConnectionLost, OSError: The first connection failed.
        """
        link = await self._open()
        task_status.started()
        while True:
            lost = await self._read(link)
            self._disconnected(lost)
            if not self._reconnect or lost.code in FINAL_CLOSE_CODES:
                return self.end(lost)
            try:
                link = await self._open_again()
            except (Refused, ConnectionLost) as failure:
                return self.end(failure)

    async def _open(self) -> Link:
        with anyio.fail_after(HELLO_SECONDS):
            link = await Link.open(self._url, self._codec, self._dial)
            try:
                await self._say_hello(link, self._resumable())
            except BaseException:
                await link.aclose()
                raise
        self._link = link
        for call in self._calls.values():
            call.sent = link.post(call.frame)
        await self.flush()
        return link

    def _resumable(self) -> list[Watch]:
        """The open views with a copy to go on from. A view for a named player has to be asked for anew."""
        held = [watch for watch in self._watches if watch.sub is not None and not watch.ended]
        for watch in held:
            if "playerId" in watch.fields:
                self.watch_again(watch)
        return [watch for watch in held if watch.sub is not None]

    async def _say_hello(self, link: Link, held: list[Watch]) -> None:
        resume = [watch.resume_fields() for watch in held]
        hello_id, frame = self._encode("hello", given({**self._hello, "resume": resume or None}))
        hello = self._calls[hello_id] = _Call(frame, False, on_ok=partial(self._welcomed, held), sent=True)
        try:
            link.post(frame)
            await link.flush()
            while not hello.done.is_set():
                self._take(await link.receive())
        finally:
            self._calls.pop(hello_id, None)
        if hello.failure is not None:
            raise hello.failure

    def _welcomed(self, held: list[Watch], ok: dict[str, Any]) -> None:
        self.welcome = ok
        for watch, answer in zip_longest(held, ok.get("subs", [])[: len(held)]):
            if answer is None or answer["how"] == "gone":
                self.watch_again(watch)
            else:
                watch.sub = answer["sub"]

    async def _open_again(self) -> Link:
        attempt = 0
        while True:
            await anyio.sleep(_backoff_seconds(attempt))
            attempt += 1
            try:
                return await self._open()
            except ConnectionLost as lost:
                if lost.code in FINAL_CLOSE_CODES:
                    raise
            except Refused as refused:
                if refused.status not in (429, 503):
                    raise
            except OSError:  # nobody listens, or answers in time
                pass

    async def _read(self, link: Link) -> ConnectionLost:
        try:
            while True:
                self._take(await link.receive())
                await self.flush()  # a view asked for anew
        except ConnectionLost as lost:
            return lost
        finally:
            await link.aclose()

    def _take(self, messages: list[dict[str, Any]]) -> None:
        for message in messages:
            if "push" in message:
                self._take_push(message)
            elif call := self._calls.pop(message["id"], None):
                call.answer(message)

    def _take_push(self, push: dict[str, Any]) -> None:
        if "sub" in push:
            for watch in self._watches:
                if watch.sub == push["sub"]:
                    watch.receive(push)
        else:
            self._pushes.append(push)
            self._pushed.set()

    def _disconnected(self, lost: ConnectionLost) -> None:
        self._link = None
        for request_id, call in list(self._calls.items()):
            if call.sent and not call.repeatable:
                del self._calls[request_id]
                call.fail(lost)

    def end(self, failure: Exception) -> None:
        """Fail all that waits. What is asked from now on fails likewise."""
        self._link = None
        self._ended = failure
        for call in self._calls.values():
            call.fail(failure)
        for watch in self._watches:
            watch.fail(failure)
        self._pushed.set()


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are not None."""
    return {name: value for name, value in fields.items() if value is not None}


def _is_repeatable(op: str, fields: Mapping[str, Any]) -> bool:
    return op in _REPEATABLE or fields.get("seq") is not None or fields.get("idempotencyKey") is not None


def _backoff_seconds(attempt: int) -> float:
    """Anywhere between at once and a limit that doubles: a thousand clients must not come back together."""
    return random.uniform(0, min(MAX_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2 ** min(attempt, 16)))
