"""The windows that the machine plays: events of every mode, with gates, limits, prices and prizes."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from kraty_actors.domain.conditions import CompletionWanted

PLAYERS = range(1, 8)
LEAGUES = ["bronze", "silver", "gold"]
BOT = {"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 3}}}
ENTRY = {
    "type": "not",
    "condition": {"type": "completed_event_at_least_once", "eventKey": "race", "within": "current_window"},
}
UNLOCK = {"type": "completed_event_at_least_once", "eventKey": "other"}
FACTS = {"other": CompletionWanted("other", False), "race": CompletionWanted("race", True)}
NUMBERS = st.sampled_from([0, 5, 10, 12.5, 30, 31, None])
VALUES = st.sampled_from([None, "NL", "1", 1, 1.0, True])
SHORT = ["cash", 5, 1]

players = st.sampled_from(PLAYERS)
shorts = st.sampled_from([None, None, None, SHORT])
prices = st.sampled_from([None, "window", "attempt", "attempt"])


@st.composite
def boards(draw: st.DrawFn, mode: str, bots: int) -> dict[str, Any]:
    """A leaderboard in JSON; where it has a capacity, one to five seats are for players."""
    board: dict[str, Any] = {"mode": mode}
    if mode == "segmented":
        board["leagues"] = LEAGUES[: draw(st.integers(1, 3))]
    if mode == "grouped":
        board["cohortBy"] = draw(st.sampled_from([None, "country"]))
    if mode in ("grouped", "lobby_matched") or (mode == "segmented" and draw(st.booleans())):
        board["capacity"] = bots + draw(st.integers(1 if bots else 2, 5))
    if mode == "lobby_matched":
        board["fillStrategy"] = draw(st.sampled_from(["start_short", "fill_with_bots", "wait_full"]))
        board["matchmaking"] = draw(st.sampled_from(["auto", "auto", "auto", "external"]))
        if draw(st.booleans()):
            widens = draw(st.sampled_from([0, 0.5, 10]))
            board["matchBy"] = {
                "attribute": "skill",
                "maxDifference": draw(st.sampled_from([0, 10])),
                "widenPerSecond": widens,
            }
    return board


@st.composite
def definitions(draw: st.DrawFn, modes: list[str]) -> dict[str, Any]:
    """An event of one of the modes, in JSON."""
    bots = draw(st.sampled_from([0, 0, 3]))
    mode = draw(st.sampled_from(modes))
    most = st.none() | st.integers(1, 3)
    price = draw(prices)
    replayable = price == "attempt" or draw(st.booleans())
    made = {
        "leaderboard": draw(boards(mode, bots)),
        "attempt": {
            "replayableDuringWindow": replayable,
            "maxAttempts": draw(most) if replayable else None,
            "maxDailyAttempts": draw(most),
        },
        "botBindings": [{"botId": "climber", "count": bots}] if bots else [],
    }
    if price is not None:
        made["entryCost"] = {"currencies": [{"key": "cash", "amount": 5}], "chargePer": price}
    if draw(st.integers(0, 3)) == 0:
        made["entryRequirement"] = ENTRY
    if draw(st.integers(0, 3)) == 0:
        made["unlockCondition"] = UNLOCK
    if draw(st.integers(0, 3)):
        pool = {"pool": draw(st.sampled_from([2, 7, 60, 10_000])), "currencyKey": "cash"}
        scope = draw(st.sampled_from(["window", "board"]))
        made["rewardPolicy"] = {"type": "shared_pool", "parameters": {**pool, "scope": scope}}
    return made
