"""Putting definitions: the whole game, one event, one shared board; all or nothing (R-3, R-5)."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

import anyio

from kraty_actors.actors.world import World
from kraty_actors.definitions import (
    Fault,
    GameFile,
    SharedBoard,
    load_event,
    load_game,
    load_shared_board,
)
from kraty_actors.domain.calendar_messages import Changed, GamePut, PutGame
from kraty_actors.domain.catalogue import EventView
from kraty_actors.domain.ids import CALENDAR
from kraty_actors.domain.outcome import Plain, Refusal
from kraty_actors.domain.publishing import merge
from kraty_persistence import StoreUnavailable


@dataclass(slots=True, frozen=True)
class Put:
    """What putting definitions led to."""

    changed: Sequence[Changed]
    warnings: Sequence[Fault]


GAME_ID = "gameId"
"""Where the store has whose it is."""


class WrongGame(Exception):
    """The database belongs to another game."""


def check_owner(owner: str | None, game_id: str) -> None:
    """Whether a database is free, or of this game.

    Raises:
        WrongGame: It is of another one.
    """
    if owner not in (None, game_id):
        raise WrongGame(f"the database belongs to the game '{owner}', not to '{game_id}'")


class Publishing:
    """One put at a time, each judged against the game as it then stands."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._putting = anyio.Lock()
        self.before: Callable[[GameFile], Awaitable[None]] = _nothing
        """Hears of each game before it stands, and may raise `DefinitionFaults`: then it does not."""

    async def put_game(self, data: object, *, who: str, is_file: bool = False) -> Put:
        """Put a whole game; a file counts only where it says something new.

        Raises:
            DefinitionFaults: Something in it is wrong; nothing was changed.
            WrongGame: It has another `gameId` than the database.
        """
        loaded = load_game(data)
        async with self._putting:
            await self._claim_database(loaded.game)
            catalogue = self._world.catalogue
            standing = catalogue.game.as_defined() if catalogue.game else None
            merged = merge(standing, loaded.game.as_defined(), catalogue.file if is_file else {})
            put = await self._stand(merged.game, merged.changed, merged.file if is_file else None, who)
            warnings = [*loaded.warnings, *put.warnings, *(merged.warnings if is_file else ())]
            return Put(put.changed, warnings)

    async def put_event(self, data: object, *, who: str) -> tuple[EventView, Sequence[Fault]]:
        """Put one event into the game as it stands.

        Raises:
            DefinitionFaults: Something in it is wrong; nothing was changed.
        """
        async with self._putting:
            game = self._standing_game()
            loaded = load_event(data, game)
            await self._put_into(game, {"events": [loaded.event.as_defined()]}, who)
        return self._world.catalogue.events[loaded.event.key], loaded.warnings

    async def put_board(self, data: object, *, who: str) -> tuple[SharedBoard, Sequence[Fault]]:
        """Put one shared board into the game as it stands.

        Raises:
            DefinitionFaults: Something in it is wrong; nothing was changed.
        """
        async with self._putting:
            game = self._standing_game()
            loaded = load_shared_board(data)
            put = await self._put_into(game, {"leaderboards": [loaded.board.as_defined()]}, who)
        return loaded.board, [*loaded.warnings, *put.warnings]

    async def archive_board(self, board_key: str, *, who: str) -> tuple[SharedBoard, Sequence[Fault]] | Refusal:
        """Have a shared board take no more scores; what it holds stays readable (R-32)."""
        board = self._standing_game().shared_board(board_key)
        if board is None:
            return Refusal("not_found", f"no shared board '{board_key}'")
        return await self.put_board({**board.as_defined(), "archived": True}, who=who)

    def warnings(self, event: EventView) -> Sequence[Fault]:
        """What the event's author should look at, judged against the game as it stands."""
        return load_event(event.event.as_defined(), self._standing_game()).warnings

    async def _put_into(self, game: GameFile, lists: dict[str, Plain], who: str) -> GamePut:
        merged = merge(game.as_defined(), {"gameId": game.game_id, **lists}, {})
        return await self._stand(merged.game, merged.changed, None, who)

    def _standing_game(self) -> GameFile:
        if self._world.catalogue.game is None:
            raise LookupError("no game has been put yet")
        return self._world.catalogue.game

    async def _claim_database(self, game: GameFile) -> None:
        owner = await self._world.store.put_meta_once(GAME_ID, game.game_id)
        check_owner(owner, game.game_id)

    async def _stand(
        self, game: dict[str, Plain], changed: list[list[str]], file: dict[str, Plain] | None, who: str
    ) -> GamePut:
        """Have the calendar take over a game, after judging it as a whole; nothing new is not even written down."""
        loaded = load_game(game).game
        await self.before(loaded)
        if not changed and (file is None or file == self._world.catalogue.file):
            return GamePut([], [])
        seed = await self._seed(loaded)
        reply = await self._world.loop.call(CALENDAR, PutGame(game, seed, changed, file, who))
        if not isinstance(reply, GamePut):
            raise StoreUnavailable(cast("Refusal", reply).message)
        await self._world.read_catalogue()
        return reply

    async def _seed(self, game: GameFile) -> int:
        if game.settings.seed is not None:
            return game.settings.seed
        return int(await self._world.store.put_meta_once("seed", str(secrets.randbits(53))))


async def _nothing(game: GameFile) -> None:
    return
