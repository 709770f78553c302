"""The chain of digests that runs through an actor's journal, so that whoever changes it without the key is found out.

Each record ends with an HMAC-SHA256, cut to 16 bytes, of the digest before it and of what the record says. The first
one follows from the actor's id and its number, so a record fits in one place of one journal only. Head and length are
kept with each checkpoint, apart from the journal and sealed by the same key: from then on the end cannot be cut off
either. Records of older programs have no digest; they come before all others.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from kraty_actors.actors.records import CHECKPOINT_FORMAT, DIGEST_BYTES, UnknownFormat, is_chained, pack, unpack

SEAL = "seal"
"""What the last part of a checkpoint begins with."""


class AlteredJournal(Exception):
    """A record, or a checkpoint, is not what was written.

    Attributes:
        actor: Whose it is.
        number: The first record of which this can be said, from 1 on.
    """

    def __init__(self, actor: str, number: int, what: str) -> None:
        super().__init__(f"the journal of {actor} was altered: {what}")
        self.actor = actor
        self.number = number
        self.what = what


@dataclass(slots=True)
class Chain:
    """How far a journal is chained: from the record `first` on (0: not at all), up to one with the digest `head`."""

    first: int = 0
    head: bytes = b""


@dataclass(slots=True, frozen=True)
class Seal:
    """What a checkpoint says of the journal: how far it covers it, and the chain up to there."""

    number: int
    first: int
    head: bytes
    mac: bytes


class Sealer:
    """Makes and checks digests with one key."""

    __slots__ = ("_keyed",)

    def __init__(self, key: bytes) -> None:
        self._keyed = hmac.new(key, digestmod="sha256")

    def add(self, chain: Chain, actor: str, number: int, body: bytes) -> bytes:
        """The record to write, with its digest; the chain goes on. Some two microseconds."""
        if not chain.first:
            chain.first, chain.head = number, self._origin(actor, number)
        chain.head = digest = self._digest(chain.head + body)
        return body + digest

    def check(self, chain: Chain, actor: str, number: int, record: bytes) -> None:
        """Follow the chain over a record that was read.

        Raises:
            AlteredJournal: It is not the one that was written there.
        """
        if not is_chained(record):
            if chain.first:
                raise AlteredJournal(actor, number, f"record {number} has no digest, and those before it have")
            return
        if not chain.first:
            chain.first, chain.head = number, self._origin(actor, number)
        digest = self._digest(chain.head + record[:-DIGEST_BYTES])
        if not hmac.compare_digest(digest, record[-DIGEST_BYTES:]):
            message = f"record {number} is not the one that was written there (or it was written with another key)"
            raise AlteredJournal(actor, number, message)
        chain.head = digest

    def seal(self, chain: Chain, actor: str, number: int, state: bytes) -> bytes:
        """The last part of a checkpoint; `state` is the digest of all parts before it."""
        return pack([SEAL, number, chain.first, chain.head, self._mac(actor, number, chain.first, chain.head, state)])

    def check_seal(self, seal: Seal, actor: str, parts: Iterable[bytes]) -> None:
        """Check a checkpoint of these parts, of which the seal was the last.

        Raises:
            AlteredJournal: It is not the one that was written.
        """
        state = sha256()
        for part in parts:
            state.update(part)
        if not hmac.compare_digest(seal.mac, self._mac(actor, seal.number, seal.first, seal.head, state.digest())):
            raise AlteredJournal(actor, seal.number, "its checkpoint is not the one that was written")

    def _origin(self, actor: str, number: int) -> bytes:
        return self._digest(f"journal\0{actor}\0{number}".encode())

    def _mac(self, actor: str, number: int, first: int, head: bytes, state: bytes) -> bytes:
        return self._digest(f"seal\0{actor}\0{number}\0{first}\0".encode() + head + state)

    def _digest(self, message: bytes) -> bytes:
        mac = self._keyed.copy()
        mac.update(message)
        return mac.digest()[:DIGEST_BYTES]


UNKEYED = Sealer(b"")
"""For actors of whom nothing has to be proven: anybody can make its digests."""


def read_seal(parts: Sequence[bytes]) -> Seal | None:
    """The seal of a checkpoint, its last part; one of an older program has none.

    Raises:
        UnknownFormat: It was written by a newer program, or can not be read at all.
    """
    try:
        version = unpack(parts[0])[0]
        if version == 1:
            return None
        if version in (2, CHECKPOINT_FORMAT):
            _, number, first, head, mac = unpack(parts[-1])
            return Seal(number, first, head, mac)
    except (ValueError, TypeError, IndexError) as error:
        raise UnknownFormat(f"a checkpoint can not be read: {error}") from error
    raise UnknownFormat(
        f"a checkpoint has format {version}; this program reads {CHECKPOINT_FORMAT}: upgrade kraty-actors"
    )
