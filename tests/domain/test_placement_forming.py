"""Finding a lobby by an index against finding it by a scan (R-31)."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kraty_actors.definitions import MatchBy
from kraty_actors.domain.lobby import Lobby
from kraty_actors.domain.placement.forming import Forming

SEATS = 4


@dataclass
class Scan:
    """Every lobby in the order of their first seats, as [number, since, traits by player]."""

    difference: float
    widening: float
    lobbies: list[tuple[int, int, dict[int, float]]] = field(default_factory=list)

    def find(self, trait: float, now: int, leaving: int | None = None) -> int | None:
        for number, since, there in self.lobbies:
            waits_since = since if leaving is None else next(s for n, s, _ in self.lobbies if n == leaving)
            reach = self.difference + self.widening * (now - waits_since) / 1000
            if number != leaving and all(abs(trait - other) <= reach for other in there.values()):
                return number
        return None


def number_of(lobby: Lobby | None) -> int | None:
    return lobby.number if lobby is not None else None


@settings(max_examples=60, deadline=None)
@given(
    chance=st.randoms(use_true_random=False),
    spread=st.sampled_from([10, 100]),
    difference=st.sampled_from([0, 2, 5]),
    widening=st.sampled_from([0, 0.5, 3]),
    is_matched=st.sampled_from([True, True, False]),
)
def test_r31_the_index_finds_what_a_scan_finds(
    chance: Random, spread: int, difference: float, widening: float, is_matched: bool
):
    match_by = MatchBy.model_validate({"attribute": "s", "maxDifference": difference, "widenPerSecond": widening})
    forming = Forming(match_by if is_matched else None)
    scan = Scan(difference, widening) if is_matched else Scan(float("inf"), 0)
    lobbies: dict[int, Lobby] = {}
    now = numbers = 0
    for player in range(150):
        now += chance.randrange(2000)
        trait = forming.trait(chance.randint(-spread, spread))
        step = chance.choice(["seat", "seat", "seat", "seat", "leave", "move", "start"])
        if step == "seat":
            found = forming.find(trait, now)
            assert number_of(found) == scan.find(trait, now)
            if found is None:
                numbers += 1
                found = lobbies[numbers] = Lobby(numbers, SEATS, 0, now)
                scan.lobbies.append((numbers, now, {}))
            forming.sit(found, player, trait)
            seated = next(there for number, _, there in scan.lobbies if number == found.number)
            seated[player] = trait
            if len(seated) == SEATS:
                forming.remove(found)
                scan.lobbies = [one for one in scan.lobbies if one[0] != found.number]
        elif scan.lobbies and step == "move":
            number, _, there = scan.lobbies[0]
            (*_, own) = there.values()
            assert number_of(forming.find(own, now, leaving=lobbies[number])) == scan.find(own, now, leaving=number)
        elif scan.lobbies and step == "leave":
            number, _, there = scan.lobbies[player % len(scan.lobbies)]
            leaver = next(iter(there))
            del there[leaver]
            forming.leave(lobbies[number], leaver)
            scan.lobbies = [one for one in scan.lobbies if one[2]]
        elif scan.lobbies:
            number = scan.lobbies.pop(len(scan.lobbies) // 2)[0]
            forming.remove(lobbies[number])
        assert [lobby.number for lobby in forming] == [number for number, _, _ in scan.lobbies]


def test_r31_ten_thousand_lobbies_are_not_walked_through_for_a_newcomer():
    """Neither while all are out of reach, nor when after a day all are within it."""
    match_by = MatchBy.model_validate({"attribute": "s", "maxDifference": 1, "widenPerSecond": 10})
    forming = Forming(match_by)
    reads = 0

    class Counted(Lobby):
        @property
        def since(self) -> int:
            nonlocal reads
            reads += 1
            return 0

        @since.setter
        def since(self, value: int) -> None:
            pass

    for number in range(1, 10_001):
        forming.sit(Counted(number, SEATS, 0, 0), number, number * 100.0)
    for hours, expected in ((0, None), (24, 1)):
        reads = 0
        assert number_of(forming.find(500_050.0, hours * 3_600_000)) == expected
        assert reads < 10
