"""Every event over its life: definitions and their revisions, and which windows open when (R-5, R-24, R-26).

Upcoming windows are not kept: they are a function of the schedule and the time. A window is kept from the moment it
opens; one cursor per event says up to which instant everything that starts has been opened, so a server that was
down opens what it missed, at its own times.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kraty_actors.definitions import EventDefinition, GameFile
from kraty_actors.domain import schedule
from kraty_actors.domain.calendar_messages import Changed, FinalizeEvent, GetCatalogue, PutGame
from kraty_actors.domain.catalogue import CLOSED_LISTED, Catalogue, EventState, EventView, Library, WindowView
from kraty_actors.domain.ids import window_id
from kraty_actors.domain.outcome import Audited, Command, Message, Outcome, Plain, Refusal, Tick
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window_messages import Finalize, OpenWindow, WindowFinalized

CLOSED_KEPT_MS = 2 * 86_400_000
"""How long a finalized window stays known to the calendar beyond that: long enough for a day's limits (R-17)."""


@dataclass(slots=True)
class Planned:
    """One event in the calendar. `opened_until`: everything that starts up to then was opened."""

    revisions: list[Rules] = field(default_factory=list)
    state: EventState = "draft"
    is_active: bool = True
    opened_until: int = 0
    next_start: int | None = None
    windows: dict[str, WindowView] = field(default_factory=dict)

    @property
    def newest(self) -> Rules:
        return self.revisions[-1]

    @property
    def occurs(self) -> bool:
        """Whether windows of it open when their time comes."""
        return self.is_active and self.state in ("scheduled", "live")

    @property
    def has_open_window(self) -> bool:
        return any(window.state == "open" for window in self.windows.values())


class Calendar:
    """See the module."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._game: GameFile | None = None
        self._file: dict[str, Plain] = {}
        self._seed = 0
        self._events: dict[str, Planned] = {}
        self._views: dict[str, EventView] = {}
        self._revisions: dict[str, int] = {}

    @property
    def wake_at(self) -> int | None:
        return min((e.next_start for e in self._events.values() if e.next_start is not None), default=None)

    # -- commands

    def apply(self, command: Command, now: int) -> Outcome:
        match command:
            case GetCatalogue():
                return Outcome(reply=self._catalogue())
            case Tick():
                return self._open_due(now)
            case WindowFinalized():
                return self._window_finalized(command, now)
            case PutGame():
                return self._put(command, now)
            case FinalizeEvent():
                return self._finalize(command, now)
        raise TypeError(f"a calendar knows no {type(command).__name__}")

    def _put(self, command: PutGame, now: int) -> Outcome:
        outcome = self._open_due(now)
        outcome.moved = True
        self._take(command)
        for event in self._standing_game().events:
            planned = self._events.setdefault(event.key, Planned(is_active=False))
            was_active = planned.is_active
            self._revise(planned, event)
            planned.is_active = event.key not in command.inactive
            is_first = planned.state == "draft" and not was_active
            if is_first and planned.is_active and event.state != "draft":
                planned.state = "scheduled"
            self._begin(planned, now, outcome)
            self._plan(planned, now)
            self._views.pop(event.key, None)
        changed = [Changed(kind, key, self._count_revision(kind, key)) for kind, key in command.changed]
        outcome.reply = changed
        outcome.effects = [
            Audited(command.who, "game.put", f"{put.kind}:{put.key}", None, put.revision, now) for put in changed
        ]
        return outcome

    def _take(self, command: PutGame) -> None:
        self._game = GameFile.model_validate(command.game)
        self._seed = command.seed
        if command.file is not None:
            self._file = command.file

    def _count_revision(self, kind: str, key: str) -> int:
        if kind == "events":
            return self._events[key].newest.revision
        name = f"{kind}:{key}"
        self._revisions[name] = self._revisions.get(name, 0) + 1
        return self._revisions[name]

    def _revise(self, planned: Planned, event: EventDefinition) -> None:
        """A new revision, unless nothing that a window plays by has changed (R-5)."""
        game = self._standing_game()
        named = {binding.bot_id for binding in event.bot_bindings}
        bots = [bot for bot in game.bots if bot.id in named or bot.key in named]
        default_pool = game.settings.default_identity_pool
        pools = game.settings.identity_pools if bots else ()
        rules = Rules(len(planned.revisions) + 1, event, bots, pools, default_pool if bots else None)
        if planned.revisions and {**planned.newest.dump(), "revision": rules.revision} == rules.dump():
            return
        planned.revisions.append(rules)
        self._library.add(rules)

    def _begin(self, planned: Planned, now: int, outcome: Outcome) -> None:
        """The definition as put counts from now on: what it has under way opens at once if the event has had no
        window yet, or is `always` open and is not; what is already over never opens."""
        if not planned.occurs:
            return
        planned.opened_until = now
        availability = planned.newest.event.availability
        if planned.state == "scheduled" or (availability.mode == "always" and not planned.has_open_window):
            for one in schedule.under_way(availability, now, timezone=self._timezone(planned)):
                self._open(planned, one, outcome)

    def _plan(self, planned: Planned, now: int) -> None:
        """When this event next has a window to open."""
        planned.next_start = None
        if planned.occurs:
            availability = planned.newest.event.availability
            after = planned.opened_until
            following = schedule.next_occurrence(availability, after, timezone=self._timezone(planned))
            planned.next_start = following.starts_at if following else None
            ended = planned.next_start is None and availability.mode in ("fixed", "recurring_windows")
            if ended and planned.windows and not planned.has_open_window:
                planned.state = "finalized"

    def _open_due(self, now: int) -> Outcome:
        """Open everything that starts up to now, in order of start, at its own time."""
        outcome = Outcome(traced=True)
        due = []
        for planned in self._events.values():
            if planned.next_start is not None and planned.next_start <= now:
                availability = planned.newest.event.availability
                zone = self._timezone(planned)
                found = schedule.occurrences(availability, planned.opened_until, now, timezone=zone)
                due += [(one.starts_at, planned.newest.event.key, one, planned) for one in found]
                planned.opened_until = now
                self._plan(planned, now)
        for _, _, one, planned in sorted(due, key=lambda found: found[:2]):
            self._open(planned, one, outcome)
        return outcome

    def _open(self, planned: Planned, one: schedule.Occurrence, outcome: Outcome) -> None:
        rules = planned.newest
        key = rules.event.key
        name = window_id(key, one.starts_at)
        if name in planned.windows:
            return
        planned.windows[name] = WindowView(name, key, one.starts_at, one.ends_at, "open", rules.revision)
        planned.state = "live"
        lobby = self._standing_game().lobby_rules_of(rules.event)
        opening = OpenWindow(
            key,
            rules.revision,
            self._seed,
            self._timezone(planned),
            one.starts_at,
            one.ends_at,
            lobby.fill_timeout_seconds,
            lobby.fill_strategy,
        )
        outcome.messages = [*outcome.messages, Message(name, opening)]
        self._touch(key, outcome)

    def _window_finalized(self, command: WindowFinalized, now: int) -> Outcome:
        outcome = Outcome(traced=True)
        for key, planned in self._events.items():
            window = planned.windows.get(command.window_id)
            if window is None:
                continue
            planned.windows[window.window_id] = WindowView(
                window.window_id, key, window.starts_at, window.ends_at or now, "finalized", window.revision
            )
            if planned.newest.event.availability.mode == "always" and planned.state == "live" and planned.is_active:
                self._open(planned, schedule.Occurrence(max(now, window.starts_at + 1), None), outcome)
            self._plan(planned, now)
            self._forget_old(planned, now)
            self._touch(key, outcome)
        return outcome

    def _finalize(self, command: FinalizeEvent, now: int) -> Outcome:
        planned = self._events.get(command.event_key)
        if planned is None:
            return Outcome(reply=Refusal("not_found", f"no event '{command.event_key}'"))
        if planned.state not in ("live", "scheduled") or (planned.state == "scheduled" and not command.window_id):
            message = f"{command.event_key} is {planned.state}: only a live event is finalized"
            return Outcome(reply=Refusal("conflict", message, {"state": planned.state}))
        named = [w for w in planned.windows.values() if command.window_id in (None, w.window_id)]
        if command.window_id is not None and not named:
            return Outcome(reply=Refusal("not_found", f"no window '{command.window_id}' is open"))
        open_ones = [window.window_id for window in named if window.state == "open"]
        if command.window_id is not None and not open_ones:
            return Outcome(reply=Refusal("conflict", "the window is finalized already", {"state": "finalized"}))
        outcome = Outcome(reply=open_ones, traced=True)
        outcome.messages = [Message(name, Finalize()) for name in open_ones]
        outcome.effects = [
            Audited(
                command.who,
                "events.finalize",
                command.window_id or command.event_key,
                "live",
                "finalized",
                now,
            )
        ]
        if command.window_id is None:
            planned.state = "finalized"
            planned.next_start = None
        self._touch(command.event_key, outcome)
        return outcome

    # -- helpers

    def _touch(self, event_key: str, outcome: Outcome) -> None:
        self._views.pop(event_key, None)
        outcome.moved = True

    def _standing_game(self) -> GameFile:
        if self._game is None:
            raise RuntimeError("events stand in a game")
        return self._game

    def _timezone(self, planned: Planned) -> str:
        return self._standing_game().timezone_of(planned.newest.event)

    def _forget_old(self, planned: Planned, now: int) -> None:
        closed = [window for window in planned.windows.values() if window.state == "finalized"]
        for window in closed[:-CLOSED_LISTED]:
            if (window.ends_at or now) < now - CLOSED_KEPT_MS:
                del planned.windows[window.window_id]

    def _catalogue(self) -> Catalogue:
        for key, planned in self._events.items():
            if key not in self._views:
                self._views[key] = self._view(planned)
        windows = {name: window for event in self._events.values() for name, window in event.windows.items()}
        return Catalogue(self._game, self._file, self._seed, dict(self._views), windows, self.wake_at)

    def _view(self, planned: Planned) -> EventView:
        ordered = sorted(planned.windows.values(), key=lambda window: window.starts_at)
        return EventView(
            rules=planned.newest,
            state=planned.state,
            timezone=self._timezone(planned),
            ahead_days=self._standing_game().schedule_ahead_days_of(planned.newest.event),
            is_active=planned.is_active,
            windows=tuple(ordered),
        )

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        yield {
            "game": self._game.as_defined() if self._game else None,
            "file": self._file,
            "seed": self._seed,
            "revisions": self._revisions,
        }
        for key, planned in self._events.items():
            yield {
                "key": key,
                "revisions": [rules.dump() for rules in planned.revisions],
                "state": planned.state,
                "isActive": planned.is_active,
                "openedUntil": planned.opened_until,
                "nextStart": planned.next_start,
                "windows": [
                    [w.window_id, w.event_key, w.starts_at, w.ends_at, w.state, w.revision]
                    for w in planned.windows.values()
                ],
            }

    def restore(self, parts: Sequence[Plain]) -> None:
        head = parts[0]
        self._game = GameFile.model_validate(head["game"]) if head["game"] is not None else None
        self._file = head["file"]
        self._seed = head["seed"]
        self._revisions = head["revisions"]
        for part in parts[1:]:
            revisions = [Rules.restored(plain) for plain in part["revisions"]]
            windows = {name: WindowView(name, *rest) for name, *rest in part["windows"]}
            self._events[part["key"]] = Planned(
                revisions, part["state"], part["isActive"], part["openedUntil"], part["nextStart"], windows
            )
            for rules in revisions:
                self._library.add(rules)
