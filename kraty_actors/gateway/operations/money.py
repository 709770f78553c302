"""Wallets, inventories and grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kraty_actors.definitions import DefinitionFaults
from kraty_actors.gateway import translate
from kraty_actors.gateway.operations.faults import faulty
from kraty_actors.gateway.operations.people import acting_player, the_player, who
from kraty_persistence import Change, GrantRow
from kraty_protocol import messages, server_messages
from kraty_protocol.fields import ForPlayer

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def wallet_get(connection: Connection, request_id: int, fields: ForPlayer) -> None:
    player = await the_player(connection, fields)
    balances = await connection.gateway.engine.money.balances(player.number)
    connection.reply(request_id, {"balances": [{"key": key, "balance": held} for key, held in balances]})


async def inventory_get(connection: Connection, request_id: int, fields: ForPlayer) -> None:
    player = await the_player(connection, fields)
    items = await connection.gateway.engine.money.inventory(player.number)
    connection.reply(request_id, {"items": [{"key": key, "quantity": held} for key, held in items]})


async def wallet_credit(connection: Connection, request_id: int, fields: server_messages.WalletChange) -> None:
    await _adjust(connection, request_id, fields, Change("currency", fields.key, fields.amount))


async def wallet_debit(connection: Connection, request_id: int, fields: server_messages.WalletChange) -> None:
    await _adjust(connection, request_id, fields, Change("currency", fields.key, -fields.amount))


async def inventory_grant(connection: Connection, request_id: int, fields: server_messages.InventoryChange) -> None:
    await _adjust(connection, request_id, fields, Change("item", fields.key, fields.quantity))


async def inventory_revoke(connection: Connection, request_id: int, fields: server_messages.InventoryChange) -> None:
    await _adjust(connection, request_id, fields, Change("item", fields.key, -fields.quantity))


async def _adjust(
    connection: Connection,
    request_id: int,
    fields: server_messages.WalletChange | server_messages.InventoryChange,
    change: Change,
) -> None:
    player = await the_player(connection, fields)
    adjusted = await connection.gateway.engine.money.adjust(
        player, change, idempotency_key=fields.idempotency_key, reason=fields.reason, source=who(connection)
    )
    connection.answer(request_id, adjusted, lambda done: translate.adjusted(done, change))


async def grants_list(connection: Connection, request_id: int, fields: messages.GrantsList) -> None:
    player = await the_player(connection, fields)
    engine = connection.gateway.engine
    page, following = await engine.money.grants(
        player.number, status=fields.status, limit=fields.limit, after=fields.after
    )
    now = engine.now_ms()
    connection.reply(request_id, {"grants": [translate.grant(row, now) for row in page], "next": following})


async def grants_claim(connection: Connection, request_id: int, fields: messages.GrantFields) -> None:
    player = await acting_player(connection, fields)
    engine = connection.gateway.engine
    claimed = await engine.money.claim(player.number, fields.grant_id)
    connection.answer(request_id, claimed, lambda row: {"grant": translate.grant(row, engine.now_ms())})


async def grants_create(connection: Connection, request_id: int, fields: server_messages.GrantsCreate) -> None:
    player = await the_player(connection, fields)
    engine = connection.gateway.engine
    try:
        given = await engine.money.create(player, fields.entries, fields.idempotency_key, who=who(connection))
    except DefinitionFaults as faults:
        raise faulty(faults) from None
    connection.answer(request_id, given, lambda made: _given(made, engine.now_ms()))


async def crates_open(connection: Connection, request_id: int, fields: messages.GrantFields) -> None:
    player = await acting_player(connection, fields)
    engine = connection.gateway.engine
    opened = await engine.money.open_crate(player.number, fields.grant_id)
    connection.answer(request_id, opened, lambda made: translate.opened_crate(made, engine.now_ms()))


def _given(given: tuple[GrantRow, bool], now: int) -> translate.Map:
    row, is_new = given
    return {"grant": translate.grant(row, now), "applied": is_new}
