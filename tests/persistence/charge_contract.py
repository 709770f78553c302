"""What every store must do with charges and refunds, and how its books are checked."""

from __future__ import annotations

import anyio
import pytest
from store_contract import a_grant, gold, new_player, pay, put, submit_all, swords

from kraty_persistence import (
    MAX_BALANCE,
    BalanceOutOfRange,
    Change,
    Charge,
    Completion,
    Effect,
    JournalConflict,
    MoneyTotal,
    Refund,
    Store,
    StoredActor,
    Unit,
    UnitRefused,
)


def a_charge(player: int, *changes: Change, key: str = "entry:w1") -> Charge:
    return Charge(player, key, changes, "entry", "w1", 8_000)


def a_refund(player: int, key: str = "entry:w1") -> Refund:
    return Refund(player, key, "w1", 9_000)


def first(actor: str, *effects: Effect) -> Unit:
    return Unit(actor, 1, b"1", effects)


async def rich(store: Store, player_id: str = "ada", amount: int = 10) -> int:
    """A player with so much gold and two swords."""
    player = await new_player(store, player_id)
    await pay(store, player, gold(amount), swords(2), key="before")
    return player


class ChargeContract:
    """Entry costs (R-20, R-21, R-26) and the proof that no money comes from nowhere (R-40)."""

    async def test_a_charge_is_taken_with_its_unit(self, store: Store):
        """R-20: wallet and inventory, with the attempt, in one transaction."""
        player = await rich(store)
        await put(store, first("a", a_charge(player, gold(-4), swords(-1)), Completion(player, "race", "w1")))
        assert (await store.balances(player), await store.inventory(player)) == ({"gold": 6}, {"sword": 1})
        rows = (await store.ledger(player))[:2]
        assert [(row.key, row.part, row.kind, row.resource, row.delta, row.balance) for row in rows] == [
            ("entry:w1", 1, "item", "sword", -1, 1),
            ("entry:w1", 0, "currency", "gold", -4, 6),
        ]
        assert {(row.reason, row.source, row.at) for row in rows} == {("entry", "w1", 8_000)}

    async def test_a_charge_is_taken_once_for_its_key(self, store: Store):
        """R-21: in one unit, in one group, later, and whatever the repeat asks for."""
        player, other = await rich(store), await rich(store, "bob")
        charge = a_charge(player, gold(-4))
        units = [first("a0"), first("a", charge, charge), first("b", charge), first("c", a_charge(other, gold(-1)))]
        await put(store, *units)
        await put(store, first("d", a_charge(player, gold(-50))))
        assert (await store.balances(player), await store.balances(other)) == ({"gold": 6}, {"gold": 9})
        await put(store, first("e", a_charge(player, gold(-1), key="entry:w2")))
        assert await store.balances(player) == {"gold": 5}

    async def test_a_charge_that_was_taken_needs_no_more_money(self, store: Store):
        """R-21: a replay by one who has spent everything."""
        player = await rich(store)
        charge = a_charge(player, gold(-10))
        await put(store, first("a0"), first("a", charge, Completion(player, "race", "w1"), charge), first("b", charge))
        await put(store, first("c", charge))
        assert await store.balances(player) == {}

    async def test_a_charge_that_cannot_be_paid_refuses_its_unit_alone(self, store: Store):
        """R-20: nothing is debited and no attempt exists, and nobody else is harmed."""
        player, other = await rich(store), await rich(store, "bob")
        short = (
            a_grant(player, deliver=(gold(5),)),
            Completion(player, "race", "w1"),
            a_charge(player, gold(-5), key="first"),
            a_charge(player, gold(-5), swords(-3)),
        )
        units = [first("a", a_charge(other, gold(-1))), first("b", *short), Unit("b", 2, b"2")]
        units.append(first("c", a_charge(player, gold(-10))))
        ok, error, behind, last = await submit_all(store, units)
        assert (ok, last, type(behind)) == (None, None, JournalConflict)
        assert isinstance(error, BalanceOutOfRange)
        assert (error.kind, error.resource, error.needed, error.have, error.short) == ("item", "sword", 3, 2, True)
        assert (await store.balances(player), await store.inventory(player)) == ({}, {"sword": 2})
        assert await store.load("b") == StoredActor()
        assert await store.grant("g1", player) is None
        assert not await store.completed(player, "race")
        assert [row.key for row in await store.ledger(player)][:-2] == ["entry:w1"]

    async def test_charges_of_one_group_see_each_other(self, store: Store):
        """R-20: the store is the guard behind whoever believed that there is enough."""
        player = await rich(store)
        units = [first(f"a{n}", a_charge(player, gold(-4), key=f"k{n}")) for n in range(4)]
        kinds = [type(error) for error in await submit_all(store, units)]
        assert kinds == [type(None), type(None), BalanceOutOfRange, BalanceOutOfRange]
        assert [(row.delta, row.balance) for row in (await store.ledger(player))[:2]] == [(-4, 2), (-4, 6)]
        assert await store.unfinished() == ["a0", "a1"]

    async def test_a_refused_key_is_not_used_up(self, store: Store):
        player = await rich(store)
        charge = a_charge(player, gold(-11))
        units = [first("a", charge), first("b", a_grant(player, deliver=(gold(1),))), first("a", charge)]
        kinds = [type(error) for error in await submit_all(store, units)]
        assert kinds == [BalanceOutOfRange, type(None), type(None)]
        assert await store.balances(player) == {}

    async def test_what_a_unit_brings_pays_for_what_it_takes(self, store: Store):
        player = await new_player(store)
        await put(store, first("a", a_grant(player, deliver=(gold(5),)), a_charge(player, gold(-3))))
        assert await store.balances(player) == {"gold": 2}

    async def test_a_charge_without_changes_is_nothing(self, store: Store):
        player = await new_player(store)
        await put(store, first("a", a_charge(player), a_refund(player)))
        assert await store.ledger(player) == []

    async def test_a_charge_of_nobody_is_refused(self, store: Store):
        [error] = await submit_all(store, [first("a", a_charge(999, gold(1)))])
        assert isinstance(error, UnitRefused)
        assert await store.load("a") == StoredActor()

    async def test_adjustments_and_charges_do_not_wait_for_each_other(self, store: Store):
        """They may stand in one group; whichever comes second is judged by what the first has left."""
        player = await rich(store, amount=6)
        fates: list[object] = []

        async def adjust() -> None:
            try:
                fates.append((await pay(store, player, gold(-5))).applied)
            except BalanceOutOfRange:
                fates.append(False)

        async def charge() -> None:
            [error] = await submit_all(store, [first("a", a_charge(player, gold(-5)))])
            fates.append(error is None)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(adjust)
            tasks.start_soon(charge)
        assert sorted(map(bool, fates)) == [False, True]
        assert await store.balances(player) == {"gold": 1}

    # -- refunds

    async def test_a_refund_gives_a_charge_back_once(self, store: Store):
        """R-26: in one group with the charge or later, for its player only."""
        player, other = await rich(store), await rich(store, "bob")
        charge = a_charge(player, gold(-4), swords(-1))
        await put(store, first("a", charge), first("b", a_refund(player), a_refund(player)), first("c", charge))
        await put(store, first("d", a_refund(player), a_refund(other)))
        assert (await store.balances(player), await store.inventory(player)) == ({"gold": 10}, {"sword": 2})
        assert await store.balances(other) == {"gold": 10}
        rows = [row for row in await store.ledger(player) if row.key == "refund:entry:w1"]
        assert [(row.part, row.resource, row.delta, row.balance) for row in rows] == [
            (1, "sword", 1, 2),
            (0, "gold", 4, 10),
        ]
        assert {(row.reason, row.source, row.at) for row in rows} == {("refund", "w1", 9_000)}

    async def test_a_refund_of_what_was_never_charged_is_nothing(self, store: Store):
        """And it does not stand in the way of one that comes after the charge."""
        player = await rich(store)
        await put(store, first("a", a_refund(player)))
        await put(store, first("b", a_charge(player, gold(-4))), first("c", a_refund(player)))
        assert await store.balances(player) == {"gold": 10}

    async def test_a_refund_is_cut_where_a_balance_is_full(self, store: Store):
        """R-40: no balance passes 2^53 - 1, and no refund is given in two parts."""
        player = await rich(store, amount=MAX_BALANCE)
        await put(store, first("a", a_charge(player, gold(-4), swords(-1))))
        await pay(store, player, gold(3))
        await put(store, first("b", a_refund(player)))
        assert await store.balances(player) == {"gold": MAX_BALANCE}
        assert await store.inventory(player) == {"sword": 2}
        await pay(store, player, gold(-MAX_BALANCE), key="spent")
        await put(store, first("c", a_refund(player)))
        assert await store.balances(player) == {}
        assert await store.ledger_faults() == []

    # -- the books

    async def test_a_large_group_of_charges_is_taken_to_the_last(self, store: Store):
        """However many rows the store reads and writes at once."""
        many = 300
        players: list[int] = []

        async def arrive(n: int) -> None:
            players.append(await rich(store, f"p{n}"))

        async with anyio.create_task_group() as tasks:
            for n in range(many):
                tasks.start_soon(arrive, n)
        await put(store, *[first(f"a{player}", a_charge(player, gold(-3), swords(-1))) for player in players])
        assert await store.money_totals() == [
            MoneyTotal("currency", "gold", 7 * many, 7 * many),
            MoneyTotal("item", "sword", many, many),
        ]
        assert await store.ledger_faults() == []

    async def test_totals_may_be_more_than_any_balance(self, store: Store):
        """R-40: the sum over many players is told exactly."""
        many = 1_030  # 2^53 of each of these pass 2^63
        assert await store.money_totals() == []

        async def arrive(n: int) -> None:
            await new_player(store, f"p{n}")

        async with anyio.create_task_group() as tasks:
            for n in range(many):
                tasks.start_soon(arrive, n)
        full = tuple(a_charge(n, gold(MAX_BALANCE)) for n in range(1, many + 1))
        await put(store, first("a", *full))
        await put(store, first("b", a_charge(1, gold(-1), key="k2")))
        total = many * MAX_BALANCE - 1
        assert await store.money_totals() == [MoneyTotal("currency", "gold", total, total)]

    @pytest.mark.parametrize("changes", [[gold(5), gold(-5)], [gold(3), swords(1), gold(-2)]])
    async def test_the_ledger_adds_up(self, store: Store, changes: list[Change]):
        """R-40: every balance is the sum of its ledger."""
        player = await new_player(store)
        await pay(store, player, *changes)
        assert await store.ledger_faults() == []
        assert [total.balances - total.ledger for total in await store.money_totals()] == [0] * len(
            {change.key for change in changes}
        )
