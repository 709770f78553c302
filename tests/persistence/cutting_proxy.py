"""A wire between a store and its PostgreSQL server that can be cut at a chosen message."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

from postgres_server import Database

READY = b"Z\x00\x00\x00\x05"
"""How the server ends an answer."""

When = Literal["before", "after"]
"""Before the message reaches the server, or after the server has done what it says and before its answer arrives."""


class CuttingProxy:
    """Carries everything, until it is told otherwise.

    Attributes:
        refusing: Whether new connections are closed at once, and all are from the next cut on.
        cuts: How many connections were cut.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self.database = replace(database, folder=folder)
        self.refusing = False
        self.cuts = 0
        self._words: list[bytes] = []
        self._when: When = "before"
        self._then_refuse = False
        self._deaf: socket.socket | None = None
        self._server = f"{database.folder}/.s.PGSQL.{database.port}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{folder}/.s.PGSQL.{database.port}")
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_at(self, *words: bytes, when: When, then_refuse: bool = False) -> None:
        """Cut the connection at the next message that has the last of these words in it, once each of the others has
        gone by."""
        self._when, self._then_refuse = when, then_refuse
        self._words = list(words)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self.refusing:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                threading.Thread(target=self._requests, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answers, args=(client, server), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65536):
                when = self._sprung(data)
                if when == "before":
                    break
                if when == "after":
                    self._deaf = client
                server.sendall(data)
        _end(client, server)

    def _sprung(self, data: bytes) -> When | None:
        if not self._words or self._words[0] not in data:
            return None
        del self._words[0]
        if self._words:
            return None
        self.refusing = self._then_refuse
        self.cuts += 1
        return self._when

    def _answers(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65536):
                if self._deaf is client:
                    if READY in data:
                        break
                else:
                    client.sendall(data)
        _end(client, server)


def _end(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextmanager
def cutting_proxy(folder: Path, database: Database) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(folder, database)
    try:
        yield proxy
    finally:
        proxy.close()
