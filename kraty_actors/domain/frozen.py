"""A table as it stood at one moment, read part by part while it goes on changing.

A checkpoint of a million entries takes seconds, and must show the moment of one batch. So whoever is about to change an
entry has it kept first, as it was: what is dear is paid only for what is touched before its turn comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from kraty_actors.domain.outcome import Plain

K = TypeVar("K")


class Frozen(Generic[K]):
    """Entries by key. `plain` gives one as it is; None where there is none."""

    __slots__ = ("_kept", "_plain")

    def __init__(self, plain: Callable[[K], Plain]) -> None:
        self._plain = plain
        self._kept: dict[K, Plain] = {}

    def keep(self, key: K) -> None:
        """An entry is about to change, to come or to go."""
        if key not in self._kept:
            self._kept[key] = self._plain(key)

    def entries(self, keys: Iterable[K]) -> list[Plain]:
        """Those of some keys, each of which may be asked for once."""
        kept, plain = self._kept, self._plain
        entries = (kept.pop(key) if key in kept else plain(key) for key in keys)
        return [entry for entry in entries if entry is not None]


def in_parts(keys: Sequence[K], size: int) -> Iterator[Sequence[K]]:
    """The keys that there are now, so many at a time; more may be added behind them meanwhile."""
    starts = range(0, len(keys), size)
    return (keys[start : min(start + size, starts.stop)] for start in starts)


class Arrivals(Generic[K]):
    """Keys in the order in which they came, to be read while more come; who left and comes again is the last."""

    __slots__ = ("_left", "order")

    def __init__(self, keys: Iterable[K] = ()) -> None:
        self.order = list(keys)
        self._left: set[K] = set()

    def came(self, key: K) -> None:
        """A key that is not there now has come."""
        if key in self._left:
            self._forget_left()
        self.order.append(key)

    def left(self, key: K) -> None:
        """A key has left; for a while it still stands in the order."""
        self._left.add(key)
        if 2 * len(self._left) > len(self.order):
            self._forget_left()

    def _forget_left(self) -> None:
        """In a new list, for somebody may be reading the old one."""
        self.order = [key for key in self.order if key not in self._left]
        self._left.clear()
