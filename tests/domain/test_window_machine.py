"""A window of every mode against its twin: gates, limits, places, lobbies, steering, the end, grants and moves in
steps, with a restart between any two of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from playing import HOUR, SEED, START, Book, Journal, event, frozen, rules, thawed
from window_twin import Board, Player, Twin, moves, shares

from kraty_actors.domain import ending as ending_module
from kraty_actors.domain import settling as settling_module
from kraty_actors.domain.conditions import CompletionWanted, Facts
from kraty_actors.domain.contest_messages import (
    Amend,
    AttemptEnded,
    Close,
    Closed,
    Extend,
    Open,
    Pause,
    Resume,
    Seat,
    Settled,
)
from kraty_actors.domain.ids import contest_id, last_number, window_id
from kraty_actors.domain.lobby import LobbyView, Unmatched
from kraty_actors.domain.outcome import Command, MovedLeague, Outcome, Pay, Refusal, Tick
from kraty_actors.domain.placement import lobbies as lobbies_module
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import (
    Admit,
    Cancel,
    Finalize,
    GetForming,
    GetLobby,
    GetMember,
    GetReport,
    GetWindow,
    Leave,
    MemberView,
    OpenWindow,
    Placed,
    Presence,
    PushLobby,
    Report,
    StartLobby,
    WindowFinalized,
    WindowInfo,
)

ID = window_id("race", START)
OWNER = "eaaaaaaaaaaaaaaaa"
ZONE = "America/New_York"
PLAYERS = range(1, 8)
TIMEOUT = 30
LEAGUES = ["bronze", "silver", "gold"]
BOT = {"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 3}}}
ENTRY = {
    "type": "not",
    "condition": {"type": "completed_event_at_least_once", "eventKey": "race", "within": "current_window"},
}
UNLOCK = {"type": "completed_event_at_least_once", "eventKey": "other"}
FACTS = {"other": CompletionWanted("other", False), "race": CompletionWanted("race", True)}
NUMBERS = st.sampled_from([0, 5, 10, 12.5, 30, 31, None])
VALUES = st.sampled_from([None, "NL", "1", 1, 1.0, True])

players = st.sampled_from(PLAYERS)


@st.composite
def boards(draw: st.DrawFn, mode: str, bots: int) -> dict[str, Any]:
    """A leaderboard in JSON; where it has a capacity, one to five seats are for players."""
    board: dict[str, Any] = {"mode": mode}
    if mode == "segmented":
        board["leagues"] = LEAGUES[: draw(st.integers(1, 3))]
    if mode == "grouped":
        board["cohortBy"] = draw(st.sampled_from([None, "country"]))
    if mode in ("grouped", "lobby_matched") or (mode == "segmented" and draw(st.booleans())):
        board["capacity"] = bots + draw(st.integers(1 if bots else 2, 5))
    if mode == "lobby_matched":
        board["fillStrategy"] = draw(st.sampled_from(["start_short", "fill_with_bots", "wait_full"]))
        board["matchmaking"] = draw(st.sampled_from(["auto", "auto", "auto", "external"]))
        if draw(st.booleans()):
            widens = draw(st.sampled_from([0, 0.5, 10]))
            board["matchBy"] = {
                "attribute": "skill",
                "maxDifference": draw(st.sampled_from([0, 10])),
                "widenPerSecond": widens,
            }
    return board


@st.composite
def definitions(draw: st.DrawFn, modes: list[str]) -> dict[str, Any]:
    """An event of one of the modes, in JSON."""
    bots = draw(st.sampled_from([0, 0, 3]))
    mode = draw(st.sampled_from(modes))
    most = st.none() | st.integers(1, 3)
    replayable = draw(st.booleans())
    made = {
        "leaderboard": draw(boards(mode, bots)),
        "attempt": {
            "replayableDuringWindow": replayable,
            "maxAttempts": draw(most) if replayable else None,
            "maxDailyAttempts": draw(most),
        },
        "botBindings": [{"botId": "climber", "count": bots}] if bots else [],
    }
    if draw(st.integers(0, 3)) == 0:
        made["entryRequirement"] = ENTRY
    if draw(st.integers(0, 3)) == 0:
        made["unlockCondition"] = UNLOCK
    if draw(st.booleans()):
        pool = {"pool": draw(st.sampled_from([1, 2, 7, 10_000])), "currencyKey": "cash"}
        scope = draw(st.sampled_from(["window", "board"]))
        made["rewardPolicy"] = {"type": "shared_pool", "parameters": {**pool, "scope": scope}}
    return made


class WindowMachine(RuleBasedStateMachine):
    """The machine plays the contests, whose answers come whenever it likes, and the loop, which brings ticks."""

    def begin(
        self,
        definition: dict[str, Any],
        hours: int | None,
        step: int,
        paused: bool,
        alone: int | None,
        first: list[tuple[int, Any]],
    ) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(settling_module, "GRANTS_PER_STEP", step)
        self.patch.setattr(ending_module, "CONTESTS_PER_STEP", step)
        self.patch.setattr(lobbies_module, "LOBBIES_PER_STEP", step)
        self.definition, self.step = definition, step
        self.rules = rules(event(**definition), [BOT])
        self.now = START
        ends_at = None if hours is None else START + hours * HOUR
        bots = sum(binding["count"] for binding in definition["botBindings"])
        self.twin = Twin(definition, ends_at, bots, ZONE, TIMEOUT * 1000)
        self.twin.paused = paused
        self.twin.alone = alone if self.twin.mode in ("global", "none") else None
        self.window = Window(ID, Book(self.rules))
        self.journal = Journal(ID)
        self.contests: dict[int, Open] = {}
        self.heard: dict[int, list[Command]] = {}
        self.closing: dict[int, Close] = {}
        self.closed: set[int] = set()
        self.won: dict[int, list[int]] = {}
        self.moved: dict[int, str] = {}
        self.pays: list[Pay] = []
        self.moves: list[MovedLeague] = []
        self.settled: list[int] = []
        self.final: WindowFinalized | None = None
        self.amended: Amend | None = None
        strategy = definition["leaderboard"].get("fillStrategy", "start_short")
        opening = OpenWindow(
            "race", 1, SEED, ZONE, START, ends_at, TIMEOUT, strategy, 5, [], paused, OWNER, self.twin.alone
        )
        self.say(opening)
        assert list(self.contests) == ([1] if self.twin.mode in ("global", "none") else [])
        for who, trait in first:
            self.admit(who, {"other"}, 0, trait, trait, None)

    # -- what the loop and the contests do

    def say(self, command: Command, *, from_actor: bool = True) -> Outcome:
        outcome = self.window.apply(command, self.now)
        if outcome.traced or from_actor:
            self.journal.add(self.now, command)
        assert outcome.traced or not (outcome.messages or outcome.effects or outcome.notices)
        for message in outcome.messages:
            self.hear(message.to, message.command)
        self.pays += [effect for effect in outcome.effects if isinstance(effect, Pay)]
        self.moves += [effect for effect in outcome.effects if isinstance(effect, MovedLeague)]
        return outcome

    def hear(self, to: str, command: Command) -> None:
        if isinstance(command, WindowFinalized):
            assert (to, command.window_id, self.final) == (OWNER, ID, None)
            self.final = command
            return
        number = last_number(to) or 0
        assert to == contest_id(ID, number)
        assert isinstance(command, Open) != (number in self.contests)
        match command:
            case Open():
                self.contests[number] = command
                self.heard[number] = []
                assert command.starts_at == (START if self.twin.mode in ("global", "none") else self.now)
            case Close():
                assert number not in self.closing
                assert command.is_cancelled == self.twin.cancelled
                self.closing[number] = command
            case Settled():
                self.settled.append(number)
            case _:
                self.heard[number].append(command)

    def ring(self, *, once: bool = False) -> None:
        """What is due by now. Of a window that has ended only the next step, perhaps, as in the loop."""
        while self.window.wake_at is not None and self.window.wake_at <= self.now and self.final is None:
            ends = self.twin.open and self.twin.ends_at is not None and self.now >= self.twin.ends_at
            if ends:
                self.twin.held = self.twin.paused
                self.window_closes(self.say_closing(Tick()), self.twin.ends_at or 0)
            elif self.twin.open:
                self.lobbies_stop_waiting()
            else:
                outcome = self.say(Tick())
                assert len(outcome.effects) <= self.step
                assert len(outcome.messages) <= self.step + 1
                self.r27_restart()
            if once and not self.twin.open:
                break

    def lobbies_stop_waiting(self) -> None:
        waiting = {lobby.number: list(lobby.seats) for lobby in self.twin.forming}
        expected = self.twin.time_passes(self.now)
        started: list[tuple[int, bool]] = []
        told: dict[int, set[int]] = {}
        while self.window.wake_at is not None and self.window.wake_at <= self.now:
            outcome = self.say(Tick())
            started += seats_of(outcome)
            for notice in outcome.notices:
                told.setdefault(last_number(notice.body.lobby_id) or 0, set()).update(notice.players)
        assert started == [(player, True) for player in expected]
        for number, seated in waiting.items():
            lobby = self.twin.find(number)
            now_seated = lobby.seats if lobby is not None else []
            if now_seated != seated or (lobby is not None and lobby.is_active):
                assert told[number] == {*seated, *now_seated}

    def say_closing(self, command: Command) -> Outcome:
        self.twin.open = False
        return self.say(command)

    def window_closes(self, outcome: Outcome, at: int) -> None:
        assert {m.command.at for m in outcome.messages if isinstance(m.command, Close)} <= {at}
        assert len(outcome.messages) <= self.step
        told = [notice.body["state"] for notice in outcome.notices if notice.push == "event.state"]
        assert told == ["closing"]

    # -- players

    @rule(
        who=players,
        known=st.sets(st.sampled_from(sorted(FACTS))),
        elsewhere=st.sampled_from([0, 0, 1]),
        number=NUMBERS,
        value=VALUES,
        league=st.sampled_from([None, *LEAGUES, "wood"]),
    )
    def admit(self, who: int, known: set[str], elsewhere: int, number: Any, value: Any, league: str | None) -> None:
        self.ring(once=True)
        known = known | {"other"} if who % 2 else known
        known = known - {"race"} if who > 1 else known
        facts = Facts(completed=frozenset(FACTS[key] for key in known))
        trait = number if self.twin.is_lobby else value
        outcome = self.say(Admit(who, facts.record(), elsewhere, trait, league), from_actor=False)
        match self.twin.admit(who, self.now, known, elsewhere, trait, league):
            case ("refused", code):
                assert isinstance(outcome.reply, Refusal)
                assert (outcome.reply.code, outcome.traced) == (code, False)
            case ("attempt", place, is_new, seated):
                assert outcome.reply == Placed(contest_id(ID, place), is_new)
                assert seats_of(outcome) == [(player, player != who) for player in seated]
                assert outcome.traced == is_new
            case ("lobby", place):
                assert isinstance(outcome.reply, LobbyView)
                assert (outcome.reply.lobby_id, outcome.reply.status) == (contest_id(ID, place), "forming")
                assert seats_of(outcome) == []
            case ("unmatched",):
                assert (outcome.reply, outcome.traced) == (Unmatched("race", ID), False)

    @rule(whom=st.lists(st.tuples(players, st.booleans(), NUMBERS), min_size=1, max_size=5))
    def attempts_end_and_start_again(self, whom: list[tuple[int, bool, Any]]) -> None:
        self.ring()
        for who, completed, trait in whom:
            if who in self.twin.players and self.twin.players[who].running and self.twin.open:
                self.end(who, completed)
            self.admit(who, {"other"}, 0, trait, None, None)

    def end(self, who: int, completed: bool) -> None:
        self.say(AttemptEnded(who, completed))
        player = self.twin.players[who]
        player.running, player.completed = False, player.completed or completed

    @rule(who=st.sampled_from([0, *PLAYERS]), here=st.booleans())
    def presence(self, who: int, here: bool) -> None:
        """R-31; 0 is everyone."""
        self.ring(once=True)
        self.say(Presence(who, here), from_actor=False)
        self.twin.presence(who, here=here)

    @rule(who=players, ahead=st.integers(0, 3))
    def r31_leave(self, who: int, ahead: int) -> None:
        self.ring(once=True)
        number = self.twin.place_of(who) or ahead
        before = self.twin.find(number)
        outcome = self.say(Leave(who, number), from_actor=False)
        refused = self.twin.leave(who, number)
        assert self.refusal(outcome) == refused
        if refused is None and before is not None:
            (notice,) = outcome.notices
            assert set(notice.players) == {who, *before.seats}
            assert notice.body.status == ("forming" if before.seats else "closed")
            assert notice.body == outcome.reply

    # -- matchmakers and operators

    @precondition(lambda self: self.twin.is_lobby)
    @rule(number=st.integers(1, 4))
    def r31_start_lobby(self, number: int) -> None:
        self.ring(once=True)
        lobby = self.twin.find(number)
        outcome = self.say(StartLobby(number), from_actor=False)
        match self.twin.start_lobby(number, self.now):
            case str(code):
                assert self.refusal(outcome) == code
            case list(started):
                assert lobby is not None
                assert seats_of(outcome) == [(player, True) for player in started]
                assert outcome.reply.status == "active"

    @rule(
        key=st.sampled_from(["a", "b"]),
        whom=st.lists(players, min_size=1, max_size=3),
        capacity=st.sampled_from([None, None, 2, 3, 6]),
    )
    def r31_push(self, key: str, whom: list[int], capacity: int | None) -> None:
        self.ring(once=True)
        opened = len(self.contests)
        command = PushLobby(key, whom, capacity, {"map": "alps"})
        outcome = self.say(command, from_actor=False)
        match self.twin.push(key, whom, capacity, self.now):
            case str(code):
                assert (self.refusal(outcome), len(self.contests)) == (code, opened)
            case int(number):
                view = outcome.reply
                assert (view.lobby_id, view.status, view.key) == (
                    contest_id(ID, number),
                    "closed" if not self.twin.open else "active",
                    key,
                )
                assert outcome.traced == (len(self.contests) > opened)
                assert seats_of(outcome) == []

    def refusal(self, outcome: Outcome) -> str | None:
        if not isinstance(outcome.reply, Refusal):
            return None
        assert not outcome.traced
        return outcome.reply.code

    @rule(paused=st.booleans())
    def r26_pause_and_resume(self, paused: bool) -> None:
        self.ring(once=True)
        command = Pause() if paused else Resume()
        outcome = self.say(command)
        if self.twin.open and self.twin.paused != paused:
            self.twin.paused = paused
            assert {m.to for m in outcome.messages} == {contest_id(ID, number) for number in self.contests}
            assert all(m.command == command for m in outcome.messages)
            assert [notice.body["state"] for notice in outcome.notices] == ["paused" if paused else "live"]
        else:
            assert not outcome.messages
            self.twin.paused = self.twin.paused and paused
            self.twin.held = self.twin.held and paused

    @rule(hours=st.sampled_from([-1, 0, 1, 30]))
    def r05_extend(self, hours: int) -> None:
        self.ring(once=True)
        ends_at = (self.twin.ends_at or START) + hours * HOUR
        outcome = self.say(Extend(ends_at))
        if not self.twin.open or self.twin.ends_at is None:
            assert self.refusal(outcome) == "conflict"
        elif ends_at <= max(self.twin.ends_at, self.now):
            assert self.refusal(outcome) == "validation_failed"
        else:
            self.twin.ends_at = ends_at
            assert [m.command for m in outcome.messages] == [Extend(ends_at)] * len(self.contests)

    @rule(revision=st.integers(2, 3))
    def r05_amend(self, revision: int) -> None:
        """It reaches every contest, those too that open later."""
        self.ring(once=True)
        command = Amend(revision, [["weekly", revision]])
        self.say(command)
        if self.twin.open:
            self.amended = command

    # -- the end

    @rule(seconds=st.sampled_from([1, 10, 31, 3600, 20 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.ring(once=True)

    @precondition(lambda self: len(self.twin.players) > 3)
    @rule(more=st.booleans())
    def finalize(self, more: bool) -> None:
        """An operator's command, perhaps a second time."""
        self.ring(once=True)
        if self.twin.open:
            self.window_closes(self.say_closing(Finalize()), self.now)
        else:
            assert not self.say(Finalize()).messages
            self.twin.held = False
        if more:
            self.ring(once=True)

    @precondition(lambda self: len(self.twin.players) > 3)
    @rule(often=st.integers(0, 3))
    def r26_cancel(self, often: int) -> None:
        """Nothing is paid and nobody moves, unless that has begun; only sometimes, for it ends the play."""
        self.ring(once=True)
        if often:
            return
        if self.twin.open:
            self.twin.cancelled = True
            self.window_closes(self.say_closing(Cancel()), self.now)
            return
        may_cancel = not self.twin.cancelled and (self.closed != self.contests.keys() or self.twin.held)
        outcome = self.say(Cancel())
        if self.final is None and may_cancel:
            assert self.refusal(outcome) is None
            self.twin.cancelled, self.twin.held = True, False
        elif self.final is not None or self.twin.cancelled or self.pays or self.moves:
            assert self.refusal(outcome) == "conflict"
        else:
            self.twin.cancelled = self.refusal(outcome) is None

    @precondition(lambda self: self.closing.keys() - self.closed)
    @rule(first=st.booleans(), picks=st.integers(0, 63), ups=st.integers(0, 63), downs=st.integers(0, 63))
    def a_contest_closes(self, first: bool, picks: int, ups: int, downs: int) -> None:
        """Its attempts end; the bits of a number say which of its players win, go up, go down."""
        waiting = self.closing.keys() - self.closed
        number = min(waiting) if first else max(waiting)
        board = self.twin.find(number) or Board(0)
        members = sorted(board.seats)
        for who in members:
            if self.twin.players[who].running:
                self.end(who, picks % 2 == 1)
        won, up, down = ([who for at, who in enumerate(members) if bits >> at & 1] for bits in (picks, ups, downs))
        if self.closing[number].is_cancelled or self.twin.mode != "segmented":
            up = down = []
        if self.closing[number].is_cancelled or "rewardPolicy" not in self.definition:
            won = []
        self.won[number] = won
        if up or down:
            self.moved |= moves(self.definition["leaderboard"]["leagues"], board.pile, up, down)
        self.closed.add(number)
        self.say(Closed(contest_id(ID, number), won, up, down))
        self.ring(once=True)
        self.r27_restart()

    @rule()
    def r27_restart(self) -> None:
        """A checkpoint, read back."""
        parts = frozen(self.window)
        self.window = thawed(Window(ID, Book(self.rules)), parts)
        assert frozen(self.window) == parts

    # -- what must hold

    def ask(self, command: Command) -> Any:
        outcome = self.window.apply(command, self.now)
        assert not outcome.traced
        return outcome.reply

    @invariant()
    def nobody_is_lost_or_in_two_places(self) -> None:
        seated: list[int] = []
        for number in range(1, self.twin.numbers + 1):
            view = self.ask(GetLobby(number))
            lobby = self.twin.find(number) if self.twin.is_lobby else None
            if lobby is None:
                assert view.code == "not_found"
            else:
                self.r31_the_lobby_is_the_twins(view, lobby)
                seated += view.players
        assert len(seated) == len(set(seated))
        assert sorted(self.ask(GetForming())) == sorted(who for lobby in self.twin.forming for who in lobby.seats)

    def r31_the_lobby_is_the_twins(self, view: LobbyView, lobby: Board) -> None:
        status = "closed" if not self.twin.open else "active" if lobby.is_active else "forming"
        assert (view.status, view.players, view.participant_count) == (status, set(lobby.seats), len(lobby.seats))
        assert (view.bot_slots, view.capacity, view.key) == (lobby.bots, lobby.capacity, lobby.key)
        assert view.fill_by == (None if lobby.is_active else lobby.fill_by)
        assert view.participant_count + view.bot_slots <= view.capacity
        assert (lobby.number in self.contests) == lobby.is_active
        if lobby.is_active:
            assert self.contests[lobby.number].bot_seats == lobby.bots

    @invariant()
    def members_are_the_twins(self) -> None:
        for who in PLAYERS:
            player, number = self.twin.players.get(who, Player()), self.twin.place_of(who)
            member = self.ask(GetMember(who, 0))
            assert isinstance(member, MemberView)
            assert (member.running, member.completed) == (player.running, player.completed)
            assert (member.attempts, member.started_since) == (len(player.starts), self.started_on_the_last_day(player))
            board = self.twin.find(number) if number is not None else None
            if number is None and self.twin.mode in ("global", "none"):
                board = self.twin.find(1)
            contest = contest_id(ID, board.number) if board is not None and board.is_active else None
            assert (member.contest_id, member.board_id) == (contest, None if self.twin.mode == "none" else contest)
            assert member.league == (board.pile if self.twin.mode == "segmented" and board is not None else None)

    def started_on_the_last_day(self, player: Player) -> int:
        return sum(self.twin._date(at) == self.twin._date(player.starts[-1]) for at in player.starts)

    @invariant()
    def r30_no_board_has_more_players_than_seats(self) -> None:
        for board in self.twin.boards:
            if self.twin.mode == "grouped" or self.definition["leaderboard"].get("capacity"):
                assert len(board.seats) <= (board.capacity or self.definition["leaderboard"]["capacity"]) - board.bots

    @invariant()
    def the_window_is_what_it_says(self) -> None:
        info = self.ask(GetWindow())
        assert isinstance(info, WindowInfo)
        state = "cancelled" if self.twin.cancelled else "finalized"
        state = "open" if self.twin.open else state if self.final is not None else "closing"
        assert (info.state, info.is_paused, info.ends_at) == (state, self.twin.paused, self.twin.ends_at)
        assert (info.owner, info.player, info.event_key) == (OWNER, self.twin.alone, "race")

    @invariant()
    def r43_nothing_is_paid_before_all_boards_are_closed(self) -> None:
        if self.twin.open or self.twin.held or self.closed != self.contests.keys():
            assert (self.pays, self.moves, self.final, self.settled) == ([], [], None, [])
            assert self.ask(GetReport()) is None

    @invariant()
    def r05_every_contest_has_heard_the_last_amendment(self) -> None:
        if self.amended is not None and self.twin.open:
            for number, heard in self.heard.items():
                assert [one for one in heard if isinstance(one, Amend)][-1:] == [self.amended], number

    @invariant()
    def r26_contests_are_paused_as_the_window_is(self) -> None:
        for number, heard in self.heard.items():
            last = [isinstance(one, Pause) for one in heard if isinstance(one, Pause | Resume)]
            is_paused = last[-1] if last else self.contests[number].is_paused
            assert is_paused == self.twin.paused or not self.twin.open

    def r27_r30_r43_everyone_has_what_is_due_once(self) -> None:
        assert self.final is not None
        assert self.final.is_cancelled == self.twin.cancelled
        assert sorted(self.settled) == sorted(self.contests) == sorted(self.closed)
        policy = self.definition.get("rewardPolicy", {"parameters": {"pool": 0, "scope": "window"}})["parameters"]
        paid = {} if self.twin.cancelled else shares(policy["pool"], policy["scope"], self.won)
        assert {pay.player: pay.entries[0]["amount"] for pay in self.pays} == paid
        assert len({pay.grant_id for pay in self.pays}) == len(self.pays) == len(paid)
        assert {(pay.source_kind, pay.source_ref) for pay in self.pays} <= {("event_window", ID)}
        assert {move.player: move.league for move in self.moves} == ({} if self.twin.cancelled else self.moved)
        assert len(self.moves) == len({move.player for move in self.moves})
        self.r43_the_report_adds_up(policy["pool"] if "rewardPolicy" in self.definition else None, policy["scope"])
        alone = self.twin.players.get(self.twin.alone or 0, Player())
        assert self.final.started_that_day == (self.started_on_the_last_day(alone) if alone.starts else 0)

    def r43_the_report_adds_up(self, pool: int | None, scope: str) -> None:
        report = self.ask(GetReport())
        assert isinstance(report, Report)
        assert report.participants == sum(bool(player.starts) for player in self.twin.players.values())
        assert report.paid == sum(pay.entries[0]["amount"] for pay in self.pays)
        if pool is not None and not self.twin.cancelled:
            pools = len(self.contests) if scope == "board" else 1
            assert report.paid + report.remainder == pool * pools
            assert report.winners == sum(map(len, self.won.values()))
            assert report.currency == "cash"

    def teardown(self) -> None:
        """Every window ends; the journalled inputs give all of it again (R-57)."""
        if not hasattr(self, "window"):
            return
        try:
            self.ring()
            if self.final is None:
                self.finalize(more=True)
            self.ring()
            while self.closing.keys() - self.closed:
                self.a_contest_closes(len(self.closed) % 2 == 0, 37 + len(self.pays), 21, 12)
                self.ring()
            self.ring()
            self.r27_r30_r43_everyone_has_what_is_due_once()
            again = self.journal.replayed_into(Window(ID, Book(self.rules)))
            assert frozen(again) == frozen(self.window)
            assert again.wake_at == self.window.wake_at
        finally:
            self.patch.undo()


def seats_of(outcome: Outcome) -> list[tuple[int, bool]]:
    return [(m.command.player, m.command.announce) for m in outcome.messages if isinstance(m.command, Seat)]


def beginnings(definitions: st.SearchStrategy[dict[str, Any]], alone: st.SearchStrategy[int | None]) -> Any:
    """How a window of such an event may begin."""
    return initialize(
        definition=definitions,
        hours=st.sampled_from([None, 2, 40, 80]),
        step=st.integers(1, 3),
        paused=st.sampled_from([False, False, False, True]),
        alone=alone,
        first=st.lists(st.tuples(players, NUMBERS), min_size=3, max_size=8),
    )


class OneBoardMachine(WindowMachine):
    """Modes `global` and `none`, which one player's own windows may have too (R-22)."""

    @beginnings(definitions(["global", "none"]), st.sampled_from([None, None, 2]))
    def initially(self, **drawn: Any) -> None:
        self.begin(**drawn)


class BoardsMachine(WindowMachine):
    """Modes `grouped` and `segmented`."""

    @beginnings(definitions(["grouped", "segmented"]), st.none())
    def initially(self, **drawn: Any) -> None:
        self.begin(**drawn)


class LobbiesMachine(WindowMachine):
    """Mode `lobby_matched`."""

    @beginnings(definitions(["lobby_matched"]), st.none())
    def initially(self, **drawn: Any) -> None:
        self.begin(**drawn)

    @rule(seconds=st.sampled_from([5, 10, 30]))
    def waits_pass(self, seconds: int) -> None:
        self.time_passes(seconds)


def case(machine: type[WindowMachine], examples: int) -> Any:
    test = machine.TestCase
    phases = [Phase.generate, Phase.shrink]
    test.settings = settings(max_examples=examples, stateful_step_count=25, deadline=None, phases=phases)
    return test


TestOneBoard = case(OneBoardMachine, 25)
TestBoards = case(BoardsMachine, 30)
TestLobbies = case(LobbiesMachine, 60)
