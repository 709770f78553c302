"""Measure the event model at its limits, in this process, and print what came of it."""

from __future__ import annotations

import statistics
import sys
from functools import partial
from pathlib import Path

import click
import trio
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.figures.counting import measure_counting
from benchmarks.figures.entry import measure_entry
from benchmarks.figures.fanout import measure_fanout
from benchmarks.figures.finalization import Finalization, measure_finalization
from benchmarks.figures.journal import measure_journal
from benchmarks.figures.listings import EVENTS, measure_listings
from benchmarks.figures.lobbies import TICK_SECONDS, Lobbies, measure_lobbies
from benchmarks.figures.placement import measure_placement
from benchmarks.figures.recovery import Large, measure_large
from benchmarks.figures.replay import GAMES, measure_replay
from benchmarks.figures.simulated import measure_simulated
from benchmarks.figures.sleeping import Sleep, measure_return, measure_sleep
from benchmarks.figures.webhooks import Deliveries, measure_webhooks

ENTRY_STARTS = 1_000
DELIVERIES = 10_000
REPLAYED_WRITES = 300_000
WATCHERS = (1_000, 10_000)
LOBBIES_BACK = 1_000
PARTS = (
    "placement,listings,entry,webhooks,replay,simulated,counting,fanout,lobbies,finalization,journal,recovery,sleep,"
    "checkpoint"
)


@click.command(context_settings={"show_default": True})
@click.option("--only", default=PARTS, help="Which parts.")
@click.option("--players", default=1_000_000, help="Players of the large window.")
@click.option("--lobbies", default=10_000, help="Lobbies that are live at the same time.")
@click.option("--idle-seconds", default=60.0, help="How long nobody looks at them.")
@click.option("--folder", type=click.Path(path_type=Path), default=".", help="Where the database goes: a real disk.")
def main(*, only: str, players: int, lobbies: int, idle_seconds: float, folder: Path) -> None:
    """Placement, listings, paid starts, ten thousand lobbies, and the end of one window of a million players."""
    wanted = set(only.split(","))
    table = Table(title="figures", title_justify="left", box=SIMPLE)
    table.add_column("what")
    table.add_column("measured", justify="right")
    if "placement" in wanted:
        for mode, (small, large) in measure_placement(players, _say).items():
            table.add_row(f"start, {mode}: {players:,} players against 1,000", f"{large / small:.2f}")
            table.add_row("", f"{small:.1f} and {large:.1f} us")
    if "listings" in wanted:
        _say("listings")
        for who, ms in trio.run(measure_listings).items():
            table.add_row(f"events.list, {EVENTS} live events, {who}", f"{ms:.2f} ms of CPU")
    if "entry" in wanted:
        _say("entry")
        entry = trio.run(partial(measure_entry, ENTRY_STARTS, folder))
        table.add_row("paid starts against free ones", f"{entry['paid'] / entry['free']:.2f}")
        table.add_row("", f"{entry['paid']:,.0f} and {entry['free']:,.0f} a second")
    if "webhooks" in wanted:
        _say("webhooks")
        for what, figure in _of_webhooks(trio.run(partial(measure_webhooks, DELIVERIES, folder))):
            table.add_row(what, figure)
    if "replay" in wanted:
        for name in GAMES:
            replayed = trio.run(partial(measure_replay, name, REPLAYED_WRITES, folder, _say))
            rates = f"{replayed.plain:,.0f} / {replayed.verified:,.0f} / {replayed.explained:,.0f} a second"
            table.add_row(f"replayed / verified / explained writes, {name}", rates)
            table.add_row("", f"{replayed.differences} differences")
    if "simulated" in wanted:
        for what, seconds, writes in measure_simulated():
            table.add_row(f"simulated: {what}", f"{seconds:.3f} s, {writes:,} writes")
    for in_flight in (1, 16) if "counting" in wanted else ():
        what = f"limits and metrics, of a write with {in_flight} in flight"
        table.add_row(what, f"{measure_counting(in_flight):.0f} ns")
    for watchers in WATCHERS if "fanout" in wanted else ():
        _say(f"fanout: {watchers:,} watchers")
        ours, theirs = measure_fanout(watchers)
        table.add_row(f"deliveries to {watchers:,} watchers of one board", f"{ours:,.0f} a second of a core")
        table.add_row("against websockets.broadcast of the same bytes", f"{ours / theirs:.2f}")
    if "lobbies" in wanted:
        for what, figure in _of_lobbies(trio.run(partial(measure_lobbies, lobbies, idle_seconds, folder, _say))):
            table.add_row(what, figure)
    if "finalization" in wanted:
        for what, figure in _of_finalization(trio.run(partial(measure_finalization, players, folder, _say))):
            table.add_row(what, figure)
    if "journal" in wanted:
        for in_flight in (1, 16):
            taken = trio.run(partial(measure_journal, in_flight, folder))
            table.add_row(f"the journal, {in_flight} in flight on each of 64 connections", f"{taken:.0f} bytes a write")
    if "recovery" in wanted:
        seconds, cpu = trio.run(partial(measure_return, LOBBIES_BACK, folder, _say))
        table.add_row(f"{LOBBIES_BACK:,} lobbies of 50 serve again after a kill", f"{seconds:.1f} s, {cpu:.1f} of CPU")
    if "sleep" in wanted:
        for what, figure in _of_sleep(trio.run(partial(measure_sleep, lobbies, folder, _say))):
            table.add_row(what, figure)
    if "checkpoint" in wanted:
        for what, figure in _of_large(trio.run(partial(measure_large, players, players, folder, _say))):
            table.add_row(what, figure)
    Console(width=100).print(table)


def _of_sleep(found: Sleep) -> list[tuple[str, str]]:
    return [
        (f"memory of each of {found.lobbies:,} lobbies of 50 players", f"{found.kib_each:.1f} KiB"),
        ("once nobody has asked for them", f"{found.kib_each_asleep:.1f} KiB"),
        ("all have left memory, after the time that makes one idle", f"{found.left_after_s:.1f} s"),
        ("a write to one of them: median, p99", f"{_median(found.woken_ms):.1f}, {_p99(found.woken_ms):.1f} ms"),
    ]


def _of_large(found: Large) -> list[tuple[str, str]]:
    def felt(before: list[float], meanwhile: list[float]) -> str:
        return f"{_median(before):.1f}, {_p99(before):.1f} / {_median(meanwhile):.1f}, {_p99(meanwhile):.1f} ms"

    return [
        (f"a board of {found.players:,} is written down, while it is played on", f"{found.written_s:.0f} s"),
        ("writes to it before / meanwhile: median, p99", felt(found.own_before_ms, found.own_ms)),
        ("writes to another", felt(found.others_before_ms, found.others_ms)),
        ("packed at once: median, most", f"{_median(found.helpings_ms):.1f}, {max(found.helpings_ms):.1f} ms of CPU"),
        (
            "it serves again, after as many more writes and a kill",
            f"{found.back_s:.1f} s, {found.back_cpu_s:.1f} of CPU",
        ),
    ]


def _median(numbers: list[float]) -> float:
    return statistics.median(numbers)


def _of_lobbies(found: Lobbies) -> list[tuple[str, str]]:
    return [
        (f"memory of each of {found.lobbies:,} lobbies of 50", f"{found.kib_each:.1f} KiB"),
        ("a core's share, none watched", f"{found.idle_core_share:.2%}"),
        (f"one is watched: first move, with a tick of {TICK_SECONDS} s", f"{found.moved_after_s:.2f} s"),
        ("all close at once", f"{found.closed_after_s:.2f} s"),
        ("p99 of another window's writes meanwhile", f"{_p99(found.others_ms):.1f} ms"),
        ("p99 of the same before", f"{_p99(found.others_before_ms):.1f} ms"),
    ]


def _of_webhooks(found: Deliveries) -> list[tuple[str, str]]:
    return [
        ("webhook deliveries to a local receiver", f"{found.a_second:,.0f} a second"),
        ("p99 of writes meanwhile", f"{_p99(found.others_ms):.1f} ms"),
        ("p99 of the same before", f"{_p99(found.others_before_ms):.1f} ms"),
    ]


def _of_finalization(found: Finalization) -> list[tuple[str, str]]:
    others, before = _p99(found.others_ms), _p99(found.others_before_ms)
    return [
        (f"a window of {found.players:,} players ends, all paid by rank", f"{found.seconds:.1f} s"),
        ("grants", f"{found.grants:,}"),
        ("memory above that of the window, for each player", f"{found.kib_each:.2f} KiB"),
        ("p99 of another window's writes meanwhile", f"{others:.1f} ms"),
        ("p99 of the same before", f"{before:.1f} ms, {others / before:.1f} times less"),
    ]


def _p99(latencies_ms: list[float]) -> float:
    return statistics.quantiles(latencies_ms, n=100)[98]


def _say(what: str) -> None:
    print(what, file=sys.stderr)


if __name__ == "__main__":
    main()
