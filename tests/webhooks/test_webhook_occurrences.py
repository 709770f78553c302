"""R-53, R-54: what becomes a delivery, for whom, and under which id."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from kraty_actors.actors.records import pack
from kraty_actors.definitions.game import Occurrence
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.catalogue import Catalogue
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import BanSet, Completed, Flagged, Notice, Pay
from kraty_actors.domain.shared_board_messages import PeriodClosed
from kraty_actors.domain.window_messages import FinalReport, Report, WindowInfo
from kraty_actors.webhooks.occurrences import Occurrences, read_body
from kraty_persistence import Delivery, GrantClaimed, GrantCreated, GrantLapsed, GrantRow, LedgerRow, Occurred

ATTEMPT = AttemptView(
    attempt_id="w1.1.0", contest_id="w1.1", event_key="race", has_board=True, in_lobby=False, player=7,
    status="completed", metrics={"wins": 2}, metrics_raw={"wins": 2}, score=2, rank=1, started_at=1, ends_at=None,
    window_ends_at=None, completed_at=5, last_seq=0,
)  # fmt: skip
LOBBY = LobbyView("w1.1", "race", "w1", "forming", 4, 2, 0, None, None, None, frozenset({9, 7}))
WINDOW = WindowInfo("w1", "race", "calendar", None, 1, 2, 1, "open", is_paused=False)
FINAL = FinalReport("w1", "race", Report(participants=3, winners=2, grants=2, paid={"gem": 1, "cash": 9}, remainder=1))
PERIOD = PeriodClosed("weekly", "b1-1", 1, 2)
FLAG = Flagged("a1", 7, "race", "w1", "w1.1.0", "jump", "flag", "flag", "too far", {"wins": 1}, {"wins": 9}, 5)
GRANT = GrantRow("g1", 7, "reward", pack([]), "api", None, None, 3, 9)
LEDGER = LedgerRow(7, "k", 0, "currency", "cash", 5, 5, "gift", "server", 4)

NOTICES: dict[str, Notice] = {
    "event.attempt_completed": Notice("attempt.ended", (7,), ATTEMPT),
    "attempt.voided": Notice("attempt.voided", (), ATTEMPT),
    "lobby.created": Notice("lobby.created", (), LOBBY),
    "lobby.started": Notice("lobby.started", (), LOBBY),
    "lobby.closed": Notice("lobby.closed", (), LOBBY),
    "event.window_opened": Notice("window.opened", (), WINDOW),
    "event.window_closed": Notice("window.closed", (), WINDOW),
    "event.finalized": Notice("window.finalized", (), FINAL),
    "board.period_closed": Notice("board.period_closed", (), PERIOD),
    "player.banned": Notice("player.banned", (), BanSet(7, is_banned=True, reason="x")),
    "player.unbanned": Notice("player.banned", (), BanSet(7, is_banned=False)),
}
WRITTEN: dict[str, Occurred] = {
    "grant.created": GrantCreated(GRANT),
    "grant.claimed": GrantClaimed(replace(GRANT, claimed_at=5)),
    "grant.expired": GrantLapsed(GRANT),
    "wallet.changed": LEDGER,
    "inventory.changed": replace(LEDGER, kind="item", resource="bullet"),
}
NAMES = get_args(Occurrence)


def listening(**wanted: frozenset[str] | None) -> Occurrences:
    found = Occurrences(Catalogue.empty)
    found.listen(wanted)
    return found


def rows(occurrences: Occurrences, name: str, at: int = 100) -> list[Delivery]:
    if name in WRITTEN:
        return list(occurrences.report(WRITTEN[name]))
    if name == "event.attempt_flagged":
        return list(occurrences.rows_of([FLAG], [], at))
    return list(occurrences.rows_of([], [NOTICES[name]], at))


@pytest.mark.parametrize("name", NAMES)
def test_each_occurrence_that_can_be_asked_for_is_told(name: str) -> None:
    (row,) = rows(listening(a=None), name)
    assert (row.endpoint, row.name) == ("a", name)


@pytest.mark.parametrize("name", NAMES)
def test_only_those_who_asked_are_told(name: str) -> None:
    others = frozenset(NAMES) - {name}
    assert rows(listening(a=others), name) == []
    assert [row.endpoint for row in rows(listening(a=others, b=frozenset({name}), c=None), name)] == ["b", "c"]


@pytest.mark.parametrize("name", NAMES)
def test_with_nobody_listening_nothing_is_made(name: str) -> None:
    assert rows(listening(), name) == []


def test_an_id_is_one_per_endpoint_and_occurrence_and_always_the_same() -> None:
    made = [row for _ in range(2) for name in NAMES for row in rows(listening(a=None, b=None), name)]
    assert len(made) == 4 * len(NAMES)
    assert len({row.id for row in made}) == 2 * len(NAMES)


def test_two_parts_of_one_change_are_two_occurrences() -> None:
    occurrences = listening(a=None)
    ids = {row.id for part in (0, 1) for row in occurrences.report(replace(LEDGER, part=part))}
    assert len(ids) == 2


def test_a_ban_after_an_unban_is_another_occurrence() -> None:
    occurrences = listening(a=None)
    assert len({rows(occurrences, "player.banned", at)[0].id for at in (1, 2)}) == 2


@pytest.mark.parametrize(
    ("name", "at"),
    [("grant.created", 3), ("grant.claimed", 5), ("grant.expired", 9), ("wallet.changed", 4), ("player.banned", 100)],
)
def test_it_is_told_when_it_happened(name: str, at: int) -> None:
    assert rows(listening(a=None), name)[0].at == at


@pytest.mark.parametrize(
    ("name", "whom"),
    [
        ("event.attempt_completed", 7), ("event.attempt_flagged", 7), ("attempt.voided", 7), ("grant.created", 7),
        ("wallet.changed", 7), ("player.banned", 7), ("lobby.created", [7, 9]), ("event.finalized", None),
        ("board.period_closed", None), ("event.window_opened", None),
    ],
)  # fmt: skip
def test_players_are_numbers_until_they_are_sent_r57(name: str, whom: object) -> None:
    data, players = read_body(rows(listening(a=None), name)[0].body)
    assert players == whom
    assert not {"playerId", "playerIds"} & data.keys()


def test_what_a_grant_was_at_that_moment_is_told() -> None:
    states = {}
    for name in ("grant.created", "grant.claimed", "grant.expired"):
        data, _ = read_body(rows(listening(a=None), name)[0].body)
        states[name] = data["grant"]["status"]
    assert states == {"grant.created": "pending", "grant.claimed": "claimed", "grant.expired": "expired"}


def test_what_a_finalized_window_paid_is_told_by_currency() -> None:
    data, _ = read_body(rows(listening(a=None), "event.finalized")[0].body)
    assert data["paid"] == [{"currencyKey": "cash", "amount": 9}, {"currencyKey": "gem", "amount": 1}]


@pytest.mark.parametrize("status", ["expired", "in_progress"])
def test_an_attempt_that_ended_without_completing_is_not_told_as_completed(status: str) -> None:
    ended = Notice("attempt.ended", (7,), replace(ATTEMPT, status=status))
    assert listening(a=None).rows_of([], [ended], 1) == []


def test_what_is_for_players_alone_is_not_told() -> None:
    pay = Pay("g1", 7, [], "event_window", "w1", 1)
    notices = [Notice("grant", (7,), pay), Notice("lobby", {7}, LOBBY), Notice("event.state", {7}, {"state": "paused"})]
    assert listening(a=None).rows_of([pay, Completed(7, "race", "w1")], notices, 1) == []


def test_a_bug_in_telling_costs_the_telling_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    broken: Any = replace(ATTEMPT, started_at="noon")
    assert listening(a=None).rows_of([], [Notice("attempt.ended", (7,), broken)], 1) == ()
    assert listening(a=None).report(replace(LEDGER, delta=object())) == ()  # type: ignore[arg-type]
    assert len(caplog.records) == 2


def test_who_listens_may_change() -> None:
    occurrences = listening(a=frozenset({"wallet.changed"}))
    assert len(rows(occurrences, "wallet.changed")) == 1
    occurrences.listen({"b": None})
    assert [row.endpoint for row in rows(occurrences, "wallet.changed")] == ["b"]
    assert [row.endpoint for row in rows(occurrences, "grant.created")] == ["b"]
