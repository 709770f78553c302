"""Seeded chance (R-36): one block of draws for each (seed, board, tick), cut by seat.

An extendable hash is the same on every machine and Python version, which `random` does not promise; one hash for a
whole tick costs a tenth of one for each seat.
"""

from __future__ import annotations

import hashlib
import struct
from functools import cache

DRAW_RANGE = 1 << 32


@cache
def _layout(seats: int) -> struct.Struct:
    return struct.Struct(f">{seats}I")


class Chance:
    """The draws of one board."""

    __slots__ = ("_prefix",)

    def __init__(self, seed: int, board: str) -> None:
        self._prefix = hashlib.sha256(f"{seed}\0{board}".encode()).digest()

    def draws(self, tick: int, seats: int) -> tuple[int, ...]:
        """One draw for each seat, each in 0 .. DRAW_RANGE - 1; a pure function of (seed, board, tick, seat)."""
        block = hashlib.shake_256(self._prefix + tick.to_bytes(8, "big")).digest(4 * seats)
        return _layout(seats).unpack(block)


def threshold(probability: float) -> int:
    """The draw below which an event of `probability` (0..1) happens."""
    return round(probability * DRAW_RANGE)
