"""All of the store in memory but the journal: players, what is known of them, grants and money."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from kraty_persistence.errors import GrantExpired, StoreError, UnitRefused
from kraty_persistence.money import Entry, adjustment_key, claim_key
from kraty_persistence.rows import (
    Adjusted,
    AuditEntry,
    AuditRow,
    Change,
    Completion,
    Dossier,
    Effect,
    GrantRow,
    GrantStatus,
    LeagueMove,
    LedgerRow,
    NewGrant,
    PlayerRow,
    ResourceKind,
)

__all__ = ["MemoryRows"]


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
        self._grants: dict[str, GrantRow] = {}
        self._grants_of: defaultdict[int, list[str]] = defaultdict(list)
        self._holdings: defaultdict[int, dict[tuple[ResourceKind, str], int]] = defaultdict(dict)
        self._ledger: defaultdict[int, list[LedgerRow]] = defaultdict(list)
        self._entered: dict[tuple[int, str], Sequence[Change]] = {}
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

    def _check_effect(self, effect: Effect) -> None:
        if not isinstance(effect, AuditEntry):
            self._check_player(effect.player)

    def _check_player(self, number: int) -> None:
        if not 1 <= number <= len(self._players):
            raise UnitRefused(f"no player {number}")

    def _take(self, effect: Effect) -> None:
        match effect:
            case NewGrant():
                if effect.id not in self._grants:
                    self._grants[effect.id] = GrantRow(**asdict(effect))
                    self._grants_of[effect.player].append(effect.id)
            case Completion():
                self._completions[effect.player].setdefault(effect.event_key, set()).add(effect.window_id)
            case LeagueMove():
                self._leagues[effect.player][effect.event_key] = effect.league
            case AuditEntry():
                self._audit.append(AuditRow(**asdict(effect), number=len(self._audit) + 1))

    # -- facts of the game

    async def get_meta(self, key: str) -> str | None:
        self._reach()
        return self._meta.get(key)

    async def set_meta(self, key: str, value: str) -> None:
        self._reach()
        self._meta[key] = value

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

    async def dossier(self, player: int) -> Dossier:
        return Dossier(
            completed=frozenset(self._completions.get(player, {})),
            balances=await self.balances(player),
            inventory=await self.inventory(player),
            leagues=dict(self._leagues.get(player, {})),
        )

    # -- grants and money

    async def grant(self, grant_id: str, player: int) -> GrantRow | None:
        self._reach()
        row = self._grants.get(grant_id)
        return row if row is not None and row.player == player else None

    async def grants(
        self,
        player: int,
        *,
        now: int,
        status: GrantStatus | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> list[GrantRow]:
        self._reach()
        rows = sorted((self._grants[grant_id] for grant_id in self._grants_of.get(player, ())), key=_newest_first)
        if after is not None:
            last = await self.grant(after, player)
            if last is None:
                return []
            rows = [row for row in rows if _newest_first(row) > _newest_first(last)]
        return [row for row in rows if status in (None, row.status(now))][:limit]

    async def claim(self, grant_id: str, player: int, now: int, changes: Sequence[Change]) -> GrantRow | None:
        row = await self.grant(grant_id, player)
        if row is None or row.claimed_at is not None:
            return row
        if row.status(now) == "expired":
            raise GrantExpired(f"grant {grant_id} has expired")
        self._enter(Entry(player, changes, claim_key(grant_id), "grant", grant_id, now))
        self._grants[grant_id] = replace(row, claimed_at=now)
        return self._grants[grant_id]

    async def adjust(
        self, player: int, changes: Sequence[Change], *, key: str, reason: str, source: str, now: int
    ) -> Adjusted:
        self._reach()
        self._check_player(player)
        entry = Entry(player, changes, adjustment_key(key), reason, source, now)
        repeated = entry.repeats(self._entered.get((player, entry.key), ()))
        if not repeated:
            self._enter(entry)
        return Adjusted(not repeated, entry.balances(self._holdings[player]))

    def _enter(self, entry: Entry) -> None:
        held = dict(self._holdings[entry.player])
        self._ledger[entry.player] += entry.apply(held)
        self._entered[entry.player, entry.key] = entry.changes
        self._holdings[entry.player] = held

    async def balances(self, player: int) -> dict[str, int]:
        return self._held_by(player, "currency")

    async def inventory(self, player: int) -> dict[str, int]:
        return self._held_by(player, "item")

    def _held_by(self, player: int, kind: ResourceKind) -> dict[str, int]:
        self._reach()
        held = self._holdings.get(player, {})
        return {resource: amount for (of_kind, resource), amount in held.items() if of_kind == kind and amount > 0}

    async def ledger(self, player: int, *, limit: int = 50) -> list[LedgerRow]:
        self._reach()
        return self._ledger.get(player, [])[::-1][:limit]

    # -- what operators did

    async def audit(self, *, limit: int = 50, before: int | None = None) -> list[AuditRow]:
        self._reach()
        return [row for row in reversed(self._audit) if before is None or row.number < before][:limit]


def _newest_first(row: GrantRow) -> tuple[int, str]:
    return -row.created_at, row.id
