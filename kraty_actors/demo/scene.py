"""What there is to see at one moment: kept by the run, drawn by a screen."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Literal, Protocol

from kraty_actors.client import BoardView
from kraty_actors.demo.setting import Setting
from kraty_protocol.shapes import Progressed

Phase = Literal["waiting", "open", "settling", "settled"]

RATE_SECONDS = 3


@dataclass(slots=True)
class Scene:
    """The counters, and the board of the one lobby that is watched.

    Attributes:
        now: The demo's clock, in ms since the epoch.
        journalled: Progress writes found in the journal, as last read from the database file.
        watched: The public id and the name of the player whose lobby is shown.
    """

    setting: Setting
    pool: int
    currency: str
    now: int
    phase: Phase = "waiting"
    connected: int = 0
    attempts: int = 0
    completed: int = 0
    acknowledged: int = 0
    journalled: int = 0
    board: BoardView | None = None
    watched: tuple[str, str] = ("", "")
    _past: deque[tuple[int, int]] = field(default_factory=deque)

    def acknowledge(self, ack: Progressed) -> None:
        """One more write is durable."""
        self.acknowledged += 1
        if ack["status"] == "completed":
            self.completed += 1

    def advance(self, now: int) -> None:
        """Let time pass."""
        self.now = now
        self._past.append((now, self.acknowledged))
        while self._past[0][0] < now - RATE_SECONDS * 1000:
            self._past.popleft()

    @property
    def open_attempts(self) -> int:
        """Attempts that neither their player nor time has ended."""
        return self.attempts - self.completed if self.phase == "open" else 0

    @property
    def share(self) -> int:
        """What a winner would get if the window closed now."""
        return self.pool // self.completed if self.completed else 0

    @property
    def per_second(self) -> float:
        """Acknowledgements a second, lately."""
        since, before = self._past[0]
        return (self.acknowledged - before) * 1000 / max(1, self.now - since)


class Screen(Protocol):
    """Shows a scene to somebody."""

    def show(self, scene: Scene) -> None:
        """Draw it; called several times a second."""

    def say(self, scene: Scene, text: str) -> None:
        """Tell that something has happened."""
