"""Every event of the game: takes definitions, opens windows in order of start, and hands operators' commands to the
event that they mean (R-5, R-24 to R-26)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kraty_actors.definitions import EventDefinition, GameFile, stored
from kraty_actors.domain import steering
from kraty_actors.domain.board_shelf import BoardShelf
from kraty_actors.domain.calendar_messages import (
    BanPlayer,
    CancelWindow,
    Changed,
    CopyPrevious,
    ExtendWindow,
    FinalizeEvent,
    GamePut,
    GetCatalogue,
    OverrideWindow,
    PutGame,
    SetEventState,
)
from kraty_actors.domain.catalogue import Catalogue, Library, Windows, WindowView
from kraty_actors.domain.contest_messages import SetBan
from kraty_actors.domain.loot import Bundles
from kraty_actors.domain.outcome import Audited, BanSet, Command, Message, Notice, Outcome, Plain, Refusal, Tick
from kraty_actors.domain.planned import Planned, Terms
from kraty_actors.domain.player_windows_messages import PlayerWindowsIdle
from kraty_actors.domain.rules import Rules
from kraty_actors.domain.window_messages import OpenWindow, WindowFinalized

OfWindow = CancelWindow | ExtendWindow | OverrideWindow | CopyPrevious


class Calendar:
    """See the module."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._game: GameFile | None = None
        self._file: dict[str, Plain] = {}
        self._seed = 0
        self._events: dict[str, Planned] = {}
        self._event_of: dict[str, str] = {}
        self._revisions: dict[str, int] = {}
        self._shelf = BoardShelf(library)

    @property
    def wake_at(self) -> int | None:
        starts = (event.next_start for event in self._events.values())
        return min((at for at in (*starts, self._shelf.next_rollover) if at is not None), default=None)

    may_sleep = False

    # -- commands

    def apply(self, command: Command, now: int) -> Outcome:
        match command:
            case GetCatalogue():
                return Outcome(reply=self._catalogue())
            case Tick():
                return self._open_due(now)
            case WindowFinalized():
                return self._window_finalized(command, now)
            case PlayerWindowsIdle():
                return self._idle(command)
            case PutGame():
                return self._put(command, now)
            case BanPlayer():
                return self._ban(command, now)
            case SetEventState() | FinalizeEvent():
                return self._steer_event(command, now)
            case CancelWindow() | ExtendWindow() | OverrideWindow() | CopyPrevious():
                return self._steer_window(command, now)
        raise TypeError(f"a calendar knows no {type(command).__name__}")

    # -- definitions

    def _put(self, command: PutGame, now: int) -> Outcome:
        """All or nothing: a game that cannot be read changes nothing."""
        game = stored(GameFile, command.game)
        outcome = self._open_due(now)
        self._game, self._seed = game, command.seed
        self._file = self._file if command.file is None else command.file
        filed = [self._shelf.put(board, now) for board in game.leaderboards]
        outcome.messages = [*outcome.messages, *(said for one in filed for said in one.messages)]
        before = {key: planned.newest.revision for key, planned in self._events.items()}
        bundles = Bundles.of(game)
        for event in game.events:
            planned = self._events.setdefault(event.key, Planned(event.key))
            rules, terms = self._revised(planned, event, bundles), self._terms(event)
            if rules is not None or terms != planned.terms:
                self._say(outcome, planned, planned.put(rules, terms, now))
        changed = [self._count(kind, key, before) for kind, key in command.changed]
        outcome.reply = GamePut([put for put, _ in changed], [warning for one in filed for warning in one.warnings])
        outcome.effects = [
            Audited(command.who, "game.put", f"{put.kind}:{put.key}", was, put.revision, now) for put, was in changed
        ]
        outcome.moved = True
        return outcome

    def _count(self, kind: str, key: str, events_before: dict[str, int]) -> tuple[Changed, int | None]:
        """How often a definition was put by now, and what it was before."""
        if kind == "events":
            return Changed(kind, key, self._events[key].newest.revision), events_before.get(key)
        name = f"{kind}:{key}"
        before = self._revisions.get(name)
        self._revisions[name] = (before or 0) + 1
        return Changed(kind, key, self._revisions[name]), before

    def _revised(self, planned: Planned, event: EventDefinition, bundles: Bundles) -> Rules | None:
        """A new revision, unless nothing that a window plays by has changed (R-5)."""
        rules = Rules.of(len(planned.revisions) + 1, event, self._standing_game(), bundles)
        if planned.revisions and {**planned.newest.dump(), "revision": rules.revision} == rules.dump():
            return None
        self._library.add(rules)
        return rules

    def _terms(self, event: EventDefinition) -> Terms:
        game = self._standing_game()
        lobby = game.lobby_rules_of(event)
        return Terms(
            seed=self._seed,
            timezone=game.timezone_of(event),
            ahead_days=game.schedule_ahead_days_of(event),
            fill_timeout_seconds=lobby.fill_timeout_seconds,
            fill_strategy=lobby.fill_strategy,
            bot_tick_seconds=game.settings.bot_tick_seconds,
            boards=self._boards(event),
        )

    def _boards(self, event: EventDefinition) -> list[list[Plain]]:
        """The shared boards that the event contributes to, each as [key, revision] (R-32)."""
        return self._shelf.bindings(event.contributes_to)

    # -- time

    def _open_due(self, now: int) -> Outcome:
        """Open everything that starts up to now, in order of start, at its own time."""
        rolled = self._shelf.roll(now)
        outcome = Outcome(traced=True, moved=bool(rolled), messages=rolled)
        due = [event for event in self._events.values() if event.next_start is not None and event.next_start <= now]
        found = [(one.starts_at, event.key, one, event) for event in due for one in event.take_due(now)]
        for _, _, one, event in sorted(found, key=lambda each: each[:2]):
            self._say(outcome, event, [event.open(one)])
        for event in due:
            self._say(outcome, event, event.settle())
        return outcome

    def _window_finalized(self, command: WindowFinalized, now: int) -> Outcome:
        outcome = Outcome(traced=True)
        key = self._event_of.get(command.window_id)
        if key is not None:
            event = self._events[key]
            self._say(outcome, event, event.closed(command, now))
            forgotten = set(event.forget_old(now))
            if forgotten:  # those who hold an older picture still look up in it: it is replaced, not changed
                self._event_of = {name: of for name, of in self._event_of.items() if name not in forgotten}
        return outcome

    def _idle(self, command: PlayerWindowsIdle) -> Outcome:
        outcome = Outcome(traced=True)
        event = self._events[command.event_key]
        self._say(outcome, event, event.idle(command.revision))
        return outcome

    # -- operators

    def _steer_event(self, command: SetEventState | FinalizeEvent, now: int) -> Outcome:
        event = self._events.get(command.event_key)
        if event is None:
            return Outcome(reply=Refusal("not_found", f"no event '{command.event_key}'"))
        if isinstance(command, SetEventState):
            return self._done(event, steering.set_state(event, command, now))
        if command.window_id is None:
            return self._done(event, steering.finalize_event(event, command, now))
        window = self._window_of(event, command.window_id, now)
        if window is None:
            return Outcome(reply=Refusal("not_found", f"{event.key} has no window '{command.window_id}'"))
        return self._done(event, steering.finalize_window(event, window, command, now))

    def _steer_window(self, command: OfWindow, now: int) -> Outcome:
        found = self._find(command.window_id, now)
        if found is None:
            return Outcome(reply=Refusal("not_found", f"no window '{command.window_id}'"))
        match command:
            case CancelWindow():
                outcome = steering.cancel(*found, command, now)
            case ExtendWindow():
                outcome = steering.extend(*found, command, now)
            case OverrideWindow():
                outcome = steering.override(*found, command, now)
            case CopyPrevious():
                outcome = steering.copy_previous(*found, command, now)
        return self._done(found[0], outcome)

    def _find(self, window_id: str, now: int) -> tuple[Planned, WindowView] | None:
        """A window that has opened, or one to come of any event."""
        key = self._event_of.get(window_id)
        for event in self._events.values() if key is None else [self._events[key]]:
            window = self._window_of(event, window_id, now)
            if window is not None:
                return event, window
        return None

    def _window_of(self, event: Planned, window_id: str, now: int) -> WindowView | None:
        known = event.windows.get(window_id)
        to_come = event.view().upcoming(now) if known is None else ()
        return known or next((one for one in to_come if one.window_id == window_id), None)

    def _ban(self, command: BanPlayer, now: int) -> Outcome:
        """Whoever keeps a board hears of it; in windows to come the player cannot start."""
        outcome = self._open_due(now)
        told = SetBan(command.player, command.is_banned)
        boards = [Message(view.current_id, told) for view in self._shelf.views().values()]
        windows = [message for event in self._events.values() for message in event.tell_all(told)]
        outcome.messages = [*outcome.messages, *windows, *boards]
        ban = BanSet(command.player, command.is_banned, command.reason)
        action = "players.ban" if command.is_banned else "players.unban"
        audited = Audited(command.who, action, f"player:{command.player}", None, command.reason, now)
        outcome.effects = [*outcome.effects, ban, audited]
        outcome.notices = [*outcome.notices, Notice("player.banned", (), ban)]
        outcome.reply = ban
        return outcome

    # -- helpers

    def _say(self, outcome: Outcome, event: Planned, messages: Sequence[Message]) -> None:
        """The event changed, and with it what others see; remember whose the windows are that it opens."""
        self._event_of.update((said.to, event.key) for said in messages if isinstance(said.command, OpenWindow))
        outcome.messages = [*outcome.messages, *messages]
        outcome.moved = True
        event.changed()

    def _done(self, event: Planned, outcome: Outcome) -> Outcome:
        """What an operator's command led to."""
        if outcome.traced:
            messages, outcome.messages = outcome.messages, ()
            self._say(outcome, event, messages)
        return outcome

    def _standing_game(self) -> GameFile:
        if self._game is None:
            raise RuntimeError("events stand in a game")
        return self._game

    def _catalogue(self) -> Catalogue:
        events = {key: event.view() for key, event in self._events.items()}
        windows = Windows(events, self._event_of)
        return Catalogue(self._game, self._file, self._seed, events, windows, self._shelf.views(), self.wake_at)

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        head = {
            "game": self._game.as_defined() if self._game else None,
            "file": self._file,
            "seed": self._seed,
            "revisions": self._revisions,
            "boards": self._shelf.dump(),
        }
        return iter([head, *(event.dump() for event in self._events.values())])

    def restore(self, parts: Sequence[Plain]) -> None:
        head = parts[0]
        self._game = stored(GameFile, head["game"]) if head["game"] is not None else None
        self._file = head["file"]
        self._seed = head["seed"]
        self._revisions = head["revisions"]
        self._shelf.restore(head["boards"])
        for part in parts[1:]:
            event = Planned.restored(part)
            event.resume_terms(self._terms(event.event))
            self._events[event.key] = event
            self._event_of.update(dict.fromkeys(event.windows, event.key))
            for rules in event.revisions:
                self._library.add(rules)
