"""What happened, as rows of the outbox for the endpoints that want to hear of it (R-53, R-54).

Everything is written down in the words of the wire as it was when it happened, so every try says the same; only players
are numbers until they are sent, for who they are stands in one place (R-57). Where nobody listens nothing is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from kraty_actors.actors.records import pack, unpack
from kraty_actors.domain.attempt import COMPLETED, FORCE_COMPLETED, AttemptView
from kraty_actors.domain.ids import digest_id
from kraty_actors.domain.outcome import Effect, Notice
from kraty_actors.gateway import translate
from kraty_persistence import (
    Delivery,
    GrantClaimed,
    GrantCreated,
    GrantLapsed,
    GrantRow,
    LedgerRow,
    Occurred,
)

Map = dict[str, Any]
Wanted: TypeAlias = Mapping[str, frozenset[str] | None]
"""What each endpoint wants to hear of; None is everything."""


@dataclass(frozen=True, slots=True)
class News:
    """One occurrence.

    Attributes:
        subject: What tells it from every other occurrence of its name.
        data: Makes what is told; called only if somebody listens.
        players: Who is meant: one number for `playerId`, a sequence for `playerIds`, None for nobody.
    """

    name: str
    subject: tuple[object, ...]
    at: int
    data: Callable[[], Map]
    players: int | Sequence[int] | None = None


class Occurrences:
    """See the module. `listen` may be called at any time; the others are safe on any thread."""

    def __init__(self) -> None:
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
        return [row for news in _told(effects, notices, at) for row in self._rows(news)]

    def report(self, occurred: Occurred) -> Sequence[Delivery]:
        """What is to be delivered because of what the store wrote."""
        if not self._wanted:
            return ()
        return self._rows(_written(occurred))

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


def read_body(body: bytes) -> tuple[Map, int | Sequence[int] | None]:
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


# -- what the rules say


def _told(effects: Iterable[Effect], notices: Iterable[Notice], at: int) -> Iterable[News]:
    for notice in notices:
        tell = NOTICES.get(notice.push)
        if tell is not None:
            yield from tell(notice.body, at)


def _attempt_ended(view: AttemptView, at: int) -> Iterable[News]:
    if view.status in (COMPLETED, FORCE_COMPLETED):
        data = partial(_of_attempt, view)
        yield News("event.attempt_completed", (view.attempt_id,), at, data, view.player)


def _of_attempt(view: AttemptView) -> Map:
    return {"attempt": translate.attempt(view)}


NOTICES: Mapping[str, Callable[[Any, int], Iterable[News]]] = {
    "attempt.ended": _attempt_ended,
}
"""By the push that players get, or would get if they were connected."""


# -- what the store writes


def _written(occurred: Occurred) -> News:
    match occurred:
        case LedgerRow():
            return _of_ledger(occurred)
        case GrantCreated(grant):
            return _of_grant("grant.created", grant, grant.created_at)
        case GrantClaimed(grant):
            at = grant.created_at if grant.claimed_at is None else grant.claimed_at
            return _of_grant("grant.claimed", grant, at)
        case GrantLapsed(grant):
            at = grant.created_at if grant.expires_at is None else grant.expires_at
            return _of_grant("grant.expired", grant, at)


def _of_ledger(row: LedgerRow) -> News:
    is_currency = row.kind == "currency"
    name, held = ("wallet.changed", "balance") if is_currency else ("inventory.changed", "quantity")

    def data() -> Map:
        return {
            "key": row.resource,
            "delta": row.delta,
            held: row.balance,
            "reason": row.reason,
            "sourceRefId": row.source or None,
        }

    return News(name, (row.player, row.key, row.part), row.at, data, row.player)


def _of_grant(name: str, row: GrantRow, at: int) -> News:
    return News(name, (row.id,), at, lambda: {"grant": translate.grant(row, at)}, row.player)
