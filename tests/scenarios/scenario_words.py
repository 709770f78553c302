"""The small language of a scenario's cells: fields that are sent, and what is expected of an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kraty_protocol.errors import STATUS
from kraty_protocol.shapes import parse_iso

Map = dict[str, Any]
ABSENT = object()
REFUSED = re.compile(r"([a-z_]+)(?: (\d{3}))?")
CONDITION = re.compile(r"([\w.:-]+?) ?(->|!=|==|=|>|<) ?(.*)")
ROWS = re.compile(r"(board|players|bots): (.*)")
INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T[\d:.]+Z")
KEYS = ("eventKey", "key", "itemKey", "windowId", "id")
"""What an element of a list may be called by."""


class Unmet(AssertionError):
    """An answer is not what was expected."""


@dataclass
class Names:
    """What the steps so far have given a name: `@attempt.ann`, `@board.ann`, and whatever was kept with `->`."""

    known: Map = field(default_factory=dict)
    players: dict[str, str] = field(default_factory=dict)

    def value(self, text: str) -> Any:
        """What a piece of text stands for: a name, JSON, or itself."""
        if text.startswith("@"):
            return self._named(text)
        try:
            return self._filled(json.loads(text))
        except ValueError:
            return text

    def _named(self, text: str) -> Any:
        if text[1:] not in self.known:
            raise Unmet(f"nothing is called {text}; known: {', '.join(sorted(self.known))}")
        return self.known[text[1:]]

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return self._named(value) if isinstance(value, str) and value.startswith("@") else value


def fields_of(text: str, names: Names) -> Map:
    """`metrics.wins=1 mode=set` as the map that is sent.

    Raises:
        ValueError: It is not made of fields.
    """
    fields: Map = {}
    while text := text.strip():
        path, is_field, rest = text.partition("=")
        if not is_field or " " in path:
            raise ValueError(f"not a field: {text}")
        value, text = _first_value(rest, names)
        _put(fields, path.split("."), value)
    return fields


def _first_value(text: str, names: Names) -> tuple[Any, str]:
    if text[:1] in ("{", "[", '"'):
        _, end = json.JSONDecoder().raw_decode(text)
    else:
        end = len(text.split(" ", 1)[0])
    return names.value(text[:end]), text[end:]


def _put(fields: Map, path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        fields = fields.setdefault(name, {})
    fields[path[-1]] = value


@dataclass(frozen=True)
class Answer:
    """What came: the body of a reply, a push or a watched board, or the code and the details of a refusal."""

    body: Map
    refused: str | None = None


def check(answer: Answer, expects: str, names: Names) -> None:
    """Hold an answer against a cell of expectations.

    Raises:
        Unmet: It is something else.
    """
    pieces = [piece.strip() for piece in expects.split(";") if piece.strip()]
    refusal = next((found for piece in pieces[:1] if (found := _refusal(piece))), None)
    if refusal != answer.refused:
        raise Unmet(f"expected {refusal or 'no refusal'}, got {answer.refused or 'none'}: {answer.body}")
    for piece in pieces[1 if refusal else 0 :]:
        _check_piece(answer.body, piece, names)


def _refusal(piece: str) -> str | None:
    found = REFUSED.fullmatch(piece)
    if found is None or found[1] not in STATUS:
        return None
    if found[2] and int(found[2]) != STATUS[found[1]]:
        raise ValueError(f"{found[1]} has the status {STATUS[found[1]]}")
    return found[1]


def _check_piece(body: Map, piece: str, names: Names) -> None:
    if rows := ROWS.fullmatch(piece):
        _check_rows(body, rows[1], rows[2], names)
        return
    condition = CONDITION.fullmatch(piece)
    if condition is None:
        raise ValueError(f"not an expectation: {piece}")
    path, relation, text = condition.groups()
    found = _at(body, path)
    if relation == "->":
        if found is ABSENT:
            raise Unmet(f"there is no {path} to keep as {text} in {body}")
        names.known[text.removeprefix("@")] = found
        return
    wanted = ABSENT if text == "absent" else names.value(text)
    if not RELATIONS[relation](found, wanted):
        raise Unmet(f"expected {piece}, got {'nothing' if found is ABSENT else json.dumps(found)}")


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = _step_into(value, name)
    return value


def _step_into(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name, ABSENT)
    if isinstance(value, list):
        if name == "count":
            return len(value)
        if name.isdigit():
            return value[int(name)] if int(name) < len(value) else ABSENT
        return next((item for item in value if name in (item.get(key) for key in KEYS)), ABSENT)
    return ABSENT


def _is(found: Any, wanted: Any) -> bool:
    """Equal, where a map needs to have no more than is wanted of it; an instant may be written shorter."""
    if isinstance(wanted, dict) and wanted and isinstance(found, dict):
        return all(_is(found.get(key, ABSENT), item) for key, item in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(found) == len(wanted) and all(map(_is, found, wanted))
    if isinstance(found, str) and isinstance(wanted, str) and INSTANT.fullmatch(found) and INSTANT.fullmatch(wanted):
        return parse_iso(found) == parse_iso(wanted)
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


RELATIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": _is,
    "==": lambda found, wanted: bool(found == wanted),
    "!=": lambda found, wanted: not _is(found, wanted),
    ">": lambda found, wanted: found is not ABSENT and found > wanted,
    "<": lambda found, wanted: found is not ABSENT and found < wanted,
}


def _check_rows(body: Map, which: str, text: str, names: Names) -> None:
    """`ann 3, Rex 1`: these rows, and no others of their kind, in the order of their ranks."""
    wanted = [] if text == "nobody" else [(name, json.loads(score)) for name, score in _named_scores(text)]
    kinds = {"board": ("player", "bot"), "players": ("player",), "bots": ("bot",)}[which]
    rows = [row for row in body["entries"] if row["kind"] in kinds]
    found = [(names.players.get(row["participantId"]) or row["name"] or "?", row["score"]) for row in rows]
    if found != wanted:
        raise Unmet(f"expected {piece_of(wanted)}, got {piece_of(found)}")
    ranks = [row["rank"] for row in body["entries"]]
    if ranks != sorted(set(ranks)):
        raise Unmet(f"ranks are not in order: {ranks}")


def _named_scores(text: str) -> list[tuple[str, str]]:
    return [(name, score) for name, _, score in (row.strip().rpartition(" ") for row in text.split(","))]


def piece_of(rows: Sequence[tuple[str, Any]]) -> str:
    """Rows as a scenario writes them."""
    return ", ".join(f"{name} {score}" for name, score in rows) or "nobody"
