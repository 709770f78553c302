"""Which player is in which window, against a naive twin: players who come whenever, travel, and are interrupted by
operators, edits and restarts (R-17, R-22, R-26)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from player_windows_play import OWNER, PlayerPlay, instant, local, personal
from playing import HOUR, Journal, frozen, thawed
from slow_dumps import WrittenSlowly

from kraty_actors.domain.calendar_messages import CancelWindow, ExtendWindow, FinalizeEvent
from kraty_actors.domain.contest_messages import Amend, Extend, Pause, Resume, SetBan
from kraty_actors.domain.ids import player_window_id
from kraty_actors.domain.outcome import Command, State
from kraty_actors.domain.player_windows import PlayerWindows
from kraty_actors.domain.player_windows_messages import PlayerWindowsIdle
from kraty_actors.domain.window_messages import Cancel, Finalize, OpenWindow

DAY = 24 * HOUR
MINUTE = 60_000
SCHEDULES = [
    personal(2),
    personal(2, repeat=True),
    personal(30, repeat=True, startsAt=instant(3), endsAt=instant(80)),
    local("09:00", "21:30", hours=2),
    local("20:00", hours=24),
    local("02:30", hours=30, startsAt=instant(5), endsAt=instant(100)),
]
ZONES = [None, "UTC", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "Nowhere"]
PLAYERS = [1, 2, 3]
some_player = st.sampled_from(PLAYERS)
some_zone = st.sampled_from(ZONES)


@dataclass
class Own:
    """A window of somebody's own."""

    player: int
    starts_at: int
    ends_at: int
    heard: list[Command] = field(default_factory=list)
    is_final: bool = False
    day: int = 0
    started: int = 0

    @property
    def name(self) -> str:
        return player_window_id("race", self.player, self.starts_at)


@cache
def shown(at: int, zone: str | None) -> str:
    """What the clock shows there."""
    clock = ZoneInfo(zone if zone not in (None, "Nowhere") else "UTC")
    return datetime.fromtimestamp(at / 1000, clock).strftime("%H:%M")


def begun_last(availability: dict[str, Any], zone: str | None, now: int) -> tuple[int, int] | None:
    """The occurrence under way that started last, by looking at each quarter of an hour of the last days in turn."""
    for at in range(now // (15 * MINUTE) * 15 * MINUTE, now - 2 * DAY, -15 * MINUTE):
        for one in availability["windows"]:
            end = at + one["durationSeconds"] * 1000
            if one["startTime"] == shown(at, zone) and within(availability, at) and now < end:
                return at, end
    return None


def within(availability: dict[str, Any], at: int) -> bool:
    first, last = (bound(availability, name) for name in ("startsAt", "endsAt"))
    return (first is None or first <= at) and (last is None or at < last)


def bound(availability: dict[str, Any], name: str) -> int | None:
    said = availability.get(name)
    return None if said is None else round(datetime.fromisoformat(said).replace(tzinfo=UTC).timestamp() * 1000)


class PlayerWindowsMachine(WrittenSlowly, RuleBasedStateMachine):
    """The twin keeps every window that anybody ever had."""

    @initialize(availability=st.sampled_from(SCHEDULES))
    def begin(self, availability: dict[str, Any]) -> None:
        self.availability = availability
        self.play = PlayerPlay(availability)
        self.windows: list[Own] = []
        self.boards: list[list[Any]] = []
        self.state = "live"
        self.plan("live")

    # -- the twin

    def own(self, player: int) -> list[Own]:
        return [window for window in self.windows if window.player == player]

    @property
    def open_ones(self) -> list[Own]:
        return [window for window in self.windows if not window.is_final]

    def current(self, player: int) -> Own | None:
        return next(
            (one for one in reversed(self.own(player)) if not one.is_final and self.play.now < one.ends_at), None
        )

    def possible(self, player: int, zone: str | None) -> tuple[int, int] | None:
        """What a start would open."""
        if self.state != "live" or self.current(player) is not None:
            return None
        now, own = self.play.now, self.own(player)
        if self.availability["mode"] == "personal":
            start = max([now, *(one.starts_at + 1 for one in own)])
            again = not own or self.availability.get("repeat")
            end = start + self.availability["durationSeconds"] * 1000
            return (start, end) if again and within(self.availability, start) else None
        found = begun_last(self.availability, zone, now)
        last = own[-1] if own else None
        if found and last and (found[0] < last.ends_at or found[0] <= last.starts_at):
            return None
        return found

    # -- rules

    @rule(hours=st.sampled_from([0.25, 1, 2.5, 11, 24]))
    def time_passes(self, hours: float) -> None:
        self.play.now += round(hours * HOUR)
        self.hear(self.play.later())

    @rule(player=some_player, zone=some_zone)
    def visit(self, player: int, zone: str | None) -> None:
        current, possible = self.current(player), self.possible(player, zone)
        name = self.play.visit(player, zone)
        if self.state == "paused" or (current is None and possible is None):
            assert name is None
        elif current is not None:
            assert name == current.name
            assert self.play.last_told == []
        else:
            assert possible is not None
            self.windows.append(Own(player, *possible))
            assert name == self.windows[-1].name
            ((to, opening),) = self.play.last_told
            assert isinstance(opening, OpenWindow)
            assert (to, opening.starts_at, opening.ends_at) == (name, *possible)
            assert (opening.owner, opening.player, opening.is_paused) == (OWNER, player, False)

    @rule(data=st.data(), started=st.integers(0, 3))
    def a_window_becomes_final(self, data: st.DataObject, started: int) -> None:
        over = [window for window in self.open_ones if window.ends_at <= self.play.now]
        if over and self.state != "paused":
            window = data.draw(st.sampled_from(over))
            window.is_final, window.started = True, started
            window.day = self.play.now // DAY * DAY
            self.play.final(window.name, window.day, started)
            self.hear(self.play.last_told)

    @rule(state=st.sampled_from(["live", "paused"]))
    def plan(self, state: Any) -> None:
        before, self.state = self.state, state
        self.told_idle = False
        said = self.play.plan(state, self.boards)
        news = {("live", "paused"): Pause(), ("paused", "live"): Resume()}.get((before, state))
        self.hear(said, *([(window.name, news) for window in self.open_ones] if news else []))

    @rule(boards=st.sampled_from([[], [["weekly", 1]]]))
    def edited(self, boards: list[list[Any]]) -> None:
        """A new revision; what takes effect at once is the boards."""
        was, self.boards = self.boards, boards
        self.told_idle = False
        self.play.put(self.availability, self.state, boards)  # type: ignore[arg-type]
        amend = Amend(self.play.revision, boards)
        self.hear(self.play.last_told + self.play.later(), *((w.name, amend) for w in self.open_ones if was != boards))

    @rule(data=st.data(), how=st.sampled_from([Finalize(), Cancel(), Extend(0)]))
    def steer(self, data: st.DataObject, how: Any) -> None:
        if not self.open_ones:
            return
        window, now = data.draw(st.sampled_from(self.open_ones)), self.play.now
        if isinstance(how, Extend):
            later = window.ends_at + HOUR
            outcome = self.play.say(ExtendWindow(window.name, later, "ann"))
            if now >= window.ends_at:
                assert not outcome.traced
                return
            window.ends_at = later
            how = Extend(later)
        else:
            command = (
                FinalizeEvent("race", window.name, "ann") if how == Finalize() else CancelWindow(window.name, "ann")
            )
            self.play.say(command)
            window.ends_at = min(window.ends_at, now)
        assert self.play.last_told == [(window.name, how)]

    @rule(player=some_player, is_banned=st.booleans())
    def r51_ban(self, player: int, is_banned: bool) -> None:
        """Whatever windows of the player's are not final hear of it."""
        command = SetBan(player, is_banned)
        self.play.say(command)
        told = [(window.name, command) for window in self.own(player) if not window.is_final]
        self.hear(self.play.last_told, *told)

    def states(self) -> list[State]:
        return [self.play.state]

    @rule()
    def restart(self) -> None:
        self.end_slow_dump()
        parts = frozen(self.play.state)
        self.play.state = thawed(PlayerWindows(OWNER, self.play.library), parts)
        assert frozen(self.play.state) == parts

    def hear(self, told: list[tuple[str, Command]], *expected: tuple[str, Command]) -> None:
        """Exactly this is said, and once that all is over, if it is."""
        idle = [command for _, command in told if isinstance(command, PlayerWindowsIdle)]
        assert [each for each in told if each[1] not in idle] == list(expected)
        ends_at = bound(self.availability, "endsAt")
        if self.availability["mode"] == "local_calendar" and ends_at is not None:
            ends_at += max(one["durationSeconds"] for one in self.availability["windows"]) * 1000
        is_over = ends_at is not None and self.play.now >= ends_at and not self.open_ones
        assert bool(idle) == (is_over and not self.told_idle)
        self.told_idle = self.told_idle or is_over

    # -- what must hold

    @invariant()
    def r22_everybody_is_where_the_twin_has_them(self) -> None:
        for player in PLAYERS:
            for zone in ZONES[:3]:
                located, current = self.play.locate(player, zone), self.current(player)
                assert (located.window and located.window.window_id) == (current and current.name)
                assert (located.window and located.window.ends_at) == (current and current.ends_at)
                assert located.may_open is (self.possible(player, zone) is not None)
                others = [one.name for one in self.own(player) if not one.is_final and one is not current]
                assert list(located.unfinished) == others
                today = [one for one in self.own(player) if one.is_final and one.day >= self.play.now // DAY * DAY]
                assert located.started_elsewhere == sum(one.started for one in today)

    @invariant()
    def r22_nobody_has_two_windows_at_once(self) -> None:
        for player in PLAYERS:
            own = self.own(player)
            assert all(one.ends_at <= other.starts_at for one, other in pairwise(own))

    def teardown(self) -> None:
        """R-57: the journalled inputs give everything again."""
        self.end_slow_dump()
        if hasattr(self, "play"):
            journal = Journal(OWNER)
            for now, command in self.play.said:
                journal.add(now, command)
            replayed = journal.replayed_into(PlayerWindows(OWNER, self.play.library))
            assert frozen(replayed) == frozen(self.play.state)


TestPlayerWindowsMachine = PlayerWindowsMachine.TestCase
TestPlayerWindowsMachine.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, phases=[Phase.generate, Phase.shrink]
)
