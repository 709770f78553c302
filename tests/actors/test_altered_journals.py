"""A server does not go on from a journal that somebody has changed, and goes on from those of older programs (R-56)."""

from __future__ import annotations

from collections.abc import Callable

import msgpack
import pytest
from acting import START, StillClock
from proving import (
    SECOND,
    Change,
    Race,
    drop,
    flip,
    played_to_its_end,
    proved,
    racing,
    records_of,
    strip,
    swap,
    told,
)

from kraty_actors.actors.chain import AlteredJournal, Chain, Sealer
from kraty_actors.actors.records import DIGEST_BYTES, UnknownFormat, pack_batch, unpack_batch
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.outcome import Refusal
from kraty_persistence import MemoryStore

pytestmark = pytest.mark.anyio


async def half_played(store: MemoryStore, clock: StillClock) -> Race:
    """A race that goes on; the server was killed, so of the board there is no checkpoint."""
    async with racing(store, clock) as race:
        for name in ("ann", "bob"):
            await race.start(name)
        for _ in range(4):
            await race.write("ann", 1_000, points=1)
        checkpoints = {name: (actor.checkpoint, actor.covered) for name, actor in store._actors.items()}
    for name, actor in store._actors.items():
        actor.checkpoint, actor.covered = checkpoints[name]
    return race


CHANGES: dict[str, Change] = {
    "one byte": flip(3, 9),
    "a batch that is gone": drop(3),
    "two swapped": swap(3, 4),
    "the digest": flip(4, -3),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_r56_a_server_does_not_start_on_a_journal_that_was_altered(change: str) -> None:
    store, clock = MemoryStore(), StillClock(START + SECOND)
    race = await half_played(store, clock)
    number = CHANGES[change](records_of(store, race.board))
    kept = {name: list(actor.records) for name, actor in store._actors.items()}
    with pytest.raises(AlteredJournal, match=f"the journal of {race.board} was altered: record {number} ") as raised:
        async with racing(store, clock):
            pass
    assert (raised.value.actor, raised.value.number) == (race.board, number)
    assert {name: list(actor.records) for name, actor in store._actors.items()} == kept


async def test_r56_a_server_starts_again_once_the_journal_is_whole() -> None:
    store, clock = MemoryStore(), StillClock(START + SECOND)
    race = await half_played(store, clock)
    flip(3, 9)(records_of(store, race.board))
    with pytest.raises(AlteredJournal):
        async with racing(store, clock):
            pass
    flip(3, 9)(records_of(store, race.board))
    async with racing(store, clock) as again:
        again.attempts, again.window = race.attempts, race.window
        await again.write("ann", points=1)
    assert told((await proved(store, race.window))[1]) == []


async def test_r56_a_final_board_that_was_altered_is_refused_while_all_else_goes_on() -> None:
    race = await played_to_its_end()
    actor = race.store._actors[race.board]
    first, *others = actor.checkpoint
    actor.checkpoint = (first, others[0][:-1] + bytes([others[0][-1] ^ 1]), *others[1:])
    async with racing(race.store, race.clock) as again:
        for _ in range(2):
            read = await again.engine.boards.read(race.board, GetBoard(limit=9))
            assert isinstance(read, Refusal)
            assert (read.code, "its checkpoint" in read.message) == ("internal_error", True)
        assert await again.engine.money.balances(1)


async def test_r56_the_chain_goes_on_over_checkpoints_and_kills() -> None:
    store, clock = MemoryStore(), StillClock(START + SECOND)
    async with racing(store, clock) as race:
        await race.start("ann")
    for points in (1, 2, 3):
        async with racing(store, clock) as again:
            again.attempts, again.window = race.attempts, race.window
            await again.write("ann", 1_000, points=points)
        _, proof = await proved(store, race.window)
        assert told(proof) == proof.remarks == []
        assert {(link.plain, link.sealed - link.records) for link in proof.links} == {(0, 0)}


# -- older programs


def without_digests(store: MemoryStore) -> None:
    """The database as the program before this one has left it."""
    for actor in store._actors.values():
        strip(actor.records)
        if actor.checkpoint:
            head = msgpack.unpackb(actor.checkpoint[0], strict_map_key=False)
            actor.checkpoint = (msgpack.packb([1, *head[1:]]), *actor.checkpoint[1:-1])
    store._meta.pop("journal_key")


async def test_older_journals_are_gone_on_with_and_can_be_replayed() -> None:
    store, clock = MemoryStore(), StillClock(START + SECOND)
    race = await half_played(store, clock)
    plain = len(records_of(store, race.board))
    without_digests(store)
    async with racing(store, clock) as again:
        again.attempts, again.window = race.attempts, race.window
        await again.write("ann", points=1)
        await again.write("bob", points=5)
        view = await again.engine.boards.read(race.board, GetBoard(limit=1))
        assert isinstance(view, BoardView)
        assert view.standings[0].score == 5
        await again.end()
    derived, proof = await proved(store, race.window)
    assert told(proof) == []
    assert derived.is_over
    link = next(link for link in proof.links if link.actor == race.board)
    assert (link.plain, link.sealed) == (plain, link.records)
    flip(plain + 1, 9)(records_of(store, race.board))
    _, proof = await proved(store, race.window)
    assert f"record {plain + 1} " in told(proof)[0]


async def test_a_database_without_any_digest_is_compared_all_the_same() -> None:
    race = await played_to_its_end()
    without_digests(race.store)
    _, proof = await proved(race.store, race.window)
    assert told(proof) == []
    assert "the database has no key: its journals have no digests" in proof.remarks
    assert proof.agreed["states"] == 3


@pytest.mark.parametrize("record", [b"\x93\x03\x01\x90" + bytes(16), b"\x93\x7f"])
def test_a_record_of_a_newer_program_says_so(record: bytes) -> None:
    with pytest.raises(UnknownFormat, match="this program reads 2"):
        unpack_batch(record)


@pytest.mark.parametrize("record", [b"", b"\x93", b"\x93\x01\xff", b"\x00\x01\x02", b"\x93\x02" + bytes(16), b"x" * 40])
def test_a_record_that_nobody_wrote_is_no_traceback(record: bytes) -> None:
    with pytest.raises(UnknownFormat, match=r"can not be read|this program reads 2"):
        unpack_batch(record)


# -- the digests themselves


def test_a_digest_depends_on_the_key_the_actor_the_number_and_all_before() -> None:
    body = pack_batch(1, [["tick"]])
    made: Callable[..., bytes] = lambda key, actor, number: Sealer(key).add(Chain(), actor, number, body)  # noqa: E731
    records = {made(key, actor, number) for key in (b"a", b"b") for actor in ("x", "y") for number in (1, 2)}
    assert len(records) == 8
    assert {record[:-DIGEST_BYTES] for record in records} == {body}
    chain = Chain()
    twice = [Sealer(b"a").add(chain, "x", number, body) for number in (1, 2)]
    assert twice[0][-DIGEST_BYTES:] != twice[1][-DIGEST_BYTES:]
    check = Chain()
    for number, record in enumerate(twice, 1):
        Sealer(b"a").check(check, "x", number, record)
    assert check == chain
