"""What every store must do. Each kind of store inherits these tests and supplies the `store` fixture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from itertools import count

import anyio
import pytest

from kraty_persistence import (
    MAX_BALANCE,
    Adjusted,
    Aside,
    AuditEntry,
    AuditRow,
    BalanceOutOfRange,
    Change,
    Completion,
    Dossier,
    GrantExpired,
    IdempotencyConflict,
    JournalConflict,
    LeagueMove,
    NewGrant,
    PlayerRow,
    Store,
    StoredActor,
    StoredRecord,
    StoreError,
    Unit,
    UnitRefused,
)


async def submit_all(store: Store, units: Iterable[Unit]) -> list[StoreError | None]:
    """Submit at once, wait for all; the errors in the order in which the store reported them."""
    fates: list[StoreError | None] = []
    units = list(units)
    all_done = anyio.Event()

    def done(error: StoreError | None) -> None:
        fates.append(error)
        if len(fates) == len(units):
            all_done.set()

    for unit in units:
        store.submit(unit, done)
    with anyio.fail_after(20):
        await all_done.wait()
    return fates


async def put(store: Store, *units: Unit) -> None:
    """Submit units that must be stored."""
    assert await submit_all(store, units) == [None] * len(units)


async def new_player(store: Store, player_id: str = "ada") -> int:
    return (await store.resolve(player_id, lambda: f"public-{player_id}")).number


def a_grant(player: int, **changes: object) -> NewGrant:
    grant = NewGrant("g1", player, "reward", b"\x00\xff", "event_window", "w1", None, 1_000, None)
    return replace(grant, **changes)  # type: ignore[arg-type]


def gold(delta: int) -> Change:
    return Change("currency", "gold", delta)


def swords(delta: int) -> Change:
    return Change("item", "sword", delta)


async def pay(store: Store, player: int, *changes: Change, key: str = "k1") -> Adjusted:
    return await store.adjust(player, changes, key=key, reason="quest", source="server", now=7_000)


def records(actor: str, *payloads: bytes, start: int = 1) -> list[Unit]:
    return [Unit(actor, number, payload) for number, payload in zip(count(start), payloads, strict=False)]


async def history_pages(store: Store, actor: str, limit: int) -> list[list[StoredRecord]]:
    """All pages of an actor's history."""
    pages: list[list[StoredRecord]] = []
    after: StoredRecord | None = None
    while page := await store.history_page(actor, after=after, limit=limit):
        pages.append(page)
        after = page[-1]
    return pages


class StoreContract:
    """The journal, results, players and money behind one door (R-40, R-45, R-56, R-57)."""

    # -- journal

    async def test_an_unknown_actor_is_empty(self, store: Store):
        assert await store.load("nobody") == StoredActor()

    async def test_records_come_back_as_the_same_bytes_in_order(self, store: Store):
        payloads = [bytes([n]) * (n * 300) for n in range(40)]  # from empty to longer than a page
        await put(store, *records("a", *payloads))
        assert await store.load("a") == StoredActor((), 40, tuple(payloads))

    @pytest.mark.parametrize("number", [0, 1, 2, 4, 5])
    async def test_a_number_that_does_not_follow_is_a_conflict(self, store: Store, number: int):
        await put(store, *records("a", b"one", b"two"))
        effects = (Completion(await new_player(store), "event", "w"),)
        [error] = await submit_all(store, [Unit("a", number, b"wrong", effects)])
        assert isinstance(error, JournalConflict)
        assert (await store.load("a")).records == (b"one", b"two")
        assert not await store.completed(1, "event")

    async def test_a_conflict_harms_no_other_unit_of_its_group(self, store: Store):
        units = [*records("a", b"1"), Unit("b", 2, b"gap"), *records("c", b"1", b"2")]
        kinds = [type(error) for error in await submit_all(store, units)]
        assert kinds == [type(None), JournalConflict, type(None), type(None)]
        assert await store.unfinished() == ["a", "c"]

    async def test_behind_a_refused_unit_its_actor_conflicts(self, store: Store):
        units = [Unit("a", 1, b"1", (Completion(999, "event", "w"),)), Unit("a", 2, b"2"), Unit("b", 1, b"1")]
        kinds = [type(error) for error in await submit_all(store, units)]
        assert kinds == [UnitRefused, JournalConflict, type(None)]
        assert await store.load("a") == StoredActor()

    async def test_a_unit_is_stored_as_a_whole_or_not_at_all(self, store: Store):
        player = await new_player(store)
        good, bad = Completion(player, "event", "w"), Completion(player + 1, "event", "w")
        [error] = await submit_all(store, [Unit("a", 1, b"1", (good, bad), (b"state",))])
        assert isinstance(error, UnitRefused)
        assert await store.load("a") == StoredActor()
        assert not await store.completed(player, "event")

    async def test_a_checkpoint_replaces_what_it_covers(self, store: Store):
        await put(store, *records("a", b"1", b"2", b"3"), Unit("a", 2, checkpoint=(b"x", b"", b"y")))
        assert await store.load("a") == StoredActor((b"x", b"", b"y"), 3, (b"3",))
        await put(store, Unit("a", 4, b"4", checkpoint=(b"z",)))
        assert await store.load("a") == StoredActor((b"z",), 4, ())
        await put(store, Unit("a", 5, b"5"), Unit("a", 4, checkpoint=()))
        assert await store.load("a") == StoredActor((), 5, (b"5",))

    async def test_parts_that_are_laid_aside_count_once_a_checkpoint_follows_them(self, store: Store):
        before = StoredActor((b"old",), 3, (b"2", b"3"))
        await put(store, *records("a", b"1", b"2", b"3"), Unit("a", 1, checkpoint=(b"old",)))
        await put(store, Unit("a", 3, aside=Aside(0, (b"given up",))), Unit("a", 3, aside=Aside(0, (b"x", b"y"))))
        assert await store.load("a") == before
        await put(store, Unit("a", 3, aside=Aside(2, (b"z",))), Unit("b", 1, b"other"))
        assert await store.load("a") == before
        await put(store, Unit("a", 3, checkpoint=(b"end",), checkpoint_follows=3, finished=True))
        assert await store.load("a") == StoredActor((b"x", b"y", b"z", b"end"), 3)
        await put(store, Unit("a", 4, b"4"), Unit("a", 4, checkpoint=(b"new",)))
        assert await store.load("a") == StoredActor((b"new",), 4)

    async def test_a_checkpoint_forgets_what_was_laid_aside_in_vain(self, store: Store):
        await put(store, Unit("a", 1, b"1"), Unit("a", 1, aside=Aside(0, (b"x", b"y"))))
        await put(store, Unit("a", 1, checkpoint=(b"whole",)))
        assert await store.load("a") == StoredActor((b"whole",), 1)
        await put(store, Unit("a", 1, aside=Aside(0, (b"z",))), Unit("a", 1, checkpoint=(), checkpoint_follows=1))
        assert await store.load("a") == StoredActor((b"z",), 1)

    async def test_a_checkpoint_may_be_all_there_is(self, store: Store):
        await put(store, Unit("a", 0, checkpoint=(b"fresh",)))
        assert await store.load("a") == StoredActor((b"fresh",), 0, ())
        await put(store, *records("a", b"1"))
        assert await store.load("a") == StoredActor((b"fresh",), 1, (b"1",))

    async def test_history_keeps_what_checkpoints_cover(self, store: Store):
        """R-57: a replay reads every record, wherever checkpoints and the end of the actor fell."""
        assert list(await store.history("a")) == []
        await put(store, *records("a", b"1", b"2", b"3"), *records("b", b"x"), Unit("a", 2, checkpoint=(b"two",)))
        assert list(await store.history("a")) == [b"1", b"2", b"3"]
        await put(store, Unit("a", 4, b"4", checkpoint=(b"four",)), Unit("a", 5, b"5"), Unit("a", 4, checkpoint=()))
        assert list(await store.history("a")) == [b"1", b"2", b"3", b"4", b"5"]
        await put(store, Unit("a", 5, checkpoint=(b"end",), finished=True))
        assert (await store.load("a")).records == ()
        assert list(await store.history("a")) == [b"1", b"2", b"3", b"4", b"5"]
        assert list(await store.history("b")) == [b"x"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 9])
    async def test_history_comes_in_pages(self, store: Store, limit: int):
        """R-57: however long a journal is, it is read a page at a time, with the number of each record."""
        whole = [b"1", b"2", b"3", b"4", b"5"]
        await put(store, *records("b", b"x"), *records("a", *whole), Unit("a", 3, checkpoint=(b"three",)))
        pages = await history_pages(store, "a", limit)
        assert [(one.number, one.record) for page in pages for one in page] == list(enumerate(whole, 1))
        assert {len(page) for page in pages[:-1]} <= {limit}
        assert await store.history_page("c") == []

    async def test_a_checkpoint_is_read_without_what_came_after(self, store: Store):
        assert await store.checkpoint("a") == StoredActor()
        await put(store, *records("a", b"1", b"2"))
        assert await store.checkpoint("a") == StoredActor()
        await put(store, Unit("a", 1, checkpoint=(b"one", b"more")), Unit("a", 3, b"3"))
        assert await store.checkpoint("a") == StoredActor((b"one", b"more"), 1)

    @pytest.mark.parametrize("number", [0, 3])
    async def test_a_checkpoint_outside_the_journal_is_a_conflict(self, store: Store, number: int):
        await put(store, *records("a", b"1", b"2"), Unit("a", 1, checkpoint=(b"one",)))
        [error] = await submit_all(store, [Unit("a", number, checkpoint=(b"wrong",))])
        assert isinstance(error, JournalConflict)
        assert await store.load("a") == StoredActor((b"one",), 2, (b"2",))

    async def test_unfinished_are_the_stored_actors_that_never_finished(self, store: Store):
        await put(store, *records("b", b"1"), *records("a", b"1"), Unit("c", 1, b"1", finished=True))
        assert await store.unfinished() == ["b", "a"]
        await put(store, Unit("b", 1, checkpoint=(b"end",), finished=True))
        assert await store.unfinished() == ["a"]

    async def test_finished_stays_finished(self, store: Store):
        await put(store, Unit("a", 1, b"1", finished=True), Unit("a", 2, b"2", checkpoint=(b"s",)))
        await put(store, Unit("a", 3, b"3"))
        assert await store.unfinished() == []
        assert await store.load("a") == StoredActor((b"s",), 3, (b"3",))

    async def test_resting_are_the_unfinished_with_nothing_behind_their_checkpoint(self, store: Store):
        await put(store, *records("none", b"1"), *records("behind", b"1"), Unit("over", 1, b"1", finished=True))
        assert await store.resting() == {}
        await put(store, *records("whole", b"1", b"2"), Unit("whole", 2, checkpoint=(b"first", b"more")))
        await put(store, Unit("behind", 1, checkpoint=(b"old",)), Unit("behind", 2, b"2"))
        await put(store, Unit("over", 1, checkpoint=(b"end",), finished=True))
        await put(store, *records("aside", b"1"), Unit("aside", 1, aside=Aside(0, (b"one", b"two"))))
        assert await store.resting() == {"whole": b"first"}
        await put(store, Unit("aside", 1, checkpoint=(b"three",), checkpoint_follows=2))
        await put(store, Unit("behind", 2, checkpoint=(b"new",)), Unit("whole", 3, b"3"))
        assert await store.resting() == {"aside": b"one", "behind": b"new"}

    async def test_load_sees_the_units_handed_over_before_it(self, store: Store):
        fates: list[StoreError | None] = []
        for unit in [*records("a", b"1", b"2", b"3"), Unit("a", 2, checkpoint=(b"two",))]:
            store.submit(unit, fates.append)
        assert await store.load("a") == StoredActor((b"two",), 3, (b"3",))
        assert fates == [None] * 4

    async def test_statistics_count(self, store: Store):
        player = await new_player(store)
        grant = a_grant(player)
        await put(store, *records("a", b"1", b"2"), Unit("b", 1, b"1", (grant,), (b"s",), finished=True))
        counts = await store.statistics()
        assert (counts.actors, counts.unfinished, counts.records) == (2, 1, 2)
        assert (counts.players, counts.grants) == (1, 1)
        await store.ping()
        assert store.failing_since is None

    # -- effects

    async def test_a_grant_exists_once_whoever_repeats_it(self, store: Store):
        """R-27, R-56: finalization may be run again after a crash."""
        player = await new_player(store)
        await put(store, Unit("a", 1, b"1", (a_grant(player),)))
        await put(store, Unit("b", 1, b"1", (a_grant(player, contents=b"other"), a_grant(player, id="g2"))))
        grant = await store.grant("g1", player)
        assert grant is not None
        assert grant.contents == b"\x00\xff"
        assert (await store.statistics()).grants == 2

    async def test_completions_answer_by_window_and_for_life(self, store: Store):
        """R-19: `current_window` and `lifetime`."""
        player = await new_player(store)
        done = Completion(player, "race", "w1")
        await put(store, Unit("a", 1, b"1", (done, done)), Unit("a", 2, b"2", (done,)))
        assert await store.completed(player, "race")
        assert await store.completed(player, "race", "w1")
        assert not await store.completed(player, "race", "w2")
        assert not await store.completed(player, "other")
        assert not await store.completed(player + 1, "race")

    async def test_the_last_league_move_counts(self, store: Store):
        """R-30: for each player and event by itself, across units and within one."""
        player, other = await new_player(store), await new_player(store, "bob")
        up, down = LeagueMove(player, "race", "gold"), LeagueMove(player, "race", "bronze")
        await put(store, Unit("a", 1, b"1", (down, up)), Unit("b", 1, b"1", (LeagueMove(player, "duel", "silver"),)))
        assert await store.league(player, "race") == "gold"
        await put(store, Unit("a", 2, b"2", (up,)), Unit("c", 1, b"1", (down, LeagueMove(other, "race", "platinum"))))
        assert await store.league(player, "race") == "bronze"
        assert await store.league(player, "duel") == "silver"
        assert await store.league(other, "race") == "platinum"
        assert await store.league(other, "duel") is None

    async def test_a_league_move_is_lost_with_its_unit(self, store: Store):
        player = await new_player(store)
        units = [Unit("a", 2, b"gap", (LeagueMove(player, "race", "gold"),))]
        units.append(Unit("a", 1, b"1", (LeagueMove(player, "race", "gold"), LeagueMove(player + 1, "race", "gold"))))
        kinds = [type(error) for error in await submit_all(store, units)]
        assert kinds == [JournalConflict, UnitRefused]
        assert await store.league(player, "race") is None

    async def test_effects_of_many_units_are_all_there(self, store: Store):
        """However many rows the store writes at once."""
        player, many = await new_player(store), 700
        units = [
            Unit(f"a{n}", 1, b"1", (a_grant(player, id=f"g{n:03}"), Completion(player, f"e{n}", "w")), (b"s", b""))
            for n in range(many)
        ]
        await put(store, *units)
        assert [row.id for row in await store.grants(player, now=0, limit=many + 1)] == [
            f"g{n:03}" for n in range(many)
        ]
        assert (await store.dossier(player)).completed == {f"e{n}" for n in range(many)}
        assert await store.load(f"a{many - 1}") == StoredActor((b"s", b""), 1, ())
        assert len(await store.unfinished()) == many

    async def test_the_audit_trail_is_newest_first_in_pages(self, store: Store):
        entries = tuple(AuditEntry(n, "op", "events.put", f"e{n}", None, b"after") for n in range(5))
        await put(store, Unit("a", 1, b"1", entries))
        first = await store.audit(limit=3)
        assert [row.subject for row in first] == ["e4", "e3", "e2"]
        assert (first[0].before, first[0].after, first[0].who) == (None, b"after", "op")
        rest = await store.audit(limit=3, before=first[-1].number)
        assert [row.subject for row in rest] == ["e1", "e0"]

    async def test_effects_without_a_record_make_no_actor(self, store: Store):
        await put(store, Unit("a", 0, None, (AuditEntry(1, "op", "x", "y"),)))
        assert await store.unfinished() == []
        assert len(await store.audit()) == 1

    # -- facts of the game

    async def test_meta(self, store: Store):
        assert await store.get_meta("game") is None
        assert await store.put_meta_once("game", "arena") == "arena"
        assert await store.put_meta_once("game", "other") == "arena"
        await store.set_meta("game", "third")
        assert await store.get_meta("game") == "third"

    # -- players

    async def test_a_player_is_minted_once(self, store: Store):
        """R-28: one participant id per player and game."""
        names = (f"public-{n}" for n in count(1))
        first = await store.resolve("ada", lambda: next(names))
        assert first == PlayerRow(first.number, "ada", "public-1")
        assert await store.resolve("ada", lambda: next(names)) == first
        second = await store.resolve("bob", lambda: next(names))
        assert (second.participant_id, second.number) == ("public-2", first.number + 1)

    async def test_players_who_arrive_together_are_resolved_alike(self, store: Store):
        rows: list[PlayerRow] = []

        async def arrive(n: int) -> None:
            rows.append(await store.resolve(f"player-{n % 3}", lambda: f"public-{n}"))

        async with anyio.create_task_group() as tasks:
            for n in range(9):
                tasks.start_soon(arrive, n)
        assert len({row.number for row in rows}) == len({row.participant_id for row in rows}) == 3

    async def test_a_participant_id_that_is_taken_is_refused(self, store: Store):
        await store.resolve("ada", lambda: "same")
        with pytest.raises(UnitRefused):
            await store.resolve("bob", lambda: "same")
        assert await store.find_player("bob") is None

    async def test_a_player_keeps_what_is_not_given(self, store: Store):
        """R-57: the row is all there is of a person, and attributes come back as the same bytes (R-19)."""
        number = await new_player(store)
        assert await store.put_player(number) == PlayerRow(number, "ada", "public-ada")
        await store.put_player(number, name="Ada", country="PT")
        await store.put_player(number, attributes=b"\x00\xff", avatar="fox")
        row = PlayerRow(number, "ada", "public-ada", "Ada", "fox", "PT", b"\x00\xff")
        assert await store.put_player(number, name=None) == row
        assert await store.find_player("ada") == await store.find_participant("public-ada") == row
        assert await store.players([number]) == [row]
        emptied = await store.put_player(number, attributes=b"")
        assert (emptied.attributes, emptied.avatar) == (b"", "fox")

    async def test_a_player_is_put_together_with_who_did_it(self, store: Store):
        number, entry = await new_player(store), AuditEntry(5, "server", "players.put", "player:1", b"1", b"2")
        await store.put_player(number, attributes=b"2", audited=entry)
        await store.put_player(number, attributes=b"3")
        assert await store.audit() == [AuditRow(**asdict(entry), number=1)]

    async def test_an_unknown_player_cannot_be_put(self, store: Store):
        number, entry = await new_player(store), AuditEntry(5, "server", "players.put", "player:2")
        with pytest.raises(UnitRefused, match=f"no player {number + 1}"):
            await store.put_player(number + 1, name="nobody", audited=entry)
        assert await store.audit() == []

    async def test_players_come_in_the_order_asked(self, store: Store):
        numbers = [await new_player(store, name) for name in ("a", "b", "c")]
        asked = [numbers[2], 999, numbers[0], numbers[2]]
        assert [row.player_id for row in await store.players(asked)] == ["c", "a", "c"]
        assert await store.players([]) == []
        assert await store.find_player("d") is None
        assert await store.find_participant("d") is None

    # -- grants and money

    async def test_grants_are_listed_newest_first_in_stable_pages(self, store: Store):
        player, other = await new_player(store), await new_player(store, "bob")
        at = {"g1": 10, "g2": 30, "g3": 20, "g4": 20, "g5": 20}
        grants = tuple(a_grant(player, id=key, created_at=value) for key, value in at.items())
        await put(store, Unit("a", 1, b"1", (*grants, a_grant(other, id="g6"))))
        page = await store.grants(player, now=50, limit=2)
        assert [row.id for row in page] == ["g2", "g3"]
        await put(store, Unit("a", 2, b"2", (a_grant(player, id="g7", created_at=40),)))
        rest = await store.grants(player, now=50, after="g3")
        assert [row.id for row in rest] == ["g4", "g5", "g1"]
        assert await store.grants(player, now=50, after="g6") == []

    async def test_grants_are_listed_by_status(self, store: Store):
        """R-45: expiry is half-open: a grant is expired at the instant itself."""
        player = await new_player(store)
        grants = [a_grant(player, id=f"g{n}", expires_at=end) for n, end in enumerate([None, 99, 100, 101])]
        await put(store, Unit("a", 1, b"1", tuple(grants)))
        await store.claim("g1", player, 50, [])
        listed = {
            status: [row.id for row in await store.grants(player, now=100, status=status)]
            for status in ("pending", "claimed", "expired", None)
        }
        assert listed == {
            "pending": ["g0", "g3"],
            "claimed": ["g1"],
            "expired": ["g2"],
            None: ["g0", "g1", "g2", "g3"],
        }

    async def test_a_claim_credits_once(self, store: Store):
        """R-40, R-45."""
        player = await new_player(store)
        await put(store, Unit("a", 1, b"1", (a_grant(player),)))
        changes = [gold(5), swords(1), gold(7)]
        claimed = await store.claim("g1", player, 2_000, changes)
        assert claimed is not None
        assert (claimed.claimed_at, claimed.status(9_999)) == (2_000, "claimed")
        assert await store.claim("g1", player, 3_000, changes) == claimed
        assert await store.balances(player) == {"gold": 12}
        assert await store.inventory(player) == {"sword": 1}
        rows = await store.ledger(player)
        assert [(row.kind, row.resource, row.delta, row.balance) for row in rows] == [
            ("currency", "gold", 7, 12),
            ("item", "sword", 1, 1),
            ("currency", "gold", 5, 5),
        ]
        assert [(row.key, row.part) for row in rows] == [("grant:g1", 2), ("grant:g1", 1), ("grant:g1", 0)]
        assert {(row.reason, row.source, row.at) for row in rows} == {("grant", "g1", 2_000)}

    async def test_claims_at_the_same_time_credit_once(self, store: Store):
        player = await new_player(store)
        await put(store, Unit("a", 1, b"1", tuple(a_grant(player, id=f"g{n}") for n in range(4))))
        async with anyio.create_task_group() as tasks:
            for n in range(12):
                tasks.start_soon(store.claim, f"g{n % 4}", player, 2_000, [gold(5)])
        assert await store.balances(player) == {"gold": 20}
        assert len(await store.ledger(player)) == 4
        assert len(await store.ledger(player, limit=3)) == 3

    async def test_only_the_owner_claims(self, store: Store):
        player, other = await new_player(store), await new_player(store, "bob")
        await put(store, Unit("a", 1, b"1", (a_grant(player),)))
        assert await store.grant("g1", other) is None
        assert await store.claim("g1", other, 2_000, [gold(5)]) is None
        assert await store.claim("g0", player, 2_000, [gold(5)]) is None
        assert await store.balances(player) == await store.balances(other) == {}

    async def test_an_expired_grant_cannot_be_claimed(self, store: Store):
        player = await new_player(store)
        await put(store, Unit("a", 1, b"1", (a_grant(player, expires_at=2_000),)))
        with pytest.raises(GrantExpired):
            await store.claim("g1", player, 2_000, [gold(5)])
        assert await store.balances(player) == {}
        claimed = await store.claim("g1", player, 1_999, [gold(5)])
        assert await store.claim("g1", player, 5_000, []) == claimed

    @pytest.mark.parametrize("amount", [MAX_BALANCE, -11])
    async def test_a_balance_out_of_range_refuses_the_whole_claim(self, store: Store, amount: int):
        player = await new_player(store)
        await put(store, Unit("a", 1, b"1", (a_grant(player), a_grant(player, id="g2"))))
        await store.claim("g1", player, 2_000, [gold(10)])
        with pytest.raises(BalanceOutOfRange):
            await store.claim("g2", player, 2_000, [swords(1), gold(amount)])
        assert (await store.balances(player), await store.inventory(player)) == ({"gold": 10}, {})
        grant = await store.grant("g2", player)
        assert grant is not None
        assert grant.claimed_at is None

    async def test_a_balance_reaches_the_largest_number(self, store: Store):
        player = await new_player(store)
        await put(store, Unit("a", 1, b"1", (a_grant(player),)))
        await store.claim("g1", player, 2_000, [gold(MAX_BALANCE)])
        assert await store.balances(player) == {"gold": MAX_BALANCE}
        await pay(store, player, gold(-MAX_BALANCE))
        assert await store.balances(player) == {}  # what there is none of is not listed

    # -- adjustments

    async def test_an_adjustment_is_applied_once_for_its_key(self, store: Store):
        """R-40: a repeat answers with the balances as they are now."""
        player = await new_player(store)
        assert await pay(store, player, gold(10), swords(2)) == Adjusted(True, (10, 2))
        await pay(store, player, gold(-4), key="k2")
        assert await pay(store, player, gold(10), swords(2)) == Adjusted(False, (6, 2))
        assert (await store.balances(player), await store.inventory(player)) == ({"gold": 6}, {"sword": 2})
        rows = [
            (row.kind, row.resource, row.delta, row.balance, row.key, row.part) for row in await store.ledger(player)
        ]
        assert rows == [
            ("currency", "gold", -4, 6, "adjust:k2", 0),
            ("item", "sword", 2, 2, "adjust:k1", 1),
            ("currency", "gold", 10, 10, "adjust:k1", 0),
        ]
        assert {(row.player, row.reason, row.source, row.at) for row in await store.ledger(player)} == {
            (player, "quest", "server", 7_000)
        }

    async def test_a_key_counts_for_one_player_only(self, store: Store):
        player, other = await new_player(store), await new_player(store, "bob")
        assert (await pay(store, player, gold(1))).applied
        assert (await pay(store, other, gold(5))).applied
        assert await store.balances(other) == {"gold": 5}

    @pytest.mark.parametrize(
        "others",
        [
            [gold(11)],
            [Change("item", "gold", 10)],
            [gold(10)],
            [swords(2), gold(10)],
            [gold(10), swords(2), gold(1)],
        ],
    )
    async def test_a_key_cannot_stand_for_two_things(self, store: Store, others: list[Change]):
        player = await new_player(store)
        await pay(store, player, gold(10), swords(2))
        with pytest.raises(IdempotencyConflict):
            await pay(store, player, *others)
        assert (await store.balances(player), await store.inventory(player)) == ({"gold": 10}, {"sword": 2})

    async def test_a_claim_and_an_adjustment_never_share_a_key(self, store: Store):
        player = await new_player(store)
        await put(store, Unit("a", 1, b"1", (a_grant(player),)))
        for key in ("g1", "grant:g1", "adjust:g1"):
            assert (await pay(store, player, gold(1), key=key)).applied
        await store.claim("g1", player, 2_000, [gold(1)])
        assert await store.balances(player) == {"gold": 4}

    async def test_all_of_an_adjustment_or_nothing(self, store: Store):
        """R-20: the first that is short is named; the key is free again."""
        player = await new_player(store)
        await pay(store, player, gold(10), swords(1), key="before")
        before = await store.ledger(player)
        with pytest.raises(BalanceOutOfRange) as caught:
            await pay(store, player, gold(-5), swords(-2), Change("item", "bow", -1))
        error = caught.value
        assert (error.kind, error.resource, error.needed, error.have, error.short) == ("item", "sword", 2, 1, True)
        assert (await store.balances(player), await store.inventory(player)) == ({"gold": 10}, {"sword": 1})
        assert await store.ledger(player) == before
        assert await pay(store, player, gold(-5), swords(-1)) == Adjusted(True, (5, 0))
        assert await store.inventory(player) == {}

    @pytest.mark.parametrize("change", [gold, swords])
    async def test_a_balance_that_would_be_too_large_is_refused(self, store: Store, change: Callable[[int], Change]):
        """R-40: up to 2^53 - 1, of items too."""
        player = await new_player(store)
        await pay(store, player, change(MAX_BALANCE), key="before")
        with pytest.raises(BalanceOutOfRange) as caught:
            await pay(store, player, change(1))
        assert (caught.value.needed, caught.value.have, caught.value.short) == (1, MAX_BALANCE, False)

    async def test_changes_of_one_balance_follow_each_other(self, store: Store):
        player = await new_player(store)
        assert await pay(store, player, gold(5), gold(-3), gold(1)) == Adjusted(True, (3, 3, 3))
        assert [row.balance for row in await store.ledger(player)] == [3, 2, 5]
        with pytest.raises(BalanceOutOfRange):
            await pay(store, player, gold(-4), gold(4), key="k2")

    async def test_adjustments_at_the_same_time_apply_once_each(self, store: Store):
        player = await new_player(store)
        applied: list[bool] = []

        async def arrive(n: int) -> None:
            applied.append((await pay(store, player, gold(1 + n % 4), key=f"k{n % 4}")).applied)

        async with anyio.create_task_group() as tasks:
            for n in range(12):
                tasks.start_soon(arrive, n)
        assert applied.count(True) == 4
        assert await store.balances(player) == {"gold": 10}

    async def test_an_adjustment_of_nothing_is_refused(self, store: Store):
        player = await new_player(store)
        for _ in range(2):
            with pytest.raises(UnitRefused):
                await pay(store, player)
            await pay(store, player, gold(1))

    async def test_an_unknown_player_has_no_wallet(self, store: Store):
        with pytest.raises(UnitRefused):
            await pay(store, 999, gold(1))
        assert (await store.balances(999), await store.inventory(999), await store.ledger(999)) == ({}, {}, [])

    # -- the dossier

    async def test_a_dossier_has_all_of_one_player(self, store: Store):
        """R-19, R-30, R-55."""
        player, other = await new_player(store), await new_player(store, "bob")
        empty = Dossier(frozenset(), {}, {}, {})
        assert await store.dossier(player) == await store.dossier(999) == empty
        done = [Completion(player, "race", "w1"), Completion(player, "race", "w2"), Completion(player, "duel", "w3")]
        moves = [LeagueMove(player, "race", "gold"), LeagueMove(player, 'a "quoted" \u00e9vent', "silver")]
        await put(store, Unit("a", 1, b"1", (*done, *moves)))
        await pay(store, player, gold(MAX_BALANCE), Change("currency", "gems", 1), swords(2))
        await pay(store, player, Change("currency", "gems", -1), key="k2")
        assert await store.dossier(player) == Dossier(
            completed=frozenset({"race", "duel"}),
            balances={"gold": MAX_BALANCE},
            inventory={"sword": 2},
            leagues={"race": "gold", 'a "quoted" \u00e9vent': "silver"},
        )
        assert await store.dossier(other) == empty
