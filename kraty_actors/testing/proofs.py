"""What holds of every game, whatever its rules: asked of the disk when a simulation is over."""

from __future__ import annotations

from kraty_actors.actors.derivation import Derivation
from kraty_actors.actors.journal_key import known_sealer
from kraty_actors.actors.proof import Prover
from kraty_actors.domain.ids import is_window
from kraty_actors.testing.auditor import BrokenRule
from kraty_persistence import MemoryStore


async def prove(disk: MemoryStore, journal_key: str) -> int:
    """Derive every window again from its journals, bots and grants included, and compare (R-57); how many there are.

    Raises:
        BrokenRule: A journal does not give what is stored, or a balance is not the sum of its ledger (R-40).
    """
    faults = await disk.ledger_faults()
    if faults:
        raise BrokenRule(f"R-40: a balance is not the sum of its ledger: {faults}")
    sealer = await known_sealer(disk, journal_key)
    windows = [name for name in disk.actors() if is_window(name)]
    for window in windows:
        prover = Prover(disk, sealer, window)
        await prover.prove(Derivation(disk, sealer=sealer, watcher=prover), lambda _: None)
        if prover.proof.difference_count:
            raise BrokenRule(f"R-57: {window} replays otherwise: {prover.proof.differences[:3]}")
    return len(windows)
