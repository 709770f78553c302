"""An explanation as it travels, and in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kraty_actors.actors.explained import Decision, Explanation, Moment, Place
from kraty_actors.actors.players import Players
from kraty_actors.actors.takings import entries_of
from kraty_actors.domain.ids import bot_public_id
from kraty_actors.gateway import translate
from kraty_protocol.shapes import iso

Map = dict[str, Any]


def players_in(made: Explanation) -> set[int]:
    """The players whom it names."""
    return {made.player, *(place.participant for place in made.places if place.bot is None)}


def explanation(made: Explanation, players: Players) -> Map:
    """The answer to `events.explain`; the players must have been fetched."""
    return {
        "windowId": made.window_id,
        "eventKey": made.event_key,
        "playerId": players.row(made.player).player_id,
        "at": iso(made.at),
        "state": made.stage,
        "leaderboardId": made.contest_id if made.has_board else None,
        "total": made.total,
        "hidden": made.is_hidden,
        "self": None if made.own is None else _place(made.own, made, players),
        "entries": [_place(place, made, players) for place in made.places],
        "above": _decision(made.above, made, players, is_above=True),
        "below": _decision(made.below, made, players, is_above=False),
        "attempts": list(map(translate.attempt, made.attempts)),
        "history": list(map(_moment, made.moments)),
        "historyCount": made.moment_count,
        "curve": [{"at": iso(one.at), "score": one.score, "rank": one.rank} for one in made.curve],
    }


def _place(place: Place, made: Explanation, players: Players) -> Map:
    row = None if place.bot is not None else players.row(place.participant)
    return {
        "rank": place.rank,
        "participantId": bot_public_id(place.participant) if row is None else row.participant_id,
        "playerId": None if row is None else row.player_id,
        "kind": "bot" if row is None else "player",
        "name": place.bot.name if place.bot is not None else row and row.name,
        "score": place.score,
        "since": iso(place.since),
        "isSelf": place.participant == made.player,
    }


def _decision(decision: Decision | None, made: Explanation, players: Players, *, is_above: bool) -> Map | None:
    if decision is None or made.own is None:
        return None
    place = _place(decision.place, made, players)
    by = decision.by / 1000 if decision.rule == "earlier" and decision.by is not None else decision.by
    better = "they" if is_above else "the player"
    match decision.rule:
        case "score":
            text = f"{better} had the better score, by {by:.15g}"
        case "players_first":
            text = "same score: players stand before bots"
        case "earlier":
            text = f"same score: {better} reached it {by:g} s earlier"
        case "order":
            text = f"same score, reached in the same instant: {better} came first in order"
    named = {"participantId": place["participantId"], "rank": decision.place.rank}
    return {**named, "rule": decision.rule, "by": by, "text": text}


def _moment(one: Moment) -> Map:
    made: Map = {
        "at": iso(one.at),
        "what": one.what,
        "attemptId": one.attempt_id,
        "status": one.status,
        "score": one.score,
        "rank": one.rank,
    }
    if one.given is not None:
        made |= {
            "mode": one.mode,
            "given": one.given,
            "metrics": one.metrics,
            "metricsRaw": one.metrics_raw,
            "resets": one.resets,
            "capped": one.capped,
            "findings": [
                {"validatorKey": key, "verdict": verdict, "reason": reason} for key, verdict, reason in one.findings
            ],
            "milestones": one.milestones,
        }
    if one.costs:
        made["costs"] = entries_of({(cost.kind, cost.key): cost.amount for cost in one.costs})
    if one.pays:
        made["grants"] = [
            {"id": pay.grant_id, "kind": pay.kind, "sourceKind": pay.source_kind,
             "contents": {"entries": list(pay.entries)}}
            for pay in one.pays
        ]  # fmt: skip
    return made


# -- in words


def lines(made: Map) -> Iterator[str]:
    """An explanation that travelled, one fact a line."""
    yield f"window: {made['windowId']} of {made['eventKey']}, {made['state']}"
    yield f"player: {made['playerId']}"
    yield f"at: {made['at']}"
    own = made["self"]
    if own is not None:
        yield f"rank: {own['rank']} of {made['total']}, with {own['score']} since {own['since']}"
    else:
        yield "rank: none" + (": the player is banned, the row is hidden" if made["hidden"] else "")
    for word, name in (("above", "above"), ("below", "below")):
        decision = made[name]
        if decision is not None:
            place = next(one for one in made["entries"] if one["rank"] == decision["rank"])
            yield f"{word}: {place['rank']}. {_name(place)} with {place['score']}: {decision['text']}"
    if made["entries"]:
        yield "board:"
    for place in made["entries"]:
        mark = ">" if place["isSelf"] else " "
        yield f"{mark} {place['rank']}. {_name(place)}: {place['score']} since {place['since']}"
    if made["historyCount"]:
        yield f"history ({len(made['history'])} of {made['historyCount']}):"
    for moment in made["history"]:
        yield f"  {moment['at']} {' '.join(_told(moment))}"


def _name(place: Map) -> str:
    if place["kind"] == "bot":
        return f"{place['name']} (bot)"
    return str(place["playerId"])


def _told(moment: Map) -> Iterator[str]:
    yield str(moment["what"])
    if moment["attemptId"] is not None:
        yield str(moment["attemptId"])
    if "given" in moment:
        sign = "=" if moment["mode"] == "set" else "+"
        yield ", ".join(f"{key} {sign}{value}" for key, value in moment["given"].items())
        for key in moment["resets"]:
            yield f"[{key} was reset]"
        for key in moment["capped"]:
            yield f"[{key} counts {moment['metrics'][key]} of {moment['metricsRaw'][key]}]"
        for one in moment["findings"]:
            yield f"[{one['verdict']} by {one['validatorKey']}: {one['reason']}]"
        for key in moment["milestones"]:
            yield f"[milestone {key}]"
    if moment["score"] is not None:
        yield f"-> score {moment['score']}"
    if moment["rank"] is not None:
        yield f"rank {moment['rank']}"
    if moment["status"] not in (None, "in_progress"):
        yield str(moment["status"])
    yield from (f"cost {_entry(one)}" for one in moment.get("costs", ()))
    yield from (f"granted {_entry(one)}" for grant in moment.get("grants", ()) for one in grant["contents"]["entries"])


def _entry(entry: Map) -> str:
    match entry["type"]:
        case "currency":
            return f"{entry['amount']} {entry['currencyKey']}"
        case "item":
            return f"{entry['quantity']} {entry['itemKey']}"
    return f"{entry['quantity']} {entry['crateItemKey']} (crate)"
