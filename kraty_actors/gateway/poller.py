"""One task that waits for all sockets.

A task of its own for each socket that becomes readable, and a call to the kernel to wait again, would cost several
times what a message needs. So all sockets stand in one selector, which is itself waited for like a socket; what has
arrived is taken in one go, and becomes one batch of the actors.
"""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from contextlib import suppress

import anyio


class Poller:
    """Calls `ready` for each socket with something to read, again and again until it is forgotten."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def watch(self, sock: socket.socket, ready: Callable[[], None]) -> None:
        """`ready` is called on the loop and never waits; what it raises ends the poller."""
        self._selector.register(sock, selectors.EVENT_READ, ready)

    def forget(self, sock: socket.socket) -> None:
        """Call no more; when the server ends, the poller may have ended before the connection."""
        with suppress(KeyError):
            self._selector.unregister(sock)

    async def run(self) -> None:
        """Poll until cancelled."""
        waitable = self._selector.fileno()
        try:
            while True:
                await anyio.wait_readable(waitable)
                for key, _ in self._selector.select(0):
                    key.data()
        finally:
            anyio.notify_closing(waitable)
            self._selector.close()
