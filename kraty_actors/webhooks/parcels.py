"""Deliveries as they come from the store, made ready to go: players get their own ids (R-57)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kraty_actors.webhooks.news import Whom
from kraty_actors.webhooks.occurrences import read_body
from kraty_persistence import DeliveryRow

Names = Callable[[Collection[int]], Awaitable[Mapping[int, str]]]
"""The game's own ids of these player numbers, without those that nobody has any more."""

Body = tuple[Mapping[str, Any] | None, Whom]


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that is ready to go; `data` is None for one that cannot be read."""

    row: DeliveryRow
    data: Mapping[str, Any] | None


async def open_parcels(rows: Sequence[DeliveryRow], names: Names) -> list[Parcel]:
    """Read them, and look up all players at once."""
    bodies = [_read(row) for row in rows]
    known = await names({number for _, players in bodies for number in _numbers(players)})
    return [Parcel(row, _addressed(*body, known)) for row, body in zip(rows, bodies, strict=True)]


def _read(row: DeliveryRow) -> Body:
    try:
        return read_body(row.body)
    except (ValueError, TypeError):
        return None, None


def _numbers(players: Whom) -> Sequence[int]:
    return () if players is None else (players,) if isinstance(players, int) else players


def _addressed(data: Mapping[str, Any] | None, players: Whom, names: Mapping[int, str]) -> Mapping[str, Any] | None:
    """What is told, with the players' own ids; null for one who was erased."""
    if data is None or players is None:
        return data
    if isinstance(players, int):
        return {**data, "playerId": names.get(players)}
    return {**data, "playerIds": [names.get(number) for number in players]}
