"""Proves that what is stored of a window is what its journals give (R-57): derives it again and compares byte for byte.

First the journals themselves: their digests and seals, and that what actors have heard is what others have said. Then
every checkpoint against the state that was derived, writes against validators who are asked again, and last what else
is stored: grants, anomalies, charges and moves between leagues. Of a journal that is not whole nothing is compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import zip_longest

from kraty_actors.actors.chain import AlteredJournal, Chain, Sealer, read_seal
from kraty_actors.actors.derivation import Derivation, Derived, Watcher
from kraty_actors.actors.hearsay import Hearsay
from kraty_actors.actors.playback import Input, Playback
from kraty_actors.actors.proof_of_books import compare_books
from kraty_actors.actors.records import pack, unpack
from kraty_actors.actors.states import make_state
from kraty_actors.domain.catalogue import Library
from kraty_actors.domain.contest import Contest
from kraty_actors.domain.contest_messages import ANYONE, GetAttempt, Write
from kraty_actors.domain.ids import CALENDAR, attempt_id
from kraty_actors.domain.outcome import Command, Outcome, Plain
from kraty_actors.domain.writing import judged_again
from kraty_persistence import Store, StoredActor

DIFFERENCES_MAX = 1_000
"""Differences that are told one by one; more are only counted."""


@dataclass(slots=True)
class Link:
    """The chain of one journal, to be kept elsewhere by whoever trusts nobody with the database.

    `head` is the digest of its last record; `sealed` says how many records the last seal covers, `plain` how many were
    written before there were digests.
    """

    actor: str
    records: int
    head: bytes
    sealed: int
    plain: int


@dataclass(slots=True, frozen=True)
class Difference:
    """Something that is not what was derived, of a player where it is theirs."""

    what: str
    player: int | None = None


@dataclass(slots=True)
class Proof:
    """What was compared, by subject how much of it agrees, and what does not: nothing, if `difference_count` is 0."""

    links: list[Link] = field(default_factory=list)
    agreed: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)
    difference_count: int = 0
    remarks: list[str] = field(default_factory=list)

    def differ(self, what: str, player: int | None = None) -> None:
        self.difference_count += 1
        if len(self.differences) < DIFFERENCES_MAX:
            self.differences.append(Difference(what, player))


class Prover(Watcher):
    """Watches a derivation and compares."""

    def __init__(self, store: Store, sealer: Sealer | None, window_id: str) -> None:
        self._store = store
        self._sealer = sealer
        self._window_id = window_id
        self._library = Library()
        self._hearsay = Hearsay()
        self._stored = StoredActor()
        self._sealed_head: Chain | None = None
        self.proof = Proof()
        if sealer is None:
            self.proof.remarks.append("the database has no key: its journals have no digests")

    # -- the journals, and the states in checkpoints

    async def begin(self, playback: Playback) -> None:
        self._stored = await self._store.checkpoint(playback.actor_id)
        self._sealed_head = None
        if isinstance(playback.state, Contest):
            playback.before = partial(self._judge_again, playback.state)

    def _judge_again(self, contest: Contest, command: Command, now: int) -> None:
        """What validators found is an input; asked again they should say the same."""
        if not isinstance(command, Write) or not contest.arena.guard:
            return
        again = judged_again(contest.arena, command, now)
        if again == (command.findings or []):
            self.proof.agreed["verdicts"] += 1
        else:
            name = attempt_id(contest.id, command.serial)
            self.proof.differ(
                f"{name}: validators found {command.findings or 'nothing'}, and find {again or 'nothing'}"
            )

    def seen(self, playback: Playback, each: Input, outcome: Outcome) -> None:
        here, window = playback.actor_id, self._window_id
        if each.source and window in (each.source, here):
            self._hearsay.heard(each.source, here, each.number, each.command)
        for number, message in playback.numbered(outcome):
            if window in (message.to, here):
                self._hearsay.said(here, message.to, number, message.command)

    def recorded(self, playback: Playback) -> None:
        if playback.number == self._stored.number and self._stored.checkpoint:
            self._compare_checkpoint(playback)

    def _compare_checkpoint(self, playback: Playback) -> None:
        parts = self._stored.checkpoint
        seal = read_seal(parts)
        if seal is not None:
            parts = parts[:-1]
            self._sealed_head = Chain(playback.chain.first, playback.chain.head)
            if self._sealer is not None:
                self._sealer.check_seal(seal, playback.actor_id, parts)
                if (seal.number, seal.first, seal.head) != (playback.number, playback.chain.first, playback.chain.head):
                    what = f"record {playback.number} is not the one that was sealed"
                    raise AlteredJournal(playback.actor_id, playback.number, what)
        _, _, said, _, heard, has_finished, *_ = unpack(parts[0])
        if (said, heard, has_finished) != (playback.said, playback.heard, playback.has_finished):
            self.proof.differ(f"{playback.actor_id}: the checkpoint says otherwise what was said and heard")
        if isinstance(playback.state, Contest):
            _come_to(playback.state, unpack(parts[1]))
        at = _first_difference(parts[1:], map(pack, playback.state.dump()))
        if at and _first_difference(
            self._as_dumped_today(playback.actor_id, parts[1:]), map(pack, playback.state.dump())
        ):
            self.proof.differ(f"{playback.actor_id}: part {at} of its state is not what the journal gives")
        else:
            self.proof.agreed["states"] += 1

    def _as_dumped_today(self, actor_id: str, parts: Sequence[bytes]) -> Iterator[bytes]:
        """Another version of the program may have cut or ordered the same state otherwise."""
        state = make_state(actor_id, self._library)
        try:
            state.restore([unpack(part) for part in parts])
        except (ValueError, TypeError, LookupError):
            return iter(())
        return map(pack, state.dump())

    def ended(self, playback: Playback) -> None:
        covered, number = self._stored.number, playback.number
        if covered > number:
            what = f"records {number + 1} to {covered} are missing: the checkpoint covers them"
            raise AlteredJournal(playback.actor_id, number + 1, what)
        chain = playback.chain
        plain = chain.first - 1 if chain.first else number
        self.proof.links.append(
            Link(playback.actor_id, number, chain.head, covered if self._sealed_head is not None else 0, plain)
        )
        self.proof.agreed["records"] += number

    def _settle(self, actor: str, is_over: bool) -> None:
        for what in self._hearsay.settle(actor, self._window_id, is_over=is_over):
            self.proof.differ(what)
        self.proof.agreed["messages"] = self._hearsay.agreed

    # -- all of it

    async def prove(self, derivation: Derivation, show: Callable[[Contest], None]) -> Derived | None:
        """Derive and compare; None if the window has not opened. Each board is shown as it stands at the end.

        Raises:
            UnknownFormat: Something was written by a newer program.
        """
        derived: Derived | None = None
        self._library = derivation.library
        try:
            catalogue = await derivation.calendar()
            derived = await derivation.window(self._window_id)
            if derived is None:
                return None
            self._settle(CALENDAR, derived.is_over)
            async for board in derivation.boards(derived):
                show(board)
                self._settle(board.id, derived.is_over)
        except AlteredJournal as error:
            self.proof.differences.insert(0, Difference(str(error)))
            self.proof.difference_count += 1
            self.proof.remarks.append("nothing else was compared: a journal is not whole")
            return derived
        for link in self.proof.links:
            if derived.is_over and link.sealed < link.records and link.actor.startswith(self._window_id):
                self.proof.remarks.append(f"{link.actor}: {link.records - link.sealed} records are not sealed yet")
        await compare_books(self._store, derivation.library, derived, catalogue, self.proof)
        return derived


def _first_difference(parts: Iterable[bytes], others: Iterable[bytes]) -> int:
    """The number of the first part that is not the same, from 1 on; 0 if all are."""
    pairs = enumerate(zip_longest(parts, others), 1)
    return next((number for number, (one, other) in pairs if one != other), 0)


def _come_to(contest: Contest, head: Plain) -> None:
    """Bots are as far as when somebody last looked, which leaves no trace in the journal: look as they did."""
    arena = contest.arena
    if contest.conclusion is None and arena.has_bots and head["ticks"] > arena.ticks:
        contest.apply(GetAttempt(ANYONE, -1), arena.grid.instant_of(head["ticks"]))
