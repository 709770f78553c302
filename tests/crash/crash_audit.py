"""After the last crash: is everything that was acknowledged there, once, and is everybody paid, once?"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from crash_books import Book, Library, Map
from crash_game import POOL
from places import Place

from kraty_actors.actors.records import FROM_ACTOR, unpack_batch
from kraty_actors.client import Client
from kraty_persistence.sql import open_sql_store


@dataclass(frozen=True)
class Tally:
    """Acknowledged writes, and how often the journal has them."""

    acknowledged: int
    recovered: int
    lost: int
    doubled: int


def grouped(books: Iterable[Book], by: Literal["window", "board", "player"]) -> dict[str, list[Book]]:
    found = defaultdict(list)
    for book in books:
        found[getattr(book, by)].append(book)
    return found


def winners(books: list[Book]) -> set[str]:
    """R-43: with targets whoever reached it; else the three best of those who wrote (R-28, R-29)."""
    if "streak" in books[0].raw:
        return {book.player for book in books if book.wins}
    best = best_scores(books)
    ranked = sorted(best, key=lambda player: -best[player])[:3]
    return {book.player for book in books if book.player in ranked and book.writes}


async def audit_wire(library: Library, operator: Client) -> None:
    """Everything that players can see, against their books."""
    for book in library.books.values():
        await _audit_attempt(library, operator, book)
    for board, books in grouped(library.books.values(), "board").items():
        await _audit_board(library, operator, board, books)
    await _audit_shared_boards(library, operator)
    for player in {book.player for book in library.books.values()}:
        await _audit_purse(library, operator.for_player(player), player)


async def _audit_attempt(library: Library, operator: Client, book: Book) -> None:
    attempt = (await operator.for_player(book.player).attempt(book.attempt_id))["attempt"]
    found = (attempt["metricsRaw"], attempt["lastSeq"])
    library.expect(found == (book.raw, book.last_seq), f"{book.attempt_id}: {found} instead of {book}")
    is_right = attempt["status"] in book.final_statuses
    library.expect(is_right, f"{book.attempt_id} is {attempt['status']} instead of {book.final_statuses}")


async def _audit_board(library: Library, operator: Client, board: str, books: list[Book]) -> None:
    """R-28, R-31: everybody once. A lobby may have begun with one who never came back for the attempt, at 0."""
    read = await operator.read_board(board, limit=200)
    library.expect(read["finalized"], f"{board} is not final")
    entries = read["entries"]
    library.expect([entry["rank"] for entry in entries] == [*range(1, read["total"] + 1)], f"{board}: ranks")
    scores = {entry["participantId"]: entry["score"] for entry in entries}
    library.expect(len(scores) == read["total"], f"{board}: somebody sits twice")
    best = {library.participants[player]: score for player, score in best_scores(books).items()}
    unknown = {entry["participantId"]: 0 for entry in entries if entry["kind"] == "player"}
    humans = {participant: scores.get(participant) for participant in unknown | best}
    library.expect(humans == unknown | best, f"{board}: {humans} instead of {unknown | best}")


async def _audit_shared_boards(library: Library, operator: Client) -> None:
    """R-29, R-32: every acknowledged write counted once on each shared board, and in one of its periods."""
    wrote = [book for book in library.books.values() if book.event == "attack" and book.writes]
    totals: Counter[str] = Counter()
    for book in wrote:
        totals[library.participants[book.player]] += book.score
    found = await _scores(operator, boardKey="total")
    is_right = found.keys() == totals.keys() and all(math.isclose(found[who], totals[who]) for who in totals)
    library.expect(is_right, f"total: {found} instead of {dict(totals)}")
    seasons = await operator.call("boards.periods", boardKey="season_best")
    best: dict[str, float] = {}
    for season in [seasons["current"], *seasons["periods"]]:
        for participant, score in (await _scores(operator, leaderboardId=season["leaderboardId"])).items():
            best[participant] = max(best.get(participant, 0), score)
    expected = {library.participants[player]: score for player, score in best_scores(wrote).items()}
    library.expect(best == expected, f"best of {len(seasons['periods'])} seasons: {best} instead of {expected}")


async def _scores(operator: Client, **board: str) -> dict[str, float]:
    read = await operator.call("boards.read", limit=200, **board)
    return {entry["participantId"]: entry["score"] for entry in read["entries"]}


def best_scores(books: Iterable[Book]) -> dict[str, float]:
    """R-29: the best of all attempts; one who never wrote stands at 0."""
    best: dict[str, float] = {}
    for book in books:
        best[book.player] = max(best.get(book.player, 0), book.best)
    return best


async def _audit_purse(library: Library, client: Client, player: str) -> None:
    """R-27, R-43: one grant for each window won, with the right share; the wallet holds what was claimed."""
    grants: list[Map] = []
    after: str | None = None
    while True:
        page = await client.grants(limit=200, after=after)
        grants += page["grants"]  # type: ignore[arg-type]
        after = page["next"]
        if after is None:
            break
    amounts = {grant["sourceRefId"]: grant["contents"]["entries"][0]["amount"] for grant in grants}
    library.expect(len(amounts) == len(grants), f"{player} was paid twice for a window")
    owed = {
        window: math.floor(POOL / len(winners(books)))
        for window, books in grouped(library.books.values(), "window").items()
        if player in winners(books)
    }
    library.expect(amounts == owed, f"{player} has the grants {amounts} instead of {owed}")
    claimed = [grant for grant in grants if grant["status"] == "claimed"]
    missing = library.claimed.keys() & {g["id"] for g in grants} - {g["id"] for g in claimed}
    library.expect(not missing, f"{player}'s claims {missing} are gone")
    [purse] = await client.wallet()
    worth = sum(grant["contents"]["entries"][0]["amount"] for grant in claimed)
    library.expect(purse["balance"] == worth, f"{player}'s wallet holds {purse['balance']} instead of {worth}")


async def audit_database(library: Library, place: Place) -> Tally:
    """Everything that players cannot see: the journal itself, and the rows of the money."""
    twice = place.run("SELECT player, source_ref FROM grants GROUP BY 1, 2 HAVING count(*) > 1")
    library.expect(not twice, f"paid twice: {twice}")
    ledger = place.run("SELECT player, kind, resource, sum(delta) FROM ledger GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
    wallets = place.run(
        "SELECT player, 'currency', currency, balance FROM balances "
        "UNION ALL SELECT player, 'item', item, quantity FROM inventory ORDER BY 1, 2, 3"
    )
    library.expect(ledger == wallets, "the ledger does not add up to the wallets")
    times = await _times_journalled(library, place)
    lost, doubled = times.count(0), sum(count > 1 for count in times)
    return Tally(len(times), len(times) - lost, lost, doubled)


async def _times_journalled(library: Library, place: Place) -> list[int]:
    """How often each acknowledged write stands in the journal of its board."""
    found: Counter[tuple[str, int, int | str]] = Counter()
    async with open_sql_store(place.url, owner=False) as store:
        for (actor,) in place.run("SELECT id FROM actors"):
            batches = [unpack_batch(record) for record in await store.history(actor)]
            times = [now for now, _ in batches]
            library.expect(times == sorted(times), f"{actor}: time went back (R-13)")
            inputs = [plain for _, inputs in batches for plain in inputs]
            _audit_messages(library, actor, [plain for plain in inputs if plain[0] == FROM_ACTOR])
            found.update((actor, plain[1], plain[4]) for plain in inputs if plain[0] == "w")
    return [
        found[book.board, int(book.attempt_id.rpartition(".")[2]), identity]
        for book in library.books.values()
        for identity in book.acknowledged
    ]


def _audit_messages(library: Library, actor: str, messages: list[list[Any]]) -> None:
    """What actors tell each other is heard once, and in order: seats, closings, who has won."""
    heard: dict[str, int] = {}
    for _, source, number, *command in messages:
        library.expect(number > heard.get(source, 0), f"{actor} hears {command} of {source} twice, or too late")
        heard[source] = number
