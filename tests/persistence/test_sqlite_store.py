"""The store on SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from charge_contract import ChargeContract
from grant_contract import GrantContract
from outbox_contract import OutboxContract
from store_contract import StoreContract

from kraty_persistence.sql import SqlStore, open_sql_store

pytestmark = pytest.mark.anyio


class TestSqliteStore(StoreContract, ChargeContract, GrantContract, OutboxContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqlStore]:
        async with open_sql_store(f"sqlite:///{tmp_path}/game.db") as store:
            yield store
