"""What stands between a player and an event: facts for conditions and limits, gathered before a window judges them.

Everything is answered from memory, but for the first question about a player, which is one indexed read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kraty_actors.actors.world import World
from kraty_actors.definitions import EventDefinition
from kraty_actors.domain.attempt import AttemptView
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.catalogue import EventView, WindowView
from kraty_actors.domain.conditions import NO_FACTS, Facts, Scalar, Wanted
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import GetAttempt
from kraty_actors.domain.days import day_start
from kraty_actors.domain.player_windows import PlayerWindows
from kraty_actors.domain.player_windows_messages import Locate, Located, Visited
from kraty_actors.domain.shared_board import SharedBoard
from kraty_actors.domain.window import Window
from kraty_actors.domain.window_messages import GetMember, MemberView
from kraty_persistence import PlayerRow

NOWHERE = Located(None, may_open=False, to_open=None, opens_at=None, started_elsewhere=0, unfinished=())
NOBODY = MemberView(None, None, running=False, completed=False, attempts=0, started_since=0)

Number = int | float


class Gates:
    """Looks at the actors' states where they are at rest, and asks them where they are not."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def facts(self, player: PlayerRow, wanted: Wanted, now: int) -> Facts:
        """What is wanted of the player, as it stands (R-19)."""
        if wanted.is_empty:
            return NO_FACTS
        dossier = await self._world.dossiers.get(player.number)
        held = [
            one
            for one in wanted.completions
            if (
                await self._completed_now(player.number, one.event_key, now)
                if one.in_current_window
                else one.event_key in dossier.completed
            )
        ]
        attributes = self._world.players.attributes(player) if wanted.attributes else {}
        return Facts(
            completed=frozenset(held),
            items={key: dossier.inventory.get(key, 0) for key in wanted.items},
            balances={key: dossier.balances.get(key, 0) for key in wanted.currencies},
            attributes={key: attributes[key] for key in wanted.attributes if key in attributes},
            scores=await self._scores(player.number, wanted.boards, now),
        )

    async def _completed_now(self, player: int, event_key: str, now: int) -> bool:
        event = self._world.catalogue.events.get(event_key)
        window = event.current(now) if event is not None else None
        if window is None:
            return False
        state = self._world.loop.at_rest(window.window_id, now)
        if isinstance(state, Window):
            return state.has_completed(player)
        return (await self.member(player, window.window_id, now)).completed

    async def _scores(self, player: int, boards: Iterable[str], now: int) -> Mapping[str, Number]:
        scores = {}
        for key in boards:
            board = self._world.catalogue.boards.get(key)
            score = await self._score(player, board.current_id, now) if board is not None else None
            if score is not None:
                scores[key] = score
        return scores

    async def _score(self, player: int, board_id: str, now: int) -> Number | None:
        state = self._world.loop.at_rest(board_id, now)
        if isinstance(state, SharedBoard):
            return state.score(player)
        view = await self._world.loop.call(board_id, GetBoard(viewer=player))
        return view.viewer_score if isinstance(view, BoardView) else None

    async def member(self, player: int, window_id: str, now: int, since: int = 0) -> MemberView:
        """What the window knows of the player; `since` is where a day of theirs began."""
        state = self._world.loop.at_rest(window_id, now)
        if isinstance(state, Window):
            return state.member_view(GetMember(player, since))
        reply = await self._world.loop.call(window_id, GetMember(player, since))
        return reply if isinstance(reply, MemberView) else NOBODY

    def is_stranger(self, player: int, window_id: str, now: int) -> bool:
        """Whether the player certainly has no part in the window; False where that would have to be asked."""
        state = self._world.loop.at_rest(window_id, now)
        return isinstance(state, Window) and not state.knows(player)

    async def running_attempt(self, player: int, member: MemberView, now: int) -> str | None:
        """The id of the player's attempt that runs."""
        if not member.running or member.contest_id is None:
            return None
        state = self._world.loop.at_rest(member.contest_id, now)
        if isinstance(state, Contest):
            return state.newest_attempt_id(player)
        attempt = await self._world.loop.call(member.contest_id, GetAttempt(player))
        return attempt.attempt_id if isinstance(attempt, AttemptView) else None

    async def started_elsewhere(self, player: int, event: EventView, window: WindowView | None, now: int) -> int:
        """Today's starts of the player in the event's other windows, where the event limits them (R-17)."""
        rules = event.event if window is None else self._world.rules_event(window)
        if rules.attempt.max_daily_attempts is None:
            return 0
        today = day_start(now, event.timezone)
        own = window.window_id if window is not None else None
        others = [one for one in event.windows if one.window_id != own and (one.ends_at or now) > today]
        return sum([(await self.member(player, other.window_id, now, today)).started_since for other in others])

    async def located(self, player: PlayerRow, event: EventView, now: int) -> tuple[Located, int]:
        """Which window of a per-player event the player has, or may open, and today's starts in their other ones."""
        zone = self.timezone(player)
        state = self._world.loop.at_rest(event.player_windows, now)
        reply: object
        if isinstance(state, PlayerWindows):
            reply = state.located(player.number, zone, now)
        else:
            reply = await self._world.loop.call(event.player_windows, Locate(player.number, zone))
        located = reply if isinstance(reply, Located) else NOWHERE
        elsewhere = await self.elsewhere(player.number, event, located, now)
        return located, elsewhere

    async def elsewhere(self, player: int, event: EventView, found: Located | Visited, now: int) -> int:
        """Today's starts in the player's other windows of a per-player event."""
        if event.event.attempt.max_daily_attempts is None:
            return 0
        today = day_start(now, event.timezone)
        going_on = [(await self.member(player, name, now, today)).started_since for name in found.unfinished]
        return found.started_elsewhere + sum(going_on)

    def timezone(self, player: PlayerRow) -> str | None:
        """The player's own time zone, which the game's servers set (R-22)."""
        zone = self._world.players.attributes(player).get("timezone")
        return zone if isinstance(zone, str) else None

    async def league(self, player: int, event: EventDefinition) -> str | None:
        """The league that the player was last moved to, in an event that has some; None for one never moved (R-30)."""
        if event.leaderboard.mode != "segmented":
            return None
        return (await self._world.dossiers.get(player)).leagues.get(event.key)

    def trait(self, player: PlayerRow, event: EventDefinition, context: Mapping[str, Scalar]) -> Scalar | None:
        """The player's value of the attribute that the event places by; what the client says serves where the game's
        servers have said nothing (R-19)."""
        board = event.leaderboard
        name = board.cohort_by if board.mode == "grouped" else board.match_by.attribute if board.match_by else None
        if name is None:
            return None
        return self._world.players.attributes(player).get(name, context.get(name))
