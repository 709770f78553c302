"""The simulation finds what is broken on purpose: each way to break the server, by a seed that shows it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from kraty_actors.actors.cell import Batch, Cell
from kraty_actors.actors.effects import Recorder
from kraty_actors.actors.loop import ActorLoop
from kraty_actors.domain.attempt import Attempt
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.write_memory import WriteMemory
from kraty_actors.testing.auditor import BrokenRule
from kraty_actors.testing.trial import run_trial
from kraty_persistence import NewGrant

Patch = pytest.MonkeyPatch
SEEDS_MAX = 6


def after_recovery(patch: Patch, do: Callable[[Cell], None]) -> None:
    recover = Cell.recover

    def broken(cell: Cell, *args: Any) -> None:
        recover(cell, *args)
        do(cell)

    patch.setattr(Cell, "recover", broken)


def attempts_of(cell: Cell) -> list[Attempt]:
    if not isinstance(cell.state, Contest) or not cell.number:
        return []
    return list(cell.state.arena.attempts)


def seqs_are_forgotten_by_a_crash(patch: Patch) -> None:
    def forget(cell: Cell) -> None:
        for attempt in attempts_of(cell):
            attempt.memory = WriteMemory()

    after_recovery(patch, forget)


def answers_leave_before_the_commit(patch: Patch) -> None:
    commit = ActorLoop._commit

    def broken(loop: ActorLoop, cell: Cell, batch: Batch) -> None:
        commit(loop, cell, batch)
        replies, batch.replies = batch.replies, []
        for respond, reply in replies:
            respond(reply)

    patch.setattr(ActorLoop, "_commit", broken)


def now_and_then_an_input_is_not_journalled(patch: Patch) -> None:
    commit, count = ActorLoop._commit, 0

    def broken(loop: ActorLoop, cell: Cell, batch: Batch) -> None:
        nonlocal count
        if isinstance(cell.state, Contest):
            count += 1
            if count % 40 == 0:
                batch.inputs = batch.inputs[:-1]
        commit(loop, cell, batch)

    patch.setattr(ActorLoop, "_commit", broken)


def a_window_pays_somebody_twice(patch: Patch) -> None:
    rows = Recorder.rows

    def broken(recorder: Recorder, *args: Any) -> tuple[Any, ...]:
        made = rows(recorder, *args)
        paid = [row for row in made if isinstance(row, NewGrant) and row.source_kind == "event_window"]
        return (*made, *(replace(row, id=f"{row.id}x") for row in paid[:1]))

    patch.setattr(Recorder, "rows", broken)


def what_was_heard_is_forgotten_by_a_crash(patch: Patch) -> None:
    after_recovery(patch, lambda cell: cell.heard.clear())


def what_was_said_is_not_said_again(patch: Patch) -> None:
    after_recovery(patch, lambda cell: cell.unheard.clear())


BROKEN: list[Callable[[Patch], None]] = [
    seqs_are_forgotten_by_a_crash,
    answers_leave_before_the_commit,
    now_and_then_an_input_is_not_journalled,
    a_window_pays_somebody_twice,
    what_was_heard_is_forgotten_by_a_crash,
    what_was_said_is_not_said_again,
]


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(180)
@pytest.mark.parametrize("broken", BROKEN)
def test_r56_what_is_broken_on_purpose_is_found(broken: Callable[[Patch], None], monkeypatch: Patch) -> None:
    broken(monkeypatch)
    assert any(finds(seed) for seed in range(5000, 5000 + SEEDS_MAX))


def finds(seed: int) -> bool:
    try:
        run_trial(seed)
    except BaseExceptionGroup as group:
        return group.split(BrokenRule)[0] is not None
    except BrokenRule:
        return True
    return False
