"""R-53: what the outbox holds arrives at least once, whatever receivers do, and none of them delays another."""

from __future__ import annotations

import anyio
import pytest
from anyio import wait_all_tasks_blocked
from anyio.lowlevel import checkpoint
from posting import DAY, NOW, Post, post, verified
from receiver import Behaviour, Heard, babbles, hangs_up, is_silent, never_ends, receiver, says, talks_nonsense

from kraty_actors.actors.records import pack
from kraty_actors.webhooks import backoff, courier
from kraty_actors.webhooks.backoff import pause_ms
from kraty_actors.webhooks.endpoints import Endpoint
from kraty_actors.webhooks.sending import Limits
from kraty_persistence import Delivery, DeliveryRow, StoreUnavailable

pytestmark = pytest.mark.anyio

QUICK = Limits(exchange_seconds=0.05, body_seconds=0.02)


async def test_a_delivery_arrives_signed_and_is_forgotten() -> None:
    async with receiver() as there, post({"backend": there.url}) as here:
        here.put("backend", "d1", data={"key": "cash", "delta": 5}, players=7)
        await here.store.until_empty()
        (heard,) = there.heard
        assert verified(heard) == {
            "id": "d1",
            "eventName": "wallet.changed",
            "gameId": "arena",
            "occurredAt": "2023-11-14T22:13:20.000Z",
            "deliveryAttempt": 1,
            "data": {"key": "cash", "delta": 5, "playerId": "ann"},
        }
        assert heard.headers["x-signature"].startswith(f"t={NOW // 1000},")


async def test_players_are_named_and_who_was_erased_is_nobody_r57() -> None:
    async with receiver() as there, post({"backend": there.url}) as here:
        here.put("backend", "d1", players=[8, 7, 99])
        here.put("backend", "d2", players=99)
        await here.store.until_empty()
        data = {body["id"]: body["data"] for body in map(verified, there.heard)}
        assert data == {"d1": {"n": 1, "playerIds": ["bob", "ann", None]}, "d2": {"n": 1, "playerId": None}}


async def test_a_failure_is_tried_again_when_its_pause_is_over_with_the_same_id_and_data() -> None:
    async with receiver(says("500 Oh")) as there, post({"backend": there.url}) as here:
        here.put("backend", "d1", players=7)
        rows = await here.store.until(lambda rows: rows["d1"].attempts == 1)
        assert rows["d1"].error == "status 500"
        assert rows["d1"].next_at == NOW + pause_ms("d1", 1)
        there.answer = says("200 OK")
        here.time.move_to(rows["d1"].next_at - 1)
        here.worker.wake()
        await wait_all_tasks_blocked()
        assert len(there.heard) == 1
        here.time.move_to(rows["d1"].next_at)
        await here.store.until_empty()
        first, second = map(verified, there.heard)
        assert (first.pop("deliveryAttempt"), second.pop("deliveryAttempt")) == (1, 2)
        assert first == second
        assert there.heard[1].headers["x-signature"].startswith(f"t={here.time.now // 1000},")


@pytest.mark.parametrize(
    "behaviour",
    [
        hangs_up,
        is_silent,
        talks_nonsense,
        says("302 Found", "Location: http://127.0.0.1:1/"),
        babbles([], status="500 No"),
    ],
    ids=["hangs up", "silent", "nonsense", "redirects", "babbles"],
)
async def test_whatever_goes_wrong_the_next_try_is_planned(behaviour: Behaviour) -> None:
    async with receiver(behaviour) as there, post({"backend": there.url}, limits=QUICK) as here:
        here.put("backend", "d1")
        rows = await here.store.until(lambda rows: rows["d1"].attempts == 1)
        assert rows["d1"].next_at == NOW + pause_ms("d1", 1)
        assert rows["d1"].error


@pytest.mark.parametrize("behaviour", [never_ends, babbles([])], ids=["never ends", "huge"])
async def test_a_200_without_an_end_is_an_arrival(behaviour: Behaviour) -> None:
    async with receiver(behaviour) as there, post({"backend": there.url}, limits=QUICK) as here:
        here.put("backend", "d1")
        await here.store.until_empty()


async def test_a_flapping_receiver_gets_everything() -> None:
    answers = 0

    async def flaps(stream, heard: Heard) -> None:
        nonlocal answers
        answers += 1
        await (says("200 OK") if answers % 3 == 0 else hangs_up if answers % 3 == 1 else says("503 Busy"))(
            stream, heard
        )

    async with receiver(flaps) as there, post({"backend": there.url}) as here:
        ids = [f"d{number}" for number in range(30)]
        here.put("backend", *ids)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_keep_moving, here)
            await here.store.until_empty()
            tasks.cancel_scope.cancel()
        arrived = {verified(heard)["id"] for heard in there.heard}
        assert arrived == set(ids)


async def _keep_moving(here: Post) -> None:
    """With each thing that is written down a minute passes, or what it takes until something is due."""
    while True:
        await here.store.written.wait()
        next_at = min((row.next_at or 0 for row in here.store.rows().values()), default=0)
        here.time.move_to(max(next_at, here.time.now + 60_000))


@pytest.mark.parametrize("behaviour", [is_silent, hangs_up, says("503 Busy", "Retry-After: 3600")])
async def test_a_slow_or_dead_endpoint_delays_no_other(behaviour: Behaviour) -> None:
    """The bad one has hundreds of deliveries that are due, and an exchange there takes longer than this test."""
    async with receiver(behaviour) as bad, receiver() as good, post({"a": bad.url, "b": good.url}) as here:
        here.put("a", *(f"a{number}" for number in range(500)))
        await bad.has_heard(1)
        here.put("b", *(f"b{number}" for number in range(200)))
        await here.store.until(lambda rows: not any(row.endpoint == "b" for row in rows.values()))
        assert len({verified(heard)["id"] for heard in good.heard}) == 200


async def test_no_more_than_so_many_are_under_way_to_one_endpoint() -> None:
    async with receiver(is_silent) as there, post({"backend": there.url}) as here:
        here.put("backend", *(f"d{number}" for number in range(100)))
        await there.has_heard(courier.PARALLEL)
        here.worker.wake()
        await wait_all_tasks_blocked()
        assert len(there.heard) == courier.PARALLEL


async def test_an_endpoint_that_fails_is_tried_with_one_delivery_at_a_time_after_a_rest() -> None:
    async with receiver(says("500 Oh")) as there, post({"backend": there.url}) as here:
        here.put("backend", *(f"d{number}" for number in range(100)))
        tried = courier.PARALLEL
        await here.store.until(lambda rows: _tried(rows) == tried)
        for _ in range(5):
            assert len(there.heard) == tried
            assert await here.time.next_alarm() == here.time.now
            tried += 1
            await here.store.until(lambda rows, tried=tried: _tried(rows) == tried)
        assert here.time.now == NOW + sum(backoff.rest_ms(failures) for failures in range(1, 6))
        there.answer = says("200 OK")
        await here.time.next_alarm()
        await here.store.until(lambda rows: _tried(rows) == len(rows))


def _tried(rows: dict[str, DeliveryRow]) -> int:
    return sum(row.attempts > 0 for row in rows.values())


@pytest.mark.parametrize(
    ("header", "seconds"), [("Retry-After: 90", 90), ("Retry-After: 999999", 3_600), ("Retry-After: 1", None)]
)
async def test_retry_after_is_honoured_within_bounds(header: str, seconds: int | None) -> None:
    async with receiver(says("429 Slow", header)) as there, post({"backend": there.url}) as here:
        here.put("backend", "d1")
        rows = await here.store.until(lambda rows: rows["d1"].attempts == 1)
        pause = pause_ms("d1", 1) if seconds is None else seconds * 1000
        assert rows["d1"].next_at == NOW + pause


async def test_an_endpoint_that_asks_for_it_is_left_alone_for_up_to_a_minute() -> None:
    async with receiver(says("429 Slow", "Retry-After: 90")) as there, post({"backend": there.url}) as here:
        here.put("backend", "d1")
        await here.store.until(lambda rows: rows["d1"].attempts == 1)
        here.put("backend", "d2")
        assert await here.time.next_alarm() == NOW + 60_000
        await there.has_heard(2)


async def test_after_a_day_it_is_given_up_with_its_error_and_can_be_replayed() -> None:
    async with receiver(says("500 Oh")) as there, post({"backend": there.url}) as here:
        here.put("backend", "d1", players=7)
        tries = 0
        while (row := here.store.rows()["d1"]).next_at is not None:
            assert row.attempts == tries
            here.time.move_to(row.next_at)
            tries += 1
            await here.store.until(lambda rows, tries=tries: rows["d1"].attempts == tries)
        assert DAY - 1.2 * backoff.LONGEST_MS <= here.time.now - NOW <= DAY  # the next try would come after a day
        assert 30 <= tries <= 37
        assert (row.attempts, row.error) == (tries, "status 500")
        assert [one.id for one in await here.store.dead()] == ["d1"]
        there.answer = says("200 OK")
        assert await here.store.replay(["d1"], here.time.now) == 1
        await here.time.next_alarm()  # the endpoint rests for a minute at most
        await here.store.until_empty()
        bodies = [verified(heard) for heard in there.heard]
        assert bodies[-1]["deliveryAttempt"] == 1
        assert len({(body["id"], str(body["data"])) for body in bodies}) == 1


async def test_what_waits_behind_a_dead_endpoint_for_a_day_is_given_up_without_a_try() -> None:
    async with receiver(hangs_up) as there, post({"backend": there.url}) as here:
        ids = [f"d{number}" for number in range(400)]
        here.put("backend", *ids)
        await here.store.until(lambda rows: _tried(rows) == courier.PARALLEL)
        here.time.move_to(NOW + DAY)
        rows = await here.store.until(lambda rows: sum(row.next_at is None for row in rows.values()) > 380)
        assert len(there.heard) < 20
        untried = [row for row in rows.values() if row.next_at is None and not row.attempts]
        assert {row.error for row in untried} == {"the endpoint failed for a day"}


async def test_what_became_due_while_the_server_was_down_has_its_whole_day() -> None:
    """R-53: the day counts what could have been tried."""
    async with receiver(says("500 Oh")) as there, post({}) as here:
        here.put("backend", "d1")
        here.time.move_to(NOW + 3 * DAY)
        here.worker.serve({"backend": Endpoint("backend", there.url, b"s")})
        rows = await here.store.until(lambda rows: rows["d1"].attempts == 1)
        assert rows["d1"].next_at == here.time.now + pause_ms("d1", 1)


async def test_what_cannot_be_read_is_given_up_and_the_others_go_on() -> None:
    async with receiver() as there, post({"backend": there.url}) as here:
        bodies = (b"\xc1", b"", b"\x93", b"\x92\x01\xc0")
        bad = [Delivery(f"bad{number}", "backend", "x", NOW, body) for number, body in enumerate(bodies)]
        here.store.put(*bad)
        here.put("backend", "good")
        rows = await here.store.until(lambda rows: all(row.next_at is None for row in rows.values()))
        assert {key: row.error for key, row in rows.items()} == {one.id: "cannot be read" for one in bad}
        assert len(there.heard) == 1


async def test_a_bug_in_one_delivery_ends_neither_the_others_nor_the_game(caplog: pytest.LogCaptureFixture) -> None:
    async with receiver() as there, post({"backend": there.url}) as here:
        here.put("backend", "d1", data={"score": float("nan")})
        here.put("backend", "d2")
        rows = await here.store.until(lambda rows: list(rows) == ["d1"] and rows["d1"].attempts == 1)
        assert rows["d1"].error == "internal error"
        assert "whsec" not in caplog.text


async def test_an_endpoint_that_left_keeps_what_waits_for_it() -> None:
    async with receiver(is_silent) as there, post({"backend": there.url}) as here:
        here.put("backend", "d1")
        await there.has_heard(1)
        here.worker.serve({})
        here.put("backend", "d2")
        there.answer = says("200 OK")
        here.worker.serve({"backend": Endpoint("backend", there.url, b"other")})
        await here.store.until_empty()
        assert {verified(heard, "other")["id"] for heard in there.heard[1:]} == {"d1", "d2"}


async def test_a_new_address_and_secret_count_from_the_next_try_on() -> None:
    async with receiver(says("500 Oh")) as old, receiver() as new, post({"backend": old.url}) as here:
        here.put("backend", "d1")
        rows = await here.store.until(lambda rows: rows["d1"].attempts == 1)
        here.worker.serve({"backend": Endpoint("backend", new.url, b"new")})
        here.time.move_to(rows["d1"].next_at or 0)
        await here.store.until_empty()
        assert verified(new.heard[0], "new")["deliveryAttempt"] == 2
        assert len(old.heard) == 1


async def test_a_stop_waits_for_what_is_under_way_and_writes_down_what_came_of_it() -> None:
    gate = anyio.Event()

    async def hesitates(stream, heard: Heard) -> None:
        await gate.wait()
        await says("200 OK")(stream, heard)

    async with receiver(hesitates) as there, anyio.create_task_group() as tasks:
        async with post({"backend": there.url}) as here:
            here.put("backend", *(f"d{number}" for number in range(50)))
            await there.has_heard(courier.PARALLEL)
            tasks.start_soon(_open, gate)
        assert len(here.store.rows()) == 50 - courier.PARALLEL


async def _open(gate: anyio.Event) -> None:
    await checkpoint()
    gate.set()


async def test_what_nobody_was_told_of_is_found_after_a_while() -> None:
    async with receiver() as there, post({"backend": there.url}) as here:
        await here.time.until_called()
        here.store.put(Delivery("d1", "backend", "x", NOW, pack([{}, None])))
        await wait_all_tasks_blocked()
        assert there.heard == []
        assert await here.time.next_alarm() == NOW + courier.LOOK_AGAIN_MS
        await here.store.until_empty()


async def test_an_outage_of_the_store_loses_nothing_and_ends_by_itself() -> None:
    """R-58: an answer that could not be written down is written down later, and not delivered again."""

    async def answers_in_an_outage(stream, heard: Heard) -> None:
        here.store.outage = StoreUnavailable("gone")
        await says("200 OK")(stream, heard)

    async with receiver(answers_in_an_outage) as there, post({"backend": there.url}) as here:
        here.put("backend", "d1")
        await there.has_heard(1)
        await wait_all_tasks_blocked()
        assert list(here.store.rows()) == ["d1"]
        there.answer = says("200 OK")
        here.store.outage = None
        here.put("backend", "d2")
        await here.store.until_empty()
        assert [verified(heard)["id"] for heard in there.heard] == ["d1", "d2"]
