"""The rules' effects as rows of the store."""

from __future__ import annotations

from typing import assert_never

from kraty_actors.actors.records import pack
from kraty_actors.domain.outcome import Audited, Completed, Effect, MovedLeague, Pay
from kraty_persistence import AuditEntry, Completion, LeagueMove, NewGrant
from kraty_persistence import Effect as StoredEffect


def stored(effect: Effect) -> StoredEffect:
    match effect:
        case Pay():
            return NewGrant(
                id=effect.grant_id,
                player=effect.player,
                kind=effect.kind,
                contents=pack(list(effect.entries)),
                source_kind=effect.source_kind,
                source_ref=effect.source_ref,
                parent=effect.parent,
                created_at=effect.at,
                expires_at=None,
            )
        case Completed():
            return Completion(effect.player, effect.event_key, effect.window_id)
        case MovedLeague():
            return LeagueMove(effect.player, effect.event_key, effect.league)
        case Audited():
            return AuditEntry(
                effect.at,
                effect.actor,
                effect.action,
                effect.subject,
                pack(effect.before),
                pack(effect.after),
            )
    assert_never(effect)
