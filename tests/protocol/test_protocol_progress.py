"""The hand check of a progress write: R-8's rules, and the verdicts of the model it stands for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from kraty_protocol.limits import MAX_WHOLE
from kraty_protocol.messages import EventsProgress
from kraty_protocol.progress import Progress, check_progress
from kraty_protocol.validation import InvalidFields, check_player_id, faults

GOOD: dict[str, Any] = {"id": 7, "op": "events.progress", "attemptId": "w.1.2", "metrics": {"streak": 1}, "seq": 12}


def write(**fields: Any) -> dict[str, Any]:
    return {**GOOD, "metrics": dict(GOOD["metrics"]), **fields}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"metrics": {"streak": True}}, "metrics.streak"),
        ({"metrics": {"a": 1, "streak": "1"}}, "metrics.streak"),
        ({"metrics": {"streak": None}}, "metrics.streak"),
        ({"metrics": {"streak": float("nan")}}, "metrics.streak"),
        ({"metrics": {"streak": float("inf")}}, "metrics.streak"),
        ({"metrics": {"streak": -float("inf")}}, "metrics.streak"),
        ({"metrics": {"streak": MAX_WHOLE + 1}}, "metrics.streak"),
        ({"metrics": {"streak": float(2**53)}}, "metrics.streak"),
        ({"metrics": {"streak": 2**64 - 1}}, "metrics.streak"),
        ({"metrics": {"streak": -1}}, "metrics.streak"),
        ({"metrics": {"streak": -0.5}, "mode": "set"}, "metrics.streak"),
        ({"metrics": {}}, "metrics"),
        ({"metrics": [1]}, "metrics"),
        ({"metrics": None}, "metrics"),
        ({"metricValue": 1}, "metricValue"),
        ({"metrics": None, "metricValue": False}, "metricValue"),
        ({"mode": "add"}, "mode"),
        ({"mode": []}, "mode"),
        ({"seq": 0}, "seq"),
        ({"seq": -1}, "seq"),
        ({"seq": 1.5}, "seq"),
        ({"seq": True}, "seq"),
        ({"seq": MAX_WHOLE + 1}, "seq"),
        ({"seq": "12"}, "seq"),
        ({"idempotencyKey": "k"}, "idempotencyKey"),
        ({"seq": None, "idempotencyKey": ""}, "idempotencyKey"),
        ({"seq": None, "idempotencyKey": "k" * 65}, "idempotencyKey"),
        ({"attemptId": None}, "attemptId"),
        ({"attemptId": b"w.1.2"}, "attemptId"),
        ({"attemptId": "w" * 65}, "attemptId"),
        ({"playerId": "p1"}, "playerId"),
        ({"playerId": None}, "playerId"),
        ({"Seq": 12}, "Seq"),
    ],
)
def test_r8_r15_refused_with_the_path(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidFields) as caught:
        check_progress("player", write(**fields))
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("given", "kept"),
    [(0, "0"), (3.0, "3"), (-0.0, "0"), (2.5, "2.5"), (MAX_WHOLE, str(MAX_WHOLE)), (5e-324, "5e-324")],
)
def test_r8_whole_values_become_integers(given: float, kept: str) -> None:
    by_key = check_progress("player", write(metrics={"streak": given}))
    alone = check_progress("player", write(metrics=None, metricValue=given))
    assert (repr(by_key.metrics), repr(alone.metric_value)) == (f"{{'streak': {kept}}}", kept)


def test_what_is_left_out_has_its_default() -> None:
    bare = check_progress("player", {"attemptId": "w.1.2", "metricValue": 1})
    assert bare == Progress("w.1.2", None, 1, "increment", None, None, None)
    named = check_progress("server", write(mode="set", seq=None, idempotencyKey="k", playerId="p1"))
    assert named == Progress("w.1.2", {"streak": 1}, None, "set", None, "k", "p1")


MAYBE = st.none() | st.booleans() | st.integers(-2, 3) | st.floats() | st.text(max_size=2) | st.binary(max_size=2)
EDGES = st.sampled_from([MAX_WHOLE, MAX_WHOLE + 1, float(MAX_WHOLE), 2.0**53, 2**64 - 1, -(2**63), 1e300, "k" * 64])
VALUES = st.integers(0, 5) | st.floats(0, 9) | MAYBE | EDGES
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "attemptId": st.just("w.1.2") | MAYBE | EDGES,
        "metrics": st.dictionaries(st.sampled_from(["a", "b", ""]), VALUES, max_size=2) | MAYBE,
        "metricValue": VALUES,
        "mode": st.sampled_from(["increment", "set"]) | MAYBE,
        "seq": st.integers(1, 3) | MAYBE | EDGES,
        "idempotencyKey": st.just("k") | MAYBE | EDGES,
        "playerId": st.sampled_from(["p1", "p\x85", "p" * 65, "é", "\u2028"]) | MAYBE,
        "nonsense": MAYBE,
    },
)


@settings(max_examples=500)
@given(st.sampled_from(["player", "server"]), FRAMES)
def test_the_hand_check_and_the_model_agree(role: str, fields: dict[str, Any]) -> None:
    expected, paths = by_model(role, fields)
    actual = by_hand(role, {"id": 7, "op": "events.progress", **fields})
    assert actual in paths if expected is None else repr(actual) == repr(expected)


def by_hand(role: str, frame: dict[str, Any]) -> Progress | str:
    try:
        return check_progress(role, frame)
    except InvalidFields as error:
        return error.path


def by_model(role: str, fields: dict[str, Any]) -> tuple[Progress | None, set[str]]:
    try:
        check_player_id(role, fields, required=True)
        model = EventsProgress.model_validate(fields)
    except InvalidFields as error:
        # Told before the model is asked, as the hand check tells an unknown field before that.
        return None, {error.path, "nonsense"} & {error.path, *fields}
    except ValidationError as error:
        return None, {path for path, _ in faults(error)} | _between(fields)
    values = {name: getattr(model, name) for name in Progress.__slots__}
    return Progress(**values), set()


def _between(fields: dict[str, Any]) -> set[str]:
    """Faults between fields, which the model tells only where each field alone is good."""
    given = {name for name, value in fields.items() if value is not None}
    found = set()
    if not given & {"metrics", "metricValue"}:
        found.add("metrics")
    if given >= {"metrics", "metricValue"}:
        found.add("metricValue")
    if given >= {"seq", "idempotencyKey"}:
        found.add("idempotencyKey")
    return found
