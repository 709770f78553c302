"""A window, its twin, and around them as much of a loop, of contests and of a calendar as they need."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis.stateful import RuleBasedStateMachine
from playing import HOUR, SEED, START, Book, Journal, event, frozen, rules, thawed
from slow_dumps import WrittenSlowly
from window_games import BOT, FACTS, SHORT
from window_twin import Twin, shares

from kraty_actors.domain import ending as ending_module
from kraty_actors.domain.conditions import Facts
from kraty_actors.domain.contest_messages import Amend, Close, Open, Seat, Settle
from kraty_actors.domain.ids import contest_id, last_number, window_id
from kraty_actors.domain.lobby import LobbyView, Unmatched
from kraty_actors.domain.outcome import Charged, Command, Cost, Outcome, Refunded, Refusal, State, Tick
from kraty_actors.domain.placement import lobbies as lobbies_module
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import Admit, OpenWindow, Placed, WindowFinalized

ID = window_id("race", START)
OWNER = "eaaaaaaaaaaaaaaaa"
ZONE = "America/New_York"
TIMEOUT = 30


class WindowDriver(WrittenSlowly, RuleBasedStateMachine):
    """It plays the contests, whose answers come whenever the machine likes, and the loop, which brings ticks."""

    def begin(
        self,
        definition: dict[str, Any],
        hours: int | None,
        step: int,
        paused: bool,
        alone: int | None,
        first: list[tuple[int, Any]],
        is_held_in_the_end: bool,
        in_the_end: str,
    ) -> None:
        self.is_held_in_the_end, self.in_the_end = is_held_in_the_end, in_the_end
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(ending_module, "CONTESTS_PER_STEP", step)
        self.patch.setattr(ending_module, "REFUNDS_PER_STEP", step)
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
        self.won: dict[int, int] = {}
        self.settling: dict[int, Settle] = {}
        self.paid: dict[int, tuple[int, int, dict[str, int]]] = {}
        self.charged: list[Charged] = []
        self.refunded: list[Refunded] = []
        self.invited: list[int] = []
        self.news: dict[str, list[int]] = {"lobby.created": [], "lobby.started": [], "lobby.closed": []}
        self.told: Counter[str] = Counter()
        self.final: WindowFinalized | None = None
        self.amended: Amend | None = None
        strategy = definition["leaderboard"].get("fillStrategy", "start_short")
        opening = OpenWindow(
            "race", 1, SEED, ZONE, START, ends_at, TIMEOUT, strategy, 5, [], paused, OWNER, self.twin.alone
        )
        self.say(opening)
        assert list(self.contests) == ([1] if self.twin.mode in ("global", "none") else [])
        for who, trait in first:
            self.admitted(who, {"other"}, 0, trait, None, None)

    # -- what the loop and the contests do

    def states(self) -> list[State]:
        return [self.window]

    def say(self, command: Command, *, from_actor: bool = True) -> Outcome:
        outcome = self.window.apply(command, self.now)
        if outcome.traced or from_actor:
            self.journal.add(self.now, command)
        assert outcome.traced or not (outcome.messages or outcome.effects or outcome.notices)
        for message in outcome.messages:
            self.hear(message.to, message.command)
        for notice in outcome.notices:
            self.told[notice.push] += 1
            if notice.push in self.news:
                self.news[notice.push].append(last_number(notice.body.lobby_id) or 0)
            elif notice.push == "invitation":
                self.invited += notice.players
        self.charged += [effect for effect in outcome.effects if isinstance(effect, Charged)]
        self.refunded += [effect for effect in outcome.effects if isinstance(effect, Refunded)]
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
                board = self.twin.find(number)
                assert command.league == (board.pile if board is not None and self.twin.mode == "segmented" else None)
            case Close():
                assert number not in self.closing
                assert command.is_cancelled == self.twin.cancelled
                self.closing[number] = command
            case Settle():
                self.r43_everybody_is_told_the_same_share_once(number, command)
                self.settling[number] = command
            case _:
                self.heard[number].append(command)

    def r43_everybody_is_told_the_same_share_once(self, number: int, command: Settle) -> None:
        """It goes by what boards had counted when the first was told; and none is before all have closed."""
        assert number not in self.settling
        assert self.closed == self.contests.keys()
        assert not self.twin.held
        policy = self.definition.get("rewardPolicy")
        if not self.settling:
            known = {} if policy is None else policy["parameters"]
            due = {} if self.twin.cancelled or not known else shares(known["pool"], known["scope"], self.won)
            self.shares = dict.fromkeys(self.contests, 0) | due
        assert command == Settle(self.shares[number], self.twin.cancelled)

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
                assert len({effect.player for effect in outcome.effects if isinstance(effect, Refunded)}) <= self.step
                assert len(outcome.messages) <= self.step + 1
                self.restart()
            if once and not self.twin.open:
                break

    def restart(self) -> None:
        """A checkpoint, read back."""
        self.end_slow_dump()
        parts = frozen(self.window)
        self.window = thawed(Window(ID, Book(self.rules)), parts)
        assert frozen(self.window) == parts

    def lobbies_stop_waiting(self) -> None:
        waiting = {lobby.number: list(lobby.seats) for lobby in self.twin.forming}
        expected = self.twin.time_passes(self.now)
        started: list[tuple[int, bool]] = []
        told: dict[int, set[int]] = {}
        while self.window.wake_at is not None and self.window.wake_at <= self.now:
            outcome = self.say(Tick())
            started += seats_of(outcome)
            for notice in outcome.notices:
                if notice.push == "lobby":
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
        assert len(outcome.messages) <= self.step + (self.final is not None)
        told = [notice.body["state"] for notice in outcome.notices if notice.push == "event.state"]
        assert told == ["closing", *(["cancelled" if self.twin.cancelled else "finalized"] if self.final else [])]

    # -- players

    def admitted(
        self, who: int, known: set[str], elsewhere: int, trait: Any, league: str | None, short: list[Any] | None
    ) -> None:
        facts = Facts(completed=frozenset(FACTS[key] for key in known))
        expected = self.twin.admit(who, self.now, known, elsewhere, trait, league, is_short=short is not None)
        outcome = self.say(Admit(who, facts.record(), elsewhere, trait, league, short), from_actor=False)
        match expected:
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
        self.r20_r21_charges_are_the_twins()

    def r20_r21_charges_are_the_twins(self) -> None:
        """Each under a name that nobody else's charge has, and that a restart would give it again."""
        name = f"entry:{ID}"
        expected = [(who, name if nth == 1 else f"{name}:{nth}") for who, nth in self.twin.charged]
        assert [(one.player, one.charge) for one in self.charged] == expected
        assert len(set(expected)) == len(expected)
        assert {(one.costs, one.source) for one in self.charged} <= {((Cost("currency", *SHORT[:2]),), ID)}
        assert self.invited == self.twin.invited


def seats_of(outcome: Outcome) -> list[tuple[int, bool]]:
    return [(m.command.player, m.command.announce) for m in outcome.messages if isinstance(m.command, Seat)]
