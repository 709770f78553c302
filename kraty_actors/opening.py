"""What a game is opened with: its definitions, its store, and errors that come out as they were raised."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from kraty_actors.actors.journal_key import JOURNAL_KEY, check_key
from kraty_actors.actors.publishing import GAME_ID, check_owner
from kraty_actors.definitions import load_game_text
from kraty_persistence import MemoryStore, Store, StoreError
from kraty_persistence.sql import open_sql_store

GameSource = str | Path | Mapping[str, Any]


@contextmanager
def unwrapped() -> Iterator[None]:
    """Let an exception out as it was raised, without the groups that the task groups on its way put around it."""
    try:
        yield
    except BaseExceptionGroup as group:
        leaf: BaseException = group
        # A store that is gone is told by whoever notices: the actors, and perhaps the program's own call.
        _, others = group.split(StoreError)
        while isinstance(leaf, BaseExceptionGroup) and (len(leaf.exceptions) == 1 or others is None):
            leaf = leaf.exceptions[0]
        raise leaf from leaf.__cause__


def read_game(source: GameSource) -> dict[str, Any]:
    """A game as plain data, judged.

    Raises:
        DefinitionFaults: It has faults.
        OSError: The file cannot be read.
    """
    if isinstance(source, Mapping):
        return dict(source)
    return load_game_text(Path(source).read_text("utf-8")).game.as_defined()


@asynccontextmanager
async def opened_store(store: str | Store, game: Mapping[str, Any], journal_key: str | None) -> AsyncIterator[Store]:
    """The store, to be served from.

    Raises:
        WrongGame, WrongKey: A database of another game, or with another key: it is left to whoever serves it.
    """

    def judge(meta: Callable[[str], str | None]) -> None:
        if "gameId" in game:
            check_owner(meta(GAME_ID), game["gameId"])
        check_key(meta(JOURNAL_KEY), journal_key)

    if not isinstance(store, str):
        yield store
    elif store == "memory:":
        yield MemoryStore()
    else:
        async with open_sql_store(store, judge=judge) as opened:
            yield opened
