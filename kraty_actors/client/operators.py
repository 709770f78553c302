"""The calls of operators: definitions, and steering events while they are live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from kraty_actors.client.asking import Asking
from kraty_protocol.shapes import Attempt, DefinedEvent, DefinedLeaderboard, GameChanged, Lobby, Report, Window


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
