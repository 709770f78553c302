"""Ports and streams on which connections arrive."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
from contextlib import suppress

import anyio
from anyio.abc import ByteStream, TaskStatus
from anyio.streams.tls import TLSStream

from kraty_actors.gateway.addresses import Address, read_address
from kraty_actors.gateway.gateway import Gateway
from kraty_actors.gateway.line import ALL, HANDSHAKE_SECONDS, Serves, StreamLine
from kraty_actors.gateway.pipes import SocketPipe, StreamPipe
from kraty_actors.gateway.plain_http import TOO_MANY

log = logging.getLogger(__name__)

TOO_MANY_HEAD = f"HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: {len(TOO_MANY.body)}\r\n\r\n"
"""Said before anything was asked, for who comes from a place with too many connections is not listened to."""

BACKLOG = 1024
"""Connections that may wait to be accepted."""


async def serve_stream(gateway: Gateway, stream: ByteStream, serves: Serves = ALL, peer: Address | None = None) -> None:
    """Serve one connection on any byte stream of anyio's, such as one with TLS."""
    async with stream, anyio.create_task_group() as tasks:
        await StreamLine(gateway, tasks, StreamPipe(stream), serves, peer).run()
        tasks.cancel_scope.cancel()


async def serve_socket(gateway: Gateway, sock: socket.socket, serves: Serves, peer: Address | None) -> None:
    """Serve one connection on a non-blocking socket, and close it."""
    pipe = SocketPipe(sock, gateway.poller)
    try:
        async with anyio.create_task_group() as tasks:
            await StreamLine(gateway, tasks, pipe, serves, peer).run()
            tasks.cancel_scope.cancel()
    finally:
        pipe.close()


def open_port(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: The port is taken, or the address is not of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.create_server((host, port), family=family, backlog=BACKLOG)
    sock.setblocking(False)
    return sock


async def serve_port(
    gateway: Gateway, sock: socket.socket, serves: Serves = ALL,
    *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:  # fmt: skip
    """Accept connections until cancelled."""
    try:
        async with anyio.create_task_group() as tasks:
            task_status.started()
            while True:
                await anyio.wait_readable(sock)
                try:
                    peer, name = sock.accept()
                except (BlockingIOError, ConnectionAbortedError):
                    continue
                except OSError as error:
                    if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                        raise
                    log.warning("a connection waits: %s", error)
                    await anyio.sleep(0.1)
                    continue
                peer.setblocking(False)
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                tasks.start_soon(_receive_guest, gateway, peer, serves, read_address(name[0]))
    finally:
        anyio.notify_closing(sock)
        sock.close()


async def _receive_guest(gateway: Gateway, sock: socket.socket, serves: Serves, peer: Address | None) -> None:
    """Serve a connection if its address has not too many; one connection's bug ends that connection, not the server."""
    guest = None if serves.is_proxy(peer) else peer
    if not gateway.let_in(guest):
        with sock, suppress(OSError):
            if serves.tls is None:
                sock.send((TOO_MANY_HEAD + TOO_MANY.body).encode())
        return
    serve = serve_socket if serves.tls is None else _serve_tls
    try:
        await serve(gateway, sock, serves, peer)
    except Exception:
        log.exception("a connection failed")
    finally:
        gateway.addresses.leave(guest)


async def _serve_tls(gateway: Gateway, sock: socket.socket, serves: Serves, peer: Address | None) -> None:
    plain = await anyio.abc.SocketStream.from_socket(sock)
    try:
        with anyio.fail_after(HANDSHAKE_SECONDS):
            stream = await TLSStream.wrap(plain, server_side=True, ssl_context=serves.tls, standard_compatible=False)
    except (ssl.SSLError, TimeoutError, anyio.BrokenResourceError, anyio.EndOfStream):
        await anyio.aclose_forcefully(plain)
        return
    await serve_stream(gateway, stream, serves, peer)
