"""The client of the benchmarks: many players who each keep some progress writes in flight.

`python -m benchmarks.load URL EVENT_KEY ...` runs in a process of its own, beside the server's, and prints
one line of JSON. It spends about two microseconds on a message, so that the server is what is measured:
frames are cut from a template (with a mask of zeros: the server has to unmask all the same) and replies
are told apart by their first bytes.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import selectors
import socket
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import msgpack

SILENCE_SECONDS = 10.0
RECEIVE_BYTES = 65_536
ZERO_MASK = bytes(4)
PLACEHOLDER = 0xFFFF_FFFF  # packs as four bytes of 0xff, which occur nowhere else in a request
BINARY, CLOSE, PING, PONG = 0x82, 0x88, 0x89, 0x8A


class LoadFailed(Exception):
    """The run measured nothing that counts: a refusal, a lost connection, a silent server."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run gave; `client_busy` is the share of a core that the client used."""

    acks_per_second: float
    p50_ms: float
    p99_ms: float
    client_busy: float


class Player:
    """One connection and one attempt; `seq` counts its writes and is each write's `id` as well."""

    def __init__(self, url: str, player_id: str, event_key: str, metric: str) -> None:
        self.socket = connected(url)
        self.sent_at: deque[float] = deque()
        self.seq = 0
        self.last_reply = b""
        self._rest = b""
        self._ask({"id": 1, "op": "hello", "role": "player", "playerId": player_id})
        started = self._ask({"id": 2, "op": "events.start", "eventKey": event_key})
        self._template = write_template(started["attempt"]["attemptId"], metric)

    def write(self, count: int) -> None:
        """Send the next `count` progress writes in one go."""
        following = range(self.seq + 1, self.seq + count + 1)
        self.seq += count
        now = time.perf_counter()
        self.sent_at.extend([now] * count)
        self.socket.sendall(b"".join([seq.to_bytes(4, "big").join(self._template) for seq in following]))

    def receive(self) -> int:
        """Take what has arrived and return how many writes it acknowledges."""
        data = self.socket.recv(RECEIVE_BYTES)
        if not data:
            raise LoadFailed("the server closed a connection")
        buffer, at, acknowledged = self._rest + data, 0, 0
        while (span := frame_span(buffer, at)) is not None:
            body, end = span
            acknowledged += self._take(buffer[at], buffer[body:end])
            at = end
        self._rest = buffer[at:]
        return acknowledged

    def check(self, points: int) -> None:
        """The last answer must stand for all writes that were sent: none lost, none counted twice."""
        ok = msgpack.unpackb(self.last_reply)["ok"]
        if (ok["seq"], ok["score"]) != (self.seq, self.seq * points):
            raise LoadFailed(f"after {self.seq} writes of 1 the answer was seq {ok['seq']}, score {ok['score']}")

    def _take(self, kind: int, body: bytes) -> bool:
        if kind == BINARY:
            return self._take_message(body)
        if kind == PING:
            self.socket.sendall(masked_frame(PONG, body))
        elif kind == CLOSE:
            raise LoadFailed(f"the server closed a connection: {body!r}")
        return False

    def _take_message(self, body: bytes) -> bool:
        if not (body.startswith(b"\x82\xa2id") and body.find(b"\xa2ok", 4, 16) > 0):
            message = msgpack.unpackb(body)
            if "error" in message:
                raise LoadFailed(f"refused: {message['error']}")
            if "push" in message:
                return False
        self.last_reply = body
        return True

    def _ask(self, request: dict[str, Any]) -> Any:
        self.socket.sendall(masked_frame(BINARY, msgpack.packb(request)))
        while not self.receive():
            pass
        return msgpack.unpackb(self.last_reply)["ok"]


def connected(url: str) -> socket.socket:
    """A WebSocket on which nothing has been said yet."""
    address = urlsplit(url)
    made = socket.create_connection((address.hostname, address.port), timeout=SILENCE_SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    made.sendall(
        f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Protocol: kraty.v1.msgpack\r\n\r\n".encode()
    )
    response = b""
    while not response.endswith(b"\r\n\r\n"):  # the server says nothing more before it is asked
        response += made.recv(RECEIVE_BYTES) or b"closed\r\n\r\n"
    if not response.startswith(b"HTTP/1.1 101"):
        raise LoadFailed(f"no upgrade: {response.splitlines()[0]!r}")
    return made


def masked_frame(kind: int, body: bytes) -> bytes:
    """A client's frame of at most 65,535 bytes."""
    size = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + len(body).to_bytes(2, "big")
    return bytes([kind]) + size + ZERO_MASK + body


def write_template(attempt_id: str, metric: str) -> list[bytes]:
    """The pieces of a frame with a progress write: joined by a `seq` of four bytes they are one."""
    body = msgpack.packb(
        {
            "id": PLACEHOLDER,
            "op": "events.progress",
            "attemptId": attempt_id,
            "metrics": {metric: 1},
            "seq": PLACEHOLDER,
        }
    )
    return masked_frame(BINARY, body).split(PLACEHOLDER.to_bytes(4, "big"))


def frame_span(buffer: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the server's frame at `at` begins and ends, or None while it is not all there."""
    if len(buffer) < at + 2:
        return None
    size, body = buffer[at + 1], at + 2
    if size >= 126:
        body += 2 if size == 126 else 8
        size = int.from_bytes(buffer[at + 2 : body], "big")
    return (body, body + size) if len(buffer) >= body + size else None


class Run:
    """Players on one selector; `latencies` holds one entry for each acknowledgement, in seconds."""

    def __init__(self, players: list[Player]) -> None:
        self.players = players
        self.latencies: list[float] = []
        self._selector = selectors.DefaultSelector()
        for player in players:
            player.socket.setblocking(False)
            self._selector.register(player.socket, selectors.EVENT_READ, player)

    def begin(self, in_flight: int) -> None:
        for player in self.players:
            player.write(in_flight)

    def until(self, instant: float) -> None:
        """Write anew for each acknowledgement until that instant of `time.perf_counter`."""
        while time.perf_counter() < instant:
            self._turn(again=True)

    def drain(self) -> None:
        """Take the answers that are still due."""
        while any(player.sent_at for player in self.players):
            self._turn(again=False)

    def _turn(self, *, again: bool) -> None:
        ready = self._selector.select(SILENCE_SECONDS)
        if not ready:
            raise LoadFailed(f"no answer for {SILENCE_SECONDS:g} s")
        for key, _ in ready:
            player: Player = key.data
            acknowledged = player.receive()
            now = time.perf_counter()
            self.latencies += [now - player.sent_at.popleft() for _ in range(acknowledged)]
            if again and acknowledged:
                player.write(acknowledged)


def measure(players: list[Player], in_flight: int, warm_up: float, seconds: float, points: int) -> Measured:
    """Keep `in_flight` writes of each player under way and count the answers after `warm_up` seconds."""
    run = Run(players)
    run.begin(in_flight)
    run.until(time.perf_counter() + warm_up)
    begun, busy_before, first = time.perf_counter(), time.process_time(), len(run.latencies)
    run.until(begun + seconds)
    elapsed, busy = time.perf_counter() - begun, time.process_time() - busy_before
    counted = sorted(run.latencies[first:])
    run.drain()
    for player in players:
        player.check(points)
    return Measured(
        acks_per_second=len(counted) / elapsed,
        p50_ms=1000 * counted[len(counted) // 2],
        p99_ms=1000 * counted[len(counted) * 99 // 100],
        client_busy=busy / elapsed,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("event_key")
    parser.add_argument("--metric", default="streak")
    parser.add_argument("--points", type=int, default=1, help="what a write adds to the score")
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--in-flight", type=int, default=16)
    parser.add_argument("--warm-up", type=float, default=1.0, help="seconds")
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    try:
        players = [
            Player(options.url, f"p{number}", options.event_key, options.metric)
            for number in range(options.connections)
        ]
        measured = measure(players, options.in_flight, options.warm_up, options.seconds, options.points)
    except (LoadFailed, OSError) as failure:
        raise SystemExit(f"{type(failure).__name__}: {failure}") from None
    print(json.dumps(asdict(measured)))


if __name__ == "__main__":
    main()
