"""Reads that many ask for at once, made together: one trip to a worker thread for all that have gathered.

While one is being made the next gather, as commits do in the writer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

__all__ = ["GatheredReads"]

K = TypeVar("K")
T = TypeVar("T")

GATHERED_MAX = 256
"""Questions of one trip, so that the first of them need not wait for too many others."""


@dataclass(slots=True, eq=False)
class _Asked(Generic[K, T]):
    key: K
    turn: anyio.Event = field(default_factory=anyio.Event)
    answers: list[T] = field(default_factory=list)
    error: BaseException | None = None


class GatheredReads(Generic[K, T]):
    """Whoever finds nobody reading reads for all who have gathered; then the first of those who came meanwhile."""

    def __init__(self, read: Callable[[Sequence[K]], Awaitable[Sequence[T]]]) -> None:
        self._read = read
        self._waiting: list[_Asked[K, T]] = []
        self._is_reading = False

    async def get(self, key: K) -> T:
        """The answer to one question, as of a moment after it was asked; raises what the read raises."""
        asked: _Asked[K, T] = _Asked(key)
        self._waiting.append(asked)
        if self._is_reading:
            try:
                await asked.turn.wait()
            except BaseException:
                self._leave(asked)
                raise
        if not asked.answers and asked.error is None:
            await self._read_for_all()
        if asked.error is not None:
            raise asked.error
        return asked.answers[0]

    async def _read_for_all(self) -> None:
        self._is_reading = True
        asked = self._waiting[:GATHERED_MAX]
        del self._waiting[:GATHERED_MAX]
        try:
            with anyio.CancelScope(shield=True):  # others wait for it
                answers = await self._read([one.key for one in asked])
            for one, answer in zip(asked, answers, strict=True):
                one.answers.append(answer)
        except Exception as error:  # noqa: BLE001 - each of them is to hear of it
            for one in asked:
                one.error = error
        finally:
            for one in asked:
                one.turn.set()
            self._hand_on()

    def _hand_on(self) -> None:
        self._is_reading = bool(self._waiting)
        if self._waiting:
            self._waiting[0].turn.set()

    def _leave(self, asked: _Asked[K, T]) -> None:
        """Somebody waits no longer, perhaps the one whose turn it was to read."""
        if asked in self._waiting:
            self._waiting.remove(asked)
            if asked.turn.is_set():
                self._hand_on()
