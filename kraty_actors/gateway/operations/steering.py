"""What operators put and steer: the game, its events, windows and shared boards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from kraty_actors.actors.publishing import WrongGame
from kraty_actors.actors.steering import Action, Steered
from kraty_actors.definitions import DefinitionFaults
from kraty_actors.domain.catalogue import EventView
from kraty_actors.domain.outcome import Refusal
from kraty_actors.gateway import reports, translate
from kraty_actors.gateway.operations.faults import faulty
from kraty_actors.gateway.operations.people import who
from kraty_protocol import operator_messages
from kraty_protocol.errors import Refused

if TYPE_CHECKING:
    from kraty_actors.gateway.connection import Connection


# -- definitions


async def game_put(connection: Connection, request_id: int, fields: operator_messages.GamePut) -> None:
    try:
        result = await connection.gateway.engine.publishing.put_game(fields.game, who=who(connection))
    except DefinitionFaults as faults:
        raise faulty(faults) from None
    except WrongGame as wrong:
        raise Refused("conflict", str(wrong)) from None
    connection.reply(request_id, translate.put(result))


async def events_put(connection: Connection, request_id: int, fields: operator_messages.EventsPut) -> None:
    try:
        event, warnings = await connection.gateway.engine.publishing.put_event(fields.event, who=who(connection))
    except DefinitionFaults as faults:
        raise faulty(faults) from None
    connection.reply(request_id, translate.defined(event, warnings))


async def boards_put(connection: Connection, request_id: int, fields: operator_messages.BoardsPut) -> None:
    try:
        put = await connection.gateway.engine.publishing.put_board(fields.leaderboard, who=who(connection))
    except DefinitionFaults as faults:
        raise faulty(faults) from None
    connection.reply(request_id, translate.shared_board(*put))


async def boards_archive(connection: Connection, request_id: int, fields: operator_messages.BoardsArchive) -> None:
    put = await connection.gateway.engine.publishing.archive_board(fields.board_key, who=who(connection))
    connection.answer(request_id, put, lambda put: translate.shared_board(*put))


# -- events


async def events_get(connection: Connection, request_id: int, fields: operator_messages.EventFields) -> None:
    event = await connection.gateway.engine.steering.event(fields.event_key)
    connection.answer(request_id, event, lambda view: _defined(connection, view))


async def _events_set_state(
    connection: Connection, request_id: int, fields: operator_messages.EventFields, *, action: Action
) -> None:
    event = await connection.gateway.engine.steering.set_state(fields.event_key, action, who=who(connection))
    connection.answer(request_id, event, lambda view: _defined(connection, view))


events_publish = partial(_events_set_state, action="publish")
events_unpublish = partial(_events_set_state, action="unpublish")
events_pause = partial(_events_set_state, action="pause")
events_resume = partial(_events_set_state, action="resume")


async def events_finalize(connection: Connection, request_id: int, fields: operator_messages.EventsFinalize) -> None:
    steering = connection.gateway.engine.steering
    windows = await steering.finalize(fields.event_key, fields.window_id, who=who(connection))
    connection.answer(request_id, windows, lambda found: {"windows": _windows(connection, found)})


def _defined(connection: Connection, event: EventView) -> translate.Map:
    return translate.defined(event, connection.gateway.engine.publishing.warnings(event))


# -- windows


async def windows_list(connection: Connection, request_id: int, fields: operator_messages.EventFields) -> None:
    windows = await connection.gateway.engine.steering.windows(fields.event_key)
    connection.answer(request_id, windows, lambda found: {"windows": _windows(connection, found)})


async def windows_override(connection: Connection, request_id: int, fields: operator_messages.WindowsOverride) -> None:
    steering = connection.gateway.engine.steering
    window = await steering.override(fields.window_id, fields.metadata, who=who(connection))
    connection.answer(request_id, window, _shape(connection))


async def windows_copy_previous(
    connection: Connection, request_id: int, fields: operator_messages.WindowFields
) -> None:
    window = await connection.gateway.engine.steering.copy_previous(fields.window_id, who=who(connection))
    connection.answer(request_id, window, _shape(connection))


async def windows_cancel(connection: Connection, request_id: int, fields: operator_messages.WindowFields) -> None:
    window = await connection.gateway.engine.steering.cancel(fields.window_id, who=who(connection))
    connection.answer(request_id, window, _shape(connection))


async def windows_extend(connection: Connection, request_id: int, fields: operator_messages.WindowsExtend) -> None:
    steering = connection.gateway.engine.steering
    window = await steering.extend(fields.window_id, fields.ends_at, who=who(connection))
    connection.answer(request_id, window, _shape(connection))


async def windows_report(connection: Connection, request_id: int, fields: operator_messages.WindowFields) -> None:
    engine = connection.gateway.engine
    settled = await engine.steering.report(fields.window_id)
    if isinstance(settled, Refusal):
        connection.answer(request_id, settled)
    else:
        report = await engine.corrections.close_report(fields.window_id)
        connection.answer(request_id, report, lambda made: {"report": reports.closed_window(made)})


def _windows(connection: Connection, found: Sequence[Steered]) -> list[translate.Map]:
    now = connection.gateway.engine.now_ms()
    return [translate.window(one.window, one.event, now) for one in found]


def _shape(connection: Connection) -> Callable[[Steered], translate.Map]:
    return lambda steered: {"window": _windows(connection, [steered])[0]}


# -- attempts


async def attempts_force_complete(
    connection: Connection, request_id: int, fields: operator_messages.AttemptsForceComplete
) -> None:
    steering = connection.gateway.engine.steering
    attempt = await steering.force_complete(fields.attempt_id, fields.score, who=who(connection))
    connection.answer(request_id, attempt, lambda view: {"attempt": translate.attempt(view)})


async def attempts_void(connection: Connection, request_id: int, fields: operator_messages.AttemptsVoid) -> None:
    steering = connection.gateway.engine.steering
    attempt = await steering.void(fields.attempt_id, fields.reason, who=who(connection))
    connection.answer(request_id, attempt, lambda view: {"attempt": translate.attempt(view)})
