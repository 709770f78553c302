"""What grants are worth, and what taking them back comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from kraty_actors.actors.effects import credits_of
from kraty_actors.actors.records import unpack
from kraty_actors.domain.loot import crate
from kraty_actors.domain.outcome import Plain
from kraty_persistence import Change, Dossier, GrantRow

CRATE_OPEN = "crate_open"

Amounts: TypeAlias = Counter[tuple[str, str]]
"""How much of what, by kind (`currency`, `item` or `crate`) and key."""


def amounts_of(contents: Iterable[Iterable[Plain]]) -> Amounts:
    """What some grants hold."""
    found: Amounts = Counter()
    for entry in (entry for entries in contents for entry in entries):
        match entry["type"]:
            case "currency":
                found["currency", entry["currencyKey"]] += entry["amount"]
            case "item":
                found["item", entry["itemKey"]] += entry["quantity"]
            case "crate":
                found["crate", entry["crateItemKey"]] += entry["quantity"]
    return found


def summed(changes: Iterable[Change]) -> Amounts:
    found: Amounts = Counter()
    for change in changes:
        found[change.kind, change.key] += change.delta
    return found


def entries_of(amounts: Mapping[tuple[str, str], int]) -> list[Plain]:
    """The same as the entries of a grant, in order."""
    return [_entry(kind, key, amount) for (kind, key), amount in sorted(amounts.items()) if amount]


def _entry(kind: str, key: str, amount: int) -> Plain:
    match kind:
        case "currency":
            return {"type": "currency", "currencyKey": key, "amount": amount}
        case "item":
            return {"type": "item", "itemKey": key, "quantity": amount, "parameters": {}}
    return {**crate(key), "quantity": amount}


def credited(grant: GrantRow, children: Iterable[GrantRow]) -> list[Change]:
    """What the claim of a grant has added to wallet and inventory, if it was claimed: what is in it, or of a crate what
    came out when it was opened. What comes out of a crate is claimed as it comes, and adds nothing again."""
    if grant.claimed_at is None or (grant.source_kind == CRATE_OPEN and grant.kind == "reward"):
        return []
    if grant.kind != "crate":
        return credits_of(unpack(grant.contents))
    opened = [row for row in children if row.parent == grant.id and row.source_kind == CRATE_OPEN]
    return [change for row in opened if row.kind == "reward" for change in credits_of(unpack(row.contents))]


def foretold(take: Sequence[GrantRow], holdings: Dossier) -> tuple[Amounts, Amounts]:
    """What would be taken and what would be owed, if these were taken back from a player who holds this. Unclaimed
    ones are taken as they are."""
    have: Amounts = Counter()
    have.update({("currency", key): amount for key, amount in holdings.balances.items()})
    have.update({("item", key): amount for key, amount in holdings.inventory.items()})
    taken = unclaimed(take)
    wanted = summed(change for row in take for change in credited(row, take))
    there = wanted & have
    return taken + there, wanted - there


def unclaimed(take: Sequence[GrantRow]) -> Amounts:
    """What those of some grants hold that nobody has claimed."""
    return amounts_of(unpack(row.contents) for row in take if row.claimed_at is None)
