"""What stands after a game file or an operator put something: definitions compared one by one.

A file counts only where it says something new: each definition is compared with what the file said when it was last
loaded, not with what stands now, so operators' changes survive a restart.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from kraty_actors.definitions import Fault
from kraty_actors.domain.outcome import Plain

LISTS = ("currencies", "items", "bundles", "bots", "leaderboards", "webhooks", "events")
SETTINGS = "settings"


@dataclass(slots=True, frozen=True)
class Merge:
    """The whole game as it would stand, what of it was put, and what the file said."""

    game: dict[str, Plain]
    changed: list[list[str]]
    file: dict[str, Plain]
    warnings: list[Fault]


def merge(standing: Mapping[str, Plain] | None, put: Mapping[str, Plain], last_file: Mapping[str, Plain]) -> Merge:
    """`put` over `standing` where it differs, but for what `last_file` (name -> digest) said already. Pass an empty
    one to put all."""
    game = dict(standing or {"gameId": put["gameId"]})
    said = {name: _digest(definition) for name, definition in _definitions(put).items()}
    stands = _definitions(game)
    changed = []
    for name, definition in _definitions(put).items():
        if last_file.get(name) == said[name] or stands.get(name) == definition:
            continue
        kind, _, key = name.partition(":")
        changed.append([kind, key])
        if kind == SETTINGS:
            game[SETTINGS] = definition
        else:
            game[kind] = _replaced(game.get(kind, ()), key, definition)
    gone = [name for name in last_file if name not in said]
    warnings = [Fault(_path(name), "left the file; it stays as it is") for name in gone]
    return Merge(game, changed, said, warnings)


def _definitions(game: Mapping[str, Plain]) -> dict[str, Plain]:
    named = {f"{kind}:{entry['key']}": entry for kind in LISTS for entry in game.get(kind, ())}
    return {f"{SETTINGS}:{SETTINGS}": game[SETTINGS], **named} if SETTINGS in game else named


def _path(name: str) -> str:
    kind, _, key = name.partition(":")
    return kind if kind == SETTINGS else f"{kind}.{key}"


def _replaced(entries: Plain, key: str, definition: Plain) -> list[Plain]:
    kept = [definition if entry["key"] == key else entry for entry in entries]
    return kept if definition in kept else [*kept, definition]


def _digest(definition: Plain) -> str:
    return hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:16]
