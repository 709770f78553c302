"""Somebody else's HTTP server, as good or as bad as a test wants it: it can break every rule."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener

GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


@dataclass(frozen=True)
class Heard:
    """One request."""

    start: str
    headers: dict[str, str]
    body: bytes


Behaviour = Callable[[ByteStream, Heard], Awaitable[None]]
"""Answers one request; to hang up, it closes the stream."""


@dataclass
class Receiver:
    """A server that runs. `answer` may be replaced at any time."""

    url: str
    answer: Behaviour
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    news: anyio.Event = field(default_factory=anyio.Event)

    async def has_heard(self, count: int) -> list[Heard]:
        """Wait for so many requests in all."""
        with anyio.fail_after(20):
            while len(self.heard) < count:
                await self.news.wait()
        return self.heard

    def tell(self) -> None:
        self.news.set()
        self.news = anyio.Event()


@asynccontextmanager
async def receiver(
    answer: Behaviour | None = None, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """A server on a free port."""
    listener = await anyio.create_tcp_listener(local_host=host)
    port = listener.extra(SocketAttribute.local_port)
    found = Receiver(f"{'https' if tls else 'http'}://localhost:{port}/hooks", answer or says("200 OK"))
    served = TLSListener(listener, tls, standard_compatible=False) if tls else listener
    async with listener, anyio.create_task_group() as tasks:
        await tasks.start(_serve, served, found)
        yield found
        tasks.cancel_scope.cancel()


async def _serve(listener, found: Receiver, *, task_status) -> None:
    async def talk(stream: ByteStream) -> None:
        found.connections += 1
        try:
            async with stream:
                rest = b""
                while True:
                    heard, rest = await _request(stream, rest)
                    found.heard.append(heard)
                    found.tell()
                    await found.answer(stream, heard)
        except GONE:
            pass

    task_status.started()
    await listener.serve(talk)


async def _request(stream: ByteStream, data: bytes) -> tuple[Heard, bytes]:
    while b"\r\n\r\n" not in data:
        data += await stream.receive()
    head, _, data = data.partition(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = int(headers.get("content-length", "0"))
    while len(data) < length:
        data += await stream.receive()
    return Heard(start, headers, data[:length]), data[length:]


def says(status: str, *headers: str, body: bytes = b"", length: int | None = None) -> Behaviour:
    """A plain answer; its Content-Length may be a lie."""

    async def answer(stream: ByteStream, _heard: Heard) -> None:
        await stream.send(_head(status, f"Content-Length: {len(body) if length is None else length}", *headers) + body)

    return answer


def says_and_hangs_up(*args, **options) -> Behaviour:
    async def answer(stream: ByteStream, heard: Heard) -> None:
        await says(*args, **options)(stream, heard)
        await stream.aclose()

    return answer


async def hangs_up(stream: ByteStream, _heard: Heard) -> None:
    """Closes before the status."""
    await stream.aclose()


async def is_silent(stream: ByteStream, _heard: Heard) -> None:
    """Never answers, until the other side leaves."""
    await stream.receive()


async def never_ends(stream: ByteStream, _heard: Heard) -> None:
    """200, and then nothing more of the body that it promised."""
    await stream.send(_head("200 OK", "Content-Length: 10") + b"12345")
    await stream.receive()


def babbles(sent: list[int], *, status: str = "200 OK", interim: bool = False) -> Behaviour:
    """An endless body, or endless answers that are none; `sent` counts the bytes that anybody took."""

    async def answer(stream: ByteStream, _heard: Heard) -> None:
        if not interim:
            await stream.send(_head(status, "Transfer-Encoding: chunked"))
        piece = b"HTTP/1.1 102 Processing\r\n\r\n" if interim else b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
        while True:
            await stream.send(piece)
            sent.append(len(piece))

    return answer


async def talks_nonsense(stream: ByteStream, _heard: Heard) -> None:
    await stream.send(b"220 mail.example ESMTP\r\n\r\n")
    await stream.receive()


def _head(status: str, *headers: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *headers, "")).encode()
