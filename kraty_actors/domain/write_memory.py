"""What an attempt remembers of its writes, so that the same one again has no second effect (R-15)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from itertools import islice
from typing import Literal

from kraty_actors.domain.outcome import Plain, Refusal

REMEMBERED = 32
"""Sequence numbers, and likewise idempotency keys, kept for each attempt."""

Number = int | float
Identity = int | str


def body_digest(changes: Mapping[str, Number], mode: str) -> int:
    """A short digest of a write's body: equal for equal values, whatever the order of its keys."""
    if len(changes) == 1:
        [(key, value)] = changes.items()
        return zlib.crc32(f"{mode} {key} {value!r}".encode())
    return zlib.crc32(f"{mode} {sorted(changes.items())}".encode())


class WriteMemory:
    """The last writes of one attempt by `seq`, and by idempotency key, each with its body's digest."""

    __slots__ = ("_keys", "_seqs", "forgotten", "last_seq", "newest")

    def __init__(self) -> None:
        self.last_seq = 0
        self.newest: Identity | None = None
        self.forgotten = False
        self._seqs: dict[int, int] = {}
        self._keys: dict[str, int] = {}

    def recall(self, identity: Identity | None, digest: int) -> Literal["new", "newest", "earlier"] | Refusal:
        """Whether a write is new; a refusal if its identity was used for another body or is behind."""
        if identity is None or (identity.__class__ is int and identity > self.last_seq):
            return "new"
        known = self._seqs.get(identity) if isinstance(identity, int) else self._keys.get(identity)
        if known is None:
            return self._behind(identity) if isinstance(identity, int) else "new"
        if known != digest:
            details = self._details(None) if isinstance(identity, int) else {}
            return Refusal("idempotency_conflict", f"{identity!r} was used for another write", details)
        return "newest" if identity == self.newest else "earlier"

    def remember(self, identity: Identity | None, digest: int) -> None:
        self.newest = identity
        if identity is None:
            return
        if isinstance(identity, int):
            self.last_seq = identity
            self._seqs[identity] = digest
            if len(self._seqs) > REMEMBERED:
                del self._seqs[next(iter(self._seqs))]
                self.forgotten = True
        else:
            self._keys[identity] = digest
            if len(self._keys) > REMEMBERED:
                del self._keys[next(iter(self._keys))]

    def _behind(self, seq: int) -> Refusal:
        oldest = next(iter(self._seqs))
        never_counted = not self.forgotten or seq > oldest
        what = "was never used" if never_counted else "is too old to tell"
        message = f"seq {seq} {what}, and {self.last_seq} is already used: send it under a higher one"
        return Refusal("idempotency_conflict", message, self._details(False if never_counted else None))

    def _details(self, applied: bool | None) -> dict[str, Plain]:
        return {"lastSeq": self.last_seq, "applied": applied}

    def dump(self) -> list[Plain]:
        seqs = list(islice(self._seqs.items(), REMEMBERED))
        return [self.last_seq, self.newest, self.forgotten, seqs, list(self._keys.items())]

    @classmethod
    def restored(cls, plain: list[Plain]) -> WriteMemory:
        memory = cls()
        memory.last_seq, memory.newest, memory.forgotten, seqs, keys = plain
        memory._seqs = dict(seqs)
        memory._keys = dict(keys)
        return memory
