"""What crashes cost."""

from __future__ import annotations

import os
from dataclasses import astuple, dataclass

ROUNDS = int(os.environ.get("KRATY_CRASH_ROUNDS") or 1)
"""How often every test that is marked `soak` kills what it kills; more than once in `make soak`."""


@dataclass(frozen=True)
class Toll:
    """What a test came to, or several: of what was acknowledged, how much is there, is not, and is there twice."""

    kills: int
    acknowledged: int
    recovered: int
    lost: int
    doubled: int

    def __add__(self, other: Toll) -> Toll:
        return Toll(*map(sum, zip(astuple(self), astuple(other), strict=True)))


NOTHING = Toll(0, 0, 0, 0, 0)
