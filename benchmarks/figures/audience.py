"""Many who look on: `python -m benchmarks.figures.audience URL COUNT [BOARD]`, in a process of its own.

Connects so many, each watching the board if there is one, prints a line once they all do, and reads whatever comes. To
each line on standard input it answers with how many bytes have come since the beginning.
"""

from __future__ import annotations

import selectors
import socket
import sys

import msgpack

from benchmarks.load import BINARY, PONG, RECEIVE_BYTES, connected, masked_frame

PONGED = masked_frame(PONG, b"")
STAY_SECONDS, STAY_EVERY = 10.0, 1_000


def main(url: str, count: int, board: str | None) -> None:
    selector = selectors.DefaultSelector()
    seats: list[socket.socket] = []
    for n in range(count):
        seats.append(_seat(url, f"watcher-{n}", board))
        selector.register(seats[-1], selectors.EVENT_READ)
        if n % STAY_EVERY == 0:
            _stay(seats)
    selector.register(sys.stdin, selectors.EVENT_READ)
    print("ready", flush=True)
    received = 0
    while True:
        ready = selector.select(STAY_SECONDS)
        if not ready:
            _stay(seats)
        for key, _ in ready:
            if key.fileobj is sys.stdin:
                if not sys.stdin.readline():
                    return
                print(received, flush=True)
            else:
                received += len(key.fileobj.recv(RECEIVE_BYTES))  # type: ignore[union-attr]


def _stay(seats: list[socket.socket]) -> None:
    """Show that they are all still there."""
    for seat in seats:
        seat.sendall(PONGED)


def _seat(url: str, player: str, board: str | None) -> socket.socket:
    seat = connected(url)
    if board is not None:
        _send(seat, {"id": 1, "op": "hello", "role": "player", "playerId": player})
        _send(seat, {"id": 2, "op": "boards.watch", "leaderboardId": board})
        _read_until(seat, b"\x82\xa2id\x02")
    return seat


def _send(seat: socket.socket, message: dict[str, object]) -> None:
    seat.sendall(masked_frame(BINARY, msgpack.packb(message)))


def _read_until(seat: socket.socket, mark: bytes) -> None:
    """Read on until the mark has come; each is asked one thing at a time, so that nothing else comes behind it."""
    data = b""
    while mark not in data:
        more = seat.recv(RECEIVE_BYTES)
        if not more:
            raise ConnectionError(f"the server closed a connection: {data!r}")
        data += more


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
