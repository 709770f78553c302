"""What the operations of operators take: definitions, and steering events while they are live."""

from typing import ClassVar

from kraty_protocol.fields import Bag, Document, Fields, Finite, Id, Instant, Key


class GamePut(Fields):
    """A whole game file."""

    game: Document


class EventsPut(Fields):
    """One event's definition."""

    event: Document


class EventFields(Fields):
    """`events.get`, `windows.list`, and the steps of an event's life: publish, unpublish, pause, resume (R-26)."""

    event_key: Key


class EventsFinalize(EventFields):
    """All open windows of an event, or the one that is named."""

    window_id: Id | None = None


class WindowFields(Fields):
    """`windows.copyPrevious`, `windows.cancel` and `windows.report`."""

    window_id: Id


class WindowsOverride(WindowFields):
    """A window's own metadata, laid over the event's (R-25).

    Attributes:
        metadata: The whole bag, at most 16 KiB of JSON; None takes the override away.
    """

    null_counts: ClassVar[frozenset[str]] = frozenset({"metadata"})

    metadata: Bag | None


class WindowsExtend(WindowFields):
    """Another end for a window, and for the attempts that end with it (R-5)."""

    ends_at: Instant


class LobbiesStart(Fields):
    """A forming lobby that starts with who is there (R-31)."""

    lobby_id: Id


class AttemptsForceComplete(Fields):
    """An attempt that an operator completes (R-12); without a score it keeps its own."""

    attempt_id: Id
    score: Finite | None = None


class BoardsPut(Fields):
    """One shared board's definition."""

    leaderboard: Document


class BoardsArchive(Fields):
    """A shared board that takes no more scores."""

    board_key: Key
