"""Kill -9 while money moves: what was paid, earned and told of is there once, at every restart (R-20, R-27, R-56)."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest
from crash_money_audit import Books, Count, audit_books
from crash_money_ends import audit_ends
from crash_money_game import money_crash_game
from crash_money_players import PAYERS, Market, Payer, cash_in, end, play_cups, top_up
from crash_toll import Toll
from places import Place
from server_process import ServerProcess

from kraty_actors.client import Client

pytestmark = [pytest.mark.anyio, pytest.mark.soak, pytest.mark.timeout(240)]

MOMENTS = ("start", "milestone", "close", "claim", "recovery", "anywhere")
"""One kill at each, in any order."""
LATEST_MS = 40
"""A kill falls within so many milliseconds after its moment."""


@pytest.fixture
def anyio_backend() -> str:
    """The clients' loop; the servers take turns between both."""
    return "trio"


async def kill_again_and_again(
    kills: Counter[str], server: ServerProcess, market: Market, chance: random.Random, count: Count
) -> None:
    for moment in chance.sample(MOMENTS, len(MOMENTS)):
        await server.spawn()
        if moment == "recovery":
            await server.touched_database()
            await server.warm_next()
        else:
            await server.listening()
            await server.warm_next()
            await audit_books(market, server.place.url, count)
            market.gate.set()
            await anyio.sleep(chance.uniform(0.3, 0.9))
            if moment != "anywhere":
                with anyio.fail_after(20):
                    await market.bells.rung(moment)
        await anyio.sleep(chance.uniform(0, LATEST_MS) / 1000)
        market.close_gate()
        await server.kill()
        kills[moment] += 1
    await server.spawn()
    await server.listening()
    await audit_books(market, server.place.url, count)
    market.gate.set()


async def play_through(server: ServerProcess, market: Market, chance: random.Random, count: Count) -> Counter[str]:
    kills: Counter[str] = Counter()
    async with anyio.create_task_group() as tasks:
        for name in PAYERS:
            for event in ("hunt", "arena"):
                tasks.start_soon(Payer(market, name, event).run)
            tasks.start_soon(cash_in, market, name)
        tasks.start_soon(top_up, market)
        tasks.start_soon(play_cups, market, random.Random(chance.random()))
        await kill_again_and_again(kills, server, market, chance, count)
        market.stopping = True
    return kills


async def test_r20_r27_r56_kill_9_while_money_moves(
    seed: int, place: Place, tmp_path: Path, tell: Callable[[Toll], None]
) -> None:
    chance, count = random.Random(seed), Count()
    server = ServerProcess(tmp_path, place)
    market = Market(server.url)
    (tmp_path / "game.json").write_text(json.dumps(money_crash_game()))
    paid = []

    async def end_all(operator: Client) -> None:
        for event in ("hunt", "arena", "cup"):
            await end(market, operator, event, cancel=False)
        paid.append(await audit_ends(market, operator, await Books.read(server.place.url)))

    try:
        kills = await play_through(server, market, chance, count)
        await market.connected(end_all, role="operator")
        status = await server.stop()
    finally:
        await server.aclose()
    books = await audit_books(market, server.place.url, count)
    print(f"kills {kills.total()} {dict(kills)}; acknowledged {market.receipts.count}, checked {count.checked} times")
    acknowledged, lost, doubled = market.receipts.count, len({*count.lost}), len({*count.doubled})
    tell(Toll(kills.total(), acknowledged, acknowledged - lost, lost, doubled))
    print(f"attempts {len(books.attempts)}, charges {sum(map(len, books.entries.values()))}, grants paid {paid}")
    print(f"cups {len(market.receipts.cups)}, cancelled {len(market.receipts.cancelled)}")
    assert market.problems == []
    assert (count.lost, count.doubled) == ([], [])
    assert kills.total() == len(MOMENTS)
    assert acknowledged >= 100
    assert market.receipts.cups
    assert status == 0
    assert "Traceback" not in server.log.read_text(errors="replace")
