"""One evening from before the opening until after the payout, on a real server with real connections."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from kraty_actors.actors.clock import LoopClock
from kraty_actors.actors.records import unpack_batch
from kraty_actors.demo.players import Plan, Player
from kraty_actors.demo.result import Payment, Result
from kraty_actors.demo.scene import Scene, Screen
from kraty_actors.demo.setting import Setting, pool
from kraty_actors.domain.contest_messages import Write
from kraty_actors.game import Game, open_game
from kraty_actors.gateway.auth import sign
from kraty_persistence.sql import open_sql_store
from kraty_protocol.shapes import Entry

FRAME_SECONDS = 0.1
JOURNAL_SECONDS = 1.0
TOKEN_SECONDS = 86_400
SETTLING_SECONDS = 60


class Demo:
    """Everything about one run; `run` is the story."""

    def __init__(self, setting: Setting, folder: Path, screen: Screen) -> None:
        self._setting = setting
        self._folder = folder
        self._screen = screen
        self._database = f"sqlite:///{folder / 'game.db'}"
        self._clock = LoopClock(setting.starts_at)
        self._game = setting.game()
        self._scene = Scene(setting, *pool(self._game), setting.starts_at)
        self._players = [Player(Plan.drawn(setting.seed, number)) for number in range(1, setting.players + 1)]

    async def run(self) -> Result:
        """Play the evening.

        Raises:
            TimeoutError: The window was not settled a minute after its end.
        """
        file = self._folder / "game.json"
        file.write_text(json.dumps(self._game, indent=2), "utf-8")
        secret = secrets.token_hex(32)
        async with (
            open_game(file, store=self._database, clock=self._clock, secrets=[secret]) as game,
            anyio.create_task_group() as tasks,
        ):
            url = f"ws://127.0.0.1:{await game.serve(port=0)}/v1/socket"
            tasks.start_soon(self._keep_showing)
            tasks.start_soon(self._keep_reading_the_journal)
            await self._connect(tasks, url, secret)
            await self._play(tasks)
            result = await self._settle(game)
            tasks.cancel_scope.cancel()
        result.journalled = self._scene.journalled = await self._count_journalled()
        self._screen.show(self._scene)
        return result

    # -- the story

    async def _connect(self, tasks: TaskGroup, url: str, secret: str) -> None:
        self._say(f"{self._setting.players} players connect to {url}")
        for player in self._players:
            plan = player.plan
            token = sign(secret, "player", plan.player_id, TOKEN_SECONDS, name=plan.name)
            await tasks.start(player.connect, url, token)
            self._scene.connected += 1

    async def _play(self, tasks: TaskGroup) -> None:
        """Players start one after another, so that each has the same lobby, and the same bots, in every run."""
        watched = max(self._players, key=lambda player: player.plan.suspense)
        for player in self._players:
            await player.start()
            if self._scene.phase == "waiting":
                self._scene.phase = "open"
                self._say("the window is open")
            self._scene.attempts += 1
            tasks.start_soon(player.play, self._seconds_left(), self._scene.acknowledge)
            if player is watched:
                tasks.start_soon(self._watch, player)

    async def _settle(self, game: Game) -> Result:
        """Wait for the close; then every player collects what it brought."""
        await anyio.sleep(self._seconds_left())
        self._scene.phase = "settling"
        self._say("the window is closed")
        window_id = self._players[0].attempt["windowId"]
        with anyio.fail_after(SETTLING_SECONDS):
            while (report := await game.report(window_id)) is None:  # noqa: ASYNC110 - an answer, not a flag
                await anyio.sleep(FRAME_SECONDS)
        amount, currency = pool(self._game)
        result = Result(self._setting, amount, currency, report, self._scene.acknowledged, window_id)
        for player in self._players:
            grants = await player.collect()
            if grants:
                paid = await player.balance(currency)
                result.payments.append(Payment(player.plan.player_id, player.plan.name, len(grants), paid))
        result.standings = await self._digest_standings()
        result.board_id = str(self._players[0].attempt["leaderboardId"])
        self._scene.phase = "settled"
        self._say("the prizes are paid")
        return result

    def _say(self, text: str) -> None:
        self._scene.advance(self._clock.now_ms())
        self._screen.say(self._scene, text)

    def _seconds_left(self) -> float:
        return max(0, self._setting.closes_at - self._clock.now_ms()) / 1000

    # -- looking on

    async def _watch(self, player: Player) -> None:
        self._scene.watched = (str(player.client.participant_id), player.plan.name)
        async for board in player.client.watch(str(player.attempt["leaderboardId"]), limit=50):
            self._scene.board = board

    async def _keep_showing(self) -> None:
        while True:
            self._scene.advance(self._clock.now_ms())
            self._screen.show(self._scene)
            await anyio.sleep(FRAME_SECONDS)

    async def _keep_reading_the_journal(self) -> None:
        while True:
            begun = anyio.current_time()
            self._scene.journalled = await self._count_journalled()
            await anyio.sleep(max(JOURNAL_SECONDS, 10 * (anyio.current_time() - begun)))

    async def _count_journalled(self) -> int:
        """The progress writes in the database file, read as another program would."""
        boards = [player.attempt["leaderboardId"] for player in self._players[: self._scene.attempts]]
        async with open_sql_store(self._database, owner=False) as reader:
            records = [record for board in boards for record in await reader.history(str(board))]
        return sum(1 for record in records for command in unpack_batch(record)[1] if command[0] == Write.tag)

    async def _digest_standings(self) -> str:
        """A digest of where everybody ended in every lobby: the same for the same seed, bots included."""
        rows: list[Sequence[object]] = []
        for player in self._players:
            board = await player.client.read_board(str(player.attempt["leaderboardId"]))
            rows += map(_row, board["entries"])
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def _row(entry: Entry) -> Sequence[object]:
    return entry["kind"], entry["name"], entry["score"], entry["rank"]
