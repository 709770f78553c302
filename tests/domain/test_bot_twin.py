"""However seldom bots are asked, they are where stepping through every tick takes them (R-36, R-38)."""

from __future__ import annotations

from typing import Any

from bot_twin import BEGAN, TICK_MS, People, Twin, seated
from hypothesis import given, settings
from hypothesis import strategies as st

from kraty_actors.actors.records import pack, unpack
from kraty_actors.domain.bots import Bots

TARGET = 12
SECONDS = st.integers(0, 60)
DURATIONS = st.integers(1, 12).map(lambda tens: tens * 10)
AIMS = st.one_of(st.none(), st.integers(1, 60))


def block(name: str, **params: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    given_params = st.fixed_dictionaries(params).map(lambda p: {k: v for k, v in p.items() if v is not None})
    return given_params.map(lambda params: {"block": name, "params": params})


QUARTERS = st.sampled_from([0, 0.25, 0.5, 0.75, 1])
FINITE = st.one_of(
    block("wait", seconds=SECONDS),
    block("progress_linear", targetScore=AIMS, durationSeconds=DURATIONS, jitter=st.sampled_from([None, 0.5, 1])),
    block(
        "progress_burst",
        targetScore=AIMS,
        durationSeconds=DURATIONS,
        burstAt=QUARTERS,
        burstSeconds=st.one_of(st.none(), SECONDS),
        before=st.sampled_from([0.25, 0.5, 1]),
    ),
)
STEPS = st.sampled_from([None, 1, 3])
ENDLESS = st.one_of(
    st.sampled_from(["idle", "complete", "quit"]).map(lambda name: {"block": name}),
    block("complete_at", seconds=SECONDS, score=AIMS),
    block("track_position", targetRank=st.integers(1, 9), offset=st.integers(-2, 2), maxStep=STEPS),
    block("match_player_pace", ratio=st.sampled_from([0.5, 1, 1.5]), jitter=QUARTERS, maxStep=STEPS),
    block("random_step_with_fall", target=AIMS, fallChance=QUARTERS, step=st.integers(1, 3)),
)
ANY = st.one_of(FINITE, ENDLESS)
CONDITIONS = st.sampled_from(
    [
        "elapsedSeconds >= 60", "remainingSeconds < 60", "stateSeconds >= 15", "ticks > 3 and score < 9",
        "rank <= 2", "rank > 3", "score >= target", "leaderScore > score", "leaderScore == 0 or stateSeconds > 40",
    ]
)  # fmt: skip


@st.composite
def machines(draw: st.DrawFn) -> dict[str, Any]:
    names = ["a", "b", "c"][: draw(st.integers(1, 3))]
    ways = st.lists(
        st.builds(lambda e, to: {"when": {"expr": e}, "to": to}, CONDITIONS, st.sampled_from(names)), max_size=2
    )
    states = {name: {**draw(ANY), "transitions": draw(ways)} for name in names}
    return {"type": "state_machine", "initial": draw(st.sampled_from(names)), "states": states}


SEQUENCES = st.builds(
    lambda steps, last: {"type": "sequence", "steps": [*steps, last]}, st.lists(FINITE, max_size=3), ANY
)
BEHAVIOURS = st.lists(st.one_of(ANY, SEQUENCES, machines()), min_size=1, max_size=6)
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 12 * TICK_MS),
        st.sampled_from(["look", "look", "write", "write", "join", "extend", "checkpoint"]),
        st.integers(0, 30),
    ),
    max_size=14,
)


class Race:
    """The same humans, met by the twin, by bots who are asked whenever anything happens, and by bots who are asked
    only when an input comes."""

    def __init__(self, behaviours: list[dict[str, Any]], seed: int, ascending: bool, ends_at: int | None) -> None:
        self.people = People(ends_at=ends_at, ascending=ascending)
        self.twin = Twin(behaviours, self.people, seed, TARGET, ascending)
        self.make = lambda: seated(*behaviours, seed=seed, target=TARGET, ascending=ascending)
        self.eager, self.lazy = self.make(), self.make()
        self.now, self.inputs, self.promised = BEGAN, 0, BEGAN

    def look(self) -> None:
        seen = self.twin.advance(self.now, self.inputs)
        assert self.eager.advance(self.now, self.inputs, self.people) == seen
        if seen:
            assert self.promised is not None
            assert self.promised <= BEGAN + self.twin.last_moved * TICK_MS
        self.compare(self.eager)

    def input(self, kind: str, number: int) -> None:
        self.look()
        self.lazy.advance(self.now, self.inputs, self.people)
        self.compare(self.lazy)
        self.inputs += 1
        if kind == "extend":
            self.people.ends_at = self.now + 1000 * number
        elif kind == "join" or not self.people.scores:
            self.people.scores.append(number)
        else:
            self.people.scores[number % len(self.people.scores)] += number
        if kind == "write":
            self.write()

    def write(self) -> None:
        moment = self.inputs + self.twin.tick
        seen = self.twin.wrote(moment)
        for bots in (self.eager, self.lazy):
            assert bots.wrote(moment, self.people) == seen
            self.compare(bots)

    def checkpoint(self) -> None:
        kept = unpack(pack(self.eager.dump()))
        self.eager = self.make()
        self.eager.restore(kept)
        self.compare(self.eager)

    def promise(self) -> None:
        self.promised = self.eager.next_move_at(self.inputs)
        assert self.promised is None or self.promised > self.now

    def compare(self, bots: Bots) -> None:
        assert bots.values == self.twin.scores
        assert bots.reached == self.twin.moments
        assert list(bots.standing) == self.twin.standing
        assert bots.last_moved_tick == self.twin.last_moved


@settings(max_examples=250, deadline=None)
@given(BEHAVIOURS, EVENTS, st.integers(0, 99), st.booleans(), st.one_of(st.none(), st.integers(0, 300)))
def test_r36_r38_how_often_bots_are_asked_makes_no_difference(behaviours, events, seed, ascending, ends):
    race = Race(behaviours, seed, ascending, None if ends is None else BEGAN + ends * 1000)
    race.compare(race.eager)
    for pause, kind, number in events:
        race.promise()
        race.now += pause
        if kind == "look":
            race.look()
        elif kind == "checkpoint":
            race.look()
            race.checkpoint()
        else:
            race.input(kind, number)
    race.promise()
    race.now += 60 * TICK_MS
    race.input("join", 1)
    assert race.eager.dump() == race.lazy.dump()
