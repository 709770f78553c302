"""The parts of a definition that are understood but do not run yet.

An event that needs one of them is loaded as a draft: a price or a gate is never ignored.
"""

from __future__ import annotations

from collections.abc import Iterator

from kraty_actors.definitions.bots import Behaviour, BehaviourSingle
from kraty_actors.definitions.checks.entry import tree
from kraty_actors.definitions.document import Document
from kraty_actors.definitions.events import EventDefinition
from kraty_actors.definitions.faults import Fault
from kraty_actors.definitions.findings import Findings, Place
from kraty_actors.definitions.game import GameFile

RUNNING_AVAILABILITY = {"always", "fixed", "recurring_windows"}
RUNNING_MODES = {"global", "lobby_matched"}
RUNNING_FORMULAS = {"linear"}
RUNNING_POLICIES = {"none", "shared_pool"}
RUNNING_CONDITIONS = {"not", "all", "any", "completed_event_at_least_once"}
RUNNING_BLOCKS = {"random_step_with_fall"}


def inactive_parts(event: EventDefinition, game: GameFile) -> list[Fault]:
    """What keeps an event from running yet, with paths that start at the event; empty if it runs."""
    findings = Findings(Document(event.as_defined()))
    warn_of_inactive_parts(event, game, findings.root)
    return list(findings.in_order(findings.warnings))


def warn_of_inactive_parts(event: EventDefinition, game: GameFile, place: Place) -> None:
    """Name at the event's place whatever keeps it from running yet."""
    for at, part in _inactive(event, game, place):
        at.warn(f"this part does not run yet: {part}; the event is loaded as a draft")


def warn_of_inactive_settings(game: GameFile, place: Place) -> None:
    """Name what the game as a whole asks for in vain."""
    grants, settings = game.settings.grants, place / "settings"
    never = "this part does not run yet: "
    if grants.delivery == "auto":
        (settings / "grants" / "delivery").warn(never + "delivery 'auto'; grants are claimed")
    if grants.ttl_days:
        (settings / "grants" / "ttlDays").warn(never + "ttlDays; grants do not expire")
    if game.settings.profile == "client":
        (settings / "profile").warn(never + "profile 'client'; servers set names and avatars")
    if game.webhooks:
        (place / "webhooks").warn(never + "webhooks; nobody is told")


def _inactive(event: EventDefinition, game: GameFile, place: Place) -> Iterator[tuple[Place, str]]:
    if event.availability.mode not in RUNNING_AVAILABILITY:
        yield place / "availability" / "mode", f"availability '{event.availability.mode}'"
    if event.score_formula.type not in RUNNING_FORMULAS:
        yield place / "scoreFormula" / "type", f"score formula '{event.score_formula.type}'"
    if event.reward_policy.type not in RUNNING_POLICIES:
        yield place / "rewardPolicy" / "type", f"reward policy '{event.reward_policy.type}'"
    if event.contributes_to:
        yield place / "contributesTo", "shared boards"
    if event.milestone_rewards:
        yield place / "milestoneRewards", "milestone rewards"
    if event.anti_cheat.validators:
        yield place / "antiCheat" / "validators", "anti-cheat validators"
    yield from _inactive_board(event, place / "leaderboard")
    yield from _inactive_entry(event, place)
    yield from _inactive_bots(event, game, place / "botBindings")


def _inactive_board(event: EventDefinition, at: Place) -> Iterator[tuple[Place, str]]:
    board = event.leaderboard
    if board.mode not in RUNNING_MODES:
        yield at / "mode", f"mode '{board.mode}'"
    if board.mode == "lobby_matched" and board.matchmaking == "external":
        yield at / "matchmaking", "external matchmaking"
    if board.mode == "lobby_matched" and board.match_by:
        yield at / "matchBy", "matchBy"


def _inactive_entry(event: EventDefinition, place: Place) -> Iterator[tuple[Place, str]]:
    if event.entry_cost and (event.entry_cost.currencies or event.entry_cost.items):
        yield place / "entryCost", "entry cost"
    gates = (("unlockCondition", event.unlock_condition), ("entryRequirement", event.entry_requirement))
    for name, gate in gates:
        for node, at, _ in tree(gate, place / name) if gate else ():
            if node.type not in RUNNING_CONDITIONS:
                yield at / "type", f"condition '{node.type}'"


def _inactive_bots(event: EventDefinition, game: GameFile, at: Place) -> Iterator[tuple[Place, str]]:
    for i, binding in enumerate(event.bot_bindings):
        bot = game.bot(binding.bot_id)
        part = _inactive_behaviour(bot.behaviour) if bot else None
        if bot and part:
            yield at / i / "botId", f"{part} of bot '{bot.key}'"


def _inactive_behaviour(behaviour: Behaviour) -> str | None:
    if not isinstance(behaviour, BehaviourSingle):
        return f"behaviour '{behaviour.type}'"
    return None if behaviour.block in RUNNING_BLOCKS else f"block '{behaviour.block}'"
