"""The store in memory, and the switches that tests of others use."""

from __future__ import annotations

import pytest
from charge_contract import ChargeContract
from grant_contract import GrantContract
from outbox_contract import OutboxContract
from store_contract import StoreContract, gold, new_player, pay, records

from kraty_persistence import LedgerFault, MemoryStore, MoneyTotal, StoredActor, StoreError, StoreUnavailable, Unit

pytestmark = pytest.mark.anyio


class TestMemoryStore(StoreContract, ChargeContract, GrantContract, OutboxContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


async def test_held_units_wait_and_are_released_in_order():
    store, fates = MemoryStore(), []
    store.hold()
    for unit in records("a", b"1", b"2"):
        store.submit(unit, lambda error, unit=unit: fates.append((unit.number, error)))
    assert (fates, await store.load("a")) == ([], StoredActor())
    store.release()
    assert fates == [(1, None), (2, None)]


async def test_lost_units_leave_nothing_and_tell_nobody():
    store, fates = MemoryStore(), []
    store.hold()
    store.submit(Unit("a", 1, b"lost"), fates.append)
    store.lose()
    store.submit(Unit("a", 1, b"kept"), fates.append)
    assert fates == [None]
    assert (await store.load("a")).records == (b"kept",)


async def test_an_outage_refuses_everything_until_it_is_over():
    """R-58."""
    store, fates = MemoryStore(), []
    store.outage = StoreUnavailable("away")
    store.submit(Unit("a", 1, b"1"), fates.append)
    assert fates == [store.outage]
    assert store.failing_since is not None
    with pytest.raises(StoreUnavailable):
        await store.load("a")
    store.outage = None
    store.submit(Unit("a", 1, b"1"), fates.append)
    assert (fates[1], store.failing_since) == (None, None)


async def test_a_chain_of_units_does_not_grow_the_stack():
    store = MemoryStore()

    def go_on(error: StoreError | None, number: int = 1) -> None:
        if number < 5_000:
            store.submit(Unit("a", number, b""), lambda error: go_on(error, number + 1))

    go_on(None)
    assert (await store.load("a")).number == 4_999


async def test_a_balance_that_its_ledger_does_not_explain_is_found():
    """R-40."""
    store = MemoryStore()
    await pay(store, await new_player(store), gold(5))
    store._holdings[1]["currency", "gold"] = 6
    store._holdings[1]["item", "bow"] = 7
    assert await store.ledger_faults() == [
        LedgerFault(1, "currency", "gold", 5, 6),
        LedgerFault(1, "item", "bow", 0, 7),
    ]
    assert await store.money_totals() == [MoneyTotal("currency", "gold", 6, 5), MoneyTotal("item", "bow", 7, 0)]
