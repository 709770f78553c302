"""Boards that people watch (R-34).

A view is one question about one board ("the top 50", "the rows around this player"); everybody who asks it shares it.
For each of its rows it remembers the version at which the row last changed, so the delta from any version is
computed, never queued: whoever is slow gets one merged delta when there is room again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import anyio
from anyio.abc import TaskGroup

from kraty_actors.actors.engine import Engine
from kraty_actors.domain.board_view import GetBoard
from kraty_actors.domain.outcome import Refusal
from kraty_actors.gateway import translate
from kraty_actors.gateway.figures import Figures
from kraty_actors.gateway.frames import SharedPush
from kraty_actors.gateway.outbox import Outbox
from kraty_persistence import StoreUnavailable
from kraty_protocol.check import board_check

CHECK_EVERY = 16
"""Every so many deltas of a view carry a checksum of its rows."""

REMOVED_MAX = 1_000
"""Rows that left a view, remembered for deltas to those who still have them."""

KEPT_SECONDS = 300
"""How long a view is remembered after its last watcher left, for those who come back."""

KEPT_ROWS_MAX = 200_000
"""Rows of all views without a watcher that are remembered; past it those that were left first are forgotten."""

Map = dict[str, Any]


@dataclass(slots=True, frozen=True)
class ViewKey:
    """Which part of which board: the union of the top `limit`, `spread` rows around someone, and `picked` ones."""

    board: str
    limit: int
    around: int | None
    spread: int
    picked: tuple[int, ...]

    def query(self) -> GetBoard:
        return GetBoard(limit=self.limit, around=self.around, spread=self.spread, picked=self.picked)


@dataclass(slots=True, eq=False)
class View:
    """The rows as they were last told, by participantId, each with the version at which it last changed."""

    key: ViewKey
    sub: str
    rows: dict[str, tuple[Map, int]] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    version: int = 0
    born: int = 0
    total: int = 0
    moves_at: int | None = None
    deltas: int = 0
    is_final: bool = False
    watchers: dict[Watcher, int] = field(default_factory=dict)
    arriving: int = 0
    is_asking: bool = False
    is_dirty: bool = False
    refreshed_at: float = 0.0
    left_at: float = 0.0

    def take(self, version: int, total: int, entries: list[Map]) -> bool:
        """Take over what the board says now; whether the view changed."""
        if version < self.version:
            return False
        fresh = {entry["participantId"]: entry for entry in entries}
        changed = [entry for name, entry in fresh.items() if name not in self.rows or self.rows[name][0] != entry]
        gone = [name for name in self.rows if name not in fresh]
        if not changed and not gone and total == self.total and self.version:
            return False
        for entry in changed:
            self.rows[entry["participantId"]] = (entry, version)
            self.removed.pop(entry["participantId"], None)
        for name in gone:
            del self.rows[name]
            self.removed[name] = version
        self._forget_removed()
        self.version, self.total = version, total
        self.born = self.born or version
        return True

    def _forget_removed(self) -> None:
        """Bound what is remembered of rows that left; who is further behind than that gets a snapshot."""
        if len(self.removed) > REMOVED_MAX:
            by_version = sorted(self.removed.items(), key=lambda item: item[1])
            self.removed = dict(by_version[REMOVED_MAX // 2 :])
            self.born = by_version[REMOVED_MAX // 2 - 1][1]

    def knows(self, version: int) -> bool:
        """Whether a delta from `version` can be computed."""
        return self.born <= version <= self.version

    def entries(self) -> list[Map]:
        return sorted((entry for entry, _ in self.rows.values()), key=lambda entry: entry["rank"])

    def delta(self, since: int) -> Map:
        body: Map = {
            "sub": self.sub,
            "version": self.version,
            "since": since,
            "entries": [entry for entry, version in self.rows.values() if version > since],
            "removed": [name for name, version in self.removed.items() if version > since],
            "total": self.total,
        }
        return body

    def snapshot(self) -> Map:
        return {"sub": self.sub, "version": self.version, "total": self.total, "entries": self.entries()}

    def checksum(self) -> int:
        return board_check((entry["participantId"], entry["score"]) for entry in self.entries())


class Watcher:
    """One connection as the hub sees it. Views keep for each watcher the version that its copy has."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.views: dict[str, View] = {}


class Hub:
    """All views of a server. `moved` costs one look-up for a board that nobody watches."""

    def __init__(self, engine: Engine, tasks: TaskGroup, figures: Figures) -> None:
        self._engine = engine
        self._figures = figures
        self._tasks = tasks
        self._views: dict[ViewKey, View] = {}
        self._by_board: dict[str, list[View]] = {}
        self._left: dict[ViewKey, int] = {}
        self._left_rows = 0
        self._names = count(1)
        self._alarms: dict[str, int] = {}

    @property
    def watchers(self) -> int:
        """Watchers of all views."""
        return sum(len(view.watchers) for view in self._views.values())

    def watchers_by_board(self) -> dict[str, int]:
        """Watchers of each board that has any."""
        counts = {board: sum(len(view.watchers) for view in views) for board, views in self._by_board.items()}
        return {board: count for board, count in counts.items() if count}

    @property
    def views(self) -> int:
        return len(self._views)

    # -- watching

    async def watch(self, watcher: Watcher, key: ViewKey, *, since: int | None = None) -> View | Refusal:
        """Add a watcher to a view, which then is as new as the board. The watcher's copy is as new as the view, or
        has the version `since` and is to be brought up to date by `resume`."""
        view = self._views.get(key) or self._keep(View(key, f"v{next(self._names)}"))
        view.arriving += 1
        self._take_back(key)
        try:
            if view.is_dirty or not view.version or not view.watchers:
                refusal = await self._renew(view)
                if refusal is not None:
                    self._drop(view)
                    return refusal
            view.watchers[watcher] = view.version if since is None else since
            watcher.views[view.sub] = view
        finally:
            view.arriving -= 1
            self._look_whether_left(view)
        self._look_again(view)
        if view.is_dirty:
            self._ask_anew(view)
        return view

    async def _renew(self, view: View) -> Refusal | None:
        """Bring a view up to the board; one that nobody watches was not kept so."""
        if not view.watchers:
            view.is_dirty = False
        return await self._refresh(view)

    def unwatch(self, watcher: Watcher, sub: str) -> bool:
        view = watcher.views.pop(sub, None)
        if view is None:
            return False
        view.watchers.pop(watcher, None)
        self._look_whether_left(view)
        return True

    def _look_whether_left(self, view: View) -> None:
        """Remember a view that nobody watches any more for a while, among so many others."""
        if view.watchers or view.arriving or self._views.get(view.key) is not view:
            return
        view.left_at = anyio.current_time()
        self._take_back(view.key)
        self._left[view.key] = len(view.rows) + 1
        self._left_rows += self._left[view.key]
        while self._left_rows > KEPT_ROWS_MAX:
            self._drop(self._views[next(iter(self._left))])

    def _take_back(self, key: ViewKey) -> None:
        self._left_rows -= self._left.pop(key, 0)

    def leave(self, watcher: Watcher) -> None:
        for sub in list(watcher.views):
            self.unwatch(watcher, sub)

    def known(self, key: ViewKey) -> View | None:
        """A view that is still remembered, for somebody who comes back."""
        return self._views.get(key)

    def resume(self, watcher: Watcher, view: View) -> None:
        """Bring the watcher's copy up to date by a push, unless it is or one did so meanwhile."""
        if view.watchers.get(watcher, view.version) != view.version:
            self._catch_up(view, watcher)

    def forget_old(self) -> None:
        """Drop the views that nobody came back to."""
        before = anyio.current_time() - KEPT_SECONDS
        while self._left:
            view = self._views[next(iter(self._left))]
            if view.left_at >= before:
                return
            self._drop(view)

    def _keep(self, view: View) -> View:
        self._views[view.key] = view
        self._by_board.setdefault(view.key.board, []).append(view)
        return view

    def _drop(self, view: View) -> None:
        self._views.pop(view.key, None)
        self._take_back(view.key)
        others = self._by_board.get(view.key.board, [])
        if view in others:
            others.remove(view)
        if not others:
            self._by_board.pop(view.key.board, None)

    # -- what the board does

    def moved(self, board: str) -> None:
        """The board changed: its views are asked anew, each at most so many times a second, if anybody watches them."""
        for view in self._by_board.get(board, ()):
            view.is_dirty = True
            if view.watchers:
                self._ask_anew(view)

    def _ask_anew(self, view: View) -> None:
        if not view.is_asking:
            view.is_asking = True
            self._tasks.start_soon(self._follow, view)

    def finished(self, board: str) -> None:
        """The board is final: tell everybody who watches, and let them go."""
        for view in list(self._by_board.get(board, ())):
            self._tasks.start_soon(self._finish, view)

    async def _follow(self, view: View) -> None:
        """Ask the board until it is quiet. Merging by time keeps a busy board's pushes few."""
        pause = 1 / self._deltas_per_second()
        try:
            while view.is_dirty:
                await anyio.sleep(max(0.0, view.refreshed_at + pause - anyio.current_time()))
                view.is_dirty = False
                view.refreshed_at = anyio.current_time()
                try:
                    await self._refresh(view)
                except StoreUnavailable:
                    view.is_dirty = True
        finally:
            view.is_asking = False

    async def _finish(self, view: View) -> None:
        view.is_dirty = True
        while view.is_dirty:
            await self._follow(view)
        view.is_final = True
        self._push(view, SharedPush("board.final", _final(view)), list(view.watchers))
        for watcher in list(view.watchers):
            watcher.views.pop(view.sub, None)
        view.watchers.clear()
        self._drop(view)

    def finish_for(self, watcher: Watcher, view: View) -> None:
        """The board was final already when it was asked for."""
        self.unwatch(watcher, view.sub)
        self._push(view, SharedPush("board.final", _final(view)), [watcher])
        self._drop(view)

    async def _refresh(self, view: View) -> Refusal | None:
        """Read the view's part of the board, and tell the watchers what changed in it."""
        board = await self._engine.boards.read(view.key.board, view.key.query())
        if isinstance(board, Refusal):
            return board
        view.is_final = board.finalized
        view.moves_at = board.moves_at
        if view.watchers:
            self._look_again(view)
        players = self._engine.players
        missing = players.missing(standing.participant for standing in board.standings)
        if missing:
            await players.fetch(missing)
        entries = [translate.entry(standing, players) for standing in board.standings]
        before = view.version
        if view.take(board.version, board.total, entries) and view.watchers:
            self._figures.merged["pace"] += view.version - before - 1
            self._tell(view)
        return None

    def _look_again(self, view: View) -> None:
        """When the time-driven bots of a watched board may move next, somebody asks, and they have (R-38)."""
        board, at = view.key.board, view.moves_at
        if at is not None and self._alarms.get(board, 0) < at:
            self._alarms[board] = at
            self._engine.call_at(at, partial(self._rings, board, at))

    def _rings(self, board: str, at: int) -> None:
        if self._alarms.get(board) == at:
            del self._alarms[board]
            if any(view.watchers for view in self._by_board.get(board, ())):
                self.moved(board)

    # -- telling

    def _tell(self, view: View) -> None:
        by_version: dict[int, list[Watcher]] = {}
        for watcher, version in view.watchers.items():
            if watcher.outbox.is_behind:
                self._figures.merged["slow"] += 1
            else:
                by_version.setdefault(version, []).append(watcher)
        if not by_version:
            return
        view.deltas += 1
        for since, watchers in by_version.items():
            self._push(view, self._news(view, since), watchers)

    def _catch_up(self, view: View, watcher: Watcher) -> None:
        self._push(view, self._news(view, view.watchers[watcher]), [watcher])

    def _news(self, view: View, since: int) -> SharedPush:
        if not view.knows(since):
            return SharedPush("board.snapshot", view.snapshot())
        body = view.delta(since)
        if view.deltas % CHECK_EVERY == 0:
            body["check"] = view.checksum()
        return SharedPush("board.delta", body)

    def _push(self, view: View, push: SharedPush, watchers: list[Watcher]) -> None:
        self._figures.deltas += 1
        self._figures.deliveries += len(watchers)
        for watcher in watchers:
            if watcher in view.watchers:
                view.watchers[watcher] = view.version
            watcher.outbox.send_shared(push)

    def caught_up(self, watcher: Watcher) -> None:
        """A slow connection has room again: one merged delta for each of its views."""
        for view in watcher.views.values():
            if view.watchers[watcher] != view.version:
                self._catch_up(view, watcher)

    def _deltas_per_second(self) -> int:
        return self._engine.catalogue.limits.deltas_per_second


def _final(view: View) -> Map:
    return {"sub": view.sub, "version": view.version, "entries": view.entries()}
