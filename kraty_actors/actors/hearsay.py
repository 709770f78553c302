"""Whether what actors have heard is what others have said: a journal that was changed alone contradicts its partners.

Of each message a number and 8 bytes are kept, so that a board of a million players takes some megabytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b

from kraty_actors.actors.records import pack
from kraty_actors.domain.outcome import Command


@dataclass(slots=True)
class Words:
    """Messages from one actor to another, in order."""

    numbers: array[int] = field(default_factory=lambda: array("q"))
    contents: array[int] = field(default_factory=lambda: array("Q"))

    def add(self, number: int, command: Command) -> None:
        digest = blake2b(pack(command.record()), digest_size=8).digest()
        self.numbers.append(number)
        self.contents.append(int.from_bytes(digest, "big"))


@dataclass(slots=True)
class Hearsay:
    """What was said by whom to whom, and what was heard of it."""

    _said: dict[tuple[str, str], Words] = field(default_factory=dict)
    _heard: dict[tuple[str, str], Words] = field(default_factory=dict)
    agreed: int = 0

    def said(self, source: str, to: str, number: int, command: Command) -> None:
        self._said.setdefault((source, to), Words()).add(number, command)

    def heard(self, source: str, to: str, number: int, command: Command) -> None:
        self._heard.setdefault((source, to), Words()).add(number, command)

    def settle(self, actor: str, other: str, *, is_over: bool) -> Iterator[str]:
        """Compare what passed between two actors once the journals of both were played, and forget it. What was said
        and not heard yet may be on its way; of what is not over the one may have been read before the other."""
        yield from self._compare(actor, other, is_over)
        yield from self._compare(other, actor, is_over)

    def _compare(self, source: str, to: str, is_over: bool) -> Iterator[str]:
        said, heard = self._said.pop((source, to), Words()), self._heard.pop((source, to), Words())
        known = len(heard.numbers) if is_over else min(len(heard.numbers), len(said.numbers))
        pairs = zip(said.numbers, said.contents, strict=True)
        for number, content in zip(heard.numbers[:known], heard.contents[:known], strict=True):
            if next(pairs, None) != (number, content):
                yield f"{to} heard message {number} of {source}, and {source} did not say that"
                return
            self.agreed += 1
