"""R-53 with `kraty-actors serve` on a database: what is told survives kill -9, and secrets are looked for first."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import ByteStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream
from posting import verified
from receiver import Heard, receiver, says

from kraty_actors.client import connect

COMMAND = [sys.executable, "-m", "kraty_actors", "serve", "--insecure-dev", "--port", "0"]
PATIENCE_SECONDS = 30
SECRET = "whsec"


def game_file(folder: Path, url: str) -> Path:
    webhook = {"key": "backend", "url": url, "secretEnv": "HOOK_SECRET", "events": ["wallet.changed"]}
    game = {"gameId": "arena", "currencies": [{"key": "cash"}], "webhooks": [webhook]}
    path = folder / "arena.json"
    path.write_text(json.dumps(game))
    return path


@contextlib.asynccontextmanager
async def served(folder: Path, url: str, *args: str) -> AsyncIterator[tuple[Process, str]]:
    """A server that listens, and its address; killed at the end."""
    command = [*COMMAND, "--game", str(game_file(folder, url)), "--db", f"sqlite:///{folder}/arena.db", *args]
    with (folder / "log").open("ab") as log:
        async with await anyio.open_process(command, stderr=log) as process:
            assert process.stdout is not None
            try:
                with anyio.fail_after(PATIENCE_SECONDS):
                    line = await BufferedByteReceiveStream(process.stdout).receive_until(b"\n", 1000)
                yield process, line.decode().removeprefix("listening on ")
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()


def credited(heard: list[Heard]) -> dict[str, dict[str, Any]]:
    """What arrived, by id; the same id is the same in all but its try."""
    found: dict[str, dict[str, Any]] = {}
    for body in map(verified, heard):
        del body["deliveryAttempt"]
        assert found.setdefault(body["id"], body) == body
    return found


@pytest.mark.anyio
async def test_every_acknowledged_credit_is_told_though_the_server_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, anyio_backend: str
) -> None:
    """At least once, exactly one id each; and what was not acknowledged may be there or not, but never twice."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    args = ("--allow-private-webhooks", "--backend", anyio_backend)
    acknowledged = 0

    async def flaps(stream: ByteStream, heard: Heard) -> None:
        await says("500 Oh" if len(there.heard) % 2 else "200 OK")(stream, heard)

    async with receiver(flaps) as there:
        for life in range(3):
            async with served(tmp_path, there.url, *args) as (process, url):
                async with connect(url, player_id="ann", role="server", reconnect=False) as server:
                    for number in range(20):
                        key = f"{life}-{number}"
                        await server.server.credit("ann", "cash", 1, reason="gift", idempotency_key=key)
                        acknowledged += 1
                process.kill()
                await process.wait()
        there.answer = says("200 OK")
        async with served(tmp_path, there.url, *args) as (process, url):
            with anyio.fail_after(PATIENCE_SECONDS):
                while len(credited(there.heard)) < acknowledged:
                    await there.news.wait()
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
    told = credited(there.heard)
    assert sorted(body["data"]["balance"] for body in told.values()) == list(range(1, acknowledged + 1))
    log = (tmp_path / "log").read_text()
    assert SECRET not in log
    assert "Traceback" not in log


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_secret_is_said_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    if value is not None:
        monkeypatch.setenv("HOOK_SECRET", value)
    path = game_file(tmp_path, "https://game.example/hooks")
    command = [*COMMAND, "--game", str(path), "--db", f"sqlite:///{tmp_path}/arena.db"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {path}: webhooks[0].secretEnv: the environment has no variable HOOK_SECRET\n"
