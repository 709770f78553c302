"""A game with something of everything in its database, played by hand; and what it looks like to its players.

`python tests/golden/golden_game.py` writes the database of the version that is installed, at each release; what was
written once is never changed.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import anyio

from kraty_actors import Game, Refused, open_game
from kraty_actors.testing import ManualClock
from kraty_protocol.shapes import parse_iso

HERE = Path(__file__).parent
NOON = parse_iso("2027-03-01T12:00:00Z")
MINUTE = 60_000
END = NOON + 30 * MINUTE
"""Where it is left: the cup is over and paid, all else goes on."""

CASH = {"type": "currency", "currencyKey": "cash"}
GAME: dict[str, Any] = {
    "gameId": "golden",
    "settings": {"seed": 5, "botTickSeconds": 5},
    "currencies": [{"key": "cash"}],
    "items": [{"key": "bow"}, {"key": "chest", "crateBundleId": "loot"}],
    "bundles": [
        {"key": "loot", "entries": [{"type": "item", "itemKey": "bow", "quantity": {"min": 1, "max": 9}}]},
        {"key": "prize", "entries": [{**CASH, "amount": 50}, {"type": "crate", "crateItemKey": "chest"}]},
    ],
    "bots": [
        {"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 4}}},
        {
            "key": "pacer",
            "behaviour": {"block": "progress_linear", "params": {"targetScore": 90, "durationSeconds": 3600}},
        },
    ],
    "leaderboards": [
        {"key": "total", "scoreAggregation": "sum"},
        {"key": "daily", "resetCadence": "daily"},
    ],
    "webhooks": [
        {"key": "backend", "url": "http://127.0.0.1:9/hooks", "secret": "s" * 32, "events": ["grant.created"]}
    ],
    "events": [
        {
            "key": "race",
            "availability": {"mode": "fixed", "startsAt": "2027-03-01T12:00:00Z", "endsAt": "2027-03-02T12:00:00Z"},
            "metrics": [
                {"key": "streak", "target": 5, "capAtTarget": True, "resetOn": {"metricKey": "losses"}},
                {"key": "losses"},
            ],
            "contributesTo": ["total", "daily"],
            "botBindings": [{"botId": "climber", "count": 2}, {"botId": "pacer"}],
            "entryCost": {"currencies": [{"key": "cash", "amount": 10}]},
            "antiCheat": {"validators": [{"key": "max_metric_jump", "params": {"metricKey": "streak", "maxDelta": 2}}]},
            "milestoneRewards": [
                {"key": "two", "metricKey": "streak", "threshold": 2, "entries": [{**CASH, "amount": 5}]}
            ],
        },
        {
            "key": "cup",
            "availability": {"mode": "fixed", "startsAt": "2027-03-01T12:00:00Z", "endsAt": "2027-03-01T12:20:00Z"},
            "metrics": [{"key": "points"}],
            "contributesTo": ["total"],
            "rewardPolicy": {
                "type": "rank_scaled",
                "parameters": {"tiers": [{"fromRank": 1, "toRank": 2, "rewardBundleId": "prize"}]},
            },
        },
        {
            "key": "duel",
            "metrics": [{"key": "hits"}],
            "leaderboard": {"mode": "lobby_matched", "capacity": 2, "fillStrategy": "wait_full"},
        },
        {
            "key": "own",
            "availability": {"mode": "personal", "durationSeconds": 7200},
            "metrics": [{"key": "steps"}],
            "leaderboard": {"mode": "none"},
            "contributesTo": ["daily"],
        },
    ],
}
PLAYERS = ("ann", "bob", "cat")


async def play(url: str) -> None:
    """The game, from noon on."""
    clock = ManualClock(NOON)
    async with open_game(GAME, store=url, clock=clock) as game:
        for n, name in enumerate(PLAYERS):
            await game.introduce(name, name=name.title(), country="PT")
            await game.server.credit(name, "cash", 100, reason="welcome", idempotency_key=f"w{n}")
            for event in ("race", "cup", "own"):
                await game.start(name, event)
        for at, (name, event, metrics) in enumerate(WRITES):
            clock.move_to(NOON + at * MINUTE)
            await game.progress(name, event, metrics)
        await _wait_for_lobby(game, "ann")
        await game.start("bob", "duel")
        await game.progress("bob", "duel", {"hits": 3})
        await _wait_for_lobby(game, "cat")
        clock.move_to(END)
        await game.operator.finalize("cup")
        [grant] = [one for one in await game.grants("ann") if one["kind"] == "reward" and one["status"] == "pending"][
            :1
        ]
        await game.claim("ann", grant["id"])


WRITES: list[tuple[str, str, dict[str, float]]] = [
    ("ann", "race", {"streak": 1}),
    ("bob", "race", {"streak": 2}),
    ("ann", "race", {"streak": 1}),
    ("bob", "race", {"losses": 1}),
    ("cat", "race", {"streak": 4}),
    ("ann", "cup", {"points": 30}),
    ("bob", "cup", {"points": 40.5}),
    ("cat", "cup", {"points": 10}),
    ("cat", "own", {"steps": 7000}),
]


async def _wait_for_lobby(game: Game, player: str) -> None:
    """One waits in a lobby that forms."""
    try:
        await game.start(player, "duel")
    except Refused as refused:
        if refused.code != "lobby_forming":
            raise


async def seen(game: Game) -> dict[str, Any]:
    """What there is to be seen of it, but for what depends on when it is looked at."""
    found: dict[str, Any] = {}
    for event in ("race", "cup", "duel"):
        for window in await game.operator.windows(event):
            for number in range(1, 4):
                board = f"{window['windowId']}.{number}"
                try:
                    page = await game.board(board)
                except Exception:  # noqa: BLE001 -- there are no more
                    break
                found[board] = [[one["kind"], one["name"], one["score"], one["rank"]] for one in page["entries"]]
    for name in PLAYERS:
        found[name] = {
            "wallet": await game.wallet(name),
            "grants": [
                [one["id"], one["kind"], one["contents"], one["status"], one["sourceKind"]]
                for one in await game.grants(name)
            ],
            "events": sorted(
                [one["eventKey"], one["currentAttemptId"], one["lobbyId"]] for one in await game.events(name)
            ),
            "anomalies": [one["id"] for one in (await game.operator.lookup(name))["anomalies"]],
        }
    for board in ("total", "daily"):
        periods = await game.board_periods(board)
        page = await game.board(periods["current"]["leaderboardId"])
        found[board] = [[one["name"], one["score"]] for one in page["entries"]]
    found["dead"] = len((await game.operator.dead_deliveries())["deliveries"])
    return found


async def look(url: str) -> dict[str, Any]:
    """Open the game where it was left."""
    async with open_game(GAME, store=url, clock=ManualClock(END)) as game:
        return await seen(game)


def main() -> None:
    folder = HERE / version("kraty-actors")
    folder.mkdir()
    file = folder / "game.db"
    anyio.run(play, f"sqlite:///{file}")
    text = json.dumps(anyio.run(look, f"sqlite:///{file}"), indent=1, ensure_ascii=False)
    folder.joinpath("seen.json").write_text(text + "\n", "utf-8")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("VACUUM")
    print(f"{folder}: {file.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
