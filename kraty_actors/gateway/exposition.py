"""What was counted, in the text form of Prometheus. Nothing has a label that grows with players."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from kraty_actors.actors.figures import Histogram, LoopFigures
from kraty_actors.gateway.figures import Figures
from kraty_actors.gateway.standing import Standing, standing

if TYPE_CHECKING:
    from kraty_actors.gateway.gateway import Gateway

L = TypeVar("L", bound=tuple[str, ...])

__all__ = ["CONTENT_TYPE", "exposition"]


def exposition(gateway: Gateway) -> str:
    """Every metric, as of now."""
    registry = CollectorRegistry()
    registry.register(_Figures(gateway))
    ProcessCollector(registry=registry)
    return generate_latest(registry).decode()


class _Figures(Collector):
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def describe(self) -> Iterable[Metric]:
        return ()  # what there is shows when it is asked for

    def collect(self) -> Iterator[Metric]:
        now = standing(self._gateway)
        yield from _of_the_edge(self._gateway.figures, now)
        yield from _of_the_actors(self._gateway.engine.figures, now)
        yield _gauge("kraty_store_up", "1 if the last commit succeeded.", int(self._gateway.engine.is_healthy()))


def _of_the_edge(figures: Figures, now: Standing) -> Iterator[Metric]:
    seconds = {(op,): histogram for op, histogram in figures.seconds.items()}
    yield _histogram("kraty_request_seconds", "From a request's arrival to its answer.", ["op"], seconds)
    yield _counter("kraty_refused", "Requests that were refused.", ["code"], _labelled(figures.refused))
    yield _counter("kraty_shed", "Requests that were refused under overload.", ["op"], _labelled(figures.shed))
    yield _gauge("kraty_pressure", "How much is being shed: 0 nothing, 4 even reads.", now.pressure)
    yield _gauge("kraty_loop_delay_seconds", "How long everybody waits for a turn of the loop.", now.loop_delay)
    yield _gauge("kraty_connections", "Connections now.", now.connections)
    yield _counter("kraty_connections_opened", "Connections that shook hands.", [], {(): figures.opened})
    turned_away = {("address",): figures.turned_away, ("flooding",): figures.flooded}
    yield _counter("kraty_connections_ended", "Connections refused or closed.", ["reason"], turned_away)
    yield _gauge("kraty_unsent_bytes", "What waits for peers to read it.", now.unsent_bytes)
    yield _gauge("kraty_watchers", "Connections that watch a view, once for each view.", now.watchers)
    yield _gauge("kraty_views", "Views that are kept, watched or not.", now.views)
    yield _counter("kraty_board_deltas", "Pushes of boards that were made.", [], {(): figures.deltas})
    yield _counter("kraty_board_deliveries", "Watchers to whom they went.", [], {(): figures.deliveries})
    merged = _labelled(figures.merged)
    yield _counter("kraty_merged_deltas", "Changes of a board that went into a later push.", ["reason"], merged)


def _of_the_actors(figures: LoopFigures, now: Standing) -> Iterator[Metric]:
    kinds = GaugeMetricFamily("kraty_actors", "Actors in memory.", labels=["kind"])
    for kind, count in sorted(now.kinds.items()):
        kinds.add_metric([kind], count)
    yield kinds
    yield _gauge("kraty_mailbox_commands", "Commands that wait, in all mailboxes.", now.waiting)
    yield _gauge("kraty_mailbox_deepest", "Commands in the fullest mailbox.", now.deepest)
    yield _histogram("kraty_batch_commands", "Commands in a batch.", [], {(): figures.batch_sizes})
    yield _histogram(
        "kraty_commit_seconds", "From a batch's handing over until it is durable.", [], {(): figures.commits}
    )
    yield _gauge("kraty_journal_lag_seconds", "How long the oldest batch has waited to be durable.", now.lag)
    yield _gauge("kraty_journal_waiting_batches", "Batches that are not durable yet.", now.in_flight)
    yield _counter("kraty_flagged", "What validators objected to.", ["validator", "verdict"], figures.flagged)


def _labelled(counts: Mapping[str, int]) -> dict[tuple[str], int]:
    return {(name,): count for name, count in counts.items()}


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)


def _counter(name: str, what: str, labels: list[str], counts: Mapping[L, int]) -> Metric:
    family = CounterMetricFamily(name, what, labels=labels)
    for label, count in counts.items():
        family.add_metric(label, count)
    return family


def _histogram(name: str, what: str, labels: list[str], histograms: Mapping[L, Histogram]) -> Metric:
    family = HistogramMetricFamily(name, what, labels=labels)
    for label, histogram in histograms.items():
        family.add_metric(label, histogram.buckets(), histogram.total)
    return family
