"""Why a player stands where they stand: what is told afterwards is what could be seen at the time (R-57)."""

from __future__ import annotations

import random
import xml.dom.minidom
from copy import deepcopy
from typing import Any

import pytest
from acting import START, StillClock
from proving import GUARDED, SECOND, Race, flip, played_to_its_end, racing, records_of

from kraty_actors.actors.chain import AlteredJournal
from kraty_actors.actors.explained import Explanation
from kraty_actors.actors.explaining import Explaining
from kraty_actors.actors.journal_key import known_sealer
from kraty_actors.actors.players import Players
from kraty_actors.domain.board_view import BoardView, GetBoard
from kraty_actors.domain.outcome import Refusal
from kraty_actors.gateway.explained_picture import picture
from kraty_actors.gateway.explanations import explanation, lines, players_in
from kraty_persistence import Store

pytestmark = pytest.mark.anyio

NAMES = ("ann", "bob", "cat", "dan")


async def explained(race: Race, name: str, at: int | None = None, **given: Any) -> Any:
    explaining = Explaining(race.store, now_ms=race.clock.now_ms, **given)
    return await explaining.explain(race.window, name, at)


async def as_told(store: Store, made: Explanation) -> dict[str, Any]:
    players = Players(store)
    await players.fetch(sorted(players_in(made)))
    return explanation(made, players)


async def board_now(race: Race) -> list[tuple[int, float, int]]:
    view = await race.engine.boards.read(race.board, GetBoard(limit=50))
    assert isinstance(view, BoardView)
    return [(one.participant, one.score, one.rank) for one in view.standings]


@pytest.mark.parametrize("seed", range(6))
async def test_r57_every_moment_is_told_as_it_was_seen(seed: int) -> None:
    """Random play with bots that live by writes and by time; the board is looked at after every step, and each row's
    score remembered with the instant at which it was first seen since it changed."""
    chance = random.Random(seed)
    seen: list[tuple[int, list[tuple[int, float, int]]]] = []
    since: dict[int, tuple[float, int]] = {}
    sinces: list[dict[int, int]] = []
    async with racing() as race:
        for name in NAMES:
            await race.start(name)
        for _ in range(25):
            name = chance.choice(NAMES)
            metrics = {"points": chance.randrange(3)} if chance.random() < 0.7 else {"losses": 1, "streak": 1}
            await _try(race, name, chance.choice([0, 1, 900, 7_000]), metrics)
            rows = await board_now(race)
            for participant, score, _ in rows:
                if since.get(participant, (None, 0))[0] != score:
                    since[participant] = score, race.clock.now
            if seen and seen[-1][0] == race.clock.now:
                seen.pop()
                sinces.pop()
            seen.append((race.clock.now, rows))
            sinces.append({participant: at for participant, (_, at) in since.items()})
        for (at, rows), come in zip(seen, sinces, strict=True):
            for number, name in enumerate(NAMES, 1):
                made = await explained(race, name, at)
                assert isinstance(made, Explanation)
                assert [(one.participant, one.score, one.rank) for one in made.places] == _around(rows, number)
                for place in made.places:
                    if place.participant > 0 and place.score:
                        assert place.since == come[place.participant]
                    if place.bot is not None and place.bot.name == "Pia":  # who moves by the grid of ticks alone
                        assert (place.since - START) % (5 * SECOND) == 0
                    assert place.since <= at


async def _try(race: Race, name: str, after: int, metrics: dict[str, int]) -> None:
    """A write; who has completed starts again."""
    race.clock.now += after
    player = await race.engine.players.resolve(name)
    await race.engine.entrance.start(player, "race", {})
    view = (await race.engine.inquiries.lookup(player)).attempts[0]
    race.attempts[name] = view.attempt_id
    await race.write(name, 0, **metrics)


def _around(rows: list[tuple[int, float, int]], player: int) -> list[tuple[int, float, int]]:
    at = next(at for at, row in enumerate(rows) if row[0] == player)
    return rows[max(0, at - 5) : at + 6]


async def test_r57_what_decided_between_neighbours_is_said() -> None:
    race = await played_to_its_end()
    made = await as_told(race.store, await explained(race, "ann"))
    assert made["above"]["rule"] == "score"
    assert (made["above"]["by"], made["below"]["by"]) == (7, 3.2)
    assert made["below"]["text"] == "same score: the player reached it 3.2 s earlier"
    made = await as_told(race.store, await explained(race, "bob"))
    assert made["above"]["text"] == "same score: they reached it 3.2 s earlier"
    assert made["below"]["text"] == "same score: players stand before bots"
    early = await as_told(race.store, await explained(race, "cat", START + SECOND))
    assert early["below"]["text"] == "same score, reached in the same instant: the player came first in order"
    assert early["self"]["since"] == "2027-01-15T08:00:01.000Z"


async def test_r57_everything_that_happened_to_a_player_is_told() -> None:
    race = await played_to_its_end()
    told = list(lines(await as_told(race.store, await explained(race, "cat"))))
    text = "\n".join(told)
    assert "rank: 1 of 6, with 12 since 2027-01-15T08:00:10.000Z" in told
    assert "points +7, streak +1 [flag by max_metric_jump: points rose by 7, over 6] [milestone half]" in text
    assert "points +4 [points counts 10 of 11] -> score 12 rank 1 completed" in text
    assert text.count("charged cost 5 cash") == text.count(" started ") == 2
    assert "granted 3 cash" in text
    assert told[-1].endswith("paid granted 33 cash")
    assert "[streak was reset]" in "\n".join(lines(await as_told(race.store, await explained(race, "ann"))))


async def test_r57_the_past_knows_nothing_of_what_came_later() -> None:
    race = await played_to_its_end()
    early = await explained(race, "ann", START + 5_000)
    assert (early.stage, early.own.rank, early.moment_count) == ("open", 1, 3)
    assert not early.pays
    assert early.attempts[0].status == "in_progress"
    assert all(sample.at <= START + 5_000 for sample in early.curve)


async def test_r50_a_rejected_write_is_told_with_its_verdict() -> None:
    game = deepcopy(GUARDED)
    game["events"][0]["antiCheat"]["validators"][0]["params"]["verdict"] = "reject"
    async with racing(game=game) as race:
        await race.start("ann")
        with pytest.raises(AssertionError, match="anti_cheat_rejected"):
            await race.write("ann", points=9)
        made = await explained(race, "ann")
    assert made.moments[-1].what == "rejected"
    assert made.moments[-1].findings == [["max_metric_jump", "reject", "points rose by 9, over 6"]]
    assert made.moments[-1].score == 0


async def test_r51_of_a_banned_player_it_is_said_that_the_row_is_hidden() -> None:
    async with racing() as race:
        await race.start("ann")
        await race.write("ann", points=2)
        ann = await race.engine.players.resolve("ann")
        await race.engine.bans.set(ann, is_banned=True, reason="cheat", who="op")
        await race.engine.steering.report(race.window)
        made = await as_told(race.store, await explained(race, "ann"))
    assert (made["self"], made["hidden"]) == (None, True)
    assert made["history"][-1]["what"] == "banned"
    assert "rank: none: the player is banned, the row is hidden" in list(lines(made))


async def test_r51_a_void_is_told_once_and_so_is_a_completion_by_force() -> None:
    async with racing() as race:
        attempt = await race.start("ann")
        await race.write("ann", points=2)
        await race.engine.steering.force_complete(attempt, 9, who="op")
        race.clock.now += SECOND
        await race.engine.steering.void(attempt, "a script", who="op")
        made = await explained(race, "ann")
    assert [(one.what, one.status) for one in made.moments] == [
        ("charged", None),
        ("started", "in_progress"),
        ("write", "in_progress"),
        ("ended", "force_completed"),
        ("voided", "expired"),
    ]
    assert made.own is None
    assert not made.is_hidden


async def test_r31_a_player_whose_lobby_still_forms_has_no_board_yet() -> None:
    game = deepcopy(GUARDED)
    game["events"][0] |= {
        "leaderboard": {"mode": "lobby_matched", "capacity": 3, "fillStrategy": "wait_full"},
        "botBindings": [],
    }
    async with racing(game=game) as race:
        player = await race.engine.players.resolve("ann")
        view: Any = await race.engine.entrance.start(player, "race", {})
        race.window = view.window_id
        made = await as_told(race.store, await explained(race, "ann"))
    assert (made["leaderboardId"], made["self"], made["entries"], made["curve"]) == (None, None, [], [])
    assert "rank: none" in list(lines(made))


async def test_an_event_without_a_board_is_explained_by_its_attempts() -> None:
    game = deepcopy(GUARDED)
    game["events"][0]["leaderboard"] = {"mode": "none"}
    async with racing(game=game) as race:
        await race.start("ann")
        await race.write("ann", points=2)
        made = await as_told(race.store, await explained(race, "ann"))
    assert (made["leaderboardId"], made["self"]) == (None, None)
    assert made["attempts"][0]["score"] == 2
    assert [sample["score"] for sample in made["curve"]] == [2]


async def test_what_there_is_not_is_said_in_a_line() -> None:
    race = await played_to_its_end()
    await race.store.resolve("zoe", lambda: "public-zoe")
    for window, name, at, message in [
        ("w" + "a" * 16, "ann", None, "no window 'waaaaaaaaaaaaaaaa'"),
        ("nonsense", "ann", None, "no window 'nonsense'"),
        (race.window, "eve", None, "no player 'eve'"),
        (race.window, "ann", START - SECOND, "the window had not opened then"),
        (race.window, "zoe", None, "'zoe' had no part in the window by then"),
    ]:
        made = await Explaining(race.store, now_ms=race.clock.now_ms).explain(window, name, at)
        assert isinstance(made, Refusal)
        assert (made.code, made.message) == ("not_found", message)


async def test_r57_a_journal_that_is_not_whole_is_named() -> None:
    race = await played_to_its_end()
    sealer = await known_sealer(race.store, None)
    flip(4, -1)(records_of(race.store, race.board))
    with pytest.raises(AlteredJournal, match="record 4 "):
        await explained(race, "ann", sealer=lambda: sealer)
    records_of(race.store, race.board)[3] = b"\x93\x02garbage which is long enough"
    with pytest.raises(AlteredJournal, match="record 4 can not be read"):
        await explained(race, "ann")


async def test_the_picture_is_one_file_that_is_well_formed() -> None:
    async with racing(clock=StillClock(START + SECOND)) as race:
        await race.start("ann")
        for _ in range(4):
            await race.write("ann", 1_500, points=2)
        made = await as_told(race.store, await explained(race, "ann"))
    made["playerId"] = "<ann & bob>"
    drawn = picture(made)
    root = xml.dom.minidom.parseString(drawn).documentElement
    assert root is not None
    assert root.tagName == "svg"
    assert "&lt;ann &amp; bob&gt;" in drawn
    assert "http" not in drawn.replace("http://www.w3.org/2000/svg", "")
    for empty in ([], made["curve"][:1]):
        xml.dom.minidom.parseString(picture({**made, "curve": empty}))


async def test_explaining_does_not_hold_up_the_game() -> None:
    """It reads the journal beside a running server, and writes nothing."""
    async with racing() as race:
        await race.start("ann")
        await race.write("ann", points=2)
        before = {name: list(actor.records) for name, actor in race.store._actors.items()}
        made = await race.engine.explanations.explain(race.window, "ann")
        assert isinstance(made, Explanation)
        assert made.own is not None
        assert {name: list(actor.records) for name, actor in race.store._actors.items()} == before
        await race.write("ann", points=1)
