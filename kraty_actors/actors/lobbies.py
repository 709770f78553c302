"""Lobbies as players, matchmakers and operators ask about them (R-31)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from kraty_actors.actors.world import World
from kraty_actors.domain.ids import is_contest, last_number, parent
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Command, Notice, Plain, Refusal
from kraty_actors.domain.window_messages import GetForming, GetLobby, Leave, Presence, PushLobby, StartLobby
from kraty_persistence import PlayerRow

EVERYONE = 0


class Lobbies:
    """Also knows who waits in a lobby that forms, so that only their coming and going is told to its window."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._forming: dict[int, set[str]] = {}

    async def get(self, player: int, lobby_id: str) -> LobbyView | Refusal:
        """A lobby in which the player has a seat."""
        view = await self._ask(lobby_id, GetLobby(last_number(lobby_id) or 0))
        return view if isinstance(view, Refusal) or player in view.players else _not_found()

    async def leave(self, player: int, lobby_id: str) -> LobbyView | Refusal:
        """Give up a seat in a lobby that forms."""
        return await self._ask(lobby_id, Leave(player, last_number(lobby_id) or 0))

    async def start(self, lobby_id: str, *, who: str) -> LobbyView | Refusal:
        """Start a lobby that forms, with who is there."""
        return await self._ask(lobby_id, StartLobby(last_number(lobby_id) or 0, who))

    async def push(
        self,
        event_key: str,
        key: str,
        players: Sequence[PlayerRow],
        capacity: int | None,
        metadata: dict[str, Plain],
        *,
        who: str,
    ) -> LobbyView | Refusal:
        """A lobby of the game's own matchmaker, in the event's current window."""
        now = self._world.now_ms()
        event = (await self._world.catalogue_at(now)).events.get(event_key)
        if event is None:
            return Refusal("not_found", f"no event '{event_key}'")
        if event.event.leaderboard.mode != "lobby_matched":
            mode = event.event.leaderboard.mode
            return Refusal("conflict", f"{event_key} has no lobbies: its mode is {mode}", {"state": mode})
        if event.state in ("draft", "paused"):
            return Refusal("event_disabled", f"{event_key} is {event.state}", {"state": event.state})
        banned = [player.player_id for player in players if player.banned]
        if banned:
            message = f"these players are banned: {', '.join(banned)}"
            return Refusal("player_banned", message, {"path": "playerIds", "players": banned})
        window = event.current(now)
        if window is None:
            details = {"opensAt": event.next_start(now)}
            return Refusal("no_active_window", f"{event_key} has no open window", details)
        pushed = PushLobby(key, [player.number for player in players], capacity, metadata, who)
        view = await self._world.loop.call(window.window_id, pushed)
        if isinstance(view, Refusal) and "players" in view.details:
            names = {player.number: player.player_id for player in players}
            named = [names[number] for number in view.details["players"]]
            message = f"{view.message}: {', '.join(named)}"
            return Refusal(view.code, message, {**view.details, "players": named})
        return cast("LobbyView | Refusal", view)

    async def _ask(self, lobby_id: str, command: Command) -> LobbyView | Refusal:
        if not is_contest(lobby_id):
            return _not_found()
        view = await self._world.loop.call(parent(lobby_id), command)
        if isinstance(view, LobbyView) or (isinstance(view, Refusal) and view.code != "not_found"):
            return view
        return _not_found()

    # -- who is there while a lobby forms

    def presence(self, player: int, *, here: bool) -> None:
        """A player connected or left."""
        for window in self._forming.get(player, ()):
            self._world.loop.ask(window, Presence(player, here))

    def told(self, notice: Notice) -> None:
        """A lobby's state is pushed to its players: remember who waits in one that forms."""
        if not notice.push.startswith("lobby"):
            return
        view = notice.body
        if isinstance(view, LobbyView):
            for player in view.players:
                self._remember(player, view.window_id, waits=view.status == "forming")

    def _remember(self, player: int, window: str, *, waits: bool) -> None:
        windows = self._forming.setdefault(player, set())
        (windows.add if waits else windows.discard)(window)
        if not windows:
            del self._forming[player]

    async def recovered(self, windows: Sequence[str]) -> None:
        """After a start nobody is there yet, whoever was when the server went."""
        for window in windows:
            self._world.loop.ask(window, Presence(EVERYONE, here=False))
            forming = await self._world.loop.call(window, GetForming())
            for player in forming if isinstance(forming, list) else ():
                self._remember(player, window, waits=True)


def _not_found() -> Refusal:
    return Refusal("not_found", "no such lobby")
