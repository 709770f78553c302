"""A window of every mode against its twin: gates, limits, prices, places, lobbies, steering, and the end in steps, with
a restart between any two of them."""

from __future__ import annotations

from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from playing import HOUR, START, Book, frozen
from window_checks import WindowChecked
from window_driver import ID, seats_of
from window_games import FACTS, LEAGUES, NUMBERS, PLAYERS, VALUES, definitions, players, shorts
from window_twin import Board

from kraty_actors.domain.contest_messages import (
    Amend,
    AttemptEnded,
    AttemptsEnded,
    Closed,
    Extend,
    Paid,
    Pause,
    Resume,
    SetBan,
)
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.outcome import Outcome, Refusal
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import (
    Cancel,
    Finalize,
    Leave,
    Presence,
    PushLobby,
    StartLobby,
    Unseat,
)


class WindowMachine(WindowChecked):
    """What players, matchmakers, operators and contests do, in any order."""

    # -- players

    @rule(
        who=players,
        known=st.sets(st.sampled_from(sorted(FACTS))),
        elsewhere=st.sampled_from([0, 0, 1]),
        number=NUMBERS,
        value=VALUES,
        league=st.sampled_from([None, *LEAGUES, "wood"]),
        short=shorts,
    )
    def admit(
        self,
        who: int,
        known: set[str],
        elsewhere: int,
        number: Any,
        value: Any,
        league: str | None,
        short: list[Any] | None,
    ) -> None:
        self.ring(once=True)
        known = known | {"other"} if who % 2 else known
        known = known - {"race"} if who > 1 else known
        self.admitted(who, known, elsewhere, number if self.twin.is_lobby else value, league, short)

    @rule(whom=st.lists(st.tuples(players, st.booleans(), NUMBERS), min_size=1, max_size=5))
    def attempts_end_and_start_again(self, whom: list[tuple[int, bool, Any]]) -> None:
        self.ring()
        for who, completed, trait in whom:
            if who in self.twin.players and self.twin.players[who].running and self.twin.open:
                self.end(who, completed)
            self.admitted(who, {"other"}, 0, trait, None, None)

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
            (notice,) = [notice for notice in outcome.notices if notice.push == "lobby"]
            assert set(notice.players) == {who, *before.seats}
            assert notice.body.status == ("forming" if before.seats else "closed")
            assert notice.body == outcome.reply

    @rule(who=players, ahead=st.integers(0, 3))
    def r31_unseat(self, who: int, ahead: int) -> None:
        """Who cannot pay for a seat in a lobby that has started."""
        self.ring(once=True)
        number = self.twin.place_of(who) or ahead
        assert self.say(Unseat(who, number), from_actor=False).traced == self.twin.unseat(who, number)

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

    @rule(who=players, is_banned=st.booleans())
    def r51_ban(self, who: int, is_banned: bool) -> None:
        self.ring(once=True)
        if self.final is not None:
            return
        number = self.twin.ban(who) if is_banned else self.twin.place_of(who)
        number = number if number in self.contests else None
        outcome = self.say(SetBan(who, is_banned))
        told = [(message.to, message.command) for message in outcome.messages]
        assert told == ([] if number is None else [(contest_id(ID, number), SetBan(who, is_banned))])

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
        elif self.final is not None or self.twin.cancelled or self.settling:
            assert self.refusal(outcome) == "conflict"
        else:
            self.twin.cancelled = self.refusal(outcome) is None

    @precondition(lambda self: self.closing.keys() - self.closed)
    @rule(first=st.booleans(), picks=st.integers(0, 63))
    def a_contest_closes(self, first: bool, picks: int) -> None:
        """Its attempts end, one alone or many together; the bits of a number say who completes, and who wins."""
        waiting = self.closing.keys() - self.closed
        number = min(waiting) if first else max(waiting)
        members = sorted((self.twin.find(number) or Board(0)).seats)
        running = [who for who in members if self.twin.players[who].running]
        for who in running[: picks % 3]:
            self.end(who, picks % 2 == 1)
        rest = running[picks % 3 :]
        completed = [] if self.closing[number].is_cancelled else [who for who in rest if picks >> who & 1]
        if rest:
            self.say(AttemptsEnded(completed, [who for who in rest if who not in completed]))
        for who in rest:
            player = self.twin.players[who]
            player.running, player.completed = False, player.completed or who in completed
        self.judges(number, picks)
        self.closed.add(number)
        self.ring(once=True)
        self.r27_restart()

    def judges(self, number: int, picks: int) -> None:
        """So many have won; it counts until the first contest has been told what is paid."""
        count = min(picks, len((self.twin.find(number) or Board(0)).seats))
        if self.closing[number].is_cancelled or "rewardPolicy" not in self.definition:
            count = 0
        if not self.settling:
            self.won[number] = count
        self.say(Closed(contest_id(ID, number), count))

    @precondition(lambda self: self.closed - self.paid.keys())
    @rule(picks=st.integers(0, 63))
    def r51_a_contest_judges_anew(self, picks: int) -> None:
        for number in self.closed - self.paid.keys():
            self.judges(number, picks + number)

    @precondition(lambda self: self.settling.keys() - self.paid.keys())
    @rule(picks=st.integers(0, 63), more=st.booleans())
    def a_contest_pays(self, picks: int, more: bool) -> None:
        """Everybody whom it counted, or fewer; besides, `more`, what others have earned on it."""
        number = min(self.settling.keys() - self.paid.keys())
        settle = self.settling[number]
        count = max(0, self.won.get(number, 0) - picks % 2) if settle.share else 0
        paid = {"cash": settle.share * count} if count else {}
        grants = count
        if more and not self.twin.cancelled:
            grants, paid = grants + 2, {**paid, "gems": 3}
        self.paid[number] = (count, grants, paid)
        self.say(Paid(contest_id(ID, number), count, grants, paid))
        self.ring(once=True)
        self.r27_restart()

    @rule()
    def r27_restart(self) -> None:
        self.restart()

    def teardown(self) -> None:
        """Every window ends; the journalled inputs give all of it again (R-57)."""
        if not hasattr(self, "window"):
            return
        try:
            self.ring()
            if self.is_held_in_the_end and self.twin.open and self.twin.ends_at is not None:
                self.r26_pause_and_resume(paused=True)
                self.now = max(self.now, self.twin.ends_at)
                self.ring()
                self.contests_close()
            if self.final is None:
                self.comes_to_its_end()
            self.contests_close()
            while self.settling.keys() - self.paid.keys():
                self.a_contest_pays(len(self.paid), len(self.paid) % 2 == 0)
                self.ring()
            self.r26_r27_r43_everything_is_over_once()
            self.end_slow_dump()
            again = self.journal.replayed_into(Window(ID, Book(self.rules)))
            assert frozen(again) == frozen(self.window)
            assert again.wake_at == self.window.wake_at
        finally:
            self.patch.undo()

    def comes_to_its_end(self) -> None:
        match self.in_the_end:
            case "cancelled":
                self.r26_cancel(often=0)
            case "resumed":
                self.r26_pause_and_resume(paused=False)
        if self.final is None:
            self.finalize(more=False)

    def contests_close(self) -> None:
        self.ring()
        while self.closing.keys() - self.closed:
            self.a_contest_closes(len(self.closed) % 2 == 0, 37 + len(self.closed))
        self.r51_a_contest_judges_anew(0)
        self.ring()


def beginnings(definitions: st.SearchStrategy[dict[str, Any]], alone: st.SearchStrategy[int | None]) -> Any:
    """How a window of such an event may begin."""
    return initialize(
        definition=definitions,
        hours=st.sampled_from([None, 2, 40, 80]),
        step=st.integers(1, 3),
        paused=st.sampled_from([False, False, False, True]),
        alone=alone,
        first=st.lists(st.tuples(players, NUMBERS), min_size=3, max_size=8),
        is_held_in_the_end=st.booleans(),
        in_the_end=st.sampled_from(["finalized", "cancelled", "resumed"]),
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


TestOneBoard = case(OneBoardMachine, 80)
TestBoards = case(BoardsMachine, 80)
TestLobbies = case(LobbiesMachine, 120)
