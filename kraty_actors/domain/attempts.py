"""Every attempt of one contest, and when the running ones run out of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence

from kraty_actors.domain.attempt import IN_PROGRESS, Attempt
from kraty_actors.domain.contest_messages import ANYONE
from kraty_actors.domain.frozen import in_parts
from kraty_actors.domain.outcome import Plain


class Attempts:
    """Attempts by serial, which is their place in the order of starts."""

    __slots__ = ("_all", "_deadlines", "_newest")

    def __init__(self) -> None:
        self._all: list[Attempt] = []
        self._newest: dict[int, int] = {}
        self._deadlines: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._all)

    def __getitem__(self, serial: int) -> Attempt:
        return self._all[serial]

    def __iter__(self) -> Iterator[Attempt]:
        return iter(self._all)

    def add(self, attempt: Attempt) -> None:
        attempt.previous = self._newest.get(attempt.player, -1)
        self._all.append(attempt)
        self._newest[attempt.player] = attempt.serial
        self._await_end(attempt)

    def own(self, serial: int, player: int) -> Attempt | None:
        """The attempt, if it is this player's."""
        if 0 <= serial < len(self._all):
            attempt = self._all[serial]
            if player in (attempt.player, ANYONE):
                return attempt
        return None

    def newest(self, player: int) -> int:
        """The serial of the player's newest attempt, -1 without one."""
        return self._newest.get(player, -1)

    def of(self, player: int) -> Iterator[Attempt]:
        """The player's attempts, newest first."""
        serial = self.newest(player)
        while serial >= 0:
            attempt = self._all[serial]
            yield attempt
            serial = attempt.previous

    def some(self, start: int, count: int) -> list[Attempt]:
        """`count` attempts from the serial `start` on."""
        return self._all[start : start + count]

    @property
    def next_end(self) -> int | None:
        """The earliest instant at which an attempt may run out of time."""
        return self._deadlines[0][0] if self._deadlines else None

    def run_out(self, now: int, most: int) -> Iterator[tuple[Attempt, int]]:
        """Take the next `most` attempts whose time is over, in the order of their ends."""
        while most and self._deadlines and self._deadlines[0][0] <= now:
            at, serial = heapq.heappop(self._deadlines)
            attempt = self._all[serial]
            if attempt.status == IN_PROGRESS and attempt.ends_at == at:
                most -= 1
                yield attempt, at

    def ending_at(self, at: int) -> list[Attempt]:
        """Those that run until then."""
        return [attempt for attempt in self._all if attempt.status == IN_PROGRESS and attempt.ends_at == at]

    def extend(self, attempts: Iterable[Attempt], new_end: int, duration_ms: int | None) -> None:
        """Attempts that were to end with the window go on, as far as their own duration lets them (R-5)."""
        for attempt in attempts:
            attempt.ends_at = new_end if duration_ms is None else min(new_end, attempt.started_at + duration_ms)
            self._await_end(attempt)

    def forget_ends(self) -> None:
        """Nothing runs any more."""
        self._deadlines.clear()

    def _await_end(self, attempt: Attempt) -> None:
        if attempt.ends_at is not None and attempt.status == IN_PROGRESS:
            heapq.heappush(self._deadlines, (attempt.ends_at, attempt.serial))

    def in_parts(self, size: int) -> Iterator[Sequence[Attempt]]:
        """All that there are now, so many at a time."""
        return in_parts(self._all, size)

    def restore(self, parts: Sequence[Plain]) -> None:
        for part in parts:
            for plain in part:
                self.add(Attempt.restored(plain))
