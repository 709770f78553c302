"""Boards by their names: an event's own by its id, shared ones also by key and period (R-33)."""

from __future__ import annotations

from typing import Literal, cast

from kraty_actors.actors.world import World
from kraty_actors.domain.board_shelf import SharedBoardView
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.ids import is_board
from kraty_actors.domain.outcome import Refusal

PeriodName = Literal["current"] | int


class Boards:
    """Reading; who may is everyone who knows the name."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def read(self, leaderboard_id: str, query: GetBoard) -> BoardView | Refusal:
        """Part of a board."""
        if not is_board(leaderboard_id):
            return _not_found()
        return cast("BoardView | Refusal", await self._world.loop.call(leaderboard_id, query))

    async def named(self, board_key: str, period: PeriodName = "current") -> str | Refusal:
        """The id of a shared board in the period that is open, or in the one that began at an instant."""
        board = await self.shared(board_key)
        if isinstance(board, Refusal):
            return board
        return board.current_id if period == "current" else board.id_of(period)

    async def shared(self, board_key: str) -> SharedBoardView | Refusal:
        """A shared board and its periods."""
        catalogue = await self._world.catalogue_at(self._world.now_ms())
        return catalogue.boards.get(board_key) or _not_found()


def _not_found() -> Refusal:
    return Refusal("not_found", "no such board")
