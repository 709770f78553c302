"""A game file read at every start, over a calendar that operators steer meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from calendar_play import ALWAYS, Play, fixed, hourly
from playing import HOUR, SEED, START, frozen, thawed

from kraty_actors.definitions import GameFile
from kraty_actors.domain.calendar import Calendar
from kraty_actors.domain.calendar_messages import FinalizeEvent, OverrideWindow, PutGame
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.ids import window_id
from kraty_actors.domain.publishing import Merge, merge


class Server(Play):
    """A calendar that is started with a file, and started again."""

    def start(self, *events: dict[str, Any], **rest: Any) -> Merge:
        """Start with a file: what was put, and what it warns of."""
        self.calendar = thawed(Calendar(Library()), frozen(self.calendar))
        return self.load({"gameId": "arena", "events": list(events), **rest}, is_file=True)

    def load(self, raw: dict[str, Any], *, is_file: bool) -> Merge:
        game = self.catalogue.game
        put = GameFile.model_validate(raw).as_defined()
        merged = merge(game.as_defined() if game else None, put, self.catalogue.file if is_file else {})
        self.apply(PutGame(merged.game, SEED, merged.changed, merged.file if is_file else None, "ann"))
        return merged


def event(key: str, availability: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"key": key, "metrics": [{"key": "points"}], "availability": availability or hourly("09:00"), **fields}


def test_what_the_file_says_as_before_changes_nothing_whatever_operators_did():
    server = Server()
    server.start(event("race"), event("cup"), event("draw", fixed(1, 9)))
    server.load({"gameId": "arena", "events": [event("race", name="Renamed")]}, is_file=False)
    server.say(OverrideWindow(window_id("cup", START + HOUR), {"tier": "boss"}, "ann"))
    server.at(1)
    server.set("race", "pause")
    server.say(FinalizeEvent("draw", None, "ann"))
    before = frozen(server.calendar)
    again = server.start(event("race"), event("cup"), event("draw", fixed(1, 9)))
    assert (again.changed, again.warnings, server.last_told) == ([], [], [])
    assert frozen(server.calendar) == before
    assert server.view("race").event.name == "Renamed"
    assert [server.view(key).state for key in ("race", "cup", "draw")] == ["paused", "live", "finalized"]
    assert server.window("cup", 1).override == {"tier": "boss"}


def test_what_the_file_says_anew_is_put_and_the_rest_is_left_alone():
    server = Server()
    server.start(event("race"), event("cup"))
    server.load(
        {"gameId": "arena", "events": [event("race", name="Renamed"), event("cup", name="Renamed")]}, is_file=False
    )
    server.at(1)
    server.set("race", "pause")
    again = server.start(event("race", metadata={"tier": "boss"}), event("cup"))
    assert again.changed == [["events", "race"]]
    race, cup = server.view("race"), server.view("cup")
    assert (race.rules.revision, race.event.name, race.event.metadata) == (3, "race", {"tier": "boss"})
    assert (race.state, [window.revision for window in race.windows]) == ("paused", [2])
    assert (cup.rules.revision, cup.event.name) == (2, "Renamed")


def test_an_older_file_is_a_change_like_any_other():
    server = Server()
    server.start(event("race"))
    server.start(event("race", name="Second"))
    again = server.start(event("race"))
    assert again.changed == [["events", "race"]]
    assert (server.view("race").rules.revision, server.view("race").event.name) == (3, "race")


def test_what_left_the_file_goes_on_and_is_warned_of():
    server = Server()
    server.start(event("race"), event("cup"))
    again = server.start(event("race"))
    assert (again.changed, [str(fault.path) for fault in again.warnings]) == ([], ["events.cup"])
    assert server.at(1) == [("cup", 1), ("race", 1)]


@pytest.mark.parametrize(("said", "state"), [({}, "live"), ({"state": "draft"}, "draft")])
def test_state_counts_only_when_an_event_is_first_seen(said: dict[str, Any], state: str):
    server = Server()
    server.start(event("race", ALWAYS, **said))
    assert server.view("race").state == state
    server.start(event("race", ALWAYS, **({} if said else {"state": "draft"})))
    assert server.view("race").state == state
    server.start(event("race", ALWAYS, name="Another"))
    assert server.view("race").state == state


def test_a_draft_of_the_file_that_an_operator_published_stays_published():
    server = Server()
    server.start(event("race", ALWAYS, state="draft"))
    server.set("race", "publish")
    server.start(event("race", ALWAYS, state="draft", name="Another"))
    assert server.view("race").state == "live"


def test_what_is_under_way_opens_when_it_is_first_published_and_what_is_over_never_does():
    server = Server()
    server.start(event("now", fixed(-1, 1)), event("over", fixed(-2, -1)))
    assert server.opened_last == [("now", -1)]
    assert server.view("over").state == "finalized"
    server.now += HOUR // 2
    server.start(event("now", fixed(-1, 1)), event("over", fixed(-2, -1)), event("new", fixed(-1, 1)))
    assert server.opened_last == [("new", -1)]


def test_settings_that_change_reach_every_event_without_a_revision():
    server = Server()
    server.start(event("race"), event("own", scheduleAheadDays=3))
    server.start(event("race"), event("own", scheduleAheadDays=3), settings={"scheduleAheadDays": 30})
    assert [len(server.view(key).upcoming(START)) for key in ("race", "own")] == [30, 3]
    assert server.view("race").rules.revision == 1


def test_r24_a_new_time_zone_of_the_game_moves_the_schedules_that_name_none():
    server = Server()
    server.start(event("race"))
    server.say(OverrideWindow(window_id("race", START + HOUR), {"tier": "boss"}, "ann"))
    server.start(event("race"), settings={"timezone": "Asia/Tokyo"})
    assert server.view("race").upcoming(START)[0].starts_at == START + 16 * HOUR
    assert server.view("race").overrides == {}
    assert server.calendar.wake_at == START + 16 * HOUR
