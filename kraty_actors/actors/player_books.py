"""The books of one player, and what does not add up in them by itself."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kraty_actors.actors.takings import credited
from kraty_persistence import AttemptRow, Books, Change, GrantRow, LedgerRow

CLAIM = "grant:"
"""Before a grant's id, in the ledger's key of what its claim has credited."""

_CHARGE = re.compile(r"entry:(w[a-z2-7]{16})(?::([1-9][0-9]*))?")
_REFUND = "refund:"


@dataclass(slots=True)
class PlayerBooks:
    """All that is written down of one player's money, at one moment; the ledger in its order."""

    player: int
    grants: list[GrantRow] = field(default_factory=list)
    ledger: list[LedgerRow] = field(default_factory=list)
    attempts: list[AttemptRow] = field(default_factory=list)


def split_books(books: Books | None) -> Iterator[PlayerBooks]:
    """One by one, those of whom there is anything."""
    found: dict[int, PlayerBooks] = {}
    if books is None:
        return
    for grant in books.grants:
        found.setdefault(grant.player, PlayerBooks(grant.player)).grants.append(grant)
    for row in books.ledger:
        found.setdefault(row.player, PlayerBooks(row.player)).ledger.append(row)
    for attempt in books.attempts:
        found.setdefault(attempt.player, PlayerBooks(attempt.player)).attempts.append(attempt)
    yield from found.values()


def charges_in(books: PlayerBooks) -> set[tuple[str, int]]:
    """What the player paid to enter: each window, and for which start in it."""
    found = (_CHARGE.fullmatch(row.key) for row in books.ledger)
    return {(match[1], int(match[2] or 1)) for match in found if match is not None}


def faults_of(books: PlayerBooks) -> Iterator[str]:
    """What is wrong, in words."""
    entries: defaultdict[str, list[LedgerRow]] = defaultdict(list)
    for row in books.ledger:
        entries[row.key].append(row)
    yield from _wrong_balances(books.ledger)
    yield from _wrong_claims(books.grants, entries)
    yield from _wrong_charges(charges_in(books), entries)


def _wrong_balances(ledger: Sequence[LedgerRow]) -> Iterator[str]:
    """R-40: each row says what there is after it, never less than nothing."""
    sums: Counter[tuple[str, str]] = Counter()
    for row in ledger:
        sums[row.kind, row.resource] += row.delta
        so_far = sums[row.kind, row.resource]
        if row.balance != so_far:
            yield f"{row.resource}: the ledger says {row.balance} after {row.key}, its rows come to {so_far}"
            sums[row.kind, row.resource] = row.balance
        if row.balance < 0:
            yield f"{row.resource}: {row.balance} after {row.key}"


def _wrong_claims(grants: Sequence[GrantRow], entries: dict[str, list[LedgerRow]]) -> Iterator[str]:
    """R-45: what was claimed was credited, once, and nothing else."""
    children: defaultdict[str, list[GrantRow]] = defaultdict(list)
    for grant in grants:
        if grant.parent is not None:
            children[grant.parent].append(grant)
    for grant in grants:
        due = credited(grant, children[grant.id])
        rows = entries.get(f"{CLAIM}{grant.id}", ())
        found = [Change(row.kind, row.resource, row.delta) for row in rows]
        if found != due:
            state = "claimed" if grant.claimed_at is not None else "not claimed"
            yield f"grant {grant.id} is {state}: {_said(due)} is due in the ledger, {_said(found)} is there"
    known = {f"{CLAIM}{grant.id}" for grant in grants}
    for key in entries:
        if key.startswith(CLAIM) and key not in known:
            yield f"the ledger has {key}, and there is no such grant"


def _wrong_charges(charges: set[tuple[str, int]], entries: dict[str, list[LedgerRow]]) -> Iterator[str]:
    """R-21, R-26: charges are numbered without gaps, and what is given back was paid."""
    last = Counter[str]()
    for window, nth in sorted(charges):
        last[window] += 1
        if nth != last[window]:
            yield f"the ledger has charge {nth} for window {window}, and not the one before it"
            last[window] = nth
    for key, rows in entries.items():
        if key.startswith(_REFUND):
            paid = entries.get(key.removeprefix(_REFUND), ())
            given, taken = [row.delta for row in rows], [-row.delta for row in paid]
            if len(given) != len(taken) or any(back > was for back, was in zip(given, taken, strict=True)):
                yield f"{key} gives back {given}, of {taken} that was paid"


def _said(changes: Sequence[Change]) -> str:
    return ", ".join(f"{change.delta} {change.key}" for change in changes) or "nothing"
