"""One occurrence of an event over its life: it opens, lets players in, is paused, extended and cancelled, and ends.

Where players sit is decided by a placement and carried out by the floor; play happens in the contests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from kraty_actors.domain import lobby_desk
from kraty_actors.domain.admission import Member, is_due, refused, too_poor
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
from kraty_actors.domain.ending import Ending
from kraty_actors.domain.floor import Floor
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.outcome import Command, Notice, Outcome, Plain, Refusal, Tick
from kraty_actors.domain.placement.decision import Decision
from kraty_actors.domain.rules import Rulebook
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
    Unseat,
    WindowInfo,
    WindowStage,
)


class Window:
    """See the module. It is open until it has an ending."""

    def __init__(self, window_id: str, rulebook: Rulebook) -> None:
        self.id = window_id
        self._rulebook = rulebook
        self._floor: Floor
        self._ending: Ending | None = None

    @property
    def floor(self) -> Floor:
        """Who has which place here."""
        return self._floor

    @property
    def wake_at(self) -> int | None:
        if self._ending is not None:
            return self._ending.wake_at
        opening, lobbies = self._floor.opening, self._floor.lobbies
        waits = None if lobbies is None or opening.is_paused else lobbies.wake_at
        return min((at for at in (opening.ends_at, waits) if at is not None), default=None)

    @property
    def may_sleep(self) -> bool:
        """Not while a lobby forms: who of its players is there is not told to those who are not in memory."""
        lobbies = self._floor.lobbies
        return lobbies is None or self._floor.is_over or not any(True for _ in lobbies.forming())

    @property
    def stage(self) -> WindowStage:
        if self._ending is None:
            return "open"
        if self._ending.stage != "over":
            return "closing"
        return "cancelled" if self._ending.is_cancelled else "finalized"

    # -- commands

    def apply(self, command: Command, now: int) -> Outcome:
        match command:
            case Admit():
                return self._admit(command, now)
            case AttemptEnded():
                return self._attempt_ended(command)
            case AttemptsEnded():
                return self._attempts_ended(command)
            case GetMember():
                return Outcome(reply=self.member_view(command))
            case Presence() | Leave() | Unseat() | StartLobby() | PushLobby() | GetLobby() | GetForming():
                return lobby_desk.apply(self._floor, command, now)
            case Tick():
                return self._tick(now)
            case Closed() if self._ending is not None:
                return self._ending.contest_closed(command)
            case Paid() if self._ending is not None:
                return self._ending.contest_paid(command)
            case OpenWindow():
                self._begin(command)
                opened = Notice("window.opened", (), self._info())
                return Outcome(traced=True, messages=self._floor.begin(), notices=[opened])
            case GetWindow():
                return Outcome(reply=self._info())
            case GetReport():
                return Outcome(reply=self.report())
        return self._steer(command, now)

    def _begin(self, opening: OpenWindow) -> None:
        self._floor = Floor(self.id, self._rulebook.rules(opening.event_key, opening.revision), opening)

    # -- players

    def _admit(self, command: Admit, now: int) -> Outcome:
        floor = self._floor
        refusal = self._shut(command.player, now)
        if refusal is not None:
            return Outcome(reply=refusal)
        member = floor.members.get(command.player)
        if member is not None and member.running:
            return Outcome(reply=Placed(contest_id(self.id, member.contest), is_new=False))
        refusal = refused(floor.rules.event, floor.opening, command, member, now)
        if (
            refusal is None
            and command.short is not None
            and is_due(floor.rules, member.charges if member is not None else 0)
        ):
            refusal = too_poor(command.short)
        if refusal is not None:
            return Outcome(reply=refusal)
        decision = self._placed(command, member, now)
        return floor.carry_out(decision, now, asker=command.player, announce=command.announce)

    def _shut(self, player: int, now: int) -> Refusal | None:
        """Why nobody, or not this player, is let in (R-18, R-22, R-26)."""
        opening = self._floor.opening
        if opening.player not in (None, player):
            return Refusal("not_found", "no such window")
        if opening.is_paused:
            return Refusal("event_disabled", f"{opening.event_key} is paused", {"state": "paused"})
        if self._floor.has_ended(now):
            return Refusal("no_active_window", "the window has ended", {"opensAt": None})
        return None

    def knows(self, player: int) -> bool:
        """Whether the player has a place here."""
        return player in self._floor.members

    def has_completed(self, player: int) -> bool:
        """Whether the player has completed an attempt here."""
        member = self._floor.members.get(player)
        return member is not None and member.completed

    def member_view(self, query: GetMember) -> MemberView:
        """What the window knows of one player."""
        return self._floor.member_view(query)

    def _placed(self, command: Admit, member: Member | None, now: int) -> Decision:
        """A place for a newcomer; who has one waits there, or starts there again."""
        floor = self._floor
        if member is None:
            return floor.placement.place(command, now)
        lobby = floor.lobby(member.contest)
        if floor.lobbies is not None and lobby is not None and lobby.is_forming:
            return floor.lobbies.wait(lobby, command.player)
        return Decision(starts=[command.player])

    def _attempt_ended(self, command: AttemptEnded) -> Outcome:
        member = self._floor.changing(command.player)
        member.running = member.running and command.had_ended
        member.completed = member.completed or command.completed
        return Outcome(traced=True)

    def _attempts_ended(self, command: AttemptsEnded) -> Outcome:
        for player in command.expired:
            self._floor.changing(player).running = False
        for player in command.completed:
            member = self._floor.changing(player)
            member.running, member.completed = False, True
        return Outcome(traced=True)

    # -- steering

    def _steer(self, command: Command, now: int) -> Outcome:
        match command:
            case Pause() | Resume():
                return self._pause(command)
            case Extend():
                return self._extend(command, now)
            case Amend():
                return self._amend(command)
            case Finalize():
                return self._finalize(now)
            case Cancel():
                return self._cancel(now)
            case SetBan():
                return self._set_ban(command, now)
        raise TypeError(f"a window knows no {type(command).__name__}")

    def _pause(self, command: Pause | Resume) -> Outcome:
        """Of a window that has ended, only that it may settle now if it did so while it was paused (R-26)."""
        floor, is_paused = self._floor, isinstance(command, Pause)
        if floor.opening.is_paused == is_paused or (is_paused and floor.is_over):
            return Outcome()
        floor.change(is_paused=is_paused)
        if self._ending is not None:
            self._ending.release()
            return Outcome(traced=True)
        notices = [floor.state_notice("paused" if is_paused else "live")]
        return Outcome(traced=True, messages=floor.tell(command), notices=notices)

    def _extend(self, command: Extend, now: int) -> Outcome:
        """R-5: to any later instant, while it is open."""
        ends_at = self._floor.opening.ends_at
        if self._ending is not None or ends_at is None:
            message = "the window has no end" if ends_at is None else f"the window is {self.stage}"
            return Outcome(reply=Refusal("conflict", message, {"state": self.stage}))
        if command.ends_at <= max(ends_at, now):
            return Outcome(reply=Refusal("validation_failed", "must be later than its end and now", {"path": "endsAt"}))
        self._floor.change(ends_at=command.ends_at)
        return Outcome(traced=True, messages=self._floor.tell(command))

    def _amend(self, command: Amend) -> Outcome:
        if self._ending is not None:
            return Outcome()
        self._floor.amended = command
        return Outcome(traced=True, messages=self._floor.tell(command))

    def _finalize(self, now: int) -> Outcome:
        if self._ending is None:
            return self._end(Ending(self._floor, now))
        self._ending.release()
        return Outcome(traced=True)

    def _cancel(self, now: int) -> Outcome:
        if self._ending is None:
            return self._end(Ending(self._floor, now, is_cancelled=True))
        if self._ending.cancel():
            return Outcome(traced=True)
        return Outcome(reply=Refusal("conflict", f"the window is {self.stage}", {"state": self.stage}))

    def _set_ban(self, command: SetBan, now: int) -> Outcome:
        """The board that the player is on hears of it, if they are on one; a seat in a lobby that forms is given up
        (R-51)."""
        floor, member = self._floor, self._floor.members.get(command.player)
        if member is None:
            return Outcome(traced=True)
        if floor.has_opened(member.contest):
            return Outcome(traced=True, messages=[floor.message(member.contest, command)])
        lobby = floor.lobby(member.contest)
        if floor.lobbies is None or lobby is None or floor.is_over or not command.is_banned:
            return Outcome(traced=True)
        return floor.carry_out(floor.lobbies.leave(lobby, command.player), now)

    # -- time

    def _tick(self, now: int) -> Outcome:
        if self._ending is not None:
            return self._ending.step(now)
        floor, opening = self._floor, self._floor.opening
        if opening.ends_at is not None and now >= opening.ends_at:
            return self._end(Ending(floor, opening.ends_at, is_held=opening.is_paused))
        if floor.lobbies is not None and not opening.is_paused:
            return floor.carry_out(floor.lobbies.end_waits(now), now)
        return Outcome(traced=True)

    def _end(self, ending: Ending) -> Outcome:
        self._ending = ending
        outcome = ending.close_more()
        closed = Notice("window.closed", (), self._info())
        outcome.notices = [self._floor.state_notice("closing"), closed, *outcome.notices]
        return outcome

    # -- what is seen

    def _info(self) -> WindowInfo:
        opening = self._floor.opening
        return WindowInfo(
            window_id=self.id,
            event_key=opening.event_key,
            owner=opening.owner,
            player=opening.player,
            starts_at=opening.starts_at,
            ends_at=opening.ends_at,
            revision=opening.revision,
            state=self.stage,
            is_paused=opening.is_paused,
        )

    def report(self) -> Report | None:
        """How it was settled; None until the window is final."""
        return None if self._ending is None else self._ending.report()

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        ending = self._ending
        head = {
            "opening": self._floor.opening.record()[1:],
            "amended": None if self._floor.amended is None else self._floor.amended.record()[1:],
            "ending": None if ending is None else ending.dump(),
        }
        return chain([head], self._floor.dump(), () if ending is None else ending.dump_results())

    def restore(self, parts: Sequence[Plain]) -> None:
        head, *rest = parts
        rows: dict[str, list[Plain]] = {}
        for kind, part in rest:
            rows.setdefault(kind, []).extend(part)
        self._begin(OpenWindow(*head["opening"]))
        self._floor.amended = None if head["amended"] is None else Amend(*head["amended"])
        self._floor.restore(rows)
        if head["ending"] is not None:
            self._ending = Ending.restored(self._floor, head["ending"], rows)
