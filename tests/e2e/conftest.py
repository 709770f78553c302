"""Every test here runs twice: on trio in MessagePack, and on asyncio in JSON."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["trio-msgpack", "asyncio-json"])
def way(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def anyio_backend(way: str) -> str:
    return way.partition("-")[0]


@pytest.fixture
def codec(way: str) -> str:
    return way.partition("-")[2]


@pytest.fixture(params=["player", "server", "operator"])
def role(request: pytest.FixtureRequest) -> str:
    """Who acts for Ann."""
    return request.param
