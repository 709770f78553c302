"""Spans of what was done, for OpenTelemetry: a span for each request but writes, and one for each batch that is stored.

Writes have none of their own, for there are too many; the batch that they share has one. A span is made when it is
over, so that nothing has to be carried along.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from kraty_actors.actors.figures import kind_of

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


class Tracing:
    """Tells a tracer; who has none has no such object."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def request(self, op: str, role: str | None, code: str | None, seconds: float) -> None:
        """A request was answered, with an error of that code or none."""
        about = {"kraty.op": op, "kraty.role": role or "", **({"kraty.error": code} if code else {})}
        self._span(op, about, seconds)

    def commit(self, actor: str, commands: int, seconds: float) -> None:
        """A batch of an actor is durable."""
        about: dict[str, str | int] = {"kraty.actor": actor, "kraty.kind": kind_of(actor), "kraty.commands": commands}
        self._span("commit", about, seconds)

    def _span(self, name: str, about: dict[str, str] | dict[str, str | int], seconds: float) -> None:
        now = time.time_ns()
        self._tracer.start_span(name, start_time=now - int(seconds * 1e9), attributes={**about}).end(now)
