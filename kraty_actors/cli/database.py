"""Commands that open a game's database themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import click

from kraty_actors.actors.chain import AlteredJournal
from kraty_actors.actors.clock import SystemClock
from kraty_actors.actors.copies import Copies
from kraty_actors.actors.corrections import Corrections
from kraty_actors.actors.dossiers import Dossiers
from kraty_actors.actors.effects import GrantTerms
from kraty_actors.actors.journal_key import WrongKey
from kraty_actors.actors.players import Players
from kraty_actors.actors.purses import Purses
from kraty_actors.actors.records import UnknownFormat
from kraty_actors.cli.faults import give_up
from kraty_actors.opening import unwrapped
from kraty_actors.webhooks.service import Webhooks
from kraty_persistence import Store, StoreError
from kraty_persistence.sql import open_sql_store

db_option = click.option(
    "--db", default="sqlite:///kraty.db", show_default=True, metavar="URL", help="The game's database."
)
backend_option = click.option("--backend", type=click.Choice(["trio", "asyncio"]), default="trio", show_default=True)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """A database that is away, or none of ours, is no reason for a traceback: exit 2."""
    try:
        with unwrapped():
            yield
    except (StoreError, UnknownFormat, AlteredJournal, WrongKey) as error:
        give_up(error)


@asynccontextmanager
async def reading(db: str) -> AsyncIterator[Store]:
    """The database, only to be read: a server may be running on it."""
    async with open_sql_store(db, owner=False) as store:
        yield store


@asynccontextmanager
async def owning(db: str) -> AsyncIterator[Store]:
    """The database, to be changed: whoever served it from before is stopped. Those who listen outside hear of the
    changes as soon as it is served again."""
    async with reading(db):
        pass  # only if it is one of ours: nothing is made anew
    async with open_sql_store(db) as store:
        outside = await Webhooks(store, allow_private=False).recall()
        if outside is not None:
            store.reporter = outside[1]
        yield store


async def corrections_of(store: Store) -> Corrections:
    """What is done to windows that are over, without a server."""
    copies, catalogue = await Copies.of_database(store)
    dossiers = Dossiers(store)
    return Corrections(
        store,
        copies,
        Players(store),
        Purses(dossiers),
        now_ms=SystemClock().now_ms,
        terms=lambda: GrantTerms.of(catalogue.game),
        forget=dossiers.forget,
    )
