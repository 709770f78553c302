"""Units into rows and back.

A group of units is first judged in memory, which gives a plan for each actor. The plans are written with
few statements, for each one lends the interpreter to the event loop and waits to get it back. After the
commit they are adopted as the new heads; a group that fails is forgotten with its plans, and nothing needs
undoing.
"""

from __future__ import annotations

import json
from array import array
from collections import deque
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

import sqlalchemy as sa

from kraty_persistence.errors import JournalConflict
from kraty_persistence.ports import Aside, StoredActor, Unit
from kraty_persistence.sql.bulk import Bulk
from kraty_persistence.sql.dialects import Fence
from kraty_persistence.sql.effects import EffectsPlan
from kraty_persistence.sql.statements import among, upsert
from kraty_persistence.sql.tables import actors, checkpoints, history, journal

__all__ = ["GroupPlan", "Heads", "drop_stale", "move_to_history", "read_history"]

ROWS_AT_ONCE = 64
"""Journal rows that are written and committed by one statement; there is one in the driver's cache for each count."""

_HEAD = sa.select(actors.c.id, actors.c.no, actors.c.covered, actors.c.generation)
_HEADS = _HEAD.where(among(actors.c.id, "names"))
_HERE = among(journal.c.place, "places")
_RECORDS = sa.select(journal.c.record).where(_HERE).order_by(journal.c.place)
_COPY_TO_HISTORY = sa.insert(history).from_select(
    history.c.keys(), sa.select(journal.c.actor_no, journal.c.number, journal.c.record).where(_HERE)
)
_DROP_RECORDS = sa.delete(journal).where(_HERE)
_DROP_PARTS = sa.delete(checkpoints).where(among(checkpoints.c.actor_no, "nos"))
_DROP_ASIDE = sa.delete(checkpoints).where(
    checkpoints.c.actor_no == sa.bindparam("no"), checkpoints.c.generation == sa.bindparam("of")
)
_DROP_SOME = _DROP_ASIDE.where(checkpoints.c.part < sa.bindparam("below"))
_STALE = (
    sa.select(checkpoints.c.actor_no, checkpoints.c.generation)
    .join(actors, actors.c.no == checkpoints.c.actor_no)
    .where(checkpoints.c.generation != actors.c.generation)
    .distinct()
)
_PUT_ACTORS = Bulk(
    upsert(
        actors,
        lambda new: {
            "covered": new.covered,
            "finished": actors.c.finished | new.finished,
            "generation": new.generation,
        },
    ),
    actors.c.keys(),
)
_ADD_RECORDS = Bulk(sa.insert(journal), journal.c.keys())
_ADD_PARTS = Bulk(sa.insert(checkpoints), checkpoints.c.keys())


@dataclass(slots=True)
class Head:
    """What is stored of an actor. `places` are those of its records `covered` + 1, `covered` + 2, ...; its checkpoint
    is that of the `generation`: parts that are laid aside are of the next."""

    no: int
    covered: int
    generation: int = 0
    places: array[int] = field(default_factory=lambda: array("q"))


class Heads:
    """Where each actor's journal ends: all actors with records in the log, and those that wrote since the opening.

    Attributes:
        covered: Places of records that are history, and still lie in the log.
        stale: Actors' numbers with generations of checkpoints that count no longer, and still lie there.
    """

    def __init__(self, connection: sa.Connection) -> None:
        """Read the places of all records; the records themselves stay on disk."""
        self._heads: dict[str, Head] = {}
        self.covered: deque[int] = deque()
        columns = _HEAD.add_columns(journal.c.place, journal.c.number)
        query = columns.join_from(actors, journal, actors.c.no == journal.c.actor_no)
        for name, no, covered, generation, place, number in connection.execute(query.order_by(journal.c.place)):
            if number <= covered:
                self.covered.append(place)
            else:
                self._heads.setdefault(name, Head(no, covered, generation)).places.append(place)
        self.stale: deque[tuple[int, int]] = deque(tuple(row) for row in connection.execute(_STALE))
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
        rows = connection.execute(_HEADS, {"names": json.dumps(list(names))})
        return {name: Head(no, covered, generation) for name, no, covered, generation in rows}

    def adopt(self, name: str, plan: _Plan) -> None:
        """Take over what is now committed. A finished actor without records need not be remembered."""
        head = plan.head
        head.places.extend(plan.places)
        newly_covered = plan.covered - head.covered
        self.covered.extend(head.places[:newly_covered])
        del head.places[:newly_covered]
        head.covered = plan.covered
        if head.generation != plan.generation:
            self.stale.append((head.no, head.generation))
            head.generation = plan.generation
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
    generation: int = 0
    places: list[int] = field(default_factory=list)  # of the records, once they are written
    checkpoint: tuple[bytes, ...] | None = None
    follows: int = 0
    finished: bool = False

    def planned(self) -> Head:
        """How the actor will stand."""
        places = self.head.places + array("q", self.places)
        return Head(self.head.no, self.covered, self.generation, places[self.covered - self.head.covered :])


class GroupPlan:
    """One transaction's worth of units: `add` each, `write` them, and once committed `adopt`."""

    def __init__(
        self, heads: Heads, looked_up: dict[str, Head] | None = None, effects: EffectsPlan | None = None
    ) -> None:
        """Begin; `looked_up` are those heads of the actors to come that are stored and not remembered, and `effects`
        takes what units do beside their records."""
        self._heads = heads
        self._looked_up = looked_up or {}
        self._plans: dict[str, _Plan] = {}
        self._records: list[tuple[_Plan, int, bytes]] = []
        self._only_records = True
        self._asides: list[tuple[_Plan, Aside]] = []
        self._effects = effects or EffectsPlan()

    def add(self, unit: Unit) -> None:
        """Plan a unit.

        Raises:
            JournalConflict: Its number does not follow; the plan is as before.
            BalanceOutOfRange: It charges more than a player has; the plan is as before.
        """
        plan = self._plans.get(unit.actor) or self._begin(unit.actor)
        number, record = unit.number, unit.record
        if number != plan.number + 1 if record is not None else not plan.covered <= number <= plan.number:
            raise JournalConflict(f"{unit.actor}: unit {number} does not follow {plan.number}")
        if unit.effects:
            self._effects.add(unit.effects)
        if record is not None:
            self._records.append((plan, number, record))
            plan.number = number
        if unit.checkpoint is not None:
            plan.checkpoint, plan.covered, plan.follows = unit.checkpoint, number, unit.checkpoint_follows
            plan.generation = plan.head.generation + bool(unit.checkpoint_follows)
        if unit.aside is not None:
            self._asides.append((plan, unit.aside))
            self._only_records = False
        if unit.finished:
            plan.finished = True
        if record is not None or unit.checkpoint is not None or unit.finished:
            self._plans[unit.actor] = plan
        if plan.is_new or unit.checkpoint is not None or unit.finished or unit.effects:
            self._only_records = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return self._only_records and not self._records

    @property
    def fits_one_statement(self) -> bool:
        """Whether there are but records to write, and not too many of them."""
        return self._only_records and len(self._records) <= ROWS_AT_ONCE

    def _begin(self, name: str) -> _Plan:
        head = self._heads.get(name) or self._looked_up.get(name)
        if head is not None:
            return _Plan(head, False, head.covered + len(head.places), head.covered, head.generation)
        self._heads.last_no += 1
        return _Plan(Head(self._heads.last_no, 0), True, 0, 0)

    def write_at_once(self, connection: sa.Connection, fence: Fence) -> None:
        """Write and commit by one statement, which holds the fence too: the hot path.

        Raises:
            StoreTaken: Another server owns the database.
        """
        fence.add_records(connection, self._values())

    def write(self, connection: sa.Connection) -> None:
        """Write all that was planned, within the transaction begun."""
        self._write_actors(connection)
        _ADD_RECORDS.write(connection, self._values())
        self._write_checkpoints(connection)
        self._effects.write(connection)

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
        values: list[int | str] = []
        for name, plan in self._plans.items():
            if plan.is_new or plan.checkpoint is not None or plan.finished:
                values += (plan.head.no, name, plan.covered, plan.finished, plan.generation)
        _PUT_ACTORS.write(connection, values)

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
        replaced = [plan.head.no for plan in plans if not plan.follows]
        if replaced:
            connection.execute(_DROP_PARTS, {"nos": json.dumps(replaced)})
        values: list[int | bytes] = []
        for plan, aside in self._asides:
            if not aside.first:
                connection.execute(_DROP_ASIDE, {"no": plan.head.no, "of": plan.head.generation + 1})
            values += _rows(plan.head.no, plan.head.generation + 1, aside.first, aside.parts)
        for plan in plans:
            values += _rows(plan.head.no, plan.generation, plan.follows, plan.checkpoint or ())
        _ADD_PARTS.write(connection, values)


def _rows(no: int, generation: int, first: int, parts: Sequence[bytes]) -> list[int | bytes]:
    """Parts of a checkpoint as rows, one after the other."""
    values: list[int | bytes] = []
    for part, data in enumerate(parts, first):
        values += (no, generation, part, data)
    return values


def drop_stale(connection: sa.Connection, no: int, generation: int, below: int) -> bool:
    """Remove the first parts of a checkpoint that counts no longer, within the transaction begun; whether there were
    any."""
    return connection.execute(_DROP_SOME, {"no": no, "of": generation, "below": below}).rowcount > 0


def _read_actor(connection: sa.Connection, head: Head) -> StoredActor:
    of_actor = (checkpoints.c.actor_no == head.no) & (checkpoints.c.generation == head.generation)
    parts = sa.select(checkpoints.c.data).where(of_actor).order_by(checkpoints.c.part)
    records = tuple(connection.execute(_RECORDS, {"places": json.dumps(head.places.tolist())}).scalars())
    return StoredActor(tuple(connection.execute(parts).scalars()), head.covered + len(records), records)


def move_to_history(connection: sa.Connection, places: Sequence[int]) -> None:
    """Make room in the log, within the transaction begun."""
    given = {"places": json.dumps(places)}
    connection.execute(_COPY_TO_HISTORY, given)
    connection.execute(_DROP_RECORDS, given)


def read_history(connection: sa.Connection, name: str) -> list[bytes]:
    """All records of an actor. Those still in the log are searched for there, for no index burdens it."""
    no = sa.select(actors.c.no).where(actors.c.id == name).scalar_subquery()
    parts = [sa.select(table.c.number, table.c.record).where(table.c.actor_no == no) for table in (history, journal)]
    everything = sa.union_all(*parts).subquery()
    return list(connection.execute(sa.select(everything.c.record).order_by(everything.c.number)).scalars())
