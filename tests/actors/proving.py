"""Deriving a window again and comparing it with its store, in one line."""

from __future__ import annotations

from kraty_actors.actors.derivation import Derivation, Derived
from kraty_actors.actors.journal_key import known_sealer
from kraty_actors.actors.proof import Proof, Prover
from kraty_persistence import Store


async def proved(store: Store, window: str, key: str | None = None) -> tuple[Derived | None, Proof]:
    sealer = await known_sealer(store, key)
    prover = Prover(store, sealer, window)
    derived = await prover.prove(Derivation(store, sealer=sealer, watcher=prover), lambda _: None)
    return derived, prover.proof
