"""What operators look up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kraty_actors.actors.chain import AlteredJournal
from kraty_actors.actors.records import UnknownFormat
from kraty_actors.domain.outcome import Refusal
from kraty_actors.gateway import reports
from kraty_actors.gateway.explanations import explanation, players_in
from kraty_actors.gateway.operations.people import named_player, who
from kraty_actors.gateway.standing import stats_report
from kraty_protocol import operator_messages
from kraty_protocol.errors import Refused
from kraty_protocol.fields import ForPlayer, Page

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def players_lookup(connection: Connection, request_id: int, fields: ForPlayer) -> None:
    player = await named_player(connection, fields)
    if player is None:
        raise Refused("not_found", f"no player '{fields.player_id}'")
    engine = connection.gateway.engine
    found = await engine.inquiries.lookup(player)
    attributes = engine.players.attributes(player)
    connection.reply(request_id, reports.lookup(found, engine.players.row(player.number), attributes, engine.now_ms()))


async def anomalies_list(connection: Connection, request_id: int, fields: operator_messages.AnomaliesList) -> None:
    found = await connection.gateway.engine.inquiries.anomalies(
        player_id=fields.player_id, event_key=fields.event_key, limit=fields.limit, after=fields.after
    )
    if isinstance(found, Refusal):
        connection.answer(request_id, found)
    else:
        page, following = found
        connection.reply(request_id, {"anomalies": [reports.anomaly(*row) for row in page], "next": following})


async def webhooks_dead(connection: Connection, request_id: int, fields: Page) -> None:
    page, following = await connection.gateway.engine.inquiries.dead(limit=fields.limit, after=fields.after)
    connection.reply(request_id, {"deliveries": [reports.delivery(row) for row in page], "next": following})


async def webhooks_replay(connection: Connection, request_id: int, fields: operator_messages.WebhooksReplay) -> None:
    replayed = await connection.gateway.engine.inquiries.replay(fields.ids, who=who(connection))
    connection.reply(request_id, {"replayed": replayed})


async def audit_list(connection: Connection, request_id: int, fields: Page) -> None:
    page, following = await connection.gateway.engine.inquiries.audit(limit=fields.limit, after=fields.after)
    rows = [reports.audit_row(trace) for trace in page]
    connection.reply(request_id, {"audit": rows, "next": following})


async def stats(connection: Connection, request_id: int, fields: operator_messages.Stats) -> None:
    connection.reply(request_id, stats_report(connection.gateway, fields.limit))


async def events_explain(connection: Connection, request_id: int, fields: operator_messages.EventsExplain) -> None:
    engine = connection.gateway.engine
    try:
        made = await engine.explanations.explain(fields.window_id, fields.player_id or "", fields.at)
    except (AlteredJournal, UnknownFormat) as error:
        raise Refused("internal_error", str(error)) from None
    if isinstance(made, Refusal):
        return connection.answer(request_id, made)
    await engine.players.fetch(engine.players.missing(players_in(made)))
    connection.reply(request_id, explanation(made, engine.players))
