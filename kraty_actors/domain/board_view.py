"""Reading a board: the question, the answer, and how one comes of the other (R-33)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from kraty_actors.domain.bots import BotIdentity
from kraty_actors.domain.ids import bot_seat
from kraty_actors.domain.outcome import Command
from kraty_actors.domain.ranking import Row
from kraty_actors.domain.standings import Standings

Number = int | float


@dataclass(slots=True, frozen=True)
class GetBoard(Command):
    """Read the union of a page, of `spread` rows on each side `around` a participant, and of `picked` ones."""

    tag: ClassVar[str] = "get_board"
    is_read: ClassVar[bool] = True
    offset: int = 0
    limit: int = 0
    around: int | None = None
    spread: int = 0
    picked: tuple[int, ...] = ()
    viewer: int | None = None


@dataclass(slots=True, frozen=True)
class Standing:
    """One row as people see it; `bot` is None for a player."""

    participant: int
    score: Number
    rank: int
    bot: BotIdentity | None


@dataclass(slots=True)
class BoardView:
    """Part of a board at one version. Where bots move by time, `moves_at` is the next instant at which they may."""

    board_id: str
    mode: str
    version: int
    finalized: bool
    total: int
    standings: Sequence[Standing]
    viewer_rank: int | None
    viewer_score: Number | None
    moves_at: int | None = None


def view_of(
    query: GetBoard,
    standings: Standings,
    *,
    board_id: str,
    mode: str,
    version: int,
    finalized: bool,
    ascending: bool,
    identity: Callable[[int], BotIdentity] | None = None,
) -> BoardView:
    """The answer to `query`. `identity` says who the bot in a seat is, on a board that has bots."""

    def score(row: Row) -> Number:
        return row.sort_score if ascending else -row.sort_score

    def standing(rank: int, row: Row) -> Standing:
        bot = identity(bot_seat(row.participant)) if row.is_bot and identity is not None else None
        return Standing(row.participant, score(row), rank, bot)

    own = standings.row(query.viewer) if query.viewer is not None else None
    return BoardView(
        board_id=board_id,
        mode=mode,
        version=version,
        finalized=finalized,
        total=len(standings),
        standings=[standing(rank, row) for rank, row in _asked_for(query, standings)],
        viewer_rank=None if own is None else standings.rank(own.participant),
        viewer_score=None if own is None else score(own),
    )


def _asked_for(query: GetBoard, standings: Standings) -> list[tuple[int, Row]]:
    """The rows of the union by rank, in rank order."""
    found = dict(enumerate(standings.page(query.offset, query.limit), query.offset + 1))
    around = standings.rank(query.around) if query.around is not None else None
    if around is not None:
        first = max(1, around - query.spread)
        found |= enumerate(standings.page(first - 1, around + query.spread - first + 1), first)
    for participant in query.picked:
        rank, row = standings.rank(participant), standings.row(participant)
        if rank is not None and row is not None:
            found[rank] = row
    return sorted(found.items())
