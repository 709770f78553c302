"""What a user did wrong, told in lines and an exit code: never a traceback."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import click

from kraty_actors.actors.journal_key import read_key
from kraty_actors.definitions import DefinitionFaults, GameFile, load_game_text
from kraty_actors.gateway.auth import read_secrets

WRONG_INPUT = 2
"""The exit code for a fault in what a command was given."""


def give_up(*reasons: object) -> NoReturn:
    """Say why, one reason a line, and exit 2."""
    for reason in reasons:
        click.echo(f"error: {reason}", err=True)
    sys.exit(WRONG_INPUT)


def read_text(path: Path) -> str:
    """A file's text, or exit 2."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        give_up(f"{path}: {error.strerror}")
    except UnicodeDecodeError:
        give_up(f"{path}: is not UTF-8 text")


def write_text(path: Path, text: str, *, option: str = "") -> None:
    """Write a file that an option asked for, or exit 2."""
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        give_up(f"{option}{path}: {error.strerror}")


def load_game(path: Path) -> GameFile:
    """The game in a file, or exit 2 with all that is wrong in it."""
    try:
        return load_game_text(read_text(path)).game
    except DefinitionFaults as faults:
        give_up(*(f"{path}: {fault}" for fault in faults.faults))


def import_modules(names: Iterable[str]) -> None:
    """Import the modules in which a game registers what is its own, or exit 2."""
    sys.path.insert(0, str(Path.cwd()))
    for name in names:
        try:
            importlib.import_module(name)
        except ImportError as error:
            give_up(f"--with {name}: {error}")


def secrets_of(path: Path) -> tuple[str, ...]:
    """The secrets in a file, or exit 2."""
    try:
        return read_secrets(read_text(path))
    except ValueError as error:
        give_up(f"{path}: {error}")


key_option = click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="The key of the journal's digests, if it is not in the database.",
)


def key_of(key_file: Path | None) -> str | None:
    """The key in a file, or exit 2."""
    if key_file is None:
        return None
    try:
        return read_key(read_text(key_file))
    except ValueError as error:
        give_up(f"{key_file}: {error}")
