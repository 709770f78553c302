"""Every fault of meaning outside events, or across definitions, has its path too (R-3)."""

from __future__ import annotations

from typing import Any

import pytest
from small_games import SURROUNDINGS, bullets, cash, crates, drawn, faults_of, game, race


def entries(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"bundles": [SURROUNDINGS["bundles"][0], {"key": "b", "entries": list(listed)}]}


def bots(behaviour: dict[str, Any]) -> dict[str, Any]:
    return {"bots": [{"key": "b", "behaviour": behaviour}]}


def machine(**state: Any) -> dict[str, Any]:
    return bots({"type": "state_machine", "initial": "a", "states": {"a": {"block": "idle", **state}}})


def way_out(expr: str, to: str = "a") -> dict[str, Any]:
    return {"transitions": [{"when": {"expr": expr}, "to": to}]}


GAME_FAULTS = [
    # names
    ({"currencies": [{"key": "cash"}, {"key": "cash"}]}, "currencies[1].key", "'cash' is taken by another"),
    ({"items": [{"key": "a", "id": "b"}, {"key": "b"}]}, "items[1].key", "'b' is taken by another"),
    ({"events": [race(), race()]}, "events[1].key", "'race' is taken by another"),
    ({"webhooks": [{"key": "w", "url": "http://a/", "secret": "s"}] * 2}, "webhooks[1].key", "'w' is taken"),
    ({"settings": {"defaultIdentityPool": "folk"}}, "settings.defaultIdentityPool", "no identity pool 'folk'"),
    ({"items": [{"key": "crate", "crateBundleId": "pay"}]}, "items[0].crateBundleId", "no bundle 'pay'"),
    # shared boards
    ({"leaderboards": [{"key": "s", "resetCadence": "season"}]}, "leaderboards[0].seasonEndsAt", "required with"),
    # bundles
    (entries(cash({"min": 5, "max": 4})), "bundles[1].entries[0].amount.max", "must not be below min, 5"),
    (entries(cash({"min": 0, "max": 15, "step": 10})), "bundles[1].entries[0].amount.max", "steps of 10 above min, 0"),
    (entries(cash(1), cash(2) | {"currencyKey": "x"}), "bundles[1].entries[1].currencyKey", "no currency 'x'"),
    (
        entries({"type": "table", "weightedEntries": [{"weight": 1, "entry": cash({"min": 2, "max": 1})}]}),
        "bundles[1].entries[0].weightedEntries[0].entry.amount.max",
        "must not be below min",
    ),
    (
        entries({"type": "crate", "crateItemKey": "bullet"}),
        "bundles[1].entries[0].crateItemKey",
        "item 'bullet' is no crate",
    ),
    (
        entries({"type": "table", "weightedEntries": [{"weight": 1, "entry": {"type": "table"}}]}),
        "bundles[1].entries[0].weightedEntries[0].entry.type",
        "must be one of 'currency', 'item', 'crate'",
    ),
    # what one roll comes to at the most
    (
        entries(cash(2**53 - 1), cash({"min": 0, "max": 1})),
        "bundles[1].entries",
        "may come to 9007199254740992 of currency",
    ),
    (entries(drawn(2, cash(2**52))), "bundles[1].entries", "may come to 9007199254740992 of currency 'cash'"),
    (entries(*[crates(2**52)] * 2), "bundles[1].entries", "may come to 9007199254740992 crates, of at most 1000"),
    (entries(bullets(2**53 - 1), bullets(1)), "bundles[1].entries", "of item 'bullet', of at most 2^53 - 1"),
    (entries(crates(1_000), crates({"min": 0, "max": 1})), "bundles[1].entries", "may come to 1001 crates"),
    (entries(drawn(501, crates(2), crates(1))), "bundles[1].entries", "may come to 1002 crates, of at most 1000"),
    (entries(drawn({"min": 1, "max": 1_000}, cash(1)), cash(1)), "bundles[1].entries", "may come to 1001 entries"),
    # behaviours
    (
        bots({"type": "sequence", "steps": [{"block": "idle"}, {"block": "complete"}]}),
        "bots[0].behaviour.steps[0].block",
        "'idle' never ends",
    ),
    (
        bots({"type": "state_machine", "initial": "b", "states": {"a": {"block": "idle"}}}),
        "bots[0].behaviour.initial",
        "no state 'b'; known: a",
    ),
    (machine(**way_out("rank > 3", to="b")), "bots[0].behaviour.states.a.transitions[0].to", "no state 'b'"),
    (machine(**way_out("rank")), "bots[0].behaviour.states.a.transitions[0].when.expr", "must be a condition"),
    (machine(**way_out("rnk > 1")), "bots[0].behaviour.states.a.transitions[0].when.expr", "no name 'rnk'"),
    # webhooks
    *[
        ({"webhooks": [{"key": "w", "url": url, "secret": "s"}]}, "webhooks[0].url", message)
        for message, urls in {
            "must be an http or https address with a host": (
                *(
                    "http://:80/",
                    "http://[::1",
                    "https://a:0/",
                    "https://a:65536/",
                    "https://a:b/",
                    "http://?x",
                    "http://@/",
                ),
            ),
            "must not hold a name or a password": (
                "https://ann@a.example/",
                "https://ann:pw@a.example/",
                "http://:@a/",
            ),
            "must be written in ASCII": ("https://bücher.example/", "https://a.example/é", "https://a.example/\x01"),
        }.items()
        for url in urls
    ],
    ({"webhooks": [{"key": "w", "url": "http://a/"}]}, "webhooks[0].secret", "required, or secretEnv"),
    (
        {"webhooks": [{"key": "w", "url": "http://a/", "secret": "s", "secretEnv": "S"}]},
        "webhooks[0].secretEnv",
        "must not stand together with secret",
    ),
]


@pytest.mark.parametrize(("changes", "path", "message"), GAME_FAULTS, ids=[f"{p}-{m}" for _, p, m in GAME_FAULTS])
def test_r3_a_game_at_fault_is_refused_with_the_path(changes: dict[str, Any], path: str, message: str):
    found = faults_of(game(**changes))
    assert list(found) == [path]
    assert message in found[path]
