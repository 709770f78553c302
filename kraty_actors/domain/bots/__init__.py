"""Bots: what they do (blocks), in which order (behaviours), and how those of one board move (R-35 to R-39)."""

from kraty_actors.domain.bots.behaviours import Behaviour
from kraty_actors.domain.bots.blocks import FollowingBlock, TimedBlock, View, WriteBlock
from kraty_actors.domain.bots.bots import Bots
from kraty_actors.domain.bots.grid import Grid
from kraty_actors.domain.bots.identities import BotIdentity, Persona
from kraty_actors.domain.bots.registry import register_block
from kraty_actors.domain.bots.seating import BotSeat
from kraty_actors.domain.bots.sight import Board

__all__ = [
    "Behaviour",
    "Board",
    "BotIdentity",
    "BotSeat",
    "Bots",
    "FollowingBlock",
    "Grid",
    "Persona",
    "TimedBlock",
    "View",
    "WriteBlock",
    "register_block",
]
