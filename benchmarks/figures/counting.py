"""What limits and metrics add to a write: all that is done for them on its way, and nothing else."""

from __future__ import annotations

import time
from itertools import count

from kraty_actors.gateway.figures import Figures
from kraty_actors.gateway.pace import Pace

CONNECTIONS = 64
TURNS = 200
REPEATS = 15
PLENTY = 1_000_000_000


def measure_counting(in_flight: int) -> float:
    """Nanoseconds for each write, where so many come at once on each connection: the best of a few runs."""
    return min(_run(in_flight) for _ in range(REPEATS))


def _run(in_flight: int) -> float:
    figures = Figures()
    paces = [Pace(PLENTY, PLENTY) for _ in range(CONNECTIONS)]
    clock = count(1_000_000)
    begun = time.process_time_ns()
    for _ in range(TURNS):
        for pace in paces:
            arrived_at = next(clock) / 1e4
            pace.at(arrived_at)
            for _ in range(in_flight):
                pace.take()
                figures.writes.append(arrived_at)
        figures.turn_is_over(next(clock) / 1e4)
    return (time.process_time_ns() - begun) / (TURNS * CONNECTIONS * in_flight)
