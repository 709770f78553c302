"""What operators look up: reads of the store, which no actor is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from kraty_actors.actors.world import World
from kraty_persistence import AuditRow, PlayerRow

Row = TypeVar("Row")

PLAYER_SUBJECT = "player:"
"""Before the number of the player whom an audit row is about."""


class Inquiries:
    """Pages come newest first, each with where the next one begins, or None behind the last."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def audit(
        self, *, limit: int, after: str | None
    ) -> tuple[list[tuple[AuditRow, PlayerRow | None]], str | None]:
        """A page of the audit trail, each row with the player whom it is about."""
        before = _number(after)
        if after is not None and before is None:
            return [], None
        page, last = _page(await self._world.store.audit(limit=limit + 1, before=before), limit)
        about = [_player_of(row) for row in page]
        known = await self._players(number for number in about if number is not None)
        rows = [(row, None if number is None else known.get(number)) for row, number in zip(page, about, strict=True)]
        return rows, None if last is None else str(last.number)

    async def _players(self, numbers: Iterable[int]) -> dict[int, PlayerRow]:
        wanted = set(numbers)
        players = self._world.players
        await players.fetch(players.missing(wanted))
        missing = set(players.missing(wanted))
        return {number: players.row(number) for number in wanted - missing}


def _player_of(row: AuditRow) -> int | None:
    """The number of the player whom an audit row is about. An event may have a key that looks like one."""
    is_about_one = row.action.startswith(("players.", "grants.")) and row.subject.startswith(PLAYER_SUBJECT)
    return _number(row.subject.removeprefix(PLAYER_SUBJECT)) if is_about_one else None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else None


def _page(found: Sequence[Row], limit: int) -> tuple[list[Row], Row | None]:
    """A page of one row more than was asked for, and its last row if there are more."""
    page = list(found[:limit])
    return page, page[-1] if len(found) > limit else None
