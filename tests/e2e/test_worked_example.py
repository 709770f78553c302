"""The source document's own example, point by point, on a socket."""

from __future__ import annotations

from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from raw_peer import Map, Peer
from servers import NOON, TRAIL, WINDOW_ENDS, Server, game_of, serving

from kraty_actors.testing import ManualClock

pytestmark = pytest.mark.anyio

GAME = game_of(TRAIL)
EVENT = "trail_of_triumph"


@pytest.fixture(params=["trio-msgpack", "trio-json", "asyncio-msgpack", "asyncio-json"])
def way(request: pytest.FixtureRequest) -> str:
    return request.param


async def begin(peer: Peer) -> str:
    return (await peer.ok("events.start", eventKey=EVENT))["attempt"]["attemptId"]


async def win(peer: Peer, times: int = 5) -> Map:
    """Start, and win so many times in a row; the last answer."""
    attempt_id = await begin(peer)
    for _ in range(times):
        answer = await peer.ok("events.progress", attemptId=attempt_id, metrics={"streak": 1})
    return answer


async def bots(peer: Peer, leaderboard_id: str) -> dict[str, int]:
    board = await peer.ok("boards.read", leaderboardId=leaderboard_id, limit=200)
    return {row["participantId"]: row["score"] for row in board["entries"] if row["kind"] == "bot"}


# -- playing


async def test_five_wins_reach_the_target_and_complete_the_attempt_r11(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        attempt_id = await begin(ann)
        for wins in range(1, 6):
            answer = await ann.ok("events.progress", attemptId=attempt_id, seq=wins, metrics={"streak": 1})
            assert answer["metrics"] == answer["metricsRaw"] == {"streak": wins, "losses": 0}
            assert (answer["score"], answer["seq"], answer["milestonesFired"]) == (wins, wins, [])
            assert answer["status"] == ("completed" if wins == 5 else "in_progress")
        ended = await ann.push("attempt.ended")
        read = await ann.ok("attempts.get", attemptId=attempt_id)
        assert ended["attempt"] == read["attempt"]
        assert read["attempt"]["status"] == "completed"
        assert read["attempt"]["completedAt"] == "2026-06-02T12:00:00.000Z"


@pytest.mark.parametrize("keys", [("losses", "streak"), ("streak", "losses")])
async def test_a_loss_leaves_no_streak_in_whatever_order_its_keys_come_r9(codec: str, keys: tuple[str, str]) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        attempt_id = await begin(ann)
        await ann.ok("events.progress", attemptId=attempt_id, metrics={"streak": 3})
        answer = await ann.ok("events.progress", attemptId=attempt_id, metrics=dict.fromkeys(keys, 1))
        assert answer["metrics"] == answer["metricsRaw"] == {"streak": 0, "losses": 1}
        assert (answer["score"], answer["status"]) == (0, "in_progress")


async def test_a_player_keeps_the_best_score_on_the_board_after_a_loss_r29(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        attempt_id = await begin(ann)
        await ann.ok("events.progress", attemptId=attempt_id, metrics={"streak": 4})
        answer = await ann.ok("events.progress", attemptId=attempt_id, metrics={"losses": 1})
        leaderboard_id = attempt_id.rpartition(".")[0]
        board = await ann.ok("boards.read", leaderboardId=leaderboard_id, limit=1)
        assert answer["score"] == 0
        assert board["self"] == {"score": 4, "rank": answer["rank"]}


async def test_overshoot_stays_visible_in_the_raw_metrics_r6(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        answer = await ann.ok("events.progress", attemptId=await begin(ann), metrics={"streak": 7.5})
        assert answer["metrics"] == {"streak": 5, "losses": 0}
        assert answer["metricsRaw"] == {"streak": 7.5, "losses": 0}
        assert (answer["score"], answer["status"]) == (5, "completed")


async def test_a_winner_may_not_enter_again_before_the_next_window_r19(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        first = await win(ann)
        error = await ann.error("events.start", eventKey=EVENT)
        assert (error["code"], error["status"]) == ("entry_requirement_failed", 403)
        assert error["details"]["condition"] == TRAIL["entryRequirement"]
        (listed,) = (await ann.ok("events.list"))["events"]
        assert (listed["eventKey"], listed["requirementMet"]) == (EVENT, False)

        server.clock.move_to(WINDOW_ENDS)
        await ann.push("event.state", lambda push: push["state"] == "finalized")
        again = await ann.ok("events.start", eventKey=EVENT)
        assert again["attempt"]["attemptId"] != first["attemptId"]
        assert again["attempt"]["metrics"] == {"streak": 0, "losses": 0}
        assert again["windowEndsAt"] == "2026-06-04T00:00:00.000Z"


async def test_a_loser_may_enter_again_in_the_same_window_r17_r19(codec: str) -> None:
    async with serving(GAME) as server, server.peer("ann", codec=codec) as ann:
        await win(ann, times=2)
        attempt_id = await begin(ann)
        finished = await ann.ok("events.finish", attemptId=attempt_id)
        assert finished["outcome"] == finished["attempt"]["status"] == "expired"
        again = await ann.ok("events.start", eventKey=EVENT)
        assert again["attempt"]["attemptId"] != attempt_id
        assert again["leaderboardId"] == finished["attempt"]["leaderboardId"]


# -- bots


async def climb(server: Server, writes: int) -> list[dict[str, int]]:
    """The bots of ann's lobby before and after each of so many writes."""
    async with server.peer("ann") as ann:
        attempt_id = await begin(ann)
        leaderboard_id = attempt_id.rpartition(".")[0]
        seen = [await bots(ann, leaderboard_id)]
        for _ in range(writes):
            answer = await ann.ok("events.progress", attemptId=attempt_id, metrics={"streak": 0})
            seen.append(await bots(ann, leaderboard_id))
            above = sum(score > 0 for score in seen[-1].values())
            assert answer["rank"] == above + 1  # the tick shows in the same answer
        return seen


async def test_each_applied_write_ticks_each_bot_once_and_one_at_five_stays_r37() -> None:
    async with serving(GAME) as server:
        seen = await climb(server, 60)
    assert set(seen[0].values()) == {0}
    assert {len(values) for values in seen} == {49}
    draws = falls = 0
    for before, after in pairwise(seen):
        for bot, value in before.items():
            assert after[bot] == 5 if value == 5 else after[bot] in (0, value + 1), (bot, value, after[bot])
            draws += value < 5
            falls += value < 5 and after[bot] == 0
    assert 5 in seen[-1].values()
    assert 0.25 < falls / draws < 0.35


async def test_refused_and_repeated_writes_tick_no_bot_r37() -> None:
    async with serving(GAME) as server, server.peer("ann") as ann, server.peer("bob") as bob:
        attempt_id = await begin(ann)
        leaderboard_id = attempt_id.rpartition(".")[0]
        await ann.ok("events.progress", attemptId=attempt_id, seq=4, metrics={"streak": 1})
        before = await bots(ann, leaderboard_id)
        for body in ({"streak": -1}, {"nothing": 1}, {}, {"streak": True}):
            await ann.error("events.progress", attemptId=attempt_id, seq=5, metrics=body)
        await ann.ok("events.progress", attemptId=attempt_id, seq=4, metrics={"streak": 1})
        await ann.error("events.progress", attemptId=attempt_id, seq=4, metrics={"streak": 2})
        await bob.error("events.progress", attemptId=attempt_id, metrics={"streak": 1})
        await ann.ok("events.finish", attemptId=attempt_id)
        await ann.error("events.progress", attemptId=attempt_id, seq=5, metrics={"streak": 1})
        assert await bots(ann, leaderboard_id) == before


async def test_the_same_seed_gives_the_same_bots_and_another_others_r36() -> None:
    runs = []
    for seed in (7, 7, 8):
        async with serving(game_of(TRAIL, seed=seed)) as server:
            runs.append(await climb(server, 12))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


async def test_every_lobby_has_its_own_draws_r36() -> None:
    async with serving(GAME) as server, server.peer("ann") as ann, server.peer("bob") as bob:
        boards = [(await win(peer))["attemptId"].rpartition(".")[0] for peer in (ann, bob)]
        assert boards[0] != boards[1]
        assert await bots(ann, boards[0]) != await bots(ann, boards[1])


# -- the pool

WINNERS = ("ann", "bob", "cid")
LOSERS = ("dan", "eve")


async def play_out(server: Server, stack: AsyncExitStack, codec: str) -> dict[str, Peer]:
    """Three winners, one who tries and one who only starts; nobody has anything yet."""
    peers = {name: await stack.enter_async_context(server.peer(name, codec=codec)) for name in (*WINNERS, *LOSERS)}
    for name in WINNERS:
        await win(peers[name])
    await win(peers["dan"], times=4)
    await begin(peers["eve"])
    for peer in peers.values():
        assert (await peer.ok("grants.list"))["grants"] == []
    return peers


async def close_window(server: Server, peers: dict[str, Peer]) -> None:
    server.clock.move_to(WINDOW_ENDS)
    for peer in peers.values():
        await peer.push("event.state", lambda push: push["state"] == "finalized")


async def test_the_pool_is_shared_at_the_close_and_a_claim_credits_once_r43_r45(codec: str) -> None:
    async with serving(GAME) as server, AsyncExitStack() as stack:
        peers = await play_out(server, stack, codec)
        (listed,) = (await peers["eve"].ok("events.list"))["events"]
        server.clock.move_to(WINDOW_ENDS - 1)
        await peers["ann"].ok("ping")
        assert (await peers["ann"].ok("grants.list"))["grants"] == []

        await close_window(server, peers)
        for name in WINNERS:
            page = await peers[name].ok("grants.list")
            (grant,) = page["grants"]
            assert page["next"] is None
            assert grant["contents"] == {"entries": [{"type": "currency", "currencyKey": "cash", "amount": 3333}]}
            assert (grant["sourceKind"], grant["sourceRefId"]) == ("event_window", listed["windowId"])
            assert (grant["kind"], grant["status"], grant["parentGrantId"]) == ("reward", "pending", None)
            assert (await peers[name].push("grant"))["grant"] == grant
            for _ in range(2):
                claimed = (await peers[name].ok("grants.claim", grantId=grant["id"]))["grant"]
                assert claimed == {**grant, "status": "claimed", "claimedAt": claimed["claimedAt"]}
                wallet = await peers[name].ok("wallet.get")
                assert wallet == {"balances": [{"key": "cash", "balance": 3333}, {"key": "gems", "balance": 0}]}
        for name in LOSERS:
            assert (await peers[name].ok("grants.list"))["grants"] == []
        report = await server.game.report(listed["windowId"])
        assert report is not None
        assert (report.participants, report.winners, report.grants) == (5, 3, 3)
        assert (report.paid, report.remainder) == ({"cash": 9999}, 1)


async def test_nothing_is_paid_twice_after_a_restart_r27(codec: str, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/arena.db"
    clock = ManualClock(NOON)
    async with serving(GAME, store=database, clock=clock) as server, AsyncExitStack() as stack:
        peers = await play_out(server, stack, codec)
        await close_window(server, peers)
        (first,) = (await peers["ann"].ok("grants.list"))["grants"]
        await peers["ann"].ok("grants.claim", grantId=first["id"])
    async with serving(GAME, store=database, clock=clock) as server, AsyncExitStack() as stack:
        for name in (*WINNERS, *LOSERS):
            peer = await stack.enter_async_context(server.peer(name, codec=codec))
            assert len((await peer.ok("grants.list"))["grants"]) == (1 if name in WINNERS else 0)
        async with server.peer("ann", codec=codec) as ann:
            await ann.ok("grants.claim", grantId=first["id"])
            assert (await ann.ok("wallet.get"))["balances"][0] == {"key": "cash", "balance": 3333}


async def test_a_window_that_ended_while_the_server_was_down_pays_on_start_r24_r27(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/arena.db"
    async with serving(GAME, store=database) as server, AsyncExitStack() as stack:
        await play_out(server, stack, "msgpack")
    later = ManualClock(WINDOW_ENDS + 2 * 86_400_000 + 1)
    async with serving(GAME, store=database, clock=later) as server, server.peer(role="operator") as operator:
        while True:
            windows = (await operator.ok("windows.list", eventKey=EVENT))["windows"]
            closed = [window for window in windows if window["state"] == "finalized"]
            if len(closed) == 3:
                break
        assert [window["endsAt"] for window in closed] == [f"2026-06-0{day}T00:00:00.000Z" for day in (5, 4, 3)]
        for name in WINNERS:
            (grant,) = (await operator.ok("grants.list", playerId=name))["grants"]
            assert grant["sourceRefId"] == closed[-1]["windowId"]
