"""What players, matchmakers and operators ask of a window's lobbies (R-31): which of it may be done now."""

from __future__ import annotations

from kraty_actors.domain.floor import Floor
from kraty_actors.domain.lobby import Lobby, LobbyView
from kraty_actors.domain.outcome import Audited, Outcome, Plain, Refusal
from kraty_actors.domain.placement.lobbies import Lobbies
from kraty_actors.domain.window_messages import GetForming, GetLobby, Leave, Presence, PushLobby, StartLobby, Unseat

EVERYONE = 0
"""The player of a `Presence` that is about all of them."""

LobbyCommand = GetForming | GetLobby | Leave | Presence | PushLobby | StartLobby | Unseat


def apply(floor: Floor, command: LobbyCommand, now: int) -> Outcome:
    """Answer one command about the lobbies of a window."""
    match command:
        case GetForming():
            return Outcome(reply=[player for lobby in _forming(floor) for player in lobby.seats])
        case Presence():
            return _presence(floor, command)
        case PushLobby():
            return _push(floor, command, now)
        case Unseat():
            return _unseat(floor, command, now)
    lobbies = floor.lobbies
    lobby = lobbies.get(command.number) if lobbies is not None else None
    if lobbies is None or lobby is None or (isinstance(command, Leave) and command.player not in lobby.seats):
        return Outcome(reply=Refusal("not_found", "no such lobby"))
    if isinstance(command, GetLobby):
        return Outcome(reply=floor.lobby_view(lobby))
    status = "closed" if floor.is_over else lobby.status
    if status != "forming":
        return Outcome(reply=Refusal("conflict", f"the lobby is {status}: it forms no longer", {"state": status}))
    return _change(floor, lobbies, lobby, command, now)


def _change(floor: Floor, lobbies: Lobbies, lobby: Lobby, command: Leave | StartLobby, now: int) -> Outcome:
    if isinstance(command, Leave):
        return floor.carry_out(lobbies.leave(lobby, command.player), now)
    if floor.opening.is_paused:
        return Outcome(reply=Refusal("conflict", "the event is paused: nothing starts in it", {"state": "paused"}))
    started = floor.carry_out(lobbies.start(lobby, now), now)
    return _audited(started, command.who, "lobbies.start", "forming", now)


def _unseat(floor: Floor, command: Unseat, now: int) -> Outcome:
    """Only a seat that nothing was started from; who has paid meanwhile keeps it."""
    lobby, member = floor.lobby(command.number), floor.members.get(command.player)
    if floor.lobbies is None or lobby is None or member is None or member.contest != command.number:
        return Outcome()
    if floor.is_over or lobby.is_forming or member.attempts:
        return Outcome()
    return floor.carry_out(floor.lobbies.unseat(lobby, command.player), now)


def _push(floor: Floor, command: PushLobby, now: int) -> Outcome:
    if floor.lobbies is None:
        mode = floor.rules.event.leaderboard.mode
        return Outcome(reply=Refusal("conflict", f"an event of mode '{mode}' has no lobbies", {"state": mode}))
    if floor.has_ended(now):
        return Outcome(reply=Refusal("no_active_window", "the window has ended", {"opensAt": None}))
    pushed = floor.lobbies.push(command, now, placed=floor.members)
    if isinstance(pushed, Refusal):
        return Outcome(reply=pushed)
    return _audited(floor.carry_out(pushed, now), command.who, "lobbies.push", None, now)


def _audited(outcome: Outcome, who: str, action: str, before: Plain, now: int) -> Outcome:
    """What was done to a lobby leaves who did it behind; a repeat, which does nothing, does not."""
    lobby = outcome.reply
    if outcome.traced and isinstance(lobby, LobbyView):
        outcome.effects = [Audited(who, action, lobby.lobby_id, before, lobby.status, now)]
    return outcome


def _presence(floor: Floor, command: Presence) -> Outcome:
    """News only of players whose lobby still forms."""
    if command.player == EVERYONE:
        found = [(lobby, player) for lobby in _forming(floor) for player in lobby.seats]
    else:
        member = floor.members.get(command.player)
        lobby = None if member is None or floor.is_over else floor.lobby(member.contest)
        found = [(lobby, command.player)] if lobby is not None and lobby.is_forming else []
    lobbies = floor.lobbies
    if lobbies is None:
        return Outcome()
    changed = [player for lobby, player in found if lobbies.take_presence(lobby, player, is_here=command.here)]
    return Outcome(traced=bool(changed))


def _forming(floor: Floor) -> list[Lobby]:
    return [] if floor.lobbies is None or floor.is_over else list(floor.lobbies.forming())
