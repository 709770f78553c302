"""From raw JSON to a game, or to all of its faults at once (R-3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from kraty_actors.definitions.base import Model
from kraty_actors.definitions.boards import SharedBoard
from kraty_actors.definitions.checks.boards import check_shared_board
from kraty_actors.definitions.checks.game import check_event, check_game, surroundings
from kraty_actors.definitions.checks.rewards import check_entries
from kraty_actors.definitions.document import Document, RawObject, replaced
from kraty_actors.definitions.events import EventDefinition
from kraty_actors.definitions.faults import DefinitionFaults, Fault
from kraty_actors.definitions.findings import Findings, Place
from kraty_actors.definitions.game import GameFile
from kraty_actors.definitions.reading import read
from kraty_actors.definitions.references import check_references
from kraty_actors.definitions.rewards import Bundle, Entry

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A game that loaded, and what its author should look at."""

    game: GameFile
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class LoadedEvent:
    """An event that loaded, and what its author should look at."""

    event: EventDefinition
    warnings: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class LoadedBoard:
    """A shared board that loaded, and what its author should look at."""

    board: SharedBoard
    warnings: tuple[Fault, ...]


def load_game(data: object) -> Loaded:
    """A whole game file (R-1..R-3).

    Args:
        data: the JSON of the file, as Python reads it.

    Raises:
        DefinitionFaults: with every fault, in the order of the file.
    """

    return Loaded(*_load(GameFile, data, check_game))


def load_game_text(text: str) -> Loaded:
    """A whole game file, from its text.

    Raises:
        DefinitionFaults: with every fault; text that is no JSON is one fault, at its line and column.
    """
    return load_game(parse_json(text))


def load_event(data: object, game: GameFile) -> LoadedEvent:
    """One event of a game, with paths that start at the event.

    Args:
        data: the event's JSON.
        game: what it may refer to.

    Raises:
        DefinitionFaults: with every fault, in the order of the event.
    """

    def check(event: EventDefinition, place: Place) -> None:
        known = GameFile.model_copy(game, update={"events": (*game.events, event)})
        check_event(event, place, surroundings(known))

    return LoadedEvent(*_load(EventDefinition, data, check))


def load_entries(data: object, game: GameFile) -> tuple[Entry, ...]:
    """Entries that a server gives, judged as those of a bundle, with paths that start at `entries`.

    Args:
        data: a list of entries, as JSON.
        game: what they may refer to.

    Raises:
        DefinitionFaults: with every fault, in the order of the list.
    """

    def check(bundle: Bundle, place: Place) -> None:
        around = surroundings(game)
        check_entries(bundle.entries, place / "entries", around.no_crates, around.scope)
        check_references(bundle, place, around.scope)

    return _load(Bundle, {"key": "given", "entries": data}, check)[0].entries


def load_shared_board(data: object) -> LoadedBoard:
    """One shared board, with paths that start at the board.

    Raises:
        DefinitionFaults: with every fault, in the order of the board.
    """
    return LoadedBoard(*_load(SharedBoard, data, check_shared_board))


def parse_json(text: str) -> object:
    """Strict JSON, in which a key that is given twice is remembered for a fault at its path.

    Raises:
        DefinitionFaults: one fault, whose path is the line and column where there is one.
    """
    try:
        return json.loads(text, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise DefinitionFaults([Fault(where, f"no JSON: {error.msg}")]) from None
    except RecursionError:
        raise DefinitionFaults([Fault("", "no JSON that can be read: nested too deep")]) from None
    except ValueError:
        raise DefinitionFaults([Fault("", "no JSON that can be read: a number of too many digits")]) from None


def _object(pairs: list[tuple[str, Any]]) -> RawObject:
    made = RawObject(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        made.twice = tuple(dict.fromkeys(key for i, key in enumerate(keys) if key in keys[:i]))
    return made


def _load(model: type[M], data: object, check: Callable[[M, Place], None]) -> tuple[M, tuple[Fault, ...]]:
    document = Document(data)
    definition, shape_faults = read(model, document)
    findings = Findings(document, shape_faults)
    if definition is not None:
        check(definition, findings.root)
    if findings.faults or definition is None:
        raise DefinitionFaults(findings.in_order(findings.faults))
    if findings.settled:
        definition = model.model_validate(replaced(document.sound_part(), findings.settled))
    return definition, findings.in_order(findings.warnings)
