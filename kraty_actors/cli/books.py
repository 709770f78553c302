"""`audit` and `windows close-report`: do the books balance, and was a window paid as it should be? They only read."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping

import anyio
import click
from rich.console import Console
from rich.table import Table

from kraty_actors.actors.auditing import Audit, Auditor
from kraty_actors.actors.close_report import CloseReport
from kraty_actors.actors.copies import Copies
from kraty_actors.actors.takings import Amounts, entries_of
from kraty_actors.cli.database import backend_option, corrections_of, db_option, reading, told_in_one_line
from kraty_actors.cli.faults import give_up
from kraty_actors.cli.wording import amount, contents
from kraty_actors.domain.outcome import Plain, Refusal
from kraty_actors.gateway import reports
from kraty_persistence import Store

UNEVEN = 1
"""The exit code where something does not add up."""

Names = Mapping[int, str]


@click.command()
@db_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@backend_option
def audit(db: str, as_json: bool, backend: str) -> None:
    """Check that the books of a game balance.

    Every balance is the sum of its ledger and not negative; every claimed grant was credited, once, and every credit
    has its grant; every entry cost has its attempt, and every paid attempt its cost. A server may be running meanwhile.
    Exit 0 if all is well, 1 with each fault on a line.
    """
    with told_in_one_line():
        done, names = anyio.run(_audit, db, backend=backend)
    if as_json:
        click.echo(json.dumps(_audit_plain(done, names), indent=2, ensure_ascii=False))
    else:
        _show(_audit_lines(done), "audit")
        for fault in done.faults:
            click.echo(f"fault: {_who(fault.player, names)}{fault.what}")
        if done.fault_count > len(done.faults):
            click.echo(f"fault: and {done.fault_count - len(done.faults)} more")
    sys.exit(UNEVEN if done.fault_count else 0)


async def _audit(db: str) -> tuple[Audit, Names]:
    async with reading(db) as store:
        copies, _ = await Copies.of_database(store)
        done = await Auditor(store, copies).audit()
        return done, await _names(store, (fault.player for fault in done.faults))


def _audit_lines(done: Audit) -> Iterator[tuple[str, str]]:
    yield "players", str(done.players)
    yield "grants", str(done.grants)
    yield "ledger rows", str(done.ledger_rows)
    yield "windows that cost something", str(done.windows)
    for total in done.totals:
        yield f"{total.kind} {total.resource}", f"balances {total.balances}, ledger {total.ledger}"
    yield "faults", str(done.fault_count)


def _audit_plain(done: Audit, names: Names) -> Plain:
    return {
        "balanced": not done.fault_count,
        "players": done.players,
        "grants": done.grants,
        "ledgerRows": done.ledger_rows,
        "paidWindows": done.windows,
        "totals": [
            {"kind": one.kind, "key": one.resource, "balances": one.balances, "ledger": one.ledger}
            for one in done.totals
        ],
        "faultCount": done.fault_count,
        "faults": [
            {"playerId": None if fault.player is None else names.get(fault.player), "what": fault.what}
            for fault in done.faults
        ],
    }


@click.group()
def windows() -> None:
    """Windows that are over."""


@windows.command("close-report")
@click.argument("window")
@db_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@backend_option
def close_report(window: str, db: str, as_json: bool, backend: str) -> None:
    """Reconcile WINDOW: what its boards say is due against what was granted.

    `orphans` are grants that nothing accounts for, and grants that are due and missing: none, or exit 1 with each on a
    line. A server may be running meanwhile.
    """
    with told_in_one_line():
        report, names = anyio.run(_close_report, db, window, backend=backend)
    if as_json:
        click.echo(json.dumps(_report_plain(report, names), indent=2, ensure_ascii=False))
    else:
        _show(_report_lines(report, names), f"window {report.window_id}")
        for one in report.mismatches:
            click.echo(f"{one.kind}: {_who(one.player, names)}grant {one.grant_id}: {one.what}")
    sys.exit(UNEVEN if report.mismatches else 0)


async def _close_report(db: str, window: str) -> tuple[CloseReport, Names]:
    async with reading(db) as store:
        report = await (await corrections_of(store)).close_report(window)
        if isinstance(report, Refusal):
            give_up(f"{window}: {report.message}")
        numbers = [one.player for one in report.mismatches]
        return report, await _names(store, [*numbers, *report.left_out])


def _report_lines(report: CloseReport, names: Names) -> Iterator[tuple[str, str]]:
    yield "event", report.event_key
    yield "state", report.state
    yield "participants", str(report.participants)
    yield "winners", str(report.winners)
    yield "grants", str(report.grants)
    yield "taken back", str(report.withdrawn)
    yield "paid at its end", contents(entries_of(report.paid))
    yield "granted in all", contents(entries_of(report.granted))
    yield "remainder", str(report.remainder)
    for player in sorted(report.left_out):
        yield "left out", names.get(player, f"number {player}")
    yield "orphans", str(len(report.mismatches))


def _report_plain(report: CloseReport, names: Names) -> Plain:
    return {
        **reports.closed_window(report),
        "state": report.state,
        "takenBack": report.withdrawn,
        "granted": _plain(report.granted),
        "leftOut": [names.get(player) for player in sorted(report.left_out)],
        "mismatches": [
            {"kind": one.kind, "playerId": names.get(one.player), "grantId": one.grant_id, "what": one.what}
            for one in report.mismatches
        ],
    }


def _plain(amounts: Amounts) -> Plain:
    return [{"kind": kind, "key": key, "amount": number} for (kind, key), number in sorted(amounts.items())]


async def _names(store: Store, numbers: Iterable[int | None]) -> Names:
    wanted = sorted({number for number in numbers if number is not None})
    return {row.number: row.player_id for row in await store.players(wanted)}


def _who(player: int | None, names: Names) -> str:
    return "" if player is None else f"player {names.get(player, f'number {player}')}: "


def _show(lines: Iterable[tuple[str, str]], title: str) -> None:
    """A table on a terminal, lines in a pipe."""
    console = Console()
    if not console.is_terminal:
        for name, value in lines:
            click.echo(f"{name}: {value}")
        return
    table = Table(title=title, show_header=False)
    for name, value in lines:
        table.add_row(name, amount(value))
    console.print(table)
