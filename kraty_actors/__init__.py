"""Live game events as actors: tournaments, races and seasons with live boards, exact payouts and nothing lost.

Each name is imported from its home when it is first asked for: a command that only checks a file needs no database.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kraty_actors.actors.clock import Clock, LoopClock, SystemClock
    from kraty_actors.actors.publishing import WrongGame
    from kraty_actors.definitions import BlockParams, DefinitionFaults, Fault, ValidatorParams
    from kraty_actors.domain.bots import FollowingBlock, TimedBlock, WriteBlock, register_block
    from kraty_actors.domain.validators import Evidence, Verdict, register_validator
    from kraty_actors.game import Game, open_game, select_subprotocol
    from kraty_actors.simulation.dice import Dice
    from kraty_actors.simulation.strategies import Move, Seen, register_strategy
    from kraty_protocol.errors import Refused

__all__ = [
    "BlockParams",
    "Clock",
    "DefinitionFaults",
    "Dice",
    "Evidence",
    "Fault",
    "FollowingBlock",
    "Game",
    "LoopClock",
    "Move",
    "Refused",
    "Seen",
    "SystemClock",
    "TimedBlock",
    "ValidatorParams",
    "Verdict",
    "WriteBlock",
    "WrongGame",
    "open_game",
    "register_block",
    "register_strategy",
    "register_validator",
    "select_subprotocol",
]

_HOMES = {
    "BlockParams": "kraty_actors.definitions",
    "Clock": "kraty_actors.actors.clock",
    "DefinitionFaults": "kraty_actors.definitions",
    "Dice": "kraty_actors.simulation.dice",
    "Evidence": "kraty_actors.domain.validators",
    "Fault": "kraty_actors.definitions",
    "FollowingBlock": "kraty_actors.domain.bots",
    "Game": "kraty_actors.game",
    "LoopClock": "kraty_actors.actors.clock",
    "Move": "kraty_actors.simulation.strategies",
    "Refused": "kraty_protocol.errors",
    "Seen": "kraty_actors.simulation.strategies",
    "SystemClock": "kraty_actors.actors.clock",
    "TimedBlock": "kraty_actors.domain.bots",
    "ValidatorParams": "kraty_actors.definitions",
    "Verdict": "kraty_actors.domain.validators",
    "WriteBlock": "kraty_actors.domain.bots",
    "WrongGame": "kraty_actors.actors.publishing",
    "open_game": "kraty_actors.game",
    "register_block": "kraty_actors.domain.bots",
    "register_strategy": "kraty_actors.simulation.strategies",
    "register_validator": "kraty_actors.domain.validators",
    "select_subprotocol": "kraty_actors.game",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(home), name)
    return found


def __dir__() -> list[str]:
    return [*__all__]
