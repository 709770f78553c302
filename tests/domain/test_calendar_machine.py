"""Which windows open when, over definitions that change, outages, operators and restarts (R-5, R-24 to R-26)."""

from __future__ import annotations

from calendar_twin import KEYS, SCHEDULES, Event, Opened, Twin
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from playing import HOUR, SEED, START, Journal, frozen, thawed

from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.calendar_messages import (
    BanPlayer,
    CancelWindow,
    CopyPrevious,
    ExtendWindow,
    FinalizeEvent,
    GetCatalogue,
    OverrideWindow,
    PutGame,
    SetEventState,
)
from kraty_actors.domain.catalogue import Catalogue, EventView, Library, WindowView
from kraty_actors.domain.contest_messages import Amend, Extend, Pause, Resume, SetBan
from kraty_actors.domain.ids import CALENDAR
from kraty_actors.domain.outcome import Audited, BanSet, Command, Outcome, Refusal, Tick
from kraty_actors.domain.window_messages import Cancel, Finalize, OpenWindow, WindowFinalized

BAGS = [None, {}, {"tier": "boss"}, {"banner": None}]
JUMPS = {"validators": [{"key": "max_metric_jump", "params": {"metricKey": "points", "maxDelta": 5}}]}
some_key = st.sampled_from(KEYS)


class CalendarMachine(RuleBasedStateMachine):
    """The machine plays the windows, which become final whenever it likes once they are over."""

    @initialize(first=st.sampled_from(SCHEDULES), second=st.sampled_from(SCHEDULES))
    def begin(self, first: dict[str, object], second: dict[str, object]) -> None:
        self.now = START
        self.twin = Twin()
        self.calendar = Calendar(Library())
        self.journal = Journal(CALENDAR)
        for key, availability in zip(KEYS, (first, second), strict=True):
            self.put(key, availability, {"name": "one"}, None)

    # -- the loop

    def say(self, command: Command) -> Outcome:
        """As the loop does it: what is due comes first."""
        if self.calendar.wake_at is not None and self.calendar.wake_at <= self.now:
            self.heard(self.apply(Tick()), self.twin.due(self.now))
            self.twin.settle()
        return self.apply(command)

    def apply(self, command: Command) -> Outcome:
        outcome = self.calendar.apply(command, self.now)
        if outcome.traced:
            self.journal.add(self.now, command)
        return outcome

    def heard(self, outcome: Outcome, opened: list[Opened], *told: tuple[str, Command]) -> None:
        """Exactly these windows were told so, and then exactly those opened, in this order, each at its own times by
        the newest revision."""
        messages = [m for m in outcome.messages if isinstance(m.command, OpenWindow)]
        assert [(m.to, m.command) for m in outcome.messages if m not in messages] == list(told)
        said = [(m.to, m.command.event_key, m.command.starts_at, m.command.ends_at) for m in messages]
        assert said == [(w.name, w.key, w.starts_at, w.ends_at) for w in opened]
        paused = [self.twin.events[w.key].state == "paused" for w in opened]
        assert [(m.command.revision, m.command.is_paused) for m in messages] == [
            (w.revision, is_paused) for w, is_paused in zip(opened, paused, strict=True)
        ]
        assert {m.command.seed for m in messages} <= {SEED}

    # -- rules

    @rule(
        key=some_key,
        availability=st.sampled_from(SCHEDULES),
        said=st.sampled_from([{"name": "one"}, {"name": "other"}, {"antiCheat": JUMPS}]),
        state=st.sampled_from([None, None, "draft"]),
    )
    def put(self, key: str, availability: dict[str, object], said: dict[str, object], state: str | None) -> None:
        """What is due by the definitions that stood opens by them, before the new ones count."""
        raw = {"key": key, "metrics": [{"key": "points"}], "availability": availability, **said}
        raw |= {"state": state} if state else {}
        events = self.twin.events
        rest = [event.raw for other, event in events.items() if other != key]
        game = {"gameId": "arena", "events": [*rest, raw]}
        outcome = self.apply(PutGame(game, SEED, [["events", key]], None, "ann"))
        due = self.twin.due(self.now)
        self.twin.settle()
        amended = key in events and events[key].raw.get("antiCheat") != raw.get("antiCheat")
        before = events[key].revision if key in events else None
        open_ones = events[key].open_ones if amended else []
        begun = self.twin.put(key, raw, self.now)
        event = events[key]
        amends = [(window.name, Amend(event.revision, [])) for window in open_ones]
        self.heard(outcome, due + begun, *amends)
        assert [changed.revision for changed in outcome.reply.changed] == [event.revision]
        assert [(effect.before, effect.after) for effect in outcome.effects] == [(before, event.revision)]

    @rule(hours=st.sampled_from([1, 3, 12, 26, 60]))
    def time_passes(self, hours: int) -> None:
        """R-24: a server that was away opens what it missed, each at its own times."""
        self.now += hours * HOUR
        if self.calendar.wake_at is not None and self.calendar.wake_at <= self.now:
            self.heard(self.apply(Tick()), self.twin.due(self.now))
            self.twin.settle()

    @rule(data=st.data(), many=st.integers(1, 4))
    def windows_become_final(self, data: st.DataObject, many: int) -> None:
        for _ in range(many):
            over = [window for window in self.twin.windows if window.is_over(self.now)]
            if over:
                self.a_window_becomes_final(data.draw(st.sampled_from(over)))

    def a_window_becomes_final(self, window: Opened) -> None:
        self.settle_what_is_due()
        outcome = self.say(WindowFinalized(window.name, window.is_cancelled))
        self.heard(outcome, self.twin.closed(window, self.now))

    def settle_what_is_due(self) -> None:
        self.time_passes(0)

    @rule(key=st.sampled_from([*KEYS, "unheard"]), action=st.sampled_from(["publish", "unpublish", "pause", "resume"]))
    def set_state(self, key: str, action: str) -> None:
        self.settle_what_is_due()
        outcome = self.say(SetEventState(key, action, "ann"))  # type: ignore[arg-type]
        event = self.twin.events.get(key)
        if event is None:
            assert refused(outcome) == "not_found"
        elif not event.may(action):
            assert refused(outcome) == "conflict"
            assert outcome.reply.details == {"state": event.state}
        else:
            before, open_ones = event.state, event.open_ones
            opened = self.twin.set_state(event, action, self.now)
            told = {"pause": Pause(), "resume": Resume()}.get(action)
            self.heard(outcome, opened, *([(window.name, told) for window in open_ones] if told else []))
            assert isinstance(outcome.reply, EventView)
            assert outcome.reply.state == event.state
            assert [(effect.action, effect.before) for effect in outcome.effects] == [(f"events.{action}", before)]

    @rule(player=st.integers(1, 3), is_banned=st.booleans())
    def r51_ban(self, player: int, is_banned: bool) -> None:
        """Every window that is not final hears of it."""
        self.settle_what_is_due()
        outcome = self.say(BanPlayer(player, is_banned, "cheats", "ann"))
        open_ones = [window.name for event in self.twin.events.values() for window in event.open_ones]
        self.heard(outcome, [], *((name, SetBan(player, is_banned)) for name in open_ones))
        ban, audited = outcome.effects
        assert ban == outcome.reply == BanSet(player, is_banned, "cheats")
        assert audited == Audited(
            "ann", "players.ban" if is_banned else "players.unban", f"player:{player}", None, "cheats", self.now
        )

    @rule(key=st.sampled_from([*KEYS, "unheard"]))
    def finalize_event(self, key: str) -> None:
        self.settle_what_is_due()
        outcome = self.say(FinalizeEvent(key, None, "ann"))
        event = self.twin.events.get(key)
        if event is None:
            assert refused(outcome) == "not_found"
        elif event.state not in ("live", "paused"):
            assert refused(outcome) == "conflict"
        else:
            ending = event.open_ones
            self.heard(outcome, [], *((window.name, Finalize()) for window in ending))
            assert outcome.reply == [window.name for window in ending]
            event.state, event.is_ended = "finalized", True
            for window in ending:
                window.end(self.now)

    @rule(data=st.data(), how=st.sampled_from([Finalize(), Cancel()]))
    def end_a_window(self, data: st.DataObject, how: Command) -> None:
        name, window, planned = self.some_window(data)
        known = window or planned
        key = known.key if known else data.draw(some_key)
        command = CancelWindow(name, "ann") if how == Cancel() else FinalizeEvent(key, name, "ann")
        outcome = self.say(command)
        if window is None or window.state != "open":
            assert refused(outcome) == self.why_not(name, window)
            return
        self.heard(outcome, [], (name, how))
        window.end(self.now)
        window.is_cancelled = window.is_cancelled or how == Cancel()
        assert len(outcome.effects) == 1

    @rule(data=st.data(), hours=st.sampled_from([-1, 1, 5, 50]))
    def extend_a_window(self, data: st.DataObject, hours: int) -> None:
        name, window, _ = self.some_window(data)
        ends_at = self.now + hours * HOUR
        outcome = self.say(ExtendWindow(name, ends_at, "ann"))
        if window is None or window.state != "open" or window.is_over(self.now) or window.ends_at is None:
            assert refused(outcome) == self.why_not(name, window)
        elif ends_at <= max(window.ends_at, self.now):
            assert refused(outcome) == "validation_failed"
        else:
            self.heard(outcome, [], (name, Extend(ends_at)))
            assert [(effect.before, effect.after) for effect in outcome.effects] == [(window.ends_at, ends_at)]
            window.ends_at = ends_at

    @rule(data=st.data(), bag=st.sampled_from([*BAGS, "previous"]))
    def dress_a_window(self, data: st.DataObject, bag: object) -> None:
        """R-25: an override, or a copy of the previous occurrence's."""
        name, window, planned = self.some_window(data)
        copied = bag == "previous"
        outcome = self.say(CopyPrevious(name, "ann") if copied else OverrideWindow(name, bag, "ann"))  # type: ignore[arg-type]
        if (window is None and planned is None) or (window and window.state != "open"):
            assert refused(outcome) == self.why_not(name, window)
            return
        event = self.twin.events[(window or planned).key]  # type: ignore[union-attr]
        starts_at = (window or planned).starts_at  # type: ignore[union-attr]
        event.dress(starts_at, event.bag_before(starts_at, self.now) if copied else bag)
        assert isinstance(outcome.reply, WindowView)
        assert (outcome.reply.window_id, outcome.reply.override) == (name, event.bag(starts_at))
        assert [effect.after for effect in outcome.effects] == [event.bag(starts_at)]

    def some_window(self, data: st.DataObject) -> tuple[str, Opened | None, Opened | None]:
        """The id of a window, with the window if it has opened, or as it is to come."""
        self.settle_what_is_due()
        known = {window.name: window for window in self.twin.windows[-6:]}
        to_come = {one.name: one for event in self.twin.events.values() for one in event.upcoming(self.now)[:3]}
        name = data.draw(st.sampled_from(["wunknown", *known, *to_come]))
        return name, known.get(name), to_come.get(name)

    def why_not(self, name: str, window: Opened | None) -> str:
        return "not_found" if name == "wunknown" else "conflict"

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
        assert catalogue.events.keys() == self.twin.events.keys()
        for key, event in self.twin.events.items():
            view = catalogue.events[key]
            assert (view.state, view.rules.revision) == (event.state, event.revision)
            open_ones = [w for w in view.windows if w.state == "open"]
            assert [as_seen(w) for w in open_ones] == [as_seen(w) for w in event.open_ones]
            assert [catalogue.windows[w.window_id] for w in open_ones] == open_ones
            self.r23_the_current_one_started_last(view, event)
            self.r24_what_is_to_come(view, event)
            assert view.overrides == {start: bag for start, bag in event.bags.items() if bag is not None}

    def r23_the_current_one_started_last(self, view: EventView, event: Event) -> None:
        here = [w.starts_at for w in event.open_ones if w.starts_at <= self.now and not w.is_over(self.now)]
        current = view.current(self.now)
        assert (current and current.starts_at) == max(here, default=None)

    def r24_what_is_to_come(self, view: EventView, event: Event) -> None:
        following = event.upcoming(self.now)
        assert [as_seen(w) for w in view.upcoming(self.now)] == [as_seen(w) for w in following]
        assert view.next_start(self.now) == (following[0].starts_at if following else None)
        listed = view.listed(self.now)
        closed = [w for w in event.windows if w.state in ("finalized", "cancelled")]
        last = sorted(((w.starts_at, w.ends_at, w.state) for w in closed), reverse=True)[:10]
        assert [(w.starts_at, w.ends_at, w.state) for w in listed if w.is_closed] == last
        assert [w.window_id for w in listed[: -len(last) or None]] == [w.name for w in event.open_ones + following]

    @invariant()
    def it_wakes_for_the_next_start(self) -> None:
        follows = [event.next_start for event in self.twin.events.values()]
        assert self.calendar.wake_at == min((start for start in follows if start is not None), default=None)

    def teardown(self) -> None:
        """R-57: the journalled inputs give everything again."""
        if hasattr(self, "calendar"):
            assert frozen(self.journal.replayed_into(Calendar(Library()))) == frozen(self.calendar)


def as_seen(window: WindowView | Opened) -> tuple[object, ...]:
    name = window.window_id if isinstance(window, WindowView) else window.name
    return name, window.starts_at, window.ends_at, window.revision, window.override


def refused(outcome: Outcome) -> str:
    assert isinstance(outcome.reply, Refusal)
    assert not outcome.traced
    return outcome.reply.code


TestCalendarMachine = CalendarMachine.TestCase
TestCalendarMachine.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, phases=[Phase.generate, Phase.shrink]
)
