"""The shapes of what a server says unasked, by the name in `push`."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

from kraty_protocol.shapes import Attempt, Entry, Error, Grant, Lobby, Started, WindowState


class BoardDelta(TypedDict):
    """What turns the copy of version `since` into that of `version`; `check` sums the rows up (R-34)."""

    sub: str
    version: int
    since: int
    entries: list[Entry]
    removed: list[str]
    total: int
    check: NotRequired[int]


class BoardSnapshot(TypedDict):
    """A copy that replaces the one that is held."""

    sub: str
    version: int
    total: int
    entries: list[Entry]


class BoardSelf(TypedDict):
    """The watching player's own row, where it is outside the view."""

    sub: str
    version: int
    rank: int
    score: int | float


class BoardFinal(TypedDict):
    """The final standings; the subscription is over."""

    sub: str
    version: int
    entries: list[Entry]


class AttemptEnded(TypedDict):
    """An attempt that has ended, by the player or by time."""

    attempt: Attempt


class AttemptRefused(TypedDict):
    """A seat that was lost when its lobby started, and why (R-31)."""

    eventKey: str
    lobbyId: str
    error: Error


class LobbyChanged(TypedDict):
    """A lobby of the player's that fills, starts or closes (R-31)."""

    lobby: Lobby


class GrantMade(TypedDict):
    """Something that the player has won."""

    grant: Grant


class EventState(TypedDict):
    """A window of the player's that has come into another state."""

    eventKey: str
    windowId: str
    state: WindowState


PUSHES: Mapping[str, type] = {
    "board.delta": BoardDelta,
    "board.snapshot": BoardSnapshot,
    "board.self": BoardSelf,
    "board.final": BoardFinal,
    "attempt.started": Started,
    "attempt.ended": AttemptEnded,
    "attempt.refused": AttemptRefused,
    "lobby": LobbyChanged,
    "grant": GrantMade,
    "event.state": EventState,
}
"""Every push by its name on the wire, with its shape beside `push`."""
