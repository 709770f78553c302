"""Live game events as actors: tournaments, races and seasons with live boards, exact payouts and nothing lost."""

from __future__ import annotations

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
