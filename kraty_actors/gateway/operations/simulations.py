"""What operators have played beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kraty_actors.definitions import DefinitionFaults
from kraty_actors.gateway.operations.faults import faulty
from kraty_actors.simulation.scenario import Population
from kraty_protocol import operator_messages

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


async def events_simulate(connection: Connection, request_id: int, fields: operator_messages.EventsSimulate) -> None:
    simulations = connection.gateway.engine.simulations
    population = Population(fields.players, fields.behaviour, afford=fields.afford)
    try:
        if fields.event_key is not None:
            made = await simulations.of_event(fields.event_key, population, fields.runs, fields.seed)
        else:
            made = await simulations.of_definition(fields.event, population, fields.runs, fields.seed)
    except DefinitionFaults as faults:
        raise faulty(faults) from None
    connection.answer(request_id, made, dict)
