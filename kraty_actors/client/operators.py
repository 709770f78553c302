"""The calls of operators: definitions, steering events while they are live, and inquiries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from kraty_actors.client.asking import Asking
from kraty_protocol.explained_shapes import Explained
from kraty_protocol.operator_shapes import (
    Anomalies,
    AuditTrail,
    CorrectionPlan,
    DefinedEvent,
    DefinedLeaderboard,
    Deliveries,
    GameChanged,
    Lookup,
    Preview,
    Report,
    ServerStats,
)
from kraty_protocol.shapes import Attempt, Lobby, Window
from kraty_protocol.simulated_shapes import Simulated


class OperatorCalls:
    """What needs an operator's token. Instants are text, as they travel: RFC 3339 with a zone."""

    def __init__(self, asking: Asking) -> None:
        self._call = asking.call
        self._ask = asking.ask

    # Definitions

    async def put_game(self, game: Mapping[str, Any]) -> GameChanged:
        """Take over a whole game file, or nothing of it."""
        return cast("GameChanged", await self._ask("game.put", game=game))

    async def put_event(self, event: Mapping[str, Any]) -> DefinedEvent:
        """Define an event, or a new revision of it."""
        return cast("DefinedEvent", await self._ask("events.put", event=event))

    async def event(self, event_key: str) -> DefinedEvent:
        """An event's definition and where it stands."""
        return await self._event("events.get", event_key)

    async def put_board(self, leaderboard: Mapping[str, Any]) -> DefinedLeaderboard:
        """Define a shared board."""
        return cast("DefinedLeaderboard", await self._ask("boards.put", leaderboard=leaderboard))

    async def preview(
        self,
        event: str | Mapping[str, Any],
        metrics: Mapping[str, float],
        *,
        rank: int | None = None,
        winner_count: int | None = None,
        seed: int | None = None,
    ) -> Preview:
        """What final values of the metrics would come to; nothing is written anywhere.

        Args:
            event: The key of an event in any state, or a definition.
            metrics: Raw values; 0 where nothing is said.
            rank: The place on the board, from 1 (the default).
            winner_count: Among how many a pool is shared (1).
            seed: Rolls what chance has a part in.
        """
        name = "eventKey" if isinstance(event, str) else "event"
        asked = {name: event, "metrics": dict(metrics), "rank": rank, "winnerCount": winner_count, "seed": seed}
        return cast("Preview", await self._ask("events.preview", **asked))

    async def simulate(
        self,
        event: str | Mapping[str, Any],
        players: int,
        *,
        seed: int | None = None,
        behaviour: str | None = None,
        runs: int | None = None,
        afford: float | None = None,
    ) -> Simulated:
        """What whole windows would come to with simulated players, in up to a minute; nothing is written anywhere.

        Args:
            event: The key of an event in any state, or a definition.
            players: How many come.
            seed: The root of all chance (0).
            behaviour: How they play ("mixed").
            runs: How many windows (1).
            afford: The share of players who can pay to enter, 0..1 (1).
        """
        name = "eventKey" if isinstance(event, str) else "event"
        asked = {name: event, "players": players, "seed": seed, "behaviour": behaviour, "runs": runs, "afford": afford}
        return cast("Simulated", await self._ask("events.simulate", **asked))

    async def archive_board(self, board_key: str) -> DefinedLeaderboard:
        """Let a shared board take no more scores; it stays readable."""
        return cast("DefinedLeaderboard", await self._ask("boards.archive", boardKey=board_key))

    # An event's life

    async def publish(self, event_key: str) -> DefinedEvent:
        """Let a draft's windows come."""
        return await self._event("events.publish", event_key)

    async def unpublish(self, event_key: str) -> DefinedEvent:
        """Make an event a draft again, before its first window."""
        return await self._event("events.unpublish", event_key)

    async def pause(self, event_key: str) -> DefinedEvent:
        """Refuse starts, writes and finishes until `resume`; clocks run on."""
        return await self._event("events.pause", event_key)

    async def resume(self, event_key: str) -> DefinedEvent:
        """End a pause."""
        return await self._event("events.resume", event_key)

    async def finalize(self, event_key: str, window_id: str | None = None) -> list[Window]:
        """Close and settle all open windows of an event, or one."""
        ok = await self._ask("events.finalize", eventKey=event_key, windowId=window_id)
        return cast("list[Window]", ok["windows"])

    async def _event(self, op: str, event_key: str) -> DefinedEvent:
        return cast("DefinedEvent", await self._ask(op, eventKey=event_key))

    # Windows

    async def windows(self, event_key: str) -> list[Window]:
        """Open and upcoming windows in order, then the last ten that have closed."""
        return cast("list[Window]", (await self._ask("windows.list", eventKey=event_key))["windows"])

    async def override_window(self, window_id: str, metadata: Mapping[str, Any] | None) -> Window:
        """Replace a window's own metadata; None takes them away."""
        ok = await self._call("windows.override", {"windowId": window_id, "metadata": metadata})
        return cast("Window", ok["window"])

    async def copy_previous_override(self, window_id: str) -> Window:
        """Take over the own metadata of the window before."""
        return await self._window("windows.copyPrevious", window_id)

    async def extend_window(self, window_id: str, ends_at: str) -> Window:
        """Move a window's end, and that of the attempts that end with it, to a later instant."""
        ok = await self._ask("windows.extend", windowId=window_id, endsAt=ends_at)
        return cast("Window", ok["window"])

    async def cancel_window(self, window_id: str) -> Window:
        """End a window without rewards; entry costs go back."""
        return await self._window("windows.cancel", window_id)

    async def window_report(self, window_id: str) -> Report:
        """What a finalized window came to."""
        return cast("Report", (await self._ask("windows.report", windowId=window_id))["report"])

    async def correct_window(self, window_id: str, without: Iterable[str], *, apply: bool = False) -> CorrectionPlan:
        """Who of a finalized window would have got what without these players; with `apply`, give and take it."""
        fields = {"windowId": window_id, "without": list(without), "apply": apply}
        return cast("CorrectionPlan", await self._ask("windows.correct", **fields))

    async def _window(self, op: str, window_id: str) -> Window:
        return cast("Window", (await self._ask(op, windowId=window_id))["window"])

    # Lobbies and attempts

    async def start_lobby(self, lobby_id: str) -> Lobby:
        """Start a forming lobby with who is there."""
        return cast("Lobby", (await self._ask("lobbies.start", lobbyId=lobby_id))["lobby"])

    async def force_complete(self, attempt_id: str, score: float | None = None) -> Attempt:
        """Complete an attempt in progress, with its own score unless one is given."""
        return cast(
            "Attempt", (await self._ask("attempts.forceComplete", attemptId=attempt_id, score=score))["attempt"]
        )

    async def void(self, attempt_id: str, reason: str) -> Attempt:
        """Let an attempt count for nothing, until its window is finalized."""
        return cast("Attempt", (await self._ask("attempts.void", attemptId=attempt_id, reason=reason))["attempt"])

    # Inquiries; pass `next` of a page as `after` for the page behind it

    async def lookup(self, player_id: str) -> Lookup:
        """Who a player is, what they have, and the last 50 of their attempts, grants and anomalies."""
        return cast("Lookup", await self._ask("players.lookup", playerId=player_id))

    async def explain(self, window_id: str, player_id: str, *, at: str | None = None) -> Explained:
        """Why a player stood where they stood in a window, at an instant (RFC 3339), by default now."""
        return cast("Explained", await self._ask("events.explain", windowId=window_id, playerId=player_id, at=at))

    async def anomalies(
        self,
        *,
        player_id: str | None = None,
        event_key: str | None = None,
        limit: int | None = None,
        after: str | None = None,
    ) -> Anomalies:
        """A page of what validators found, newest first: of one player, of one event, or of all."""
        page = {"playerId": player_id, "eventKey": event_key, "limit": limit, "after": after}
        return cast("Anomalies", await self._ask("anomalies.list", **page))

    async def audit(self, *, limit: int | None = None, after: str | None = None) -> AuditTrail:
        """A page of what was changed by whom, newest first."""
        return cast("AuditTrail", await self._ask("audit.list", limit=limit, after=after))

    async def stats(self, *, limit: int | None = None) -> ServerStats:
        """How the server stands, and its busiest actors."""
        return cast("ServerStats", await self._ask("stats", limit=limit))

    async def dead_deliveries(self, *, limit: int | None = None, after: str | None = None) -> Deliveries:
        """A page of the webhook calls that were given up, newest first."""
        return cast("Deliveries", await self._ask("webhooks.dead", limit=limit, after=after))

    async def replay_deliveries(self, ids: Iterable[str] | None = None) -> int:
        """Try again what was given up, all of it or what is named; how many there were."""
        named = None if ids is None else list(ids)
        return cast("int", (await self._ask("webhooks.replay", ids=named))["replayed"])
