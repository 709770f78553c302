"""The edge of a server: its connections, who is connected, and what the actors tell them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Container, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from kraty_actors.actors.engine import Engine
from kraty_actors.actors.entrance import Declined
from kraty_actors.actors.loop import Listener
from kraty_actors.definitions import LimitSettings
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import BanSet, Notice, Pay
from kraty_actors.gateway import translate
from kraty_actors.gateway.addresses import Address, Addresses
from kraty_actors.gateway.auth import BadToken, Identity, verify
from kraty_actors.gateway.connection import Connection
from kraty_actors.gateway.figures import Figures
from kraty_actors.gateway.hub import Hub
from kraty_actors.gateway.listing import ListingFrames
from kraty_actors.gateway.pace import Pace
from kraty_actors.gateway.poller import Poller
from kraty_actors.gateway.pressure import Pressure
from kraty_actors.gateway.standing import Rates
from kraty_actors.gateway.tracing import Tracing
from kraty_protocol.errors import CloseCode
from kraty_protocol.limits import HELLO_SECONDS, PING_SECONDS, SILENCE_SECONDS
from kraty_protocol.messages import Hello

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

log = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
GOODBYE_SECONDS = 5.0


class Gateway(Listener):
    """`opened` makes one that hears of all that an engine has to tell."""

    def __init__(self, engine: Engine, secrets: Sequence[str], insecure_dev: bool, tasks: TaskGroup) -> None:
        self.engine = engine
        self.tasks = tasks
        self.figures = Figures()
        self.pressure = Pressure(tasks)
        self.addresses = Addresses()
        self.rates = Rates()
        self.opened_at = anyio.current_time()
        self.tracing: Tracing | None = None
        self.hub = Hub(engine, tasks, self.figures)
        self.poller = Poller()
        self.listings = ListingFrames()
        self.is_stopping = False
        self._secrets = secrets
        self._insecure_dev = insecure_dev
        self._connections: dict[Connection, None] = {}  # in the order in which they came, on every machine
        self._by_player: dict[int, dict[Connection, None]] = {}
        self._owing: dict[int, Pace] = {}
        self._touched: list[Connection] = []
        self._left = anyio.Event()
        engine.edge = self

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, engine: Engine, *, secrets: Sequence[str] = (), insecure_dev: bool = False
    ) -> AsyncIterator[Gateway]:
        """Run until the block is left; then every connection is told to come back (1001)."""
        async with anyio.create_task_group() as tasks:
            gateway = cls(engine, secrets, insecure_dev, tasks)
            tasks.start_soon(gateway._sweep)
            tasks.start_soon(gateway.poller.run)
            try:
                yield gateway
            finally:
                engine.edge = Listener()
                with anyio.CancelScope(shield=True):
                    await gateway._say_goodbye()
                tasks.cancel_scope.cancel()

    def trace(self, tracer: Tracer | None) -> None:
        """Tell of requests and commits from now on."""
        if tracer is not None:
            self.tracing = Tracing(tracer)
            self.engine.figures.committed = self.tracing.commit

    # -- connections

    @property
    def connections(self) -> Collection[Connection]:
        return self._connections

    @property
    def limits(self) -> LimitSettings:
        """What the game allows connections now."""
        return self.engine.catalogue.limits

    def new_pace(self) -> Pace:
        return Pace(self.limits.requests_per_second, self.limits.burst)

    def let_in(self, address: Address | None) -> bool:
        """Count a connection from there, unless there are too many; who was let in has to leave `addresses`."""
        if self.addresses.enter(address, self.limits.connections_per_address):
            return True
        self.figures.turned_away += 1
        return False

    def join(self, connection: Connection) -> None:
        """Somebody from outside has connected: from now on there are limits to what they ask."""
        self._connections[connection] = None
        self.figures.opened += 1
        connection.pace = self.new_pace()
        connection.sheds = True
        if self.is_stopping:
            connection.close(CloseCode.GOING_AWAY, "shutting down")

    def leave(self, connection: Connection) -> None:
        """A connection is gone: its views are left, and a lobby that forms hears that its player is away."""
        self._connections.pop(connection, None)
        connection.gone()
        self._left.set()
        self._left = anyio.Event()
        self.hub.leave(connection.watcher)
        if connection.player is None:
            return
        number = connection.player.number
        others = self._by_player.get(number, {})
        others.pop(connection, None)
        if not others:
            self._by_player.pop(number, None)
            self._owing[number] = connection.pace  # hanging up pays for nothing
            self.engine.lobbies.presence(number, here=False)

    def admit(self, connection: Connection) -> None:
        """A connection has said who it is; a lobby that forms hears that its player is there."""
        if connection.player is None:
            return
        number = connection.player.number
        others = self._by_player.setdefault(number, {})
        if others:
            connection.pace = next(iter(others)).pace
        else:
            connection.pace = self._owing.pop(number, connection.pace)
            self.engine.lobbies.presence(number, here=True)
        others[connection] = None

    def identify(self, hello: Hello, header_token: str | None) -> Identity:
        """What a hello proves.

        Raises:
            BadToken: Nothing.
        """
        token = hello.token or header_token
        if token is not None:
            return self.verify(token)
        if not self._insecure_dev:
            raise BadToken("say hello with a token")
        role = hello.role or "player"
        if role == "player" and hello.player_id is None:
            raise BadToken("name the player in playerId")
        return Identity(role, hello.player_id if role == "player" else None)

    def verify(self, token: str) -> Identity:
        """What a token proves.

        Raises:
            BadToken: Nothing.
        """
        return verify(self._secrets, token, self.engine.now_ms())

    def why_not_ready(self) -> str | None:
        """What keeps this server from serving, or None."""
        if self.is_stopping:
            return "shutting down"
        return None if self.engine.is_healthy() else "the last commit to the database failed"

    # -- what the actors tell

    def moved(self, actor_id: str) -> None:
        self.hub.moved(actor_id)

    def finished(self, actor_id: str) -> None:
        self.hub.finished(actor_id)

    def notice(self, notice: Notice) -> None:
        if notice.push == "player.banned" and isinstance(notice.body, BanSet):
            self._banned(notice.body)
        if not self._by_player:
            return
        for player in self._connected_of(notice.players):
            for connection in self._by_player.get(player, ()):
                connection.push(notice.push, self._body(notice.push, notice.body))

    def _connected_of(self, players: Container[int]) -> Iterable[int]:
        """Those of `players` who may be connected, without a look at more people than need be."""
        if isinstance(players, Collection) and len(players) <= len(self._by_player):
            return players
        return [player for player in self._by_player if player in players]

    def _body(self, push: str, body: object) -> translate.Map:
        match body:
            case AttemptView() if push == "attempt.ended":
                return {"attempt": translate.attempt(body)}
            case AttemptView():
                return translate.started(body)
            case LobbyView():
                return {"lobby": translate.lobby(body)}
            case Pay():
                return {"grant": translate.paid(body, self.engine.grant_terms)}
            case Declined():
                return translate.declined(body)
            case dict():
                return body
        raise TypeError(f"no push is made of {type(body).__name__}")

    def _banned(self, ban: BanSet) -> None:
        """Whoever is banned is shown out at once (R-51)."""
        if ban.is_banned:
            for connection in list(self._by_player.get(ban.player, ())):
                self.hub.leave(connection.watcher)
                connection.close(CloseCode.BANNED, "banned")

    def touch(self, connection: Connection) -> None:
        """Something waits to be sent on it; it goes out when this turn of the loop is over."""
        self._touched.append(connection)

    def flush(self) -> None:
        if self._touched:
            touched, self._touched = self._touched, []
            for connection in touched:
                connection.flush()
            now = anyio.current_time()
            self.figures.turn_is_over(now)
            self.pressure.look(now)

    # -- time

    async def _sweep(self) -> None:
        """Once a second: who never said hello, whose token is over, who has gone silent."""
        while True:
            await anyio.sleep(SWEEP_SECONDS)
            now = anyio.current_time()
            for connection in list(self._connections):
                self._judge(connection, now)
            for number in [number for number, pace in self._owing.items() if pace.paid_at <= now]:
                del self._owing[number]
            self.hub.forget_old()

    def _judge(self, connection: Connection, now: float) -> None:
        if connection.identity is None:
            if now - connection.since > HELLO_SECONDS:
                connection.close(CloseCode.NO_HELLO, "no hello")
        elif (
            connection.identity.expires_at is not None and self.engine.now_ms() / 1000 >= connection.identity.expires_at
        ):
            connection.close(CloseCode.BAD_TOKEN, "the token has expired")
        silence = now - connection.heard_at
        if silence > SILENCE_SECONDS:
            connection.drop()
        elif silence > PING_SECONDS:
            connection.ping()

    async def _say_goodbye(self) -> None:
        self.is_stopping = True
        for connection in list(self._connections):
            connection.close(CloseCode.GOING_AWAY, "shutting down")
        with anyio.move_on_after(GOODBYE_SECONDS):
            while self._connections:
                await self._left.wait()
        for connection in list(self._connections):
            connection.drop()
