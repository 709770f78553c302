"""Listings as they travel (R-55): what an event shows to everyone is encoded once, the player's own part each time."""

from __future__ import annotations

from collections.abc import Iterable

from kraty_actors.actors.listing import Listed
from kraty_actors.definitions import EventDefinition, RewardPolicySharedPool
from kraty_actors.gateway.translate import Map, instant
from kraty_protocol import parts
from kraty_protocol.codec import Codec


class ListingFrames:
    """Keeps the encoded parts of one server; a part is made anew when its event or window is replaced."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], tuple[Listed, parts.Part]] = {}

    def reply(self, codec: Codec, request_id: int, found: Iterable[Listed]) -> bytes:
        """The frame that answers `events.list`."""
        name = codec.subprotocol
        listings = [one.encoded.get(name) or self._encode(codec, one) for one in found]
        ok = parts.map_of(codec, [parts.named(codec, "events", parts.list_of(codec, listings))])
        return parts.reply(codec, request_id, ok)

    def _encode(self, codec: Codec, listed: Listed) -> bytes:
        encoded = parts.map_of(codec, [self._for_all(codec, listed), parts.part(codec, _own(listed))])
        if listed.is_for_all:
            listed.encoded[codec.subprotocol] = encoded
        return encoded

    def _for_all(self, codec: Codec, listed: Listed) -> parts.Part:
        name = codec.subprotocol, listed.rules_event.key
        kept = self._kept.get(name)
        if kept is None or kept[0].event is not listed.event or kept[0].window is not listed.window:
            kept = listed, parts.part(codec, _for_all(listed))
            if not listed.event.is_per_player:
                self._kept[name] = kept
        return kept[1]


def listing(listed: Listed) -> Map:
    """One listing as a map."""
    return _for_all(listed) | _own(listed)


def _for_all(listed: Listed) -> Map:
    view, current = listed.rules_event, listed.window
    return {
        "eventKey": view.key,
        "name": view.name,
        "windowId": current.window_id if current else None,
        "startsAt": instant(current.starts_at) if current else None,
        "endsAt": instant(current.ends_at) if current else None,
        "type": view.type,
        "leaderboardMode": view.leaderboard.mode,
        "metrics": _metrics(view),
        "entryRequirement": view.entry_requirement.as_defined() if view.entry_requirement else None,
        "entryCost": None,
        "metadata": listed.event.metadata(current),
        "milestoneRewards": [],
        "rewardPolicy": _reward_policy(view),
    }


def _own(listed: Listed) -> Map:
    return {
        "opensAt": instant(listed.opens_at),
        "leaderboardId": listed.leaderboard_id,
        "lobbyId": listed.lobby_id,
        "league": listed.league,
        "currentAttemptId": listed.current_attempt_id,
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
