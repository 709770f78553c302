"""The store in memory: the same contract, no disk and no threads, so that it runs under a virtual clock.

It outlives the server that writes to it, as a database would: hand it to a second one to play a restart.
`hold`, `release` and `lose` put that restart in the middle of a commit; `outage` plays a database away.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace

from kraty_persistence.errors import (
    GrantExpired,
    JournalConflict,
    StoreError,
    UnitRefused,
)
from kraty_persistence.money import credit_wallet
from kraty_persistence.ports import (
    AuditEntry,
    AuditRow,
    Completion,
    Credit,
    Done,
    GrantRow,
    GrantStatus,
    LedgerRow,
    NewGrant,
    PlayerRow,
    Store,
    StoredActor,
    StoreStatistics,
    Unit,
)

__all__ = ["MemoryStore"]


@dataclass(slots=True)
class _Actor:
    checkpoint: tuple[bytes, ...] = ()
    covered: int = 0
    records: list[bytes] = field(default_factory=list)
    finished: bool = False

    @property
    def head(self) -> int:
        return len(self.records)


class MemoryStore(Store):
    """A store whose units are as durable as the object itself."""

    def __init__(self) -> None:
        self._actors: dict[str, _Actor] = {}
        self._meta: dict[str, str] = {}
        self._players: list[PlayerRow] = []
        self._completions: set[tuple[int, str, str]] = set()
        self._grants: dict[str, GrantRow] = {}
        self._balances: dict[int, dict[str, int]] = {}
        self._ledger: list[LedgerRow] = []
        self._audit: list[AuditRow] = []
        self._waiting: deque[tuple[Unit, Done]] = deque()
        self._held = False
        self._busy = False
        self._outage: StoreError | None = None
        self._failing_since: float | None = None

    # -- switches for tests

    def hold(self) -> None:
        """Let units wait, as if the commit took long."""
        self._held = True

    def release(self) -> None:
        """Commit what waits, and everything from now on."""
        self._held = False
        self._commit()

    def lose(self) -> None:
        """Forget what waits, as a killed process does; nobody is told."""
        self._held = False
        self._waiting.clear()

    @property
    def outage(self) -> StoreError | None:
        """While set, every unit and every call is refused with it."""
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

    # -- journal

    def submit(self, unit: Unit, done: Done) -> None:
        self._waiting.append((unit, done))
        self._commit()

    def _commit(self) -> None:
        if self._busy:  # called from within a `done`: the loop below goes on, the stack stays flat
            return
        self._busy = True
        try:
            while self._waiting and not self._held:
                unit, done = self._waiting.popleft()
                done(self._fate(unit))
        finally:
            self._busy = False

    def _fate(self, unit: Unit) -> StoreError | None:
        try:
            self._reach()
            actor = self._actors.get(unit.actor) or _Actor()
            self._check(unit, actor)
        except StoreError as error:
            return error
        self._write(unit, actor)
        return None

    def _check(self, unit: Unit, actor: _Actor) -> None:
        head = actor.head
        fits = actor.covered <= unit.number <= head if unit.record is None else unit.number == head + 1
        if not fits:
            raise JournalConflict(f"{unit.actor}: unit {unit.number} does not follow {head}")
        for effect in unit.effects:
            if isinstance(effect, NewGrant | Completion) and not 1 <= effect.player <= len(self._players):
                raise UnitRefused(f"{unit.actor}: no player {effect.player}")

    def _write(self, unit: Unit, actor: _Actor) -> None:
        if unit.record is not None:
            actor.records.append(unit.record)
        if unit.checkpoint is not None:
            actor.checkpoint, actor.covered = unit.checkpoint, unit.number
        actor.finished = actor.finished or unit.finished
        if unit.record is not None or unit.checkpoint is not None or unit.finished:
            self._actors[unit.actor] = actor
        for effect in unit.effects:
            self._take(effect)

    def _take(self, effect: NewGrant | Completion | AuditEntry) -> None:
        match effect:
            case NewGrant():
                self._grants.setdefault(effect.id, GrantRow(**asdict(effect)))
            case Completion():
                self._completions.add((effect.player, effect.event_key, effect.window_id))
            case AuditEntry():
                self._audit.append(AuditRow(**asdict(effect), number=len(self._audit) + 1))

    async def load(self, actor: str) -> StoredActor:
        self._reach()
        stored = self._actors.get(actor) or _Actor()
        return StoredActor(stored.checkpoint, stored.head, tuple(stored.records[stored.covered :]))

    async def history(self, actor: str) -> Sequence[bytes]:
        self._reach()
        stored = self._actors.get(actor) or _Actor()
        return tuple(stored.records)

    async def unfinished(self) -> list[str]:
        self._reach()
        return [name for name, actor in self._actors.items() if not actor.finished]

    async def statistics(self) -> StoreStatistics:
        self._reach()
        return StoreStatistics(
            actors=len(self._actors),
            unfinished=sum(not actor.finished for actor in self._actors.values()),
            records=sum(actor.head - actor.covered for actor in self._actors.values()),
            players=len(self._players),
            grants=len(self._grants),
        )

    async def ping(self) -> None:
        self._reach()

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
            if any(row.participant_id == other.participant_id for other in self._players):
                raise UnitRefused(f"participant id {row.participant_id} is taken")
            self._players.append(row)
        return row

    async def set_profile(
        self, number: int, *, name: str | None = None, avatar: str | None = None, country: str | None = None
    ) -> None:
        self._reach()
        for row in await self.players([number]):
            self._players[number - 1] = replace(
                row,
                name=row.name if name is None else name,
                avatar=row.avatar if avatar is None else avatar,
                country=row.country if country is None else country,
            )

    async def players(self, numbers: Sequence[int]) -> list[PlayerRow]:
        self._reach()
        return [self._players[number - 1] for number in numbers if 1 <= number <= len(self._players)]

    async def find_player(self, player_id: str) -> PlayerRow | None:
        self._reach()
        return next((row for row in self._players if row.player_id == player_id), None)

    async def find_participant(self, participant_id: str) -> PlayerRow | None:
        self._reach()
        return next((row for row in self._players if row.participant_id == participant_id), None)

    async def completed(self, player: int, event_key: str, window_id: str | None = None) -> bool:
        self._reach()
        if window_id is not None:
            return (player, event_key, window_id) in self._completions
        return any((who, key) == (player, event_key) for who, key, _ in self._completions)

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
        rows = [row for row in self._grants.values() if row.player == player]
        rows.sort(key=_newest_first)
        if after is not None:
            last = await self.grant(after, player)
            if last is None:
                return []
            rows = [row for row in rows if _newest_first(row) > _newest_first(last)]
        return [row for row in rows if status in (None, row.status(now))][:limit]

    async def claim(self, grant_id: str, player: int, now: int, amounts: Sequence[Credit]) -> GrantRow | None:
        row = await self.grant(grant_id, player)
        if row is None or row.claimed_at is not None:
            return row
        if row.status(now) == "expired":
            raise GrantExpired(f"grant {grant_id} has expired")
        wallet = dict(self._balances.get(player, {}))
        self._ledger += credit_wallet(wallet, row, amounts, now)
        self._balances[player] = wallet
        self._grants[grant_id] = replace(row, claimed_at=now)
        return self._grants[grant_id]

    async def balances(self, player: int) -> dict[str, int]:
        self._reach()
        return dict(self._balances.get(player, {}))

    async def ledger(self, player: int, *, limit: int = 50) -> list[LedgerRow]:
        self._reach()
        return [row for row in reversed(self._ledger) if row.player == player][:limit]

    async def audit(self, *, limit: int = 50, before: int | None = None) -> list[AuditRow]:
        self._reach()
        return [row for row in reversed(self._audit) if before is None or row.number < before][:limit]


def _newest_first(row: GrantRow) -> tuple[int, str]:
    return -row.created_at, row.id
