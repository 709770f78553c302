"""What must have been paid once every window is over: by what each attempt came to, and by final ranks."""

from __future__ import annotations

from collections import Counter

from crash_money_audit import Books, credits_of
from crash_money_game import COSTS, LOOT, MILESTONES, TARGETS, prize
from crash_money_players import Market
from crash_seats import for_all

from kraty_actors.client import Client
from kraty_actors.domain.ids import window_of

Paid = Counter[tuple[str, str, int]]
"""How often whom was paid how much cash for what."""


async def audit_ends(market: Market, operator: Client, books: Books) -> int:
    """Everybody was paid what is due, once, and what was cancelled is given back; how many grants that were."""
    due: Paid = Counter()
    await _earned(market, operator, books, due)
    for window in {window_of(row.attempt_id) for row in books.attempts.values() if row.event_key == "cup"}:
        await _ranked(market, operator, books, window, due)
    found: Paid = Counter(
        (books.names[grant.player], str(grant.source_ref), sum(cash for _, cash in credits_of(grant)))
        for grant in books.grants.values()
        if grant.source_kind.startswith("event_") and grant.kind == "reward"
    )
    market.expect(found == due, f"missed: {due - found}, doubled: {found - due}")
    for window in market.receipts.cancelled:
        charges = [(player, key) for player, key in books.ledger if key.split(":")[:2] == ["entry", window]]
        kept = [(player, key) for player, key in charges if (player, f"refund:{key}") not in books.ledger]
        market.expect(not kept, f"{window} was cancelled, and not given back was {kept}")
    return found.total()


async def _earned(market: Market, operator: Client, books: Books, due: Paid) -> None:
    """R-42, R-44: by the writes that counted; a milestone that is paid once a window goes to the first attempt."""
    kills: dict[str, int] = {}

    async def read(attempt: str) -> None:
        player = books.names[books.attempts[attempt].player]
        seen = (await operator.call("attempts.get", playerId=player, attemptId=attempt))["attempt"]
        kills[attempt] = seen["metricsRaw"]["kills"]
        market.expect(kills[attempt] == seen["lastSeq"], f"{attempt}: {kills[attempt]} in {seen['lastSeq']} writes")

    await for_all((name for name, row in books.attempts.items() if row.event_key in COSTS), read)
    once = set()
    for attempt in sorted(kills, key=lambda name: (window_of(name), int(name.rpartition(".")[2]))):
        row = books.attempts[attempt]
        player = books.names[row.player]
        for name, at, cash in MILESTONES[row.event_key]:
            is_paid_before = name == "three" and (player, window_of(attempt)) in once
            if kills[attempt] >= at and not is_paid_before:
                due[player, attempt, cash] += 1
                once |= {(player, window_of(attempt))} if name == "three" else set()
        if kills[attempt] >= TARGETS[row.event_key]:
            due[player, attempt, LOOT[row.event_key]] += 1


async def _ranked(market: Market, operator: Client, books: Books, window: str, due: Paid) -> None:
    """R-42: by the final standings, in which every acknowledged write is; the report says the same."""
    entries = []
    while True:
        page = await operator.read_board(f"{window}.1", limit=200, offset=len(entries))
        entries += page["entries"]
        if len(entries) >= page["total"]:
            break
    market.expect(page["finalized"], f"{window} is not final")
    scores = {books.names[books.participants[entry["participantId"]]]: entry["score"] for entry in entries}
    for attempt, points in market.receipts.points.items():
        if window_of(attempt) == window:
            player = books.names[books.attempts[attempt].player]
            market.expect(scores[player] == points, f"{attempt}: {scores[player]} instead of {points}")
    paid: Paid = Counter()
    for entry in entries:
        if entry["score"]:
            paid[books.names[books.participants[entry["participantId"]]], window, prize(entry["rank"])] += 1
    due += paid
    report = (await operator.call("windows.report", windowId=window))["report"]
    crates = any(entry["score"] and entry["rank"] == 1 for entry in entries)
    said = report["winners"], report["grants"], report["orphans"]
    market.expect(said == (paid.total(), paid.total() + crates, 0), f"{window}: {report} instead of {paid.total()}")
