"""A game's own script against the real server, under faults, from one seed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import anyio

from kraty_actors.opening import GameSource, unwrapped
from kraty_actors.testing.faults import Faults
from kraty_actors.testing.proofs import prove
from kraty_actors.testing.seeded import run_seeded
from kraty_actors.testing.universe import JOURNAL_KEY, NOON, Universe

Script = Callable[[Universe], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Simulated:
    """What came of a run.

    Attributes:
        digest: Of all that was told: the same for the same seed.
        windows: So many were derived again from their journals.
    """

    digest: str
    crashes: int
    restarts: int
    outages: int
    windows: int


def simulate(
    game: GameSource,
    script: Script,
    *,
    seed: int,
    faults: Faults | None = None,
    start_ms: int = NOON,
    events: list[str] | None = None,
) -> Simulated:
    """Serve a game under faults while `script(universe)` runs; then stop, and prove that every journal replays.

    The seed decides everything: when bytes arrive, what breaks, where the server dies, which task goes first. So a
    script that takes its own chance from `universe.rng` runs the same, event for event, for the same seed.

    Args:
        game: A game file's path, or the game itself as a mapping.
        script: Plays; it may open as many clients and tasks as it likes. What it raises comes out.
        faults: What goes wrong; `Faults()` by default, `CALM` for nothing.
        start_ms: When virtual time begins (ms since the epoch, UTC).
        events: What happens is added here, a line each.

    Raises:
        BrokenRule: The server lost something, or its journal does not replay.
        DefinitionFaults: The game has faults.
    """
    universe = Universe(game, seed, faults or Faults(), start_ms=start_ms, events=events)
    with unwrapped():
        run_seeded(partial(_played, universe, script), seed, [universe])
    windows = anyio.run(prove, universe.disk, JOURNAL_KEY, backend="trio")
    return Simulated(universe.digest, universe.crashes, universe.restarts, universe.outages, windows)


async def _played(universe: Universe, script: Script) -> None:
    async with universe.running():
        await script(universe)
        await universe.calm()
        await universe.restart()  # what was said last was kept
