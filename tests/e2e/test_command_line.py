"""`serve`, `token`, `check` and `schema` as processes: lines, exit codes, and what survives."""

from __future__ import annotations

import gc
import json
import signal
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import anyio
import jwt
import pytest
from anyio.streams.tls import TLSStream
from processes import Ended, free_port, http_get, run, run_here, serve, write_json
from raw_peer import Map, dialled
from servers import ATTACK, TRAIL, game_of

from kraty_actors import open_game
from kraty_actors.client import ConnectionLost, connect
from kraty_protocol.errors import CloseCode

GAME = game_of(ATTACK, TRAIL)
SECRETS = ("a-secret-of-the-game-with-enough-bytes", "an-older-secret-which-is-still-verified")
FAULTY = {**ATTACK, "metrics": [{"key": "points", "resetOn": {"metricKey": "loses"}}], "surprise": 1}


@pytest.fixture
def anyio_backend() -> str:
    """That of the tests' own side; the processes choose theirs."""
    return "trio"


@pytest.fixture(autouse=True)
def _leave_the_collector_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server does to its process is not for the process of the tests."""
    for name in ("freeze", "set_threshold"):
        monkeypatch.setattr(gc, name, lambda *_: None)


@pytest.fixture
def game(tmp_path: Path) -> Path:
    return write_json(tmp_path / "arena.json", GAME)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/arena.db"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "server.log"


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    path = tmp_path / "secrets"
    path.write_text("\r\n".join(SECRETS) + "\r\n\n")
    return path


def free_of_tracebacks(log: Path) -> bool:
    return "Traceback" not in log.read_text()


# -- serve


@pytest.mark.anyio
@pytest.mark.parametrize(("backend", "end"), [("trio", signal.SIGTERM), ("asyncio", signal.SIGINT)])
async def test_serve_prints_one_line_stops_on_a_signal_and_goes_on(
    game: Path, database: str, log: Path, backend: str, end: signal.Signals
) -> None:
    args = ("--game", game, "--db", database, "--insecure-dev", "--backend", backend)
    async with serve(*args, log=log) as server:
        assert server.line == f"listening on ws://127.0.0.1:{server.port}/v1/socket"
        assert [(await http_get(server.port, path))[0] for path in ("/healthz", "/readyz", "/")] == [200, 200, 404]
        async with connect(server.url, player_id="ann", reconnect=False) as ann:
            attempt = await ann.start("attack")
            written = await ann.progress(attempt["attemptId"], {"points": 5})
            assert await server.stop(end) == 0
            with pytest.raises(ConnectionLost) as lost:
                await ann.ping()
            assert lost.value.code == CloseCode.GOING_AWAY

    ops = free_port()
    async with serve(*args, "--ops-port", ops, log=log) as server, connect(server.url, player_id="ann") as ann:
        assert (await ann.start("attack"))["metrics"] == written["metrics"] == {"points": 5, "kills": 0}
        answered = [(await http_get(ops, path))[0] for path in ("/healthz", "/readyz", "/metrics", "/v1/socket")]
        assert answered == [200, 200, 200, 404]
        assert [(await http_get(server.port, path))[0] for path in ("/healthz", "/metrics")] == [404, 404]
    assert free_of_tracebacks(log)


@pytest.mark.anyio
async def test_tls(game: Path, database: str, log: Path, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-days", "1", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    await anyio.run_process([*request, *names, "-keyout", str(key), "-out", str(cert)])
    args = ("--game", game, "--db", database, "--insecure-dev", "--tls-cert", cert, "--tls-key", key)
    async with serve(*args, log=log) as server:
        assert server.url.startswith("wss://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(cert))

        async def dial() -> TLSStream:
            return await anyio.connect_tcp("127.0.0.1", server.port, tls_hostname="127.0.0.1", ssl_context=trusting)

        async with connect(server.url, player_id="ann", dial=dial) as ann:
            assert (await ann.start("attack"))["status"] == "in_progress"
        with pytest.raises((ConnectionLost, OSError)):
            async with connect(server.url.replace("wss", "ws"), player_id="ann"):
                pass
        async with connect(server.url, player_id="ann", dial=dial) as ann:
            await ann.ping()
        assert await server.stop() == 0
    assert free_of_tracebacks(log)


def test_a_port_in_use(game: Path, database: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        (reason,) = faulty_start("--game", game, "--db", database, "--insecure-dev", "--port", port)
        assert str(port) in reason
        assert "in use" in reason


def faulty_start(*args: object, run: Callable[..., Ended] = run_here) -> list[str]:
    """The reasons of a server that does not start."""
    ended = run("serve", *args)
    assert (ended.code, ended.out) == (2, "")
    return ended.reasons


def test_a_database_in_a_folder_that_is_not_there(game: Path, tmp_path: Path) -> None:
    (reason,) = faulty_start("--game", game, "--db", f"sqlite:///{tmp_path}/nowhere/arena.db", "--insecure-dev")
    assert "nowhere/arena.db" in reason


def test_a_database_that_is_a_folder(game: Path, tmp_path: Path) -> None:
    assert faulty_start("--game", game, "--db", f"sqlite:///{tmp_path}", "--insecure-dev")


def test_a_database_that_is_none(game: Path, tmp_path: Path) -> None:
    (tmp_path / "arena.db").write_text("dear diary" * 500)
    (reason,) = faulty_start("--game", game, "--db", f"sqlite:///{tmp_path}/arena.db", "--insecure-dev")
    assert "arena.db" in reason
    assert (tmp_path / "arena.db").read_text() == "dear diary" * 500


@pytest.mark.parametrize("url", ["arena.db", "mongodb://localhost/arena", "sqlite:", "", "http://example.com"])
def test_a_database_url_of_another_kind(game: Path, url: str) -> None:
    assert faulty_start("--game", game, "--db", url, "--insecure-dev")


def test_the_database_of_another_game(game: Path, database: str, tmp_path: Path) -> None:
    anyio.run(open_and_close, game, database)
    other = write_json(tmp_path / "other.json", {**GAME, "gameId": "other"})
    (reason,) = faulty_start("--game", other, "--db", database, "--insecure-dev")
    assert "arena" in reason
    assert "other" in reason


async def open_and_close(game: Path, database: str) -> None:
    async with open_game(game, store=database):
        pass


def test_a_faulty_game_file_is_told_whole_one_fault_a_line_r3(tmp_path: Path, database: str) -> None:
    game = write_json(tmp_path / "faulty.json", game_of(TRAIL, FAULTY, colour="red"))
    reasons = faulty_start("--game", game, "--db", database, "--insecure-dev", run=run)
    assert len(reasons) == 3
    for path in ("events[1].metrics[0].resetOn", "events[1].surprise", "colour"):
        assert any(path in reason for reason in reasons), path
    assert not (tmp_path / "arena.db").exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"gameId": "arena", "gameId": "arena"}', '{"gameId": NaN}', "\ufeff{}"]
)
def test_a_game_file_that_is_no_json(tmp_path: Path, database: str, text: str) -> None:
    (tmp_path / "game.json").write_text(text)
    assert faulty_start("--game", tmp_path / "game.json", "--db", database, "--insecure-dev")


def test_a_game_file_that_is_not_there(tmp_path: Path, database: str) -> None:
    (reason,) = faulty_start("--game", tmp_path / "game.json", "--db", database, "--insecure-dev")
    assert "game.json" in reason


def test_without_a_secret_it_does_not_start(game: Path, database: str) -> None:
    assert faulty_start("--game", game, "--db", database)


@pytest.mark.parametrize("text", ["", "\n\n", "too short", f"{SECRETS[0]}\nshort\n"])
def test_secrets_that_are_none(game: Path, database: str, tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text(text)
    (reason,) = faulty_start("--game", game, "--db", database, "--secret-file", tmp_path / "secret")
    assert "secret" in reason
    assert "short" not in reason.replace(str(tmp_path), "").replace("too short", "")


def test_a_secret_file_that_is_not_there(game: Path, database: str, tmp_path: Path) -> None:
    assert faulty_start("--game", game, "--db", database, "--secret-file", tmp_path / "nowhere")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com"])
def test_insecure_dev_is_for_loopback_alone(game: Path, database: str, host: str) -> None:
    (reason,) = faulty_start("--game", game, "--db", database, "--insecure-dev", "--host", host)
    assert host in reason


@pytest.mark.parametrize(
    "args",
    [
        ("--tls-cert", "x"),
        ("--tls-cert", "x", "--tls-key", "y"),
        ("--behind-proxy", "here"),
        ("--with", "no_such_module"),
    ],
)
def test_other_arguments_that_cannot_be_followed(game: Path, database: str, args: tuple[str, ...]) -> None:
    assert faulty_start("--game", game, "--db", database, "--insecure-dev", *args)


# -- token


def claims_of(ended: Ended, secret: str) -> Map:
    assert (ended.code, ended.err) == (0, "")
    return jwt.decode(ended.out.strip(), secret, ["HS256"])


@pytest.mark.anyio
async def test_a_token_opens_the_door_of_a_server_with_the_same_secrets(
    game: Path, database: str, log: Path, secrets: Path, tmp_path: Path
) -> None:
    (tmp_path / "old").write_text(SECRETS[1])
    player = run_here("token", "--role", "player", "--player", "ann", "--secret-file", secrets)
    operator = run_here("token", "--role", "operator", "--ttl", "60", "--secret-file", tmp_path / "old")
    assert claims_of(player, SECRETS[0])["sub"] == "ann"
    assert claims_of(operator, SECRETS[1]).keys() == {"role", "exp"}
    async with serve("--game", game, "--db", database, "--secret-file", secrets, log=log) as server:
        async with connect(server.url, token=player.out.strip()) as ann:
            assert ann.player_id == "ann"
        async with connect(server.url, token=operator.out.strip()) as boss:
            assert (await boss.call("events.get", eventKey="attack"))["state"] == "live"
        async with dialled(server.port) as nobody:
            assert await nobody.refused("hello", playerId="ann") == ("unauthenticated", 401)
    text = await anyio.Path(log).read_text()
    for secret in (*SECRETS, player.out.strip()):
        assert secret not in text


@pytest.mark.parametrize(
    "args",
    [
        ("--role", "player"),
        ("--role", "server", "--player", "ann"),
        ("--role", "admin"),
        ("--role", "server", "--ttl", "0"),
        ("--role", "player", "--player", ""),
        ("--role", "player", "--player", "x" * 65),
    ],
)
def test_a_token_that_no_server_would_take_is_not_signed(secrets: Path, args: tuple[str, ...]) -> None:
    ended = run_here("token", "--secret-file", secrets, *args)
    assert (ended.code, ended.out) == (2, "")
    assert ended.reasons


# -- check and schema


def test_check_is_silent_about_a_game_without_fault(game: Path) -> None:
    ended = run_here("check", game)
    assert (ended.code, ended.out, ended.err) == (0, "", "")


def test_check_tells_faults_and_warnings_a_line_each_r3(tmp_path: Path) -> None:
    faulty = run_here("check", write_json(tmp_path / "faulty.json", game_of(FAULTY)))
    assert (faulty.code, faulty.err) == (2, "")
    paths = {line.partition(": ")[0] for line in faulty.out.splitlines()}
    assert paths == {"events[0].metrics[0].resetOn.metricKey", "events[0].surprise"}

    stale = run_here("check", write_json(tmp_path / "stale.json", game_of({**ATTACK, "contributesTo": ["gone"]})))
    assert (stale.code, stale.err) == (0, "")
    assert any(line.startswith("warning: events[0].contributesTo") for line in stale.out.splitlines())


def test_check_as_json(tmp_path: Path) -> None:
    ended = run_here("check", "--json", write_json(tmp_path / "faulty.json", game_of(FAULTY)))
    assert (ended.code, ended.err) == (2, "")
    found = json.loads(ended.out)
    assert [fault["path"] for fault in found["faults"]] == sorted(fault["path"] for fault in found["faults"])
    assert {"path", "message"} == set(found["faults"][0])
    assert found["warnings"] == []


def test_check_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    ended = run_here("check", tmp_path / "nowhere.json")
    assert ended.code == 2
    assert len(ended.reasons) == 1


def test_schema_describes_a_game() -> None:
    ended = run_here("schema")
    assert (ended.code, ended.err) == (0, "")
    schema = json.loads(ended.out)
    assert schema["required"] == ["gameId"]
    assert "events" in schema["properties"]
