"""What grants hold, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text


def contents(entries: Sequence[Mapping[str, Any]]) -> str:
    """The entries of a grant, on one line."""
    return ", ".join(map(_content, entries)) or "nothing"


def amount(value: str) -> Text:
    """Text that a terminal shows as it is: what comes out of a database must not paint it."""
    return Text(value)


def _content(entry: Mapping[str, Any]) -> str:
    match entry["type"]:
        case "currency":
            return f"{entry['amount']} {entry['currencyKey']}"
        case "crate":
            return f"{entry['quantity']} {entry['crateItemKey']} (crate)"
        case _:
            parameters = f" {json.dumps(entry['parameters'])}" if entry["parameters"] else ""
            return f"{entry['quantity']} {entry['itemKey']}{parameters}"
