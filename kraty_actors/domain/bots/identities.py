"""Who sits on a bot's seat (R-35): names, avatars and countries, drawn by seat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class BotIdentity:
    """A bot as others see it."""

    name: str
    avatar: str | None
    country: str | None


@dataclass(slots=True, frozen=True)
class Persona:
    """What the seats of one binding draw from. Seats with one `source` share its names."""

    source: str
    names: Sequence[str] = ()
    avatars: Sequence[str] = ()
    countries: Sequence[str] = ()


def identities(personas: Sequence[Persona], draws: Sequence[int]) -> list[BotIdentity]:
    """One for each seat: names differ for as long as there are any left, then come round again.

    A seat's identity does not depend on how many sit behind it.
    """
    left: dict[str, list[str]] = {}
    taken: set[str] = set()
    drawn = []
    for seat, (persona, draw) in enumerate(zip(personas, draws, strict=True)):
        name = _name(persona, draw, left, taken) if persona.names else f"Bot {seat + 1}"
        taken.add(name)
        drawn.append(BotIdentity(name, _pick(persona.avatars, draw), _pick(persona.countries, draw)))
    return drawn


def _name(persona: Persona, draw: int, left: dict[str, list[str]], taken: set[str]) -> str:
    if not left.get(persona.source):
        left[persona.source] = [name for name in persona.names if name not in taken] or list(persona.names)
    names = left[persona.source]
    return names.pop(draw % len(names))


def _pick(choices: Sequence[str], draw: int) -> str | None:
    return choices[draw % len(choices)] if choices else None
