"""What a server tells of itself while it runs: logs in which no secret is, and spans for who wants them."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import anyio
import jwt
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from processes import run, run_here, serve, write_json
from raw_peer import dialled
from servers import ATTACK, NOON, game_of

from kraty_actors import open_game
from kraty_actors.cli.logs import JsonLines
from kraty_actors.client import Refused, connect
from kraty_actors.testing import ManualClock

SECRET = "the-secret-that-signs-all-tokens-of-this-game"
HOOK_SECRET = "the-secret-of-a-webhook"
PASSWORD = "the-password-of-a-database"
DEAF = {"key": "deaf", "url": "http://127.0.0.1:1/hooks", "secret": HOOK_SECRET, "events": ["grant.created"]}
GIFT = [{"type": "currency", "currencyKey": "cash", "amount": 5}]


@pytest.fixture
def anyio_backend() -> str:
    """That of the tests' own side."""
    return "trio"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    path = tmp_path / "secrets"
    path.write_text(SECRET)
    return path


@pytest.mark.anyio
async def test_a_log_of_json_can_be_read_line_by_line_and_holds_no_secret(tmp_path: Path, secrets: Path) -> None:
    game = write_json(tmp_path / "game.json", game_of(ATTACK, webhooks=[DEAF]))
    log = tmp_path / "log"
    good = run_here("token", "--role", "server", "--secret-file", secrets).out.strip()
    forged = jwt.encode({"role": "operator", "exp": 2**40}, "another-secret-of-at-least-32-bytes", "HS256")
    args = ("--game", game, "--db", f"sqlite:///{tmp_path}/x.db", "--secret-file", secrets, "--log-format", "json")
    async with serve(*args, "--allow-private-webhooks", log=log) as server:
        async with connect(server.url, token=good) as backend:
            await backend.server.create_grant("ann", GIFT, idempotency_key="1")
        with pytest.raises(Refused):
            async with connect(server.url, token=forged, reconnect=False):
                pass
        async with dialled(server.port, token=good) as peer:
            await peer.send_bytes(b"\xff" * 100)
            await peer.until_closed()
        assert await server.stop() == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {"at", "level", "logger", "message"} <= lines[0].keys()
    assert lines[-1]["message"] == "stopping"
    assert not [secret for secret in (SECRET, HOOK_SECRET, good, forged) if secret in log.read_text()]


def test_a_traceback_is_a_field_of_its_line() -> None:
    try:
        raise LookupError("gone")
    except LookupError:
        record = logging.LogRecord("kraty", logging.ERROR, "x", 1, "%s failed\n", ("it",), sys.exc_info())
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["level"], said["message"]) == ("error", "it failed\n")
    assert said["error"].endswith("LookupError: gone")


def test_a_database_that_cannot_be_reached_is_told_without_its_password(tmp_path: Path) -> None:
    game = write_json(tmp_path / "game.json", game_of(ATTACK))
    url = f"postgresql://kraty:{PASSWORD}@127.0.0.1:1/kraty"
    ended = run("serve", "--game", game, "--db", url, "--insecure-dev", "--log-format", "json")
    assert ended.code == 2
    assert "127.0.0.1" in ended.err
    assert PASSWORD not in ended.err


# -- traces


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["trio", "asyncio"])
async def test_requests_and_commits_are_told_as_spans_but_not_each_write() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    game = game_of(ATTACK)
    async with (
        open_game(game, clock=ManualClock(NOON), insecure_dev=True, tracer=provider.get_tracer("test")) as opened,
        dialled(await opened.serve(port=0)) as ann,
    ):
        await ann.ok("hello", playerId="ann")
        attempt = (await ann.ok("events.start", eventKey="attack"))["attempt"]["attemptId"]
        await ann.ok("events.progress", attemptId=attempt, metricValue=1)
        await ann.error("events.start", eventKey="nothing")
    spans = kept.get_finished_spans()
    requests = [(span.name, span.attributes.get("kraty.error")) for span in spans if span.name != "commit"]
    assert requests == [("hello", None), ("events.start", None), ("events.start", "not_found")]
    commits = [span.attributes for span in spans if span.name == "commit"]
    assert {about["kraty.kind"] for about in commits} >= {"contest", "window"}
    assert all(about["kraty.commands"] >= 1 for about in commits)
    assert all(0 <= span.end_time - span.start_time < 60e9 for span in spans)


@contextmanager
def collecting() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A collector of spans: its address, and what it was sent."""
    received: list[tuple[str, bytes]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", received
        server.shutdown()
        thread.join()


@pytest.mark.anyio
async def test_serve_sends_its_spans_to_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    game = write_json(tmp_path / "game.json", game_of(ATTACK))
    args = ("--game", game, "--db", f"sqlite:///{tmp_path}/x.db", "--insecure-dev", "--traces")
    with collecting() as (address, received):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        async with serve(*args, log=tmp_path / "log") as server, connect(server.url, player_id="ann") as ann:
            await ann.start("attack")
            assert await server.stop() == 0
        await anyio.lowlevel.checkpoint()
    assert {path for path, _ in received} == {"/v1/traces"}
    assert any(b"events.start" in body and b"kraty-actors" in body for _, body in received)
