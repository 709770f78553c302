"""What operators are told, in the wire's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kraty_actors.actors.close_report import CloseReport
from kraty_actors.actors.corrections import Correction, Plan
from kraty_actors.actors.inquiries import CORRECTION, LEFT_OUT, PLAYER_SUBJECT, Lookup, Trace, player_of
from kraty_actors.actors.records import unpack
from kraty_actors.actors.takings import entries_of
from kraty_actors.domain.preview import Preview, PreviewedMilestone
from kraty_actors.gateway import translate
from kraty_actors.gateway.translate import Map
from kraty_persistence import AnomalyRow, DeliveryRow, PlayerRow
from kraty_protocol.shapes import iso

CORRECTIONS_LISTED = 5_000
"""Players that an answer to `windows.correct` names; a frame of these is about two megabytes."""


def closed_window(made: CloseReport) -> Map:
    """How a window was settled, and whether that adds up."""
    return {
        "windowId": made.window_id,
        "eventKey": made.event_key,
        "participants": made.participants,
        "winners": made.winners,
        "grants": made.grants,
        "paid": [{"currencyKey": key, "amount": amount} for (_, key), amount in sorted(made.paid.items())],
        "remainder": made.remainder,
        "orphans": len(made.mismatches),
    }


def listed(plan: Plan, limit: int = CORRECTIONS_LISTED) -> list[Correction]:
    """The players of a plan who are named; those who only move up are the first to be left out."""
    some = [one for one in plan.corrections if one.changes_hands or one.is_left_out][:limit]
    movers = [one for one in plan.corrections if not (one.changes_hands or one.is_left_out)]
    return [*some, *movers[: limit - len(some)]]


def correction(plan: Plan, rows: Sequence[Correction], names: Mapping[int, str]) -> Map:
    """What a correction does, or has done; `names` has the own id of each player."""
    given, taken, owed = map(entries_of, plan.sums)
    return {
        "plan": [
            {
                "playerId": names[row.player],
                "rankBefore": row.rank_before,
                "rankAfter": row.rank_after,
                "grant": [entry for pay in row.give for entry in pay.entries],
                "take": entries_of(row.taken),
                "owed": entries_of(row.owed),
            }
            for row in rows
        ],
        "players": sum(1 for one in plan.corrections if one.changes_hands or one.is_left_out),
        "moved": plan.moved,
        "granted": given,
        "taken": taken,
        "owed": owed,
        "applied": plan.is_applied,
    }


def lookup(found: Lookup, player: PlayerRow, attributes: Mapping[str, Any], now: int) -> Map:
    """All there is about a player."""
    return {
        **translate.player(player, attributes),
        "attempts": [translate.attempt(view) for view in found.attempts],
        "grants": [translate.grant(row, now) for row in found.grants],
        "wallet": [{"key": key, "balance": held} for key, held in found.balances],
        "inventory": [{"key": key, "quantity": held} for key, held in found.inventory],
        "anomalies": [anomaly(row, player) for row in found.anomalies],
    }


def anomaly(row: AnomalyRow, player: PlayerRow) -> Map:
    """What a validator found."""
    return {
        "id": row.id,
        "playerId": player.player_id,
        "eventKey": row.event_key,
        "windowId": row.window_id,
        "attemptId": row.attempt_id,
        "validatorKey": row.validator,
        "verdict": row.verdict,
        "outcome": row.outcome,
        "reason": row.reason,
        "metricSnapshot": unpack(row.snapshot),
        "occurredAt": iso(row.at),
    }


def delivery(row: DeliveryRow) -> Map:
    """A call to a webhook that was given up."""
    return {
        "id": row.id,
        "webhookKey": row.endpoint,
        "eventName": row.name,
        "occurredAt": iso(row.at),
        "attempts": row.attempts,
        "error": row.error or None,
    }


def audit_row(trace: Trace) -> Map:
    """Who changed what; players are named by their own ids, as long as they have one."""
    row, number = trace.row, player_of(trace.row)
    known = None if number is None else trace.players.get(number)
    return {
        "id": str(row.number),
        "at": iso(row.at),
        "who": row.who,
        "action": row.action,
        "subject": row.subject if known is None else f"{PLAYER_SUBJECT}{known.player_id}",
        "before": _named(trace, row.before),
        "after": _named(trace, row.after),
    }


def _named(trace: Trace, state: bytes | None) -> Any:
    plain = None if state is None else unpack(state)
    if trace.row.action != CORRECTION or plain is None:
        return plain
    left_out = [trace.players[number].player_id for number in plain[LEFT_OUT] if number in trace.players]
    return {**plain, LEFT_OUT: left_out}


def preview(made: Preview) -> Map:
    """What metric values would come to; a milestone says only where chance had a part in it that it did."""
    return {
        "score": made.score,
        "metrics": dict(made.metrics),
        "metricsRaw": dict(made.metrics_raw),
        "completed": made.completed,
        "milestones": [_milestone(one) for one in made.milestones],
        "grants": [
            {
                "kind": one.kind,
                "sourceKind": one.source_kind,
                "contents": {"entries": list(one.entries)},
                "sampled": one.sampled,
            }
            for one in made.grants
        ],
    }


def _milestone(fired: PreviewedMilestone) -> Map:
    body: Map = {"key": fired.key, "entries": list(fired.entries)}
    return {**body, "sampled": True} if fired.sampled else body
