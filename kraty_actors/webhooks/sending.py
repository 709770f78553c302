"""One HTTP exchange with somebody else's server, which may be slow, broken or hostile.

The status decides: 2xx is an arrival. No redirect is followed, no cookie is kept, no proxy of the environment is used,
and nothing of the answer's body is looked at: it is read as far as `Limits` allow, so that the connection can serve
again, and else the connection is closed. A body that breaks off short of its own length is a failure.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import httpcore

from kraty_actors.webhooks.network import JudgedNetwork

IDLE_SECONDS = 15.0
"""How long a connection is kept for the next delivery; its address was judged when it was made."""

USER_AGENT = "kraty-actors"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one exchange may take.

    Attributes:
        connect_seconds: To resolve the name and connect.
        exchange_seconds: For everything up to the status, connecting included.
        body_seconds: To wait for the rest of the answer, once the status is known.
        answer_bytes: Of the answer's body that are read.
    """

    connect_seconds: float = 5.0
    exchange_seconds: float = 10.0
    body_seconds: float = 1.0
    answer_bytes: int = 4096


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try.

    Attributes:
        status: The answer's status; None if there was none.
        error: Why it does not count as an arrival, without anything secret; empty if it does.
        retry_after: The header, if there is one.
    """

    status: int | None
    error: str = ""
    retry_after: str | None = None

    @property
    def has_arrived(self) -> bool:
        return not self.error


class Sender:
    """See the module. Endpoints share nothing in it that one of them could use up or slow down."""

    def __init__(self, network: JudgedNetwork, limits: Limits, tls: ssl.SSLContext | None = None) -> None:
        self._network = network
        self._limits = limits
        self._tls = tls or httpcore.default_ssl_context()
        self._idle: dict[str, list[httpcore.AsyncHTTPConnection]] = {}

    @classmethod
    @asynccontextmanager
    async def opened(
        cls, *, allow_private: bool = False, limits: Limits | None = None, tls: ssl.SSLContext | None = None
    ) -> AsyncIterator[Sender]:
        """A sender whose connections are closed at the end of the block."""
        sender = cls(JudgedNetwork(allow_private=allow_private), limits or Limits(), tls)
        try:
            yield sender
        finally:
            await sender.aclose()

    async def aclose(self) -> None:
        """Close what is kept for later."""
        with anyio.CancelScope(shield=True):
            for connections in self._idle.values():
                while connections:
                    await connections.pop().aclose()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post JSON; never raises because of what the other side does, nor of where it is."""
        given = [("User-Agent", USER_AGENT), ("Content-Type", "application/json"), *headers.items()]
        try:
            return await self._exchange(httpcore.URL(url), body, given)
        except TimeoutError:
            return Answer(None, f"no answer within {self._limits.exchange_seconds:g} s")
        except httpcore.TimeoutException:
            return Answer(None, f"no connection within {self._limits.connect_seconds:g} s")
        except httpcore.ProtocolError as error:
            return Answer(None, f"not a proper answer: {error}"[:200])
        except (httpcore.NetworkError, OSError, ValueError) as error:
            return Answer(None, (str(error) or "the connection broke")[:200])

    async def _exchange(self, url: httpcore.URL, body: bytes, headers: list[tuple[str, str]]) -> Answer:
        limits = self._limits
        timeouts = {"timeout": {"connect": limits.connect_seconds}}
        with anyio.fail_after(limits.exchange_seconds) as whole:
            async with (
                self._connection(url.origin) as connection,
                connection.stream("POST", url, headers=headers, content=body, extensions=timeouts) as response,
            ):
                whole.deadline = float("inf")
                await self._read(response)
                return _judged(response)

    @asynccontextmanager
    async def _connection(self, origin: httpcore.Origin) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        """One that is free, or a new one; kept if it can serve again. A pool of httpcore's looks at all of its
        connections for each request, so those of one endpoint would cost the others time."""
        idle = self._idle.setdefault(str(origin), [])
        connection = await self._free(idle) or httpcore.AsyncHTTPConnection(
            origin, self._tls, keepalive_expiry=IDLE_SECONDS, network_backend=self._network
        )
        try:
            yield connection
        finally:
            if connection.is_available():
                idle.append(connection)
            else:
                with anyio.CancelScope(shield=True):
                    await connection.aclose()

    async def _free(self, idle: list[httpcore.AsyncHTTPConnection]) -> httpcore.AsyncHTTPConnection | None:
        while idle:
            connection = idle.pop()
            if connection.is_available() and not connection.has_expired():
                return connection
            await connection.aclose()
        return None

    async def _read(self, response: httpcore.Response) -> None:
        """Read the body to its end; cancelled where it is too long or takes too long. What is being iterated over is
        left by the cancellation, never by `break`: that would leave it half open."""
        received = 0
        with anyio.move_on_after(self._limits.body_seconds) as patience:
            async for chunk in response.aiter_stream():
                received += len(chunk)
                if received > self._limits.answer_bytes:
                    patience.cancel()


def _judged(response: httpcore.Response) -> Answer:
    status = response.status
    retry_after = next((value for name, value in response.headers if name.lower() == b"retry-after"), None)
    error = "" if 200 <= status < 300 else f"status {status}"
    if 300 <= status < 400:
        error += ": redirects are not followed"
    return Answer(status, error, None if retry_after is None else retry_after.decode("latin-1"))
