"""The rows of the store in memory that have nothing to do with money: players and what is known of them."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeAlias, TypeVar

from kraty_persistence.errors import StoreError, UnitRefused
from kraty_persistence.rows import (
    AnomalyRow,
    AttemptRow,
    AuditEntry,
    AuditRow,
    Ban,
    Completion,
    LeagueMove,
    PlayerRow,
)

__all__ = ["MemoryRows", "PlainEffect", "page"]

T = TypeVar("T")

PlainEffect: TypeAlias = Completion | LeagueMove | AuditEntry | AttemptRow | AnomalyRow | Ban


class MemoryRows:
    """The rows, each kind found by what it is asked for, as in a database."""

    def __init__(self) -> None:
        self._outage: StoreError | None = None
        self._failing_since: float | None = None
        self._meta: dict[str, str] = {}
        self._players: list[PlayerRow] = []
        self._numbers: dict[str, int] = {}
        self._participants: dict[str, int] = {}
        self._completions: defaultdict[int, dict[str, set[str]]] = defaultdict(dict)
        self._leagues: defaultdict[int, dict[str, str]] = defaultdict(dict)
        self._attempts: defaultdict[int, dict[str, AttemptRow]] = defaultdict(dict)
        self._anomalies: dict[str, AnomalyRow] = {}
        self._audit: list[AuditRow] = []

    @property
    def outage(self) -> StoreError | None:
        """For tests: while set, every unit and every call is refused with it."""
        return self._outage

    @outage.setter
    def outage(self, error: StoreError | None) -> None:
        self._outage = error
        self._failing_since = None if error is None else time.monotonic()

    @property
    def failing_since(self) -> float | None:
        return self._failing_since

    def _reach(self) -> None:
        if self._outage is not None:
            raise self._outage

    # -- effects

    def _check_player(self, number: int) -> None:
        if not 1 <= number <= len(self._players):
            raise UnitRefused(f"no player {number}")

    def _take(self, effect: PlainEffect) -> None:
        match effect:
            case Completion():
                self._completions[effect.player].setdefault(effect.event_key, set()).add(effect.window_id)
            case LeagueMove():
                self._leagues[effect.player][effect.event_key] = effect.league
            case AuditEntry():
                self._audit.append(AuditRow(**asdict(effect), number=len(self._audit) + 1))
            case AttemptRow():
                self._attempts[effect.player].setdefault(effect.attempt_id, effect)
            case AnomalyRow():
                self._anomalies.setdefault(effect.id, effect)
            case Ban():
                row = self._players[effect.player - 1]
                self._players[effect.player - 1] = replace(row, banned=effect.banned)

    # -- facts of the game

    async def get_meta(self, key: str) -> str | None:
        self._reach()
        return self._meta.get(key)

    async def set_meta(self, key: str, value: str, *, audited: AuditEntry | None = None) -> None:
        self._reach()
        self._meta[key] = value
        if audited is not None:
            self._take(audited)

    async def put_meta_once(self, key: str, value: str) -> str:
        self._reach()
        return self._meta.setdefault(key, value)

    # -- players

    async def resolve(self, player_id: str, mint: Callable[[], str]) -> PlayerRow:
        row = await self.find_player(player_id)
        if row is None:
            row = PlayerRow(len(self._players) + 1, player_id, mint())
            if row.participant_id in self._participants:
                raise UnitRefused(f"participant id {row.participant_id} is taken")
            self._players.append(row)
            self._numbers[player_id] = self._participants[row.participant_id] = row.number
        return row

    async def put_player(
        self,
        number: int,
        *,
        attributes: bytes | None = None,
        name: str | None = None,
        avatar: str | None = None,
        country: str | None = None,
        audited: AuditEntry | None = None,
    ) -> PlayerRow:
        self._reach()
        self._check_player(number)
        row = self._players[number - 1]
        row = row.changed(attributes=attributes, name=name, avatar=avatar, country=country)
        self._players[number - 1] = row
        if audited is not None:
            self._take(audited)
        return row

    async def players(self, numbers: Sequence[int]) -> list[PlayerRow]:
        self._reach()
        return [self._players[number - 1] for number in numbers if 1 <= number <= len(self._players)]

    async def find_player(self, player_id: str) -> PlayerRow | None:
        self._reach()
        number = self._numbers.get(player_id)
        return None if number is None else self._players[number - 1]

    async def find_participant(self, participant_id: str) -> PlayerRow | None:
        self._reach()
        number = self._participants.get(participant_id)
        return None if number is None else self._players[number - 1]

    async def completed(self, player: int, event_key: str, window_id: str | None = None) -> bool:
        self._reach()
        windows = self._completions[player].get(event_key, ())
        return bool(windows) if window_id is None else window_id in windows

    async def league(self, player: int, event_key: str) -> str | None:
        self._reach()
        return self._leagues.get(player, {}).get(event_key)

    async def banned_players(self) -> list[int]:
        self._reach()
        return [row.number for row in self._players if row.banned]

    # -- what operators look up

    async def attempts(self, player: int, *, limit: int = 50) -> list[AttemptRow]:
        self._reach()
        found = self._attempts.get(player, {})
        return sorted(found.values(), key=lambda row: (row.at, row.attempt_id), reverse=True)[:limit]

    async def anomalies(
        self, *, player: int | None = None, event_key: str | None = None, limit: int = 50, after: str | None = None
    ) -> list[AnomalyRow]:
        self._reach()
        found = self._anomalies.values()
        rows = [row for row in found if player in (None, row.player) and event_key in (None, row.event_key)]
        return page(rows, lambda row: (-row.at, row.id), limit, after)

    async def audit(self, *, limit: int = 50, before: int | None = None) -> list[AuditRow]:
        self._reach()
        return [row for row in reversed(self._audit) if before is None or row.number < before][:limit]


def page(rows: Iterable[T], age: Callable[[T], Any], limit: int, after: str | None) -> list[T]:
    """Rows in order of their age, which ends with the id, beginning behind the row `after`."""
    ordered = sorted(rows, key=age)
    if after is not None:
        ids = [age(row)[-1] for row in ordered]
        if after not in ids:
            return []
        ordered = ordered[ids.index(after) + 1 :]
    return ordered[:limit]
