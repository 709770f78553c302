"""Watching a board: an async iterator over a copy that keeps itself up to date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

import anyio

from kraty_actors.client.board import BoardView


class Watcher(Protocol):
    """What a watch needs of its session."""

    async def flush(self) -> None:
        """Send what was posted."""

    def went_astray(self, watch: Watch) -> None:
        """The copy is not what the server takes it for: ask for the view anew."""

    async def unwatch(self, watch: Watch) -> None:
        """Give the view up."""


class Watch:
    """Yields its `BoardView`, the same one each time, whenever it has changed.

    Changes that come while the program is busy are seen together. The iteration ends after the final
    standings. Leave it early with `aclose()`, or use the watch as an async context manager, and the server
    stops sending.

    Attributes:
        fields: What was asked for, in the words of `boards.watch`.
        sub: The server's name of the view while it is being pushed, else None.
        view: The copy.
    """

    def __init__(self, watcher: Watcher, fields: Mapping[str, Any], participant_id: str | None) -> None:
        self.fields = {name: value for name, value in fields.items() if value is not None}
        self.sub: str | None = None
        self.view = BoardView(participant_id)
        self._watcher = watcher
        self._changed = anyio.Event()
        self._failure: Exception | None = None
        self._over = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BoardView:
        await self._watcher.flush()
        await self._changed.wait()
        if self._failure is not None:
            raise self._failure
        if self._over:
            raise StopAsyncIteration
        if self.view.final:
            self._over = True  # the event stays set: the next turn ends the iteration
        else:
            self._changed = anyio.Event()
        return self.view

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Stop watching. The iteration, if one goes on, ends."""
        if not self.ended:
            await self._watcher.unwatch(self)
        self._over = True
        self._changed.set()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._over or self.view.final or self._failure is not None

    def started(self, answer: Mapping[str, Any]) -> None:
        """The server answered the watch with a copy."""
        self.sub = answer["sub"]
        self.view.replace(answer)
        self._changed.set()

    def resume_fields(self) -> dict[str, Any]:
        """What `hello` has to say for this view to go on from the copy that there is."""
        asked = {name: value for name, value in self.fields.items() if name != "boardKey"}
        return {**asked, "leaderboardId": self.view.leaderboard_id, "version": self.view.version}

    def receive(self, push: Mapping[str, Any]) -> None:
        """Take one push for this view's `sub`."""
        match push["push"]:
            case "board.delta":
                if not self.view.apply(push):
                    self._watcher.went_astray(self)
                    return
            case "board.snapshot":
                self.view.replace(push)
            case "board.self":
                self.view.apply_own(push)
            case "board.final":
                self.view.replace(push)
                self.view.final = True
        self._changed.set()

    def fail(self, failure: Exception) -> None:
        """End the iteration with an exception."""
        if not self.ended:
            self._failure = failure
            self._changed.set()
