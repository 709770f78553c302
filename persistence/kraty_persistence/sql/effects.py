"""The effects of a group of units: judged as they come, and written with few statements."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeAlias

import sqlalchemy as sa

from kraty_persistence.money_plan import MoneyPlan
from kraty_persistence.money_rows import MoneyEffect, touches_money
from kraty_persistence.outbox_rows import Delivery, Reporter
from kraty_persistence.rows import AnomalyRow, AttemptRow, AuditEntry, Ban, Completion, Effect, LeagueMove
from kraty_persistence.sql.books import KnownBooks, add_deliveries, write_plan
from kraty_persistence.sql.bulk import Bulk
from kraty_persistence.sql.statements import among, insert_once, upsert
from kraty_persistence.sql.tables import anomalies, attempts, audit, completions, leagues, players

__all__ = ["EffectsPlan"]

_Plain: TypeAlias = Completion | AuditEntry | AttemptRow | AnomalyRow


def _rows(kind: type[_Plain], statement: sa.Insert) -> Bulk:
    return Bulk(statement, [column.name for column in fields(kind)])


_PUT: dict[type[_Plain], Bulk] = {
    Completion: _rows(Completion, insert_once(completions)),
    AuditEntry: _rows(AuditEntry, sa.insert(audit)),
    AttemptRow: _rows(AttemptRow, insert_once(attempts)),
    AnomalyRow: _rows(AnomalyRow, insert_once(anomalies)),
}
_VALUES = {kind: attrgetter(*bulk.columns) for kind, bulk in _PUT.items()}
_PUT_MOVES = Bulk(upsert(leagues, lambda new: {"league": new.league}), leagues.c.keys())
_SET_BANNED = sa.update(players).where(among(players.c.number, "numbers")).values(banned=sa.bindparam("banned"))


class EffectsPlan:
    """What a group of units does beside its records."""

    def __init__(self, books: KnownBooks | None = None, reporter: Reporter | None = None) -> None:
        self._money = MoneyPlan(books or KnownBooks(), reporter)
        self._values: defaultdict[type[_Plain], list[Any]] = defaultdict(list)
        self._moves: dict[tuple[int, str], LeagueMove] = {}
        self._bans: dict[int, bool] = {}
        self._deliveries: list[Delivery] = []

    def add(self, effects: Sequence[Effect]) -> None:
        """Plan the effects of a unit.

        Raises:
            BalanceOutOfRange: It charges more than the player has; the plan is as before.
        """
        money = [effect for effect in effects if touches_money(effect)]
        if money:
            self._money.add(money)
            if len(money) == len(effects):
                return
        for effect in effects:
            if isinstance(effect, Ban):
                self._bans[effect.player] = effect.banned
            elif isinstance(effect, Delivery):
                self._deliveries.append(effect)
            elif isinstance(effect, LeagueMove):
                self._moves[effect.player, effect.event_key] = effect
            elif not isinstance(effect, MoneyEffect):
                kind = type(effect)
                self._values[kind] += _VALUES[kind](effect)

    def write(self, connection: sa.Connection) -> None:
        """Write all of it, within the transaction begun."""
        for kind, values in self._values.items():
            _PUT[kind].write(connection, values)
        moves = [getattr(move, column) for move in self._moves.values() for column in _PUT_MOVES.columns]
        _PUT_MOVES.write(connection, moves)
        write_plan(connection, self._money)
        add_deliveries(connection, self._deliveries)
        for banned in (False, True):
            numbers = [number for number, is_so in self._bans.items() if is_so == banned]
            if numbers:
                done = connection.execute(_SET_BANNED, {"numbers": json.dumps(numbers), "banned": banned})
                if done.rowcount != len(numbers):
                    raise LookupError("no such player")
