"""What the rules say happened, as rows of the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

from kraty_actors.actors.records import pack
from kraty_actors.definitions import GameFile
from kraty_actors.domain.outcome import (
    Audited,
    BanSet,
    Charged,
    Completed,
    Effect,
    Flagged,
    MovedLeague,
    Notice,
    Pay,
    Plain,
    Refunded,
    Started,
)
from kraty_persistence import (
    AnomalyRow,
    AttemptRow,
    AuditEntry,
    Ban,
    Change,
    Charge,
    Completion,
    Delivery,
    LeagueMove,
    NewGrant,
    Refund,
)
from kraty_persistence import Effect as StoredEffect

DAY_MS = 86_400_000

ENTRY_COST = "entry_cost"
"""Why the ledger says a start was paid for."""

Deliveries = Callable[[Sequence[Effect], Sequence[Notice], int], Sequence[Delivery]]


@dataclass(slots=True, frozen=True)
class GrantTerms:
    """How grants reach players (R-45): credited at once or to be claimed, and for how long that is."""

    is_auto: bool = False
    ttl_ms: int | None = None

    @classmethod
    def of(cls, game: GameFile | None) -> GrantTerms:
        if game is None:
            return cls()
        settings = game.settings.grants
        return cls(settings.delivery == "auto", settings.ttl_days and settings.ttl_days * DAY_MS)

    def expires_at(self, at: int) -> int | None:
        """When a grant that is created at an instant can be claimed no more."""
        return None if self.ttl_ms is None else at + self.ttl_ms


class Recorder:
    """Turns what a batch led to into rows. `deliveries` adds those of the outbox, for whoever listens outside."""

    def __init__(self) -> None:
        self.terms = GrantTerms()
        self.deliveries: Deliveries = _nothing

    def rows(self, effects: Sequence[Effect], notices: Sequence[Notice], at: int) -> tuple[StoredEffect, ...]:
        if not effects and not notices:
            return ()
        rows: list[StoredEffect] = [self._row(effect) for effect in effects]
        rows += self.deliveries(effects, notices, at)
        return tuple(rows)

    def _row(self, effect: Effect) -> StoredEffect:
        match effect:
            case Pay():
                return new_grant(effect, self.terms)
            case Completed():
                return Completion(effect.player, effect.event_key, effect.window_id)
            case MovedLeague():
                return LeagueMove(effect.player, effect.event_key, effect.league)
            case Started():
                return AttemptRow(effect.player, effect.attempt_id, effect.event_key, effect.at)
            case Charged():
                costs = tuple(Change(cost.kind, cost.key, -cost.amount) for cost in effect.costs)
                return Charge(effect.player, effect.charge, costs, ENTRY_COST, effect.source, effect.at)
            case Refunded():
                return Refund(effect.player, effect.charge, effect.source, effect.at)
            case Flagged():
                return anomaly_row(effect)
            case BanSet():
                return Ban(effect.player, effect.is_banned)
            case Audited():
                before, after = pack(effect.before), pack(effect.after)
                return AuditEntry(effect.at, effect.actor, effect.action, effect.subject, before, after)
        assert_never(effect)


def new_grant(pay: Pay, terms: GrantTerms) -> NewGrant:
    """A grant to be written. A crate is opened, not credited."""
    is_credited = terms.is_auto and pay.kind == "reward"
    return NewGrant(
        id=pay.grant_id,
        player=pay.player,
        kind=pay.kind,
        contents=pack(list(pay.entries)),
        source_kind=pay.source_kind,
        source_ref=pay.source_ref,
        parent=pay.parent,
        created_at=pay.at,
        expires_at=terms.expires_at(pay.at),
        deliver=tuple(credits_of(pay.entries)) if is_credited else None,
    )


def credits_of(entries: Sequence[Plain]) -> list[Change]:
    """What a grant's contents add to wallet and inventory; a crate adds nothing by itself."""
    found = []
    for entry in entries:
        match entry["type"]:
            case "currency":
                found.append(Change("currency", entry["currencyKey"], entry["amount"]))
            case "item":
                found.append(Change("item", entry["itemKey"], entry["quantity"]))
    return found


def anomaly_row(effect: Flagged) -> AnomalyRow:
    """What a validator found, to be written."""
    return AnomalyRow(
        id=effect.anomaly_id,
        player=effect.player,
        event_key=effect.event_key,
        window_id=effect.window_id,
        attempt_id=effect.attempt_id,
        validator=effect.validator_key,
        verdict=effect.verdict,
        outcome=effect.outcome,
        reason=effect.reason,
        snapshot=pack({"before": dict(effect.before), "after": dict(effect.after)}),
        at=effect.at,
    )


def _nothing(effects: Sequence[Effect], notices: Sequence[Notice], at: int) -> Sequence[Delivery]:
    return ()
