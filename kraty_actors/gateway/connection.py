"""One peer: its conversation, its replies, and what it watches."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskGroup

from kraty_actors.domain.attempt import Written
from kraty_actors.domain.outcome import Refusal
from kraty_actors.gateway import translate
from kraty_actors.gateway.auth import BadToken, Identity
from kraty_actors.gateway.hub import Watcher
from kraty_actors.gateway.operations import CAUSES_PUSHES, HANDLERS, IN_ORDER, SEEN_THROUGH
from kraty_actors.gateway.operations.boards import resumed
from kraty_actors.gateway.operations.people import player_banned
from kraty_actors.gateway.order import Asked, PushOutbox
from kraty_actors.gateway.outbox import Outbox
from kraty_actors.gateway.pace import UNHURRIED, Pace
from kraty_actors.gateway.pressure import SHEDS
from kraty_persistence import PlayerRow, StoreClosed, StoreTaken, StoreUnavailable
from kraty_protocol.conversation import Conversation, Request
from kraty_protocol.conversation import Refusal as WireRefusal
from kraty_protocol.errors import CloseCode, Refused
from kraty_protocol.limits import PROTOCOL_VERSION, Limits
from kraty_protocol.messages import Hello
from kraty_protocol.progress import Progress
from kraty_protocol.shapes import iso

if TYPE_CHECKING:
    from kraty_actors.gateway.gateway import Gateway

log = logging.getLogger(__name__)

UNANSWERED_MAX = 64
"""Requests of one connection that wait for more than one actor or for the store; further ones are not read."""


PUSHES_MAX_BYTES = 1024 * 1024
"""Unsent bytes from which on a connection gets no further push but is dropped."""


class Line:
    """What a connection asks of whatever carries it."""

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake, once what is due is sent."""

    def drop(self) -> None:
        """Cut the connection."""

    def ping(self) -> None:
        """Find out whether the peer is still there."""

    def set_limits(self, limits: Limits) -> None:
        """Frames may be this large from now on."""


class Connection:
    """Takes frames, answers them. Replies to one actor's requests keep their order, for the actor keeps it.

    Attributes:
        pace: How fast the peer may ask; connections of one player share it.
        sheds: Whether requests are refused while the server is too busy.
    """

    def __init__(
        self, gateway: Gateway, conversation: Conversation, outbox: Outbox, line: Line, tasks: TaskGroup,
        header_token: str | None = None,
    ) -> None:  # fmt: skip
        self.gateway = gateway
        self.conversation = conversation
        self.outbox = outbox
        self.identity: Identity | None = None
        self.player: PlayerRow | None = None
        self._pushes = PushOutbox(outbox)
        self.watcher = Watcher(self._pushes)
        self.since = self.heard_at = anyio.current_time()
        self.pace = UNHURRIED
        self.sheds = False
        self._excess: Pace | None = None
        self._asked: dict[int, tuple[str, float]] = {}
        self._count_write = gateway.figures.writes.append
        self._line = line
        self._tasks = tasks
        self._header_token = header_token
        self._unanswered = anyio.Semaphore(UNANSWERED_MAX)
        self._is_touched = False
        self._is_closing = self._is_gone = False
        outbox.when_caught_up(partial(gateway.hub.caught_up, self.watcher))

    # -- frames in

    def heard(self, now: float) -> None:
        """Something has come, which is taken next."""
        self.heard_at = now
        self.pace.at(now)

    def receive(self, data: bytes | str) -> Awaitable[None] | None:
        """Take one frame: answer it, or see to it that it will be answered.

        Returns what has to be waited for before the next frame is taken; None for a write by a player, which is
        most of what comes.
        """
        if self._is_closing:
            return None
        if not self.pace.take():
            self._refuse_excess(data)
            return None
        request = self.conversation.receive(data)
        if isinstance(request, WireRefusal):
            self._refuse_frame(request)
            return None
        if isinstance(request.fields, Progress):
            if self.player is None:
                return self._guard(request.id, request.op, self._progress_for(request.id, request.fields))
            self._progress(self.player, request.id, request.fields)
            return None
        self._asked[request.id] = request.op, self.heard_at
        if self.sheds and self._is_shed(request):
            return None
        if isinstance(request.fields, Hello):
            return self._guard(request.id, request.op, self._hello(request.id, request.fields))
        return self._handle(request) if request.op in IN_ORDER else self._hand_on(request)

    def _refuse_frame(self, refusal: WireRefusal) -> None:
        self._send_error(refusal.id, refusal.code, refusal.message, refusal.details)
        if refusal.close is not None:
            self.close(refusal.close, refusal.message)

    # -- too much at once

    def count_frame(self) -> None:
        """A frame has come that is no request, such as a ping or a part of something."""
        if not self._is_closing and not self.pace.take():
            self._is_flood()

    def _refuse_excess(self, data: bytes | str) -> None:
        """Refuse what comes faster than it may; close if that comes too fast as well."""
        if self._is_flood():
            return
        judged = self.conversation.receive(data)
        if isinstance(judged, WireRefusal) and (judged.id is None or judged.code == "malformed"):
            self._refuse_frame(judged)
        elif judged.id is not None:
            details = {"retryAfter": self.pace.wait_seconds()}
            message = f"at most {self.pace.rate} requests a second"
            self._send_error(judged.id, "rate_limited", message, details)

    def _is_flood(self) -> bool:
        if self._excess is None:
            self._excess = self.gateway.new_pace()
        self._excess.at(self.heard_at)
        if self._excess.take():
            return False
        self.gateway.figures.flooded += 1
        self.close(CloseCode.FLOODING, "flooding")
        return True

    def _is_shed(self, request: Request) -> bool:
        """Refuse what can wait, while the server is too busy; operators are always heard."""
        level = SHEDS.get(request.op)
        if level is None or self.gateway.pressure.level(self.heard_at) < level or self.conversation.role == "operator":
            return False
        self.gateway.figures.shed[request.op] += 1
        self.refuse(request.id, Refused("overloaded", "the server is too busy for this now", {"retryAfter": 1}))
        return True

    # -- the one hot request

    async def _progress_for(self, request_id: int, write: Progress) -> None:
        """A trusted peer writes for the player whom it names."""
        player = await self.gateway.engine.players.find(str(write.player_id))
        if player is not None and player.banned:
            self.refuse(request_id, player_banned())
        elif player is None:
            self.answer(request_id, Refusal("not_found", "no such attempt"))
        else:
            self._progress(player, request_id, write)

    def _progress(self, player: PlayerRow, request_id: int, write: Progress) -> None:
        self.gateway.engine.write(
            player.number,
            write.attempt_id,
            write.what,
            write.mode,
            write.identity,
            partial(self._written, request_id, self.heard_at),
        )

    def _written(self, request_id: int, arrived_at: float, answer: object) -> None:
        self._count_write(arrived_at)
        if isinstance(answer, Written):
            self._send(self.conversation.reply(request_id, translate.written(answer, self.gateway.engine.grant_terms)))
        else:
            self.answer(request_id, answer)

    # -- everything else

    async def _handle(self, request: Request) -> None:
        await self._guard(request.id, request.op, HANDLERS[request.op](self, request.id, request.fields))

    async def _guard(self, request_id: int, op: str, work: Awaitable[None]) -> None:
        """Whatever goes wrong is answered, and the connection goes on."""
        try:
            await work
        except Refused as refused:
            self.refuse(request_id, refused)
        except StoreUnavailable:
            self.refuse(request_id, Refused("overloaded", "the database does not answer", {"retryAfter": 1}))
        except (StoreTaken, StoreClosed) as error:
            self.gateway.engine.give_up(error)
            self.refuse(request_id, Refused("overloaded", "this server is going away", {"retryAfter": 1}))
        except Exception:
            log.exception("%s failed", op)
            self.refuse(request_id, Refused("internal_error", "the server failed on this request"))

    async def _hand_on(self, request: Request) -> None:
        await self._unanswered.acquire()
        asked = self._pushes.asked() if request.op in CAUSES_PUSHES else None
        tasks = self.gateway.tasks if request.op in SEEN_THROUGH else self._tasks
        tasks.start_soon(self._handle_apart, request, asked)

    async def _handle_apart(self, request: Request, asked: Asked | None) -> None:
        try:
            await self._handle(request)
        finally:
            self._unanswered.release()
            if asked is not None:
                self._pushes.answered(asked)
        self.flush()

    async def _hello(self, request_id: int, hello: Hello) -> None:
        try:
            identity = self.gateway.identify(hello, self._header_token)
        except BadToken as error:
            self.refuse(request_id, Refused("unauthenticated", str(error)))
            self.close(CloseCode.BAD_TOKEN, str(error))
            return
        known = self.identity
        if known is not None and (
            hello.token is None or (known.role, known.player_id) != (identity.role, identity.player_id)
        ):
            self.refuse(request_id, Refused("conflict", "this connection has said hello already"))
            return
        if known is None:
            await self._let_in(identity)
        if self.player is not None and self.player.banned:
            self.refuse(request_id, player_banned())
            self.close(CloseCode.BANNED, "banned")
            return
        self.identity = identity
        asked = self._pushes.asked()
        subs = await resumed(self, hello.resume)
        self.reply(request_id, self._welcome(identity, [sub for sub, _ in subs]))
        self._pushes.answered(asked)
        for _, announce in subs:
            announce()

    async def _let_in(self, identity: Identity) -> None:
        if identity.player_id is not None:
            players = self.gateway.engine.players
            self.player = await players.resolve(identity.player_id)
            with suppress(StoreUnavailable):  # a new name can wait until the database is back
                self.player = await players.set_profile(self.player, identity.name, identity.avatar, identity.country)
        self.conversation.admit(identity.role, identity.player_id)
        self._line.set_limits(self.conversation.limits)
        self.gateway.admit(self)

    def _welcome(self, identity: Identity, subs: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            "protocol": PROTOCOL_VERSION,
            "role": identity.role,
            "playerId": identity.player_id,
            "participantId": self.player.participant_id if self.player else None,
            "serverTime": iso(self.gateway.engine.now_ms()),
            "limits": {
                "maxFrameBytes": self.conversation.limits.frame_bytes,
                "requestsPerSecond": self.pace.rate,
                "watches": self.watches_max,
            },
            "resumed": bool(subs) and all(sub["how"] == "delta" for sub in subs),
            "subs": subs,
        }

    @property
    def watches_max(self) -> int:
        return self.gateway.limits.watches_per_connection

    # -- frames out

    def answer(self, request_id: int, reply: object, shape: Callable[[Any], Mapping[str, Any]] | None = None) -> None:
        """Answer with what an actor replied: a refusal as an error, anything else in the given shape."""
        if isinstance(reply, Refusal):
            self._send_error(request_id, reply.code, reply.message, translate.refusal_details(reply))
        elif shape is not None:
            self.reply(request_id, shape(reply))
        else:
            log.error("no answer is made of %s", type(reply).__name__)
            self.refuse(request_id, Refused("internal_error", "the server failed on this request"))

    def reply(self, request_id: int, ok: Mapping[str, Any]) -> None:
        self.reply_encoded(request_id, self.conversation.reply(request_id, ok))

    def reply_encoded(self, request_id: int, frame: bytes) -> None:
        """Answer with a frame that is encoded already."""
        self._answered(request_id)
        self._send(frame)

    def refuse(self, request_id: int, refused: Refused) -> None:
        self._send_error(request_id, refused.code, refused.message, refused.details)

    def _send_error(
        self, request_id: int | None, code: str, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        self.gateway.figures.refused[code] += 1
        if request_id is not None:
            self._answered(request_id, code)
        self._send(self.conversation.error_reply(request_id, code, message, details))

    def _answered(self, request_id: int, code: str | None = None) -> None:
        asked = self._asked.pop(request_id, None)
        if asked is not None:
            op, seconds = asked[0], anyio.current_time() - asked[1]
            self.gateway.figures.answered(op, seconds)
            if self.gateway.tracing is not None:
                self.gateway.tracing.request(op, self.conversation.role, code, seconds)

    def push(self, name: str, fields: Mapping[str, Any]) -> None:
        """Tell the peer something. One that reads nothing for so long that pushes pile up is cut off: after it comes
        back it asks for what it missed."""
        if self.outbox.unsent_bytes > PUSHES_MAX_BYTES:
            self.drop()
            return
        self._pushes.put(self.conversation.push(name, fields))
        self._touch()

    def _send(self, payload: bytes) -> None:
        self.outbox.put(payload)
        self._touch()

    def _touch(self) -> None:
        if not self._is_touched:
            self._is_touched = True
            self.gateway.touch(self)

    def flush(self) -> None:
        self._is_touched = False
        if not self._is_gone:
            self.outbox.flush()

    def close(self, code: int, reason: str) -> None:
        """Say goodbye; nothing that comes in from here on is taken."""
        if not self._is_closing:
            self._is_closing = True
            self.flush()
            self._line.close(code, reason)

    def gone(self) -> None:
        """The peer has hung up: what is still answered is sent to nobody."""
        self._is_gone = self._is_closing = True

    def drop(self) -> None:
        self._line.drop()

    def ping(self) -> None:
        self._line.ping()
