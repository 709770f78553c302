"""What each operation of the wire does: one function an operation, and the table that names them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from kraty_actors.gateway.operations import (
    attempts,
    boards,
    corrections,
    inquiries,
    lobbies,
    money,
    players,
    previews,
    simulations,
    steering,
)

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection

Handler = Callable[["Connection", int, Any], Awaitable[None]]

HANDLERS: Mapping[str, Handler] = {
    "ping": attempts.ping,
    "events.list": attempts.events_list,
    "events.start": attempts.events_start,
    "events.finish": attempts.events_finish,
    "attempts.get": attempts.attempts_get,
    "boards.read": boards.boards_read,
    "boards.watch": boards.boards_watch,
    "boards.unwatch": boards.boards_unwatch,
    "boards.periods": boards.boards_periods,
    "lobbies.get": lobbies.lobbies_get,
    "lobbies.leave": lobbies.lobbies_leave,
    "lobbies.push": lobbies.lobbies_push,
    "lobbies.start": lobbies.lobbies_start,
    "wallet.get": money.wallet_get,
    "wallet.credit": money.wallet_credit,
    "wallet.debit": money.wallet_debit,
    "inventory.get": money.inventory_get,
    "inventory.grant": money.inventory_grant,
    "inventory.revoke": money.inventory_revoke,
    "grants.list": money.grants_list,
    "grants.claim": money.grants_claim,
    "grants.create": money.grants_create,
    "crates.open": money.crates_open,
    "profile.set": players.profile_set,
    "players.put": players.players_put,
    "players.get": players.players_get,
    "players.ban": players.players_ban,
    "players.unban": players.players_unban,
    "game.put": steering.game_put,
    "events.put": steering.events_put,
    "events.get": steering.events_get,
    "events.publish": steering.events_publish,
    "events.unpublish": steering.events_unpublish,
    "events.pause": steering.events_pause,
    "events.resume": steering.events_resume,
    "events.finalize": steering.events_finalize,
    "events.preview": previews.events_preview,
    "events.simulate": simulations.events_simulate,
    "events.explain": inquiries.events_explain,
    "windows.list": steering.windows_list,
    "windows.override": steering.windows_override,
    "windows.copyPrevious": steering.windows_copy_previous,
    "windows.cancel": steering.windows_cancel,
    "windows.extend": steering.windows_extend,
    "windows.report": steering.windows_report,
    "windows.correct": corrections.windows_correct,
    "attempts.forceComplete": steering.attempts_force_complete,
    "attempts.void": steering.attempts_void,
    "boards.put": steering.boards_put,
    "boards.archive": steering.boards_archive,
    "players.lookup": inquiries.players_lookup,
    "anomalies.list": inquiries.anomalies_list,
    "webhooks.dead": inquiries.webhooks_dead,
    "webhooks.replay": inquiries.webhooks_replay,
    "audit.list": inquiries.audit_list,
    "stats": inquiries.stats,
}

IN_ORDER = frozenset({"ping", "events.finish", "attempts.get", "boards.unwatch"})
"""Operations that are handed on before the connection's next request is read: replies on one attempt come in order."""

SEEN_THROUGH = frozenset(
    {
        "events.start",
        "wallet.credit",
        "wallet.debit",
        "inventory.grant",
        "inventory.revoke",
        "grants.claim",
        "grants.create",
        "crates.open",
        "attempts.void",
        "players.ban",
        "players.unban",
        "windows.correct",
    }
)
"""Operations of more than one step that go on to their end even if the peer hangs up meanwhile: a purse stays closed to
others until a debit is stored, and what is void is taken back."""

CAUSES_PUSHES = frozenset(
    {
        "events.start",
        "events.finalize",
        "events.pause",
        "events.resume",
        "lobbies.leave",
        "lobbies.push",
        "lobbies.start",
        "windows.cancel",
        "attempts.forceComplete",
        "attempts.void",
        "players.ban",
        "players.unban",
        "boards.put",
        "boards.archive",
    }
)
"""Operations that join several actors and of which one may push to the asker before the last has answered."""
