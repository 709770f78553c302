"""Runs of an event loop that are the same for the same seed: virtual time, one order of tasks, chance that is drawn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from random import Random
from types import SimpleNamespace
from typing import Any, TypeVar

import trio
import trio.testing
from trio._core import _run as scheduler

from kraty_actors.actors import lanes, players
from kraty_actors.client import session

T = TypeVar("T")

LONG_TURN_SECONDS = lanes.TURNS_SECONDS * 0.6
"""What a turn of an actor costs now and then, so that actors who can wait are put off as on a busy machine."""


def run_seeded(main: Callable[[], Awaitable[T]], seed: int, instruments: Sequence[trio.abc.Instrument] = ()) -> T:
    """Run `main` on trio by a clock that jumps to whatever is waited for next.

    The seed decides in which order tasks that could go on do so, and all chance that the server and its client draw.
    Nothing in it may wait for a thread or for a socket.
    """
    with _drawn_from(seed):
        return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0), instruments=instruments)


@contextmanager
def _drawn_from(seed: int) -> Iterator[None]:
    ids, backoff, turns = (Random(f"{seed}:{what}") for what in ("ids", "backoff", "turns"))
    spent = 0.0

    def perf_counter() -> float:
        nonlocal spent
        spent += turns.choice((0, LONG_TURN_SECONDS))
        return spent

    with ExitStack() as swaps:
        # trio's own hook for reproducible runs, which pytest-trio uses for Hypothesis as well.
        swaps.enter_context(_swapped(scheduler, "_ALLOW_DETERMINISTIC_SCHEDULING", True))
        swaps.enter_context(_swapped(scheduler, "_r", Random(f"{seed}:tasks")))
        swaps.enter_context(_swapped(players, "secrets", SimpleNamespace(token_bytes=ids.randbytes)))
        swaps.enter_context(_swapped(session, "random", backoff))
        swaps.enter_context(_swapped(lanes, "perf_counter", perf_counter))
        yield


@contextmanager
def _swapped(owner: Any, name: str, value: object) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
