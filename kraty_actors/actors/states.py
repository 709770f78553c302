"""Which state machine an actor runs, by its name."""

from __future__ import annotations

from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.ids import CALENDAR, is_contest, is_player_windows, is_shared_board
from kraty_actors.domain.outcome import State
from kraty_actors.domain.player_windows import PlayerWindows
from kraty_actors.domain.shared_board import SharedBoard
from kraty_actors.domain.window import Window


def make_state(actor_id: str, library: Library) -> State:
    """The empty state of an actor."""
    if is_contest(actor_id):
        return Contest(actor_id, library)
    if is_shared_board(actor_id):
        return SharedBoard(actor_id, library)
    if is_player_windows(actor_id):
        return PlayerWindows(actor_id, library)
    return Calendar(library) if actor_id == CALENDAR else Window(actor_id, library)
