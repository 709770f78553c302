"""What plans of money stand on, read with few statements, and how they are written, with few statements again."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

import sqlalchemy as sa

from kraty_persistence.money import Purse, refund_key
from kraty_persistence.money_plan import MoneyPlan
from kraty_persistence.money_rows import (
    Change,
    Charge,
    GrantRow,
    LedgerRow,
    MoneyEffect,
    NewGrant,
    Refund,
    ResourceKind,
)
from kraty_persistence.outbox_rows import Delivery
from kraty_persistence.sql.bulk import Bulk
from kraty_persistence.sql.given import as_pairs, given_pairs
from kraty_persistence.sql.outbox import note_posted
from kraty_persistence.sql.statements import among, insert_once, upsert
from kraty_persistence.sql.tables import balances, grants, inventory, ledger, outbox

__all__ = ["HOLDINGS", "KnownBooks", "Wanted", "add_deliveries", "read_books", "write_plan"]

HOLDINGS: dict[ResourceKind, sa.Table] = {"currency": balances, "item": inventory}
"""Where each kind of resource is kept."""

_PAIRS = given_pairs("pairs")
_LEDGER_COLUMNS = [ledger.c.player, ledger.c.key, ledger.c.part, ledger.c.kind, ledger.c.resource, ledger.c.delta]
_ENTERED = sa.select(*_LEDGER_COLUMNS).join_from(
    _PAIRS, ledger, (ledger.c.player == _PAIRS.c.number) & (ledger.c.key == _PAIRS.c.text)
)
_HELD = {
    kind: sa.select(table.c.player, table.c.resource, table.c.amount).join_from(
        _PAIRS, table, (table.c.player == _PAIRS.c.number) & (table.c.resource == _PAIRS.c.text)
    )
    for kind, table in HOLDINGS.items()
}
_GRANTS_THERE = sa.select(grants.c.id).where(among(grants.c.id, "ids"))

_PUT_AMOUNTS = {
    kind: Bulk(upsert(table, lambda new: {"amount": new.amount}), ["player", "resource", "amount"])
    for kind, table in HOLDINGS.items()
}
_ADD_GRANTS = Bulk(insert_once(grants), grants.c.keys())
_ADD_LEDGER = Bulk(sa.insert(ledger), [column.name for column in fields(LedgerRow)])
_ADD_DELIVERIES = Bulk(insert_once(outbox), outbox.c.keys())
_SET_CLAIMED = sa.update(grants).where(grants.c.id == sa.bindparam("grant_id"))
_SOME_GRANTS = sa.update(grants).where(among(grants.c.id, "ids"))
_SET_WITHDRAWN = _SOME_GRANTS.values(withdrawn_at=sa.bindparam("at"))
_SET_LAPSED = _SOME_GRANTS.values(lapse_reported=True)

_new_grant = attrgetter(*[column.name for column in fields(GrantRow) if column.name != "withdrawn_at"])
_ledger_row = attrgetter(*_ADD_LEDGER.columns)


@dataclass(slots=True)
class Wanted:
    """What a plan will ask of the books: keys of the ledger, balances, and ids of grants."""

    keys: set[tuple[int, str]] = field(default_factory=set)
    purses: set[Purse] = field(default_factory=set)
    grants: set[str] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        return not (self.keys or self.purses or self.grants)

    def add(self, effects: Iterable[MoneyEffect], *, reported: bool = True) -> None:
        """Whatever these effects need. Of a grant that is neither delivered at once nor `reported` nobody needs to know
        whether it is there already: writing it twice changes nothing."""
        for effect in effects:
            match effect:
                case NewGrant(deliver=None) if not reported:
                    pass
                case NewGrant():
                    self.grants.add(effect.id)
                    self.add_changes(effect.player, effect.deliver or ())
                case Charge():
                    self.keys.add((effect.player, effect.key))
                    self.add_changes(effect.player, effect.changes)
                case Refund():
                    self.keys |= {(effect.player, effect.key), (effect.player, refund_key(effect.key))}

    def add_changes(self, player: int, changes: Iterable[Change]) -> None:
        """The balances that these change."""
        self.purses.update((player, change.kind, change.key) for change in changes)


@dataclass(frozen=True, slots=True)
class KnownBooks:
    """How things stand, of what was wanted."""

    balances: dict[Purse, int] = field(default_factory=dict)
    changes: dict[tuple[int, str], list[Change]] = field(default_factory=dict)
    grants: frozenset[str] = frozenset()

    def balance(self, purse: Purse) -> int:
        return self.balances.get(purse, 0)

    def entered(self, player: int, key: str) -> Sequence[Change]:
        return self.changes.get((player, key), ())

    def has_grant(self, grant_id: str) -> bool:
        return grant_id in self.grants


def read_books(connection: sa.Connection, wanted: Wanted) -> KnownBooks:
    """How things stand, with the balances of all that stands under the wanted keys too."""
    changes = _entered(connection, wanted.keys)
    purses = set(wanted.purses)
    for (player, _), entered in changes.items():
        purses.update((player, change.kind, change.key) for change in entered)
    return KnownBooks(_held(connection, purses), changes, _there(connection, wanted.grants))


def _entered(connection: sa.Connection, keys: set[tuple[int, str]]) -> dict[tuple[int, str], list[Change]]:
    if not keys:
        return {}
    changes: defaultdict[tuple[int, str], list[Change]] = defaultdict(list)
    rows = connection.execute(_ENTERED, {"pairs": as_pairs(keys)}).all()
    for player, key, _, kind, resource, delta in sorted(rows, key=lambda row: row.part):
        changes[player, key].append(Change(kind, resource, delta))
    return dict(changes)


def _held(connection: sa.Connection, purses: set[Purse]) -> dict[Purse, int]:
    held: dict[Purse, int] = {}
    for kind, query in _HELD.items():
        pairs = [(player, resource) for player, of_kind, resource in purses if of_kind == kind]
        if pairs:
            rows = connection.execute(query, {"pairs": as_pairs(pairs)})
            held.update({(player, kind, resource): amount for player, resource, amount in rows})
    return held


def _there(connection: sa.Connection, ids: set[str]) -> frozenset[str]:
    if not ids:
        return frozenset()
    return frozenset(connection.execute(_GRANTS_THERE, {"ids": json.dumps(list(ids))}).scalars())


def write_plan(connection: sa.Connection, plan: MoneyPlan) -> None:
    """Let the plan be how things stand, within the transaction begun."""
    for kind, put in _PUT_AMOUNTS.items():
        amounts: list[int | str] = []
        for (player, of_kind, resource), amount in plan.balances.items():
            if of_kind == kind:
                amounts += (player, resource, amount)
        put.write(connection, amounts)
    _ADD_GRANTS.write(connection, [value for new in plan.created.values() for value in (*_new_grant(new), None, False)])
    _ADD_LEDGER.write(connection, [value for row in plan.ledger for value in _ledger_row(row)])
    add_deliveries(connection, plan.deliveries)
    if plan.claimed:
        connection.execute(_SET_CLAIMED, [{"grant_id": row.id, "claimed_at": row.claimed_at} for row in plan.claimed])
    if plan.withdrawn:
        connection.execute(_SET_WITHDRAWN, {"ids": json.dumps(plan.withdrawn), "at": plan.withdrawn_at})
    if plan.lapsed:
        connection.execute(_SET_LAPSED, {"ids": json.dumps(plan.lapsed)})


def add_deliveries(connection: sa.Connection, deliveries: Sequence[Delivery]) -> None:
    """Put deliveries into the outbox, due at once; those that are there stay as they are."""
    values: list[Any] = []
    for new in deliveries:
        values += (new.id, new.endpoint, new.name, new.at, new.body, 0, new.at, "")
    if values:
        _ADD_DELIVERIES.write(connection, values)
        note_posted(connection, (new.endpoint for new in deliveries))
