"""What is stored of a window is what its journals give, byte for byte; whatever was changed shows (R-56, R-57)."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import anyio
import pytest
from acting import StillClock
from correcting import played
from hypothesis import given, settings
from proving import (
    SECOND,
    Change,
    drop,
    drop_last,
    flip,
    played_to_its_end,
    proved,
    racing,
    recompute,
    records_of,
    strip,
    swap,
    told,
    windows_in,
)
from test_money_model import Story, run, stories
from whole_game import Session, restless

from kraty_actors.actors.chain import Chain, Sealer, read_seal
from kraty_actors.actors.journal_key import JOURNAL_KEY, WrongKey, known_sealer
from kraty_actors.actors.records import pack, unpack
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_persistence import MemoryStore
from kraty_persistence.sql import open_sql_store

pytestmark = pytest.mark.anyio


# -- nothing was changed


@pytest.mark.parametrize("kills", [[], [7], [3, 9, 4, 11], [1] * 12], ids=["none", "one", "four", "twelve"])
async def test_r57_windows_of_every_mode_are_what_their_journals_give(kills: list[int]) -> None:
    session = Session()
    await session.play(kills)
    agreed: Counter[str] = Counter()
    windows = windows_in(session.store)
    for window in windows:
        derived, proof = await proved(session.store, window)
        assert told(proof) == proof.remarks == []
        assert derived.is_over
        assert {link.plain for link in proof.links} == {0}
        agreed += proof.agreed
    assert len(windows) >= 6
    assert agreed["states"] > 2 * len(windows)
    assert agreed["messages"] > 50


@pytest.mark.usefixtures(restless.__name__)
@pytest.mark.parametrize("kills", [[60], [200]], ids=["early", "late"])
async def test_r57_so_are_those_that_were_written_down_and_left_memory_all_the_time(kills: list[int]) -> None:
    session = Session()
    await session.play(kills)
    for window in windows_in(session.store):
        _, proof = await proved(session.store, window)
        assert told(proof) == proof.remarks == []


@pytest.mark.usefixtures(restless.__name__)
@pytest.mark.parametrize("units", [60, 200])
async def test_r57_a_checkpoint_in_the_middle_of_a_journal_is_what_it_gives_up_to_there(units: int) -> None:
    session = Session()
    await session.begin(units)
    compared = 0
    for window in windows_in(session.store):
        _, proof = await proved(session.store, window)
        assert told(proof) == []
        compared += proof.agreed["states"]
    assert compared


@settings(max_examples=60, deadline=None)
@given(steps=stories)
def test_r57_random_play_with_kills_is_what_its_journals_give(steps: list[Any]) -> None:
    """With entry costs, milestones, crates, bans, voids, cancelled windows and lost commits."""
    story = Story("auto")
    run(story, steps, "asyncio")

    async def prove() -> None:
        for window in windows_in(story.store):
            _, proof = await proved(story.store, window)
            assert told(proof) == []

    anyio.run(prove)


async def test_r57_a_window_with_everything_in_it_agrees() -> None:
    race = await played_to_its_end()
    derived, proof = await proved(race.store, race.window)
    assert told(proof) == proof.remarks == []
    assert proof.agreed == {
        "records": sum(len(records_of(race.store, name)) for name in ("calendar", race.window, race.board)),
        "states": 3,
        "messages": proof.agreed["messages"],
        "verdicts": 7,
        "flags": 1,
        "grants": len(derived.grants),
        "charges": 5,
    }
    assert derived.paid["currency", "cash"] == 3 * 33 + 3 * 3


async def test_r57_a_corrected_window_agrees_and_says_that_it_was_corrected() -> None:
    async with played("first_three", {"ann": 9, "bob": 8, "cat": 7, "dan": 6}) as scene:
        await scene.settle()
        await scene.correct("ann")
        _, proof = await proved(scene.store, scene.window)
    assert told(proof) == []
    assert any("corrected" in remark for remark in proof.remarks)


async def test_r57_an_open_window_agrees_as_far_as_it_goes() -> None:
    store, clock = MemoryStore(), StillClock()
    async with racing(store, clock) as race:
        await race.start("ann")
        await race.write("ann", 9 * SECOND, points=6)
        for _ in range(2):
            derived, proof = await proved(store, race.window)
            assert told(proof) == []
            assert not derived.is_over
        assert proof.agreed["grants"] == 1
    clock.now += 60 * SECOND
    async with racing(store, clock) as race:  # bots have moved on, and a checkpoint has seen it
        [window] = windows_in(store)
        await race.engine.boards.read(f"{window}.1", GetBoard(limit=10))
    _, proof = await proved(store, window)
    assert told(proof) == []
    assert proof.agreed["states"] == 3


# -- journals that were changed


def _more_points(plain: Any) -> None:
    plain[2][0][2] = {"points": 9}


CHANGES: dict[str, Callable[[str, int], Change]] = {
    "one byte of the digest": lambda _board, _last: flip(5, -1),
    "one byte of the inputs": lambda _board, _last: flip(6, 14),
    "the format": lambda _board, _last: flip(3, 1),
    "the last record": lambda _board, _last: drop_last,
    "a batch": lambda _board, _last: drop(4),
    "the first batch": lambda _board, _last: drop(1),
    "two swapped": lambda _board, _last: swap(4, 6),
    "two swapped at the end": lambda _board, last: swap(last - 1, last),
    "recomputed without the key": lambda board, _last: recompute(board, 6, _more_points),
    "recomputed as if nobody had a key": lambda board, _last: recompute(board, 6, _more_points, b""),
    "one said twice": lambda _board, _last: lambda records: records.insert(5, records[4]) or 6,
    "without digests": lambda _board, _last: strip,
}


@pytest.mark.parametrize("change", CHANGES)
async def test_r57_the_first_record_that_was_altered_is_named(change: str) -> None:
    race = await played_to_its_end()
    records = records_of(race.store, race.board)
    number = CHANGES[change](race.board, len(records))(records)
    _, proof = await proved(race.store, race.window)
    assert told(proof)[0].startswith(f"the journal of {race.board} was altered: record")
    assert f" {number} " in told(proof)[0]


async def test_r57_any_byte_of_any_record_shows() -> None:
    race = await played_to_its_end()
    chance = random.Random(3)
    for actor in ("calendar", race.window, race.board):
        for number, record in enumerate(list(records_of(race.store, actor)), 1):
            for at in chance.sample(range(len(record)), 3):
                with restored(race.store, actor):
                    flip(number, at)(records_of(race.store, actor))
                    _, proof = await proved(race.store, race.window)
                assert f"{actor} was altered: record {number} " in told(proof)[0]
    assert told((await proved(race.store, race.window))[1]) == []


@contextmanager
def restored(store: MemoryStore, actor: str) -> Iterator[None]:
    kept = list(records_of(store, actor))
    try:
        yield
    finally:
        records_of(store, actor)[:] = kept


async def test_r57_a_record_of_another_journal_does_not_fit() -> None:
    race, other = await played_to_its_end(), await played_to_its_end()
    records_of(race.store, race.board)[4] = records_of(other.store, other.board)[4]
    _, proof = await proved(race.store, race.window)
    assert "record 5 " in told(proof)[0]


async def test_r57_who_has_the_key_is_found_out_by_the_partner_and_the_seal() -> None:
    """Anybody who can read the database can, where the key is kept in it."""
    race = await played_to_its_end()
    key = race.store._meta[JOURNAL_KEY].encode()
    records = records_of(race.store, race.board)
    settle = next(at for at, record in enumerate(records) if b"settle" in record) + 1

    def pay_more(plain: Any) -> None:
        next(one for one in plain[2] if one[0] == "<" and one[3] == "settle")[4] = 1_000_000

    recompute(race.board, settle, pay_more, key)(records)
    _, proof = await proved(race.store, race.window)
    assert "is not the one that was sealed" in told(proof)[0]
    race.store._actors[race.board].checkpoint = ()
    race.store._actors[race.board].covered = 0
    _, proof = await proved(race.store, race.window)
    assert any(f"{race.board} heard message" in what for what in told(proof))
    assert any("not sealed yet" in remark for remark in proof.remarks)


# -- other rows that were changed


async def test_r57_an_altered_checkpoint_shows() -> None:
    race = await played_to_its_end()
    stored = race.store._actors[race.board]
    whole = stored.checkpoint
    for part in range(len(whole)):
        broken = bytearray(whole[part])
        broken[-1] ^= 1
        stored.checkpoint = (*whole[:part], bytes(broken), *whole[part + 1 :])
        _, proof = await proved(race.store, race.window)
        assert f"the journal of {race.board} was altered: its checkpoint" in told(proof)[0]
    stored.checkpoint = whole
    assert told((await proved(race.store, race.window))[1]) == []


def sealed_again(stored: Any, actor: str, sealer: Sealer, parts: list[Any]) -> None:
    """A checkpoint of these parts, by somebody who has the key."""
    seal = read_seal(stored.checkpoint)
    assert seal is not None
    packed = [pack(part) for part in parts]
    chain = Chain(seal.first, seal.head)
    stored.checkpoint = (*packed, sealer.seal(chain, actor, seal.number, sha256(b"".join(packed)).digest()))


@pytest.mark.parametrize("is_forged", [False, True])
async def test_r57_a_checkpoint_of_before_there_were_notes_agrees_if_it_says_the_same(is_forged: bool) -> None:
    race = await played_to_its_end()
    stored = race.store._actors[race.board]
    sealer = await known_sealer(race.store, None)
    assert sealer is not None
    own, head, *rest = [unpack(part) for part in stored.checkpoint[:-1]]
    rows = {kind: [row for other, some in rest if other == kind for row in some] for kind, _ in rest}
    rows["rows"].sort()
    if is_forged:
        rows["rows"][0][0] -= 1
    head["board"][1] = rows.pop("sums", [])
    sealed_again(stored, race.board, sealer, [[2, *own[1:6]], head, *([kind, some] for kind, some in rows.items())])
    _, proof = await proved(race.store, race.window)
    differences = told(proof)
    assert all("of its state is not what the journal gives" in what for what in differences[:1])
    assert bool(differences) == is_forged
    async with racing(race.store, race.clock) as again:
        view = await again.engine.boards.read(race.board, GetBoard(limit=9))
        assert isinstance(view, BoardView)


ROWS = {
    "UPDATE grants SET player = 4 WHERE id = (SELECT min(id) FROM grants)": "it is not what was due",
    "UPDATE grants SET contents = CAST(contents || x'20' AS BLOB) WHERE id = (SELECT min(id) FROM grants)": (
        "it is not what was due"
    ),
    "DELETE FROM grants WHERE id = (SELECT max(id) FROM grants)": "was due, and is not there",
    """INSERT INTO grants SELECT 'gforged', player, kind, contents, source_kind, source_ref, parent, created_at,
       expires_at, claimed_at, withdrawn_at, lapse_reported FROM grants LIMIT 1""": "nothing accounts for it",
    "UPDATE anomalies SET reason = 'it was nothing'": "it is not what was found",
    "DELETE FROM anomalies": "was found, and is not there",
    "UPDATE ledger SET delta = -1 WHERE number = (SELECT max(number) FROM ledger WHERE reason = 'entry_cost')": (
        "is not in the ledger as it was charged"
    ),
    "UPDATE ledger SET key = key || ':9' WHERE number = (SELECT max(number) FROM ledger WHERE reason = 'entry_cost')": (
        "is not in the ledger as it was charged"
    ),
}


@pytest.mark.parametrize("statement", ROWS)
async def test_r57_a_row_that_was_changed_in_the_database_shows(statement: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/game.db"
    async with open_sql_store(url) as store:
        race = await played_to_its_end(store)
    async with open_sql_store(url, owner=False) as store:
        assert told((await proved(store, race.window))[1]) == []
    with closing(sqlite3.connect(tmp_path / "game.db")) as database:
        database.execute(statement)
        database.commit()
    async with open_sql_store(url, owner=False) as store:
        _, proof = await proved(store, race.window)
    assert ROWS[statement] in told(proof)[0]
    assert len(proof.differences) == (2 if "':9'" in statement else 1)


async def test_r48_validators_that_are_asked_again_and_say_something_else_show(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What they have found is in the journal, and is played as it is there."""
    race = await played_to_its_end()
    monkeypatch.setattr("kraty_actors.domain.writing._judge", lambda *_: None)
    derived, proof = await proved(race.store, race.window)
    [difference] = told(proof)
    assert difference.startswith(race.attempts["cat"].rpartition(".")[0])
    assert "find nothing" in difference
    assert len(derived.anomalies) == 1


async def test_r30_a_move_to_another_league_that_did_not_happen_shows() -> None:
    session = Session()
    await session.play([])
    moves = {}
    for window in windows_in(session.store):
        derived, _ = await proved(session.store, window)
        moves |= {(player, window): league for player, league in derived.moves.items()}
    for (player, window), league in moves.items():
        session.store._leagues[player]["cup"] = "nowhere"
        _, proof = await proved(session.store, window)
        assert told(proof) == [f"was moved to {league}, and stands in nowhere"]
        session.store._leagues[player]["cup"] = league


# -- the key


async def test_a_key_in_a_file_is_asked_for_and_no_other_will_do() -> None:
    store, key = MemoryStore(), "k" * 40
    race = await played_to_its_end(store, journal_key=key)
    assert key not in str(store._meta)
    assert told((await proved(store, race.window, key))[1]) == []
    for other in (None, "x" * 40):
        with pytest.raises(WrongKey):
            await proved(store, race.window, other)
        with pytest.raises(WrongKey):
            async with racing(store, journal_key=other):
                pass


async def test_a_key_may_move_out_of_the_database() -> None:
    store = MemoryStore()
    race = await played_to_its_end(store)
    key = store._meta[JOURNAL_KEY]
    with pytest.raises(WrongKey):
        async with racing(store, journal_key="x" * 40):
            pass
    async with racing(store, journal_key=key):
        pass
    assert store._meta[JOURNAL_KEY].startswith("file:")
    assert told((await proved(store, race.window, key))[1]) == []
