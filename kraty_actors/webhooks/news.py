"""What is worth telling outside (R-54), in the words of the wire, but for players: these are numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from kraty_actors.domain.attempt import COMPLETED, FORCE_COMPLETED, AttemptView
from kraty_actors.domain.catalogue import Catalogue
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import BanSet, Effect, Flagged, Notice
from kraty_actors.domain.shared_board_messages import PeriodClosed
from kraty_actors.domain.window_messages import FinalReport, WindowInfo
from kraty_actors.gateway import translate
from kraty_persistence import GrantClaimed, GrantCreated, GrantLapsed, GrantRow, LedgerRow, Occurred
from kraty_protocol.shapes import iso

Map = dict[str, Any]
Whom: TypeAlias = int | Sequence[int] | None
"""Who is meant: one number for `playerId`, several for `playerIds`, None for nobody in particular."""


@dataclass(frozen=True, slots=True)
class News:
    """One occurrence.

    Attributes:
        subject: What tells it from every other occurrence of its name.
        data: Makes what is told; called only if somebody listens.
    """

    name: str
    subject: tuple[object, ...]
    at: int
    data: Callable[[], Map]
    players: Whom = None


# -- what the rules say


def told(effects: Iterable[Effect], notices: Iterable[Notice], at: int, catalogue: Catalogue) -> Iterable[News]:
    """What an actor's rules said at `at` (ms). What they have the store write is not among it: see `written`."""
    for effect in effects:
        if isinstance(effect, Flagged):
            yield _flagged(effect)
    for notice in notices:
        match notice.push, notice.body:
            case "attempt.ended", AttemptView() as view if view.status in (COMPLETED, FORCE_COMPLETED):
                yield _attempt("event.attempt_completed", view, at)
            case "attempt.voided", AttemptView() as view:
                yield _attempt("attempt.voided", view, at)
            case "lobby.created" | "lobby.started" | "lobby.closed", LobbyView() as view:
                yield _lobby(notice.push, view, at)
            case "window.opened" | "window.closed", WindowInfo() as info:
                name = "event." + notice.push.replace(".", "_")
                yield News(name, (info.window_id,), at, partial(_window, info, catalogue))
            case "window.finalized", FinalReport() as final:
                yield News("event.finalized", (final.window_id,), at, partial(_final, final))
            case "board.period_closed", PeriodClosed() as period:
                yield News(notice.push, (period.board_id,), at, partial(_period, period))
            case "player.banned", BanSet() as ban:
                name = "player.banned" if ban.is_banned else "player.unbanned"
                yield News(name, (ban.player, at), at, partial(dict, reason=ban.reason), ban.player)


def _attempt(name: str, view: AttemptView, at: int) -> News:
    return News(name, (view.attempt_id,), at, lambda: {"attempt": translate.attempt(view)}, view.player)


def _lobby(name: str, view: LobbyView, at: int) -> News:
    return News(name, (view.lobby_id,), at, lambda: {"lobby": translate.lobby(view)}, sorted(view.players))


def _window(info: WindowInfo, catalogue: Catalogue) -> Map:
    """A window that has just opened may be missing in the picture: there it is one to come."""
    event, known = catalogue.events.get(info.event_key), catalogue.windows.get(info.window_id)
    override = None if known is None else known.override
    if known is None and event is not None and info.player is None:
        override = event.overrides.get(info.starts_at)
    metadata = {} if event is None else event.metadata()
    window = {
        "windowId": info.window_id,
        "eventKey": info.event_key,
        "startsAt": iso(info.starts_at),
        "endsAt": translate.instant(info.ends_at),
        "state": info.state,
        "metadata": {**metadata, **(override or {})},
        "override": override,
        "revision": info.revision,
    }
    return {"window": window}


def _final(final: FinalReport) -> Map:
    report = final.report
    return {
        "windowId": final.window_id,
        "eventKey": final.event_key,
        "participants": report.participants,
        "winners": report.winners,
        "paid": [{"currencyKey": key, "amount": amount} for key, amount in sorted(report.paid.items())],
        "remainder": report.remainder,
    }


def _period(period: PeriodClosed) -> Map:
    return {
        "boardKey": period.board_key,
        "startsAt": iso(period.starts_at),
        "endsAt": translate.instant(period.ends_at),
        "leaderboardId": period.board_id,
    }


def _flagged(effect: Flagged) -> News:
    def data() -> Map:
        return {
            "id": effect.anomaly_id,
            "eventKey": effect.event_key,
            "windowId": effect.window_id,
            "attemptId": effect.attempt_id,
            "validatorKey": effect.validator_key,
            "verdict": effect.verdict,
            "outcome": effect.outcome,
            "reason": effect.reason,
            "metricSnapshot": {"before": dict(effect.before), "after": dict(effect.after)},
            "occurredAt": iso(effect.at),
        }

    return News("event.attempt_flagged", (effect.anomaly_id,), effect.at, data, effect.player)


# -- what the store writes


def written(occurred: Occurred) -> News:
    """What the store wrote."""
    match occurred:
        case LedgerRow():
            return _of_ledger(occurred)
        case GrantCreated(grant):
            return _of_grant("grant.created", grant, grant.created_at)
        case GrantClaimed(grant):
            at = grant.created_at if grant.claimed_at is None else grant.claimed_at
            return _of_grant("grant.claimed", grant, at)
        case GrantLapsed(grant):
            at = grant.created_at if grant.expires_at is None else grant.expires_at
            return _of_grant("grant.expired", grant, at)


def _of_ledger(row: LedgerRow) -> News:
    is_currency = row.kind == "currency"
    name, held = ("wallet.changed", "balance") if is_currency else ("inventory.changed", "quantity")

    def data() -> Map:
        return {
            "key": row.resource,
            "delta": row.delta,
            held: row.balance,
            "reason": row.reason,
            "sourceRefId": row.source or None,
        }

    return News(name, (row.player, row.key, row.part), row.at, data, row.player)


def _of_grant(name: str, row: GrantRow, at: int) -> News:
    return News(name, (row.id,), at, lambda: {"grant": translate.grant(row, at)}, row.player)
