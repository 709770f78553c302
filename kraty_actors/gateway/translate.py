"""From the rules' words to the wire's. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kraty_actors.actors.effects import GrantTerms
from kraty_actors.actors.entrance import Declined
from kraty_actors.actors.players import Players
from kraty_actors.actors.publishing import Put
from kraty_actors.actors.records import unpack
from kraty_actors.definitions import Fault, SharedBoard
from kraty_actors.domain.attempt import AttemptView, FiredMilestone, Written
from kraty_actors.domain.board_shelf import SharedBoardView
from kraty_actors.domain.board_view import BoardView, Standing
from kraty_actors.domain.bots import BotIdentity
from kraty_actors.domain.catalogue import EventView, WindowView
from kraty_actors.domain.ids import bot_public_id, window_of
from kraty_actors.domain.lobby import LobbyView, Unmatched
from kraty_actors.domain.outcome import Pay, Refusal
from kraty_actors.domain.periods import Period
from kraty_persistence import Adjusted, Change, GrantRow, PlayerRow
from kraty_protocol.errors import Refused
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


def written(answer: Written, terms: GrantTerms) -> Map:
    body: Map = {
        "attemptId": answer.attempt_id,
        "seq": answer.seq,
        "status": answer.status,
        "metrics": answer.metrics,
        "metricsRaw": answer.metrics_raw,
        "score": answer.score,
        "rank": answer.rank,
        "milestonesFired": [_fired(one, terms) for one in answer.fired] if answer.fired else [],
    }
    if answer.repeated:
        body["repeated"] = True
    return body


def _fired(milestone: FiredMilestone, terms: GrantTerms) -> Map:
    return {"key": milestone.key, "grants": [paid(pay, terms) for pay in milestone.grants]}


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
        "key": view.key,
        "status": view.status,
        "capacity": view.capacity,
        "participantCount": view.participant_count,
        "botSlots": view.bot_slots,
        "fillBy": instant(view.fill_by),
        "leaderboardId": None if view.started_at is None else view.lobby_id,
        "startedAt": instant(view.started_at),
        "endsAt": instant(view.ends_at),
        "metadata": dict(view.metadata),
    }


def forming(view: LobbyView | Unmatched) -> Map:
    """The details of `lobby_forming`."""
    if isinstance(view, Unmatched):
        return {"lobbyId": None, "fillBy": None}
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
        "leaderboardId": view.board_id,
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
        "metadata": event.metadata(view),
        "override": view.override,
        "revision": view.revision,
    }


def periods(view: SharedBoardView) -> Map:
    """The periods of a shared board: the one that is open, and those that are over."""

    def shown(period: Period) -> Map:
        return {
            "startsAt": iso(period.starts_at),
            "endsAt": instant(period.ends_at),
            "leaderboardId": view.id_of(period.starts_at),
        }

    return {"current": shown(view.current), "periods": [shown(period) for period in view.past]}


def shared_board(definition: SharedBoard, warnings: Sequence[Fault]) -> Map:
    return {"leaderboard": definition.as_defined(), "warnings": faults(warnings)}


def player(row: PlayerRow, attributes: Mapping[str, Any]) -> Map:
    return {
        "player": {
            "playerId": row.player_id,
            "participantId": row.participant_id,
            "name": row.name,
            "avatar": row.avatar,
            "country": row.country,
            "attributes": dict(attributes),
            "banned": row.banned,
        }
    }


def adjusted(done: Adjusted, change: Change) -> Map:
    """What a balance is after a change, or was already."""
    held = "balance" if change.kind == "currency" else "quantity"
    return {"key": change.key, held: done.balances[0], "applied": done.applied}


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


def declined(seat: Declined) -> Map:
    """A seat in a lobby that was not taken up."""
    refusal = seat.refusal
    error = Refused(refusal.code, refusal.message, refusal_details(refusal))
    return {"eventKey": seat.event_key, "lobbyId": seat.lobby_id, "error": error.to_wire()}


def opened_crate(opened: tuple[GrantRow, Sequence[GrantRow]], now: int) -> Map:
    """A crate, what was in it, and the grants that came of it, that of the contents first."""
    crate, came_out = opened
    grants = [grant(row, now) for row in came_out]
    return {"crate": grant(crate, now), "contents": grants[0]["contents"], "grants": grants}


def paid(pay: Pay, terms: GrantTerms) -> Map:
    """A grant that was written just now."""
    is_claimed = terms.is_auto and pay.kind == "reward"
    return {
        "id": pay.grant_id,
        "kind": pay.kind,
        "contents": {"entries": list(pay.entries)},
        "sourceKind": pay.source_kind,
        "sourceRefId": pay.source_ref,
        "parentGrantId": pay.parent,
        "status": "claimed" if is_claimed else "pending",
        "createdAt": iso(pay.at),
        "expiresAt": instant(terms.expires_at(pay.at)),
        "claimedAt": iso(pay.at) if is_claimed else None,
    }


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
