"""The lobbies that form, by how long they wait and by who is in them, so that a newcomer's is found without a scan."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sortedcontainers import SortedList

from kraty_actors.definitions import MatchBy
from kraty_actors.domain.lobby import Lobby
from kraty_actors.domain.outcome import Plain

TRAIT_MAX = 2**53 - 1


def trait_of(value: Plain) -> float:
    """A player's value of the attribute as a number; 0 for one who has none, or none that is a number."""
    match value:
        case bool():
            return 0.0
        case int():
            return float(max(-TRAIT_MAX, min(TRAIT_MAX, value)))
        case float() if math.isfinite(value):
            return value
    return 0.0


class Forming:
    """Lobbies with a free seat. They are kept in the order of their first seats, which is that of their numbers, and
    by the lowest trait in them: a player is at most the widest reach in force away from that of any who take them."""

    def __init__(self, match_by: MatchBy | None) -> None:
        self._is_matched = match_by is not None
        self._difference = match_by.max_difference if match_by is not None else 0.0
        self._widening = match_by.widen_per_second if match_by is not None else 0.0
        self._waiting: dict[int, Lobby] = {}
        self._ranges: dict[int, tuple[float, float]] = {}
        self._by_lowest: SortedList[tuple[float, float]] = SortedList()

    def __iter__(self) -> Iterator[Lobby]:
        return iter(self._waiting.values())

    @property
    def oldest(self) -> Lobby | None:
        return next(iter(self), None)

    def trait(self, value: Plain) -> float:
        """What a player with this value is matched by; without `matchBy` all are alike."""
        return trait_of(value) if self._is_matched else 0.0

    def find(self, trait: float, now: int, leaving: Lobby | None = None) -> Lobby | None:
        """The lobby within whose range the trait is by now; of several the one that waits longest.

        A player who is `leaving` a lobby has widened their own range there, and none waits longer than that lobby.
        The walk from the longest wait on and the walk through those in reach go side by side, for where one is long
        the other is short: after a while everything is in reach of the oldest.
        """
        oldest = leaving or self.oldest
        if oldest is None:
            return None
        widest = self._reach(oldest, now)
        in_reach = self._by_lowest.irange((trait - widest, 0), (trait + widest, math.inf))
        best: Lobby | None = None
        for lobby, (_, number) in zip(self, in_reach, strict=False):
            near = self._waiting[int(number)]
            if lobby is not leaving and self._takes(lobby, trait, widest if leaving else self._reach(lobby, now)):
                return lobby
            is_older = best is None or near.number < best.number
            if is_older and near is not leaving:
                best = near if self._takes(near, trait, widest if leaving else self._reach(near, now)) else best
        return best

    def _reach(self, lobby: Lobby, now: int) -> float:
        return self._difference + self._widening * (now - lobby.since) / 1000

    def _takes(self, lobby: Lobby, trait: float, reach: float) -> bool:
        lowest, highest = self._ranges[lobby.number]
        return trait - lowest <= reach and highest - trait <= reach

    def sit(self, lobby: Lobby, player: int, trait: float, *, is_here: bool = True) -> None:
        """Give the player a free seat."""
        lobby.seats[player] = is_here
        lobby.traits[player] = trait
        lowest, highest = self._ranges.get(lobby.number, (trait, trait))
        self._index(lobby, min(lowest, trait), max(highest, trait))

    def leave(self, lobby: Lobby, player: int) -> None:
        """Free the player's seat; a lobby without any is gone."""
        del lobby.seats[player], lobby.traits[player]
        if lobby.seats:
            self._index(lobby, min(lobby.traits.values()), max(lobby.traits.values()))
        else:
            self.remove(lobby)

    def remove(self, lobby: Lobby) -> None:
        """The lobby forms no longer."""
        del self._waiting[lobby.number]
        self._by_lowest.remove((self._ranges.pop(lobby.number)[0], lobby.number))
        lobby.traits.clear()

    def add(self, lobby: Lobby) -> None:
        """Take over a lobby with players in it, the newest so far."""
        self._index(lobby, min(lobby.traits.values()), max(lobby.traits.values()))

    def _index(self, lobby: Lobby, lowest: float, highest: float) -> None:
        known = self._ranges.get(lobby.number)
        if known is None:
            self._waiting[lobby.number] = lobby
        if known is None or known[0] != lowest:
            if known is not None:
                self._by_lowest.remove((known[0], lobby.number))
            self._by_lowest.add((lowest, lobby.number))
        self._ranges[lobby.number] = (lowest, highest)
