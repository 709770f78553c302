"""Lobbies while they form (R-31): who has a seat, who is still there, and when waiting ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.outcome import Plain

FillStrategy = Literal["start_short", "fill_with_bots", "wait_full"]


@dataclass(slots=True)
class Lobby:
    """One lobby of a window, from its first seat on. `seats` maps each seated player to whether they are there."""

    number: int
    human_seats: int
    fill_by: int | None
    seats: dict[int, bool] = field(default_factory=dict)
    started_at: int | None = None
    extra_bots: int = 0

    @property
    def is_forming(self) -> bool:
        return self.started_at is None

    @property
    def is_full(self) -> bool:
        return len(self.seats) >= self.human_seats

    def dump(self) -> list[Plain]:
        seats = [[player, here] for player, here in self.seats.items()]
        return [self.number, self.human_seats, self.fill_by, seats, self.started_at, self.extra_bots]

    @classmethod
    def restored(cls, plain: list[Plain]) -> Lobby:
        number, human_seats, fill_by, seats, started_at, extra_bots = plain
        return cls(number, human_seats, fill_by, dict(map(tuple, seats)), started_at, extra_bots)


@dataclass(slots=True, frozen=True)
class LobbyView:
    """A lobby as its players see it."""

    lobby_id: str
    event_key: str
    window_id: str
    status: Literal["forming", "active", "closed"]
    capacity: int
    participant_count: int
    bot_slots: int
    fill_by: int | None
    started_at: int | None
    ends_at: int | None
    players: frozenset[int]


class Matchmaking:
    """Places players into lobbies, in order of arrival (R-31, automatic)."""

    def __init__(self, event: EventDefinition, fill_timeout_seconds: int, fill_strategy: FillStrategy) -> None:
        self._human_seats = event.human_seats or 1
        self._timeout_ms = fill_timeout_seconds * 1000
        self._strategy = fill_strategy
        self._has_bots = bool(event.bot_bindings)
        self.lobbies: dict[int, Lobby] = {}
        self._forming: Lobby | None = None

    def seat(self, player: int, now: int) -> Lobby:
        """The lobby in which the player now has a seat; perhaps full by it."""
        lobby = self._forming
        if lobby is None:
            fill_by = None if self._strategy == "wait_full" else now + self._timeout_ms
            lobby = Lobby(len(self.lobbies) + 1, self._human_seats, fill_by)
            self.lobbies[lobby.number] = lobby
            self._forming = lobby
        lobby.seats[player] = True
        return lobby

    def start(self, lobby: Lobby, now: int) -> None:
        """The lobby begins with who is there; further bots sit on its empty human seats if it is to be filled."""
        lobby.started_at = now
        if self._strategy == "fill_with_bots" and self._has_bots:
            lobby.extra_bots = lobby.human_seats - len(lobby.seats)
        if lobby is self._forming:
            self._forming = None

    @property
    def forming(self) -> Lobby | None:
        return self._forming

    @property
    def wake_at(self) -> int | None:
        """When the lobby that forms stops waiting."""
        return self._forming.fill_by if self._forming is not None else None

    def dump(self) -> list[Plain]:
        return [lobby.dump() for lobby in self.lobbies.values()]

    def restore(self, plain: list[Plain]) -> None:
        self.lobbies = {lobby.number: lobby for lobby in map(Lobby.restored, plain)}
        self._forming = next((lobby for lobby in self.lobbies.values() if lobby.is_forming), None)
