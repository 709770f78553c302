"""`lobby_matched`: small boards that begin when they are full, when they have waited long enough, or when the game's
own matchmaker says so (R-31)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from itertools import chain, islice

from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.frozen import Frozen
from kraty_actors.domain.lobby import Lobby
from kraty_actors.domain.outcome import Plain, Refusal
from kraty_actors.domain.placement.decision import Decision, NewBoard, Placement
from kraty_actors.domain.placement.forming import Forming
from kraty_actors.domain.window_messages import Admit, OpenWindow, PushLobby

LOBBIES_PER_STEP = 50
"""Lobbies whose wait is ended in one go, so that other actors keep answering when many end at once."""


class Lobbies(Placement):
    """Every lobby of one window. A lobby's number is its contest's, and is never given twice."""

    def __init__(self, event: EventDefinition, opening: OpenWindow) -> None:
        board = event.leaderboard
        self._capacity = board.seats or 0
        self._bots = event.bot_count
        self._is_external = board.matchmaking == "external"
        self._strategy = opening.fill_strategy
        self._timeout_ms = opening.fill_timeout_seconds * 1000
        self._numbers = 0
        self._all: dict[int, Lobby] = {}
        self._by_key: dict[str, Lobby] = {}
        self._forming = Forming(board.match_by)
        self._frozen: Frozen[int] | None = None

    # -- players

    def place(self, newcomer: Admit, now: int) -> Decision:
        """A seat in a lobby that forms; the last one starts it. With external matchmaking there is none to give."""
        if self._is_external:
            return Decision(is_traced=False)
        trait = self._forming.trait(newcomer.trait)
        found = self._forming.find(trait, now)
        lobby = found or self._new(now)
        created = [] if found is not None else [lobby]
        self._changing(lobby)
        decision = Decision(places={newcomer.player: lobby.number}, created=created, lobby=lobby)
        self._forming.sit(lobby, newcomer.player, trait)
        self._start_if_full(lobby, now, decision)
        return decision

    def wait(self, lobby: Lobby, player: int) -> Decision:
        """The player asks to start while their lobby forms: they are there."""
        return Decision(lobby=lobby, is_traced=self.take_presence(lobby, player, is_here=True))

    def take_presence(self, lobby: Lobby, player: int, *, is_here: bool) -> bool:
        """The seated player came or went; whether that is news."""
        self._changing(lobby)
        return lobby.take_presence(player, is_here=is_here)

    def leave(self, lobby: Lobby, player: int) -> Decision:
        """The player gives up the seat in a lobby that forms."""
        decision = Decision(places={player: None}, lobby=lobby)
        self._vacate(lobby, player, decision)
        return decision

    def unseat(self, lobby: Lobby, player: int) -> Decision:
        """The player loses the seat in a lobby that has started; it stays empty."""
        self._changing(lobby)
        decision = Decision(places={player: None}, lobby=lobby)
        del lobby.seats[player]
        decision.tell(lobby, player)
        return decision

    # -- matchmakers and operators

    def push(self, command: PushLobby, now: int, placed: Container[int]) -> Decision | Refusal:
        """A lobby of these players, active at once; the same one again if its key is known."""
        capacity = self._capacity if command.capacity is None else command.capacity
        known = self._by_key.get(command.key)
        if known is not None:
            if known.capacity == capacity and known.seats.keys() == set(command.players):
                return Decision(lobby=known, is_traced=False)
            return Refusal("idempotency_conflict", f"the lobby '{command.key}' was pushed with other players or seats")
        refusal = _refused_players(command.players, capacity, placed)
        if refusal is not None:
            return refusal
        lobby = self._number(capacity, min(self._bots, capacity - len(command.players)), now)
        lobby.key, lobby.metadata, lobby.started_at = command.key, command.metadata, now
        lobby.seats = dict.fromkeys(command.players, False)
        self._by_key[command.key] = lobby
        decision = Decision(dict.fromkeys(command.players, lobby.number), [NewBoard(lobby.number, lobby.bots)])
        decision.lobby, decision.created = lobby, [lobby]
        decision.tell(lobby)
        return decision

    def start(self, lobby: Lobby, now: int) -> Decision:
        """The lobby, which forms, begins with who is there."""
        decision = Decision(lobby=lobby)
        self._start(lobby, now, decision)
        return decision

    # -- time

    @property
    def wake_at(self) -> int | None:
        """When the next wait ends. All wait equally long, so it is that of the oldest."""
        oldest = self._forming.oldest
        return oldest.fill_by if oldest is not None else None

    def end_waits(self, now: int) -> Decision:
        """What has waited long enough starts; a player who is alone moves first to another lobby, if one takes them."""
        decision = Decision()
        for lobby in list(islice(self._forming, LOBBIES_PER_STEP)):
            if lobby.fill_by is None or lobby.fill_by > now:
                break
            if lobby.is_forming and not (len(lobby.seats) == 1 and self._move(lobby, now, decision)):
                self._start(lobby, now, decision)
        return decision

    def _move(self, lobby: Lobby, now: int, decision: Decision) -> bool:
        ((player, is_here),) = lobby.seats.items()
        trait = lobby.traits[player]
        other = self._forming.find(trait, now, leaving=lobby)
        if other is None:
            return False
        self._vacate(lobby, player, decision)
        self._changing(other)
        self._forming.sit(other, player, trait, is_here=is_here)
        decision.places[player] = other.number
        self._start_if_full(other, now, decision)
        return True

    # -- one lobby

    def _new(self, now: int) -> Lobby:
        lobby = self._number(self._capacity, self._bots, now)
        lobby.fill_by = None if self._strategy == "wait_full" else now + self._timeout_ms
        return lobby

    def _number(self, capacity: int, bots: int, now: int) -> Lobby:
        self._numbers += 1
        lobby = self._all[self._numbers] = Lobby(self._numbers, capacity, bots, now)
        return lobby

    def _start_if_full(self, lobby: Lobby, now: int, decision: Decision) -> None:
        if lobby.empty_seats:
            decision.tell(lobby)
        else:
            self._start(lobby, now, decision)

    def _start(self, lobby: Lobby, now: int, decision: Decision) -> None:
        self._changing(lobby)
        self._forming.remove(lobby)
        lobby.started_at = now
        if self._strategy == "fill_with_bots" and self._bots:
            lobby.bots += lobby.empty_seats
        decision.opened.append(NewBoard(lobby.number, lobby.bots))
        decision.starts += [player for player, is_here in lobby.seats.items() if is_here]
        decision.tell(lobby)

    def _vacate(self, lobby: Lobby, player: int, decision: Decision) -> None:
        self._changing(lobby)
        self._forming.leave(lobby, player)
        if not lobby.seats:
            del self._all[lobby.number]
        decision.tell(lobby, player)

    def _changing(self, lobby: Lobby) -> None:
        if self._frozen is not None:
            self._frozen.keep(lobby.number)

    # -- reading

    def get(self, number: int) -> Lobby | None:
        return self._all.get(number)

    def forming(self) -> Iterable[Lobby]:
        return self._forming

    def dump(self) -> Iterable[Plain]:
        self._frozen = frozen = Frozen(self._dumped)
        return chain([self._numbers], self._lobbies(frozen, range(1, self._numbers + 1)))

    def _lobbies(self, frozen: Frozen[int], numbers: Iterable[int]) -> Iterator[Plain]:
        try:
            for number in numbers:
                yield from frozen.entries((number,))
        finally:
            if self._frozen is frozen:
                self._frozen = None

    def _dumped(self, number: int) -> Plain:
        lobby = self._all.get(number)
        return None if lobby is None else lobby.dump()

    def restore(self, rows: Iterable[Plain]) -> None:
        numbers, *lobbies = rows
        self._numbers = numbers
        for lobby in map(Lobby.restored, lobbies):
            self._all[lobby.number] = lobby
            if lobby.key is not None:
                self._by_key[lobby.key] = lobby
            if lobby.is_forming:
                self._forming.add(lobby)


def _refused_players(players: list[int], capacity: int, placed: Container[int]) -> Refusal | None:
    """R-31: nobody twice, nobody too many, nobody who has a place; each is named."""
    twice = [player for at, player in enumerate(players) if player in players[:at]]
    faults = [
        ("nobody can be in a lobby twice", twice),
        (f"the lobby has {capacity} seats", players[capacity:]),
        ("these players have a place in this window already", [player for player in players if player in placed]),
    ]
    for message, named in faults:
        if named:
            return Refusal("validation_failed", message, {"path": "playerIds", "players": named})
    return None
