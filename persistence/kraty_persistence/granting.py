"""What may be done with a grant, the same for every store."""

from __future__ import annotations

from collections.abc import Sequence

from kraty_persistence.errors import GrantExpired, IdempotencyConflict, UnitRefused
from kraty_persistence.money_rows import GrantRow, NewGrant

__all__ = ["check_claimable", "check_repeat", "reward_of"]


def check_claimable(grant: GrantRow, now: int) -> None:
    """Make sure that an unclaimed grant may be claimed (R-45).

    Raises:
        GrantExpired: It is too late.
    """
    if grant.withdrawn_at is not None:
        raise GrantExpired(f"grant {grant.id} was withdrawn")
    if grant.status(now) == "expired":
        raise GrantExpired(f"grant {grant.id} has expired")


def reward_of(grants: Sequence[NewGrant]) -> NewGrant:
    """The one that the others came with.

    Raises:
        UnitRefused: There is none.
    """
    if not grants:
        raise UnitRefused("no grant to create")
    return grants[0]


def check_repeat(grants: Sequence[NewGrant], reward: GrantRow, children: Sequence[GrantRow]) -> None:
    """Make sure that these are the grants that were created under the reward's id.

    Raises:
        IdempotencyConflict: They are not.
    """
    came_with_it = [child for child in children if child.source_kind == reward.source_kind]
    if _what_they_are(grants) != _what_they_are([reward, *came_with_it]):
        raise IdempotencyConflict("the key was used before, for other grants")


def _what_they_are(grants: Sequence[NewGrant | GrantRow]) -> dict[str, tuple[int, str, bytes]]:
    return {grant.id: (grant.player, grant.kind, grant.contents) for grant in grants}
