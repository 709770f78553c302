"""What is due against what stands: after giving and taking as told, they are the same, however it came about."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kraty_actors.domain.balancing import Held, balance
from kraty_actors.domain.ids import digest_id
from kraty_actors.domain.outcome import Pay


def share(amount: int) -> list[Pay]:
    entry = {"type": "currency", "currencyKey": "cash", "amount": amount}
    return [Pay("share", 1, [entry], "event_window", "w", 0)] if amount else []


def reward(tier: int) -> list[Pay]:
    """Of tier 3 two crates come too; 0 is no tier."""
    name = f"tier {tier}"
    crates = [
        Pay(digest_id("g", name, "crate", n), 1, [f"crate {tier}"], "event_window", "w", 0, "crate", name)
        for n in range(2 if tier == 3 else 0)
    ]
    return [Pay(name, 1, [name], "event_window", "w", 0), *crates] if tier else []


class Books:
    """All grants of one player, by id; what was taken back stays as a name that is used up."""

    def __init__(self) -> None:
        self.pays: dict[str, Pay] = {}
        self.withdrawn: set[str] = set()

    def settle(self, due: list[Pay], *, shares_a_pool: bool) -> int:
        found = balance(due, self.held(shares_a_pool), shares_a_pool=shares_a_pool)
        for grant_id in found.take:
            assert grant_id in self.pays.keys() - self.withdrawn
            self.withdrawn.add(grant_id)
        for pay in found.give:
            assert pay.grant_id not in self.pays, "a name that is used up gives nothing"
            self.pays[pay.grant_id] = pay
        return len(found.take) + len(found.give)

    def held(self, shares_a_pool: bool) -> list[Held]:
        return [
            Held(name, pay.entries[0]["amount"] if shares_a_pool else 0, name in self.withdrawn, pay.parent)
            for name, pay in self.pays.items()
        ]

    @property
    def standing(self) -> list[Pay]:
        return [pay for name, pay in self.pays.items() if name not in self.withdrawn]


@given(st.lists(st.integers(0, 5)))
def test_shares_that_rise_and_fall_r43(amounts: list[int]) -> None:
    books = Books()
    for amount in amounts:
        before = {pay.grant_id for pay in books.standing}
        rises = 0 < sum(pay.entries[0]["amount"] for pay in books.standing) < amount
        books.settle(share(amount), shares_a_pool=True)
        assert sum(pay.entries[0]["amount"] for pay in books.standing) == amount
        assert not rises or before <= {pay.grant_id for pay in books.standing}  # topped up, not given anew
        assert books.settle(share(amount), shares_a_pool=True) == 0


@given(st.lists(st.integers(0, 3)))
def test_tiers_that_come_and_go_r42(tiers: list[int]) -> None:
    books = Books()
    for tier in tiers:
        books.settle(reward(tier), shares_a_pool=False)
        assert sorted(str(pay.entries) for pay in books.standing) == sorted(str(pay.entries) for pay in reward(tier))
        assert {pay.parent for pay in books.standing} - {None} <= {pay.grant_id for pay in books.standing}
        assert books.settle(reward(tier), shares_a_pool=False) == 0


def test_what_was_never_given_is_given_under_its_own_name() -> None:
    """So that whoever pays it too pays it once (R-27)."""
    assert balance(share(3), [], shares_a_pool=True).give == share(3)
    assert balance(reward(3), [], shares_a_pool=False).give == reward(3)


def test_a_crate_that_is_missing_is_given_and_a_stranger_is_taken() -> None:
    """What a window has granted is what it owes, no more and no less (R-27)."""
    due = reward(3)
    first, *_ = due
    stranger = Held("stranger", 0, False)
    found = balance(due, [Held(first.grant_id, 0, False), stranger], shares_a_pool=False)
    assert (found.take, found.give) == (["stranger"], due[1:])
    assert balance([], [stranger], shares_a_pool=True).take == ["stranger"]
    assert not balance([], [Held("gone", 5, True)], shares_a_pool=True)
