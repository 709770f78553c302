"""What must hold of a window at any time, and once all of it is over."""

from __future__ import annotations

from typing import Any

from hypothesis.stateful import invariant
from window_driver import ID, OWNER, WindowDriver
from window_games import PLAYERS
from window_twin import Board, Player

from kraty_actors.domain.contest_messages import Amend, Pause, Resume
from kraty_actors.domain.ids import contest_id
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Command
from kraty_actors.domain.window_messages import (
    GetForming,
    GetLobby,
    GetMember,
    GetReport,
    GetWindow,
    MemberView,
    Report,
    WindowInfo,
)


class WindowChecked(WindowDriver):
    """A window that is looked at after every step."""

    def ask(self, command: Command) -> Any:
        outcome = self.window.apply(command, self.now)
        assert not outcome.traced
        return outcome.reply

    @invariant()
    def nobody_is_lost_or_in_two_places(self) -> None:
        seated: list[int] = []
        for number in range(1, self.twin.numbers + 1):
            view = self.ask(GetLobby(number))
            lobby = self.twin.find(number) if self.twin.is_lobby else None
            if lobby is None:
                assert view.code == "not_found"
            else:
                self.r31_the_lobby_is_the_twins(view, lobby)
                seated += view.players
        assert len(seated) == len(set(seated))
        assert sorted(self.ask(GetForming())) == sorted(who for lobby in self.twin.forming for who in lobby.seats)

    def r31_the_lobby_is_the_twins(self, view: LobbyView, lobby: Board) -> None:
        status = "closed" if not self.twin.open else "active" if lobby.is_active else "forming"
        assert (view.status, view.players, view.participant_count) == (status, set(lobby.seats), len(lobby.seats))
        assert (view.bot_slots, view.capacity, view.key) == (lobby.bots, lobby.capacity, lobby.key)
        assert view.fill_by == (None if lobby.is_active else lobby.fill_by)
        assert view.participant_count + view.bot_slots <= view.capacity
        assert (lobby.number in self.contests) == lobby.is_active
        if lobby.is_active:
            assert self.contests[lobby.number].bot_seats == lobby.bots

    @invariant()
    def members_are_the_twins(self) -> None:
        for who in PLAYERS:
            player, number = self.twin.players.get(who, Player()), self.twin.place_of(who)
            member = self.ask(GetMember(who, 0))
            assert isinstance(member, MemberView)
            assert (member.running, member.completed) == (player.running, player.completed)
            assert member.charges == player.charges
            assert (member.attempts, member.started_since) == (len(player.starts), self.started_on_the_last_day(player))
            board = self.twin.find(number) if number is not None else None
            if number is None and self.twin.mode in ("global", "none"):
                board = self.twin.find(1)
            contest = contest_id(ID, board.number) if board is not None and board.is_active else None
            assert (member.contest_id, member.board_id) == (contest, None if self.twin.mode == "none" else contest)
            assert member.league == (board.pile if self.twin.mode == "segmented" and board is not None else None)

    def started_on_the_last_day(self, player: Player) -> int:
        return sum(self.twin._date(at) == self.twin._date(player.starts[-1]) for at in player.starts)

    @invariant()
    def r30_no_board_has_more_players_than_seats(self) -> None:
        for board in self.twin.boards:
            if self.twin.mode == "grouped" or self.definition["leaderboard"].get("capacity"):
                assert len(board.seats) <= (board.capacity or self.definition["leaderboard"]["capacity"]) - board.bots

    @invariant()
    def the_window_is_what_it_says(self) -> None:
        info = self.ask(GetWindow())
        assert isinstance(info, WindowInfo)
        state = "cancelled" if self.twin.cancelled else "finalized"
        state = "open" if self.twin.open else state if self.final is not None else "closing"
        assert (info.state, info.is_paused, info.ends_at) == (state, self.twin.paused, self.twin.ends_at)
        assert (info.owner, info.player, info.event_key) == (OWNER, self.twin.alone, "race")

    @invariant()
    def r43_nothing_is_paid_before_all_boards_are_closed(self) -> None:
        if self.twin.open or self.twin.held or self.closed != self.contests.keys():
            assert (self.settling, self.final) == ({}, None)
        if self.final is None:
            assert self.ask(GetReport()) is None

    @invariant()
    def r20_r21_charges_are_the_twins_always(self) -> None:
        self.r20_r21_charges_are_the_twins()

    @invariant()
    def r26_nothing_is_given_back_unless_the_window_is_cancelled(self) -> None:
        assert self.twin.cancelled or not self.refunded

    @invariant()
    def r05_every_contest_has_heard_the_last_amendment(self) -> None:
        if self.amended is not None and self.twin.open:
            for number, heard in self.heard.items():
                assert [one for one in heard if isinstance(one, Amend)][-1:] == [self.amended], number

    @invariant()
    def r26_contests_are_paused_as_the_window_is(self) -> None:
        for number, heard in self.heard.items():
            last = [isinstance(one, Pause) for one in heard if isinstance(one, Pause | Resume)]
            is_paused = last[-1] if last else self.contests[number].is_paused
            assert is_paused == self.twin.paused or not self.twin.open

    def r26_r27_r43_everything_is_over_once(self) -> None:
        assert self.final is not None
        assert self.final.is_cancelled == self.twin.cancelled
        assert self.settling.keys() == self.contests.keys() == self.closed == self.paid.keys()
        given_back = [(one.player, one.charge) for one in self.refunded]
        charged = [(one.player, one.charge) for one in self.charged]
        assert sorted(given_back) == (sorted(charged) if self.twin.cancelled else [])
        alone = self.twin.players.get(self.twin.alone or 0, Player())
        assert self.final.started_that_day == (self.started_on_the_last_day(alone) if alone.starts else 0)
        self.r43_the_report_adds_up()
        self.r54_lobbies_and_the_window_are_told_of_once()

    def r43_the_report_adds_up(self) -> None:
        report = self.ask(GetReport())
        assert isinstance(report, Report)
        assert report.participants == sum(bool(player.starts) for player in self.twin.players.values())
        assert report.winners == sum(players for players, _, _ in self.paid.values())
        assert report.grants == sum(grants for _, grants, _ in self.paid.values())
        cash, gems = (sum(paid.get(key, 0) for _, _, paid in self.paid.values()) for key in ("cash", "gems"))
        assert (report.paid.get("cash", 0), report.paid.get("gems", 0)) == (cash, gems)
        policy = self.definition.get("rewardPolicy", {"parameters": {"pool": 0, "scope": "window"}})["parameters"]
        pools = len(self.contests) if policy["scope"] == "board" else 1
        assert report.remainder == (0 if self.twin.cancelled else policy["pool"] * pools - cash)

    def r54_lobbies_and_the_window_are_told_of_once(self) -> None:
        created, started, closed = (sorted(self.news[f"lobby.{what}"]) for what in ("created", "started", "closed"))
        assert created == closed == (list(range(1, self.twin.numbers + 1)) if self.twin.is_lobby else [])
        assert started == (sorted(self.contests) if self.twin.is_lobby else [])
        assert (self.told["window.opened"], self.told["window.closed"]) == (1, 1)
        assert self.told["window.finalized"] == (not self.twin.cancelled)
