"""What is asked of a server, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

Deed: TypeAlias = Literal["write", "read", "list", "ping"]
"""`write`: `events.progress`; `read`: the board around the player; `list`: `events.list`; `ping`: nothing at all."""

DEEDS: tuple[Deed, ...] = get_args(Deed)

PLAYERS_MAX = 20_000
RATE_MAX = 100_000.0
SECONDS_MAX = 86_400.0


class Unreadable(ValueError):
    """A mix or a metric that says nothing; the message says what would."""


@dataclass(slots=True, frozen=True)
class Load:
    """A load.

    Attributes:
        event: Key of the event that is played.
        players: Each with a connection and an attempt of its own.
        watchers: Further connections, each watching the top of the board of one of the players.
        rate: Requests a second of all players together; each begins when it is due, whatever became of those before.
        seconds: For how long that is measured.
        warm_up: Seconds for which the same goes on before.
        mix: The share of each deed; they need not add up to anything.
        metrics: What each write adds; nothing stands for 1 of the first metric.
        prefix: With what the names of players begin.
    """

    event: str
    players: int = 64
    watchers: int = 0
    rate: float = 1_000.0
    seconds: float = 10.0
    warm_up: float = 2.0
    mix: Mapping[Deed, float] = field(default_factory=lambda: {"write": 1.0})
    metrics: Mapping[str, float] = field(default_factory=dict)
    prefix: str = "bench-"


def read_mix(text: str) -> dict[Deed, float]:
    """A mix as people write it: `write=90,read=9,list=1`.

    Raises:
        Unreadable: It is none.
    """
    found: dict[Deed, float] = {}
    for part in text.split(","):
        name, share = _named(part, f"write it as DEED=SHARE, with DEED one of {', '.join(DEEDS)}")
        if name not in DEEDS:
            raise Unreadable(f"no '{name}'; known: {', '.join(DEEDS)}")
        found[name] = share
    if not sum(found.values()):
        raise Unreadable("one share at least has to be above 0")
    return found


def read_metric(text: str) -> tuple[str, float]:
    """What a write adds to one metric: `points=5`.

    Raises:
        Unreadable: It is none.
    """
    return _named(text, "write it as METRIC=AMOUNT, with an amount of at least 0")


def _named(text: str, rule: str) -> tuple[str, float]:
    name, equals, value = text.strip().partition("=")
    try:
        amount = float(value)
    except ValueError:
        amount = -1.0
    if not name or not equals or not 0 <= amount < float("inf"):
        raise Unreadable(f"'{text}': {rule}")
    return name, amount
