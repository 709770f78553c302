"""What a server tells of itself: `/metrics`, `/healthz`, `/readyz` and `stats`."""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from processes import http_get
from prometheus_client.parser import text_string_to_metric_families
from raw_peer import Map
from servers import ATTACK, RACE, Server, game_of, serving
from signing import SECRETS, token

from kraty_actors.definitions import LimitSettings
from kraty_persistence import MemoryStore, StoreUnavailable

pytestmark = pytest.mark.anyio

JUMP: Map = {"key": "max_metric_jump", "params": {"metricKey": "points", "maxDelta": 10}}
GAME = game_of(ATTACK | {"antiCheat": {"validators": [JUMP]}}, RACE)
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def samples_of(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def scraped(server: Server) -> Samples:
    status, text = await http_get(server.port, "/metrics")
    assert status == 200
    return samples_of(text)


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


async def test_what_is_done_is_counted(codec: str) -> None:
    async with (
        serving(GAME) as server,
        server.peer("ann", codec=codec) as ann,
        server.peer("secretive_player", codec=codec) as watcher,
    ):
        started = await ann.ok("events.start", eventKey="attack")
        attempt = started["attempt"]["attemptId"]
        watch = await watcher.ok("boards.watch", leaderboardId=started["leaderboardId"])
        for points in (1, 2, 50):
            await ann.ok("events.progress", attemptId=attempt, metricValue=points)
        assert await ann.refused("events.start", eventKey="nothing") == ("not_found", 404)
        version = watch["version"]
        while version < watch["version"] + 3:
            version = (await watcher.push("board.delta"))["version"]
        samples = await scraped(server)

    def count(op: str) -> float:
        return value(samples, "kraty_request_seconds_count", op=op)

    assert [count(op) for op in ("hello", "events.start", "events.progress", "boards.watch")] == [2, 2, 3, 1]
    assert 0 < value(samples, "kraty_request_seconds_sum", op="events.progress") < 30
    assert value(samples, "kraty_request_seconds_bucket", op="events.progress", le="+Inf") == 3
    assert value(samples, "kraty_refused_total", code="not_found") == 1
    assert value(samples, "kraty_flagged_total", validator="max_metric_jump", verdict="flag") == 1
    assert value(samples, "kraty_connections") == 2
    assert (value(samples, "kraty_watchers"), value(samples, "kraty_views")) == (1, 1)
    deltas = value(samples, "kraty_board_deltas_total")
    assert 1 <= deltas == value(samples, "kraty_board_deliveries_total")
    assert deltas + value(samples, "kraty_merged_deltas_total", reason="pace") == 3
    assert value(samples, "kraty_actors", kind="calendar") == value(samples, "kraty_actors", kind="contest") / 2 == 1
    assert value(samples, "kraty_commit_seconds_count") == value(samples, "kraty_batch_commands_count") > 3
    assert value(samples, "kraty_journal_lag_seconds") == value(samples, "kraty_mailbox_commands") == 0
    assert value(samples, "kraty_store_up") == 1
    names = {text for _, labels in samples for label in labels for text in label}
    participants = {peer.welcome["participantId"] for peer in (ann, watcher)}
    assert not names & {"ann", "secretive_player", attempt, started["leaderboardId"], *participants}


async def test_what_waits_for_the_store_shows(codec: str) -> None:
    store = MemoryStore()
    async with serving(GAME, store=store) as server, server.peer("ann", codec=codec) as ann:
        attempt = (await ann.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        store.hold()
        await ann.post("events.progress", attemptId=attempt, metricValue=1)
        await ann.ok("ping")
        async with server.peer(role="operator", codec=codec) as ops:
            samples = await scraped(server)
            assert value(samples, "kraty_journal_waiting_batches") == 1
            assert value(samples, "kraty_journal_lag_seconds") > 0
            stats = await ops.ok("stats")
            busiest = stats["actors"][0]
            assert (stats["inFlight"], busiest["inFlight"], busiest["kind"], busiest["key"]) == (
                1,
                1,
                "contest",
                "attack",
            )
            assert stats["journalLagSeconds"] == busiest["lagSeconds"] > 0
        store.release()


async def test_stats_name_the_busiest_actors_and_how_fast_they_are(codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kraty_actors.gateway.standing.APART_SECONDS", 0)
    async with serving(GAME) as server, AsyncExitStack() as stack:
        ann = await stack.enter_async_context(server.peer("ann", codec=codec))
        ops = await stack.enter_async_context(server.peer(role="operator", codec=codec))
        started = await ann.ok("events.start", eventKey="attack")
        first = await ops.ok("stats")
        assert all(actor["perSecond"] is None for actor in first["actors"])
        for _ in range(10):
            await ann.ok("events.progress", attemptId=started["attempt"]["attemptId"], metricValue=1)
        second = await ops.ok("stats", limit=1)
        [busiest] = second["actors"]
        assert (busiest["actor"], busiest["key"]) == (started["leaderboardId"], "attack")
        assert busiest["perSecond"] > 0
        assert second["total"] == first["total"] == len(first["actors"])
        assert second["writes"] - first["writes"] == 10
        assert second["answered"] > first["answered"] + 10
        assert {actor["kind"] for actor in first["actors"]} == {"calendar", "window", "contest"}
        assert await ann.refused("stats") == ("forbidden", 403)


def bearing(said: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {said}"}


FORWARDED = {"X-Forwarded-For": "203.0.113.7"}


async def test_metrics_are_for_loopback_and_operators_alone() -> None:
    game: dict[str, Any] = {"secrets": SECRETS, "insecure_dev": False}
    async with serving(GAME, **game) as direct, serving(GAME, **game, behind_proxy="127.0.0.0/8") as proxied:
        operator, player = token(role="operator", sub=None), token()
        for server in (direct, proxied):
            for headers in (FORWARDED, FORWARDED | bearing(player), FORWARDED | bearing("nonsense")):
                assert (await http_get(server.port, "/metrics", headers))[0] == 403
            assert (await http_get(server.port, "/metrics", FORWARDED | bearing(operator)))[0] == 200
            for path in ("/healthz", "/readyz"):
                assert (await http_get(server.port, path, FORWARDED))[0] == 200
        assert (await http_get(direct.port, "/metrics"))[0] == 200
        assert (await http_get(proxied.port, "/metrics"))[0] == 403  # a proxy that does not say for whom it asks


async def test_r58_readyz_tells_that_the_store_is_away_and_the_rest_goes_on(codec: str) -> None:
    store = MemoryStore()
    async with serving(GAME, store=store) as server, server.peer("ann", codec=codec) as ann:
        attempt = (await ann.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        assert await http_get(server.port, "/readyz") == (200, "ready\n")
        store.outage = StoreUnavailable("away")
        assert await ann.refused("events.progress", attemptId=attempt, metricValue=1) == ("overloaded", 503)
        status, reason = await http_get(server.port, "/readyz")
        assert (status, "database" in reason) == (503, True)
        assert (await http_get(server.port, "/healthz"))[0] == 200
        assert value(await scraped(server), "kraty_store_up") == 0
        store.outage = None
        while (await http_get(server.port, "/readyz"))[0] != 200:
            pass
        await ann.ok("events.progress", attemptId=attempt, metricValue=1)


async def test_the_page_about_operating_names_every_metric_and_limit() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")
    async with serving(GAME) as server:
        status, text = await http_get(server.port, "/metrics")
    assert status == 200
    families = {family.name for family in text_string_to_metric_families(text)}
    ours = {name for name in families if not name.startswith("process_")}
    assert {name for name in ours if f"`{name}`" not in page and f"`{name}_total`" not in page} == set()
    assert {
        name for name in set(re.findall("`(kraty_[a-z_]+)`", page)) if name.removesuffix("_total") not in ours
    } == set()
    assert {field.alias for field in LimitSettings.model_fields.values() if f"`{field.alias}`" not in page} == set()
