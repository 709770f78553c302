"""`serve`: a server that runs by itself."""

from __future__ import annotations

import gc
import ipaddress
import logging
import signal
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import click

from kraty_actors.actors.chain import AlteredJournal
from kraty_actors.actors.journal_key import WrongKey
from kraty_actors.actors.publishing import WrongGame
from kraty_actors.actors.records import UnknownFormat
from kraty_actors.cli.faults import give_up, import_modules, key_of, key_option, secrets_of
from kraty_actors.cli.logs import LogFormat, log_to_stderr
from kraty_actors.cli.traces import exporting
from kraty_actors.definitions import DefinitionFaults, UnreadableDefinition
from kraty_actors.game import open_game
from kraty_persistence import StoreError

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

log = logging.getLogger("kraty_actors")

COLLECT_EVERY = 50_000
"""Objects allocated, and not freed, between two looks for garbage that refers to itself."""

SWITCH_SECONDS = 0.0005
"""After which a thread that wants the interpreter gets it."""


@dataclass(frozen=True, slots=True)
class Options:
    """What `serve` was asked to do, checked."""

    game: Path
    db: str
    host: str
    port: int
    ops_port: int | None
    secrets: tuple[str, ...]
    insecure_dev: bool
    allow_private_webhooks: bool
    tls: ssl.SSLContext | None
    behind_proxy: str | None
    journal_key: str | None


@click.command()
@click.option("--game", type=click.Path(path_type=Path), required=True, help="The game file.")
@click.option("--db", default="sqlite:///kraty.db", show_default=True, metavar="URL", help="Where everything is kept.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8765, show_default=True, type=click.IntRange(0, 65535), help="0 picks a free one.")
@click.option("--ops-port", type=click.IntRange(0, 65535), help="Health checks and metrics on a port of their own.")
@click.option(
    "--secret-file", type=click.Path(path_type=Path), help="Secrets, one a line: the first signs, all verify."
)
@key_option
@click.option("--insecure-dev", is_flag=True, help="Anyone may be anyone; on loopback only.")
@click.option("--allow-private-webhooks", is_flag=True, help="Webhooks may go to addresses that are not public.")
@click.option("--tls-cert", type=click.Path(path_type=Path))
@click.option("--tls-key", type=click.Path(path_type=Path))
@click.option("--behind-proxy", metavar="CIDR", help="Connections from there are encrypted and named by a proxy.")
@click.option("--backend", type=click.Choice(["trio", "asyncio"]), default="trio", show_default=True)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--traces", is_flag=True, help="Send OpenTelemetry spans to where the environment says.")
@click.option("--with", "modules", multiple=True, metavar="MODULE", help="Import what the game registers.")
def serve(
    game: Path, db: str, host: str, port: int, ops_port: int | None, secret_file: Path | None, insecure_dev: bool,
    allow_private_webhooks: bool, tls_cert: Path | None, tls_key: Path | None, behind_proxy: str | None, backend: str,
    log_format: LogFormat, traces: bool, modules: tuple[str, ...], key_file: Path | None,
) -> None:  # fmt: skip
    """Serve a game on a WebSocket until SIGTERM or SIGINT."""
    log_to_stderr(log_format)
    import_modules(modules)
    secrets = _secrets(secret_file, insecure_dev)
    _check_exposure(host, insecure_dev, tls_cert is not None, behind_proxy)
    tune_the_interpreter()
    tls = _tls(tls_cert, tls_key)
    options = Options(
        game,
        db,
        host,
        port,
        ops_port,
        secrets,
        insecure_dev,
        allow_private_webhooks,
        tls,
        behind_proxy,
        key_of(key_file),
    )
    with exporting(wanted=traces) as tracer:
        anyio.run(_serve, options, tracer, backend=backend)


def tune_the_interpreter() -> None:
    """What a message allocates is freed by counting references; looking for cycles every 700 objects, as Python
    does by default, takes a third of the time of a busy server. And a commit takes the interpreter back dozens of
    times: waiting 5 ms for each, as by default while actors are busy, makes everybody wait for it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_EVERY, 20, 50)
    sys.setswitchinterval(SWITCH_SECONDS)


async def _serve(options: Options, tracer: Tracer | None) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        try:
            async with open_game(
                options.game,
                store=options.db,
                secrets=options.secrets,
                insecure_dev=options.insecure_dev,
                allow_private_webhooks=options.allow_private_webhooks,
                journal_key=options.journal_key,
                tracer=tracer,
            ) as game:
                for warning in game.warnings:
                    log.warning("%s: %s", warning.path, warning.message)
                port = await game.serve(
                    options.host,
                    options.port,
                    tls=options.tls,
                    ops_port=options.ops_port,
                    behind_proxy=options.behind_proxy,
                )
                scheme = "wss" if options.tls else "ws"
                host = f"[{options.host}]" if ":" in options.host else options.host
                click.echo(f"listening on {scheme}://{host}:{port}/v1/socket")
                async for _ in signals:
                    log.info("stopping")
                    return
        except DefinitionFaults as error:
            give_up(*(f"{options.game}: {fault.path}: {fault.message}" for fault in error.faults))
        except (StoreError, WrongGame, WrongKey, UnreadableDefinition, UnknownFormat, AlteredJournal) as error:
            give_up(error)
        except OSError as error:
            give_up(_os_fault(options, error))


def _os_fault(options: Options, error: OSError) -> str:
    if error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return f"cannot listen on {options.host}:{options.port}: {error.strerror}"


def _secrets(secret_file: Path | None, insecure_dev: bool) -> tuple[str, ...]:
    if secret_file is None:
        if not insecure_dev:
            give_up("give --secret-file PATH, or on this machine alone --insecure-dev")
        return ()
    return secrets_of(secret_file)


def _check_exposure(host: str, insecure_dev: bool, has_tls: bool, behind_proxy: str | None) -> None:
    if behind_proxy is not None:
        try:
            ipaddress.ip_network(behind_proxy)
        except ValueError as error:
            give_up(f"--behind-proxy: {error}")
    if _is_loopback(host):
        return
    if insecure_dev:
        give_up(f"--insecure-dev is for loopback addresses, not for {host}")
    if not has_tls and behind_proxy is None:
        log.warning("%s is not loopback: tokens travel unencrypted without --tls-cert or --behind-proxy", host)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tls(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        give_up("--tls-cert and --tls-key go together")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        give_up(f"--tls-cert: {error}")
    return context
