"""What an attempt remembers of its writes, so that the same one again has no second effect (R-15)."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Mapping
from typing import Literal

from kraty_actors.domain.outcome import Plain, Refusal

REMEMBERED = 32
"""Sequence numbers, and likewise idempotency keys, kept for each attempt."""

DIGEST_BITS = 32
DIGEST_MASK = (1 << DIGEST_BITS) - 1

Number = int | float
Identity = int | str


def body_digest(changes: Mapping[str, Number], mode: str) -> int:
    """A short digest of a write's body: equal for equal values, whatever the order of its keys."""
    if len(changes) == 1:
        [(key, value)] = changes.items()
        return zlib.crc32(f"{mode} {key} {value!r}".encode())
    return zlib.crc32(f"{mode} {sorted(changes.items())}".encode())


class WriteMemory:
    """The last writes of one attempt by `seq`, and by idempotency key, each with its body's digest, and what those
    that were rejected were told (R-50)."""

    __slots__ = ("_keys", "_rejected", "_seqs", "forgotten", "last_seq", "newest")

    def __init__(self) -> None:
        self.last_seq = 0
        self.newest: Identity | None = None
        self.forgotten = False
        self._seqs: deque[int] = deque(maxlen=REMEMBERED)  # each seq << 32 | digest: half the memory of a dict
        self._keys: dict[str, int] = {}
        self._rejected: dict[Identity, list[str]] | None = None

    def recall(self, identity: Identity | None, digest: int) -> Literal["new", "newest", "earlier"] | Refusal:
        """Whether a write is new; a refusal if its identity was used for another body or is behind."""
        if identity is None or (identity.__class__ is int and identity > self.last_seq):
            return "new"
        known = self._digest_of(identity) if isinstance(identity, int) else self._keys.get(identity)
        if known is None:
            return self._behind(identity) if isinstance(identity, int) else "new"
        if known != digest:
            details = self._details(None) if isinstance(identity, int) else {}
            return Refusal("idempotency_conflict", f"{identity!r} was used for another write", details)
        if self._rejected is not None and identity in self._rejected:
            return rejection(*self._rejected[identity])
        return "newest" if identity == self.newest else "earlier"

    def remember(self, identity: Identity | None, digest: int, rejected: list[str] | None = None) -> None:
        """A write was applied, or rejected by a validator for a reason, as [validator_key, reason]."""
        self.newest = identity
        if rejected is not None and identity is not None:
            self._rejected = {**(self._rejected or {}), identity: rejected}
        if identity is None:
            return
        if isinstance(identity, int):
            self.last_seq = identity
            self.forgotten = len(self._seqs) == REMEMBERED
            self._seqs.append(identity << DIGEST_BITS | digest)
        else:
            self._keys[identity] = digest
            if len(self._keys) > REMEMBERED:
                del self._keys[next(iter(self._keys))]
        if self._rejected is not None:
            self._forget_rejected()

    def _forget_rejected(self) -> None:
        """Only of writes that are remembered themselves."""
        kept = {one >> DIGEST_BITS for one in self._seqs} | self._keys.keys()
        self._rejected = {identity: told for identity, told in (self._rejected or {}).items() if identity in kept}

    def _digest_of(self, seq: int) -> int | None:
        """Looked for one by one: only a write that is sent again asks."""
        return next((one & DIGEST_MASK for one in self._seqs if one >> DIGEST_BITS == seq), None)

    def _behind(self, seq: int) -> Refusal:
        oldest = self._seqs[0] >> DIGEST_BITS
        never_counted = not self.forgotten or seq > oldest
        what = "was never used" if never_counted else "is too old to tell"
        message = f"seq {seq} {what}, and {self.last_seq} is already used: send it under a higher one"
        return Refusal("idempotency_conflict", message, self._details(False if never_counted else None))

    def _details(self, applied: bool | None) -> dict[str, Plain]:
        return {"lastSeq": self.last_seq, "applied": applied}

    def dump(self) -> list[Plain]:
        seqs = [[one >> DIGEST_BITS, one & DIGEST_MASK] for one in self._seqs]
        rejected = [] if self._rejected is None else list(self._rejected.items())
        return [self.last_seq, self.newest, self.forgotten, seqs, list(self._keys.items()), rejected]

    @classmethod
    def restored(cls, plain: list[Plain]) -> WriteMemory:
        memory = cls()
        memory.last_seq, memory.newest, memory.forgotten, seqs, keys, rejected = plain
        memory._seqs.extend(seq << DIGEST_BITS | digest for seq, digest in seqs)
        memory._keys = dict(keys)
        memory._rejected = dict(rejected) if rejected else None
        return memory


def rejection(validator_key: str, reason: str) -> Refusal:
    """A validator does not let a write count (R-50)."""
    return Refusal("anti_cheat_rejected", reason, {"validatorKey": validator_key, "reason": reason})
