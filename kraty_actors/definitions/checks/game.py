"""All checks of a game and of one event within it."""

from __future__ import annotations

from dataclasses import dataclass

from kraty_actors.definitions.checks.boards import check_leaderboard, check_shared_board
from kraty_actors.definitions.checks.bots import check_aims, check_bot, missing_aim
from kraty_actors.definitions.checks.circles import Asks, asks_of, warn_of_circles, warn_of_endless_crates
from kraty_actors.definitions.checks.entry import check_attempts, check_conditions, check_costs, check_validators
from kraty_actors.definitions.checks.metrics import check_metrics
from kraty_actors.definitions.checks.rewards import check_entries, check_milestones, check_policy, warn_of_farming
from kraty_actors.definitions.checks.schedule import check_schedule
from kraty_actors.definitions.checks.webhooks import check_webhook
from kraty_actors.definitions.events import EventDefinition
from kraty_actors.definitions.findings import Place
from kraty_actors.definitions.game import GameFile
from kraty_actors.definitions.references import Scope, check_references, names_of_game, register


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an event can refer to.

    Args:
        scope: the names of each kind.
        no_crates: names of the items that cannot be opened.
        aims: of each bot that needs a target, by any of its names, the parameter that it lacks.
        archived: names of the shared boards that take no more scores.
        asks: which events each event asks for.
    """

    scope: Scope
    no_crates: frozenset[str]
    aims: dict[str, str]
    archived: frozenset[str]
    asks: Asks


def surroundings(game: GameFile, place: Place | None = None) -> Surroundings:
    """What a game offers to its events; with a place, the game is itself being checked there."""
    names = names_of_game(game, place)
    return Surroundings(
        names,
        frozenset(
            name
            for i, item in enumerate(game.items)
            if item.crate_bundle_id is None and _is_sure(place, "items", i, "crateBundleId")
            for name in (item.key, item.id)
        ),
        {
            name: aim
            for i, bot in enumerate(game.bots)
            if (aim := missing_aim(bot)) and _is_sure(place, "bots", i, "behaviour")
            for name in (bot.key, bot.id)
        },
        frozenset(name for board in game.leaderboards if board.archived for name in (board.key, board.id)),
        asks_of(game.events, names["events"]),
    )


def _is_sure(place: Place | None, *steps: str | int) -> bool:
    """Whether nothing in that part of the game was left out for a fault of its own."""
    if place is None:
        return True
    for step in steps:
        place = place / step
    return not place.findings.document.is_around_a_gap(place.path)


def check_game(game: GameFile, place: Place) -> None:
    """Everything beside the shape of a game file, its events included."""
    around = surroundings(game, place)
    for i, bundle in enumerate(game.bundles):
        check_entries(bundle.entries, place / "bundles" / i / "entries", around.no_crates, around.scope)
    warn_of_endless_crates(game, place, around.scope)
    for i, bot in enumerate(game.bots):
        check_bot(bot, place / "bots" / i)
    for i, board in enumerate(game.leaderboards):
        check_shared_board(board, place / "leaderboards" / i)
    for i, webhook in enumerate(game.webhooks):
        check_webhook(webhook, place / "webhooks" / i)
    check_references(game.model_copy(update={"events": ()}), place, around.scope)
    for i, event in enumerate(game.events):
        check_event(event, place / "events" / i, around)


def check_event(event: EventDefinition, place: Place, around: Surroundings) -> None:
    """Everything beside the shape of an event."""
    scope = {**around.scope, "metrics": register(event.metrics, place / "metrics")}
    register(event.milestone_rewards, place / "milestoneRewards")
    check_metrics(event, place)
    check_schedule(event, place)
    check_attempts(event, place)
    check_leaderboard(event, place)
    check_aims(event, around.aims, place)
    check_policy(event, place)
    check_milestones(event, place, around.no_crates, scope)
    check_conditions(event, place)
    warn_of_circles(event, place, around.asks, scope["events"])
    check_costs(event, place, scope)
    check_validators(event, place)
    warn_of_farming(event, place)
    check_references(event, place, scope)
    _check_contributions(event, place / "contributesTo", around)


def _check_contributions(event: EventDefinition, at: Place, around: Surroundings) -> None:
    for i, name in enumerate(event.contributes_to):
        if name in around.archived:
            (at / i).warn(f"shared board '{name}' is archived and takes no more scores")
    boards = around.scope["leaderboards"].keys
    merged = list(dict.fromkeys(boards.get(name, name) for name in event.contributes_to))
    if merged != list(event.contributes_to):
        at.findings.settled[at.path] = merged
