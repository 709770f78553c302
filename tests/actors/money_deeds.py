"""What people do about money. Each deed is asked for again, over any number of kills, until it is answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from money_books import Books, Run
from money_game import ADJUSTMENTS, CAPACITY, GIFTS, MILESTONES, WITH_MILESTONES

from kraty_actors.actors.engine import Engine
from kraty_actors.actors.loop import answer_to
from kraty_actors.domain.attempt import AttemptView, Written
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Refusal
from kraty_persistence import Adjusted, Change, PlayerRow

Deed = tuple[Any, ...]
"""Its name, and what it is about: the same at every try."""


class Deeds:
    """Does them on one engine, and writes down what was answered."""

    def __init__(self, engine: Engine, books: Books) -> None:
        self._engine = engine
        self._books = books

    async def try_once(self, name: str, *about: Any) -> bool:
        """Whether it was answered; what is asked of the server too early is to be asked again."""
        do: Callable[..., Awaitable[bool]] = getattr(self, f"_{name}")
        return await do(*about)

    async def _player(self, number: int) -> PlayerRow:
        (row,) = await self._engine._store.players([number])
        return row

    # -- players

    async def _start(self, number: int, event: str) -> bool:
        player = await self._player(number)
        if player.banned:  # nor does the gateway let them in
            return True
        started = await self._engine.entrance.start(player, event, {})
        if isinstance(started, AttemptView):
            self._books.run(started.attempt_id, number, event)
        elif isinstance(started, Refusal):
            if started.code == "insufficient_entry_cost":
                assert started.details["have"] < started.details["needed"]
            else:
                assert started.code in ("overloaded", "no_active_window"), started
            return started.code != "overloaded"
        else:
            assert isinstance(started, LobbyView)
            assert started.participant_count < CAPACITY
        return True

    async def _write(self, attempt: str, seq: int, kills: int) -> bool:
        run = self._books.runs[attempt]
        if (await self._player(run.player)).banned:
            return False
        metrics: Any = {"kills": kills} if kills else {"deaths": 1}
        reply = await answer_to(partial(self._engine.write, run.player, attempt, metrics, "increment", seq))
        if isinstance(reply, Written):
            best = run.best
            run.count(seq, kills)
            assert reply.metrics_raw["kills"] == run.kills
            self._fired(run, reply, best)
        elif isinstance(reply, Refusal) and reply.code == "attempt_finished":
            if reply.details["attempt"].last_seq == seq:
                run.count(seq, kills)
        else:
            assert isinstance(reply, Refusal), reply
            assert reply.code in ("overloaded", "player_banned"), reply
            return False
        run.is_writing = False
        return True

    def _fired(self, run: Run, reply: Written, best: int) -> None:
        """R-44: the milestones that it comes to for the first time, each with its grants; the second may have been
        paid in this window before."""
        crossed = [one["key"] for one in MILESTONES if best < one["threshold"] <= run.best]
        found = [fired.key for fired in reply.fired]
        if run.event in WITH_MILESTONES:
            assert found in (crossed, [key for key in crossed if key != "two"])
        else:
            assert not found
        self._books.told.update(grant.grant_id for fired in reply.fired for grant in fired.grants)

    async def _finish(self, attempt: str) -> bool:
        run = self._books.runs[attempt]
        return _is_answer(await answer_to(partial(self._engine.finish, run.player, attempt)))

    async def _claim(self, number: int, grant_id: str) -> bool:
        self._books.asked.add(("claim", grant_id))
        claimed = await self._engine.money.claim(number, grant_id)
        if not isinstance(claimed, Refusal):
            self._books.sure.add(("claim", grant_id))
        return True

    async def _open(self, number: int, grant_id: str) -> bool:
        self._books.asked.add(("open", grant_id))
        opened = await self._engine.money.open_crate(number, grant_id)
        if not isinstance(opened, Refusal):
            self._books.sure.add(("open", grant_id))
            self._books.told.update(grant.id for grant in opened[1])
        return True

    # -- servers

    async def _adjust(self, number: int, which: int) -> bool:
        self._books.asked.add(("adjust", str(number), str(which)))
        adjusted = await self._engine.money.adjust(
            await self._player(number),
            Change(*ADJUSTMENTS[which]),
            idempotency_key=str(which),
            reason="test",
            source="test",
        )
        if isinstance(adjusted, Adjusted):
            self._books.sure.add(("adjust", str(number), str(which)))
        else:
            assert adjusted.code == "conflict", adjusted
        return True

    async def _gift(self, number: int, which: int) -> bool:
        self._books.asked.add(("gift", str(number), str(which)))
        given = await self._engine.money.create(await self._player(number), GIFTS[which], str(which), who="server")
        assert not isinstance(given, Refusal), given
        self._books.told.add(given[0].id)
        return True

    # -- operators

    async def _ban(self, number: int, is_banned: bool) -> bool:
        self._books.ever_banned.add(number)
        row = await self._player(number)
        return _is_answer(await self._engine.bans.set(row, is_banned=is_banned, reason=None, who="ops"))

    async def _void(self, attempt: str) -> bool:
        asked = ("void", attempt)
        self._books.asked.add(asked)
        voided = await self._engine.steering.void(attempt, "test", who="ops")
        if isinstance(voided, Refusal) and voided.code != "overloaded":
            self._books.asked.discard(asked)
        return _is_answer(voided)

    async def _close(self, event: str, window: str) -> bool:
        return _is_answer(await self._engine.steering.finalize(event, window, who="ops"))

    async def _cancel(self, window: str) -> bool:
        asked = ("cancel", window)
        self._books.asked.add(asked)
        cancelled = await self._engine.steering.cancel(window, who="ops")
        if isinstance(cancelled, Refusal) and cancelled.details.get("state") == "finalized":
            self._books.asked.discard(asked)
        return _is_answer(cancelled)


def _is_answer(reply: object) -> bool:
    return not (isinstance(reply, Refusal) and reply.code == "overloaded")
