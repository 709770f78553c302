"""A game inside a program: the same rules as on the wire, without one."""

from __future__ import annotations

from contextlib import aclosing
from pathlib import Path

import anyio
import pytest
from small_game import GAME, NEXT_DAY, opened_at_noon

from kraty_actors import DefinitionFaults, Refused, WrongGame, open_game
from kraty_actors.client import connect
from kraty_persistence import StoreTaken

pytestmark = pytest.mark.anyio


async def test_start_progress_finish_and_look() -> None:
    async with opened_at_noon() as (game, _):
        attempt = await game.start("ada", "attack")
        ack = await game.progress_attempt("ada", attempt["attemptId"], {"score": 2.5}, seq=1)
        assert (ack["seq"], ack["score"], ack["rank"], ack["status"]) == (1, 2.5, 1, "in_progress")
        finished = await game.finish("ada", attempt["attemptId"])
        assert (finished["status"], finished["score"]) == ("completed", 2.5)
        assert await game.attempt("ada", attempt["attemptId"]) == finished


async def test_progress_starts_an_attempt_once_r16() -> None:
    async with opened_at_noon() as (game, _):
        first = await game.progress("ada", "attack", 1)
        again = await game.progress("ada", "attack", {"score": 1})
        assert first["attemptId"] == again["attemptId"]
        assert again["score"] == 2


async def test_a_repeated_seq_counts_once_r15() -> None:
    async with opened_at_noon() as (game, _):
        attempt_id = (await game.start("ada", "attack"))["attemptId"]
        for _ in range(3):
            ack = await game.progress_attempt("ada", attempt_id, 5, seq=1)
        assert ack["repeated"] is True
        assert ack["score"] == 5


async def test_boards_show_who_was_introduced_r28() -> None:
    async with opened_at_noon() as (game, _):
        await game.introduce("ada", name="Ada", country="PT")
        await game.introduce("ada", avatar="fox")
        ack = await game.progress("ada", "sprint", 1)
        board = await game.board((await game.attempt("ada", ack["attemptId"]))["leaderboardId"] or "", player="ada")
        [row] = [entry for entry in board["entries"] if entry["kind"] == "player"]
        assert (row["name"], row["avatar"], row["country"], row["isSelf"]) == ("Ada", "fox", "PT", True)
        assert board["self"] == {"rank": row["rank"], "score": 1}
        assert board["total"] == 4


async def test_events_tells_what_is_open_and_what_is_to_come_r55() -> None:
    async with opened_at_noon() as (game, _):
        assert [one["eventKey"] for one in await game.events("ada")] == ["sprint", "attack", "duel"]
        upcoming = {one["eventKey"]: one["opensAt"] for one in await game.events("ada", upcoming=True)}
        assert upcoming["tomorrow"] == "2026-05-29T00:00:00.000Z"


@pytest.mark.parametrize(
    ("event", "metrics", "code"),
    [
        ("nowhere", {"score": 1}, "not_found"),
        ("later", {"score": 1}, "event_disabled"),
        ("tomorrow", {"score": 1}, "no_active_window"),
        ("duel", {"wins": 1}, "lobby_forming"),
        ("attack", {"scores": 1}, "invalid_metric"),
        ("attack", {"score": float("nan")}, "validation_failed"),
        ("attack", {"score": -1}, "validation_failed"),
        ("attack", True, "validation_failed"),
    ],
)
async def test_what_the_rules_refuse_is_raised_with_the_wires_code(event: str, metrics: object, code: str) -> None:
    async with opened_at_noon() as (game, _):
        with pytest.raises(Refused) as refused:
            await game.progress("ada", event, metrics)  # type: ignore[arg-type]
        assert refused.value.code == code
        assert getattr(refused.value, f"is_{code}") is True
        assert refused.value.is_insufficient_entry_cost is False


async def test_another_players_attempt_is_not_found() -> None:
    async with opened_at_noon() as (game, _):
        attempt_id = (await game.start("ada", "attack"))["attemptId"]
        with pytest.raises(Refused, match="not_found"):
            await game.progress_attempt("eve", attempt_id, 1)


async def test_a_watched_board_comes_again_when_it_has_moved_and_ends_with_the_final_one_r34() -> None:
    async with opened_at_noon() as (game, clock):
        await game.progress("ada", "sprint", 1)
        seen = []
        async with aclosing(game.watch("sprint", player="ada")) as boards:
            async for board in boards:
                seen.append(board)
                if len(seen) == 1:
                    await game.progress("ada", "sprint", 1)
                elif len(seen) == 2:
                    clock.move_to(NEXT_DAY)
        assert [board["self"] and board["self"]["score"] for board in seen[:2]] == [1, 2]
        assert [board["version"] for board in seen] == sorted(board["version"] for board in seen)
        assert [board["finalized"] for board in seen] == [False] * (len(seen) - 1) + [True]


async def test_watching_starts_nothing() -> None:
    async with opened_at_noon() as (game, _):
        with pytest.raises(Refused, match="not_found"):
            await anext(game.watch("duel", player="ada"))
        assert [one["currentAttemptId"] for one in await game.events("ada")] == [None, None, None]


async def test_a_share_of_the_pool_is_claimed_once_r43_r45() -> None:
    async with opened_at_noon() as (game, _):
        for player in ("ada", "bob", "cy"):
            await game.progress(player, "sprint", 2)
        await game.progress("dan", "sprint", 1)
        assert await game.grants("ada") == []
        [window] = await game.operator.finalize("sprint")
        [grant] = await game.grants("ada")
        assert (grant["sourceKind"], grant["sourceRefId"], grant["status"]) == (
            "event_window",
            window["windowId"],
            "pending",
        )
        claimed = [await game.claim("ada", grant["id"]) for _ in range(2)]
        assert claimed[0] == claimed[1]
        assert [await game.wallet(player) for player in ("ada", "bob")] == [{"cash": 33}, {"cash": 0}]
        assert await game.grants("dan") == []
        report = await game.report(window["windowId"])
        assert report is not None
        assert (report.participants, report.winners, report.grants) == (4, 3, 3)
        assert (report.paid, report.remainder) == ({"cash": 99}, 1)


async def test_new_definitions_are_put_as_a_whole_or_not_at_all_r3() -> None:
    async with opened_at_noon() as (game, _):
        with pytest.raises(Refused) as refused:
            await game.operator.put_game({"gameId": "arena", "events": [{"key": "new", "metrics": []}, {"key": "bad"}]})
        assert refused.value.is_validation_failed
        assert [fault["path"] for fault in refused.value.details["faults"]] == [
            "events[0].metrics",
            "events[1].metrics",
        ]
        assert "new" not in [one["eventKey"] for one in await game.events("ada")]


# -- opening and leaving


async def test_what_is_raised_inside_comes_out_as_it_was() -> None:
    with pytest.raises(ZeroDivisionError):
        async with open_game(GAME):
            raise ZeroDivisionError


async def test_faults_come_out_as_one_error_r3() -> None:
    with pytest.raises(DefinitionFaults) as faults:
        async with open_game({"gameId": "arena", "events": [{"key": "a"}, {"key": "b"}]}):
            raise AssertionError("a faulty game was opened")
    assert [fault.path for fault in faults.value.faults] == ["events[0].metrics", "events[1].metrics"]


async def test_a_database_serves_one_game(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/game.db"
    async with open_game(GAME, store=store):
        pass
    with pytest.raises(WrongGame, match="arena"):
        async with open_game({"gameId": "other"}, store=store):
            raise AssertionError("another game's database was opened")


async def test_a_game_goes_on_where_it_was_left_r56(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/game.db"
    async with opened_at_noon(store=store) as (game, _):
        before = await game.progress("ada", "attack", 7, idempotency_key="first")
    async with opened_at_noon(store=store) as (game, _):
        attempt = await game.attempt("ada", before["attemptId"])
        assert attempt["score"] == 7
        again = await game.progress("ada", "attack", 7, idempotency_key="first")
        assert (again["attemptId"], again["score"]) == (before["attemptId"], 7)


async def test_a_game_file_is_read_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "game.json"
    file.write_text('{"gameId": "arena", "events": [{"key": "run", "metrics": [{"key": "m"}]}]}', "utf-8")
    async with open_game(file) as game:
        assert [warning.path for warning in game.warnings] == ["events[0].attempt.replayableDuringWindow"]
        assert [one["eventKey"] for one in await game.events("ada")] == ["run"]


async def test_a_game_ends_when_another_program_takes_its_database_over(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/game.db"

    async def serve_until_taken_over() -> None:
        async with opened_at_noon(store=store, insecure_dev=True) as (game, _), opened_at_noon(store=store):
            url = f"ws://127.0.0.1:{await game.serve(port=0)}/v1/socket"
            async with connect(url, role="operator", reconnect=False) as backend:
                with pytest.raises(Refused, match="overloaded"):
                    await backend.for_player("new").start("attack")
                await anyio.sleep_forever()

    with pytest.raises(StoreTaken):
        await serve_until_taken_over()


async def test_a_crate_is_opened_once_and_by_its_owner_r41() -> None:
    cash = {"type": "currency", "currencyKey": "cash", "amount": 7}
    crate = {"type": "crate", "crateItemKey": "box", "quantity": 1}
    items = [{"key": "box", "crateBundleId": "in_the_box"}]
    async with open_game({**GAME, "items": items, "bundles": [{"key": "in_the_box", "entries": [cash]}]}) as game:
        await game.server.create_grant("ada", [crate], idempotency_key="gift-1")
        (box,) = [grant for grant in await game.grants("ada") if grant["kind"] == "crate"]
        opened = await game.open_crate("ada", box["id"])
        assert opened["contents"] == {"entries": [cash]}
        assert opened == await game.open_crate("ada", box["id"])
        assert (await game.wallet("ada"))["cash"] == 7
        with pytest.raises(Refused) as refused:
            await game.open_crate("bob", box["id"])
        assert refused.value.is_not_found


async def test_a_banned_player_neither_starts_nor_writes_r51() -> None:
    async with opened_at_noon() as (game, _):
        attempt = await game.start("ada", "attack")
        await game.server.ban("ada", "bot")
        for act in (game.start("ada", "sprint"), game.progress_attempt("ada", attempt["attemptId"], 1)):
            with pytest.raises(Refused) as refused:
                await act
            assert refused.value.is_player_banned
        await game.server.unban("ada")
        await game.start("ada", "sprint")
        assert (await game.progress_attempt("ada", attempt["attemptId"], 1))["score"] == 1
