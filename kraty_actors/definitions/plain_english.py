"""pydantic's complaints in words that a game designer understands."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

from kraty_actors.definitions.base import SPELLINGS, Model

_PLAIN = {
    "missing": "required",
    "bool_type": "must be true or false",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
}


def is_hearsay(details: ErrorDetails, node: object) -> bool:
    """Whether it only repeats another fault: a default that needs a faulty field, a list of too few sound items."""
    if details["type"] == "too_short" and isinstance(node, list | dict):
        return len(node) >= int(details["ctx"]["min_length"])
    return details["type"] == "default_factory_not_called"


def plain_message(details: ErrorDetails, node: object) -> str:
    """What is wrong with a node and what would be right."""
    context: dict[str, Any] = details.get("ctx", {})
    match details["type"]:
        case "literal_error":
            return f"must be {context['expected']}"
        case "too_short":
            return f"must have at least {context['min_length']} in it"
        case "too_long":
            return f"must have at most {context['max_length']} in it"
        case "one_of" if isinstance(node, dict):
            is_absent = node.get(context["field"]) is None
            return f"{'required:' if is_absent else 'must be'} {details['msg']}"
        case "one_of":
            return "must be an object"
        case "value_error":  # of a model of the game's own
            return str(context["error"])
        case kind:
            return _PLAIN.get(kind, details["msg"])


def unknown_field(name: str, model: type[Model] | None) -> str:
    """What to write instead of a field that the model does not have."""
    if model is None:
        return "unknown field"
    known = [info.alias or field for field, info in model.model_fields.items()]
    if SPELLINGS.get(name) in known:
        return f"is the same field as {SPELLINGS[name]}; give one of them"
    close = get_close_matches(name, known, n=1)
    return f"unknown field; did you mean {close[0]}?" if close else f"unknown field; known: {listed(known)}"


def listed(names: Sequence[str], most: int = 12) -> str:
    """A few names for a message: `a, b, c`."""
    if not names:
        return "none"
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
