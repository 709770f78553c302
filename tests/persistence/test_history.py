"""Records that a checkpoint covers leave the log when there is time for it, and are never missing meanwhile (R-57)."""

from __future__ import annotations

import anyio
import pytest
from places import Place
from store_contract import put, records

from kraty_persistence import StoredActor, Unit
from kraty_persistence.sql import open_sql_store
from kraty_persistence.sql.transaction import Transactions

pytestmark = pytest.mark.anyio

RECORDS = [b"%d" % n for n in range(300)]


def log_length(place: Place) -> int:
    return place.run("SELECT count(*) FROM journal")[0][0]


async def until_log_length(place: Place, length: int) -> None:
    with anyio.fail_after(10):
        while log_length(place) != length:  # noqa: ASYNC110 -- the writer tidies up in its own time
            await anyio.sleep(0.005)


async def test_a_server_that_dies_before_it_tidies_up_goes_on_later(place: Place, monkeypatch: pytest.MonkeyPatch):
    url, last = place.url, len(RECORDS) - 1
    covered = Unit("a", last, checkpoint=(b"state",))
    with monkeypatch.context() as never:
        never.setattr(Transactions, "tidy", lambda *_: False)
        async with open_sql_store(url) as store:
            await put(store, *records("a", *RECORDS), covered, *records("b", b"x"))
            assert list(await store.history("a")) == RECORDS
    assert log_length(place) == len(RECORDS) + 1
    async with open_sql_store(url) as store:
        after = (await store.history_page("a", limit=100))[-1]  # while the others move from one table to the other
        await until_log_length(place, 2)
        behind = await store.history_page("a", after=after)
        assert [(one.number, one.record) for one in behind] == list(enumerate(RECORDS[100:], 101))
        assert list(await store.history("a")) == RECORDS
        assert await store.load("a") == StoredActor((b"state",), len(RECORDS), (RECORDS[-1],))
        assert (await store.statistics()).records == 2
        await put(store, Unit("a", len(RECORDS) + 1, b"next"))
        assert list(await store.history("a")) == [*RECORDS, b"next"]
