"""Where players sit: one file for each mode of an event's board (R-30, R-31)."""

from kraty_actors.domain.placement.decision import Placement
from kraty_actors.domain.placement.groups import Groups
from kraty_actors.domain.placement.leagues import Leagues
from kraty_actors.domain.placement.lobbies import Lobbies
from kraty_actors.domain.placement.one_board import OneBoard
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window_messages import OpenWindow


def placement_of(rules: Rules, opening: OpenWindow) -> Placement:
    """What seats the players of one window, by the mode of the event's board."""
    event = rules.event
    match event.leaderboard.mode:
        case "lobby_matched":
            return Lobbies(event, opening)
        case "segmented":
            return Leagues(event.leaderboard.leagues, event.human_seats)
        case "grouped":
            return Groups(event.human_seats or 1, by_cohort=event.leaderboard.cohort_by is not None)
        case "global" | "none":
            return OneBoard()
