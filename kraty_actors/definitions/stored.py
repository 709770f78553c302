"""Definitions as they stand in a database: they were judged when they were put, so one that cannot be read any more
needs something that this program lacks."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from kraty_actors.definitions.base import Model
from kraty_actors.definitions.faults import show_path

M = TypeVar("M", bound=Model)


class UnreadableDefinition(Exception):
    """A stored definition needs a block or a validator that is not registered, or a newer program. The message says
    which, and what to do."""


def stored(model: type[M], plain: Any) -> M:
    """A stored definition.

    Raises:
        UnreadableDefinition: It cannot be read any more.
    """
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        path = show_path(tuple(step for step in first["loc"] if not str(step).startswith("<")))
        key = plain.get("key") or plain.get("gameId") if isinstance(plain, dict) else None
        message = f"{key}: {path}: {first['msg']}"
        raise UnreadableDefinition(
            f"the database holds a definition that cannot be read ({message}): register what it uses, as by "
            "--with MODULE, or use the version that wrote it"
        ) from None
