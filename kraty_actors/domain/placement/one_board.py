"""`global` and `none`: all of a window's players are in one contest, which in mode `none` shows no board (R-30)."""

from __future__ import annotations

from kraty_actors.domain.placement.decision import Decision, Placement
from kraty_actors.domain.window_messages import Admit

ONLY = 1
"""The number of that contest. It begins with the window."""


class OneBoard(Placement):
    """See the module."""

    def place(self, newcomer: Admit, now: int) -> Decision:
        return Decision(places={newcomer.player: ONLY}, starts=[newcomer.player])
