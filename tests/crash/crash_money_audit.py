"""The money of a game that was killed, as it stands in its database, against the receipts of those who were told."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from crash_money_game import BULLETS, COSTS, IN_THE_BOX, MILESTONES, TOP_UP
from crash_money_players import Market
from crash_patience import until

from kraty_actors.actors.records import unpack
from kraty_actors.domain.ids import window_of
from kraty_persistence import AttemptRow, GrantRow
from kraty_persistence.sql import open_sql_store

SETTLED_SECONDS = 5


@dataclass
class Books:
    """All money that is stored, with players by their ids; `ledger` has the deltas of each entry."""

    grants: dict[str, GrantRow] = field(default_factory=dict)
    attempts: dict[str, AttemptRow] = field(default_factory=dict)
    ledger: defaultdict[tuple[str, str], list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    names: dict[int, str] = field(default_factory=dict)
    participants: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    @classmethod
    async def read(cls, store_url: str) -> Books:
        """Beside the server, as any tool would."""
        books, after = cls(), 0
        async with open_sql_store(store_url, owner=False) as store:
            while page := await store.books(after, 100):
                numbers = range(after + 1, page.last + 1)
                after = page.last
                for row in await store.players(list(numbers)):
                    books.names[row.number] = row.player_id
                    books.participants[row.participant_id] = row.number
                books.grants |= {grant.id: grant for grant in page.grants}
                books.attempts |= {attempt.attempt_id: attempt for attempt in page.attempts}
                for entry in page.ledger:
                    books.ledger[books.names[entry.player], entry.key].append((entry.resource, entry.delta))
                    if entry.balance < 0:
                        books.faults.append(f"negative: {entry}")
            books.faults += map(str, await store.ledger_faults())
        return books

    @property
    def entries(self) -> dict[tuple[str, str], list[str]]:
        """The charges that each player has in each window."""
        found = defaultdict(list)
        for player, key in sorted(self.ledger):
            if key.startswith("entry:"):
                found[player, key.split(":")[1]].append(key)
        return dict(found)

    def expected_entries(self) -> dict[tuple[str, str], list[str]]:
        """R-20, R-21: what the attempts must have cost."""
        starts = Counter(
            (self.names[row.player], window_of(row.attempt_id), row.event_key)
            for row in self.attempts.values()
            if row.event_key in COSTS
        )
        found = {}
        for (player, window, event), count in starts.items():
            more = range(2, count + 1 if event == "arena" else 2)
            found[player, window] = sorted([f"entry:{window}", *(f"entry:{window}:{n}" for n in more)])
        return found


@dataclass
class Count:
    """Receipts that were held against the books, again after each kill; those that are missing, or there twice."""

    checked: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)

    def once(self, times: int, what: str) -> None:
        self.checked += 1
        if times != 1:
            (self.doubled if times else self.lost).append(what)


async def audit_books(market: Market, store_url: str, count: Count) -> Books:
    """After a kill and a restart, before anybody comes back. What a window has decided its boards may take a moment to
    hear of; nobody has to ask for it."""
    found: list[Books] = []

    async def are_settled() -> bool:
        found.append(await Books.read(store_url))
        return found[-1].entries == found[-1].expected_entries()

    try:
        await until(are_settled, SETTLED_SECONDS)
    except TimeoutError:
        market.problems.append(f"{found[-1].entries} instead of {found[-1].expected_entries()}")
    books = found[-1]
    market.problems += books.faults
    _check_receipts(market, books, count)
    _check_causes(market, books)
    return books


def _check_receipts(market: Market, books: Books, count: Count) -> None:
    receipts = market.receipts
    for attempt, (player, _) in receipts.attempts.items():
        row = books.attempts.get(attempt)
        count.once(row is not None and books.names[row.player] == player, f"attempt {attempt} of {player}")
    milestones = Counter(
        (grant.source_ref, tuple(credits_of(grant)))
        for grant in books.grants.values()
        if grant.source_kind == "event_milestone"
    )
    for grant_id, (attempt, key) in receipts.milestones.items():
        cash = next(cash for name, _, cash in MILESTONES["hunt"] if name == key)
        is_there = grant_id in books.grants
        count.once(is_there * milestones[attempt, (("cash", cash),)], f"milestone {key} of {attempt}")
    for (player, key), delta in receipts.adjusted.items():
        count.once(books.ledger.get((player, f"adjust:{key}"), []).count(delta), f"{player}'s {key}")
    for grant_id in receipts.claimed:
        grant = books.grants.get(grant_id)
        name = "" if grant is None else books.names[grant.player]
        count.once(grant is not None and len(books.ledger.get((name, f"grant:{grant_id}"), [])), f"claim of {grant_id}")
    for attempt in receipts.points:
        count.once(attempt in books.attempts, f"attempt {attempt}")


def _check_causes(market: Market, books: Books) -> None:
    """Every entry of the ledger has its reason, and comes to what it should."""
    causes: dict[str, Callable[[Market, Books, str, str], list[tuple[str, int]] | None]] = {
        "adjust": _adjusted,
        "grant": _claimed,
        "entry": _charged,
        "refund": _refunded,
    }
    for (player, key), deltas in books.ledger.items():
        kind, _, name = key.partition(":")
        due = causes[kind](market, books, player, name)
        market.expect(deltas == due, f"{player} has {key} {deltas} instead of {due}")


def _adjusted(market: Market, books: Books, player: str, name: str) -> list[tuple[str, int]] | None:
    delta = ("cash", TOP_UP) if name.startswith("cash") else ("bullet", BULLETS)
    return [delta] if (player, name) in market.receipts.asked else None


def _claimed(market: Market, books: Books, player: str, name: str) -> list[tuple[str, int]] | None:
    grant = books.grants[name]
    if ("take", name) not in market.receipts.asked or grant.claimed_at is None:
        return None
    if grant.kind == "crate":
        (grant,) = [one for one in books.grants.values() if one.parent == name]
        market.expect(credits_of(grant)[0][1] in IN_THE_BOX, f"{grant} came out of a box")
    return credits_of(grant)


def _charged(market: Market, books: Books, player: str, name: str) -> list[tuple[str, int]] | None:
    window = name.partition(":")[0]
    events = {row.event_key for row in books.attempts.values() if window_of(row.attempt_id) == window}
    return COSTS[events.pop()] if events else None


def _refunded(market: Market, books: Books, player: str, name: str) -> list[tuple[str, int]] | None:
    is_cancelled = ("cancel", name.split(":")[1]) in market.receipts.asked
    return [(what, -n) for what, n in books.ledger[player, name]] if is_cancelled else None


def credits_of(grant: GrantRow) -> list[tuple[str, int]]:
    return [("cash", entry["amount"]) for entry in unpack(grant.contents) if entry["type"] == "currency"]
