"""What has a name of its own: `key`, `id` and a name for people."""

from typing import Any

from pydantic import Field

from kraty_actors.definitions.base import Model
from kraty_actors.definitions.scalars import Key, Name


def the_key(data: dict[str, Any]) -> str:
    return str(data.get("key", ""))


class Identified(Model):
    """Something that others refer to, by `key` or by `id`."""

    key: Key = Field(examples=["daily_race"])
    """Its name in the game: 1 to 64 letters, digits and _ . : -"""
    id: Key = Field(default_factory=the_key)
    """Another name for references; default the key."""


class Keyed(Identified):
    """Something with a name for people too."""

    name: Name = Field(default_factory=the_key)
    """Text, or {"en": text}; default the key."""
