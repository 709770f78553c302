"""One occurrence of an event: admits players, knows its contests, closes them and pays what they won."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from kraty_actors.definitions import RewardPolicySharedPool
from kraty_actors.domain.conditions import CompletionWanted, failing
from kraty_actors.domain.contest_messages import AttemptEnded, Close, Closed, Open, Seat, Settled
from kraty_actors.domain.days import day_start, next_day_start
from kraty_actors.domain.ids import CALENDAR, contest_id, grant_id, last_number
from kraty_actors.domain.lobby import Lobby, LobbyView, Matchmaking
from kraty_actors.domain.outcome import Command, Message, Notice, Outcome, Pay, Plain, Refusal, Tick
from kraty_actors.domain.prizes import PoolShare
from kraty_actors.domain.rules import Rulebook, Rules
from kraty_actors.domain.window_messages import (
    Admit,
    Finalize,
    GetLobby,
    GetMember,
    GetReport,
    MemberView,
    OpenWindow,
    Placed,
    Presence,
    Report,
    WindowFinalized,
)

MEMBERS_PER_PART = 2000
"""Players in one part of a checkpoint: a couple of milliseconds of packing."""

GRANTS_PER_STEP = 500
"""Grants written in one commit while a window settles, so that other windows keep answering."""


@dataclass(slots=True)
class Member:
    """One player in one window."""

    contest: int
    attempts: int = 0
    running: bool = False
    completed: bool = False
    day: int = 0
    started_today: int = 0

    def started_since(self, day: int) -> int:
        return self.started_today if self.day >= day else 0

    def dump(self) -> list[Plain]:
        return [self.contest, self.attempts, self.running, self.completed, self.day, self.started_today]


class Window:
    """See the module. Placement is decided here, play happens in the contests."""

    def __init__(self, window_id: str, rulebook: Rulebook) -> None:
        self.id = window_id
        self._rulebook = rulebook
        self.rules: Rules
        self.status: Literal["new", "open", "closing", "settling", "finalized"] = "new"
        self._opening: OpenWindow
        self._matchmaking: Matchmaking
        self._members: dict[int, Member] = {}
        self._contests: list[int] = []
        self._unclosed: set[int] = set()
        self._closed_at: int | None = None
        self._won: list[tuple[int, list[int]]] = []
        self._paid = 0
        self._awards: list[tuple[int, int, str]] = []

    @property
    def wake_at(self) -> int | None:
        if self.status == "settling":
            return self._closed_at
        if self.status != "open":
            return None
        times = [at for at in (self._opening.ends_at, self._matchmaking.wake_at) if at is not None]
        return min(times, default=None)

    # -- commands

    def apply(self, command: Command, now: int) -> Outcome:
        match command:
            case Admit():
                return self._admit(command, now)
            case AttemptEnded():
                return self._attempt_ended(command)
            case GetMember():
                return Outcome(reply=self._member_view(command))
            case GetLobby():
                lobby = self._matchmaking.lobbies.get(command.number) if self.rules.is_lobby else None
                return Outcome(
                    reply=Refusal("not_found", "no such lobby") if lobby is None else self._lobby_view(lobby)
                )
            case Presence():
                return self._presence(command)
            case Tick():
                return self._tick(now)
            case OpenWindow():
                return self._open(command)
            case Closed():
                return self._contest_closed(command)
            case Finalize():
                return self._close(now) if self.status == "open" else Outcome()
            case GetReport():
                return Outcome(reply=self.report())
        raise TypeError(f"a window knows no {type(command).__name__}")

    def _open(self, command: OpenWindow) -> Outcome:
        self._begin(command)
        outcome = Outcome(traced=True)
        if not self.rules.is_lobby:
            outcome.messages = [self._open_contest(1)]
        return outcome

    def _begin(self, opening: OpenWindow) -> None:
        self._opening = opening
        self.rules = self._rulebook.rules(opening.event_key, opening.revision)
        self._matchmaking = Matchmaking(self.rules.event, opening.fill_timeout_seconds, opening.fill_strategy)
        self.status = "open"

    def _admit(self, command: Admit, now: int) -> Outcome:
        ends_at = self._opening.ends_at
        if self.status != "open" or (ends_at is not None and now >= ends_at):
            return Outcome(reply=Refusal("no_active_window", "the window has ended", {"opensAt": None}))
        member = self._members.get(command.player)
        if member is not None and member.running:
            return Outcome(reply=Placed(contest_id(self.id, member.contest), is_new=False))
        refusal = self._gate(command, member) or self._limit(command, member, now)
        if refusal is not None:
            return Outcome(reply=refusal)
        if member is not None and (not self.rules.is_lobby or not self._lobby(member).is_forming):
            return self._start_attempts([command.player], now, announce=False, reply_to=command.player)
        return self._place(command.player, member, now)

    def _place(self, player: int, member: Member | None, now: int) -> Outcome:
        if not self.rules.is_lobby:
            self._members[player] = Member(contest=1)
            return self._start_attempts([player], now, announce=False, reply_to=player)
        if member is not None:
            lobby = self._lobby(member)
            was_here = lobby.seats[player]
            lobby.seats[player] = True
            return Outcome(reply=self._lobby_view(lobby), traced=not was_here)
        lobby = self._matchmaking.seat(player, now)
        self._members[player] = Member(contest=lobby.number)
        if lobby.is_full:
            return self._start_lobby(lobby, now, starter=player)
        view = self._lobby_view(lobby)
        return Outcome(reply=view, traced=True, notices=[Notice("lobby", view.players, view)])

    def _start_lobby(self, lobby: Lobby, now: int, starter: int | None) -> Outcome:
        """Open the lobby's contest and let in everyone who is still there; `starter` is answered, not told."""
        self._matchmaking.start(lobby, now)
        opening = self._open_contest(lobby.number, lobby.extra_bots)
        present = [player for player, here in lobby.seats.items() if here and player != starter]
        outcome = self._start_attempts(present, now, announce=True)
        if starter is not None:
            started = self._start_attempts([starter], now, announce=False, reply_to=starter)
            outcome.reply = started.reply
            outcome.messages = [*outcome.messages, *started.messages]
        outcome.messages = [opening, *outcome.messages]
        view = self._lobby_view(lobby)
        outcome.notices = [Notice("lobby", view.players, view)]
        return outcome

    def _start_attempts(
        self, players: Iterable[int], now: int, *, announce: bool, reply_to: int | None = None
    ) -> Outcome:
        messages = []
        today = day_start(now, self._opening.timezone)
        for player in players:
            member = self._members[player]
            member.started_today = member.started_since(today) + 1
            member.day = today
            member.attempts += 1
            member.running = True
            messages.append(Message(contest_id(self.id, member.contest), Seat(player, announce)))
        reply = None if reply_to is None else Placed(contest_id(self.id, self._members[reply_to].contest), True)
        return Outcome(reply=reply, traced=True, messages=messages)

    def _attempt_ended(self, command: AttemptEnded) -> Outcome:
        member = self._members[command.player]
        member.running = False
        member.completed = member.completed or command.completed
        return Outcome(traced=True)

    def _presence(self, command: Presence) -> Outcome:
        changed = False
        lobby = self._matchmaking.forming if self.status == "open" else None
        if lobby is not None:
            for player in lobby.seats if command.player == 0 else [command.player]:
                if lobby.seats.get(player, command.here) != command.here:
                    lobby.seats[player] = command.here
                    changed = True
        return Outcome(traced=changed)

    # -- gates

    def _gate(self, command: Admit, member: Member | None) -> Refusal | None:
        event = self.rules.event
        facts = {CompletionWanted(str(key), bool(current)) for key, current in command.facts}
        if member is not None and member.completed:
            facts |= {CompletionWanted(event.key, True), CompletionWanted(event.key, False)}
        if failing(event.unlock_condition, facts) is not None:
            return Refusal("unlock_condition_failed", f"{event.key} is not unlocked yet")
        failed = failing(event.entry_requirement, facts)
        if failed is not None:
            details = {"condition": failed.as_defined()}
            return Refusal("entry_requirement_failed", f"the entry requirement of {event.key} is not met", details)
        return None

    def _limit(self, command: Admit, member: Member | None, now: int) -> Refusal | None:
        attempt = self.rules.event.attempt
        most = attempt.max_attempts if attempt.replayable_during_window else 1
        if member is not None and most is not None and member.attempts >= most:
            message = f"{most} attempts a window are allowed" if most > 1 else "one attempt a window is allowed"
            return Refusal("max_attempts_reached", message, {"limit": most, "resetsAt": None})
        daily = attempt.max_daily_attempts
        if daily is not None:
            zone = self._opening.timezone
            here = member.started_since(day_start(now, zone)) if member is not None else 0
            if here + command.started_elsewhere >= daily:
                details = {"limit": daily, "resetsAt": next_day_start(now, zone)}
                return Refusal("max_daily_attempts_reached", f"{daily} attempts a day are allowed", details)
        return None

    # -- the end

    def _tick(self, now: int) -> Outcome:
        if self.status == "settling":
            return self._settle(now)
        ends_at = self._opening.ends_at
        if self.status == "open" and ends_at is not None and now >= ends_at:
            return self._close(ends_at)
        lobby = self._matchmaking.forming
        if lobby is not None and lobby.fill_by is not None and now >= lobby.fill_by:
            return self._start_lobby(lobby, now, starter=None)
        return Outcome(traced=True)

    def _close(self, at: int) -> Outcome:
        self.status = "closing"
        self._closed_at = at
        self._unclosed = set(self._contests)
        notices = [self._state_notice("closing")]
        for lobby in self._matchmaking.lobbies.values():
            view = self._lobby_view(lobby)
            notices.append(Notice("lobby", view.players, view))
        messages = [Message(contest_id(self.id, number), Close(at)) for number in self._contests]
        if not self._unclosed:
            self.status = "settling"
        return Outcome(traced=True, messages=messages, notices=notices)

    def _contest_closed(self, command: Closed) -> Outcome:
        number = last_number(command.contest) or 0
        self._unclosed.discard(number)
        self._won.append((number, command.winners))
        if not self._unclosed:
            self.status = "settling"
        return Outcome(traced=True)

    def _settle(self, now: int) -> Outcome:
        """Write the next grants; with the last one the window is final (R-27)."""
        awards = self._awards = self._awards or self._who_gets_what()
        step = awards[self._paid : self._paid + GRANTS_PER_STEP]
        self._paid += len(step)
        pays = [self._pay(player, amount, slot, now) for player, amount, slot in step]
        outcome = Outcome(traced=True, effects=pays, notices=[Notice("grant", (pay.player,), pay) for pay in pays])
        if self._paid == len(awards):
            self.status = "finalized"
            outcome.finished = True
            settled = [Message(contest_id(self.id, number), Settled()) for number in self._contests]
            outcome.messages = [*settled, Message(CALENDAR, WindowFinalized(self.id))]
            outcome.notices = [*outcome.notices, self._state_notice("finalized")]
        return outcome

    def _pools(self) -> list[tuple[str, PoolShare, list[int]]]:
        """Each pool to share out: its slot, the shares, and the winners in order."""
        policy = self.rules.event.reward_policy
        if not isinstance(policy, RewardPolicySharedPool):
            return []
        pool = policy.parameters.pool
        if policy.parameters.scope == "board":
            return [(str(number), PoolShare.of(pool, len(winners)), winners) for number, winners in self._won]
        winners = sorted({player for _, board in self._won for player in board})
        return [("", PoolShare.of(pool, len(winners)), winners)]

    def _who_gets_what(self) -> list[tuple[int, int, str]]:
        return [(player, pool.share, slot) for slot, pool, winners in self._pools() if pool.share for player in winners]

    def _pay(self, player: int, amount: int, slot: str, at: int) -> Pay:
        entry = {"type": "currency", "currencyKey": self._currency, "amount": amount}
        return Pay(grant_id(self.id, player, "shared_pool", slot), player, [entry], "event_window", self.id, at)

    @property
    def _currency(self) -> str | None:
        policy = self.rules.event.reward_policy
        return policy.parameters.currency_key if isinstance(policy, RewardPolicySharedPool) else None

    def report(self) -> Report | None:
        """How the pool was shared; None until the window is finalized."""
        if self.status != "finalized":
            return None
        pools = [pool for _, pool, _ in self._pools()]
        shares = {pool.share for pool in pools if pool.winners}
        return Report(
            participants=sum(1 for member in self._members.values() if member.attempts),
            winners=sum(pool.winners for pool in pools),
            share=min(shares, default=0),
            remainder=sum(pool.remainder for pool in pools),
            paid=sum(pool.winners * pool.share for pool in pools),
            currency=self._currency,
        )

    # -- views

    def _open_contest(self, number: int, extra_bots: int = 0) -> Message:
        self._contests.append(number)
        opening = self._opening
        command = Open(
            opening.event_key,
            opening.revision,
            opening.seed,
            opening.starts_at,
            opening.ends_at,
            self.rules.event.bot_count + extra_bots,
            opening.bot_tick_seconds,
            opening.boards,
            opening.is_paused,
        )
        return Message(contest_id(self.id, number), command)

    def _state_notice(self, state: str) -> Notice:
        body = {"eventKey": self.rules.event.key, "windowId": self.id, "state": state}
        return Notice("event.state", self._members.keys(), body)

    def _lobby(self, member: Member) -> Lobby:
        return self._matchmaking.lobbies[member.contest]

    def _lobby_view(self, lobby: Lobby) -> LobbyView:
        event = self.rules.event
        ended = self.status not in ("new", "open")
        return LobbyView(
            lobby_id=contest_id(self.id, lobby.number),
            event_key=event.key,
            window_id=self.id,
            status="closed" if ended else "forming" if lobby.is_forming else "active",
            capacity=event.leaderboard.capacity or lobby.human_seats,
            participant_count=len(lobby.seats),
            bot_slots=event.bot_count + lobby.extra_bots,
            fill_by=lobby.fill_by if lobby.is_forming else None,
            started_at=lobby.started_at,
            ends_at=self._opening.ends_at,
            players=frozenset(lobby.seats),
        )

    def _member_view(self, query: GetMember) -> MemberView:
        member = self._members.get(query.player)
        if member is None:
            board = None if self.rules.is_lobby else contest_id(self.id, 1)
            return MemberView(board, None, False, False, 0, 0)
        lobby = self._lobby(member) if self.rules.is_lobby else None
        forming = lobby is not None and lobby.is_forming
        return MemberView(
            contest_id=None if forming else contest_id(self.id, member.contest),
            lobby=None if lobby is None else self._lobby_view(lobby),
            running=member.running,
            completed=member.completed,
            attempts=member.attempts,
            started_since=member.started_since(query.since),
        )

    # -- checkpoint

    def dump(self) -> Iterable[Plain]:
        yield {
            "opening": self._opening.record()[1:],
            "status": self.status,
            "contests": self._contests,
            "unclosed": sorted(self._unclosed),
            "closedAt": self._closed_at,
            "won": [list(won) for won in self._won],
            "paid": self._paid,
            "lobbies": self._matchmaking.dump(),
        }
        members = [[player, *member.dump()] for player, member in self._members.items()]
        for start in range(0, len(members), MEMBERS_PER_PART):
            yield members[start : start + MEMBERS_PER_PART]

    def restore(self, parts: Sequence[Plain]) -> None:
        head: Mapping[str, Plain] = parts[0]
        self._begin(OpenWindow(*head["opening"]))
        self.status = head["status"]
        self._contests = head["contests"]
        self._unclosed = set(head["unclosed"])
        self._closed_at = head["closedAt"]
        self._won = [(number, winners) for number, winners in head["won"]]
        self._paid = head["paid"]
        self._matchmaking.restore(head["lobbies"])
        for part in parts[1:]:
            self._members.update((player, Member(*plain)) for player, *plain in part)
