"""The reply to a request leaves before any push that the request causes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kraty_actors.gateway.frames import SharedPush
from kraty_actors.gateway.outbox import Outbox


@dataclass(slots=True, eq=False)
class Asked:
    """A request that may cause pushes and whose reply takes a while."""

    is_answered: bool = False


class PushOutbox:
    """Puts pushes into a connection's outbox, each behind the replies to what was asked before it came."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._waiting: deque[Asked | Callable[[], None]] = deque()

    def asked(self) -> Asked:
        """A request was taken up: pushes that come from now on wait until it is `answered`."""
        asked = Asked()
        self._waiting.append(asked)
        return asked

    def answered(self, asked: Asked) -> None:
        """The reply is in the outbox."""
        asked.is_answered = True
        waiting = self._waiting
        while waiting:
            first = waiting[0]
            if isinstance(first, Asked):
                if not first.is_answered:
                    return
            else:
                first()
            waiting.popleft()

    def put(self, payload: bytes) -> None:
        if self._waiting:
            self._waiting.append(partial(self._outbox.put, payload))
        else:
            self._outbox.put(payload)

    def send_shared(self, push: SharedPush) -> None:
        if self._waiting:
            self._waiting.append(partial(self._outbox.send_shared, push))
        else:
            self._outbox.send_shared(push)

    def flush(self) -> None:
        self._outbox.flush()

    @property
    def unsent_bytes(self) -> int:
        return self._outbox.unsent_bytes

    @property
    def is_behind(self) -> bool:
        return self._outbox.is_behind

    async def caught_up(self) -> None:
        await self._outbox.caught_up()

    def when_caught_up(self, tell: Callable[[], None]) -> None:
        self._outbox.when_caught_up(tell)
