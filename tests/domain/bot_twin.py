"""Bots stepped through every tick, the slow and obvious way, and the humans that they meet.

Formulas are the table's, in exact fractions; every row is put in order anew whenever anybody asks for a rank.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor
from typing import Any

from playing import expected_draws

from kraty_actors.definitions import BotDefinition
from kraty_actors.domain.bots import Behaviour, Bots, BotSeat, Grid, Persona
from kraty_actors.domain.chance import Chance

FOREVER = 2**53 - 1
BEGAN = 1_000_000
TICK_MS = 5_000
BOARD = "waaaaaaaaaaaaaaaa.1"
NOBODY = Persona("nobody")


def seat(behaviour: dict[str, Any], target: float = 0) -> BotSeat:
    bot = BotDefinition.model_validate({"key": "bot", "behaviour": behaviour})
    return BotSeat(Behaviour.of(bot, target), NOBODY)


def seated(*behaviours: dict[str, Any], seed: int = 7, target: float = 0, ascending: bool = False) -> Bots:
    """A board of bots that began at `BEGAN`, with a tick each `TICK_MS`."""
    seats = [seat(behaviour, target) for behaviour in behaviours]
    return Bots(seats, Chance(seed, BOARD), Grid(BEGAN, TICK_MS), ascending=ascending)


@dataclass
class People:
    """The humans on a board, by score."""

    scores: list[int] = field(default_factory=list)
    ends_at: int | None = None
    ascending: bool = False

    @property
    def humans(self) -> int:
        return len(self.scores)

    def human_at(self, rank: int) -> int:
        return sorted(self.scores, reverse=not self.ascending)[rank - 1]

    def humans_ahead_of(self, score: float) -> int:
        return len([one for one in self.scores if (one <= score if self.ascending else one >= score)])


@dataclass
class Player:
    """One bot of the twin."""

    behaviour: dict[str, Any]
    luck: Fraction
    at: Any = None
    entered: int = 0
    since: int = 0
    score: int = 0
    moment: int = 0
    fate: str = "plays"

    @property
    def node(self) -> dict[str, Any]:
        match self.behaviour.get("type"):
            case "sequence":
                return self.behaviour["steps"][self.at]
            case "state_machine":
                return self.behaviour["states"][self.at]
            case _:
                return self.behaviour

    @property
    def has_next(self) -> bool:
        return self.behaviour.get("type") == "sequence" and self.at + 1 < len(self.behaviour["steps"])

    @property
    def block(self) -> str:
        return self.node["block"]

    @property
    def params(self) -> dict[str, Any]:
        return self.node.get("params", {})


class Twin:
    """Every bot at every tick."""

    def __init__(self, behaviours: list[dict[str, Any]], people: People, seed: int, target: int, ascending: bool):
        draws = expected_draws(seed, BOARD, 1 << 63, len(behaviours))
        self.players = [Player(b, Fraction(d, 2**32)) for b, d in zip(behaviours, draws, strict=True)]
        self.people, self.seed, self.target, self.ascending = people, seed, target, ascending
        self.tick = self.inputs = self.writes = self.last_moved = 0
        self.seen = False
        for one in self.players:
            first = {"sequence": 0, "state_machine": one.behaviour.get("initial")}
            self.enter(one, first.get(one.behaviour.get("type", "single")))

    # -- what happens

    def advance(self, until: int, inputs: int) -> bool:
        self.inputs, self.seen = inputs, False
        while BEGAN + (self.tick + 1) * TICK_MS <= until:
            self.tick += 1
            self.step()
        return self.seen

    def wrote(self, moment: int) -> bool:
        self.writes += 1
        self.seen = False
        draws = expected_draws(self.seed, BOARD, self.writes, len(self.players))
        moved = [one for one in self.players if one.block == "random_step_with_fall" and one.fate == "plays"]
        for one, draw in zip(self.players, draws, strict=True):
            if one in moved and one.score < self.aim(one):
                falls = draw < round(one.params.get("fallChance", 0.3) * 2**32)
                self.place(one, 0 if falls else one.score + one.params.get("step", 1), moment, by_time=False)
        self.inputs = moment - self.tick
        self.change_states(moved)
        return self.seen

    def step(self) -> None:
        goals = [(one, self.goal(one)) for one in self.players if self.follows(one)]
        for one in self.players:
            self.run(one)
        for one, score in goals:
            self.place(one, score, self.inputs + self.tick)
        self.change_states(self.players)

    def change_states(self, players: list[Player]) -> None:
        facts = [(one, self.facts(one)) for one in players if one.fate == "plays"]
        for one, names in facts:
            for way in one.node.get("transitions", ()):
                if eval(way["when"]["expr"], {}, names):
                    self.enter(one, way["to"])
                    break

    # -- one bot

    def enter(self, one: Player, at: Any) -> None:
        one.at, one.entered, one.since = at, self.tick, one.score
        self.run(one)

    def run(self, one: Player) -> None:
        if one.fate != "plays" or self.follows(one) or one.block == "random_step_with_fall":
            return
        seconds = (self.tick - one.entered) * TICK_MS // 1000
        self.place(one, floor(self.curve(one, seconds)), self.inputs + self.tick)
        if one.block in ("complete", "complete_at", "quit") and seconds >= one.params.get("seconds", 0):
            self.finish(one)
        elif self.is_done(one, seconds) and one.has_next:
            self.enter(one, one.at + 1)

    def curve(self, one: Player, seconds: int) -> Fraction | int:
        p, s, aim = one.params, one.since, self.aim(one)
        match one.block:
            case "progress_linear":
                d = self.duration(one)
                return s + (aim - s) * (min(Fraction(1), seconds / d) if d else 1)
            case "progress_burst":
                begins, before = Fraction(p.get("burstAt", 0.5)) * p["durationSeconds"], Fraction(p.get("before", 0.25))
                if seconds < begins:
                    return s + (aim - s) * before * seconds / begins
                burst = Fraction(p.get("burstSeconds", Fraction(p["durationSeconds"], 10)))
                share = (seconds - begins) / burst if burst else 1
                return s + (aim - s) * (before + (1 - before) * min(1, share))
            case "complete_at":
                return aim if seconds >= p["seconds"] else s
        return s

    def is_done(self, one: Player, seconds: int) -> bool:
        p = one.params
        match one.block:
            case "wait":
                return seconds >= p["seconds"]
            case "progress_linear":
                return seconds >= self.duration(one) or one.since == self.aim(one)
            case "progress_burst":
                burst = Fraction(p.get("burstSeconds", Fraction(p["durationSeconds"], 10)))
                return seconds >= Fraction(p.get("burstAt", 0.5)) * p["durationSeconds"] + burst
        return False

    def duration(self, one: Player) -> Fraction:
        return one.params["durationSeconds"] * (1 + Fraction(one.params.get("jitter", 0)) * (2 * one.luck - 1))

    def aim(self, one: Player) -> int:
        name = {"complete_at": "score", "random_step_with_fall": "target"}.get(one.block, "targetScore")
        return one.params.get(name, self.target)

    def follows(self, one: Player) -> bool:
        return one.fate == "plays" and one.block in ("track_position", "match_player_pace")

    def goal(self, one: Player) -> int:
        p, most = one.params, one.params.get("maxStep", FOREVER)
        if one.block == "track_position":
            others = [row[-1] for row in self.rows() if row[2] is None or row[2].block != "track_position"]
            if not others:
                return one.score
            goal = max(0, floor(others[min(p["targetRank"], len(others)) - 1] + p.get("offset", 0)))
            return min(max(goal, one.score - most), one.score + most)
        if not self.people.scores:
            return one.score
        share = Fraction(p.get("ratio", 1)) * (1 + Fraction(p.get("jitter", 0)) * (2 * one.luck - 1))
        return max(one.score, min(floor(self.people.human_at(1) * share), one.score + most))

    # -- the board

    def rows(self) -> list[Any]:
        sign = 1 if self.ascending else -1
        rows: list[Any] = [(sign * score, (0,), None, score) for score in self.people.scores]
        bots = [(at, self.players[at]) for at in self.standing]
        rows += [(sign * one.score, (1, one.moment, at), one, one.score) for at, one in bots]
        return sorted(rows, key=lambda row: row[:2])

    @property
    def standing(self) -> list[int]:
        fates = {"frozen"} if self.ascending else {"plays", "frozen"}
        return [at for at, one in enumerate(self.players) if one.fate in fates]

    def facts(self, one: Player) -> dict[str, Any]:
        at = self.players.index(one)
        sign = 1 if self.ascending else -1
        mine = (sign * one.score, (1, one.moment, at))
        ends = self.people.ends_at
        return {
            "elapsedSeconds": self.tick * TICK_MS // 1000,
            "remainingSeconds": FOREVER if ends is None else max(0, ends - BEGAN - self.tick * TICK_MS) / 1000,
            "stateSeconds": (self.tick - one.entered) * TICK_MS // 1000,
            "ticks": self.tick,
            "score": one.score,
            "rank": 1 + len([row for row in self.rows() if row[:2] < mine]),
            "leaderScore": self.people.human_at(1) if self.people.scores else 0,
            "target": self.aim(one) if one.block not in ("idle", "wait", "complete", "quit") else self.target,
        }

    def place(self, one: Player, score: int, moment: int, by_time: bool = True) -> None:
        if score != one.score:
            one.score, one.moment = score, moment
            self.show(not self.ascending, by_time)

    def finish(self, one: Player) -> None:
        one.fate = "gone" if one.block == "quit" else "frozen"
        if self.ascending and one.fate == "frozen":
            one.moment = self.inputs + self.tick
        self.show(self.ascending == (one.fate == "frozen"), True)

    def show(self, is_seen: bool, by_time: bool) -> None:
        if is_seen:
            self.seen = True
            if by_time:
                self.last_moved = self.tick

    @property
    def scores(self) -> list[int]:
        return [one.score for one in self.players]

    @property
    def moments(self) -> list[int]:
        return [one.moment for one in self.players]
