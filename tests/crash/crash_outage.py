"""What goes on while nothing can be written, and how to see that it does (R-58)."""

from __future__ import annotations

from http.client import HTTPConnection

import anyio
import anyio.to_thread
from crash_patience import until
from crash_players import World
from server_process import ServerProcess

from kraty_actors.client import Client, Refused, connect

ANSWER_SECONDS = 3


def http_status(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    finally:
        connection.close()


async def status_of(server: ServerProcess, path: str) -> int:
    return await anyio.to_thread.run_sync(http_status, server.port, path)


async def until_status(server: ServerProcess, path: str, status: int) -> None:
    async def is_so() -> bool:
        return await status_of(server, path) == status

    await until(is_so)


async def still_reads(world: World, client: Client) -> None:
    """Reads, `ping` and `hello` (which has just been said) go on; and what they show is what was acknowledged."""
    with anyio.fail_after(ANSWER_SECONDS):
        await client.ping()
        await client.list_events()
    for book in [book for book in world.library.books.values() if book.player == "player-0"]:
        stood = book.may_show()
        with anyio.fail_after(ANSWER_SECONDS):
            shown = (await client.attempt(book.attempt_id))["attempt"]["metricsRaw"]
            await client.read_board(book.board)
        stood += book.may_show()
        world.library.expect(shown in stood, f"{book.attempt_id} shows {shown}, but it stood at {stood}")


async def read_from_memory(world: World, client: Client) -> None:
    """`ping` and `hello` go on, and reads are answered: from memory, or at once that they cannot be. A board whose last
    writes were given up is not in memory any more, and what has ended is in the database alone."""
    with anyio.fail_after(ANSWER_SECONDS):
        await client.ping()
    for book in [book for book in world.library.books.values() if book.player == "player-0"][-6:]:
        try:
            with anyio.fail_after(ANSWER_SECONDS):
                await client.attempt(book.attempt_id)
                await client.read_board(book.board)
        except Refused as refused:
            world.library.expect(refused.is_overloaded, f"{book.attempt_id}: {refused}")
        except TimeoutError:
            world.library.problems.append(f"{book.attempt_id}: no answer")


async def greet_a_stranger(world: World) -> None:
    """Somebody new has to be written down first: a while of refusal, but an answer."""
    try:
        async with connect(world.url, player_id="stranger"):
            pass
    except Refused as refused:
        world.library.expect(refused.is_overloaded, f"a stranger hears {refused}")
