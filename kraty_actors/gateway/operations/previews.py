"""What operators try out beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kraty_actors.actors.previews import Supposed
from kraty_actors.definitions import DefinitionFaults
from kraty_actors.gateway.operations.faults import faulty
from kraty_actors.gateway.reports import preview
from kraty_protocol import operator_messages

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def events_preview(connection: Connection, request_id: int, fields: operator_messages.EventsPreview) -> None:
    previews = connection.gateway.engine.previews
    supposed = Supposed(fields.metrics, fields.rank, fields.winner_count, fields.seed)
    try:
        if fields.event_key is not None:
            made = previews.of_event(fields.event_key, supposed)
        else:
            made = previews.of_definition(fields.event, supposed)
    except DefinitionFaults as faults:
        raise faulty(faults) from None
    connection.answer(request_id, made, preview)
