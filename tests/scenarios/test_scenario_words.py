"""The language of the scenarios can fail: what is not so is not met, and what is not understood is an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from scenario_file import read_scenario
from scenario_words import Answer, Names, Unmet, check, fields_of

from kraty_protocol.shapes import parse_iso

BOARD = {
    "entries": [
        {"participantId": "p1", "kind": "player", "name": None, "score": 3, "rank": 1},
        {"participantId": "b1", "kind": "bot", "name": "Rex", "score": 1.5, "rank": 2},
    ]
}
BODY = {
    "attempt": {"score": 3, "endsAt": "2026-06-02T13:00:00.000Z", "done": True, "leaderboardId": None},
    "windows": [{"windowId": "w1", "state": "open", "metadata": {"a": 1, "b": 2}}, {"windowId": "w2"}],
    **BOARD,
}


def names() -> Names:
    return Names({"first": "w1"}, {"p1": "ann"})


@pytest.mark.parametrize(
    "expects",
    [
        "",
        "attempt.score=3; attempt.done=true",
        "attempt.score>2; attempt.score<4; attempt.score!=4",
        "attempt.endsAt=2026-06-02T13:00Z",
        "attempt.leaderboardId=null",
        "windows.0.windowId=@first; windows.w2.windowId!=@first; windows.count=2",
        "windows.0.metadata.a=1; windows.1.metadata=absent; windows.7=absent",
        'windows.0.metadata={"a":1}; windows.0.metadata=={"a":1,"b":2}',
        "board: ann 3, Rex 1.5; players: ann 3; bots: Rex 1.5",
    ],
)
def test_what_is_so_is_met(expects: str) -> None:
    check(Answer(BODY), expects, names())


@pytest.mark.parametrize(
    "expects",
    [
        "attempt.score=4",
        "attempt.score!=3",
        "attempt.score=absent",
        "attempt.done=1",
        "attempt.nothing=null",
        "attempt.nothing>0",
        "attempt.endsAt=2026-06-02T13:01Z",
        "windows.1.windowId=@first",
        "windows.0.windowId=@second",
        'windows.0.metadata=={"a":1}',
        'windows.0.metadata={"c":3}',
        "windows=[]",
        "board: ann 3",
        "board: Rex 1.5, ann 3",
        "players: nobody",
        "bots: Rex 1",
        "not_found 404",
        "windows.9.windowId -> @ninth",
    ],
)
def test_what_is_not_so_is_unmet(expects: str) -> None:
    with pytest.raises(Unmet):
        check(Answer(BODY), expects, names())


def test_a_refusal_has_to_be_expected_and_its_details_are_looked_at() -> None:
    refused = Answer({"state": "paused"}, "event_disabled")
    check(refused, "event_disabled 409; state=paused", names())
    for expects in ("", "state=paused", "conflict 409", "event_disabled 409; state=draft"):
        with pytest.raises(Unmet):
            check(refused, expects, names())


@pytest.mark.parametrize("expects", ["event_disabled 404", "nonsense", "board: ann three"])
def test_what_makes_no_sense_is_an_error(expects: str) -> None:
    with pytest.raises(ValueError, match=r"status|expectation|Expecting"):
        check(Answer(BODY, "event_disabled" if expects.startswith("event") else None), expects, names())


def test_a_kept_value_has_a_name_from_then_on() -> None:
    known = names()
    check(Answer(BODY), "windows.1.windowId -> @second", known)
    assert known.value("@second") == "w2"


def test_fields_are_json_words_and_names() -> None:
    text = 'windowId=@first metrics.wins=1 metrics.draws=0.5 playerIds=["ann","@first"] metadata=null name="Ann B"'
    assert fields_of(text, names()) == {
        "windowId": "w1",
        "metrics": {"wins": 1, "draws": 0.5},
        "playerIds": ["ann", "w1"],
        "metadata": None,
        "name": "Ann B",
    }


ROWS = """
# A story

```json
{"gameId": "arena"}
```

| time | who | does | expects | why |
|---|---|---|---|---|
"""


def written(folder: Path, rows: str) -> Path:
    file = folder / "story.md"
    file.write_text(ROWS + rows)
    return file


def test_a_row_without_a_time_is_at_that_of_the_row_before(tmp_path: Path) -> None:
    rows = [
        "| Tue 2026-06-02 12:00 | ann | `ping` | | |",
        "| | bob | `ping` | | |",
        "| 12:00:00.500 | bob | `ping` | `a=1` | R-1 |",
    ]
    scenario = read_scenario(written(tmp_path, "\n".join(rows)))
    noon = parse_iso("2026-06-02T12:00:00Z")
    assert [step.at_ms - noon for step in scenario.steps] == [0, 0, 500]
    last = scenario.steps[2]
    assert (last.where, last.who, last.does, last.expects) == ("story.md:12", "bob", "ping", "a=1")


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("", "no table"),
        ("| | ann | `ping` | | |\n", "no time"),
        ("| 12:00 | ann | `ping` | | |\n", "not a time"),
        ("| Mon 2026-06-02 12:00 | ann | `ping` | | |\n", "not a Mon but a Tue"),
        ("| 2026-06-02 12:00 | ann | `ping` | |\n", "4 columns"),
        ("| 2026-06-02 12:00 | ann | `ping` | | |\n| 11:00 | ann | `ping` | | |\n", "does not go back"),
        ("```json\n{}\n```\n| 2026-06-02 12:00 | ann | `ping` | | |\n", "one block of json"),
    ],
)
def test_a_file_that_is_no_scenario_says_where(tmp_path: Path, rows: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault) as raised:
        read_scenario(written(tmp_path, rows))
    assert "story.md" in str(raised.value)
