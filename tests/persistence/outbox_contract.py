"""What every store must do with what is to be told outside, and with anomalies and bans."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import pytest
from store_contract import a_grant, gold, new_player, pay, put, submit_all, swords

from kraty_persistence import (
    AnomalyRow,
    BalanceOutOfRange,
    Ban,
    Charge,
    Delivery,
    DeliveryRow,
    GrantClaimed,
    GrantCreated,
    GrantLapsed,
    GrantRow,
    LedgerRow,
    NewGrant,
    Occurred,
    Refund,
    Store,
    Unit,
    UnitRefused,
)


def a_delivery(delivery_id: str, endpoint: str = "hook", at: int = 100) -> Delivery:
    return Delivery(delivery_id, endpoint, "board.period_closed", at, b"\x00" + delivery_id.encode())


def as_row(new: Delivery, **changes: object) -> DeliveryRow:
    row = DeliveryRow(new.id, new.endpoint, new.name, new.at, new.body, 0, new.at, "")
    return replace(row, **changes)  # type: ignore[arg-type]


def an_anomaly(n: int, player: int = 1, event_key: str = "race", at: int = 50) -> AnomalyRow:
    return AnomalyRow(f"a{n}", player, event_key, "w1", "w1.1", "rate", "flag", "reject", "too fast", b"\x00\xff", at)


async def effect(store: Store, *effects: object) -> None:
    number = (await store.load("teller")).number + 1
    await put(store, Unit("teller", number, b"", effects))  # type: ignore[arg-type]


@dataclass
class Told:
    """A reporter that remembers, and tells of everything to two endpoints."""

    all: list[Occurred] = field(default_factory=list)

    def __call__(self, occurred: Occurred) -> Sequence[Delivery]:
        self.all.append(occurred)
        key = f"{type(occurred).__name__}/{_key(occurred)}"
        return [Delivery(f"{endpoint}/{key}", endpoint, "x", 7, repr(occurred).encode()) for endpoint in ("e1", "e2")]

    def take(self) -> list[Occurred]:
        told, self.all = self.all, []
        return told


def _key(occurred: Occurred) -> str:
    return f"{occurred.key}/{occurred.part}" if isinstance(occurred, LedgerRow) else occurred.grant.id


def moved(key: str, delta: int, balance: int, reason: str, source: str, at: int) -> LedgerRow:
    return LedgerRow(1, key, 0, "currency", "gold", delta, balance, reason, source, at)


def as_grant(new: NewGrant, claimed_at: int | None = None) -> GrantRow:
    names = ("id", "player", "kind", "contents", "source_kind", "source_ref", "parent", "created_at", "expires_at")
    return GrantRow(**{name: getattr(new, name) for name in names}, claimed_at=claimed_at)


class OutboxContract:
    """Webhooks are written in the transaction of their cause (R-53); anomalies (R-50) and bans (R-51)."""

    # -- reports

    async def test_every_change_of_a_balance_is_reported(self, store: Store):
        """R-53, R-54: whatever it came of, once."""
        player, told = await new_player(store), Told()
        store.reporter = told
        await pay(store, player, gold(10))
        await pay(store, player, gold(10))
        await effect(store, Charge(player, "c", (gold(-4),), "entry", "w1", 2))
        await effect(store, Refund(player, "c", "w2", 3), Refund(player, "c", "w2", 3))
        assert told.take() == [
            moved("adjust:k1", 10, 10, "quest", "server", 7_000),
            moved("c", -4, 6, "entry", "w1", 2),
            moved("refund:c", 4, 10, "refund", "w2", 3),
        ]
        assert [row.id for row in await store.due("e2", 7, 9)] == [
            "e2/LedgerRow/adjust:k1/0",
            "e2/LedgerRow/c/0",
            "e2/LedgerRow/refund:c/0",
        ]

    async def test_every_step_of_a_grant_is_reported(self, store: Store):
        """R-54: `grant.created`, `grant.claimed`, `grant.expired`."""
        player, told = await new_player(store), Told()
        store.reporter = told
        plain, ending = a_grant(player, id="g1"), a_grant(player, id="g2", expires_at=5_000)
        delivered, opened = a_grant(player, id="g3", deliver=(gold(1),)), a_grant(player, id="g4", claimed_at=4_000)
        await effect(store, plain, plain, ending)
        await effect(store, plain)
        assert told.take() == [GrantCreated(as_grant(plain)), GrantCreated(as_grant(ending))]
        await effect(store, delivered)
        row = as_grant(delivered, claimed_at=1_000)
        assert told.take() == [moved("grant:g3", 1, 1, "grant", "g3", 1_000), GrantCreated(row), GrantClaimed(row)]
        for _ in range(2):
            await store.claim("g1", player, 4_000, [gold(2)], [opened])
        row, inside = as_grant(plain, claimed_at=4_000), as_grant(opened, claimed_at=4_000)
        assert told.take() == [
            moved("grant:g1", 2, 3, "grant", "g1", 4_000),
            GrantClaimed(row),
            GrantCreated(inside),
            GrantClaimed(inside),
        ]
        assert await store.expire_grants(5_000, 10) == 1
        assert told.take() == [GrantLapsed(as_grant(ending))]
        created = a_grant(player, id="g5")
        for _ in range(2):
            await store.create_grants([created])
        assert told.take() == [GrantCreated(as_grant(created))]
        await store.withdraw(["g1", "g5"], key="k", reason="r", source="s", now=6_000)
        assert told.take() == [moved("k:g1", -2, 1, "r", "s", 6_000)]
        assert len(await store.due("e1", 7, 99)) == 12

    async def test_what_is_refused_is_not_told(self, store: Store):
        """R-53: the outbox is part of the transaction."""
        player = await new_player(store)
        store.reporter = Told()
        short = (a_grant(player), a_delivery("d1", "e1"), Charge(player, "c", (gold(-4),), "entry", "w1", 2))
        units = [Unit("a", 1, b"", short), Unit("b", 2, b"gap", (a_grant(player),))]
        units.append(Unit("c", 1, b"", (a_grant(player, id="g2"), a_grant(999))))
        assert None not in await submit_all(store, units)
        with pytest.raises(BalanceOutOfRange):
            await pay(store, player, gold(1), gold(-2))
        assert await store.endpoints_due() == []

    async def test_a_reporter_that_fails_refuses_its_unit_alone(self, store: Store):
        player = await new_player(store)

        def fail(occurred: Occurred) -> Sequence[Delivery]:
            if isinstance(occurred, LedgerRow):
                raise ZeroDivisionError
            return []

        store.reporter = fail
        units = [Unit("a", 1, b"", (a_grant(player, deliver=(gold(1),)),)), Unit("b", 1, b"", (a_grant(player),))]
        refused, stored = await submit_all(store, units)
        assert (type(refused), stored) == (UnitRefused, None)
        with pytest.raises(UnitRefused):
            await pay(store, player, gold(1))
        assert (await store.balances(player), await store.ledger(player)) == ({}, [])
        store.reporter = None
        assert (await pay(store, player, swords(1))).applied

    # -- the outbox

    async def test_deliveries_are_due_in_order_of_their_next_try(self, store: Store):
        """R-53: each endpoint by itself; an id is there once."""
        news = [a_delivery("d3", at=100), a_delivery("d1", at=200), a_delivery("d2", at=100), a_delivery("d4", "z")]
        await effect(store, *news, replace(news[0], body=b"other"))
        await effect(store, replace(news[0], body=b"other"))
        assert await store.due("hook", 99, 9) == []
        assert await store.due("hook", 200, 9) == [as_row(news[2]), as_row(news[0]), as_row(news[1])]
        assert [row.id for row in await store.due("hook", 200, 2)] == ["d2", "d3"]
        assert [row.id for row in await store.due("hook", 199, 9)] == ["d2", "d3"]
        assert await store.endpoints_due() == [("hook", 100), ("z", 100)]

    async def test_what_is_delivered_is_gone(self, store: Store):
        await effect(store, a_delivery("d1"), a_delivery("d2", at=300), a_delivery("d3", "z"))
        await store.delivered(["d1", "d3", "nothing"])
        assert await store.endpoints_due() == [("hook", 300)]
        await store.delivered(["d2"])
        await store.delivered([])
        assert await store.endpoints_due() == []

    async def test_a_failed_try_is_written_down(self, store: Store):
        """R-52, R-53: with the body as it was sent, which stays the same from then on."""
        new = a_delivery("d1")
        await effect(store, new)
        await store.failed("d1", attempts=1, next_at=400, error="refused", body=b"rendered")
        assert await store.due("hook", 399, 9) == []
        await store.failed("d1", attempts=2, next_at=500, error="timed out")
        row = as_row(new, attempts=2, next_at=500, error="timed out", body=b"rendered")
        assert await store.due("hook", 500, 9) == [row]
        assert await store.endpoints_due() == [("hook", 500)]
        await store.failed("nothing", attempts=1, next_at=1, error="")
        assert await store.endpoints_due() == [("hook", 500)]

    async def test_what_is_given_up_is_dead_until_it_is_replayed(self, store: Store):
        """R-53: listed newest first in stable pages, and made due by id, or all."""
        at = {"d1": 10, "d2": 30, "d3": 20, "d4": 20, "d5": 20, "d6": 40}
        await effect(store, *[a_delivery(key, at=value) for key, value in at.items()])
        for key in ("d1", "d2", "d3", "d4", "d5"):
            await store.failed(key, attempts=9, next_at=None, error="gone")
        assert await store.endpoints_due() == [("hook", 40)]
        assert [row.id for row in await store.due("hook", 999, 9)] == ["d6"]
        page = await store.dead(2)
        assert page[0] == as_row(a_delivery("d2", at=30), attempts=9, next_at=None, error="gone")
        assert [row.id for row in page] == ["d2", "d3"]
        assert [row.id for row in await store.dead(9, after="d3")] == ["d4", "d5", "d1"]
        assert await store.dead(after="d6") == await store.dead(after="nothing") == []
        assert await store.replay(["d3", "d6", "nothing"], 600) == 1
        assert await store.due("hook", 600, 9) == [
            as_row(a_delivery("d6", at=40)),
            as_row(a_delivery("d3", at=20), next_at=600),
        ]
        assert await store.replay(None, 700) == 4
        assert (await store.replay(None, 700), await store.dead()) == (0, [])
        assert len(await store.due("hook", 700, 9)) == 6

    async def test_whoever_delivers_is_told_once_something_is_due(self, store: Store):
        """R-53: after the commit, however it got there, and for whom; not of anything else."""
        player, rung = await new_player(store), list[str]()

        def ring(endpoints: Collection[str]) -> None:
            rung.extend(sorted(endpoints))

        store.posted = ring
        await effect(store, a_delivery("d1"), a_grant(player))
        await store.failed("d1", attempts=9, next_at=None, error="gone")
        await store.replay(["nothing"], 5)
        await pay(store, player, gold(1))
        assert rung == ["hook"]
        await store.replay(["d1"], 5)
        await store.failed("d1", attempts=9, next_at=None, error="gone")
        await store.replay(None, 6)
        assert rung == ["hook", "hook", "hook"]
        store.reporter = Told()
        await pay(store, player, gold(1), key="k2")
        assert rung == ["hook", "hook", "hook", "e1", "e2"]
        store.posted = None
        await effect(store, a_delivery("d2"))
        assert len(rung) == 5

    async def test_however_many_are_dead_all_are_replayed(self, store: Store):
        many = 1_100
        await effect(store, *[a_delivery(f"d{n}") for n in range(many)])
        for n in range(many):
            store_failed = store.failed(f"d{n}", attempts=1, next_at=None if n % 2 else 900, error="")
            await store_failed
        assert await store.replay(None, 800) == many // 2
        assert len(await store.due("hook", 800, many)) == many // 2

    # -- anomalies

    async def test_anomalies_are_found_by_player_and_by_event(self, store: Store):
        """R-51: newest first, in stable pages."""
        for name in ("ada", "bob"):
            await new_player(store, name)
        rows = [an_anomaly(1), an_anomaly(2, at=70), an_anomaly(3, player=2), an_anomaly(4, event_key="duel", at=60)]
        rows.append(an_anomaly(5))
        await effect(store, *rows, replace(rows[0], reason="other"))
        await effect(store, replace(rows[0], at=999))
        assert await store.anomalies() == [rows[1], rows[3], rows[0], rows[2], rows[4]]
        assert await store.anomalies(player=1) == [rows[1], rows[3], rows[0], rows[4]]
        assert await store.anomalies(event_key="race", limit=2) == [rows[1], rows[0]]
        assert await store.anomalies(event_key="race", after="a1") == [rows[2], rows[4]]
        assert await store.anomalies(event_key="race", player=1, after="a1") == [rows[4]]
        assert await store.anomalies(after="a4", limit=1) == [rows[0]]
        assert await store.anomalies(player=3) == await store.anomalies(after="nothing") == []

    async def test_an_anomaly_is_stored_with_its_unit_or_not_at_all(self, store: Store):
        await new_player(store)
        units = [Unit("a", 2, b"gap", (an_anomaly(1),)), Unit("b", 1, b"", (an_anomaly(2), an_anomaly(3, player=9)))]
        assert None not in await submit_all(store, units)
        assert await store.anomalies() == []

    # -- bans

    async def test_a_ban_stands_until_it_is_lifted(self, store: Store):
        """R-51: the last one counts, and nothing else of the row changes."""
        ada, bob, cy = [await new_player(store, name) for name in ("ada", "bob", "cy")]
        await store.put_player(cy, name="Cy", attributes=b"x")
        before = await store.players([cy])
        await effect(store, Ban(cy, True), Ban(ada, True), Ban(bob, True), Ban(bob, False))
        assert await store.banned_players() == [ada, cy]
        assert [row.banned for row in await store.players([ada, bob, cy])] == [True, False, True]
        assert await store.players([cy]) == [replace(before[0], banned=True)]
        assert (await store.put_player(cy, country="PT")).banned
        await effect(store, Ban(ada, False), Ban(ada, False))
        assert await store.banned_players() == [cy]

    async def test_nobody_cannot_be_banned(self, store: Store):
        player = await new_player(store)
        units = [Unit("a", 1, b"", (Ban(player, True), Ban(999, True))), Unit("b", 1, b"", (Ban(999, False),))]
        kinds = [type(error) for error in await submit_all(store, units)]
        assert kinds == [UnitRefused, UnitRefused]
        assert await store.banned_players() == []
