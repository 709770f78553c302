"""Connections of webhooks: a name is resolved, its addresses are judged, and only a judged one is connected to.

Nobody resolves the name a second time, so it cannot mean something else by then. TLS goes on verifying the name.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import httpcore

from kraty_actors.webhooks.addresses import is_common_port, is_public

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host's name, in the order in which to try them; raises `OSError`."""

ADDRESSES_MAX = 4
"""Addresses of one name that are tried."""

SocketOption = Any


class Resolver:
    """The machine's own resolver. Each name has one thread at a time: one that hangs delays no other."""

    def __init__(self) -> None:
        self._turns: dict[str, anyio.CapacityLimiter] = {}

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        turn = self._turns.setdefault(host, anyio.CapacityLimiter(1))
        ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        found = await anyio.to_thread.run_sync(ask, limiter=turn, abandon_on_cancel=True)
        return list(dict.fromkeys(str(address[0]) for *_, address in found))


class JudgedNetwork(httpcore.AsyncNetworkBackend):
    """See the module. With `allow_private` every address and port will do."""

    def __init__(self, *, allow_private: bool, resolve: Resolve | None = None) -> None:
        self._allow_private = allow_private
        self._resolve = resolve or Resolver()
        self._tcp = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers, all of them within `timeout` seconds.

        Raises:
            httpcore.ConnectError: The name is unknown, means no address that is allowed, or nobody answers there.
            httpcore.ConnectTimeout: It took too long.
        """
        if not self._allow_private and not is_common_port(port):
            raise httpcore.ConnectError(f"port {port} is not allowed")
        try:
            with anyio.fail_after(timeout):
                return await self._connect(await self._addresses(host, port), port, timeout)
        except TimeoutError:
            raise httpcore.ConnectTimeout("no connection in time") from None

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SocketOption] | None = None
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("not a network address")

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise httpcore.ConnectError("the host's name cannot be resolved") from None
        allowed = [address for address in found if self._allow_private or is_public(address)]
        if not allowed:
            raise httpcore.ConnectError(f"the address is not public: {', '.join(found)}")
        return allowed[:ADDRESSES_MAX]

    async def _connect(self, addresses: Sequence[str], port: int, timeout: float | None) -> httpcore.AsyncNetworkStream:
        share = None if timeout is None else timeout / len(addresses)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                return Connection(await self._tcp.connect_tcp(address, port, timeout=share))
            except httpcore.ConnectTimeout as error:
                failure = error
            except httpcore.ConnectError:
                failure = httpcore.ConnectError("nobody accepts the connection")
        raise failure


class Connection(httpcore.AsyncNetworkStream):
    """A stream that does not stay open where the handshake of TLS is given up."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        try:
            return Connection(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
