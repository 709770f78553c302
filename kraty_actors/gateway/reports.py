"""What operators are told, in the wire's words."""

from __future__ import annotations

from kraty_actors.actors.inquiries import PLAYER_SUBJECT
from kraty_actors.actors.records import unpack
from kraty_actors.domain.preview import Preview, PreviewedMilestone
from kraty_actors.gateway.translate import Map
from kraty_persistence import AuditRow, PlayerRow
from kraty_protocol.shapes import iso


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
