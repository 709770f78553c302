"""`db`: the revision of a game's database, and how it gets to the newest."""

from __future__ import annotations

import sys

import click

from kraty_actors.cli.database import db_option
from kraty_actors.cli.faults import give_up
from kraty_persistence import StoreError
from kraty_persistence.sql import upgrading
from kraty_persistence.sql.opening import what_to_do
from kraty_persistence.sql.tables import REVISION

NOT_AS_EXPECTED = 1
"""The exit code where a database is not what this version expects."""


@click.group()
def db() -> None:
    """Look after the database of a game, between two versions of this program."""


@db.command()
@db_option
def current(db: str) -> None:
    """Print the revision of the database, and the newest one."""
    try:
        click.echo(f"{upgrading.current(db)} of {REVISION}")
    except StoreError as error:
        give_up(error)


@db.command()
@db_option
def check(db: str) -> None:
    """Exit 0 if this version can serve the database, 1 with the reasons if something has to be done to it first."""
    try:
        revision = upgrading.current(db)
        reasons = upgrading.differences(db) if revision == REVISION else [f"{revision}: {what_to_do(revision)}"]
    except StoreError as error:
        give_up(error)
    for reason in reasons:
        click.echo(reason)
    if reasons:
        sys.exit(NOT_AS_EXPECTED)
    click.echo(f"{revision}: as this version expects it")


@db.command()
@db_option
def upgrade(db: str) -> None:
    """Bring the database to the newest revision. A server that uses it is stopped.

    It is done as a whole or not at all, and there is no way back but a backup made before.
    """
    try:
        had, has = upgrading.upgrade(db)
    except StoreError as error:
        give_up(error)
    click.echo(f"{has}: is the newest already" if had == has else f"{had} -> {has}")
