"""Codes, statuses, and the exception that carries them."""

from __future__ import annotations

import pickle

import pytest

from kraty_protocol.errors import FINAL_CLOSE_CODES, STATUS, Refused


@pytest.mark.parametrize("code", STATUS)
def test_each_code_has_its_property_and_only_that_one_is_true(code: str) -> None:
    refused = Refused(code)
    true = {name for name in dir(Refused) if name.startswith("is_") and getattr(refused, name)}
    assert true == {f"is_{code}"}
    assert refused.status == STATUS[code]


def test_there_is_no_property_without_a_code() -> None:
    assert {name for name in dir(Refused) if name.startswith("is_")} == {f"is_{code}" for code in STATUS}


def test_a_refusal_survives_the_wire_and_a_process() -> None:
    refused = Refused("insufficient_entry_cost", "not enough cash", {"resource": "cash", "needed": 50, "have": 3})
    for copy in (Refused.from_wire(refused.to_wire()), pickle.loads(pickle.dumps(refused))):
        assert vars(copy) == vars(refused)
    assert str(refused) == "insufficient_entry_cost (402): not enough cash"


def test_a_code_of_a_newer_server_is_carried_as_it_came() -> None:
    refused = Refused.from_wire({"code": "too_sunny", "status": 418, "message": "", "details": {}})
    assert (refused.code, refused.status) == ("too_sunny", 418)
    with pytest.raises(KeyError):
        Refused("too_sunny")


def test_bad_tokens_bans_and_violations_are_final() -> None:
    assert sorted(FINAL_CLOSE_CODES) == [1008, 1009, 4401, 4403]
