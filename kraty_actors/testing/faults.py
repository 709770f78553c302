"""What may go wrong in a simulation, and how often."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances are 0..1, times are virtual.

    Attributes:
        slow: Chance that bytes, or a commit, take up to `slow_seconds` instead of some milliseconds.
        cut: Chance that a connection breaks at some byte of what it carries, in the middle of a frame or not.
        half_open: Chance that a connection stops to carry bytes in one direction or both, and nobody is told.
        outages_per_hour: How often the database goes away, for up to `outage_seconds`.
        crashes_per_hour: How often the server's process dies, at any step of any task or in the middle of a commit.
        restarts_per_hour: How often the server is stopped in good order and started again.
    """

    slow: float = 0.05
    slow_seconds: float = 3.0
    cut: float = 0.2
    half_open: float = 0.05
    outages_per_hour: float = 12.0
    outage_seconds: float = 15.0
    crashes_per_hour: float = 40.0
    restarts_per_hour: float = 8.0

    def __post_init__(self) -> None:
        negative = [field.name for field in fields(self) if getattr(self, field.name) < 0]
        above = [name for name in ("slow", "cut", "half_open") if getattr(self, name) > 1]
        if negative or above:
            raise ValueError(f"out of range: {', '.join(negative + above)}")


CALM = Faults(slow=0, cut=0, half_open=0, outages_per_hour=0, crashes_per_hour=0, restarts_per_hour=0)
"""Nothing goes wrong."""
