"""What is counted at the edge: plain numbers, which become samples only when somebody asks."""

from __future__ import annotations

from collections import Counter

from kraty_actors.actors.figures import Histogram

PROGRESS = "events.progress"


class Figures:
    """Of one gateway.

    Attributes:
        opened: Connections that shook hands.
        turned_away: Connections that were refused for their address.
        flooded: Connections that were closed for flooding.
        refused: Requests that were refused, by code.
        shed: Requests that were refused because the server was busy, by operation.
        seconds: From a request's arrival to its answer, by operation.
        writes: When each write arrived that was answered in this turn of the loop, and is not in `seconds` yet.
        deltas: Pushes of boards that were made.
        deliveries: Watchers to whom they went.
        merged: Changes of a board that went into a later push: its `pace` is that fast, or the peer that `slow`.
    """

    def __init__(self) -> None:
        self.opened = self.turned_away = self.flooded = 0
        self.refused: Counter[str] = Counter()
        self.shed: Counter[str] = Counter()
        self.seconds: dict[str, Histogram] = {PROGRESS: Histogram()}
        self.writes: list[float] = []
        self.deltas = self.deliveries = 0
        self.merged = {"pace": 0, "slow": 0}

    def answered(self, op: str, seconds: float) -> None:
        """A request was answered."""
        histogram = self.seconds.get(op)
        if histogram is None:
            histogram = self.seconds[op] = Histogram()
        histogram.add(seconds)

    def turn_is_over(self, now: float) -> None:
        """Whatever was answered in this turn of the loop goes out now."""
        if self.writes:
            self.seconds[PROGRESS].add_since(self.writes, now)
            self.writes.clear()
