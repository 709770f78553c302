"""What every store must do with grants beside keeping them: deliver, create, open, expire and withdraw them."""

from __future__ import annotations

from dataclasses import replace

import anyio
import pytest
from store_contract import a_grant, gold, new_player, pay, put, submit_all, swords

from kraty_persistence import (
    MAX_BALANCE,
    BalanceOutOfRange,
    Change,
    GrantExpired,
    GrantRow,
    IdempotencyConflict,
    NewGrant,
    Store,
    Unit,
    UnitRefused,
    Withdrawn,
)

BOW = Change("item", "bow", 1)


async def found(store: Store, player: int, grant_id: str = "g1") -> GrantRow:
    row = await store.grant(grant_id, player)
    assert row is not None
    return row


async def give(store: Store, *grants: NewGrant) -> None:
    await put(store, Unit("granter", (await store.load("granter")).number + 1, b"", grants))


async def withdraw(store: Store, *ids: str) -> list[Withdrawn]:
    return await store.withdraw(ids, key="correct:w1", reason="correction", source="w1", now=9_000)


class GrantContract:
    """Rewards, crates and their ends (R-27, R-41, R-45)."""

    # -- delivery

    async def test_a_delivered_grant_is_credited_as_it_is_created(self, store: Store):
        """R-45: `delivery: "auto"`, once however often the unit is repeated."""
        player = await new_player(store)
        grant = a_grant(player, deliver=(gold(5), swords(1)))
        await give(store, grant, grant)
        await give(store, grant)
        assert (await store.balances(player), await store.inventory(player)) == ({"gold": 5}, {"sword": 1})
        row = await found(store, player)
        assert (row.claimed_at, row.created_at, row.status(9_999)) == (1_000, 1_000, "claimed")
        assert await store.grants(player, now=1_000, status="pending") == []
        assert await store.grants(player, now=1_000, status="claimed") == [row]
        assert await store.claim("g1", player, 2_000, [gold(5)]) == row
        rows = await store.ledger(player)
        assert [(row.key, row.part, row.delta) for row in rows] == [("grant:g1", 1, 1), ("grant:g1", 0, 5)]
        assert {(row.reason, row.source, row.at) for row in rows} == {("grant", "g1", 1_000)}

    async def test_what_cannot_be_delivered_waits_to_be_claimed(self, store: Store):
        """R-40, R-45: all of it, and the rest of the unit is not held up."""
        player = await new_player(store)
        await pay(store, player, gold(MAX_BALANCE - 4))
        grant = a_grant(player, deliver=(swords(1), gold(5)))
        await give(store, grant, a_grant(player, id="g2", deliver=(gold(4),)))
        assert (await found(store, player)).status(2_000) == "pending"
        assert (await store.balances(player), await store.inventory(player)) == ({"gold": MAX_BALANCE}, {})
        await pay(store, player, gold(-MAX_BALANCE), key="spent")
        await give(store, grant)
        assert await store.balances(player) == {}
        assert (await store.claim("g1", player, 2_000, [gold(5)])) == replace(
            await found(store, player), claimed_at=2_000
        )

    async def test_a_delivery_of_an_existing_grant_is_nothing(self, store: Store):
        player = await new_player(store)
        await give(store, a_grant(player))
        await give(store, a_grant(player, deliver=(gold(5),)))
        assert (await found(store, player)).claimed_at is None
        assert await store.balances(player) == {}

    async def test_a_grant_may_come_claimed(self, store: Store):
        """What was in it was credited otherwise, as for a crate that was opened."""
        player = await new_player(store)
        empty = a_grant(player, id="g2", deliver=())
        await give(store, a_grant(player, claimed_at=1_500), empty)
        assert [(await found(store, player, key)).claimed_at for key in ("g1", "g2")] == [1_500, 1_000]
        assert await store.ledger(player) == []

    # -- creation

    async def test_a_reward_is_created_with_its_children_once(self, store: Store):
        """R-41: and delivered, if it says so."""
        player = await new_player(store)
        grants = [a_grant(player, deliver=(gold(5),)), a_grant(player, id="g2", kind="crate", parent="g1")]
        row, is_new = await store.create_grants(grants)
        assert (row.id, row.claimed_at, is_new) == ("g1", 1_000, True)
        assert await store.create_grants([replace(grant, created_at=5) for grant in grants]) == (row, False)
        assert (await store.balances(player), (await store.statistics()).grants) == ({"gold": 5}, 2)

    @pytest.mark.parametrize(
        "others",
        [
            {"contents": b"more"},
            {"player": 2},
            {"kind": "crate"},
        ],
    )
    @pytest.mark.parametrize("which", [0, 1])
    async def test_a_key_cannot_stand_for_two_rewards(self, store: Store, which: int, others: dict[str, object]):
        player = await new_player(store)
        await new_player(store, "bob")
        grants = [a_grant(player), a_grant(player, id="g2", parent="g1")]
        await store.create_grants(grants)
        grants[which] = replace(grants[which], **others)  # type: ignore[arg-type]
        with pytest.raises(IdempotencyConflict):
            await store.create_grants(grants)

    async def test_a_reward_is_not_the_same_with_other_children(self, store: Store):
        player = await new_player(store)
        reward, *children = [a_grant(player, id=f"g{n}", parent="g0" if n else None) for n in range(3)]
        await store.create_grants([reward, children[0]])
        for others in ([], [children[1]], children):
            with pytest.raises(IdempotencyConflict):
                await store.create_grants([reward, *others])
        assert (await store.statistics()).grants == 2

    async def test_what_came_of_a_reward_later_makes_it_no_other(self, store: Store):
        """R-41: a crate that was opened may be asked for again."""
        player = await new_player(store)
        crate = a_grant(player, kind="crate", source_kind="api")
        await store.create_grants([crate])
        inside = a_grant(player, id="g2", parent="g1", source_kind="crate_open", claimed_at=2_000)
        opened = await store.claim("g1", player, 2_000, [gold(1)], [inside])
        assert await store.create_grants([crate]) == (opened, False)

    async def test_no_grant_is_created_of_nothing_or_for_nobody(self, store: Store):
        for grants in ([], [a_grant(999)]):
            with pytest.raises(UnitRefused):
                await store.create_grants(grants)
        assert (await store.statistics()).grants == 0

    # -- crates

    async def test_opening_a_crate_creates_what_was_in_it(self, store: Store):
        """R-41: once, with the credit and with further crates, in one transaction."""
        player = await new_player(store)
        await give(store, a_grant(player, kind="crate"))
        inside = [
            a_grant(player, id="g2", parent="g1", claimed_at=2_000, created_at=2_000),
            a_grant(player, id="g3", parent="g2", kind="crate", created_at=2_000),
        ]
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(store.claim, "g1", player, 2_000, [gold(5)], inside)
        assert await store.balances(player) == {"gold": 5}
        status = {row.id: (row.parent, row.status(3_000)) for row in await store.grants(player, now=3_000)}
        assert status == {"g1": (None, "claimed"), "g2": ("g1", "claimed"), "g3": ("g2", "pending")}

    async def test_a_crate_that_cannot_be_opened_stays_shut(self, store: Store):
        player = await new_player(store)
        await give(store, a_grant(player, kind="crate"))
        with pytest.raises(BalanceOutOfRange):
            await store.claim("g1", player, 2_000, [gold(-1)], [a_grant(player, id="g2", parent="g1")])
        with pytest.raises(UnitRefused):
            await store.claim("g1", player, 2_000, [gold(1)], [a_grant(999, id="g2", parent="g1")])
        assert (await found(store, player)).claimed_at is None
        assert (await store.balances(player), await store.grant("g2", player)) == ({}, None)

    # -- expiry

    async def test_each_grant_expires_once(self, store: Store):
        """R-45: at the instant itself, oldest first, and only what still waits for its player."""
        player = await new_player(store)
        ends = {"g0": None, "g1": 300, "g2": 100, "g3": 200, "g4": 100, "g5": 100, "g6": 301}
        await give(store, *[a_grant(player, id=key, expires_at=end) for key, end in ends.items()])
        await store.claim("g4", player, 50, [])
        await withdraw(store, "g5")
        told: list[str] = []
        store.reporter = lambda occurred: told.append(occurred.grant.id) or []  # type: ignore[union-attr, func-returns-value]
        assert await store.expire_grants(99, 10) == 0
        assert await store.expire_grants(300, 2) == 2
        assert await store.expire_grants(300, 2) == 1
        assert await store.expire_grants(300, 2) == 0
        assert told == ["g2", "g3", "g1"]
        assert (await found(store, player, "g2")).status(300) == "expired"
        with pytest.raises(GrantExpired):
            await store.claim("g2", player, 300, [])

    # -- the grants of a window

    async def test_a_window_has_its_grants_its_attempts_and_what_came_of_them(self, store: Store):
        """R-27: everything that was paid for it, and nothing of another."""
        player = await new_player(store)
        refs = {"g9": "w1", "g1": "w1.a1", "g2": "w1.", "g3": "w10", "g4": "w1/2", "g5": "w", "g6": None, "g7": "w1-"}
        await give(store, *[a_grant(player, id=key, source_ref=ref) for key, ref in refs.items()])
        family = {"c3": "c1", "c1": "g9", "c2": "g1", "c4": "g3", "c5": "c3"}
        await give(store, *[a_grant(player, id=key, source_ref=None, parent=it) for key, it in family.items()])
        await give(store, a_grant(player, id="c6", source_ref="w1.a1", parent="g1"))
        rows = await store.window_grants("w1")
        assert [row.id for row in rows] == ["c1", "c2", "c3", "c5", "c6", "g1", "g2", "g9"]
        assert rows[-1] == await store.grant("g9", player)
        assert await store.window_grants("w2") == []

    async def test_a_window_may_have_more_grants_than_are_read_at_once(self, store: Store):
        player, many = await new_player(store), 1_100
        grants = [
            a_grant(player, id=f"{kind}{n:04}", source_ref=ref, parent=parent and f"{parent}{n:04}")
            for n in range(many)
            for kind, ref, parent in (("a", "w1", None), ("b", f"w1.{n % 7}", None), ("c", None, "b"))
        ]
        await give(store, *grants)
        assert [row.id for row in await store.window_grants("w1")] == sorted(grant.id for grant in grants)

    # -- withdrawal

    async def test_an_unclaimed_grant_that_is_withdrawn_is_gone(self, store: Store):
        player = await new_player(store)
        await give(store, a_grant(player), a_grant(player, id="g2"))
        assert await withdraw(store, "g1", "nobody", "g1") == [Withdrawn("g1", (), ())]
        assert await withdraw(store, "g1") == []
        row = await found(store, player)
        assert (row.withdrawn_at, row.claimed_at, row.status(0)) == (9_000, None, "expired")
        with pytest.raises(GrantExpired, match="withdrawn"):
            await store.claim("g1", player, 2_000, [gold(5)])
        listed = {
            status: [row.id for row in await store.grants(player, now=2_000, status=status)]
            for status in ("pending", "claimed", "expired")
        }
        assert listed == {"pending": ["g2"], "claimed": [], "expired": ["g1"]}
        assert await store.ledger(player) == []

    async def test_of_a_claimed_grant_is_taken_what_is_left_of_it(self, store: Store):
        """R-40: a wallet is never below 0; what is missing is told."""
        player = await new_player(store)
        await give(store, a_grant(player))
        claimed = await store.claim("g1", player, 2_000, [gold(5), swords(2), gold(2), BOW])
        await pay(store, player, gold(-1), swords(-2))
        [withdrawn] = await withdraw(store, "g1")
        assert withdrawn.taken == (gold(5), gold(1), BOW)
        assert withdrawn.owed == (swords(2), gold(1))
        assert claimed is not None
        row = await found(store, player)
        assert (row, row.status(0)) == (replace(claimed, withdrawn_at=9_000), "claimed")
        assert (await store.balances(player), await store.inventory(player)) == ({}, {})
        rows = (await store.ledger(player))[:3]
        assert [(row.part, row.resource, row.delta, row.balance) for row in rows] == [
            (2, "bow", -1, 0),
            (1, "gold", -1, 0),
            (0, "gold", -5, 1),
        ]
        assert {(row.key, row.reason, row.source, row.at) for row in rows} == {
            ("correct:w1:g1", "correction", "w1", 9_000)
        }
        await pay(store, player, gold(50), key="later")
        assert await withdraw(store, "g1") == []
        assert await store.claim("g1", player, 9_500, [gold(5)]) == row
        assert await store.balances(player) == {"gold": 50}

    async def test_grants_that_are_withdrawn_together_follow_each_other(self, store: Store):
        """What the first has taken is not there for the second; each player's by themselves."""
        player, other = await new_player(store), await new_player(store, "bob")
        mine = [a_grant(player, id=f"g{n}", deliver=(gold(4),)) for n in (1, 2)]
        await give(store, *mine, a_grant(other, id="g3", deliver=(gold(4),)), a_grant(other, id="g4"))
        await pay(store, player, gold(-3))
        assert await withdraw(store, "g2", "g3", "g1", "g4") == [
            Withdrawn("g2", (gold(4),), ()),
            Withdrawn("g3", (gold(4),), ()),
            Withdrawn("g1", (gold(1),), (gold(3),)),
            Withdrawn("g4", (), ()),
        ]
        assert await store.balances(player) == await store.balances(other) == {}
        assert await store.ledger_faults() == []

    async def test_many_grants_are_withdrawn_at_once(self, store: Store):
        player, many = await new_player(store), 600
        await give(store, *[a_grant(player, id=f"g{n}", deliver=(gold(1),)) for n in range(many)])
        withdrawn = await withdraw(store, *[f"g{n}" for n in range(many)])
        assert withdrawn == [Withdrawn(f"g{n}", (gold(1),), ()) for n in range(many)]
        assert await store.balances(player) == {}

    async def test_a_refused_unit_leaves_no_grant(self, store: Store):
        player = await new_player(store)
        units = [Unit("a", 2, b"gap", (a_grant(player, deliver=(gold(1),)),)), Unit("b", 1, b"1", (a_grant(999),))]
        assert None not in await submit_all(store, units)
        assert (await store.balances(player), (await store.statistics()).grants) == ({}, 0)
