"""What the calendar is told and asked, beside what windows tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from kraty_actors.definitions import Fault
from kraty_actors.domain.outcome import Command, Plain


@dataclass(slots=True, frozen=True)
class PutGame(Command):
    """The definitions as they stand from now on, already checked. `changed` names what was put, each as
    [kind, key]; `file` is what a game file said,
    or None."""

    tag: ClassVar[str] = "put_game"
    game: dict[str, Plain]
    seed: int
    changed: list[list[str]]
    file: dict[str, Plain] | None
    who: str


@dataclass(slots=True, frozen=True)
class FinalizeEvent(Command):
    """An operator ends one window, or with no window the event and all its open ones (R-26)."""

    tag: ClassVar[str] = "finalize"
    event_key: str
    window_id: str | None
    who: str


@dataclass(slots=True, frozen=True)
class SetEventState(Command):
    """An operator publishes, unpublishes, pauses or resumes an event (R-26)."""

    tag: ClassVar[str] = "set_state"
    event_key: str
    action: Literal["publish", "unpublish", "pause", "resume"]
    who: str


@dataclass(slots=True, frozen=True)
class CancelWindow(Command):
    """An operator ends a window without rewards (R-26)."""

    tag: ClassVar[str] = "cancel_window"
    window_id: str
    who: str


@dataclass(slots=True, frozen=True)
class ExtendWindow(Command):
    """An operator moves the end of an open window to a later instant (R-5)."""

    tag: ClassVar[str] = "extend_window"
    window_id: str
    ends_at: int
    who: str


@dataclass(slots=True, frozen=True)
class OverrideWindow(Command):
    """An operator sets the whole metadata bag of one window, or clears it with None (R-25)."""

    tag: ClassVar[str] = "override_window"
    window_id: str
    metadata: dict[str, Plain] | None
    who: str


@dataclass(slots=True, frozen=True)
class CopyPrevious(Command):
    """An operator gives a window the bag that the previous occurrence has (R-25)."""

    tag: ClassVar[str] = "copy_previous"
    window_id: str
    who: str


@dataclass(slots=True, frozen=True)
class BanPlayer(Command):
    """A player is banned, or no longer: an input of every board that is open (R-51)."""

    tag: ClassVar[str] = "ban_player"
    player: int
    is_banned: bool
    reason: str | None
    who: str


@dataclass(slots=True, frozen=True)
class Changed:
    """A definition that was put: its list in the game file, its key, and how often it changed."""

    kind: str
    key: str
    revision: int


@dataclass(slots=True, frozen=True)
class GamePut:
    """What putting a game led to; the warnings are of edits to boards whose scores are being counted."""

    changed: list[Changed]
    warnings: list[Fault]


@dataclass(slots=True, frozen=True)
class GetCatalogue(Command):
    """Read everything that others need of the calendar."""

    tag: ClassVar[str] = "get_catalogue"
    is_read: ClassVar[bool] = True
