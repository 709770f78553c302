"""What a window is told and asked, what it tells the calendar, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from kraty_actors.domain.lobby import FillStrategy, LobbyView
from kraty_actors.domain.outcome import Command


@dataclass(slots=True, frozen=True)
class OpenWindow(Command):
    """From the calendar: the window begins."""

    tag: ClassVar[str] = "open"
    event_key: str
    revision: int
    seed: int
    timezone: str
    starts_at: int
    ends_at: int | None
    fill_timeout_seconds: int
    fill_strategy: FillStrategy


@dataclass(slots=True, frozen=True)
class Admit(Command):
    """A player wants to start. `facts` are the completions elsewhere that hold, as their records (R-19);
    `started_elsewhere` counts today's starts in the event's other windows (R-17)."""

    tag: ClassVar[str] = "admit"
    player: int
    facts: list[list[str | bool]] = field(default_factory=list)
    started_elsewhere: int = 0


@dataclass(slots=True, frozen=True)
class Presence(Command):
    """The player connected or left; it matters while their lobby forms (R-31). Player 0 means everyone."""

    tag: ClassVar[str] = "presence"
    player: int
    here: bool


@dataclass(slots=True, frozen=True)
class Finalize(Command):
    """An operator ends the window now."""

    tag: ClassVar[str] = "finalize"


@dataclass(slots=True, frozen=True)
class GetLobby(Command):
    """Read a lobby by its number."""

    tag: ClassVar[str] = "get_lobby"
    is_read: ClassVar[bool] = True
    number: int


@dataclass(slots=True, frozen=True)
class GetMember(Command):
    """Read what the window knows of one player."""

    tag: ClassVar[str] = "get_member"
    is_read: ClassVar[bool] = True
    player: int
    since: int = 0


@dataclass(slots=True, frozen=True)
class GetReport(Command):
    """Read how the window was settled."""

    tag: ClassVar[str] = "get_report"
    is_read: ClassVar[bool] = True


@dataclass(slots=True, frozen=True)
class WindowFinalized(Command):
    """To the calendar: every grant of the window is written."""

    tag: ClassVar[str] = "finalized"
    window_id: str


@dataclass(slots=True, frozen=True)
class Placed:
    """Where the player's attempt is, and whether this made it."""

    contest_id: str
    is_new: bool


@dataclass(slots=True, frozen=True)
class Report:
    """The reconciliation of a finalized window."""

    participants: int
    winners: int
    share: int
    remainder: int
    paid: int
    currency: str | None


@dataclass(slots=True, frozen=True)
class MemberView:
    """What a listing and a gate need to know of a player in this window."""

    contest_id: str | None
    lobby: LobbyView | None
    running: bool
    completed: bool
    attempts: int
    started_since: int
