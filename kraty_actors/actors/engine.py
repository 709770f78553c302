"""What a game can be asked: every operation of players, servers and operators, in the rules' own words.

The gateway and the embedding API both stand on this. Operations on one attempt or board are handed on at once and
answered through `respond`, so that requests keep their order; those that join several actors are `async`.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import anyio

from kraty_actors.actors.cell import Respond
from kraty_actors.actors.clock import Clock
from kraty_actors.actors.gates import Gates, Listed
from kraty_actors.actors.loop import ActorLoop, Listener
from kraty_actors.actors.players import Players
from kraty_actors.actors.records import unpack
from kraty_actors.definitions import Fault, GameFile, inactive_parts, load_event, load_game
from kraty_actors.domain.attempt import IN_PROGRESS, AttemptView
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.calendar_messages import Changed, FinalizeEvent, GetCatalogue, PutGame
from kraty_actors.domain.catalogue import Catalogue, EventView, Library, WindowView
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import BoardView, Finish, GetAttempt, GetBoard, Write
from kraty_actors.domain.ids import CALENDAR, is_contest, last_number, parent, split_attempt
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Notice, Plain, Refusal, State
from kraty_actors.domain.publishing import merge
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import Admit, GetLobby, GetReport, Placed, Presence, Report
from kraty_persistence import BalanceOutOfRange, Credit, GrantExpired, GrantRow, Store, StoreError, StoreUnavailable

EVERYONE = 0
START_TRIES = 3
FINALIZE_PATIENCE_SECONDS = 10
"""How long an operator's `events.finalize` waits for the grants to be written."""

Number = int | float


@dataclass(slots=True, frozen=True)
class Put:
    """What putting definitions led to."""

    changed: Sequence[Changed]
    warnings: Sequence[Fault]


class WrongGame(Exception):
    """The database belongs to another game."""


class Engine(Listener):
    """The actors of one game, and who may be asked what. `opened` makes one that runs."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.players = Players(store)
        self.catalogue = Catalogue(None, {}, 0, {}, {})
        self._store = store
        self._library = Library()
        self._loop = ActorLoop(store, clock, self._make_state, roots=[CALENDAR])
        self._gates = Gates(store, self._loop, self._library)
        self._putting = anyio.Lock()
        self._catalogue_changed = anyio.Event()
        self._loop.listener = self
        self.edge = Listener()

    @classmethod
    @asynccontextmanager
    async def opened(cls, store: Store, clock: Clock) -> AsyncIterator[Engine]:
        """Recover everything that is stored, run, and write checkpoints when the block is left."""
        engine = cls(store, clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(engine._loop.run)
            await engine._recover()
            yield engine
            await engine._loop.checkpoint_all()
            tasks.cancel_scope.cancel()

    async def _recover(self) -> None:
        await self._loop.recover([CALENDAR])
        await self._read_catalogue()
        names = [name for name in await self._store.unfinished() if name != CALENDAR]
        await self._loop.recover(names)
        for name in names:
            if "." not in name:
                self._loop.ask(name, Presence(EVERYONE, here=False))

    def _make_state(self, actor_id: str) -> State:
        if actor_id == CALENDAR:
            return Calendar(self._library)
        return Contest(actor_id, self._library) if "." in actor_id else Window(actor_id, self._library)

    def now_ms(self) -> int:
        return self._loop.now_ms()

    # -- what the loop tells, handed on to the edge

    def moved(self, actor_id: str) -> None:
        if actor_id == CALENDAR:
            self._loop.ask(CALENDAR, GetCatalogue(), self._take_catalogue)
        else:
            self.edge.moved(actor_id)

    def finished(self, actor_id: str) -> None:
        self.edge.finished(actor_id)

    def notice(self, notice: Notice) -> None:
        self.edge.notice(notice)

    def flush(self) -> None:
        self.edge.flush()

    def _take_catalogue(self, reply: object) -> None:
        if isinstance(reply, Catalogue):
            self.catalogue = reply
            self._catalogue_changed.set()
            self._catalogue_changed = anyio.Event()

    async def _catalogue_at(self, now: int) -> Catalogue:
        """The catalogue with all windows that are due, which the calendar opens before it answers."""
        due_at = self.catalogue.due_at
        if due_at is not None and due_at <= now:
            await self._read_catalogue()
        return self.catalogue

    async def _read_catalogue(self) -> None:
        self._take_catalogue(await self._loop.call(CALENDAR, GetCatalogue()))

    # -- attempts

    async def start(self, player: int, event_key: str) -> AttemptView | LobbyView | Refusal:
        """R-16 to R-18: the running attempt, a new one, or the lobby that forms."""
        reply: AttemptView | LobbyView | Refusal = Refusal("overloaded", "try again shortly", {"retryAfter": 1})
        for _ in range(START_TRIES):
            reply, is_settled = await self._try_start(player, event_key)
            if is_settled:
                break
        return reply

    async def _try_start(self, player: int, event_key: str) -> tuple[AttemptView | LobbyView | Refusal, bool]:
        """One try, and whether its answer stands: an attempt may end while it is being looked up."""
        now = self.now_ms()
        event = (await self._catalogue_at(now)).events.get(event_key)
        if event is None:
            return Refusal("not_found", f"no event '{event_key}'"), True
        if event.state == "draft":
            return Refusal("event_disabled", f"{event_key} is a draft", {"state": "draft"}), True
        window = event.current(now)
        if window is None:
            following = event.upcoming(now)[:1]
            details = {"opensAt": following[0].starts_at if following else None}
            return Refusal("no_active_window", f"{event_key} has no open window", details), True
        facts = await self._gates.facts(
            player, self._library.rules(event_key, window.revision).event, self.catalogue, now
        )
        elsewhere = await self._gates.started_elsewhere(player, event, window, now)
        placed = await self._loop.call(window.window_id, Admit(player, facts, elsewhere))
        if not isinstance(placed, Placed):
            return cast("LobbyView | Refusal", placed), True
        attempt = await self._loop.call(placed.contest_id, GetAttempt(player))
        if not isinstance(attempt, AttemptView):
            return cast("Refusal", attempt), isinstance(attempt, Refusal) and attempt.code != "not_found"
        return attempt, placed.is_new or attempt.status == IN_PROGRESS

    def write(
        self,
        player: int,
        attempt_id: str,
        metrics: dict[str, Number] | Number,
        mode: str,
        identity: int | str | None,
        respond: Respond,
    ) -> None:
        """One progress message, to its contest: `Written` or a `Refusal` (R-8)."""
        where = split_attempt(attempt_id)
        if where is None:
            respond(_not_found("attempt"))
        else:
            self._loop.ask(where[0], Write(where[1], metrics, mode, identity, player), respond)

    def finish(self, player: int, attempt_id: str, respond: Respond) -> None:
        """End an attempt: `AttemptView` or a `Refusal` (R-12)."""
        where = split_attempt(attempt_id)
        if where is None:
            respond(_not_found("attempt"))
        else:
            self._loop.ask(where[0], Finish(where[1], player), respond)

    def attempt(self, player: int, attempt_id: str, respond: Respond) -> None:
        """Read an attempt: `AttemptView` or a `Refusal`."""
        where = split_attempt(attempt_id)
        if where is None:
            respond(_not_found("attempt"))
        else:
            self._loop.ask(where[0], GetAttempt(player, where[1]), respond)

    # -- boards and lobbies

    async def read_board(self, leaderboard_id: str, query: GetBoard) -> BoardView | Refusal:
        """Read part of a board (R-33)."""
        if not is_contest(leaderboard_id):
            return _not_found("board")
        return cast("BoardView | Refusal", await self._loop.call(leaderboard_id, query))

    async def lobby(self, player: int, lobby_id: str) -> LobbyView | Refusal:
        """A lobby in which the player has a seat."""
        if not is_contest(lobby_id):
            return _not_found("lobby")
        view = await self._loop.call(parent(lobby_id), GetLobby(last_number(lobby_id) or 0))
        if isinstance(view, LobbyView) and player in view.players:
            return view
        return view if isinstance(view, Refusal) and view.code != "not_found" else _not_found("lobby")

    def presence(self, player: int, *, here: bool) -> None:
        """A player connected or left, which matters where their lobby forms (R-31)."""
        for window in self.catalogue.windows.values():
            if window.state == "open" and self._library.rules(window.event_key, window.revision).is_lobby:
                self._loop.ask(window.window_id, Presence(player, here))

    # -- listing

    async def listings(self, player: int, *, upcoming: bool) -> list[Listed]:
        """R-55: what the player can see, each event with what stands between them and it."""
        now = self.now_ms()
        found: list[Listed] = []
        for event in (await self._catalogue_at(now)).events.values():
            if event.state in ("scheduled", "live"):
                listed = await self._gates.listed(player, event, self.catalogue, now, upcoming=upcoming)
                if listed is not None:
                    found.append(listed)
        return found

    # -- money

    async def balances(self, player: int) -> list[tuple[str, int]]:
        """The balance of every declared currency."""
        held = await self._store.balances(player)
        game = self.catalogue.game
        return [(currency.key, held.get(currency.key, 0)) for currency in (game.currencies if game else ())]

    async def grants(
        self, player: int, *, status: Any = None, limit: int = 50, after: str | None = None
    ) -> tuple[list[GrantRow], str | None]:
        """A page of grants, newest first, and where the next page begins."""
        found = await self._store.grants(player, now=self.now_ms(), status=status, limit=limit + 1, after=after)
        page = found[:limit]
        return page, page[-1].id if len(found) > limit else None

    async def claim(self, player: int, grant_id: str) -> GrantRow | Refusal:
        """Credit a grant to the wallet, once (R-45)."""
        grant = await self._store.grant(grant_id, player)
        if grant is None:
            return _not_found("grant")
        entries = unpack(grant.contents)
        amounts = [Credit(entry["currencyKey"], entry["amount"]) for entry in entries if entry["type"] == "currency"]
        try:
            claimed = await self._store.claim(grant_id, player, self.now_ms(), amounts)
        except GrantExpired:
            return Refusal("conflict", "the grant has expired", {"state": "expired"})
        except BalanceOutOfRange:
            return Refusal("conflict", "the wallet cannot hold that much", {"state": "pending"})
        return claimed or _not_found("grant")

    # -- definitions and windows

    async def put_game(self, data: object, *, who: str, is_file: bool = False) -> Put:
        """Put a whole game, all or nothing; a file counts only where it says something new.

        Raises:
            DefinitionFaults: Something in it is wrong; nothing was changed.
            WrongGame: It has another `gameId` than the database.
        """
        loaded = load_game(data)
        async with self._putting:
            await self._claim_database(loaded.game)
            standing = self.catalogue.game.as_defined() if self.catalogue.game else None
            merged = merge(standing, loaded.game.as_defined(), self.catalogue.file if is_file else {})
            changed = await self._stand(merged.game, merged.changed, merged.file if is_file else None, who)
            return Put(changed, [*loaded.warnings, *(merged.warnings if is_file else ())])

    async def put_event(self, data: object, *, who: str) -> tuple[EventView, Sequence[Fault]]:
        """Put one event into the game as it stands.

        Raises:
            DefinitionFaults: Something in it is wrong; nothing was changed.
        """
        async with self._putting:
            game = self._standing_game()
            loaded = load_event(data, game)
            merged = merge(game.as_defined(), {"gameId": game.game_id, "events": [loaded.event.as_defined()]}, {})
            await self._stand(merged.game, merged.changed, None, who)
        return self.catalogue.events[loaded.event.key], loaded.warnings

    def warnings(self, event: EventView) -> Sequence[Fault]:
        """What the event's author should look at, judged against the game as it stands."""
        return load_event(event.event.as_defined(), self._standing_game()).warnings

    async def finalize(self, event_key: str, window_id: str | None, *, who: str) -> list[WindowView] | Refusal:
        """End windows by command (R-26); waits until their grants are written, or for ten seconds."""
        named = await self._loop.call(CALENDAR, FinalizeEvent(event_key, window_id, who))
        if isinstance(named, Refusal):
            return named
        windows = cast("list[str]", named)
        with anyio.move_on_after(FINALIZE_PATIENCE_SECONDS):
            while not all(self._is_finalized(name) for name in windows):
                await self._catalogue_changed.wait()
        return [self.catalogue.windows[name] for name in windows if name in self.catalogue.windows]

    async def report(self, window_id: str) -> Report | None:
        """How a finalized window was settled."""
        reply = await self._loop.call(window_id, GetReport())
        return reply if isinstance(reply, Report) else None

    def is_healthy(self) -> bool:
        """Whether the last commit succeeded."""
        return self._store.failing_since is None and not self._loop.store_is_away

    def give_up(self, error: StoreError) -> None:
        """Stop: the store belongs to somebody else now, or is closed."""
        self._loop.give_up(error)

    def _is_finalized(self, window_id: str) -> bool:
        window = self.catalogue.windows.get(window_id)
        return window is None or window.state == "finalized"

    def _standing_game(self) -> GameFile:
        if self.catalogue.game is None:
            raise LookupError("no game has been put yet")
        return self.catalogue.game

    async def _claim_database(self, game: GameFile) -> None:
        owner = await self._store.put_meta_once("gameId", game.game_id)
        if owner != game.game_id:
            raise WrongGame(f"the database belongs to the game '{owner}', not to '{game.game_id}'")

    async def _stand(
        self, game: dict[str, Plain], changed: list[list[str]], file: dict[str, Plain] | None, who: str
    ) -> Sequence[Changed]:
        """Have the calendar take over a game, after judging it as a whole; nothing new is not even written down."""
        loaded = load_game(game).game
        inactive = [event.key for event in loaded.events if inactive_parts(event, loaded)]
        known = [key for key, event in self.catalogue.events.items() if not event.is_active]
        if not changed and inactive == known and (file is None or file == self.catalogue.file):
            return ()
        seed = await self._seed(loaded)
        reply = await self._loop.call(CALENDAR, PutGame(game, seed, changed, inactive, file, who))
        if isinstance(reply, Refusal):
            raise StoreUnavailable(reply.message)
        await self._read_catalogue()
        return cast("Sequence[Changed]", reply)

    async def _seed(self, game: GameFile) -> int:
        if game.settings.seed is not None:
            return game.settings.seed
        return int(await self._store.put_meta_once("seed", str(secrets.randbits(53))))


def _not_found(what: str) -> Refusal:
    return Refusal("not_found", f"no such {what}")
