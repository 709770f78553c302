"""The store on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from charge_contract import ChargeContract
from grant_contract import GrantContract
from outbox_contract import OutboxContract
from postgres_server import Database
from store_contract import StoreContract

from kraty_persistence.sql import SqlStore, open_sql_store

pytestmark = pytest.mark.anyio


class TestPostgresqlStore(StoreContract, ChargeContract, GrantContract, OutboxContract):
    @pytest.fixture
    async def store(self, schema: Database) -> AsyncIterator[SqlStore]:
        async with open_sql_store(schema.url) as store:
            yield store
