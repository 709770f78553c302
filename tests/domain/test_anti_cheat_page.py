"""What the page for designers says of an attempt is what the validators make of it (R-48, R-49)."""

from __future__ import annotations

import json
import re
from pathlib import Path

from kraty_actors.definitions import load_game
from kraty_actors.domain.outcome import Refusal
from kraty_actors.domain.scoring import Scoring
from kraty_actors.domain.validators import Guard, Past, past_after, rejection

PAGE = (Path(__file__).parents[2] / "docs" / "anti-cheat.md").read_text("utf-8")
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in re.findall(r"^\| \d.*$", PAGE, re.MULTILINE)]


def test_r48_r49_the_example_is_judged_as_it_is_told():
    code = re.search(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert code
    [event] = load_game({"gameId": "g", "events": [json.loads(code[1])]}).game.events
    guard, scoring = Guard(event), Scoring(event)
    raw: list[int | float] = [0, 0]
    past: Past = None
    told, found = [], []
    for second, streak, losses, course, rises, verdicts in ROWS:
        changes = {"streak": int(streak or 0), "losses": int(losses or 0)}
        incoming = scoring.incoming(raw, changes, "increment")
        assert not isinstance(incoming, Refusal)
        findings = guard.judge(past, raw, incoming, round(float(second) * 1000))
        risen = incoming[0] + (past[0] if past else 0)
        if rejection(findings):
            seen = f"stays {raw[0]}"
        else:
            after = scoring.after_resets(raw, list(incoming))
            seen = f"{raw[0]} to {incoming[0]}" + (", then 0" if after[0] != incoming[0] else "")
            raw, past = after, past_after(past, raw, incoming, after)
        told.append((course, int(rises), re.findall(r"`(\w+)`: (\w+)", verdicts)))
        found.append((seen, risen, [(one.validator_key, one.verdict) for one in findings]))
    assert found == told
    assert len(ROWS) == 8
