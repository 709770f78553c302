"""What a reward comes to: bundles by name, and their entries rolled by the key of a grant (R-41).

A roll is a function of (entries, key), the same on every machine and Python version. Its chance is a row of 64-bit
words cut from SHAKE-256 over the key, taken in this order, entry by entry as they are defined: the entry's `chance`,
then its amount; for a table the number of rolls, then for each roll the line, that line's `chance` and its amount.
What can come out in one way only takes no word.
"""

from __future__ import annotations

import hashlib
import math
import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate

from kraty_actors.definitions import (
    Bundle,
    Entry,
    EventDefinition,
    GameFile,
    RewardPolicyFixedBundle,
    RewardPolicyRankScaled,
)
from kraty_actors.definitions.rewards import EntryCrate, EntryCurrency, EntryItem, EntryTable, PlainEntry, Range
from kraty_actors.domain.ids import digest_id
from kraty_actors.domain.outcome import Pay, Plain

_BLOCK = struct.Struct(">16Q")
"""As many words as one run of the hash yields."""


class Bundles(Mapping[str, Sequence[Entry]]):
    """The entries of bundles, by key and by id; never changed once made."""

    def __init__(self, bundles: Iterable[Bundle] = ()) -> None:
        self._bundles = {bundle.key: bundle for bundle in bundles}
        self._by_name = {name: one for one in self._bundles.values() for name in (one.id, one.key)}

    @classmethod
    def of(cls, game: GameFile) -> Bundles:
        """Every bundle of a game."""
        return cls(game.bundles)

    def __getitem__(self, name: str) -> Sequence[Entry]:
        return self._by_name[name].entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._bundles)

    def __len__(self) -> int:
        return len(self._bundles)

    def bundle(self, name: str) -> Bundle:
        """The bundle of that key or id, with its name for people."""
        return self._by_name[name]

    def of_event(self, event: EventDefinition) -> Bundles:
        """Only the bundles that an event pays, each once, in order of their keys."""
        found = {self._by_name[name].key for name in _paid_by(event) if name in self._by_name}
        return Bundles(self._bundles[key] for key in sorted(found))

    def dump(self) -> list[Plain]:
        return [bundle.as_defined() for bundle in self._bundles.values()]

    @classmethod
    def restored(cls, plain: Iterable[Plain]) -> Bundles:
        return cls(Bundle.model_validate(bundle) for bundle in plain)


def _paid_by(event: EventDefinition) -> Iterator[str]:
    """The names of the bundles in an event's reward policy and milestones."""
    match event.reward_policy:
        case RewardPolicyFixedBundle(parameters=fixed):
            yield fixed.reward_bundle_id
        case RewardPolicyRankScaled(parameters=scaled):
            yield from (tier.reward_bundle_id for tier in scaled.tiers)
    for milestone in event.milestone_rewards:
        if milestone.reward_bundle_id is not None:
            yield milestone.reward_bundle_id


@dataclass(slots=True, frozen=True)
class Loot:
    """What was rolled: `entries` as a grant's contents hold them, the item key of each single crate, and whether any
    of it could have come out otherwise."""

    entries: list[dict[str, Plain]] = field(default_factory=list)
    crates: list[str] = field(default_factory=list)
    sampled: bool = False


def roll(entries: Sequence[Entry], key: str) -> Loot:
    """Roll the entries of a bundle or a milestone; the same `key` rolls the same. What comes to 0 is left out."""
    words = _Words(key)
    rolled: list[dict[str, Plain]] = []
    crates: list[str] = []
    for entry in _given(entries, words):
        match entry:
            case EntryCurrency():
                amount = _amount(entry.amount, words)
                if amount:
                    rolled.append({"type": "currency", "currencyKey": entry.currency_key, "amount": amount})
            case EntryItem():
                quantity = _amount(entry.quantity, words)
                if quantity:
                    made = {"itemKey": entry.item_key, "quantity": quantity, "parameters": entry.parameters}
                    rolled.append({"type": "item", **made})
            case EntryCrate():
                crates += [entry.crate_item_key] * _amount(entry.quantity, words)
    return Loot(rolled, crates, words.is_used)


def grants_of(loot: Loot, *, grant_id: str, player: int, source_kind: str, source_ref: str, at: int) -> list[Pay]:
    """The reward, even where nothing was rolled, and after it each crate as a grant of its own."""
    reward = Pay(grant_id, player, loot.entries, source_kind, source_ref, at)
    if not loot.crates:
        return [reward]
    crates = [
        Pay(
            digest_id("g", grant_id, "crate", n),
            player,
            [crate(item_key)],
            source_kind,
            source_ref,
            at,
            kind="crate",
            parent=grant_id,
        )
        for n, item_key in enumerate(loot.crates)
    ]
    return [reward, *crates]


def crate(item_key: str) -> dict[str, Plain]:
    """The contents of a grant that is one crate."""
    return {"type": "crate", "crateItemKey": item_key, "quantity": 1}


def _given(entries: Sequence[Entry], words: _Words) -> Iterator[PlainEntry]:
    """The entries that their chances give, with what is drawn in the place of a table."""
    for entry in entries:
        if not _happens(entry.chance, words):
            continue
        if not isinstance(entry, EntryTable):
            yield entry
            continue
        upper_ends = _upper_ends(tuple(line.weight for line in entry.weighted_entries))
        for _ in range(_amount(entry.rolls, words)):
            line = entry.weighted_entries[bisect_right(upper_ends, words.below(upper_ends[-1]))]
            if _happens(line.entry.chance, words):
                yield line.entry


def _happens(chance: float, words: _Words) -> bool:
    if chance == 1:
        return True
    exact = _exact(chance)
    return words.below(exact.denominator) < exact.numerator


def _amount(amount: int | Range, words: _Words) -> int:
    if not isinstance(amount, Range):
        return amount
    return amount.min + amount.step * words.below((amount.max - amount.min) // amount.step + 1)


@lru_cache(maxsize=4096)
def _exact(number: float) -> Fraction:
    """The decimal that the author wrote: 0.1 is a tenth, not the nearest binary fraction."""
    return Fraction(repr(number))


@lru_cache(maxsize=4096)
def _upper_ends(weights: tuple[float, ...]) -> list[int]:
    """The lines of a table laid end to end, each as long as its weight, in the smallest whole numbers: where each
    line ends."""
    exact = [_exact(weight) for weight in weights]
    scale = math.lcm(*(weight.denominator for weight in exact))
    lengths = [int(weight * scale) for weight in exact]
    common = math.gcd(*lengths)
    return list(accumulate(length // common for length in lengths))


class _Words:
    """The chance of one roll; a function of its key."""

    __slots__ = ("_blocks", "_key", "_next", "_words")

    def __init__(self, key: str) -> None:
        self._key = b"loot\0" + key.encode()
        self._blocks = 0
        self._words: tuple[int, ...] = ()
        self._next = 0

    @property
    def is_used(self) -> bool:
        return self._blocks > 0

    def below(self, bound: int) -> int:
        """A number in 0 .. bound - 1, each as likely as any other: what would favour some of them is drawn again."""
        if bound == 1:
            return 0
        count = -(-(bound - 1).bit_length() // 64)
        span = 1 << 64 * count
        fair = span - span % bound
        while True:
            drawn = self._word()
            for _ in range(count - 1):
                drawn = drawn << 64 | self._word()
            if drawn < fair:
                return drawn % bound

    def _word(self) -> int:
        if self._next == len(self._words):
            block = hashlib.shake_256(self._key + self._blocks.to_bytes(8, "big")).digest(_BLOCK.size)
            self._words, self._next = _BLOCK.unpack(block), 0
            self._blocks += 1
        self._next += 1
        return self._words[self._next - 1]
