"""From raw JSON to a model, with every fault of its shape on the way.

pydantic finds the faults; here they are told in plain English, at the path that the author wrote, and then left
out so that whatever is sound can be judged too. A required field that is out is stood in for by its example.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kraty_actors.definitions.base import Model, Reading
from kraty_actors.definitions.document import Document, child
from kraty_actors.definitions.faults import Path
from kraty_actors.definitions.plain_english import is_hearsay, plain_message, unknown_field

M = TypeVar("M", bound=Model)

MAX_READINGS = 8
"""Each reading but the first sees less; two or three settle any document that is not made to annoy."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A fault of shape: what to say, where, and what to leave out of the next reading."""

    path: Path
    message: str
    left_out: Path


def read(model: type[M], document: Document) -> tuple[M | None, list[tuple[Path, str]]]:
    """The sound part of a document as a model, if one can be made of it, and all faults of its shape."""
    faults = list(document.outline_faults())
    for _ in range(MAX_READINGS):
        reading = Reading(recovering=not document.is_sound)
        sound = document.sound_part()
        try:
            return model.model_validate(sound, context=reading), faults
        except ValidationError as error:
            found = [f for d in error.errors(include_url=False) if (f := _told(document, sound, reading, d))]
        # A list may be too short only for what was left out of it: that is no fault of its author's.
        faults += [(fault.path, fault.message) for fault in found if not document.is_around_a_gap(fault.left_out)]
        if not _leave_out(document, found):
            break
    return None, faults


def _leave_out(document: Document, found: list[_Found]) -> bool:
    """Whether there is more to be read now."""
    new = [fault.left_out for fault in found if not document.is_left_out(fault.left_out)]
    for path in new:
        document.leave_out(path)
    return bool(new) and () not in new


def _told(document: Document, sound: Any, reading: Reading, details: ErrorDetails) -> _Found | None:
    path, parent, node = _located(document, sound, details["loc"])
    if details["type"] == "extra_forbidden":
        return _Found(path, unknown_field(str(path[-1]), reading.models.get(id(parent))), path)
    if is_hearsay(details, node):
        return None
    message = plain_message(details, node)
    if details["type"] == "one_of" and isinstance(node, dict):
        return _Found((*path, details["ctx"]["field"]), message, path)
    return _Found(path, message, path)


def _located(document: Document, sound: Any, location: tuple[str | int, ...]) -> tuple[Path, Any, Any]:
    """pydantic's location as the author's path, with the nodes of the sound part before and at its end."""
    path: Path = ()
    parent, node = None, sound
    for step in location:
        if isinstance(step, str) and _is_tag(step, node):
            continue
        written = document.as_written(path, step)
        parent, node = node, child(node, step if isinstance(step, int) else written)
        path = (*path, written)
    return path, parent, node


def _is_tag(step: str, node: Any) -> bool:
    """Unions leave `<tag>` in a location, and objects with free keys `[key]`; neither is a step."""
    return step[:1] + step[-1:] in ("<>", "[]") and child(node, step) is None
