"""What the calls of servers and operators stand on: a session with a server, or a game in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Asking(Protocol):
    """Somebody who answers requests."""

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Ask, with the fields that are not None; raises `Refused` if the answer is no."""

    async def call(self, op: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The same with every field, None too."""
