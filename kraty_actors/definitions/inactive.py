"""The parts of a definition that are understood but do not run yet.

An event that needs one of them is loaded as a draft: a price or a gate is never ignored.
"""

from __future__ import annotations

from collections.abc import Iterator

from kraty_actors.definitions.document import Document
from kraty_actors.definitions.events import EventDefinition
from kraty_actors.definitions.faults import Fault
from kraty_actors.definitions.findings import Findings, Place
from kraty_actors.definitions.game import GameFile

RUNNING_POLICIES = {"none", "shared_pool"}


def inactive_parts(event: EventDefinition) -> list[Fault]:
    """What keeps an event from running yet, with paths that start at the event; empty if it runs."""
    findings = Findings(Document(event.as_defined()))
    warn_of_inactive_parts(event, findings.root)
    return list(findings.in_order(findings.warnings))


def warn_of_inactive_parts(event: EventDefinition, place: Place) -> None:
    """Name at the event's place whatever keeps it from running yet."""
    for at, part in _inactive(event, place):
        at.warn(f"this part does not run yet: {part}; the event is loaded as a draft")


def warn_of_inactive_settings(game: GameFile, place: Place) -> None:
    """Name what the game as a whole asks for in vain."""
    grants, settings = game.settings.grants, place / "settings"
    never = "this part does not run yet: "
    if grants.delivery == "auto":
        (settings / "grants" / "delivery").warn(never + "delivery 'auto'; grants are claimed")
    if grants.ttl_days:
        (settings / "grants" / "ttlDays").warn(never + "ttlDays; grants do not expire")
    if game.webhooks:
        (place / "webhooks").warn(never + "webhooks; nobody is told")


def _inactive(event: EventDefinition, place: Place) -> Iterator[tuple[Place, str]]:
    if event.reward_policy.type not in RUNNING_POLICIES:
        yield place / "rewardPolicy" / "type", f"reward policy '{event.reward_policy.type}'"
    if event.milestone_rewards:
        yield place / "milestoneRewards", "milestone rewards"
    if event.anti_cheat.validators:
        yield place / "antiCheat" / "validators", "anti-cheat validators"
    if event.entry_cost and (event.entry_cost.currencies or event.entry_cost.items):
        yield place / "entryCost", "entry cost"
