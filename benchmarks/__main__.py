"""Measure the echoes and the server in turn, round by round, and print how they compare."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click

from benchmarks.contenders import CONTENDERS, Contender, ServerFailed, serving
from benchmarks.formulas import measure_formulas
from benchmarks.load import LoadFailed, Measured
from benchmarks.report import Row, print_formulas, print_table, write_json

NAMES = [name for one in CONTENDERS for name in (one.name, one.group)]


@click.command(context_settings={"show_default": True})
@click.option("--rounds", default=3, help="Rounds; each measures every server anew.")
@click.option("--seconds", default=5.0, help="Seconds that are counted, for each measurement.")
@click.option("--warm-up", default=1.5, help="Seconds before these.")
@click.option("--connections", default=64, help="Connections, one player and one attempt each.")
@click.option("--in-flight", default=(1, 16), multiple=True, help="Writes under way on each connection.")
@click.option("--only", default="echo,real", help=f"Of {', '.join(dict.fromkeys(NAMES))}.")
@click.option("--backend", type=click.Choice(["trio", "asyncio"]), default="trio", help="Of the real server.")
@click.option("--folder", type=click.Path(path_type=Path), default=".", help="Where databases go: a real disk.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="Write every figure there too.")
@click.option("--quick", is_flag=True, help="One short round, about 20 seconds in all.")
def main(
    *,
    rounds: int,
    seconds: float,
    warm_up: float,
    connections: int,
    in_flight: tuple[int, ...],
    only: str,
    backend: str,
    folder: Path,
    json_file: Path | None,
    quick: bool,
) -> None:
    """Durable, ranked acknowledgements per second, beside two bare echoes."""
    if quick:
        rounds, seconds, warm_up = 1, 1.0, 0.4
    rows = [Row(one, count) for one in _chosen(only) for count in in_flight]
    for number in range(rounds):
        for row in (row for row in rows if row.failure is None):
            print(
                f"round {number + 1} of {rounds}: {row.contender.title}, {row.in_flight} in flight",
                file=sys.stderr,
            )
            load = ["--connections", connections, "--warm-up", warm_up, "--seconds", seconds]
            _measure(row, [str(word) for word in [*load, "--points", row.contender.points]], folder, backend)
    print_table(
        rows,
        f"{connections} connections, {rounds} rounds of {seconds:g} s, {os.cpu_count()} cores, {backend}",
    )
    formulas = measure_formulas()
    print_formulas(formulas)
    if json_file:
        settings = {"rounds": rounds, "seconds": seconds, "connections": connections, "backend": backend}
        write_json(rows, formulas, json_file, {**settings, "cores": os.cpu_count()})
    if any(row.failure for row in rows):
        raise SystemExit(1)


def _chosen(only: str) -> list[Contender]:
    wanted = set(only.split(","))
    if unknown := wanted.difference(NAMES):
        raise click.BadParameter(f"no server {', '.join(sorted(unknown))}", param_hint="--only")
    return [one for one in CONTENDERS if wanted & {one.name, one.group}]


def _measure(row: Row, load: list[str], folder: Path, backend: str) -> None:
    try:
        with serving(row.contender, folder, backend) as url:
            row.rounds.append(_run_load(url, [*load, "--in-flight", str(row.in_flight)]))
    except (ServerFailed, LoadFailed) as failure:
        row.failure = str(failure)


def _run_load(url: str, options: list[str]) -> Measured:
    command = [sys.executable, "-m", "benchmarks.load", url, "climb", *options]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise LoadFailed(finished.stderr.strip().rpartition("\n")[2])
    return Measured(**json.loads(finished.stdout))


if __name__ == "__main__":
    main()
