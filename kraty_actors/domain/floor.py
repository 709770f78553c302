"""The floor of one window: who has which place, and which contests were opened. It does what a placement decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice

from kraty_actors.domain.admission import Member, is_due
from kraty_actors.domain.contest_messages import Amend, Open, Seat
from kraty_actors.domain.days import day_start
from kraty_actors.domain.frozen import Arrivals, Frozen, in_parts
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.lobby import Lobby, LobbyView, Unmatched
from kraty_actors.domain.outcome import Charged, Command, Effect, Message, Notice, Outcome, Plain
from kraty_actors.domain.placement import placement_of
from kraty_actors.domain.placement.decision import Decision, NewBoard
from kraty_actors.domain.placement.lobbies import Lobbies
from kraty_actors.domain.placement.one_board import ONLY, OneBoard
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window_messages import GetMember, Invitation, MemberView, OpenWindow, Placed

ROWS_PER_PART = 500
"""Players or boards in one part of a checkpoint: less than a millisecond of packing."""

LOBBIES_PER_PART = 50


class Floor:
    """See the module. `opening` says how the window is now, not how it began: its end may move, it may be paused.
    `participants` are the players with an attempt."""

    def __init__(self, window_id: str, rules: Rules, opening: OpenWindow) -> None:
        self.window_id = window_id
        self.rules = rules
        self.opening = opening
        self.amended: Amend | None = None
        self.is_over = False
        self.members: dict[int, Member] = {}
        self._arrivals: Arrivals[int] = Arrivals()
        self._frozen: Frozen[int] | None = None
        self.participants = 0
        self.contests: list[int] = []
        self.placement = placement_of(rules, opening)

    @property
    def lobbies(self) -> Lobbies | None:
        """The lobbies, in the one mode that has them."""
        return self.placement if isinstance(self.placement, Lobbies) else None

    def lobby(self, number: int) -> Lobby | None:
        """The lobby of that number, if it stands."""
        return self.lobbies.get(number) if self.lobbies is not None else None

    def has_opened(self, number: int) -> bool:
        """Whether the place of that number is a contest, and not a lobby that forms."""
        lobby = self.lobby(number)
        return lobby is None or lobby.started_at is not None

    def has_ended(self, now: int) -> bool:
        ends_at = self.opening.ends_at
        return self.is_over or (ends_at is not None and now >= ends_at)

    # -- what is decided

    def begin(self) -> list[Message]:
        """The board that begins with the window, if its mode has one."""
        if not isinstance(self.placement, OneBoard):
            return []
        return self._open(NewBoard(ONLY, bots=None if self.rules.has_board else 0), self.opening.starts_at)

    def carry_out(self, decision: Decision, now: int, asker: int | None = None, *, announce: bool = False) -> Outcome:
        """Give places, open boards, start attempts and push lobbies; `asker` is answered, and told only where that is
        to be announced. Where a start is to be paid for, others than the asker are invited to do so."""
        for player, number in decision.places.items():
            if number is None:
                self.changing(player)
                del self.members[player]
                self._arrivals.left(player)
            elif player in self.members:
                self.changing(player).contest = number
            else:
                self.members[player] = Member(number)
                self._arrivals.came(player)
        messages = [message for board in decision.opened for message in self._open(board, now)]
        notices = [self.lobby_notice(lobby, *players) for lobby, players in decision.told.values()]
        notices += self._lobby_news(decision)
        effects: list[Effect] = []
        for player in decision.starts:
            if is_due(self.rules, self.members[player].charges):
                if player != asker:
                    notices.append(self._invitation(player))
                    continue
                effects.append(self._charge(player, now))
            messages.append(self._start(player, now, announce=announce or player != asker))
        reply = self._reply(decision, asker)
        return Outcome(reply=reply, traced=decision.is_traced, messages=messages, notices=notices, effects=effects)

    def _lobby_news(self, decision: Decision) -> Iterable[Notice]:
        """Which lobbies came about, started, or were left by everybody: for those who are told outside."""
        for lobby in decision.created:
            yield Notice("lobby.created", (), self.lobby_view(lobby))
        for board in decision.opened:
            started = self.lobby(board.number)
            if started is not None:
                yield Notice("lobby.started", (), self.lobby_view(started))
        for lobby, _ in decision.told.values():
            if lobby.status == "closed":
                yield Notice("lobby.closed", (), self.lobby_view(lobby))

    def _reply(self, decision: Decision, asker: int | None) -> Placed | LobbyView | Unmatched:
        if asker in decision.starts:
            return Placed(contest_id(self.window_id, self.members[asker].contest), is_new=True)
        if decision.lobby is not None:
            return self.lobby_view(decision.lobby)
        return Unmatched(self.rules.event.key, self.window_id)

    def _open(self, board: NewBoard, starts_at: int) -> list[Message]:
        self.contests.append(board.number)
        opening = self.opening
        command = Open(
            event_key=opening.event_key,
            revision=opening.revision,
            seed=opening.seed,
            starts_at=starts_at,
            ends_at=opening.ends_at,
            bot_seats=board.bots,
            bot_tick_seconds=opening.bot_tick_seconds,
            boards=opening.boards,
            is_paused=opening.is_paused,
            league=self.placement.league_of(board.number),
        )
        said: list[Command] = [command] if self.amended is None else [command, self.amended]
        return [self.message(board.number, one) for one in said]

    def changing(self, player: int) -> Member:
        """A member who is about to change; a checkpoint that is being written shows them as they were."""
        if self._frozen is not None:
            self._frozen.keep(player)
        return self.members[player]

    def _start(self, player: int, now: int, *, announce: bool) -> Message:
        member = self.changing(player)
        self.participants += not member.attempts
        member.start(day_start(now, self.opening.timezone))
        return self.message(member.contest, Seat(player, announce=announce))

    def _charge(self, player: int, now: int) -> Charged:
        """The debit, in the commit that admits the player (R-20)."""
        member = self.changing(player)
        member.charges += 1
        name = self.charge(member.charges)
        return Charged(player, name, self.rules.costs, self.window_id, now)

    def charge(self, nth: int) -> str:
        """The name of a player's nth charge in this window: a retried start has the same one (R-21)."""
        return f"entry:{self.window_id}" if nth == 1 else f"entry:{self.window_id}:{nth}"

    def _invitation(self, player: int) -> Notice:
        lobby_id = contest_id(self.window_id, self.members[player].contest)
        return Notice("invitation", (player,), Invitation(self.window_id, self.rules.event.key, lobby_id))

    def tell(self, command: Command) -> list[Message]:
        """The same to every contest."""
        return [self.message(number, command) for number in self.contests]

    def message(self, number: int, command: Command) -> Message:
        return Message(contest_id(self.window_id, number), command)

    def change(self, **fields: Plain) -> None:
        """The window is otherwise from now on."""
        self.opening = replace(self.opening, **fields)

    def close(self) -> list[int]:
        """Nobody is let in any more. The numbers of all who are to hear of it: contests, and lobbies without one."""
        self.is_over = True
        forming = () if self.lobbies is None else self.lobbies.forming()
        return [*self.contests, *(lobby.number for lobby in forming)]

    # -- what is seen

    def state_notice(self, state: str) -> Notice:
        """A push to everyone who has a place here."""
        body = {"eventKey": self.rules.event.key, "windowId": self.window_id, "state": state}
        return Notice("event.state", self.members.keys(), body)

    def lobby_notice(self, lobby: Lobby, *others: int) -> Notice:
        """A push of the lobby to its players and to `others`."""
        view = self.lobby_view(lobby)
        return Notice("lobby", view.players | set(others), view)

    def lobby_view(self, lobby: Lobby) -> LobbyView:
        return LobbyView(
            lobby_id=contest_id(self.window_id, lobby.number),
            event_key=self.rules.event.key,
            window_id=self.window_id,
            status="closed" if self.is_over else lobby.status,
            capacity=lobby.capacity,
            participant_count=len(lobby.seats),
            bot_slots=lobby.bots,
            fill_by=lobby.fill_by if lobby.is_forming else None,
            started_at=lobby.started_at,
            ends_at=self.opening.ends_at,
            players=frozenset(lobby.seats),
            key=lobby.key,
            metadata=lobby.metadata,
        )

    def member_view(self, query: GetMember) -> MemberView:
        member = self.members.get(query.player)
        lobby = None if member is None else self.lobby(member.contest)
        number = ONLY if member is None and isinstance(self.placement, OneBoard) else None
        if member is not None and (lobby is None or lobby.started_at is not None):
            number = member.contest
        contest = None if number is None else contest_id(self.window_id, number)
        seen = member or Member(0)
        return MemberView(
            contest_id=contest,
            lobby=None if lobby is None else self.lobby_view(lobby),
            running=seen.running,
            completed=seen.completed,
            attempts=seen.attempts,
            started_since=seen.started_since(query.since),
            league=None if member is None else self.placement.league_of(member.contest),
            board_id=contest if self.rules.has_board else None,
            charges=seen.charges,
        )

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        """Parts of `[what they are, rows]`, as all stands now, however late they are asked for."""
        self._frozen = frozen = Frozen(self._dumped)
        contests = ["contests", list(self.contests)]
        placement = parts("placement", self.placement.dump(), LOBBIES_PER_PART if self.lobbies else ROWS_PER_PART)
        members = in_parts(self._arrivals.order, ROWS_PER_PART)
        return chain([contests], placement, self._members(frozen, members))

    def _members(self, frozen: Frozen[int], some: Iterable[Sequence[int]]) -> Iterator[Plain]:
        try:
            yield from (["members", rows] for players in some if (rows := frozen.entries(players)))
        finally:
            if self._frozen is frozen:
                self._frozen = None

    def _dumped(self, player: int) -> Plain:
        member = self.members.get(player)
        return None if member is None else [player, *member.dump()]

    def restore(self, rows: Mapping[str, list[Plain]]) -> None:
        """Take over the rows of all parts by what they are."""
        self.contests = rows["contests"]
        self.placement.restore(rows.get("placement", ()))
        self.members = {player: Member(*plain) for player, *plain in rows.get("members", ())}
        self._arrivals = Arrivals(self.members)
        self.participants = sum(1 for member in self.members.values() if member.attempts)


def parts(kind: str, rows: Iterable[Plain], size: int = ROWS_PER_PART) -> Iterable[Plain]:
    """Rows as parts of a checkpoint; none where there are no rows."""
    left = iter(rows)
    while part := list(islice(left, size)):
        yield [kind, part]
