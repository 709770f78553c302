"""One lobby (R-31): who has a seat, who of them is there, and what its players see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from kraty_actors.domain.outcome import Plain

FillStrategy = Literal["start_short", "fill_with_bots", "wait_full"]
LobbyStatus = Literal["forming", "active", "closed"]


@dataclass(slots=True)
class Lobby:
    """A lobby of a window, from its first seat at `since` on.

    `seats` maps each seated player to whether they are there, `traits` to what they are matched by, while it forms.
    `key` and `metadata` are those of a matchmaker's lobby.
    """

    number: int
    capacity: int
    bots: int
    since: int
    fill_by: int | None = None
    started_at: int | None = None
    key: str | None = None
    metadata: Mapping[str, Plain] = field(default_factory=dict)
    seats: dict[int, bool] = field(default_factory=dict)
    traits: dict[int, float] = field(default_factory=dict)

    @property
    def status(self) -> LobbyStatus:
        """A lobby that everyone left before it started is closed."""
        return "active" if self.started_at is not None else "forming" if self.seats else "closed"

    @property
    def is_forming(self) -> bool:
        return self.status == "forming"

    @property
    def empty_seats(self) -> int:
        return self.capacity - self.bots - len(self.seats)

    def take_presence(self, player: int, *, is_here: bool) -> bool:
        """The seated player came or went; whether that is news."""
        was_here, self.seats[player] = self.seats[player], is_here
        return was_here != is_here

    def dump(self) -> list[Plain]:
        seats = [[player, here, self.traits.get(player)] for player, here in self.seats.items()]
        return [
            self.number,
            self.capacity,
            self.bots,
            self.since,
            self.fill_by,
            self.started_at,
            self.key,
            dict(self.metadata),
            seats,
        ]

    @classmethod
    def restored(cls, plain: list[Plain]) -> Lobby:
        *fields, seats = plain
        lobby = cls(*fields)
        for player, is_here, trait in seats:
            lobby.seats[player] = is_here
            if trait is not None:
                lobby.traits[player] = trait
        return lobby


@dataclass(slots=True, frozen=True)
class LobbyView:
    """A lobby as its players see it. `bot_slots` are the bots that have a seat."""

    lobby_id: str
    event_key: str
    window_id: str
    status: LobbyStatus
    capacity: int
    participant_count: int
    bot_slots: int
    fill_by: int | None
    started_at: int | None
    ends_at: int | None
    players: frozenset[int]
    key: str | None = None
    metadata: Mapping[str, Plain] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Unmatched:
    """The player waits for the game's own matchmaker, which has pushed no lobby for them yet (R-31)."""

    event_key: str
    window_id: str
