"""What operators do to a window that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kraty_actors.actors.corrections import too_early
from kraty_actors.domain.outcome import Refusal
from kraty_actors.gateway import reports
from kraty_actors.gateway.operations.people import who
from kraty_protocol import operator_messages

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def windows_correct(connection: Connection, request_id: int, fields: operator_messages.WindowsCorrect) -> None:
    engine = connection.gateway.engine
    steered = await engine.steering.window(fields.window_id)
    if isinstance(steered, Refusal):
        return connection.answer(request_id, steered)
    state = steered.window.state_at(engine.now_ms())
    if state != "finalized":
        return connection.answer(request_id, too_early(state))
    plan = await engine.corrections.correct(fields.window_id, fields.without, apply=fields.apply, who=who(connection))
    if isinstance(plan, Refusal):
        return connection.answer(request_id, plan)
    rows = reports.listed(plan)
    players = engine.players
    await players.fetch(players.missing(row.player for row in rows))
    names = {row.player: players.row(row.player).player_id for row in rows}
    connection.reply(request_id, reports.correction(plan, rows, names))
