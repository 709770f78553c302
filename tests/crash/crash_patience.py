"""Waiting for what rings no event: another process, a file, a store."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

import anyio

LOOK_AGAIN_SECONDS = 0.002


async def until(is_so: Callable[[], bool | Awaitable[bool]], seconds: float = 10) -> None:
    """Wait until it is so.

    Raises:
        TimeoutError: It took longer than so many seconds.
    """
    with anyio.fail_after(seconds):
        while not await _now(is_so):  # noqa: ASYNC110
            await anyio.sleep(LOOK_AGAIN_SECONDS)


async def _now(is_so: Callable[[], bool | Awaitable[bool]]) -> bool:
    answer = is_so()
    return await answer if inspect.isawaitable(answer) else answer
