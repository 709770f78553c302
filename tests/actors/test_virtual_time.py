"""A day of events in a moment: the whole engine by the event loop's own clock, which trio can make virtual."""

from __future__ import annotations

import time
from typing import Any

import anyio
import trio
import trio.testing

from kraty_actors.actors.clock import LoopClock
from kraty_actors.actors.engine import Engine
from kraty_actors.actors.loop import answer_to
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.lobby import LobbyView
from kraty_actors.domain.outcome import Refusal
from kraty_persistence import MemoryStore

NOON = 1_800_014_400_000  # 2027-01-15T12:00Z
HOUR = 3600


def game(**fields: Any) -> dict[str, Any]:
    race = {"key": "race", "metrics": [{"key": "points"}], **fields}
    return {"gameId": "arena", "settings": {"seed": 1}, "events": [race]}


def played(script: Any, definition: dict[str, Any]) -> None:
    """Run `script(engine)` at noon by a clock that jumps to whatever is waited for next."""

    async def main() -> None:
        async with Engine.opened(MemoryStore(), LoopClock(NOON)) as engine:
            await engine.publishing.put_game(definition, who="file", is_file=True)
            await script(engine)

    started = time.monotonic()
    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    assert time.monotonic() - started < 5


def test_r24_windows_open_and_close_at_their_own_times():
    windows = [{"startTime": "13:00", "durationSeconds": HOUR}]

    async def script(engine: Engine) -> None:
        seen = []
        ann = await engine.players.resolve("ann")
        for _ in range(26):
            started = await engine.entrance.start(ann, "race", {}) if len(seen) in (0, 1, 13, 25) else None
            seen.append(started)
            await anyio.sleep(HOUR)
        await anyio.sleep(1)
        for refused in (seen[0], seen[13]):
            assert isinstance(refused, Refusal)
            assert refused.code == "no_active_window"
        assert seen[0].details == {"opensAt": NOON + HOUR * 1000}
        assert isinstance(seen[1], AttemptView)
        assert isinstance(seen[25], AttemptView)
        assert seen[25].window_ends_at == NOON + 26 * HOUR * 1000
        assert [w.state for w in engine.catalogue.events["race"].windows] == ["finalized", "finalized"]

    played(script, game(availability={"mode": "recurring_windows", "windows": windows}))


def test_r12_an_attempt_runs_out_at_its_own_time_and_r14_takes_no_write_then():
    async def script(engine: Engine) -> None:
        player = await engine.players.resolve("ann")
        attempt = await engine.entrance.start(player, "race", {})
        assert isinstance(attempt, AttemptView)
        await anyio.sleep(59.999)
        for code in (None, "attempt_finished"):
            reply: Any = await answer_to(
                lambda respond: engine.write(player.number, attempt.attempt_id, 1, "increment", None, respond)
            )
            assert getattr(reply, "code", None) == code
            await anyio.sleep(0.001)
        ended: Any = await answer_to(lambda respond: engine.attempt(player.number, attempt.attempt_id, respond))
        assert (ended.status, ended.completed_at) == ("completed", NOON + 60_000)

    played(script, game(attempt={"durationSeconds": 60}))


def test_r31_a_lobby_starts_short_when_it_has_waited_long_enough():
    async def script(engine: Engine) -> None:
        players = [await engine.players.resolve(name) for name in ("ann", "bob", "cat")]
        for player in players:
            assert isinstance(await engine.entrance.start(player, "race", {}), LobbyView)
        engine.lobbies.presence(players[2].number, here=False)
        await anyio.sleep(30.5)
        started = [await engine.entrance.start(player, "race", {}) for player in players]
        assert [attempt.started_at for attempt in started] == [NOON + 30_000, NOON + 30_000, NOON + 30_500]
        assert len({attempt.contest_id for attempt in started}) == 1

    played(script, game(leaderboard={"mode": "lobby_matched", "capacity": 5}))
