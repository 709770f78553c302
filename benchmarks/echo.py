"""Bare echoes to compare with: each decodes a request and encodes a reply as large as the server's.

`python -m benchmarks.echo websockets-trio|sans-io` serves one and prints where, as the server does.
"""

from __future__ import annotations

import sys

import anyio
import msgpack
import trio
from anyio.abc import ByteStream, SocketAttribute
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.trio.server import ServerConnection, serve
from websockets.typing import BytesLike, Subprotocol

SUBPROTOCOLS = [Subprotocol("kraty.v1.msgpack")]
ATTEMPT_ID = "at_" + "0" * 22
CHUNK_BYTES = 65_536


def answer(request: BytesLike) -> bytes:
    """The reply to one request: every op gets what `events.progress` would, and `start` an attempt too."""
    message = msgpack.unpackb(request)
    seq = message.get("seq", 0)
    ok = {
        "attemptId": ATTEMPT_ID,
        "seq": seq,
        "status": "in_progress",
        "metrics": {"streak": seq},
        "metricsRaw": {"streak": seq},
        "score": seq,
        "rank": 1,
        "milestonesFired": [],
    }
    if message["op"] == "events.start":
        ok["attempt"] = {"attemptId": ATTEMPT_ID}
    reply: bytes = msgpack.packb({"id": message["id"], "ok": ok})
    return reply


async def serve_websockets_trio() -> None:
    """Echo on `websockets.trio`, a message at a time."""

    async def handle(connection: ServerConnection) -> None:
        try:
            async for request in connection:
                await connection.send(answer(request))  # type: ignore[arg-type]
        except ConnectionClosed:
            pass

    async with trio.open_nursery() as nursery:
        server = await nursery.start(
            lambda task_status: serve(
                handle,
                0,
                host="127.0.0.1",
                subprotocols=SUBPROTOCOLS,
                compression=None,
                task_status=task_status,
            )
        )
        announce(server.listeners[0].socket.getsockname()[1])


async def serve_sans_io() -> None:
    """Echo on the sans-I/O core: take a chunk, answer every frame in it, send all that is due at once."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    announce(listener.extra(SocketAttribute.local_port))
    await listener.serve(_handle_stream)


async def _handle_stream(stream: ByteStream) -> None:
    protocol = ServerProtocol(subprotocols=SUBPROTOCOLS)
    async with stream:
        try:
            while True:
                protocol.receive_data(await stream.receive(CHUNK_BYTES))
                _answer_all(protocol)
                if due := b"".join(protocol.data_to_send()):
                    await stream.send(due)
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            pass


def _answer_all(protocol: ServerProtocol) -> None:
    for event in protocol.events_received():
        if isinstance(event, Request):
            protocol.send_response(protocol.accept(event))
        elif isinstance(event, Frame) and event.opcode is Opcode.BINARY:
            protocol.send_binary(answer(event.data))


def announce(port: int) -> None:
    print(f"listening on ws://127.0.0.1:{port}/v1/socket", flush=True)


if __name__ == "__main__":
    if sys.argv[1] == "sans-io":
        anyio.run(serve_sans_io, backend="trio")
    else:
        trio.run(serve_websockets_trio)
