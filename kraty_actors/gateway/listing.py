"""Listings as they travel (R-55): what an event shows to everyone is encoded once, the player's own part each time."""

from __future__ import annotations

from collections.abc import Iterable

from kraty_actors.actors.listing import Listed
from kraty_actors.definitions import (
    Entry,
    EventDefinition,
    RewardPolicyFixedBundle,
    RewardPolicyRankScaled,
    RewardPolicySharedPool,
)
from kraty_actors.domain.rules import Rules
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
        name = codec.subprotocol, listed.rules.event.key
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
    rules, current = listed.rules, listed.window
    view = rules.event
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
        "entryCost": _entry_cost(view),
        "metadata": listed.event.metadata(current),
        "milestoneRewards": _milestones(rules),
        "rewardPolicy": _reward_policy(rules),
    }


def _own(listed: Listed) -> Map:
    return {
        "opensAt": instant(listed.opens_at),
        "leaderboardId": listed.leaderboard_id,
        "lobbyId": listed.lobby_id,
        "league": listed.league,
        "currentAttemptId": listed.current_attempt_id,
        "requirementMet": listed.requirement_met,
        "affordable": not listed.missing,
        "missing": [{"resource": key, "needed": needed, "have": have} for key, needed, have in listed.missing],
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


def _entry_cost(event: EventDefinition) -> Map | None:
    cost = event.entry_cost
    if cost is None:
        return None
    return {
        "currencies": [{"key": one.key, "amount": one.amount} for one in cost.currencies],
        "items": [{"key": one.key, "quantity": one.quantity} for one in cost.items],
    }


def _milestones(rules: Rules) -> list[Map]:
    return [
        {
            "key": one.key,
            "metricKey": one.metric_key,
            "threshold": one.threshold,
            "entries": _entries(rules.milestone_entries(one)),
        }
        for one in rules.event.milestone_rewards
    ]


def _reward_policy(rules: Rules) -> Map:
    """The policy without its `parameters`, and with bundles in place of their names."""
    match rules.event.reward_policy:
        case RewardPolicySharedPool(parameters=parameters):
            return {"type": "shared_pool", "pool": parameters.pool, "currencyKey": parameters.currency_key}
        case RewardPolicyFixedBundle(parameters=parameters):
            return {"type": "fixed_bundle", "bundle": _bundle(rules, parameters.reward_bundle_id)}
        case RewardPolicyRankScaled(parameters=parameters):
            tiers = [
                {"fromRank": tier.from_rank, "toRank": tier.to_rank, "bundle": _bundle(rules, tier.reward_bundle_id)}
                for tier in parameters.tiers
            ]
            return {"type": "rank_scaled", "tiers": tiers}
    return {"type": "none"}


def _bundle(rules: Rules, name: str) -> Map:
    bundle = rules.bundles.bundle(name)
    return {"key": bundle.key, "name": bundle.name, "entries": _entries(bundle.entries)}


def _entries(entries: Iterable[Entry]) -> list[Map]:
    return [entry.as_defined() for entry in entries]
