"""A process of its own that writes until it is killed, or until the disk is full and then not any more.

python writing_process.py kill URL BACKEND
python writing_process.py full URL BACKEND
"""

from __future__ import annotations

import os
import resource
import sys
from itertools import count

import anyio

from kraty_persistence import (
    Change,
    Charge,
    Delivery,
    LedgerRow,
    NewGrant,
    Occurred,
    StoreError,
    StoreUnavailable,
    Unit,
)
from kraty_persistence.sql import SqlStore, open_sql_store

ACTORS = [f"actor-{n}" for n in range(8)]


def unit(actor: str, number: int, player: int) -> Unit:
    name = f"{actor} {number}"
    won = (Change("currency", "gems", 2),)
    grant = NewGrant(name, player, "reward", b"", "api", None, None, number, None, deliver=won)
    charge = Charge(player, f"charge:{name}", (Change("currency", "gems", -1),), "entry", name, number)
    checkpoint = (name.encode(),) if number % 10 == 0 else None
    return Unit(actor, number, name.encode(), (grant, charge), checkpoint)


def report(occurred: Occurred) -> list[Delivery]:
    """One delivery for each change of a balance, with the key and the part as its id."""
    if not isinstance(occurred, LedgerRow):
        return []
    return [Delivery(f"{occurred.key} {occurred.part}", "hook", "changed", occurred.at, b"")]


async def write_for_ever(store: SqlStore) -> None:
    """Print each unit and each payment as soon as it is acknowledged; each actor has two units on their way."""
    player = (await store.resolve("ada", lambda: "public-ada")).number

    def go_on(actor: str, number: int) -> None:
        def done(error: StoreError | None) -> None:
            if error is not None:
                raise error
            os.write(1, f"{actor} {number}\n".encode())
            go_on(actor, number + 2)

        store.submit(unit(actor, number, player), done)

    for actor in ACTORS:
        number = (await store.load(actor)).number
        go_on(actor, number + 1)
        go_on(actor, number + 2)
    await pay_for_ever(store, player)


async def pay_for_ever(store: SqlStore, player: int) -> None:
    """Each payment is one of gold and one of swords; those that a killed process made are found by their keys."""
    changes = [Change("currency", "gold", 1), Change("item", "sword", 1)]
    for n in count():
        if (await store.adjust(player, changes, key=f"pay {n}", reason="test", source="test", now=n)).applied:
            os.write(1, f"pay {n}\n".encode())


async def fill(store: SqlStore, limit: int) -> None:
    """Write until the limit on file sizes stops it, give room again, and go on."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    stored, error = 0, None
    while error is None:
        error = await fate(store, Unit("a", stored + 1, os.urandom(20_000)))
        stored += error is None
    if not isinstance(error, StoreUnavailable) or store.failing_since is None:
        raise error
    if (await store.load("a")).number != stored:
        raise RuntimeError("the refused unit is there")
    if store.failing_since is None:
        raise RuntimeError("what could be read is no proof that there is room")
    if not isinstance(await fate(store, Unit("b", 1, b"x" * 20_000)), StoreUnavailable):
        raise RuntimeError("a later one should have failed too")
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    for number in range(stored + 1, stored + 20):
        error = await fate(store, Unit("a", number, b"room again"))
        if error is not None or store.failing_since is not None:
            raise RuntimeError("service should have resumed") from error
        print(number)


async def fate(store: SqlStore, unit: Unit) -> StoreError | None:
    answered, answers = anyio.Event(), []

    def done(error: StoreError | None) -> None:
        answers.append(error)
        answered.set()

    store.submit(unit, done)
    await answered.wait()
    return answers[0]


async def main(what: str, url: str) -> None:
    async with open_sql_store(url, patience_s=0.1) as store:
        store.reporter = report
        if what == "kill":
            await write_for_ever(store)
        else:
            await fill(store, limit=500_000)


if __name__ == "__main__":
    anyio.run(main, sys.argv[1], sys.argv[2], backend=sys.argv[3])
