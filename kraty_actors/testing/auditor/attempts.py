"""What a write does to one attempt, read from an event's definition: R-6 to R-15, R-44 and the rules of `seq`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from kraty_actors.testing.auditor.findings import Span

Number = int | float
Definition = Mapping[str, Any]

KEPT_SEQS = 32


@dataclass(frozen=True, slots=True)
class Write:
    """A progress message: `changes` by metric."""

    seq: int
    changes: tuple[tuple[str, Number], ...]
    mode: str
    span: Span

    @property
    def body(self) -> tuple[Any, ...]:
        return self.changes, self.mode


@dataclass(frozen=True, slots=True)
class Kept:
    """What is remembered of a seq that was used: the answer to an applied write, or that it was rejected."""

    body: tuple[Any, ...]
    answer: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class State:
    """One way in which an attempt may stand. `scores` has every score that it had, and when."""

    raw: Mapping[str, Number]
    status: str = "in_progress"
    last_seq: int = 0
    kept: Mapping[int, Kept] = field(default_factory=dict)
    applied: int = 0
    fired: tuple[str, ...] = ()
    scores: tuple[tuple[Number, Span], ...] = ()

    @property
    def score(self) -> Number:
        return self.scores[-1][0] if self.scores else 0

    @property
    def is_over(self) -> bool:
        return self.status != "in_progress"


Verdict = Literal["ok", "repeated", "rejected", "conflict"]


class AttemptRules:
    """The rules of one event for its attempts."""

    def __init__(self, event: Definition) -> None:
        self.metrics: list[Definition] = event["metrics"]
        self.milestones: list[Definition] = event.get("milestoneRewards", [])
        self.targets = {one["key"]: one["target"] for one in self.metrics if one.get("target")}
        formula = event.get("scoreFormula", {"type": "linear"})
        self._is_best_metric = formula["type"] == "best_metric"
        triggers = {one["resetOn"]["metricKey"] for one in self.metrics if one.get("resetOn")}
        self._weights: dict[str, Number] = {
            one["key"]: one.get("scorePerUnit", 0 if self._only_triggers(one, triggers) else 1) for one in self.metrics
        }
        limits = [
            v["params"] for v in event.get("antiCheat", {}).get("validators", []) if v["key"] == "max_metric_jump"
        ]
        self._jumps = [(one["metricKey"], one["maxDelta"]) for one in limits if one.get("verdict") == "reject"]

    @staticmethod
    def _only_triggers(metric: Definition, triggers: set[str]) -> bool:
        return metric["key"] in triggers and not metric.get("target") and not metric.get("cap")

    def fresh(self) -> State:
        return State({one["key"]: 0 for one in self.metrics})

    def capped(self, raw: Mapping[str, Number]) -> dict[str, Number]:
        return {one["key"]: min([raw[one["key"]], *self._ceilings(one)]) for one in self.metrics}

    @staticmethod
    def _ceilings(metric: Definition) -> Iterator[Number]:
        if metric.get("cap") is not None:
            yield metric["cap"]
        if metric.get("capAtTarget"):
            yield metric["target"]

    def score(self, capped: Mapping[str, Number]) -> Number:
        parts: list[Number] = [capped[key] * weight for key, weight in self._weights.items() if weight]
        return max(parts) if self._is_best_metric else sum(parts)

    def is_met(self, capped: Mapping[str, Number]) -> bool:
        return bool(self.targets) and all(capped[key] >= target for key, target in self.targets.items())

    def at_its_end(self, state: State) -> State:
        """As it stands once its time is over, or it was finished (R-11, R-12)."""
        if state.is_over:
            return state
        counts = self.is_met(self.capped(state.raw)) if self.targets else state.applied > 0
        return replace(state, status="completed" if counts else "expired")

    def known(self, state: State, write: Write) -> tuple[Verdict, State, Mapping[str, Any]] | None:
        """What is answered from memory; None for a seq that was not used and may be."""
        kept = state.kept.get(write.seq)
        if kept is None and write.seq > state.last_seq:
            return None
        if kept is None or kept.body != write.body:
            details = {"lastSeq": state.last_seq, "applied": False} if kept is None else {}
            return "conflict", state, details
        if kept.answer is None:
            return "rejected", state, {}
        if write.seq == state.last_seq:
            return "repeated", state, kept.answer
        return "repeated", state, {**self.view(state), "milestonesFired": [], "seq": write.seq}

    def applied(self, state: State, write: Write) -> tuple[Verdict, State, Mapping[str, Any]]:
        """What a write leads to that is taken up while the attempt goes on."""
        before, changes = state.raw, dict(write.changes)
        incoming = {
            key: changes.get(key, value) if write.mode == "set" else value + changes.get(key, 0)
            for key, value in before.items()
        }
        if any(incoming[key] - before[key] > most for key, most in self._jumps):
            return "rejected", self._keeping(state, write, None), {}
        risen = {key for key in incoming if incoming[key] > before[key]}
        raw = {
            one["key"]: 0 if one.get("resetOn", {}).get("metricKey") in risen else incoming[one["key"]]
            for one in self.metrics
        }
        capped = self.capped(raw)
        fired = self._fired(state, self.capped(before), capped)
        made = replace(
            state,
            raw=raw,
            applied=state.applied + 1,
            fired=(*state.fired, *fired),
            scores=(*state.scores, (self.score(capped), write.span)),
            status="completed" if self.is_met(capped) else state.status,
        )
        answer = {**self.view(made), "milestonesFired": fired, "seq": write.seq}
        return "ok", self._keeping(made, write, answer), answer

    def _keeping(self, state: State, write: Write, answer: Mapping[str, Any] | None) -> State:
        kept = {**state.kept, write.seq: Kept(write.body, answer)}
        newest = sorted(kept)[-KEPT_SEQS:]
        return replace(state, kept={seq: kept[seq] for seq in newest}, last_seq=max(state.last_seq, write.seq))

    def _fired(self, state: State, before: Mapping[str, Number], capped: Mapping[str, Number]) -> list[str]:
        return [
            one["key"]
            for one in self.milestones
            if one["key"] not in state.fired and before[one["metricKey"]] < one["threshold"] <= capped[one["metricKey"]]
        ]

    def view(self, state: State) -> dict[str, Any]:
        """The fields that answers show of an attempt."""
        return {
            "status": state.status,
            "metrics": self.capped(state.raw),
            "metricsRaw": dict(state.raw),
            "score": state.score,
        }
