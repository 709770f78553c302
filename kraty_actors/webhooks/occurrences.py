"""What happened, as rows of the outbox for the endpoints that want to hear of it (R-53, R-54).

Everything is written down in the words of the wire as it was when it happened, so every try says the same; only players
are numbers until they are sent, for who they are stands in one place (R-57). Where nobody listens nothing is done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from kraty_actors.actors.records import pack, unpack
from kraty_actors.domain.catalogue import Catalogue
from kraty_actors.domain.ids import digest_id
from kraty_actors.domain.outcome import Effect, Notice
from kraty_actors.webhooks.news import Map, News, Whom, told, written
from kraty_persistence import Delivery, Occurred

log = logging.getLogger(__name__)

Wanted: TypeAlias = Mapping[str, frozenset[str] | None]
"""What each endpoint wants to hear of; None is everything."""


class Occurrences:
    """See the module. `listen` may be called at any time; the others are safe on any thread."""

    def __init__(self, catalogue: Callable[[], Catalogue]) -> None:
        self._catalogue = catalogue
        self._wanted: Wanted = {}
        self._listeners: dict[str, tuple[str, ...]] = {}

    def listen(self, wanted: Wanted) -> None:
        """From now on these endpoints are told."""
        self._wanted = dict(wanted)
        self._listeners = {}

    def rows_of(self, effects: Sequence[Effect], notices: Sequence[Notice], at: int) -> Sequence[Delivery]:
        """What is to be delivered because of what an actor's rules said at `at` (ms)."""
        if not self._wanted:
            return ()
        try:
            return [row for news in told(effects, notices, at, self._catalogue()) for row in self._rows(news)]
        except Exception:  # noqa: BLE001 -- see there
            return _untold()

    def report(self, occurred: Occurred) -> Sequence[Delivery]:
        """What is to be delivered because of what the store wrote."""
        if not self._wanted:
            return ()
        try:
            return self._rows(written(occurred))
        except Exception:  # noqa: BLE001 -- see there
            return _untold()

    def _rows(self, news: News) -> Sequence[Delivery]:
        endpoints = self._whom(news.name)
        if not endpoints:
            return ()
        body = pack([news.data(), news.players])
        return [
            Delivery(digest_id("d", endpoint, news.name, *news.subject), endpoint, news.name, news.at, body)
            for endpoint in endpoints
        ]

    def _whom(self, name: str) -> tuple[str, ...]:
        listeners, wanted = self._listeners, self._wanted
        found = listeners.get(name)
        if found is None:
            found = tuple(key for key, events in wanted.items() if events is None or name in events)
            listeners[name] = found
        return found


def _untold() -> Sequence[Delivery]:
    """A bug of ours in telling others must not keep the game itself from going on."""
    log.exception("something that happened is not told outside")
    return ()


def read_body(body: bytes) -> tuple[Map, Whom]:
    """What is told, and which players are meant.

    Raises:
        ValueError: It is no body of ours.
    """
    match unpack(body):
        case [dict(data), int() | None as players]:
            return data, players
        case [dict(data), list(players)]:
            return data, players
    raise ValueError("no body of a delivery")
