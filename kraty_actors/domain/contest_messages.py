"""What a contest is told and asked, what it tells its window, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from kraty_actors.domain.outcome import Command, Plain

Number = int | float


@dataclass(slots=True, frozen=True)
class Open(Command):
    """From the window: the board begins at `starts_at`, and with it the grid of its bots. `bot_seats` says how many
    bots sit here where that is not simply every bound one (R-31). `boards` names the shared boards that it
    contributes to, each as [key, revision] (R-32). `league` is the one of which the board is a division (R-30)."""

    tag: ClassVar[str] = "open"
    event_key: str
    revision: int
    seed: int
    starts_at: int
    ends_at: int | None
    bot_seats: int | None = None
    bot_tick_seconds: int = 5
    boards: list[list[Plain]] = field(default_factory=list)
    is_paused: bool = False
    league: str | None = None


@dataclass(slots=True, frozen=True)
class Seat(Command):
    """From the window: the player is admitted to a new attempt. `announce` tells them by a push."""

    tag: ClassVar[str] = "seat"
    player: int
    announce: bool = False


@dataclass(slots=True)
class Write(Command):
    """One progress message (R-8). A bare number is the first metric's. `identity` is its seq (int), its
    idempotency key (str), or None. `findings` are what validators said of it, each as [key, verdict, reason]; None
    until they have been asked, which they are only once: a replay goes by what they said."""

    tag: ClassVar[str] = "w"
    serial: int
    metrics: dict[str, Number] | Number
    mode: str
    identity: int | str | None
    player: int
    findings: list[list[str]] | None = None

    def record(self) -> list[Plain]:
        """The owner was checked before, so a journal need not say who wrote."""
        record: list[Plain] = ["w", self.serial, self.metrics, self.mode == "set", self.identity]
        if self.findings:
            record.append(self.findings)
        return record

    @classmethod
    def restored(
        cls,
        serial: int,
        metrics: dict[str, Number],
        replace: bool,
        identity: int | str | None,
        findings: list[list[str]] | None = None,
    ) -> Write:
        return cls(serial, metrics, "set" if replace else "increment", identity, ANYONE, findings or [])


ANYONE = -1
"""The player of a command that was let in before: an input read back from the journal, or a read by the server."""


@dataclass(slots=True, frozen=True)
class Finish(Command):
    """The player ends the attempt (R-12)."""

    tag: ClassVar[str] = "finish"
    serial: int
    player: int


@dataclass(slots=True, frozen=True)
class ForceComplete(Command):
    """An operator completes an attempt, with a score of their own or the one it has (R-12)."""

    tag: ClassVar[str] = "force"
    serial: int
    score: Number | None
    who: str


@dataclass(slots=True, frozen=True)
class Void(Command):
    """An operator takes an attempt out: it counts nowhere, and nothing is paid for it (R-51)."""

    tag: ClassVar[str] = "void"
    serial: int
    reason: str
    who: str


@dataclass(slots=True, frozen=True)
class SetBan(Command):
    """To whoever keeps a board: the player's row leaves it, or comes back (R-51)."""

    tag: ClassVar[str] = "ban"
    player: int
    is_banned: bool


@dataclass(slots=True, frozen=True)
class Pause(Command):
    """To a window and on to its contests: players wait, clocks run on (R-26)."""

    tag: ClassVar[str] = "pause"


@dataclass(slots=True, frozen=True)
class Resume(Command):
    """To a window and on to its contests: players go on (R-26)."""

    tag: ClassVar[str] = "resume"


@dataclass(slots=True, frozen=True)
class Extend(Command):
    """To a window and on to its contests: it ends later, and with it the attempts that end with it (R-5)."""

    tag: ClassVar[str] = "extend"
    ends_at: int


@dataclass(slots=True, frozen=True)
class Amend(Command):
    """To a window and on to its contests: what takes effect at once is that of `revision` from now on, and `boards`
    are the shared boards to contribute to, each as [key, revision] (R-5)."""

    tag: ClassVar[str] = "amend"
    revision: int
    boards: list[list[Plain]]


@dataclass(slots=True, frozen=True)
class Close(Command):
    """From the window: it ended at `at`; nothing is accepted from then on. Of a cancelled one every running attempt
    is expired, and nobody wins, moves or is paid (R-26)."""

    tag: ClassVar[str] = "close"
    can_wait: ClassVar[bool] = True
    at: int
    is_cancelled: bool = False


@dataclass(slots=True, frozen=True)
class Settle(Command):
    """From the window, once all its boards are closed: write what is due, `share` to each winner of a pool; then these
    standings are final. Of a window that was cancelled nothing is due."""

    tag: ClassVar[str] = "settle"
    can_wait: ClassVar[bool] = True
    share: int = 0
    is_cancelled: bool = False


@dataclass(slots=True, frozen=True)
class GetAttempt(Command):
    """Read one attempt, or with no serial the player's newest one."""

    tag: ClassVar[str] = "get_attempt"
    is_read: ClassVar[bool] = True
    player: int
    serial: int | None = None


@dataclass(slots=True, frozen=True)
class AttemptEnded(Command):
    """To the window: the player may start again, if the event lets them. If it `had_ended` before, it was told so then,
    and the player may have another one by now."""

    tag: ClassVar[str] = "ended"
    can_wait: ClassVar[bool] = True
    player: int
    completed: bool
    had_ended: bool = False


@dataclass(slots=True, frozen=True)
class AttemptsEnded(Command):
    """To the window, of a contest that closes: who has completed an attempt by that, and who has not."""

    tag: ClassVar[str] = "all_ended"
    can_wait: ClassVar[bool] = True
    completed: list[int]
    expired: list[int]


@dataclass(slots=True, frozen=True)
class Closed(Command):
    """To the window: all attempts have ended, and so many players have won. Said again if that changes before the
    window has said what is paid (R-51)."""

    tag: ClassVar[str] = "closed"
    can_wait: ClassVar[bool] = True
    contest: str
    winners: int


@dataclass(slots=True, frozen=True)
class Paid(Command):
    """To the window: everything that is due on this board is written. `paid` is by currency; `players` were paid."""

    tag: ClassVar[str] = "paid"
    can_wait: ClassVar[bool] = True
    contest: str
    players: int
    grants: int
    paid: dict[str, int]
