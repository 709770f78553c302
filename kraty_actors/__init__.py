"""Live game events as actors: tournaments, races and seasons with live boards, exact payouts and nothing lost."""

from __future__ import annotations

from kraty_actors.actors.clock import Clock, LoopClock, SystemClock
from kraty_actors.actors.publishing import WrongGame
from kraty_actors.definitions import BlockParams, DefinitionFaults, Fault
from kraty_actors.domain.bots import FollowingBlock, TimedBlock, WriteBlock, register_block
from kraty_actors.game import Game, open_game, select_subprotocol
from kraty_protocol.errors import Refused

__all__ = [
    "BlockParams",
    "Clock",
    "DefinitionFaults",
    "Fault",
    "FollowingBlock",
    "Game",
    "LoopClock",
    "Refused",
    "SystemClock",
    "TimedBlock",
    "WriteBlock",
    "WrongGame",
    "open_game",
    "register_block",
    "select_subprotocol",
]
