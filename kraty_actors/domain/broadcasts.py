"""Commands for many actors at once, sent a step at a time, so that other actors keep answering."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterable, Iterator, Mapping

from kraty_actors.domain.contest_messages import Amend, Pause, Resume
from kraty_actors.domain.outcome import Command, Message, Plain
from kraty_actors.domain.window_messages import Finalize

PER_STEP = 500
"""Messages in one commit."""

NAMES_PER_PART = 10_000
"""Names in one part of a checkpoint."""

BROADCAST: Mapping[str, type[Command]] = {command.tag: command for command in (Pause, Resume, Finalize, Amend)}


class Broadcasts:
    """Each actor hears the commands in the order in which they were added. Names are a list, last first, of which so
    many are left."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Command, list[str], int]] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, command: Command, names: Iterable[str]) -> None:
        last_first = list(names)[::-1]
        if last_first:
            self._waiting.append((command, last_first, len(last_first)))

    def step(self, still_there: Container[str]) -> list[Message]:
        """The next messages; who is gone meanwhile is passed over."""
        command, names, left = self._waiting.popleft()
        rest = max(0, left - PER_STEP)
        taken = names[rest:left][::-1]
        if rest:
            self._waiting.appendleft((command, names, rest))
        return [Message(name, command) for name in taken if name in still_there]

    def dump(self) -> Iterator[Plain]:
        """What waits now, however late its parts are asked for."""
        return (
            [number, command.record(), names[start : min(start + NAMES_PER_PART, left)]]
            for number, (command, names, left) in enumerate(list(self._waiting))
            for start in range(0, left, NAMES_PER_PART)
        )

    def restore(self, parts: Iterable[Plain]) -> None:
        waiting: list[tuple[Command, list[str]]] = []
        for number, (tag, *fields), names in parts:
            if number == len(waiting):
                waiting.append((BROADCAST[tag](*fields), []))
            waiting[number][1].extend(names)
        self._waiting.extend((command, names, len(names)) for command, names in waiting)
