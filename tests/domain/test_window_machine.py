"""A window against its twin: gates, limits, lobbies, the end, and grants in steps with a restart between any two."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from playing import HOUR, SEED, START, Book, Journal, event, frozen, rules, thawed
from window_twin import Seats, Twin, shares

from kraty_actors.domain import window as window_module
from kraty_actors.domain.contest_messages import AttemptEnded, Close, Closed, Open, Seat, Settled
from kraty_actors.domain.ids import contest_id, last_number, window_id
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Command, Outcome, Pay, Refusal, Tick
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import (
    Admit,
    Finalize,
    GetLobby,
    GetMember,
    GetReport,
    OpenWindow,
    Placed,
    Presence,
    Report,
    WindowFinalized,
)

ID = window_id("race", START)
ZONE = "America/New_York"
PLAYERS = range(1, 7)
TIMEOUT = 30
BOT = {"key": "climber", "behaviour": {"block": "random_step_with_fall", "params": {"target": 3}}}
ENTRY = {
    "type": "not",
    "condition": {"type": "completed_event_at_least_once", "eventKey": "race", "within": "current_window"},
}
UNLOCK = {"type": "completed_event_at_least_once", "eventKey": "other"}
FACTS = {"other": ["other", False], "race": ["race", True]}


@st.composite
def definitions(draw: st.DrawFn) -> dict[str, Any]:
    """An event, in JSON; in a lobby one, one to five seats are for players."""
    board: dict[str, Any] = {"mode": "global"}
    bots = draw(st.sampled_from([0, 0, 3]))
    if draw(st.booleans()):
        strategy = draw(st.sampled_from(["start_short", "fill_with_bots", "wait_full"]))
        board = {"mode": "lobby_matched", "fillStrategy": strategy, "capacity": bots + draw(st.integers(2, 5))}
    most = st.none() | st.integers(1, 3)
    replayable = draw(st.booleans())
    made = {
        "leaderboard": board,
        "attempt": {
            "replayableDuringWindow": replayable,
            "maxAttempts": draw(most) if replayable else None,
            "maxDailyAttempts": draw(most),
        },
        "botBindings": [{"botId": "climber", "count": bots}] if bots else [],
    }
    if draw(st.booleans()):
        made["entryRequirement"] = ENTRY
    if draw(st.integers(0, 3)) == 0:
        made["unlockCondition"] = UNLOCK
    if draw(st.integers(0, 4)):
        pool = {"pool": draw(st.sampled_from([1, 2, 7, 10_000])), "currencyKey": "cash"}
        scope = draw(st.sampled_from(["window", "board"]))
        made["rewardPolicy"] = {"type": "shared_pool", "parameters": {**pool, "scope": scope}}
    return made


class WindowMachine(RuleBasedStateMachine):
    """The machine plays the contests, whose answers come whenever it likes, and the loop, which brings ticks."""

    @initialize(
        definition=definitions(),
        hours=st.sampled_from([None, 2, 40, 80]),
        step=st.integers(1, 3),
        first=st.lists(st.sampled_from(PLAYERS), min_size=3, max_size=8),
    )
    def begin(self, definition: dict[str, Any], hours: int | None, step: int, first: list[int]) -> None:
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(window_module, "GRANTS_PER_STEP", step)
        self.definition, self.step = definition, step
        self.rules = rules(event(**definition), [BOT])
        self.now = START
        ends_at = None if hours is None else START + hours * HOUR
        bots = sum(binding["count"] for binding in definition["botBindings"])
        self.twin = Twin(definition, ends_at, bots, ZONE, TIMEOUT * 1000)
        self.window = Window(ID, Book(self.rules))
        self.journal = Journal(ID)
        self.contests: dict[int, Open] = {}
        self.closing: set[int] = set()
        self.won: dict[int, list[int]] = {}
        self.pays: list[Pay] = []
        self.settled: list[int] = []
        self.is_final = False
        strategy = definition["leaderboard"].get("fillStrategy", "start_short")
        self.say(OpenWindow("race", 1, SEED, ZONE, START, ends_at, TIMEOUT, strategy))
        assert list(self.contests) == ([] if self.twin.is_lobby else [1])
        for who in first:
            self.admit(who, {"other"}, 0)

    # -- what the loop and the contests do

    def say(self, command: Command, *, from_actor: bool = True) -> Outcome:
        outcome = self.window.apply(command, self.now)
        if outcome.traced or from_actor:
            self.journal.add(self.now, command)
        for message in outcome.messages:
            self.hear(message.to, message.command)
        self.pays += [effect for effect in outcome.effects if isinstance(effect, Pay)]
        return outcome

    def hear(self, to: str, command: Command) -> None:
        if isinstance(command, WindowFinalized):
            assert (to, command.window_id) == ("calendar", ID)
            self.is_final = True
            return
        number = last_number(to) or 0
        assert to == contest_id(ID, number)
        match command:
            case Open():
                assert number not in self.contests
                self.contests[number] = command
            case Seat():
                assert number in self.contests
            case Close():
                assert not self.twin.is_lobby or self.twin.lobbies[number - 1].is_active
                self.closing.add(number)
            case Settled():
                self.settled.append(number)

    def ring(self) -> None:
        """What is due by now; a lobby's wait first, unless the window has ended meanwhile."""
        while self.window.wake_at is not None and self.window.wake_at <= self.now and not self.is_final:
            ends = self.twin.ends_at is not None and self.now >= self.twin.ends_at and self.twin.open
            outcome = self.say(Tick())
            if ends:
                self.window_closes(outcome, self.twin.ends_at or 0)
            elif self.twin.open:
                started = self.twin.time_passes(self.now)
                assert seats_of(outcome) == [(player, True) for player in started or []]
                self.lobby_starts(self.twin.lobbies[-1])
            else:
                assert len(outcome.effects) <= self.step
                self.r27_restart()

    def window_closes(self, outcome: Outcome, at: int) -> None:
        self.twin.open = False
        assert {m.command for m in outcome.messages} <= {Close(at)}
        assert self.closing == self.contests.keys()
        told = [notice.body["state"] for notice in outcome.notices if notice.push == "event.state"]
        assert told == ["closing"]

    def lobby_starts(self, lobby: Seats) -> None:
        assert lobby.is_active
        assert self.contests[lobby.number].extra_bots == lobby.extra_bots

    # -- rules

    @rule(
        who=st.sampled_from(PLAYERS),
        known=st.sets(st.sampled_from(sorted(FACTS))),
        elsewhere=st.sampled_from([0, 0, 1]),
    )
    def admit(self, who: int, known: set[str], elsewhere: int) -> None:
        self.ring()
        known = known | {"other"} if who % 2 else known
        known = known - {"race"} if who > 1 else known
        outcome = self.say(Admit(who, [FACTS[key] for key in sorted(known)], elsewhere), from_actor=False)
        match self.twin.admit(who, self.now, known, elsewhere):
            case ("refused", code):
                assert isinstance(outcome.reply, Refusal)
                assert (outcome.reply.code, outcome.traced) == (code, False)
            case ("attempt", number, is_new, seated):
                assert outcome.reply == Placed(contest_id(ID, number), is_new)
                assert sorted(seats_of(outcome)) == sorted((player, player != who) for player in seated)
                assert outcome.traced == is_new
            case ("lobby", number):
                assert isinstance(outcome.reply, LobbyView)
                assert (outcome.reply.lobby_id, outcome.reply.status) == (contest_id(ID, number), "forming")
                assert seats_of(outcome) == []

    @rule(whom=st.lists(st.tuples(st.sampled_from(PLAYERS), st.booleans()), min_size=1, max_size=5))
    def attempts_end_and_start_again(self, whom: list[tuple[int, bool]]) -> None:
        self.ring()
        for who, completed in whom:
            if who in self.twin.players and self.twin.players[who].running and not self.closing:
                self.end(who, completed)
            self.admit(who, {"other"}, 0)

    def end(self, who: int, completed: bool) -> None:
        self.say(AttemptEnded(who, completed))
        player = self.twin.players[who]
        player.running, player.completed = False, player.completed or completed

    @rule(who=st.sampled_from([0, *PLAYERS]), here=st.booleans())
    def presence(self, who: int, here: bool) -> None:
        """R-31; 0 is everyone."""
        self.ring()
        self.say(Presence(who, here), from_actor=False)
        if self.twin.open:
            self.twin.presence(who, here=here)

    @rule(seconds=st.sampled_from([1, 31, 3600, 20 * 3600]))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1000
        self.ring()

    @precondition(lambda self: len(self.twin.players) > 3)
    @rule()
    def finalize(self) -> None:
        """An operator's command, perhaps a second time."""
        self.ring()
        was_open = self.twin.open
        outcome = self.say(Finalize())
        if was_open:
            self.window_closes(outcome, self.now)
        else:
            assert not outcome.messages
        self.ring()

    @precondition(lambda self: self.closing)
    @rule(first=st.booleans(), picks=st.integers(0, 63))
    def a_contest_closes(self, first: bool, picks: int) -> None:
        """Its attempts end, and those of its players win whose bit is set in `picks`."""
        number = min(self.closing) if first else max(self.closing)
        members = sorted(who for who in self.twin.players if self.twin.contest_of(who) == number)
        for who in members:
            if self.twin.players[who].running:
                self.end(who, picks % 2 == 1)
        has_pool = "rewardPolicy" in self.definition
        self.won[number] = [who for at, who in enumerate(members) if picks >> at & 1 and has_pool]
        self.closing.remove(number)
        self.say(Closed(contest_id(ID, number), self.won[number]))
        self.ring()
        self.r27_restart()

    @rule()
    def r27_restart(self) -> None:
        """A checkpoint, read back."""
        parts = frozen(self.window)
        self.window = thawed(Window(ID, Book(self.rules)), parts)
        assert frozen(self.window) == parts

    # -- what must hold

    @invariant()
    def r31_lobbies_are_the_twins(self) -> None:
        if not self.twin.is_lobby:
            return
        for lobby in self.twin.lobbies:
            view = self.window.apply(GetLobby(lobby.number), self.now).reply
            assert isinstance(view, LobbyView)
            status = "closed" if not self.twin.open else "active" if lobby.is_active else "forming"
            assert (view.status, view.players, view.participant_count) == (status, set(lobby.seats), len(lobby.seats))
            assert view.bot_slots == self.twin.bots + lobby.extra_bots
            assert view.fill_by == (None if lobby.is_active else lobby.fill_by)
            assert view.participant_count + view.bot_slots <= view.capacity
            assert (lobby.number in self.contests) == lobby.is_active
        assert self.window.apply(GetLobby(len(self.twin.lobbies) + 1), self.now).reply.code == "not_found"

    @invariant()
    def members_are_the_twins(self) -> None:
        for who, player in self.twin.players.items():
            member = self.window.apply(GetMember(who, START), self.now).reply
            assert (member.running, member.completed) == (player.running, player.completed)
            assert member.attempts == len(player.starts)
            assert member.contest_id == contest_id(ID, self.twin.contest_of(who))

    @invariant()
    def r43_nothing_is_paid_before_all_boards_are_closed(self) -> None:
        if self.twin.open or self.closing:
            assert (self.pays, self.is_final, self.settled) == ([], False, [])
            assert self.window.apply(GetReport(), self.now).reply is None

    @invariant()
    def r27_r43_in_the_end_every_winner_has_one_grant(self) -> None:
        if self.twin.open or self.closing:
            return
        assert self.is_final
        assert sorted(self.settled) == sorted(self.contests)
        policy = self.definition.get("rewardPolicy", {"parameters": {"pool": 0, "scope": "window"}})["parameters"]
        paid = shares(policy["pool"], policy["scope"], self.won)
        assert {pay.player: pay.entries[0]["amount"] for pay in self.pays} == paid
        assert len({pay.grant_id for pay in self.pays}) == len(self.pays) == len(paid)
        assert {(pay.source_kind, pay.source_ref) for pay in self.pays} <= {("event_window", ID)}
        self.r43_the_report_adds_up(policy["pool"] if "rewardPolicy" in self.definition else None, policy["scope"])

    def r43_the_report_adds_up(self, pool: int | None, scope: str) -> None:
        report = self.window.apply(GetReport(), self.now).reply
        assert isinstance(report, Report)
        assert report.participants == sum(bool(player.starts) for player in self.twin.players.values())
        assert report.paid == sum(pay.entries[0]["amount"] for pay in self.pays)
        if pool is not None:
            pools = len(self.contests) if scope == "board" else 1
            assert report.paid + report.remainder == pool * pools
            assert report.winners == sum(map(len, self.won.values()))
            assert report.currency == "cash"

    def teardown(self) -> None:
        """Every window ends; the journalled inputs give all of it again (R-57)."""
        if hasattr(self, "window"):
            self.finalize()
            while self.closing:
                self.a_contest_closes(len(self.closing) % 2 == 0, 37 + len(self.pays))
            self.r27_r43_in_the_end_every_winner_has_one_grant()
            again = self.journal.replayed_into(Window(ID, Book(self.rules)))
            assert frozen(again) == frozen(self.window)
            assert again.wake_at == self.window.wake_at
            self.patch.undo()


def seats_of(outcome: Outcome) -> list[tuple[int, bool]]:
    return [(m.command.player, m.command.announce) for m in outcome.messages if isinstance(m.command, Seat)]


TestWindowMachine = WindowMachine.TestCase
TestWindowMachine.settings = settings(
    max_examples=120, stateful_step_count=20, deadline=None, phases=[Phase.generate, Phase.shrink]
)
