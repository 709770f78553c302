"""The closed list of what a rule may hand back.

A state machine's `apply(command, now)` changes its state in place and returns one `Outcome`. The actor loop does
the rest: journal, commit, and only then replies, messages and notices.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

Plain = Any
"""Data of None, bool, int, float, str, bytes, list and dict with string keys: what a journal or checkpoint holds."""


class Command:
    """Something said to a state machine. Its record is its tag and its fields, in declared order."""

    __slots__ = ()
    tag: ClassVar[str]
    is_read: ClassVar[bool] = False
    """Whether it only asks: it changes nothing, and is answered while nothing can be stored (R-58)."""
    can_wait: ClassVar[bool] = False
    """Whether nobody waits for it, so that others may go first when thousands of its kind come at once."""
    __match_args__: ClassVar[tuple[str, ...]]

    def record(self) -> list[Plain]:
        return [self.tag, *(getattr(self, name) for name in self.__match_args__)]


@dataclass(slots=True, frozen=True)
class Tick(Command):
    """Time has come to the state's `wake_at`."""

    tag = "tick"
    can_wait = True


@dataclass(slots=True, frozen=True)
class Refusal:
    """The rules said no. `code` is one of the wire's error codes; nothing was changed."""

    code: str
    message: str
    details: dict[str, Plain] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Message:
    """A command for another actor; part of the sender's commit, posted after it, applied exactly once."""

    to: str
    command: Command


@dataclass(slots=True, frozen=True)
class Notice:
    """Something that happened: a push for the players concerned, as far as they are connected. What concerns nobody
    in particular is only told outside."""

    push: str
    players: Collection[int]
    body: object


class LateNotice(Notice):
    """One whose body is made when somebody asks: most players are away when thousands of attempts end at once."""

    __slots__ = ("_make",)
    _make: Callable[[], object]

    def __init__(self, push: str, players: Collection[int], make: Callable[[], object]) -> None:
        for name, value in (("push", push), ("players", players), ("_make", make)):
            object.__setattr__(self, name, value)

    @property
    def body(self) -> object:
        return self._make()


@dataclass(slots=True, frozen=True)
class Pay:
    """A grant that exists if and only if its input does; a repeated id is the same grant (R-27). A crate that came with
    a reward names it as its `parent` (R-41)."""

    grant_id: str
    player: int
    entries: Sequence[Plain]
    source_kind: str
    source_ref: str
    at: int
    kind: Literal["reward", "crate"] = "reward"
    parent: str | None = None


@dataclass(slots=True, frozen=True)
class Completed:
    """A player completed an event in a window (R-19), for conditions that look back."""

    player: int
    event_key: str
    window_id: str


@dataclass(slots=True, frozen=True)
class MovedLeague:
    """From the event's next window on, the player stands in this league (R-30)."""

    player: int
    event_key: str
    league: str


@dataclass(slots=True, frozen=True)
class Cost:
    """What something takes of a wallet (`currency`) or an inventory (`item`)."""

    kind: Literal["currency", "item"]
    key: str
    amount: int


@dataclass(slots=True, frozen=True)
class Charged:
    """A start was paid for (R-20). The same `charge` of a player a second time is nothing (R-21)."""

    player: int
    charge: str
    costs: Sequence[Cost]
    source: str
    at: int


@dataclass(slots=True, frozen=True)
class Refunded:
    """What stands under a charge is given back, once (R-26)."""

    player: int
    charge: str
    source: str
    at: int


@dataclass(slots=True, frozen=True)
class Started:
    """An attempt began; so that a player's attempts are found."""

    player: int
    attempt_id: str
    event_key: str
    at: int


@dataclass(slots=True, frozen=True)
class Flagged:
    """A validator objected to a write (R-50). `verdict` is its own, `outcome` that of the whole write; `before` and
    `after` are raw values, before any reset."""

    anomaly_id: str
    player: int
    event_key: str
    window_id: str
    attempt_id: str
    validator_key: str
    verdict: Literal["flag", "reject"]
    outcome: Literal["flag", "reject"]
    reason: str
    before: Mapping[str, Plain]
    after: Mapping[str, Plain]
    at: int


@dataclass(slots=True, frozen=True)
class BanSet:
    """A player is banned from now on, or no longer (R-51)."""

    player: int
    is_banned: bool
    reason: str | None = None


@dataclass(slots=True, frozen=True)
class Audited:
    """An operator changed something: who, what, before and after."""

    actor: str
    action: str
    subject: str
    before: Plain
    after: Plain
    at: int


Effect = Pay | Completed | MovedLeague | Charged | Refunded | Started | Flagged | BanSet | Audited


@dataclass(slots=True)
class Outcome:
    """What applying one command led to.

    `traced` says whether the command changed anything: a traced command is journalled. `moved` says whether the
    board that people watch changed. `finished` ends the actor's life: it is checkpointed and never woken again.
    """

    reply: object = None
    traced: bool = False
    moved: bool = False
    messages: Sequence[Message] = ()
    effects: Sequence[Effect] = ()
    notices: Sequence[Notice] = ()
    finished: bool = False


@runtime_checkable
class Gathers(Protocol):
    """A state that gathers messages over a batch of commands, to say them together."""

    def gathered(self, now: int) -> Sequence[Message]:
        """What was gathered since the last call, all of it at `now`."""


class State(Protocol):
    """A deterministic state machine that an actor runs."""

    @property
    def wake_at(self) -> int | None:
        """The instant at which a `Tick` is due (ms since the epoch, UTC), or None."""

    @property
    def may_sleep(self) -> bool:
        """Whether it can be left out of memory until somebody asks for it, or its `wake_at` comes."""

    def apply(self, command: Command, now: int) -> Outcome:
        """Apply one command at `now` (ms since the epoch, never less than the last one)."""

    def dump(self) -> Iterable[Plain]:
        """The whole state as it stands at this call, in parts small enough to be written between two batches. The first
        part is taken at once; for the others there is time, while commands go on. Only one dump goes on at a time."""

    def restore(self, parts: Sequence[Plain]) -> None:
        """Take over what `dump` gave."""
