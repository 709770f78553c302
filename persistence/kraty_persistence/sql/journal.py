"""Units into rows and back.

A group of units is first judged in memory, which gives a plan for each actor. The plans are written with
few statements, for each one lends the interpreter to the event loop and waits to get it back. After the
commit they are adopted as the new heads; a group that fails is forgotten with its plans, and nothing needs
undoing.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa

from kraty_persistence.errors import JournalConflict, StoreTaken
from kraty_persistence.ports import StoredActor, Unit
from kraty_persistence.rows import AuditEntry, Completion, Effect, LeagueMove, NewGrant
from kraty_persistence.sql.sqlite import insert_once, upsert
from kraty_persistence.sql.tables import actors, audit, checkpoints, completions, grants, history, journal, leagues

__all__ = ["GroupPlan", "Heads", "move_to_history", "read_history"]

T = TypeVar("T")

ROWS_A_STATEMENT = 64
"""Journal rows in one INSERT. Each count up to this is two statements in the driver's cache, which holds 256."""

VALUES_A_LIST = 500
"""Values in one IN list."""

_INSERTS: dict[type[Effect], sa.Insert] = {
    NewGrant: insert_once(grants),
    Completion: insert_once(completions),
    LeagueMove: upsert(leagues, lambda new: {"league": new.league}),
    AuditEntry: sa.insert(audit),
}

_HEAD = sa.select(actors.c.id, actors.c.no, actors.c.covered)

_PUT_ACTOR = upsert(
    actors,
    lambda new: {"covered": new.covered, "finished": actors.c.finished | new.finished},
)


@dataclass(slots=True)
class Head:
    """What is stored of an actor. `places` are those of its records `covered` + 1, `covered` + 2, ..."""

    no: int
    covered: int
    places: array[int] = field(default_factory=lambda: array("q"))


class Heads:
    """Where each actor's journal ends: all actors with records in the log, and those that wrote since the opening.

    Attributes:
        covered: Places of records that are history, and still lie in the log.
    """

    def __init__(self, connection: sa.Connection) -> None:
        """Read the places of all records; the records themselves stay on disk."""
        self._heads: dict[str, Head] = {}
        self.covered: deque[int] = deque()
        columns = _HEAD.add_columns(journal.c.place, journal.c.number)
        query = columns.join_from(actors, journal, actors.c.no == journal.c.actor_no)
        for name, no, covered, place, number in connection.execute(query.order_by(journal.c.place)):
            if number <= covered:
                self.covered.append(place)
            else:
                self._heads.setdefault(name, Head(no, covered)).places.append(place)
        self.last_no = connection.execute(sa.select(sa.func.max(actors.c.no))).scalar() or 0
        self.last_place = connection.execute(sa.select(sa.func.max(journal.c.place))).scalar() or 0

    def get(self, name: str) -> Head | None:
        """The head of an actor that is remembered."""
        return self._heads.get(name)

    def unknown(self, names: AbstractSet[str]) -> AbstractSet[str]:
        """Those of the actors that are not remembered."""
        return names - self._heads.keys()

    def look_up(self, connection: sa.Connection, names: AbstractSet[str]) -> dict[str, Head]:
        """The heads of those of the actors that are stored."""
        found = {}
        for some in _chunks(sorted(names), VALUES_A_LIST):
            rows = connection.execute(_HEAD.where(actors.c.id.in_(some)))
            found.update({name: Head(no, covered) for name, no, covered in rows})
        return found

    def adopt(self, name: str, plan: _Plan) -> None:
        """Take over what is now committed. A finished actor without records need not be remembered."""
        head = plan.head
        head.places.extend(plan.places)
        newly_covered = plan.covered - head.covered
        self.covered.extend(head.places[:newly_covered])
        del head.places[:newly_covered]
        head.covered = plan.covered
        if plan.finished and not head.places:
            self._heads.pop(name, None)
        else:
            self._heads[name] = head


@dataclass(slots=True)
class _Plan:
    """What a group does to one actor."""

    head: Head
    is_new: bool
    number: int
    covered: int
    places: list[int] = field(default_factory=list)  # of the records, once they are written
    checkpoint: tuple[bytes, ...] | None = None
    finished: bool = False

    def planned(self) -> Head:
        """How the actor will stand."""
        places = self.head.places + array("q", self.places)
        return Head(self.head.no, self.covered, places[self.covered - self.head.covered :])


class GroupPlan:
    """One transaction's worth of units: `add` each, `write` them, and once committed `adopt`."""

    def __init__(self, heads: Heads, looked_up: dict[str, Head] | None = None) -> None:
        """Begin; `looked_up` are those heads of the actors to come that are stored and not remembered."""
        self._heads = heads
        self._looked_up = looked_up or {}
        self._plans: dict[str, _Plan] = {}
        self._records: list[tuple[_Plan, int, bytes]] = []
        self._only_records = True
        self._effects: dict[type[Effect], list[dict[str, Any]]] = {}

    def add(self, unit: Unit) -> None:
        """Plan a unit.

        Raises:
            JournalConflict: Its number does not follow; the plan is as before.
        """
        plan = self._plans.get(unit.actor) or self._begin(unit.actor)
        number, record = unit.number, unit.record
        if number != plan.number + 1 if record is not None else not plan.covered <= number <= plan.number:
            raise JournalConflict(f"{unit.actor}: unit {number} does not follow {plan.number}")
        if record is not None:
            self._records.append((plan, number, record))
            plan.number = number
        if unit.checkpoint is not None:
            plan.checkpoint, plan.covered = unit.checkpoint, number
        if unit.finished:
            plan.finished = True
        if record is not None or unit.checkpoint is not None or unit.finished:
            self._plans[unit.actor] = plan
        if plan.is_new or unit.checkpoint is not None or unit.finished or unit.effects:
            self._only_records = False
        for effect in unit.effects:
            self._effects.setdefault(type(effect), []).append(_row(effect))

    @property
    def fits_one_statement(self) -> bool:
        """Whether there are but records to write, and not too many of them."""
        return self._only_records and len(self._records) <= ROWS_A_STATEMENT

    def _begin(self, name: str) -> _Plan:
        head = self._heads.get(name) or self._looked_up.get(name)
        if head is not None:
            return _Plan(head, False, head.covered + len(head.places), head.covered)
        self._heads.last_no += 1
        return _Plan(Head(self._heads.last_no, 0), True, 0, 0)

    def write_at_once(self, connection: sa.Connection, epoch: str) -> None:
        """Write and commit by one statement, which holds the fence too.

        This is the hot path. Each call of the driver gives the interpreter away, and a busy event loop may be
        long in giving it back: BEGIN, fence, INSERT and COMMIT took half as long again, under load.

        Raises:
            StoreTaken: Another server owns the database.
        """
        values = self._values()
        if values:
            cursor = connection.connection.cursor()
            cursor.execute(_insert_fenced(len(values) // 4), [*values, epoch])
            if cursor.rowcount == 0:
                raise StoreTaken
            cursor.close()

    def write(self, connection: sa.Connection) -> None:
        """Write all that was planned, within the transaction begun."""
        self._write_actors(connection)
        self._write_records(connection)
        self._write_checkpoints(connection)
        for kind, rows in self._effects.items():
            connection.execute(_INSERTS[kind], rows)

    def read(self, connection: sa.Connection, name: str) -> StoredActor:
        """All that is stored of an actor, what was just written included."""
        plan = self._plans.get(name)
        head = plan.planned() if plan else self._heads.get(name)
        head = head or self._heads.look_up(connection, {name}).get(name)
        return StoredActor() if head is None else _read_actor(connection, head)

    def adopt(self) -> None:
        """The transaction is durable: what was planned is how things stand."""
        for name, plan in self._plans.items():
            self._heads.adopt(name, plan)

    def _write_actors(self, connection: sa.Connection) -> None:
        rows = [
            {"no": plan.head.no, "id": name, "covered": plan.covered, "finished": plan.finished}
            for name, plan in self._plans.items()
            if plan.is_new or plan.checkpoint is not None or plan.finished
        ]
        if rows:
            connection.execute(_PUT_ACTOR, rows)

    def _write_records(self, connection: sa.Connection) -> None:
        cursor = connection.connection.cursor()
        for some in _chunks(self._values(), ROWS_A_STATEMENT * 4):
            cursor.execute(_insert(len(some) // 4), some)
        cursor.close()

    def _values(self) -> list[int | bytes]:
        """The journal's rows, one after the other, each at its place."""
        values: list[int | bytes] = []
        place = self._heads.last_place
        for plan, number, record in self._records:
            place += 1
            plan.places.append(place)
            values += (place, plan.head.no, number, record)
        self._heads.last_place = place
        return values

    def _write_checkpoints(self, connection: sa.Connection) -> None:
        plans = [plan for plan in self._plans.values() if plan.checkpoint is not None]
        if not plans:
            return
        for some_nos in _chunks([plan.head.no for plan in plans], VALUES_A_LIST):
            connection.execute(sa.delete(checkpoints).where(checkpoints.c.actor_no.in_(some_nos)))
        parts = [
            {"actor_no": plan.head.no, "part": part, "data": data}
            for plan in plans
            for part, data in enumerate(plan.checkpoint or ())
        ]
        if parts:
            connection.execute(sa.insert(checkpoints), parts)


def _read_actor(connection: sa.Connection, head: Head) -> StoredActor:
    parts = sa.select(checkpoints.c.data).where(checkpoints.c.actor_no == head.no).order_by(checkpoints.c.part)
    records: list[bytes] = []
    for some in _chunks(head.places, VALUES_A_LIST):
        query = sa.select(journal.c.record).where(journal.c.place.in_(some)).order_by(journal.c.place)
        records += connection.execute(query).scalars()
    return StoredActor(tuple(connection.execute(parts).scalars()), head.covered + len(records), tuple(records))


def move_to_history(connection: sa.Connection, places: Sequence[int]) -> None:
    """Make room in the log, within the transaction begun."""
    here = journal.c.place.in_(places)
    moved = sa.select(journal.c.actor_no, journal.c.number, journal.c.record).where(here)
    connection.execute(sa.insert(history).from_select(["actor_no", "number", "record"], moved))
    connection.execute(sa.delete(journal).where(here))


def read_history(connection: sa.Connection, name: str) -> list[bytes]:
    """All records of an actor. Those still in the log are searched for there, for no index burdens it."""
    no = sa.select(actors.c.no).where(actors.c.id == name).scalar_subquery()
    parts = [sa.select(table.c.number, table.c.record).where(table.c.actor_no == no) for table in (history, journal)]
    everything = sa.union_all(*parts).subquery()
    return list(connection.execute(sa.select(everything.c.record).order_by(everything.c.number)).scalars())


# The hot statements go to the driver as text: SQLAlchemy's own way costs four times as much.


@cache
def _insert(rows: int) -> str:
    values = ", ".join(["(?, ?, ?, ?)"] * rows)
    return f"INSERT INTO journal (place, actor_no, number, record) VALUES {values}"


@cache
def _insert_fenced(rows: int) -> str:
    values = ", ".join(["(?, ?, ?, ?)"] * rows)
    return (
        f"INSERT INTO journal (place, actor_no, number, record) SELECT * FROM (VALUES {values}) "
        "WHERE (SELECT value FROM meta WHERE key = 'epoch') = ?"
    )


def _row(effect: Effect) -> dict[str, Any]:
    return {column.name: getattr(effect, column.name) for column in fields(effect)}


def _chunks(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (values[start : start + size] for start in range(0, len(values), size))
