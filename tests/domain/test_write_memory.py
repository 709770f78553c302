"""Sequence numbers and idempotency keys against a twin that keeps the whole history (R-15)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kraty_actors.actors.records import pack, unpack
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.write_memory import REMEMBERED, WriteMemory, body_digest

ONE, OTHER = body_digest({"a": 1}, "increment"), body_digest({"a": 2}, "increment")


class Twin:
    """Every write that was ever applied, in order."""

    def __init__(self) -> None:
        self.applied: list[tuple[int | str | None, int]] = []

    def verdict(self, identity: int | str | None, digest: int) -> object:
        if identity is None:
            return "new"
        kept = [entry for entry in self.applied if type(entry[0]) is type(identity)][-REMEMBERED:]
        for used, body in kept:
            if used == identity:
                newest = self.applied[-1][0] == identity
                return "conflict" if body != digest else "newest" if newest else "earlier"
        return self._unused(identity, [used for used, _ in kept])

    def _unused(self, identity: int | str, kept: list[int | str | None]) -> object:
        seqs = [used for used, _ in self.applied if isinstance(used, int)]
        if not isinstance(identity, int) or identity > max(seqs, default=0):
            return "new"
        return False if len(seqs) <= REMEMBERED or identity > min(kept) else None


identities = st.none() | st.integers(1, 50) | st.sampled_from("xyz") | st.integers(1, 40).map(lambda n: f"k{n}")


@given(st.lists(st.tuples(identities, st.sampled_from([ONE, OTHER]), st.booleans()), max_size=80))
def test_r15_any_order_of_writes_and_repeats_matches_the_twin(writes: list[tuple[int | str | None, int, bool]]):
    memory, twin = WriteMemory(), Twin()
    for identity, digest, checkpointed in writes:
        if checkpointed:
            memory = WriteMemory.restored(unpack(pack(memory.dump())))
        verdict, expected = memory.recall(identity, digest), twin.verdict(identity, digest)
        if isinstance(verdict, Refusal):
            assert verdict.code == "idempotency_conflict"
            applied = None if expected == "conflict" else expected
            assert verdict.details == (
                {"lastSeq": memory.last_seq, "applied": applied} if isinstance(identity, int) else {}
            )
        else:
            assert verdict == expected
        if verdict == "new":
            memory.remember(identity, digest)
            twin.applied.append((identity, digest))
        assert memory.last_seq == max((used for used, _ in twin.applied if isinstance(used, int)), default=0)


def used(*identities: int | str | None) -> WriteMemory:
    memory = WriteMemory()
    for identity in identities:
        memory.remember(identity, ONE)
    return memory


def test_r15_the_newest_again_and_an_earlier_one_again():
    memory = used(3, 5)
    assert [memory.recall(seq, ONE) for seq in (5, 3, 6)] == ["newest", "earlier", "new"]


@pytest.mark.parametrize("between", [None, "key"])
def test_r15_a_write_in_between_makes_the_last_seq_an_earlier_one(between: str | None):
    assert used(5, between).recall(5, ONE) == "earlier"


@pytest.mark.parametrize(("seqs", "asked", "applied"), [((5, 9), 7, False), ((5, 9), 2, False), ((1,), 1, None)])
def test_r15_a_gap_never_counted(seqs: tuple[int, ...], asked: int, applied: bool | None):
    refusal = used(*seqs).recall(asked, OTHER)
    assert isinstance(refusal, Refusal)
    assert refusal.details == {"lastSeq": seqs[-1], "applied": applied}


def test_r15_exactly_32_are_kept_and_what_is_older_is_too_old_to_tell():
    memory = used(*range(2, 2 * 34, 2))  # 33 even seqs: 2 is forgotten, 4 is kept
    assert memory.recall(4, ONE) == "earlier"
    told = {seq: memory.recall(seq, ONE) for seq in (1, 2, 3, 5)}
    assert {seq: refusal.details["applied"] for seq, refusal in told.items()} == {1: None, 2: None, 3: None, 5: False}
    keys = used(*(f"k{n}" for n in range(33)))
    assert (keys.recall("k0", ONE), keys.recall("k1", ONE), keys.recall("k32", ONE)) == ("new", "earlier", "newest")


def test_r15_keys_and_seqs_are_apart_and_a_key_conflict_has_no_details():
    memory = used("a", 1)
    assert memory.recall("1", OTHER) == "new"
    refusal = memory.recall("a", OTHER)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.details) == ("idempotency_conflict", {})


def test_r15_bodies_are_compared_as_values():
    assert body_digest({"a": 1, "b": 2}, "set") == body_digest({"b": 2, "a": 1}, "set")
    bodies = [
        ({"a": 1}, "set"),
        ({"a": 1}, "increment"),
        ({"a": 1.5}, "set"),
        ({"b": 1}, "set"),
        ({"a": 1, "b": 0}, "set"),
    ]
    assert len({body_digest(*body) for body in bodies}) == len(bodies)
