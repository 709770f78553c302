"""What operators are told, in the wire's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kraty_actors.actors.inquiries import PLAYER_SUBJECT, Lookup
from kraty_actors.actors.records import unpack
from kraty_actors.domain.preview import Preview, PreviewedMilestone
from kraty_actors.gateway import translate
from kraty_actors.gateway.translate import Map
from kraty_persistence import AnomalyRow, AuditRow, DeliveryRow, PlayerRow
from kraty_protocol.shapes import iso


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


def audit_row(row: AuditRow, player: PlayerRow | None) -> Map:
    """Who changed what; a player is named by their own id, as long as they have one."""
    return {
        "id": str(row.number),
        "at": iso(row.at),
        "who": row.who,
        "action": row.action,
        "subject": row.subject if player is None else f"{PLAYER_SUBJECT}{player.player_id}",
        "before": None if row.before is None else unpack(row.before),
        "after": None if row.after is None else unpack(row.after),
    }


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
