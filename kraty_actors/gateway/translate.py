"""From the rules' words to the wire's. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kraty_actors.actors.engine import Put
from kraty_actors.actors.gates import Listed
from kraty_actors.actors.players import Players
from kraty_actors.actors.records import unpack
from kraty_actors.definitions import EventDefinition, Fault, RewardPolicySharedPool
from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.bots import BotIdentity
from kraty_actors.domain.catalogue import EventView, WindowView
from kraty_actors.domain.contest_messages import BoardView, Standing
from kraty_actors.domain.ids import bot_public_id, window_of
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Pay, Refusal
from kraty_persistence import GrantRow, PlayerRow
from kraty_protocol.shapes import iso

Map = dict[str, Any]


def instant(at: int | None) -> str | None:
    return None if at is None else iso(at)


def attempt(view: AttemptView) -> Map:
    return {
        "attemptId": view.attempt_id,
        "eventKey": view.event_key,
        "windowId": window_of(view.contest_id),
        "leaderboardId": view.contest_id if view.has_board else None,
        "lobbyId": view.contest_id if view.in_lobby else None,
        "status": view.status,
        "metrics": view.metrics,
        "metricsRaw": view.metrics_raw,
        "score": view.score,
        "startedAt": iso(view.started_at),
        "endsAt": instant(view.ends_at),
        "completedAt": instant(view.completed_at),
        "lastSeq": view.last_seq,
    }


def started(view: AttemptView) -> Map:
    body = attempt(view)
    return {"attempt": body, "leaderboardId": body["leaderboardId"], "windowEndsAt": instant(view.window_ends_at)}


def written(answer: Written) -> Map:
    body: Map = {
        "attemptId": answer.attempt_id,
        "seq": answer.seq,
        "status": answer.status,
        "metrics": answer.metrics,
        "metricsRaw": answer.metrics_raw,
        "score": answer.score,
        "rank": answer.rank,
        "milestonesFired": [],
    }
    if answer.repeated:
        body["repeated"] = True
    return body


def refusal_details(refusal: Refusal) -> Map:
    details = dict(refusal.details)
    if isinstance(details.get("attempt"), AttemptView):
        details["attempt"] = attempt(details["attempt"])
    for name in ("opensAt", "resetsAt"):
        if name in details:
            details[name] = instant(details[name])
    return details


def lobby(view: LobbyView) -> Map:
    return {
        "id": view.lobby_id,
        "eventKey": view.event_key,
        "windowId": view.window_id,
        "key": None,
        "status": view.status,
        "capacity": view.capacity,
        "participantCount": view.participant_count,
        "botSlots": view.bot_slots,
        "fillBy": instant(view.fill_by),
        "leaderboardId": None if view.status == "forming" else view.lobby_id,
        "startedAt": instant(view.started_at),
        "endsAt": instant(view.ends_at),
        "metadata": {},
    }


def forming(view: LobbyView) -> Map:
    """The details of `lobby_forming`."""
    return {"lobbyId": view.lobby_id, "fillBy": instant(view.fill_by)}


def entry(standing: Standing, players: Players) -> Map:
    """A row without anything about who receives it; the players must have been fetched."""
    who = standing.bot or players.row(standing.participant)
    return {
        "participantId": bot_public_id(standing.participant) if isinstance(who, BotIdentity) else who.participant_id,
        "kind": "bot" if isinstance(who, BotIdentity) else "player",
        "name": who.name,
        "avatar": who.avatar,
        "country": who.country,
        "score": standing.score,
        "rank": standing.rank,
    }


def with_self(entries: Iterable[Map], player: PlayerRow | None) -> list[Map]:
    own = None if player is None else player.participant_id
    return [{**row, "isSelf": row["participantId"] == own} for row in entries]


def own_row(view: BoardView) -> Map | None:
    return None if view.viewer_rank is None else {"rank": view.viewer_rank, "score": view.viewer_score}


def board(view: BoardView, players: Players, player: PlayerRow | None) -> Map:
    return {
        "leaderboardId": view.contest_id,
        "mode": view.mode,
        "finalized": view.finalized,
        "version": view.version,
        "total": view.total,
        "entries": with_self([entry(standing, players) for standing in view.standings], player),
        "self": own_row(view),
    }


def window(view: WindowView, event: EventView, now: int) -> Map:
    return {
        "windowId": view.window_id,
        "eventKey": view.event_key,
        "startsAt": iso(view.starts_at),
        "endsAt": instant(view.ends_at),
        "state": view.state_at(now),
        "metadata": event.event.metadata,
        "override": None,
        "revision": view.revision,
    }


def grant(row: GrantRow, now: int) -> Map:
    return {
        "id": row.id,
        "kind": row.kind,
        "contents": {"entries": unpack(row.contents)},
        "sourceKind": row.source_kind,
        "sourceRefId": row.source_ref,
        "parentGrantId": row.parent,
        "status": row.status(now),
        "createdAt": iso(row.created_at),
        "expiresAt": instant(row.expires_at),
        "claimedAt": instant(row.claimed_at),
    }


def paid(pay: Pay) -> Map:
    """A grant that was written just now."""
    return {
        "id": pay.grant_id,
        "kind": "reward",
        "contents": {"entries": list(pay.entries)},
        "sourceKind": pay.source_kind,
        "sourceRefId": pay.source_ref,
        "parentGrantId": None,
        "status": "pending",
        "createdAt": iso(pay.at),
        "expiresAt": None,
        "claimedAt": None,
    }


def listing(listed: Listed) -> Map:
    view, current = listed.rules_event, listed.window
    return {
        "eventKey": view.key,
        "name": view.name,
        "windowId": current.window_id if current else None,
        "startsAt": instant(current.starts_at) if current else None,
        "endsAt": instant(current.ends_at) if current else None,
        "opensAt": instant(listed.opens_at),
        "leaderboardId": listed.leaderboard_id,
        "lobbyId": listed.lobby_id,
        "league": None,
        "currentAttemptId": listed.current_attempt_id,
        "type": view.type,
        "leaderboardMode": view.leaderboard.mode,
        "metrics": _metrics(view),
        "entryRequirement": view.entry_requirement.as_defined() if view.entry_requirement else None,
        "entryCost": None,
        "metadata": listed.event.event.metadata,
        "milestoneRewards": [],
        "rewardPolicy": _reward_policy(view),
        "requirementMet": listed.requirement_met,
        "affordable": True,
        "missing": [],
        "attemptsLeft": listed.attempts_left,
    }


def _metrics(event: EventDefinition) -> list[Map]:
    return [
        {
            "key": metric.key,
            "target": metric.target,
            "cap": metric.cap,
            "scorePerUnit": event.score_per_unit(metric),
            "capAtTarget": metric.cap_at_target,
            "resetOn": {"metricKey": metric.reset_on.metric_key} if metric.reset_on else None,
        }
        for metric in event.metrics
    ]


def _reward_policy(event: EventDefinition) -> Map:
    policy = event.reward_policy
    if isinstance(policy, RewardPolicySharedPool):
        parameters = policy.parameters
        return {"type": "shared_pool", "pool": parameters.pool, "currencyKey": parameters.currency_key}
    return {"type": policy.type}


def defined(event: EventView, warnings: Sequence[Fault]) -> Map:
    return {
        "event": event.event.as_defined(),
        "state": event.state,
        "revision": event.rules.revision,
        "warnings": faults(warnings),
    }


def put(result: Put) -> Map:
    changed = [{"kind": one.kind, "key": one.key, "revision": one.revision} for one in result.changed]
    return {"changed": changed, "warnings": faults(result.warnings)}


def faults(found: Iterable[Fault]) -> list[Mapping[str, str]]:
    return [{"path": fault.path, "message": fault.message} for fault in found]
