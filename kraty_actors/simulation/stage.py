"""Where the rules are played: the state machines of windows and contests, the messages between them, and virtual time.

It does what the actor loop does, without waiting, without a store and without a network: a command is applied, what it
says to others is applied in the order in which it was said, and time goes straight to whatever comes next.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from itertools import count

from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import Open
from kraty_actors.domain.ids import is_contest, is_window
from kraty_actors.domain.outcome import Command, Message, Outcome, Tick
from kraty_actors.domain.rules import Rulebook
from kraty_actors.domain.window import Window

Hear = Callable[[Outcome], None]
Callback = Callable[[], None]

CLOCK, PEOPLE = 0, 1
"""Of what happens in one millisecond, deadlines come before players."""


class Stage:
    """See the module. `hear` is told of everything that happens, in order."""

    def __init__(self, rulebook: Rulebook, now: int, hear: Hear) -> None:
        self.now = now
        self.windows: dict[str, Window] = {}
        self.contests: dict[str, Contest] = {}
        self._rulebook = rulebook
        self._hear = hear
        self._agenda: list[tuple[int, int, int, str | Callback]] = []
        self._order = count()
        self._alarms: dict[str, int | None] = {}
        self._posted: deque[Message] = deque()

    def call(self, to: str, command: Command) -> object:
        """Apply a command now, and everything that it leads to at this instant; what it was answered."""
        reply = self._apply(to, command)
        while self._posted:
            message = self._posted.popleft()
            self._apply(message.to, message.command)
        return reply

    def at(self, at: int, callback: Callback) -> None:
        """Let a player do something at an instant (ms), now at the earliest."""
        heapq.heappush(self._agenda, (max(at, self.now), PEOPLE, next(self._order), callback))

    def play(self) -> None:
        """Go on until nothing is to come any more."""
        while self._agenda:
            at, _, _, whom = heapq.heappop(self._agenda)
            if not isinstance(whom, str):
                self.now = at
                whom()
            elif self._alarms[whom] == at:
                self.now = at
                self._alarms[whom] = None
                self.call(whom, Tick())

    def _apply(self, to: str, command: Command) -> object:
        state = self._state(to, command)
        if state is None:
            return None  # whoever opened the window hears of its end, and is not on this stage
        outcome = state.apply(command, self.now)
        self._posted.extend(outcome.messages)
        wake_at = state.wake_at
        alarm = None if wake_at is None else max(wake_at, self.now)
        if alarm is not None and alarm != self._alarms.get(to):
            heapq.heappush(self._agenda, (alarm, CLOCK, next(self._order), to))
        self._alarms[to] = alarm
        self._hear(outcome)
        return outcome.reply

    def _state(self, to: str, command: Command) -> Window | Contest | None:
        if is_window(to):
            return self.windows.get(to) or self.windows.setdefault(to, Window(to, self._rulebook))
        if is_contest(to):
            if isinstance(command, Open):
                self.contests[to] = Contest(to, self._rulebook)
            return self.contests[to]
        return None
