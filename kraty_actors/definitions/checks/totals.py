"""The most that one roll of entries can come to must fit into a grant, and its sums into a balance (R-40, R-41)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from kraty_actors.definitions.findings import Place
from kraty_actors.definitions.references import Scope
from kraty_actors.definitions.rewards import MAX_ROLLED, Entry, EntryCrate, EntryCurrency, EntryTable, PlainEntry, Range
from kraty_actors.definitions.scalars import MAX_WHOLE

_ENTRIES, _CRATES = ("entries", ""), ("crates", "")

Totals = Counter[tuple[str, str]]
"""How much of each resource, by kind and key, and how many entries and crates."""


def check_totals(entries: Sequence[Entry], place: Place, scope: Scope) -> None:
    """Judge the largest roll: every chance hits, every range is at its end, every table draws its largest line."""
    totals: Totals = Counter()
    for entry in entries:
        totals.update(_most(entry, scope))
    because = [place]
    for (kind, key), most in totals.items():
        if (kind, key) in (_ENTRIES, _CRATES):
            if most > MAX_ROLLED:
                place.fault(f"may come to {most} {kind}, of at most {MAX_ROLLED}", because)
        elif most > MAX_WHOLE:
            place.fault(f"may come to {most} of {kind} '{key}', of at most 2^53 - 1", because)


def _most(entry: Entry, scope: Scope) -> Totals:
    if isinstance(entry, EntryTable):
        rolls = _largest(entry.rolls)
        lines = [_of_plain(line.entry, scope) for line in entry.weighted_entries]
        return Counter({what: rolls * most for what, most in _largest_of_each(lines).items()})
    return _of_plain(entry, scope)


def _of_plain(entry: PlainEntry, scope: Scope) -> Totals:
    match entry:
        case EntryCurrency():
            key = scope["currencies"].keys.get(entry.currency_key, entry.currency_key)
            return Counter({_ENTRIES: 1, ("currency", key): _largest(entry.amount)})
        case EntryCrate():
            return Counter({_CRATES: _largest(entry.quantity)})
        case _:
            key = scope["items"].keys.get(entry.item_key, entry.item_key)
            return Counter({_ENTRIES: 1, ("item", key): _largest(entry.quantity)})


def _largest_of_each(lines: Iterable[Totals]) -> Totals:
    found: Totals = Counter()
    for line in lines:
        found |= line
    return found


def _largest(amount: int | Range) -> int:
    return amount.max if isinstance(amount, Range) else amount
