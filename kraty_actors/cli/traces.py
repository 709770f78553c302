"""Spans for whoever collects them, by OpenTelemetry: configured by the environment variables that it defines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kraty_actors.cli.faults import give_up

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

SERVICE_NAME = "kraty-actors"


@contextmanager
def exporting(*, wanted: bool) -> Iterator[Tracer | None]:
    """A tracer whose spans go to `OTEL_EXPORTER_OTLP_ENDPOINT`, the last of them at the end; None if none is wanted."""
    if not wanted:
        yield None
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME as NAME
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        give_up("--traces needs more: pip install 'kraty-actors[otel]'")
    resource = Resource({NAME: SERVICE_NAME}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield provider.get_tracer("kraty_actors")
    finally:
        provider.shutdown()
