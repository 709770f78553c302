"""What a window is told and asked, what it tells the calendar, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from kraty_actors.domain.ids import CALENDAR
from kraty_actors.domain.lobby import FillStrategy, LobbyView
from kraty_actors.domain.outcome import Command, Plain

WindowStage = Literal["open", "closing", "finalized", "cancelled"]


@dataclass(slots=True, frozen=True)
class OpenWindow(Command):
    """The window begins. `owner` is the actor that opened it and is told of its end; `player` is the only one whom a
    per-player window admits (R-22). `boards` are those of `Open`."""

    tag: ClassVar[str] = "open"
    event_key: str
    revision: int
    seed: int
    timezone: str
    starts_at: int
    ends_at: int | None
    fill_timeout_seconds: int
    fill_strategy: FillStrategy
    bot_tick_seconds: int = 5
    boards: list[list[Plain]] = field(default_factory=list)
    is_paused: bool = False
    owner: str = CALENDAR
    player: int | None = None


@dataclass(slots=True, frozen=True)
class Admit(Command):
    """A player wants to start.

    `trait` is their value of the attribute that the event places by (`cohortBy`, `matchBy`), `league` the one that
    they were last moved to in this event (R-30). `facts` are a record of `Facts` (R-19); `started_elsewhere` counts
    today's starts in the event's other windows (R-17). `short` is the first thing that the player has too little of
    for the entry cost, as [resource, needed, have] (R-20). `announce` tells the player of the attempt by a push: they
    did not ask for it now, their lobby did.
    """

    tag: ClassVar[str] = "admit"
    player: int
    facts: dict[str, Plain] = field(default_factory=dict)
    started_elsewhere: int = 0
    trait: Plain = None
    league: str | None = None
    short: list[Plain] | None = None
    announce: bool = False


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
class Cancel(Command):
    """An operator ends the window without rewards (R-26)."""

    tag: ClassVar[str] = "cancel"


@dataclass(slots=True, frozen=True)
class Leave(Command):
    """The player gives up the seat in a lobby that forms (R-31)."""

    tag: ClassVar[str] = "leave"
    player: int
    number: int


@dataclass(slots=True, frozen=True)
class Unseat(Command):
    """The player cannot pay for the seat in a lobby that has started, and loses it (R-31)."""

    tag: ClassVar[str] = "unseat"
    player: int
    number: int


@dataclass(slots=True, frozen=True)
class StartLobby(Command):
    """An operator starts a lobby that forms (R-31)."""

    tag: ClassVar[str] = "start_lobby"
    number: int
    who: str = ""


@dataclass(slots=True, frozen=True)
class PushLobby(Command):
    """The game's matchmaker makes a lobby (R-31). Refusals name players by number."""

    tag: ClassVar[str] = "push_lobby"
    key: str
    players: list[int]
    capacity: int | None
    metadata: dict[str, Plain]
    who: str = ""


@dataclass(slots=True, frozen=True)
class GetWindow(Command):
    """Read what the window is: `WindowInfo`."""

    tag: ClassVar[str] = "get_window"
    is_read: ClassVar[bool] = True


@dataclass(slots=True, frozen=True)
class GetForming(Command):
    """Read which players have a seat in a lobby that forms."""

    tag: ClassVar[str] = "get_forming"
    is_read: ClassVar[bool] = True


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
    """To the owner: every grant of the window is written, or it was cancelled. Of a per-player window also on which
    day (ms of its midnight) how many attempts were started (R-17)."""

    tag: ClassVar[str] = "finalized"
    window_id: str
    is_cancelled: bool = False
    day: int = 0
    started_that_day: int = 0


@dataclass(slots=True, frozen=True)
class Placed:
    """Where the player's attempt is, and whether this made it."""

    contest_id: str
    is_new: bool


@dataclass(slots=True, frozen=True)
class Report:
    """How a window was settled: `winners` were paid `grants` in all, which came to `paid` by currency; `remainder` is
    what was left of pools."""

    participants: int
    winners: int
    grants: int
    paid: Mapping[str, int]
    remainder: int


@dataclass(slots=True, frozen=True)
class Invitation:
    """A seat in a lobby that has started, whose player is there and has yet to pay (R-31)."""

    window_id: str
    event_key: str
    lobby_id: str


@dataclass(slots=True, frozen=True)
class FinalReport:
    """Of a window that is final."""

    window_id: str
    event_key: str
    report: Report


@dataclass(slots=True, frozen=True)
class MemberView:
    """What a listing and a gate need to know of a player in this window. `contest_id` is where their attempts are,
    `board_id` the same where that shows a board."""

    contest_id: str | None
    lobby: LobbyView | None
    running: bool
    completed: bool
    attempts: int
    started_since: int
    league: str | None = None
    board_id: str | None = None
    charges: int = 0


@dataclass(slots=True, frozen=True)
class WindowInfo:
    """What a window is, for those who only have its id."""

    window_id: str
    event_key: str
    owner: str
    player: int | None
    starts_at: int
    ends_at: int | None
    revision: int
    state: WindowStage
    is_paused: bool
