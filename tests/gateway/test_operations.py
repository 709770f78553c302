"""Every operation of the wire is answered by somebody, and nothing else is."""

from __future__ import annotations

from kraty_actors.gateway.operations import CAUSES_PUSHES, HANDLERS, IN_ORDER
from kraty_protocol.messages import OPERATIONS

BY_THE_CONNECTION = {"hello", "events.progress"}


def test_every_operation_has_a_handler_and_every_handler_an_operation():
    assert HANDLERS.keys() == OPERATIONS.keys() - BY_THE_CONNECTION


def test_what_is_said_of_operations_is_said_of_ones_that_are_there():
    assert HANDLERS.keys() >= IN_ORDER
    assert HANDLERS.keys() >= CAUSES_PUSHES
