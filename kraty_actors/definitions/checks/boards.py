"""Boards: what each mode uses, seats for players, seasons of shared boards (R-30..R-32)."""

from __future__ import annotations

from kraty_actors.definitions.boards import MAX_LOBBY_CAPACITY, Leaderboard, SharedBoard
from kraty_actors.definitions.bots import MAX_BOTS_PER_BOARD
from kraty_actors.definitions.events import EventDefinition
from kraty_actors.definitions.findings import Place

_ALWAYS = {"mode"}
_RANKING = _ALWAYS | {"score_aggregation", "sort"}
_FILLING = {"fill_timeout_seconds", "fill_bots", "fill_strategy", "match_by"}
_USED_BY = {
    "none": _ALWAYS,
    "global": _RANKING,
    "grouped": _RANKING | {"capacity", "cohort_by"},
    "segmented": _RANKING | {"capacity", "leagues", "promotion", "relegation"},
    "lobby_matched": _RANKING | {"capacity", "matchmaking"} | _FILLING,
}


def check_leaderboard(event: EventDefinition, place: Place) -> None:
    """The mode has what it needs, nothing that it has no use for, and a seat for a player."""
    board, at = event.leaderboard, place / "leaderboard"
    _check_capacity(board, at)
    _warn_of_unused(board, at)
    _warn_of_idle_filling(event, place)
    if board.has("fill_bots", "fill_strategy"):
        (at / "fillBots").fault("must not stand together with fillStrategy")
    for i, league in enumerate(board.leagues):
        if league in board.leagues[:i]:
            (at / "leagues" / i).fault(f"'{league}' is there twice")
    _check_seats(event, place)


def _check_capacity(board: Leaderboard, at: Place) -> None:
    if board.mode != "lobby_matched":
        return
    capacity = at / "capacity"
    if board.capacity is None:
        capacity.fault(f"required with mode 'lobby_matched': a whole number from 2 to {MAX_LOBBY_CAPACITY}")
    elif board.capacity > MAX_LOBBY_CAPACITY:
        capacity.fault(f"must be a whole number from 2 to {MAX_LOBBY_CAPACITY}")


def _warn_of_unused(board: Leaderboard, at: Place) -> None:
    for name in sorted(board.model_fields_set - _USED_BY[board.mode]):
        place = at / (Leaderboard.model_fields[name].alias or name)
        place.warn(f"is not used in mode '{board.mode}'", [at / "mode"])
    if board.mode == "lobby_matched" and board.matchmaking == "external":
        for name in sorted(board.model_fields_set & _FILLING):
            (at / (Leaderboard.model_fields[name].alias or name)).warn("is not used with external matchmaking")


def _warn_of_idle_filling(event: EventDefinition, place: Place) -> None:
    board, at = event.leaderboard, place / "leaderboard"
    if board.mode != "lobby_matched" or board.matchmaking == "external":
        return
    if board.fill_strategy == "fill_with_bots" and not event.bot_bindings:
        named = at / ("fillBots" if board.has("fill_bots") else "fillStrategy")
        named.warn("there are no botBindings to take bots from: empty seats stay empty", [place / "botBindings"])
    if board.fill_strategy == "wait_full" and board.fill_timeout_seconds is not None:
        (at / "fillTimeoutSeconds").warn("is not used with fillStrategy 'wait_full'", [at / "fillStrategy"])


def _check_seats(event: EventDefinition, place: Place) -> None:
    bindings, because = place / "botBindings", [place / "leaderboard" / "mode", place / "leaderboard" / "capacity"]
    if event.bot_count > MAX_BOTS_PER_BOARD:
        bindings.fault(f"{event.bot_count} bots on a board, of at most {MAX_BOTS_PER_BOARD}")
    if event.human_seats is not None and event.human_seats < 1:
        message = f"{event.bot_count} bots leave no seat for a player: capacity is {event.leaderboard.seats}"
        bindings.fault(message, because)
    if event.bot_bindings and event.leaderboard.mode == "none":
        bindings.warn("is not used in mode 'none'", because)


def check_shared_board(board: SharedBoard, place: Place) -> None:
    """A season has an end, and nothing else does."""
    ends_at, because = place / "seasonEndsAt", [place / "resetCadence"]
    if board.reset_cadence == "season" and board.season_ends_at is None:
        ends_at.fault("required with resetCadence 'season'", because)
    if board.reset_cadence != "season" and board.season_ends_at is not None:
        ends_at.warn(f"is not used with resetCadence '{board.reset_cadence}'", because)
