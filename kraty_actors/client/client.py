"""The client: typed calls, watched boards and pushes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, Self, cast

import anyio

from kraty_actors.client.link import ConnectionLost, Dial
from kraty_actors.client.operators import OperatorCalls
from kraty_actors.client.servers import ServerCalls
from kraty_actors.client.session import Session, given
from kraty_actors.client.watch import Watch
from kraty_protocol.codec import JSON, MSGPACK
from kraty_protocol.errors import Refused
from kraty_protocol.limits import Role
from kraty_protocol.shapes import (
    Attempt,
    AttemptRead,
    Balance,
    Board,
    Finished,
    Grant,
    Grants,
    Item,
    Listing,
    Lobby,
    OpenedCrate,
    Periods,
    Player,
    Progressed,
)


@asynccontextmanager
async def connect(
    url: str,
    *,
    token: str | None = None,
    role: Role | None = None,
    player_id: str | None = None,
    codec: Literal["msgpack", "json"] = "msgpack",
    reconnect: bool = True,
    dial: Dial | None = None,
) -> AsyncIterator[Client]:
    """Connect to a server; leaving the block closes the connection.

    Args:
        url: Such as `ws://127.0.0.1:8765/v1/socket`.
        token: Who is calling. Servers that run with `--insecure-dev` take `role` and `player_id` instead.
        codec: How frames are written; JSON is for looking on.
        reconnect: Come back when the connection is lost, with a pause that grows from 0.1 to 5 seconds, and
            send again what is safe to send again. Not after a bad token, a ban or a violation.
        dial: Opens the byte stream to use instead of a TCP connection to the URL's host.

    Raises:
        Refused: The server refused the `hello`.
        ConnectionLost: There is no such WebSocket.
        OSError: Nobody listens there.
        ValueError: The URL is not a WebSocket's.
    """
    hello = {"token": token} if token else {"role": role or "player", "playerId": player_id}
    session = Session(url, hello, JSON if codec == "json" else MSGPACK, reconnect=reconnect, dial=dial)
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        try:
            await tasks.start(session.run)
            yield Client(session)
        except Exception as error:  # noqa: BLE001 - raised again below, outside the task group's wrapping
            failure = error
        finally:
            session.end(ConnectionLost(None, "the client was closed"))
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


class Client:
    """Calls to one server, from as many tasks as one likes.

    Every call raises `Refused` if the server says no, and `ConnectionLost` if it is unknown whether the
    server ever read it. With a server's or an operator's token, `for_player` gives the client of a player,
    and `server` and `operator` have the calls that need such a token.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._acting_for: str | None = None
        self._last_seqs: dict[str, int] = {}  # of attempts in progress

    @property
    def player_id(self) -> str | None:
        """The player for whom calls are made."""
        return self._acting_for or self._session.welcome.get("playerId")

    @property
    def participant_id(self) -> str | None:
        """The name under which a player's own token appears on boards."""
        return self._session.welcome.get("participantId")

    @property
    def mismatches(self) -> int:
        """How often a watched board was not what the server took it for, by its version or its checksum. It was asked
        for anew; this stays 0, or something is wrong."""
        return self._session.mismatches

    def for_player(self, player_id: str) -> Client:
        """The same connection, with every call made for one player (servers and operators)."""
        client = Client(self._session)
        client._acting_for = player_id
        client._last_seqs = self._last_seqs
        return client

    @property
    def server(self) -> ServerCalls:
        """The calls of a game's own servers."""
        return ServerCalls(self._session)

    @property
    def operator(self) -> OperatorCalls:
        """The calls of operators."""
        return OperatorCalls(self._session)

    async def call(self, op: str, /, **fields: Any) -> dict[str, Any]:
        """Any operation, with its fields as they stand on the wire; None travels as null."""
        return await self._session.call(op, {**given({"playerId": self._acting_for}), **fields})

    async def _ask(self, op: str, /, **fields: Any) -> dict[str, Any]:
        return await self._session.ask(op, playerId=self._acting_for, **fields)

    # Events

    async def list_events(self, *, upcoming: bool = False) -> list[Listing]:
        """The events that are open to the player, with `upcoming` also those to come."""
        return cast("list[Listing]", (await self._ask("events.list", upcoming=upcoming))["events"])

    async def start(self, event_key: str, *, context: Mapping[str, Any] | None = None) -> Attempt:
        """Enter an event, or return to the attempt that is in progress.

        Args:
            context: Up to 16 scalars that help to place the player (`playerContext`).
        """
        ok = await self._ask("events.start", eventKey=event_key, playerContext=context)
        return self._note(ok["attempt"])

    async def progress(
        self,
        attempt_id: str,
        metrics: Mapping[str, float] | float,
        *,
        mode: Literal["increment", "set"] = "increment",
        seq: int | None = None,
    ) -> Progressed:
        """Write progress. Writes of several tasks count in the order in which they were called.

        Args:
            metrics: Values by metric, or one value for the first metric.
            seq: By default the next one; it makes the write safe to send again.
        """
        if seq is None:
            seq = await self._next_seq(attempt_id)
        self._last_seqs[attempt_id] = max(seq, self._last_seqs.get(attempt_id, 0))
        name = "metrics" if isinstance(metrics, Mapping) else "metricValue"
        try:
            ok = await self._ask("events.progress", attemptId=attempt_id, **{name: metrics}, mode=mode, seq=seq)
        except Refused as refused:
            if refused.is_idempotency_conflict:
                self._last_seqs.pop(attempt_id, None)  # somebody else writes too: the next write asks anew
            raise
        if ok["status"] != "in_progress":
            self._last_seqs.pop(attempt_id, None)
        return cast("Progressed", ok)

    async def _next_seq(self, attempt_id: str) -> int:
        last_seq = self._last_seqs.get(attempt_id)
        if last_seq is None:
            read = await self.attempt(attempt_id)
            last_seq = max(read["attempt"]["lastSeq"], self._last_seqs.get(attempt_id, 0))
        return last_seq + 1

    async def finish(self, attempt_id: str) -> Finished:
        """End an attempt."""
        ok = await self._ask("events.finish", attemptId=attempt_id)
        self._note(ok["attempt"])
        return cast("Finished", ok)

    async def attempt(self, attempt_id: str) -> AttemptRead:
        """One attempt, however old, with the player's rank."""
        ok = await self._ask("attempts.get", attemptId=attempt_id)
        self._note(ok["attempt"])
        return cast("AttemptRead", ok)

    def _note(self, attempt: Attempt) -> Attempt:
        attempt_id = attempt["attemptId"]
        if attempt["status"] == "in_progress":
            self._last_seqs[attempt_id] = max(attempt["lastSeq"], self._last_seqs.get(attempt_id, 0))
        else:
            self._last_seqs.pop(attempt_id, None)
        return attempt

    # Boards

    async def read_board(
        self,
        leaderboard_id: str | None = None,
        *,
        board_key: str | None = None,
        period: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
        around: str | None = None,
    ) -> Board:
        """A page of a board (50 rows from the top), or the rows around "self" or a participant.

        Args:
            board_key: A shared board, instead of `leaderboard_id`.
            period: Of a shared board: "current" or the `startsAt` of one of its periods.
        """
        page = {"limit": limit, "offset": offset, "around": around, "period": period}
        return cast("Board", await self._ask("boards.read", leaderboardId=leaderboard_id, boardKey=board_key, **page))

    async def board_periods(self, board_key: str) -> Periods:
        """The periods of a shared board, newest first."""
        return cast("Periods", await self._ask("boards.periods", boardKey=board_key))

    def watch(
        self,
        leaderboard_id: str | None = None,
        *,
        board_key: str | None = None,
        limit: int | None = None,
        around: Literal["self"] | None = None,
        spread: int | None = None,
        participants: Iterable[str] | None = None,
    ) -> Watch:
        """A board that keeps itself up to date: `async for board in client.watch(id, limit=50)`.

        Args:
            board_key: A shared board, instead of `leaderboard_id`; the watch ends with its period.
            limit: Rows from the top; 50 if nothing else is asked for.
            around: "self" for the player's own row and `spread` (5) rows on each side.
            participants: Up to 100 rows by participantId.
        """
        asked = {
            "playerId": self._acting_for,
            "leaderboardId": leaderboard_id,
            "boardKey": board_key,
            "limit": limit,
            "around": around,
            "spread": spread,
            "participants": None if participants is None else list(participants),
        }
        return self._session.watch(asked)

    async def lobby(self, lobby_id: str) -> Lobby:
        """One lobby."""
        return cast("Lobby", (await self._ask("lobbies.get", lobbyId=lobby_id))["lobby"])

    async def leave_lobby(self, lobby_id: str) -> Lobby:
        """Give up a seat in a lobby that still forms."""
        return cast("Lobby", (await self._ask("lobbies.leave", lobbyId=lobby_id))["lobby"])

    # What the player has

    async def set_profile(self, *, name: str | None = None, avatar: str | None = None) -> Player:
        """Change what boards show of the player, where the game lets players do it."""
        return cast("Player", (await self._ask("profile.set", name=name, avatar=avatar))["player"])

    async def wallet(self) -> list[Balance]:
        """The balance of every currency that the game declares."""
        return cast("list[Balance]", (await self._ask("wallet.get"))["balances"])

    async def inventory(self) -> list[Item]:
        """The items that the player holds."""
        return cast("list[Item]", (await self._ask("inventory.get"))["items"])

    async def grants(
        self,
        *,
        status: Literal["pending", "claimed", "expired"] | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Grants:
        """A page of grants, newest first; pass `next` as `after` for the page behind it."""
        return cast("Grants", await self._ask("grants.list", status=status, limit=limit, after=after))

    async def claim(self, grant_id: str) -> Grant:
        """Take a grant into the wallet; again is the same."""
        return cast("Grant", (await self._ask("grants.claim", grantId=grant_id))["grant"])

    async def open_crate(self, grant_id: str) -> OpenedCrate:
        """Open a crate that was granted; again is the same."""
        return cast("OpenedCrate", await self._ask("crates.open", grantId=grant_id))

    # The connection

    async def ping(self) -> str:
        """The server's time."""
        return cast("str", (await self._ask("ping"))["serverTime"])

    def pushes(self) -> Pushes:
        """What the server says unasked, such as `grant` or `attempt.ended`, from the first connection on.

        The newest 1,000 are kept until they are read. The iteration ends when the client is closed.
        """
        return Pushes(self._session)


class Pushes:
    """An async iterator over pushes; if there are several, each push goes to one of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> dict[str, Any]:
        push = await self._session.next_push()
        if push is None:
            raise StopAsyncIteration
        return push
