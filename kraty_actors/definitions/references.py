"""Names and what they lead to: every reference takes a `key` or an `id`, and is settled to the key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args

from pydantic.fields import FieldInfo

from kraty_actors.definitions.base import Model, Ref
from kraty_actors.definitions.events import Metric
from kraty_actors.definitions.findings import Place
from kraty_actors.definitions.game import GameFile
from kraty_actors.definitions.identity import Identified
from kraty_actors.definitions.plain_english import listed

_ONE = {
    "bots": "bot",
    "bundles": "bundle",
    "currencies": "currency",
    "events": "event",
    "identityPools": "identity pool",
    "items": "item",
    "leaderboards": "shared board",
    "metrics": "metric",
}


@dataclass(frozen=True, slots=True)
class Names:
    """The definitions of one kind.

    Args:
        keys: every key and id, with the key that it means.
        is_open: one of them could not be read, so that a name which is not here may yet be right.
    """

    keys: Mapping[str, str]
    is_open: bool = False


Scope = Mapping[str, Names]
"""The names of each kind that a reference may use."""


def names_of_game(game: GameFile, place: Place | None = None) -> dict[str, Names]:
    """The names that a game defines; with a place, names that are given twice are faults there."""
    lists: dict[str, tuple[Sequence[Identified], Place | None]] = {
        kind: (getattr(game, kind), place and place / kind)
        for kind in ("currencies", "items", "bundles", "bots", "leaderboards", "events", "webhooks")
    }
    lists["identityPools"] = (game.settings.identity_pools, place and place / "settings" / "identityPools")
    return {kind: register(definitions, at) for kind, (definitions, at) in lists.items()}


def register(definitions: Sequence[Identified | Metric], place: Place | None) -> Names:
    """The names of a list of definitions; each may be used once."""
    owners: dict[str, int] = {}
    for i, definition in enumerate(definitions):
        for name_field in ("key", "id"):
            name = getattr(definition, name_field)
            if owners.setdefault(name, i) != i and place and definition.has(name_field):
                first = place / owners[name]
                (place / i / name_field).fault(f"'{name}' is taken by another", [first / "key", first / "id"])
    return Names(
        {name: definitions[i].key for name, i in owners.items()},
        place is not None and place.findings.document.is_open(place.path),
    )


def check_references(model: Model, place: Place, scope: Scope) -> None:
    """Every reference in a definition leads somewhere; those by `id` are noted to be settled to the `key`."""
    for ref, at, name in _references(model, place):
        names = scope[ref.kind]
        if name not in names.keys:
            _report_missing(ref, at, name, names)
        elif names.keys[name] != name:
            place.findings.settled[at.path] = names.keys[name]


def _report_missing(ref: Ref, at: Place, name: str, names: Names) -> None:
    if names.is_open:
        return
    message = f"no {_ONE[ref.kind]} '{name}'; known: {listed(sorted(set(names.keys.values())))}"
    (at.warn if ref.optional else at.fault)(message)


def _references(model: Model, place: Place) -> Iterator[tuple[Ref, Place, str]]:
    for name, (alias, ref) in _fields(type(model)).items():
        value = getattr(model, name)
        if ref or isinstance(value, Model | tuple):
            yield from _references_in(value, place / alias, ref)


def _references_in(value: Any, place: Place, ref: Ref | None) -> Iterator[tuple[Ref, Place, str]]:
    match value:
        case Model():
            yield from _references(value, place)
        case tuple():
            for i, item in enumerate(value):
                yield from _references_in(item, place / i, ref)
        case str() if ref:
            yield ref, place, value


@cache
def _fields(model: type[Model]) -> dict[str, tuple[str, Ref | None]]:
    return {name: (info.alias or name, _ref_of(info)) for name, info in model.model_fields.items()}


def _ref_of(info: FieldInfo) -> Ref | None:
    inner = [part for argument in get_args(info.annotation) for part in getattr(argument, "__metadata__", ())]
    return next((part for part in (*info.metadata, *inner) if isinstance(part, Ref)), None)
