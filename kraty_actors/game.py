"""The embedding API: one object that holds a running game, on trio and on asyncio alike.

```python
async with open_game("game.json", store="sqlite:///game.db") as game:
    await game.serve("127.0.0.1", 8765)
    attempt = await game.start("player_42", "trail_of_triumph")
    ack = await game.progress("player_42", "trail_of_triumph", {"streak": 1})
```
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
from anyio.abc import ByteStream, TaskGroup
from websockets.typing import Subprotocol

from kraty_actors.actors.clock import Clock, SystemClock
from kraty_actors.actors.engine import Engine
from kraty_actors.actors.loop import answer_to
from kraty_actors.client.operators import OperatorCalls
from kraty_actors.client.servers import ServerCalls
from kraty_actors.definitions import Fault
from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.lobby import LobbyView, Unmatched
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.window_messages import Report
from kraty_actors.gateway import translate
from kraty_actors.gateway.gateway import Gateway
from kraty_actors.gateway.hosted import serve_websocket
from kraty_actors.gateway.hub import ViewKey, Watcher
from kraty_actors.gateway.inside import Doorbell, Inside
from kraty_actors.gateway.line import Serves
from kraty_actors.gateway.listener import open_port, serve_port, serve_stream
from kraty_actors.gateway.listing import listing
from kraty_actors.gateway.operations.people import player_banned
from kraty_actors.opening import GameSource, opened_store, read_game, unwrapped
from kraty_actors.webhooks.service import Webhooks
from kraty_persistence import GrantRow, PlayerRow, Store
from kraty_protocol.codec import CODECS
from kraty_protocol.errors import Refused
from kraty_protocol.progress import check_progress
from kraty_protocol.shapes import Attempt, Board, Grant, Listing, Lobby, OpenedCrate, Periods, Progressed
from kraty_protocol.validation import InvalidFields

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

Number = int | float
T = TypeVar("T")


def select_subprotocol(_connection: object, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """For the `select_subprotocol` of a server that hands connections on: ours, where a client offers one."""
    return next((name for name in offered if name in CODECS), None)


@asynccontextmanager
async def open_game(
    source: GameSource,
    *,
    store: str | Store = "memory:",
    clock: Clock | None = None,
    secrets: Sequence[str] = (),
    insecure_dev: bool = False,
    allow_private_webhooks: bool = False,
    journal_key: str | None = None,
    tracer: Tracer | None = None,
) -> AsyncIterator[Game]:
    """Open a game: recover what is stored, load its definitions, run its actors until the block is left.

    Args:
        source: A game file's path, or the game itself as a mapping.
        store: `sqlite:///FILE`, `memory:` (nothing survives), or a store of your own.
        clock: Where time comes from; the machine's by default.
        secrets: What players' tokens are signed with, the first for signing, all for verifying.
        insecure_dev: Let `hello` name any player and role without a token. Never on a public address.
        allow_private_webhooks: Let webhooks go to addresses that are not public, such as this machine's own.
        journal_key: The key of the journal's digests; by default one is drawn and kept in the database.
        tracer: Hears of every request and commit, as OpenTelemetry spans.

    Raises:
        DefinitionFaults: The game has faults, all of them in one error, or the environment lacks the secret of a
            webhook; nothing was changed.
        StoreUnusable: The database cannot be opened.
        WrongGame: The database belongs to another game.
        WrongKey: The journal was made with another key.
        AlteredJournal: Somebody changed the journal.
    """
    loaded = read_game(source)
    with unwrapped():
        async with opened_store(store, loaded, journal_key) as opened:
            webhooks = Webhooks(opened, allow_private=allow_private_webhooks)
            outside = await webhooks.recall()
            async with Engine.opened(
                opened, clock or SystemClock(), outside=outside, journal_key=journal_key
            ) as engine:
                webhooks.attach(engine)
                put = await engine.publishing.put_game(loaded, who="file", is_file=True)
                async with webhooks.running(), anyio.create_task_group() as tasks:
                    async with Gateway.opened(engine, secrets=secrets, insecure_dev=insecure_dev) as gateway:
                        gateway.trace(tracer)
                        yield Game(engine, gateway, tasks, put.warnings)
                    tasks.cancel_scope.cancel()  # of connections too, once they have heard the goodbye


class Game:
    """A game that runs in this process. Refusals are raised as `Refused`, with the wire's codes."""

    def __init__(self, engine: Engine, gateway: Gateway, tasks: TaskGroup, warnings: Sequence[Fault]) -> None:
        self.engine = engine
        self.warnings = warnings
        """What the author of the game file should look at."""
        self._gateway = gateway
        self._tasks = tasks
        self._as_server = Inside(gateway, tasks, "server")

    # -- who talks to it

    async def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 8765,
        *,
        tls: ssl.SSLContext | None = None,
        ops_port: int | None = None,
        behind_proxy: str | None = None,
    ) -> int:
        """Accept WebSocket connections at `/v1/socket` until the game is closed; the port that was opened.

        With `ops_port` the health checks and metrics answer there, and only there. `behind_proxy` is a network, such as
        `10.0.0.0/8`: connections from there come from whom their `X-Forwarded-For` names.

        Raises:
            OSError: The port is taken.
            ValueError: `behind_proxy` is no network.
        """
        proxies = None if behind_proxy is None else ip_network(behind_proxy)
        sock = open_port(host, port)
        if ops_port is not None:
            ops = open_port(host, ops_port)
            await self._tasks.start(serve_port, self._gateway, ops, Serves(socket=False, proxies=proxies))
        serves = Serves(plain=ops_port is None, tls=tls, proxies=proxies)
        await self._tasks.start(serve_port, self._gateway, sock, serves)
        return cast("int", sock.getsockname()[1])

    async def handle(self, stream: ByteStream) -> None:
        """Serve one WebSocket connection, handshake included, on any byte stream of anyio's."""
        await serve_stream(self._gateway, stream)

    async def websocket_handler(self, websocket: Any) -> None:
        """A handler for a server of `websockets.asyncio` or `websockets.trio` that the program already has.

        Give that server `select_subprotocol`: our clients hang up on one that does not agree on a subprotocol.
        """
        await serve_websocket(self._gateway, websocket)

    # -- players

    async def introduce(
        self, player_id: str, *, name: str | None = None, avatar: str | None = None, country: str | None = None
    ) -> None:
        """Say what boards show of a player; None leaves a field as it is."""
        players = self.engine.players
        await players.set_profile(await players.resolve(player_id), name, avatar, country)

    async def start(
        self, player_id: str, event_key: str, *, context: Mapping[str, str | float | bool] | None = None
    ) -> Attempt:
        """Start an attempt, or get the one that runs (R-16). `context` serves placement where the player has no such
        attribute (R-19).

        Raises:
            Refused: `lobby_forming`, `entry_requirement_failed`, `max_attempts_reached`, ...
        """
        player = await self.engine.players.resolve(player_id)
        started = await self.engine.entrance.start(player, event_key, context or {})
        if isinstance(started, LobbyView | Unmatched):
            raise Refused("lobby_forming", "the lobby waits for more players", translate.forming(started))
        return cast("Attempt", translate.attempt(_accepted(started, AttemptView)))

    async def progress(
        self,
        player_id: str,
        event_key: str,
        metrics: Mapping[str, Number] | Number,
        *,
        mode: str = "increment",
        seq: int | None = None,
        idempotency_key: str | None = None,
    ) -> Progressed:
        """Write progress on the player's running attempt of an event, which is started if there is none (R-8).

        Raises:
            Refused: `invalid_metric`, `validation_failed`, `attempt_finished`, ...
        """
        attempt = await self.start(player_id, event_key)
        return await self.progress_attempt(
            player_id, attempt["attemptId"], metrics, mode=mode, seq=seq, idempotency_key=idempotency_key
        )

    async def progress_attempt(
        self,
        player_id: str,
        attempt_id: str,
        metrics: Mapping[str, Number] | Number,
        *,
        mode: str = "increment",
        seq: int | None = None,
        idempotency_key: str | None = None,
    ) -> Progressed:
        """The same on an attempt by its id, as a client does it."""
        frame = {
            "playerId": player_id,
            "attemptId": attempt_id,
            "metrics": dict(metrics) if isinstance(metrics, Mapping) else None,
            "metricValue": None if isinstance(metrics, Mapping) else metrics,
            "mode": mode,
            "seq": seq,
            "idempotencyKey": idempotency_key,
        }
        try:
            write = check_progress("server", frame)
        except InvalidFields as error:
            raise Refused("validation_failed", str(error), {"path": error.path}) from None
        player = await self.engine.players.resolve(player_id)
        written = await answer_to(
            partial(self.engine.write, player.number, attempt_id, write.what, write.mode, write.identity)
        )
        return cast("Progressed", translate.written(_accepted(written, Written), self.engine.grant_terms))

    async def finish(self, player_id: str, attempt_id: str) -> Attempt:
        """End an attempt (R-12); on one that has ended, the same again."""
        player = await self._acting(player_id)
        ended = await answer_to(partial(self.engine.finish, player.number, attempt_id))
        return cast("Attempt", translate.attempt(_accepted(ended, AttemptView)))

    async def attempt(self, player_id: str, attempt_id: str) -> Attempt:
        """An attempt as it stands."""
        player = await self.engine.players.resolve(player_id)
        found = await answer_to(partial(self.engine.attempt, player.number, attempt_id))
        return cast("Attempt", translate.attempt(_accepted(found, AttemptView)))

    async def events(self, player_id: str, *, upcoming: bool = False) -> list[Listing]:
        """What the player can see (R-55)."""
        player = await self.engine.players.resolve(player_id)
        listed = await self.engine.listings.of(player, upcoming=upcoming)
        return [cast("Listing", listing(one)) for one in listed]

    async def board(
        self,
        leaderboard_id: str | None = None,
        *,
        board_key: str | None = None,
        period: str | None = None,
        limit: int = 50,
        offset: int | None = None,
        around: str | None = None,
        player: str | None = None,
    ) -> Board:
        """A page of a board (R-33); with a player also where that player stands.

        Args:
            board_key: A shared board, instead of `leaderboard_id`.
            period: Of a shared board: "current" or the `startsAt` of one of its periods.
            limit: Rows, 1..200; with `around` 0..100 on each side.
            around: "self", a player's id or a participantId, instead of `offset`.

        Raises:
            Refused: `not_found`, `validation_failed`.
        """
        page = {"limit": limit, "offset": offset, "around": around, "period": period}
        named = {"leaderboardId": leaderboard_id, "boardKey": board_key}
        return cast("Board", await self._as_server.ask("boards.read", playerId=player, **named, **page))

    async def board_periods(self, board_key: str) -> Periods:
        """The periods of a shared board (R-32)."""
        return cast("Periods", await self._as_server.ask("boards.periods", boardKey=board_key))

    async def watch(self, event_key: str, *, player: str, limit: int = 50) -> AsyncGenerator[Board, None]:
        """The board on which the player competes in the event's current window, again whenever it has moved.

        It ends after the final board. Close it (`contextlib.aclosing`) if you leave early.

        Raises:
            Refused: `not_found`: the player has no board there, perhaps because they have not started.
        """
        listed = (one for one in await self.events(player) if one["eventKey"] == event_key)
        leaderboard_id = next((one["leaderboardId"] for one in listed), None)
        if leaderboard_id is None:
            raise Refused("not_found", f"{player} has no board in {event_key}: start first")
        async with aclosing(self.watch_board(leaderboard_id, player=player, limit=limit)) as boards:
            async for board in boards:
                yield board

    async def watch_board(
        self,
        leaderboard_id: str | None = None,
        *,
        board_key: str | None = None,
        player: str | None = None,
        limit: int = 50,
    ) -> AsyncGenerator[Board, None]:
        """The same for a board by its id, or for a shared one by its key until its period is over; with a player also
        where that player stands."""
        leaderboard_id = (await self.board(leaderboard_id, board_key=board_key, limit=1))["leaderboardId"]
        doorbell = Doorbell()
        watcher = Watcher(doorbell)
        hub = self._gateway.hub
        view = await hub.watch(watcher, ViewKey(leaderboard_id, limit, None, 0, ()))
        if isinstance(view, Refusal):
            raise _refused(view)
        try:
            while True:
                board = await self.board(leaderboard_id, limit=limit, player=player)
                yield board
                if board["finalized"]:
                    return
                await doorbell.rung()
        finally:
            hub.leave(watcher)

    # -- lobbies

    async def lobby(self, player_id: str, lobby_id: str) -> Lobby:
        """A lobby in which the player has a seat (R-31)."""
        return cast("Lobby", (await self._as_server.ask("lobbies.get", playerId=player_id, lobbyId=lobby_id))["lobby"])

    async def leave_lobby(self, player_id: str, lobby_id: str) -> Lobby:
        """Give up a seat in a lobby that still forms."""
        left = await self._as_server.ask("lobbies.leave", playerId=player_id, lobbyId=lobby_id)
        return cast("Lobby", left["lobby"])

    # -- money

    async def wallet(self, player_id: str) -> dict[str, int]:
        """The balance of every declared currency."""
        player = await self.engine.players.resolve(player_id)
        return dict(await self.engine.money.balances(player.number))

    async def inventory(self, player_id: str) -> dict[str, int]:
        """The quantity of every item that the player holds."""
        player = await self.engine.players.resolve(player_id)
        return dict(await self.engine.money.inventory(player.number))

    async def grants(self, player_id: str, *, limit: int = 50) -> list[Grant]:
        """The player's grants, newest first."""
        player = await self.engine.players.resolve(player_id)
        page, _ = await self.engine.money.grants(player.number, limit=limit)
        return [cast("Grant", translate.grant(row, self.engine.now_ms())) for row in page]

    async def claim(self, player_id: str, grant_id: str) -> Grant:
        """Credit a grant to the player's wallet, once (R-45)."""
        player = await self._acting(player_id)
        row = _accepted(await self.engine.money.claim(player.number, grant_id), GrantRow)
        return cast("Grant", translate.grant(row, self.engine.now_ms()))

    async def open_crate(self, player_id: str, grant_id: str) -> OpenedCrate:
        """Open a crate that the player was granted, once (R-41)."""
        player = await self._acting(player_id)
        opened = _accepted(await self.engine.money.open_crate(player.number, grant_id), tuple)
        return cast("OpenedCrate", translate.opened_crate(opened, self.engine.now_ms()))

    async def _acting(self, player_id: str) -> PlayerRow:
        player = await self.engine.players.resolve(player_id)
        if player.banned:
            raise player_banned()
        return player

    # -- servers and operators

    @property
    def server(self) -> ServerCalls:
        """What a game's own servers ask, under the names that the client has."""
        return ServerCalls(self._as_server)

    @property
    def operator(self) -> OperatorCalls:
        """What operators ask: definitions, and steering events while they are live."""
        return OperatorCalls(Inside(self._gateway, self._tasks, "operator"))

    async def report(self, window_id: str) -> Report | None:
        """How a finalized window was settled; None before."""
        report = await self.engine.steering.report(window_id)
        return report if isinstance(report, Report) else None


def _accepted(reply: object, kind: type[T]) -> T:
    if isinstance(reply, Refusal):
        raise _refused(reply)
    if not isinstance(reply, kind):
        raise TypeError(f"expected {kind.__name__}, got {type(reply).__name__}")
    return reply


def _refused(refusal: Refusal) -> Refused:
    return Refused(refusal.code, refusal.message, translate.refusal_details(refusal))
