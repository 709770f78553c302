"""What operators look up, most of it in the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kraty_actors.actors.money import Money
from kraty_actors.actors.records import pack, unpack
from kraty_actors.actors.world import World
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.contest_messages import GetAttempt
from kraty_actors.domain.ids import split_attempt
from kraty_actors.domain.outcome import Refusal
from kraty_persistence import AnomalyRow, AuditEntry, AuditRow, DeliveryRow, GrantRow, PlayerRow

LOOKED_UP = 50
"""How many attempts, grants and anomalies of a player a lookup shows."""

Row = TypeVar("Row")

PLAYER_SUBJECT = "player:"
"""Before the number of the player whom an audit row is about."""

CORRECTION, LEFT_OUT = "windows.correct", "without"
"""The action whose rows name players by number, and where they do."""


@dataclass(slots=True, frozen=True)
class Lookup:
    """What there is about one player, of each list the newest; holdings by key."""

    attempts: Sequence[AttemptView]
    grants: Sequence[GrantRow]
    balances: Sequence[tuple[str, int]]
    inventory: Sequence[tuple[str, int]]
    anomalies: Sequence[AnomalyRow]


@dataclass(slots=True, frozen=True)
class Trace:
    """A row of the audit trail, and the players whom it names, by number; whoever is not there any more is left out."""

    row: AuditRow
    players: Mapping[int, PlayerRow]


class Inquiries:
    """Pages come newest first, each with where the next one begins, or None behind the last."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._money = Money(world)

    async def lookup(self, player: PlayerRow) -> Lookup:
        """One player, for support."""
        number, store = player.number, self._world.store
        grants, _ = await self._money.grants(number, limit=LOOKED_UP)
        return Lookup(
            await self._attempts(number),
            grants,
            await self._money.balances(number),
            await self._money.inventory(number),
            await store.anomalies(player=number, limit=LOOKED_UP),
        )

    async def _attempts(self, player: int) -> list[AttemptView]:
        found = []
        for row in await self._world.store.attempts(player, limit=LOOKED_UP):
            where = split_attempt(row.attempt_id)
            view = None if where is None else await self._world.loop.call(where[0], GetAttempt(player, where[1]))
            if isinstance(view, AttemptView):
                found.append(view)
        return found

    async def anomalies(
        self, *, player_id: str | None, event_key: str | None, limit: int, after: str | None
    ) -> tuple[list[tuple[AnomalyRow, PlayerRow]], str | None] | Refusal:
        """A page of what validators found: of a player, of an event, of both, or of all (R-51)."""
        player = None if player_id is None else await self._world.players.find(player_id)
        if player_id is not None and player is None:
            return Refusal("not_found", f"no player '{player_id}'")
        event = None if event_key is None else self._world.event(event_key)
        if isinstance(event, Refusal):
            return event
        number = None if player is None else player.number
        found = await self._world.store.anomalies(player=number, event_key=event_key, limit=limit + 1, after=after)
        page, last = _page(found, limit)
        known = await self._players(row.player for row in page)
        return [(row, known[row.player]) for row in page], None if last is None else last.id

    async def dead(self, *, limit: int, after: str | None) -> tuple[list[DeliveryRow], str | None]:
        """A page of the deliveries that were given up (R-53)."""
        page, last = _page(await self._world.store.dead(limit + 1, after), limit)
        return page, None if last is None else last.id

    async def replay(self, ids: Sequence[str] | None, *, who: str) -> int:
        """Let what was given up be tried again, all of it or what is named; how many there were."""
        now = self._world.now_ms()
        asked = "all" if ids is None else list(ids)
        audited = AuditEntry(now, who, "webhooks.replay", "webhooks", None, pack(asked))
        return await self._world.store.replay(ids, now, audited=audited)

    async def audit(self, *, limit: int, after: str | None) -> tuple[list[Trace], str | None]:
        """A page of the audit trail."""
        before = _number(after)
        if after is not None and before is None:
            return [], None
        page, last = _page(await self._world.store.audit(limit=limit + 1, before=before), limit)
        known = await self._players(number for row in page for number in _players_in(row))
        traces = [Trace(row, {number: known[number] for number in _players_in(row) if number in known}) for row in page]
        return traces, None if last is None else str(last.number)

    async def _players(self, numbers: Iterable[int]) -> dict[int, PlayerRow]:
        wanted = set(numbers)
        players = self._world.players
        await players.fetch(players.missing(wanted))
        missing = set(players.missing(wanted))
        return {number: players.row(number) for number in wanted - missing}


def player_of(row: AuditRow) -> int | None:
    """The number of the player whom an audit row is about. An event may have a key that looks like one."""
    is_about_one = row.action.startswith(("players.", "grants.")) and row.subject.startswith(PLAYER_SUBJECT)
    return _number(row.subject.removeprefix(PLAYER_SUBJECT)) if is_about_one else None


def _players_in(row: AuditRow) -> list[int]:
    number = player_of(row)
    if number is not None:
        return [number]
    if row.action == CORRECTION and row.after is not None:
        return list(unpack(row.after)[LEFT_OUT])
    return []


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() and len(text) < 19 else None


def _page(found: Sequence[Row], limit: int) -> tuple[list[Row], Row | None]:
    """A page of one row more than was asked for, and its last row if there are more."""
    page = list(found[:limit])
    return page, page[-1] if len(found) > limit else None
