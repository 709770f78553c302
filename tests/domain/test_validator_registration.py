"""A game's own validator is a function and a registration (R-49)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from pydantic import Field, model_validator

from kraty_actors import Evidence, ValidatorParams, Verdict, register_validator
from kraty_actors.definitions import DefinitionFaults, EventDefinition, json_schema, load_event, load_game
from kraty_actors.definitions.anti_cheat import VALIDATORS, MetricRef
from kraty_actors.definitions.registration import forget_validator
from kraty_actors.definitions.scalars import Whole
from kraty_actors.domain.validators import Finding, Guard
from kraty_actors.domain.validators import own as own_checks
from kraty_actors.domain.validators.registry import FUNCTIONS


class PairParams(ValidatorParams):
    """What one metric may be of another."""

    metric_key: MetricRef = Field(examples=["score"])
    """The one."""
    of: MetricRef = Field(examples=["score"])
    """The other."""
    least: Annotated[int, Whole(1)] = 1
    """How many of the other there must be to each."""
    most: Annotated[int, Whole(1)] = 10
    """How many there may be."""

    @model_validator(mode="after")
    def _in_order(self) -> PairParams:
        if self.most < self.least:
            raise ValueError("most must not be below least")
        return self


def pair(evidence: Evidence, params: PairParams) -> str | None:
    one, other = evidence.incoming[params.metric_key], evidence.incoming[params.of]
    return None if other * params.most >= one else f"{one} {params.metric_key}, and but {other} {params.of}"


seen: list[Evidence] = []


def witness(evidence: Evidence, params: ValidatorParams) -> None:
    seen.append(evidence)


class AnswerParams(ValidatorParams):
    """Which answer to give."""

    number: int = Field(0, examples=[0])
    """Of the list below."""


ANSWERS: list[Any] = []


def answer(evidence: Evidence, params: AnswerParams) -> Any:
    return ANSWERS[params.number]


def fail(evidence: Evidence, params: ValidatorParams) -> str:
    raise KeyError("score of the moon")


OWN = (
    ("arena:pair", pair, PairParams),
    ("witness", witness, None),
    ("answer", answer, AnswerParams),
    ("fail", fail, None),
)


@pytest.fixture(autouse=True)
def own_validators(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(own_checks, "_told", set())
    for key, function, params in OWN:
        register_validator(key, function, params)
    yield
    for key, *_ in OWN:
        forget_validator(key)
        del FUNCTIONS[key]
    seen.clear()
    ANSWERS.clear()


METRICS = [{"key": "hits", "id": "h"}, {"key": "shots", "resetOn": {"metricKey": "reloads"}}, {"key": "reloads"}]


def game(*validators: dict[str, Any]) -> dict[str, Any]:
    event = {"key": "e", "metrics": METRICS, "antiCheat": {"validators": list(validators)}}
    return {"gameId": "g", "events": [event]}


def loaded(*validators: dict[str, Any]) -> EventDefinition:
    return load_game(game(*validators)).game.events[0]


def own(key: str, **params: Any) -> dict[str, Any]:
    return {"key": key, "params": params}


def faults_of(*validators: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(DefinitionFaults) as raised:
        load_game(game(*validators))
    prefix = "events[0].antiCheat.validators"
    return {fault.path.removeprefix(prefix): fault.message for fault in raised.value.faults}


def judged(*validators: dict[str, Any], incoming: list[Any] | None = None) -> list[tuple[str, str, str]]:
    found = Guard(loaded(*validators)).judge(None, [0, 0, 0], incoming or [1, 1, 1], 1000)
    return [(one.validator_key, one.verdict, one.reason) for one in found]


def test_r49_a_registered_validator_judges_in_its_place_among_the_others():
    order = [
        own("max_metric_jump", metricKey="hits", maxDelta=10),
        own("arena:pair", metricKey="hits", of="shots", most=2),
        own("max_metric_jump", metricKey="hits", maxDelta=20, verdict="reject"),
        own("witness"),
    ]
    assert judged(*order, incoming=[5, 3, 0]) == []
    assert len(seen) == 1
    assert judged(*order, incoming=[30, 3, 0]) == [
        ("max_metric_jump", "flag", "hits rose by 30, over 10"),
        ("arena:pair", "flag", "30 hits, and but 3 shots"),
        ("max_metric_jump", "reject", "hits rose by 30, over 20"),
    ]
    assert len(seen) == 1, "what stands behind a reject is not run"


def test_r49_a_reason_counts_as_the_verdict_of_the_parameters():
    strict = own("arena:pair", metricKey="hits", of="shots", verdict="reject")
    assert judged(strict, incoming=[99, 1, 0]) == [("arena:pair", "reject", "99 hits, and but 1 shots")]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, None),
        (Verdict("allow", "whatever"), None),
        ("odd", ("reject", "odd")),
        ("", ("reject", "")),
        (Verdict("flag", "odd"), ("flag", "odd")),
        (Verdict("reject", "odd"), ("reject", "odd")),
        # what it must not give
        (True, ("flag", "the validator failed")),
        (False, ("flag", "the validator failed")),
        (0, ("flag", "the validator failed")),
        (b"odd", ("flag", "the validator failed")),
        (Verdict("ban", "odd"), ("flag", "the validator failed")),  # type: ignore[arg-type]
        (Verdict("flag", 5), ("flag", "the validator failed")),  # type: ignore[arg-type]
        (("flag", "odd"), ("flag", "the validator failed")),
        # what no database would hold
        ("a\0b\ud800c", ("reject", "a?b?c")),
        ("x" * 5000, ("reject", "x" * 256)),
    ],
)
def test_r48_what_a_function_may_answer(given: Any, told: tuple[str, str] | None):
    ANSWERS.append(given)
    assert judged(own("answer", verdict="reject")) == ([("answer", *told)] if told else [])


def test_r48_the_evidence_is_raw_and_before_resets():
    guard = Guard(loaded(own("witness"), own("witness")))
    prior, incoming = [3, 40, 1], [3, 45.5, 2]
    assert guard.judge([0, 60, 0, 0, 50, 0], prior, incoming, 2500) == ()
    first, second = seen
    assert first.prior == {"hits": 3, "shots": 40, "reloads": 1}
    assert first.incoming == {"hits": 3, "shots": 45.5, "reloads": 2}
    assert first.rises == {"hits": 3, "shots": 105.5, "reloads": 2}
    assert first.elapsed_seconds == 2.5
    first.incoming["hits"] = 99  # type: ignore[index]
    assert second.incoming["hits"] == 3
    assert (prior, incoming) == ([3, 40, 1], [3, 45.5, 2])


def test_r49_setting_less_is_no_rise_and_takes_none_back():
    Guard(loaded(own("witness"))).judge(None, [30, 0, 0], [10, 0, 0], 0)
    assert seen[0].rises == {"hits": 30, "shots": 0, "reloads": 0}


def test_r49_a_function_that_raises_flags_the_write_and_stops_nothing(caplog: pytest.LogCaptureFixture):
    event = loaded(own("fail", verdict="reject"), own("max_metric_jump", metricKey="hits", maxDelta=5))
    for guard in [Guard(event), Guard(event)] * 2:  # one for each board
        assert guard.judge(None, [0, 0, 0], [6, 0, 0], 0) == (
            Finding("fail", "flag", "the validator failed"),
            Finding("max_metric_jump", "flag", "hits rose by 6, over 5"),
        )
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert "'fail' failed" in record.getMessage()
    assert record.exc_info
    assert "score of the moon" in str(record.exc_info[1])


def test_r49_a_newer_revisions_own_validator_is_passed_over_where_its_metric_is_not_played():
    played = loaded()
    newer = {"key": "e", "metrics": [{"key": "kills"}, {"key": "hits"}]}
    listed = [own("arena:pair", metricKey="kills", of="hits"), own("arena:pair", metricKey="hits", of="kills")]
    event = load_event({**newer, "antiCheat": {"validators": listed}}, load_game(game()).game).event
    found = Guard(played, event.anti_cheat).judge(None, [0, 0, 0], [99, 0, 0], 0)
    assert [(one.validator_key, one.reason) for one in found] == [("arena:pair", "the validator failed")]


def test_r49_parameters_are_judged_by_their_model_with_paths():
    assert faults_of(
        own("arena:pair", metricKey="hits", of="shots", most="2"),
        own("arena:pair", metricKey="hits", of="shot"),
        own("arena:pair", metricKey="hits"),
        own("arena:pair", metricKey="hits", of="shots", mst=2),
        own("arena:pair", metricKey="hits", of="shots", least=3, most=2),
        own("arena:pair", metricKey="hits", of="shots", verdict="ban"),
        {"key": "arena:pair", "params": []},
        {"key": "arena:pair"},
        own("witness", metricKey="hits"),
        {"key": "witness"},
    ) == {
        "[0].params.most": "must be a whole number of at least 1",
        "[1].params.of": "no metric 'shot'; known: hits, reloads, shots",
        "[2].params.of": "required",
        "[3].params.mst": "unknown field; did you mean most?",
        "[4].params": "most must not be below least",
        "[5].params.verdict": "must be 'flag' or 'reject'",
        "[6].params": "must be an object",
        "[7].params.metricKey": "required",
        "[7].params.of": "required",
        "[8].params.metricKey": "unknown field; known: verdict",
    }


def test_r49_references_by_id_are_settled_to_keys():
    event = loaded(own("arena:pair", metricKey="h", of="shots"))
    assert event.as_defined()["antiCheat"]["validators"][0]["params"] == {"metricKey": "hits", "of": "shots"}
    assert EventDefinition.model_validate(event.as_defined()) == event


def test_r49_before_it_is_registered_and_once_forgotten_it_is_a_fault_that_lists_the_known_ones():
    def quick(evidence: Evidence, params: ValidatorParams) -> None:
        return None

    builtin = "'max_metric_rate', 'max_metric_jump', 'min_attempt_duration', 'arena:pair', 'witness', 'answer', 'fail'"
    unknown = {"[0].key": f"must be one of {builtin}"}
    assert faults_of(own("quick")) == unknown
    register_validator("quick", quick)
    assert loaded(own("quick")).anti_cheat.validators[0].key == "quick"
    forget_validator("quick")
    del FUNCTIONS["quick"]
    assert faults_of(own("quick")) == unknown


def test_r49_a_key_means_one_validator():
    register_validator("witness", witness)
    register_validator("arena:pair", pair, PairParams)
    for key, function, params in [
        ("max_metric_jump", witness, None),
        ("witness", fail, None),
        ("witness", witness, PairParams),
        ("arena:pair", pair, None),
    ]:
        with pytest.raises(ValueError, match=f"'{key}' is there already"):
            register_validator(key, function, params)
    for key in ("", "two words", "-", "x" * 65, "é"):
        with pytest.raises(ValueError, match="is no key"):
            register_validator(key, witness)
    assert list(VALIDATORS)[3:] == list(FUNCTIONS) == [key for key, *_ in OWN]


def test_r49_the_json_schema_knows_a_registered_validator():
    schema = json_schema()
    check = pytest.importorskip("jsonschema").Draft202012Validator(schema)
    right = game(own("arena:pair", metricKey="hits", of="shots", most=2), own("witness", verdict="reject"))
    assert [error.message for error in check.iter_errors(right)] == []
    assert check.is_valid(game({"key": "witness"}))
    for wrong in (own("quick"), own("arena:pair", metricKey="hits", of="shots", mst=2), own("witness", most=2)):
        assert not check.is_valid(game(wrong))
    defined = [one for name, one in schema["$defs"].items() if name.startswith("Validator_") or name == "PairParams"]
    assert len(defined) == len(OWN) + 1
    assert all(one["description"] and not one["additionalProperties"] for one in defined)
