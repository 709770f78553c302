"""Which windows open when, over definitions that change, outages, operators and restarts (R-5, R-24, R-26)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from playing import HOUR, SEED, START, Journal, frozen, thawed

from kraty_actors.definitions import EventDefinition
from kraty_actors.definitions.scalars import iso_instant
from kraty_actors.domain import schedule
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.calendar_messages import FinalizeEvent, GetCatalogue, PutGame
from kraty_actors.domain.catalogue import Catalogue, Library
from kraty_actors.domain.ids import CALENDAR, window_id
from kraty_actors.domain.outcome import Command, Outcome, Refusal, Tick
from kraty_actors.domain.window_messages import Finalize, OpenWindow, WindowFinalized

KEYS = ["a", "b"]
DAY = 24 * HOUR


def fixed(start: int, end: int) -> dict[str, Any]:
    return {"mode": "fixed", "startsAt": iso_instant(START + start * HOUR), "endsAt": iso_instant(START + end * HOUR)}


def daily(clock: str, hours: int, zone: str = "UTC", **bounds: str) -> dict[str, Any]:
    windows = [{"startTime": clock, "durationSeconds": hours * 3600}]
    return {"mode": "recurring_windows", "timezone": zone, "windows": windows, **bounds}


SCHEDULES = [
    {"mode": "always"},
    fixed(-4, -2),
    fixed(-1, 2),
    fixed(3, 30),
    daily("10:00", 2),
    daily("20:00", 24, "America/New_York"),
    daily("09:00", 30),
    daily("11:00", 5, endsAt=iso_instant(START + 3 * DAY)),
]


@dataclass
class Opened:
    starts_at: int
    ends_at: int | None
    revision: int
    is_final: bool = False


@dataclass
class Event:
    """One event as the twin knows it. `until`: every occurrence that started up to then is settled."""

    defined: EventDefinition
    raw: dict[str, Any]
    revision: int = 1
    state: str = "draft"
    was_active: bool = False
    until: int = 0
    windows: list[Opened] = field(default_factory=list)

    @property
    def open_ones(self) -> list[Opened]:
        return [window for window in self.windows if not window.is_final]

    @property
    def occurs(self) -> bool:
        return self.was_active and self.state in ("scheduled", "live")


class CalendarMachine(RuleBasedStateMachine):
    """The machine plays the windows, which become final whenever it likes once they are over."""

    @initialize(first=st.sampled_from(SCHEDULES), second=st.sampled_from(SCHEDULES))
    def begin(self, first: dict[str, Any], second: dict[str, Any]) -> None:
        self.now = START
        self.events: dict[str, Event] = {}
        self.calendar = Calendar(Library())
        self.journal = Journal(CALENDAR)
        self.asked_to_end: list[str] = []
        for key, availability in zip(KEYS, (first, second), strict=True):
            self.put(key, availability, "one", None, inactive=False)

    # -- the loop and the windows

    def say(self, command: Command) -> Outcome:
        """As the loop does it: what is due comes first."""
        if self.calendar.wake_at is not None and self.calendar.wake_at <= self.now:
            self.heard(self.apply(Tick()), self.due())
        return self.apply(command)

    def apply(self, command: Command) -> Outcome:
        outcome = self.calendar.apply(command, self.now)
        if outcome.traced:
            self.journal.add(self.now, command)
        return outcome

    def heard(self, outcome: Outcome, opened: list[tuple[str, Opened]]) -> None:
        """Exactly these windows were opened, in this order, each at its own times by the newest revision."""
        messages = [m for m in outcome.messages if isinstance(m.command, OpenWindow)]
        said = [(m.to, m.command.event_key, m.command.starts_at, m.command.ends_at) for m in messages]
        assert said == [(window_id(key, w.starts_at), key, w.starts_at, w.ends_at) for key, w in opened]
        assert [m.command.revision for m in messages] == [window.revision for _, window in opened]
        assert {m.command.seed for m in messages} <= {SEED}

    # -- the twin

    def due(self) -> list[tuple[str, Opened]]:
        """Everything of every event that started since, in order of start."""
        found = []
        for key, event in self.events.items():
            if event.occurs:
                starts = schedule.occurrences(event.defined.availability, event.until, self.now)
                found += [(one.starts_at, key, one) for one in starts]
                event.until = self.now
        return [(key, self.open(self.events[key], one)) for _, key, one in sorted(found, key=lambda f: f[:2])]

    def open(self, event: Event, one: schedule.Occurrence) -> Opened:
        event.state = "live"
        event.windows.append(Opened(one.starts_at, one.ends_at, event.revision))
        return event.windows[-1]

    def settle(self) -> None:
        """R-26: an event ends by itself with its last window."""
        for event in self.events.values():
            repeats = event.defined.availability.mode == "always"
            follows = schedule.next_occurrence(event.defined.availability, event.until)
            if event.occurs and event.windows and not event.open_ones and not repeats and follows is None:
                event.state = "finalized"

    # -- rules

    @rule(
        key=st.sampled_from(KEYS),
        availability=st.sampled_from(SCHEDULES),
        name=st.sampled_from(["one", "other"]),
        state=st.sampled_from([None, None, "draft"]),
        inactive=st.sampled_from([False, False, False, True]),
    )
    def put(self, key: str, availability: dict[str, Any], name: str, state: str | None, *, inactive: bool) -> None:
        """What is due by the definitions that stood opens by them, before the new ones count."""
        raw = {"key": key, "name": name, "metrics": [{"key": "points"}], "availability": availability}
        raw |= {"state": state} if state else {}
        rest = [event.raw for other, event in self.events.items() if other != key]
        game = {"gameId": "arena", "events": [*rest, raw]}
        others = [other for other, event in self.events.items() if other != key and not event.was_active]
        before = {other: (event.revision, event.raw) for other, event in self.events.items()}
        outcome = self.apply(PutGame(game, SEED, [["events", key]], others + [key] * inactive, None, "ann"))
        opened = self.due()
        event = self.events.setdefault(key, Event(EventDefinition.model_validate(raw), raw))
        if raw != event.raw:
            event.revision += 1
        event.raw, event.defined = raw, EventDefinition.model_validate(raw)
        if event.state == "draft" and not event.was_active and not inactive and state is None:
            event.state = "scheduled"
        event.was_active = not inactive
        for other in [entry["key"] for entry in game["events"]]:
            opened += [(other, window) for window in self.put_begins(self.events[other])]
        self.heard(outcome, opened)
        self.settle()
        assert [changed.revision for changed in outcome.reply] == [event.revision]
        assert before.get(key, (0, None))[1] == raw or event.revision == before.get(key, (0, None))[0] + 1

    def put_begins(self, event: Event) -> list[Opened]:
        if not event.occurs:
            return []
        event.until = self.now
        fresh = event.state == "scheduled" or (event.defined.availability.mode == "always" and not event.open_ones)
        under_way = schedule.under_way(event.defined.availability, self.now) if fresh else []
        return [self.open(event, one) for one in under_way]

    @rule(hours=st.sampled_from([1, 3, 12, 26, 60]))
    def time_passes(self, hours: int) -> None:
        """R-24: a server that was away opens what it missed, each at its own times."""
        self.now += hours * HOUR
        if self.calendar.wake_at is not None and self.calendar.wake_at <= self.now:
            self.heard(self.apply(Tick()), self.due())
            self.settle()

    @rule(data=st.data(), many=st.integers(1, 4))
    def windows_become_final(self, data: st.DataObject, many: int) -> None:
        for _ in range(many):
            self.a_window_becomes_final(data)

    def a_window_becomes_final(self, data: st.DataObject) -> None:
        over = [
            (key, window)
            for key, event in self.events.items()
            for window in event.open_ones
            if (window.ends_at is not None and window.ends_at <= self.now)
            or window_id(key, window.starts_at) in self.asked_to_end
        ]
        if not over:
            return
        key, window = data.draw(st.sampled_from(over))
        outcome = self.say(WindowFinalized(window_id(key, window.starts_at)))
        window.is_final = True
        event = self.events[key]
        reopens = event.defined.availability.mode == "always" and event.state == "live" and event.was_active
        start = max(self.now, window.starts_at + 1)
        if reopens and start in [other.starts_at for other in event.windows]:
            reopens = False
        following = [(key, self.open(event, schedule.Occurrence(start, None)))] if reopens else []
        self.heard(outcome, following)
        self.settle()

    @rule(key=st.sampled_from([*KEYS, "unheard"]), data=st.data())
    def finalize(self, key: str, data: st.DataObject) -> None:
        event = self.events.get(key)
        names = [window_id(key, window.starts_at) for window in event.windows[-3:]] if event else []
        name = data.draw(st.sampled_from([None, "wunknown", *names]))
        if self.calendar.wake_at is not None and self.calendar.wake_at <= self.now:
            self.time_passes(0)
        outcome = self.say(FinalizeEvent(key, name, "ann"))
        if event is None:
            assert refused(outcome) == "not_found"
        elif event.state != "live":
            assert refused(outcome) == ("not_found" if event.state == "scheduled" and name else "conflict")
        elif name == "wunknown":
            assert refused(outcome) == "not_found"
        else:
            ending = [window_id(key, w.starts_at) for w in event.open_ones]
            ending = [each for each in ending if name in (None, each)]
            if name is not None and not ending:
                assert refused(outcome) == "conflict"
                return
            assert [(m.to, m.command) for m in outcome.messages] == [(each, Finalize()) for each in ending]
            assert (outcome.reply, len(outcome.effects)) == (ending, 1)
            self.asked_to_end += ending
            event.state = "finalized" if name is None else event.state

    @rule()
    def restart(self) -> None:
        parts = frozen(self.calendar)
        self.calendar = thawed(Calendar(Library()), parts)
        assert frozen(self.calendar) == parts

    # -- what must hold

    @invariant()
    def r26_events_and_their_windows_are_the_twins(self) -> None:
        catalogue = self.calendar.apply(GetCatalogue(), self.now).reply
        assert isinstance(catalogue, Catalogue)
        assert catalogue.events.keys() == self.events.keys()
        for key, event in self.events.items():
            view = catalogue.events[key]
            assert (view.state, view.is_active, view.rules.revision) == (event.state, event.was_active, event.revision)
            open_ones = [(w.starts_at, w.ends_at, w.revision) for w in view.windows if w.state == "open"]
            assert open_ones == sorted((w.starts_at, w.ends_at, w.revision) for w in event.open_ones)
            self.r23_the_current_one_started_last(view, event)
            self.r24_what_is_to_come(view, event)

    def r23_the_current_one_started_last(self, view: Any, event: Event) -> None:
        here = [w for w in event.open_ones if w.starts_at <= self.now and (w.ends_at is None or self.now < w.ends_at)]
        current = view.current(self.now)
        assert (current and current.starts_at) == max((w.starts_at for w in here), default=None)

    def r24_what_is_to_come(self, view: Any, event: Event) -> None:
        following = schedule.upcoming(event.defined.availability, self.now, 7) if event.occurs else []
        assert [(w.starts_at, w.ends_at) for w in view.upcoming(self.now)] == [
            (o.starts_at, o.ends_at) for o in following
        ]
        listed = view.listed(self.now)
        ended = sorted((w.starts_at for w in event.windows if w.is_final), reverse=True)[:10]
        assert [w.starts_at for w in listed if w.state == "finalized"] == ended
        assert [w.state for w in listed] == sorted(
            (w.state for w in listed), key=["open", "upcoming", "finalized"].index
        )

    @invariant()
    def it_wakes_for_the_next_start(self) -> None:
        follows = [schedule.next_occurrence(e.defined.availability, e.until) for e in self.events.values() if e.occurs]
        assert self.calendar.wake_at == min((one.starts_at for one in follows if one), default=None)

    def teardown(self) -> None:
        """R-57: the journalled inputs give everything again."""
        if hasattr(self, "calendar"):
            assert frozen(self.journal.replayed_into(Calendar(Library()))) == frozen(self.calendar)


def refused(outcome: Outcome) -> str:
    assert isinstance(outcome.reply, Refusal)
    assert not outcome.traced
    return outcome.reply.code


TestCalendarMachine = CalendarMachine.TestCase
TestCalendarMachine.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, phases=[Phase.generate, Phase.shrink]
)
