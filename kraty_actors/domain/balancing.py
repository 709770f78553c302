"""What a player is due at the end of a window against what stands granted: what is to be given, and what to be taken.

Grants are named by what they are for, so that giving the same thing twice gives it once. One that was taken back is
not given again under its name, which would be nothing, but under the next of a row of names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from kraty_actors.domain.ids import digest_id
from kraty_actors.domain.outcome import Pay


class Held(NamedTuple):
    """A grant that a player has of the window itself, not of an attempt. `worth` is how much of the pool's currency it
    was, `came_with` the reward that it came with; one that was taken back is no more than a name that is used up."""

    id: str
    worth: int
    is_withdrawn: bool
    came_with: str | None = None


@dataclass(slots=True, frozen=True)
class Balance:
    """`take` has ids of grants that stand and are not due, `give` what is due and does not stand: a reward, and the
    crates that come with it."""

    take: Sequence[str] = ()
    give: Sequence[Pay] = ()

    def __bool__(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.take or self.give)


EVEN = Balance()


def balance(due: Sequence[Pay], held: Sequence[Held], *, shares_a_pool: bool) -> Balance:
    """For one player. Of a share that rises the difference is given; the reward of another tier takes the place of the
    old one."""
    standing = [grant for grant in held if not grant.is_withdrawn]
    used = {grant.id for grant in held}
    return _share(due, standing, used) if shares_a_pool else _reward(due, standing, used)


def _share(due: Sequence[Pay], standing: Sequence[Held], used: Collection[str]) -> Balance:
    stands = sum(grant.worth for grant in standing)
    share = due[0] if due else None
    if share is None:
        return Balance([grant.id for grant in standing])
    amount = share.entries[0]["amount"]
    if stands == amount:
        return EVEN
    if not 0 < stands < amount:
        anew = replace(share, grant_id=_unused(share.grant_id, used))
        return Balance([grant.id for grant in standing], [anew])
    name = _unused(digest_id("g", share.grant_id, "raised", amount), used)
    more = {**share.entries[0], "amount": amount - stands}
    return Balance((), [replace(share, grant_id=name, entries=[more])])


def _reward(due: Sequence[Pay], standing: Sequence[Held], used: Collection[str]) -> Balance:
    if not due:
        return Balance([grant.id for grant in standing])
    reward, *crates = due
    stands = {grant.id for grant in standing if grant.came_with is None}
    kept = next((name for name in _names(reward.grant_id, used) if name in stands), None)
    if kept is None:
        name = _unused(reward.grant_id, used)
        return Balance([grant.id for grant in standing], [replace(reward, grant_id=name), *_of(crates, name)])
    take = [grant.id for grant in standing if kept not in (grant.id, grant.came_with)]
    return Balance(take, [crate for crate in _of(crates, kept) if crate.grant_id not in used])


def _of(crates: Sequence[Pay], reward: str) -> list[Pay]:
    """The crates of a reward that goes by this name."""
    return [
        replace(crate, grant_id=digest_id("g", reward, "crate", n), parent=reward) for n, crate in enumerate(crates)
    ]


def _names(name: str, used: Collection[str]) -> Iterator[str]:
    """Those names of one thing that are used up, in order."""
    n, at = 0, name
    while at in used:
        yield at
        n += 1
        at = digest_id("g", name, "again", n)


def _unused(name: str, used: Collection[str]) -> str:
    count = sum(1 for _ in _names(name, used))
    return digest_id("g", name, "again", count) if count else name
