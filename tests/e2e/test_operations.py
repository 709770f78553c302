"""Every operation of players, for players themselves and for servers and operators who name them, in both codecs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from raw_peer import Map, Peer
from servers import ATTACK, TRAIL, WINDOW_ENDS, Server, game_of, serving

from kraty_protocol import shapes
from kraty_protocol.errors import STATUS

pytestmark = pytest.mark.anyio

RACE: Map = {
    "key": "race",
    "availability": {"mode": "fixed", "startsAt": "2026-06-02T00:00:00Z", "endsAt": "2026-06-03T00:00:00Z"},
    "metrics": [{"key": "laps", "target": 3}],
    "rewardPolicy": {"type": "shared_pool", "parameters": {"pool": 100, "currencyKey": "cash"}},
    "metadata": {"tier": "standard"},
}
LATER: Map = {
    "key": "later",
    "availability": {"mode": "fixed", "startsAt": "2026-07-01T00:00:00Z", "endsAt": "2026-07-02T00:00:00Z"},
    "metrics": [{"key": "laps"}],
}
GAME = game_of(ATTACK, RACE, TRAIL, LATER, {**ATTACK, "key": "sketch", "state": "draft"})


@dataclass(frozen=True)
class Actor:
    """Ann, or somebody trusted who acts for her."""

    peer: Peer
    who: Map

    async def ok(self, op: str, **fields: Any) -> Map:
        return await self.peer.ok(op, **self.who, **fields)

    async def error(self, op: str, **fields: Any) -> Map:
        error = await self.peer.error(op, **self.who, **fields)
        assert error["status"] == STATUS[error["code"]]
        return error


@pytest.fixture(params=["player", "server", "operator"])
def role(request: pytest.FixtureRequest) -> str:
    return request.param


@asynccontextmanager
async def acting(server: Server, role: str, codec: str) -> AsyncIterator[Actor]:
    if role == "player":
        async with server.peer("ann", codec=codec) as peer:
            yield Actor(peer, {})
    else:
        async with server.peer(role=role, codec=codec) as peer:
            yield Actor(peer, {"playerId": "ann"})


@asynccontextmanager
async def playing(role: str, codec: str) -> AsyncIterator[tuple[Server, Actor]]:
    async with serving(GAME) as server, acting(server, role, codec) as actor:
        yield server, actor


def assert_shape(answer: Mapping[str, Any], shape: Any) -> None:
    """Exactly the fields that the wire's shape has."""
    names = set(answer)
    assert shape.__required_keys__ <= names <= shape.__required_keys__ | shape.__optional_keys__, names


# -- who am I


async def test_hello_says_who_and_how_much(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        welcome = actor.peer.welcome
        is_player = role == "player"
        assert (welcome["protocol"], welcome["role"]) == (1, role)
        assert welcome["playerId"] == ("ann" if is_player else None)
        assert (welcome["participantId"] is not None) is is_player
        assert welcome["participantId"] != "ann"  # R-28: opaque
        assert welcome["serverTime"] == "2026-06-02T12:00:00.000Z"
        frame = 64 * 1024 if is_player else 8 * 1024 * 1024
        assert welcome["limits"] == {"maxFrameBytes": frame, "requestsPerSecond": 2000, "watches": 64}
        assert (welcome["resumed"], welcome["subs"]) == (False, [])


async def test_ping(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        server.clock.advance(1.5)
        assert await actor.peer.ok("ping") == {"serverTime": "2026-06-02T12:00:01.500Z"}


# -- events


async def test_events_list_shows_what_is_open_r55(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        events = {event["eventKey"]: event for event in (await actor.ok("events.list"))["events"]}
        assert set(events) == {"attack", "race", "trail_of_triumph"}
        for event in events.values():
            assert_shape(event, shapes.Listing)
        race = events["race"]
        assert (race["startsAt"], race["endsAt"]) == ("2026-06-02T00:00:00.000Z", "2026-06-03T00:00:00.000Z")
        assert (race["type"], race["leaderboardMode"], race["attemptsLeft"]) == ("single_metric", "global", 1)
        assert race["metadata"] == {"tier": "standard"}
        assert race["rewardPolicy"] == {"type": "shared_pool", "pool": 100, "currencyKey": "cash"}
        assert (race["requirementMet"], race["affordable"], race["missing"]) == (True, True, [])
        nothing = {"target": None, "cap": None, "capAtTarget": False, "resetOn": None}
        assert events["attack"]["metrics"] == [
            {"key": "points", "scorePerUnit": 1, **nothing},
            {"key": "kills", "scorePerUnit": 10, **nothing},
        ]
        assert (events["attack"]["endsAt"], events["attack"]["metadata"]) == (None, {})
        assert events["trail_of_triumph"]["entryRequirement"] == TRAIL["entryRequirement"]
        assert events["trail_of_triumph"]["lobbyId"] is None


async def test_events_list_tells_of_the_running_attempt_r55(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        started = await actor.ok("events.start", eventKey="trail_of_triumph")
        events = {event["eventKey"]: event for event in (await actor.ok("events.list"))["events"]}
        trail = events["trail_of_triumph"]
        assert trail["currentAttemptId"] == started["attempt"]["attemptId"]
        assert trail["lobbyId"] == started["attempt"]["lobbyId"]
        assert trail["leaderboardId"] == started["leaderboardId"]
        assert events["race"]["currentAttemptId"] is None


async def test_events_list_with_upcoming_shows_what_is_to_come_r55(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        listed = (await actor.ok("events.list", upcoming=True))["events"]
        events = {event["eventKey"]: event for event in listed}
        assert set(events) == {"attack", "race", "trail_of_triumph", "later"}
        later = events["later"]
        assert_shape(later, shapes.Listing)
        assert later["opensAt"] == "2026-07-01T00:00:00.000Z"
        assert (later["windowId"], later["leaderboardId"], later["currentAttemptId"]) == (None, None, None)
        assert events["trail_of_triumph"]["opensAt"] == "2026-06-03T00:00:00.000Z"
        assert events["race"]["opensAt"] is None


async def test_start_begins_an_attempt_and_again_returns_it_r16(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        started = await actor.ok("events.start", eventKey="race", playerContext={"skill": 3, "country": "PT"})
        assert_shape(started, shapes.Started)
        attempt = started["attempt"]
        assert_shape(attempt, shapes.Attempt)
        assert started["windowEndsAt"] == attempt["endsAt"] == "2026-06-03T00:00:00.000Z"
        assert (attempt["status"], attempt["score"], attempt["lastSeq"]) == ("in_progress", 0, 0)
        assert (attempt["metrics"], attempt["metricsRaw"]) == ({"laps": 0}, {"laps": 0})
        assert (attempt["eventKey"], attempt["lobbyId"], attempt["completedAt"]) == ("race", None, None)
        assert attempt["startedAt"] == "2026-06-02T12:00:00.000Z"
        assert attempt["leaderboardId"] == started["leaderboardId"]
        assert await actor.ok("events.start", eventKey="race") == started


@pytest.mark.parametrize(
    ("event", "code", "details"),
    [
        ("nothing", "not_found", {}),
        ("sketch", "event_disabled", {"state": "draft"}),
        ("later", "no_active_window", {"opensAt": "2026-07-01T00:00:00.000Z"}),
    ],
)
async def test_start_is_refused_r18(role: str, codec: str, event: str, code: str, details: Map) -> None:
    async with playing(role, codec) as (_, actor):
        error = await actor.error("events.start", eventKey=event)
        assert (error["code"], error["details"]) == (code, details)


async def test_one_attempt_a_window_unless_the_event_says_otherwise_r17(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        started = await actor.ok("events.start", eventKey="race")
        await actor.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=3)
        error = await actor.error("events.start", eventKey="race")
        assert (error["code"], error["details"]) == ("max_attempts_reached", {"limit": 1, "resetsAt": None})
        assert [e["attemptsLeft"] for e in (await actor.ok("events.list"))["events"] if e["eventKey"] == "race"] == [0]


async def test_progress_answers_with_all_that_changed_r8(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        attempt_id = (await actor.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        answer = await actor.ok("events.progress", attemptId=attempt_id, metrics={"points": 2.5, "kills": 2}, seq=1)
        assert_shape(answer, shapes.Progressed)
        assert answer["metrics"] == {"points": 2.5, "kills": 2}
        assert (answer["score"], answer["rank"], answer["status"]) == (22.5, 1, "in_progress")
        answer = await actor.ok("events.progress", attemptId=attempt_id, metricValue=0.5, idempotencyKey="k")
        assert (answer["metrics"], answer["seq"]) == ({"points": 3, "kills": 2}, None)
        answer = await actor.ok("events.progress", attemptId=attempt_id, metrics={"points": 1.0}, mode="set")
        assert answer["metrics"] == {"points": 1, "kills": 2}
        assert isinstance(answer["metrics"]["points"], int)


async def test_finish_ends_a_score_attack_and_says_the_same_again_r12(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        attempt_id = (await actor.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        await actor.ok("events.progress", attemptId=attempt_id, metrics={"points": 1})
        finished = await actor.ok("events.finish", attemptId=attempt_id)
        assert finished["outcome"] == finished["attempt"]["status"] == "completed"
        assert finished["attempt"]["completedAt"] == "2026-06-02T12:00:00.000Z"
        assert await actor.ok("events.finish", attemptId=attempt_id) == finished
        error = await actor.error("events.progress", attemptId=attempt_id, metrics={"points": 1})
        assert (error["code"], error["details"]) == ("attempt_finished", {"attempt": finished["attempt"]})


async def test_idle_play_is_expired_not_completed_r11(role: str, codec: str) -> None:
    async with playing(role, codec) as (_, actor):
        attempt_id = (await actor.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        finished = await actor.ok("events.finish", attemptId=attempt_id)
        assert finished["outcome"] == finished["attempt"]["status"] == "expired"
        assert finished["attempt"]["completedAt"] is None


async def test_attempts_get_shows_every_attempt_ever(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        started = await actor.ok("events.start", eventKey="race")
        attempt_id = started["attempt"]["attemptId"]
        await actor.ok("events.progress", attemptId=attempt_id, metricValue=1, seq=9)
        read = await actor.ok("attempts.get", attemptId=attempt_id)
        assert read == {"attempt": {**started["attempt"],
            "metrics": {"laps": 1}, "metricsRaw": {"laps": 1}, "score": 1, "lastSeq": 9
        }, "rank": 1}  # fmt: skip
        server.clock.move_to(WINDOW_ENDS)
        late = await actor.error("events.progress", attemptId=attempt_id, metricValue=1, seq=10)
        assert late["code"] == "attempt_finished"  # R-14
        ended = await actor.ok("attempts.get", attemptId=attempt_id)
        assert ended == {"attempt": {**read["attempt"], "status": "expired"}, "rank": 1}


# -- boards and lobbies


async def crowd(server: Server, names: list[str]) -> tuple[str, dict[str, str]]:
    """Each of `names` has one point more than the next; the board, and their participantIds."""
    public = {}
    for points, name in enumerate(reversed(names), 1):
        async with server.peer(name) as peer:
            started = await peer.ok("events.start", eventKey="attack")
            await peer.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=points)
            public[name] = peer.welcome["participantId"]
    return started["leaderboardId"], public


NAMES = ["zoe", "yan", "ann", "xia", "wim", "vic"]


async def test_boards_read_gives_a_page_r33(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        leaderboard_id, public = await crowd(server, NAMES)
        board = await actor.ok("boards.read", leaderboardId=leaderboard_id, limit=3, offset=1)
        assert_shape(board, shapes.Board)
        assert (board["mode"], board["finalized"], board["total"]) == ("global", False, 6)
        assert board["self"] == {"rank": 3, "score": 4}
        assert [row["participantId"] for row in board["entries"]] == [public[name] for name in NAMES[1:4]]
        assert [row["rank"] for row in board["entries"]] == [2, 3, 4]
        assert [row["isSelf"] for row in board["entries"]] == [False, True, False]
        for row in board["entries"]:
            assert_shape(row, shapes.Entry)
            assert row["kind"] == "player"


async def test_boards_read_gives_the_rows_around_somebody_r33(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        leaderboard_id, public = await crowd(server, NAMES)
        around = [("self", 1, [2, 3, 4]), (public["zoe"], 2, [1, 2, 3]), (public["vic"], 0, [6]), ("nobody", 5, [])]
        if role != "player":
            around.append(("wim", 1, [4, 5, 6]))
        for name, limit, ranks in around:
            board = await actor.ok("boards.read", leaderboardId=leaderboard_id, around=name, limit=limit)
            assert [row["rank"] for row in board["entries"]] == ranks, name
            assert board["self"] == {"rank": 3, "score": 4}


async def test_a_player_does_not_find_others_by_their_platform_id_r28(codec: str) -> None:
    async with playing("player", codec) as (server, actor):
        leaderboard_id, _ = await crowd(server, NAMES)
        board = await actor.ok("boards.read", leaderboardId=leaderboard_id, around="wim")
        assert board["entries"] == []


async def test_boards_of_closed_windows_stay_readable_r33(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        started = await actor.ok("events.start", eventKey="race")
        await actor.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=2)
        server.clock.move_to(WINDOW_ENDS)
        board = {"finalized": False}
        while not board["finalized"]:
            board = await actor.ok("boards.read", leaderboardId=started["leaderboardId"])
        assert [(row["score"], row["isSelf"]) for row in board["entries"]] == [(2, True)]


async def test_boards_watch_and_unwatch_r34(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        started = await actor.ok("events.start", eventKey="attack")
        watch = await actor.ok("boards.watch", leaderboardId=started["leaderboardId"])
        assert_shape(watch, shapes.Watch)
        assert watch["self"] == {"rank": 1, "score": 0}
        assert [row["isSelf"] for row in watch["entries"]] == [True]
        attempt_id = started["attempt"]["attemptId"]
        await actor.ok("events.progress", attemptId=attempt_id, metricValue=5)
        delta = await actor.peer.push("board.delta")
        assert (delta["sub"], delta["since"], delta["removed"]) == (watch["sub"], watch["version"], [])
        assert [(row["score"], "isSelf" in row) for row in delta["entries"]] == [(5, False)]
        assert await actor.peer.ok("boards.unwatch", sub=watch["sub"]) == {}
        await actor.ok("events.progress", attemptId=attempt_id, metricValue=5)
        server.clock.advance(1)
        await actor.peer.ok("ping")
        assert [push for push in actor.peer.pushes if push["push"].startswith("board.")] == []
        error = await actor.peer.error("boards.unwatch", sub=watch["sub"])
        assert error["code"] == "not_found"


async def test_watches_are_limited(codec: str) -> None:
    settings = {"settings": {"seed": 1, "limits": {"watchesPerConnection": 2}}}
    async with serving(game_of(ATTACK, **settings)) as server, server.peer("ann", codec=codec) as ann:
        board = (await ann.ok("events.start", eventKey="attack"))["leaderboardId"]
        assert ann.welcome["limits"]["watches"] == 2
        for limit in (1, 2, 2):
            await ann.ok("boards.watch", leaderboardId=board, limit=limit)
        error = await ann.error("boards.watch", leaderboardId=board, limit=3)
        assert (error["code"], error["details"]) == ("limit_reached", {"name": "watches", "limit": 2})


async def test_lobbies_get_shows_it_to_its_members_only(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        started = await actor.ok("events.start", eventKey="trail_of_triumph")
        lobby_id = started["attempt"]["lobbyId"]
        lobby = (await actor.ok("lobbies.get", lobbyId=lobby_id))["lobby"]
        assert_shape(lobby, shapes.Lobby)
        assert (lobby["status"], lobby["capacity"], lobby["participantCount"]) == ("active", 50, 1)
        assert (lobby["botSlots"], lobby["leaderboardId"], lobby["key"]) == (49, started["leaderboardId"], None)
        assert (lobby["fillBy"], lobby["metadata"]) == (None, {})
        assert (lobby["startedAt"], lobby["endsAt"]) == ("2026-06-02T12:00:00.000Z", "2026-06-03T00:00:00.000Z")
        async with server.peer("bob", codec=codec) as bob:
            assert await bob.refused("lobbies.get", lobbyId=lobby_id) == ("not_found", 404)


# -- money


async def test_wallet_and_grants_of_a_winner(role: str, codec: str) -> None:
    async with playing(role, codec) as (server, actor):
        started = await actor.ok("events.start", eventKey="race")
        await actor.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=3)
        assert (await actor.ok("wallet.get"))["balances"] == [
            {"key": "cash", "balance": 0},
            {"key": "gems", "balance": 0},
        ]
        assert await actor.ok("grants.list") == {"grants": [], "next": None}
        server.clock.move_to(WINDOW_ENDS)
        grants: list[Map] = []
        while not grants:
            grants = (await actor.ok("grants.list", status="pending", limit=1))["grants"]
        (grant,) = grants
        assert_shape(grant, shapes.Grant)
        assert (await actor.ok("grants.list", status="claimed"))["grants"] == []
        claimed = (await actor.ok("grants.claim", grantId=grant["id"]))["grant"]
        assert (claimed["status"], claimed["claimedAt"]) == ("claimed", "2026-06-03T00:00:00.000Z")
        assert (await actor.ok("grants.list", status="claimed"))["grants"] == [claimed]
        assert (await actor.ok("wallet.get"))["balances"][0] == {"key": "cash", "balance": 100}
        async with server.peer("bob", codec=codec) as bob:
            assert await bob.refused("grants.claim", grantId=grant["id"]) == ("not_found", 404)


async def test_grants_come_newest_first_in_pages_r45(codec: str) -> None:
    daily = {
        **RACE,
        "availability": {"mode": "recurring_windows", "windows": [{"startTime": "00:00", "durationSeconds": 86400}]},
    }
    async with serving(game_of(daily)) as server, server.peer("ann", codec=codec) as ann:
        for day in range(3):
            started = await ann.ok("events.start", eventKey="race")
            await ann.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=3)
            server.clock.move_to(WINDOW_ENDS + day * 86_400_000)
            await ann.push("event.state", lambda push: push["state"] == "finalized")
        whole = (await ann.ok("grants.list"))["grants"]
        assert [grant["createdAt"][:10] for grant in whole] == ["2026-06-05", "2026-06-04", "2026-06-03"]
        first = await ann.ok("grants.list", limit=2)
        rest = await ann.ok("grants.list", limit=2, after=first["next"])
        assert first["grants"] + rest["grants"] == whole
        assert rest["next"] is None


# -- what is not theirs


async def test_another_players_attempt_is_not_found(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann, server.peer("bob", codec=codec) as bob:
        attempt_id = (await ann.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        await bob.ok("events.start", eventKey="attack")
        for op, fields in (("events.progress", {"metricValue": 1}), ("events.finish", {}), ("attempts.get", {})):
            assert await bob.refused(op, attemptId=attempt_id, **fields) == ("not_found", 404)
        read = await ann.ok("attempts.get", attemptId=attempt_id)
        assert (read["attempt"]["status"], read["attempt"]["score"]) == ("in_progress", 0)


OPERATOR_OPS: list[tuple[str, Map]] = [
    ("game.put", {"game": {"gameId": "arena"}}),
    ("events.put", {"event": ATTACK}),
    ("events.get", {"eventKey": "attack"}),
    ("windows.list", {"eventKey": "attack"}),
    ("events.finalize", {"eventKey": "attack"}),
]


@pytest.mark.parametrize("role", ["player", "server"])
@pytest.mark.parametrize(("op", "fields"), OPERATOR_OPS)
async def test_operators_operations_are_forbidden_to_others(role: str, codec: str, op: str, fields: Map) -> None:
    async with playing(role, codec) as (server, actor):
        assert await actor.peer.refused(op, **fields) == ("forbidden", 403)
        assert await actor.peer.refused(op, nonsense=1) == ("forbidden", 403)  # judged before the fields
        async with server.peer(role="operator") as operator:
            assert (await operator.ok("events.get", eventKey="attack"))["state"] == "live"


PLAYER_OPS: list[tuple[str, Map]] = [
    ("events.list", {}),
    ("events.start", {"eventKey": "attack"}),
    ("events.progress", {"attemptId": "a", "metricValue": 1}),
    ("events.finish", {"attemptId": "a"}),
    ("attempts.get", {"attemptId": "a"}),
    ("lobbies.get", {"lobbyId": "a"}),
    ("wallet.get", {}),
    ("grants.list", {}),
    ("grants.claim", {"grantId": "a"}),
]


@pytest.mark.parametrize(("op", "fields"), PLAYER_OPS)
async def test_a_player_names_no_player_and_a_server_has_to(role: str, codec: str, op: str, fields: Map) -> None:
    async with playing(role, codec) as (_, actor):
        who = {"playerId": "bob"} if role == "player" else {}
        error = await actor.peer.error(op, **fields, **who)
        assert (error["code"], error["details"]["path"]) == ("validation_failed", "playerId")


# -- operators


@asynccontextmanager
async def operating(codec: str, game: Map = GAME) -> AsyncIterator[tuple[Server, Peer]]:
    async with serving(game) as server, server.peer(role="operator", codec=codec) as operator:
        yield server, operator


async def test_events_get_shows_the_definition(codec: str) -> None:
    async with operating(codec) as (_, operator):
        got = await operator.ok("events.get", eventKey="trail_of_triumph")
        assert set(got) == {"event", "state", "revision", "warnings"}
        assert (got["state"], got["revision"]) == ("live", 1)
        assert {name: got["event"][name] for name in TRAIL} == TRAIL
        states = {key: (await operator.ok("events.get", eventKey=key))["state"] for key in ("later", "sketch")}
        assert states == {"later": "scheduled", "sketch": "draft"}  # R-26
        for op in ("events.get", "windows.list", "events.finalize"):
            assert await operator.refused(op, eventKey="nothing") == ("not_found", 404)


async def test_events_put_makes_a_revision_for_the_next_window_r5(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        attempt_id = (await ann.ok("events.start", eventKey="race"))["attempt"]["attemptId"]
        put = await operator.ok("events.put", event={**RACE, "metrics": [{"key": "laps", "target": 9}]})
        assert (put["revision"], put["state"], put["warnings"]) == (2, "live", [])
        answer = await ann.ok("events.progress", attemptId=attempt_id, metricValue=3)
        assert answer["status"] == "completed"  # by the revision that the window opened with
        same = await operator.ok("events.put", event={**RACE, "metrics": [{"key": "laps", "target": 9}]})
        assert same["revision"] == 2


async def test_metadata_takes_effect_at_once_r5_r25(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        await operator.ok("events.put", event={**RACE, "metadata": {"tier": "boss"}})
        listed = {event["eventKey"]: event for event in (await ann.ok("events.list"))["events"]}
        assert listed["race"]["metadata"] == {"tier": "boss"}
        windows = (await operator.ok("windows.list", eventKey="race"))["windows"]
        assert [window["metadata"] for window in windows] == [{"tier": "boss"}]


async def test_events_put_publishes_a_new_event_and_opens_what_is_under_way_r26(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        put = await operator.ok("events.put", event={**RACE, "key": "sprint"})
        assert (put["state"], put["revision"]) == ("live", 1)
        started = await ann.ok("events.start", eventKey="sprint")
        assert started["windowEndsAt"] == "2026-06-03T00:00:00.000Z"
        draft = await operator.ok("events.put", event={**RACE, "key": "idea", "state": "draft"})
        assert draft["state"] == "draft"


FAULTY: Map = {
    "key": "bad",
    "metrics": [{"key": "streak", "resetOn": {"metricKey": "loses"}}, {"key": "wins", "capAtTarget": True}],
    "surprise": 1,
}


async def test_a_bad_definition_is_refused_with_all_its_faults_r3(codec: str) -> None:
    async with operating(codec) as (_, operator):
        error = await operator.error("events.put", event=FAULTY)
        assert (error["code"], error["status"]) == ("validation_failed", 400)
        paths = {fault["path"] for fault in error["details"]["faults"]}
        assert any("metrics[0].resetOn" in path for path in paths), paths
        assert any("metrics[1].capAtTarget" in path for path in paths), paths
        assert any("surprise" in path for path in paths), paths
        assert await operator.refused("events.get", eventKey="bad") == ("not_found", 404)


async def test_game_put_is_all_or_nothing_r3(codec: str) -> None:
    async with operating(codec) as (_, operator):
        error = await operator.error("game.put", game=game_of({**RACE, "key": "fine"}, FAULTY))
        assert [fault["path"].partition(".")[0] for fault in error["details"]["faults"]] == ["events[1]"] * 3
        assert await operator.refused("events.get", eventKey="fine") == ("not_found", 404)
        assert (await operator.ok("events.get", eventKey="race"))["revision"] == 1


async def test_game_put_says_what_changed(codec: str) -> None:
    async with operating(codec) as (_, operator):
        slower = {**RACE, "metrics": [{"key": "laps", "target": 2}]}
        put = await operator.ok("game.put", game=game_of(ATTACK, slower, {**RACE, "key": "sprint"}))
        changed = {(change["kind"], change["key"]): change["revision"] for change in put["changed"]}
        assert changed == {("events", "race"): 2, ("events", "sprint"): 1}
        again = await operator.ok("game.put", game=game_of(ATTACK, slower, {**RACE, "key": "sprint"}))
        assert again["changed"] == []
        assert (await operator.ok("events.get", eventKey="later"))["state"] == "scheduled"


async def test_game_put_of_another_game_is_a_conflict(codec: str) -> None:
    async with operating(codec) as (_, operator):
        assert await operator.refused("game.put", game={**GAME, "gameId": "other"}) == ("conflict", 409)


async def test_windows_list_shows_open_upcoming_and_closed_r24(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann") as ann:
        windows = (await operator.ok("windows.list", eventKey="trail_of_triumph"))["windows"]
        assert [window["state"] for window in windows] == ["open"] + ["upcoming"] * 7
        assert [window["startsAt"] for window in windows] == [f"2026-06-{day:02}T00:00:00.000Z" for day in range(2, 10)]
        for window in windows:
            assert_shape(window, shapes.Window)
            assert (window["override"], window["metadata"]) == (None, {})
        await ann.ok("events.start", eventKey="trail_of_triumph")
        server.clock.move_to(WINDOW_ENDS)
        await ann.push("event.state", lambda push: push["state"] == "finalized")
        later = (await operator.ok("windows.list", eventKey="trail_of_triumph"))["windows"]
        assert [window["windowId"] for window in later[:7]] == [window["windowId"] for window in windows[1:]]
        assert [window["state"] for window in later] == ["open"] + ["upcoming"] * 7 + ["finalized"]
        assert later[-1]["windowId"] == windows[0]["windowId"]


async def test_finalizing_a_window_pays_its_winners_now_r26_r27(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        started = await ann.ok("events.start", eventKey="race")
        await ann.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=3)
        window_id = started["attempt"]["windowId"]
        (window,) = (await operator.ok("events.finalize", eventKey="race", windowId=window_id))["windows"]
        assert_shape(window, shapes.Window)
        assert (window["windowId"], window["state"]) == (window_id, "finalized")
        assert len((await ann.ok("grants.list"))["grants"]) == 1
        assert await operator.refused("events.finalize", eventKey="race", windowId=window_id) == ("conflict", 409)
        assert await operator.refused("events.finalize", eventKey="attack", windowId=window_id) == ("not_found", 404)
        assert (await ann.refused("events.start", eventKey="race"))[0] == "no_active_window"


async def test_finalizing_an_event_ends_it_r26(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        await ann.ok("events.start", eventKey="attack")
        (window,) = (await operator.ok("events.finalize", eventKey="attack"))["windows"]
        assert (window["state"], window["endsAt"]) == ("finalized", "2026-06-02T12:00:00.000Z")
        assert (await operator.ok("events.get", eventKey="attack"))["state"] == "finalized"
        error = await ann.error("events.start", eventKey="attack")
        assert (error["code"], error["details"]) == ("no_active_window", {"opensAt": None})
        error = await operator.error("events.finalize", eventKey="attack")
        assert (error["code"], error["details"]) == ("conflict", {"state": "finalized"})


async def test_finalizing_an_always_window_by_its_id_opens_the_next_r5(codec: str) -> None:
    async with operating(codec) as (server, operator), server.peer("ann", codec=codec) as ann:
        first = (await ann.ok("events.start", eventKey="attack"))["attempt"]
        await operator.ok("events.put", event={**ATTACK, "metrics": [{"key": "wins"}]})
        server.clock.advance(1)
        await operator.ok("events.finalize", eventKey="attack", windowId=first["windowId"])
        second = (await ann.ok("events.start", eventKey="attack"))["attempt"]
        assert second["windowId"] != first["windowId"]
        assert second["metrics"] == {"wins": 0}
