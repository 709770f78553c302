"""What a placement decides. The floor of the window carries it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from kraty_actors.domain.lobby import Lobby
from kraty_actors.domain.outcome import Plain
from kraty_actors.domain.window_messages import Admit


@dataclass(slots=True, frozen=True)
class NewBoard:
    """A contest to open. `bots` is how many sit there; None is every bound one."""

    number: int
    bots: int | None = None


@dataclass(slots=True)
class Decision:
    """Places given (or with None given up), boards to open, attempts to start, lobbies that are new, and lobbies to
    push to players.

    `lobby` is the one that was asked about. Nothing in it: nothing changed.
    """

    places: dict[int, int | None] = field(default_factory=dict)
    opened: list[NewBoard] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    created: list[Lobby] = field(default_factory=list)
    told: dict[int, tuple[Lobby, set[int]]] = field(default_factory=dict)
    lobby: Lobby | None = None
    is_traced: bool = True

    def tell(self, lobby: Lobby, *others: int) -> None:
        """Push the lobby, as it is in the end, to its players and to `others`, who were in it."""
        _, players = self.told.setdefault(lobby.number, (lobby, set()))
        players.update(lobby.seats, others)


class Placement(Protocol):
    """Decides on which board each player of a window sits, once for the whole window (R-30)."""

    def place(self, newcomer: Admit, now: int) -> Decision:
        """Give a player who has none a place."""

    def league_of(self, contest: int) -> str | None:
        """The league that a contest is a division of."""
        return None

    def dump(self) -> Iterable[Plain]:
        """What the placement knows, in rows."""
        return ()

    def restore(self, rows: Iterable[Plain]) -> None:
        """Take over what `dump` gave."""
        return
