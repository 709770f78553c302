"""A network in memory, by the event loop's clock: bytes take their time, and connections break.

Within one connection bytes keep their order and none is lost, as TCP has it; what a connection carries may be late,
may end at any byte, or may go nowhere without a word. Between connections there is no order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Literal

import anyio
from anyio.abc import ByteStream

from kraty_actors.testing.faults import Faults

USUAL_SECONDS = 0.02
"""Bytes take up to this long, unless they are slow."""

CUT_BYTES_MAX = 6_000
"""A connection that is to be cut breaks within so many bytes."""

Fate = Literal["reset", "silent"]
Accept = Callable[["SimStream"], None]


class Network:
    """Connects to whoever `accept`s; None refuses, as a machine does on which nobody listens."""

    def __init__(self, rng: Random, faults: Faults, tell: Callable[[str], None]) -> None:
        self.accept: Accept | None = None
        self.is_calm = False
        """Nothing breaks any more, and nothing is slow."""
        self._rng = rng
        self._faults = faults
        self._tell = tell
        self._open: dict[_Cable, None] = {}

    async def dial(self, *, safely: bool = False) -> ByteStream:
        """A new connection, which breaks by itself unless it is asked for `safely`.

        Raises:
            ConnectionRefusedError: Nobody listens.
        """
        await anyio.sleep(self.latency())
        if self.accept is None:
            raise ConnectionRefusedError("nobody listens")
        cable = _Cable(self, *self._destiny(safely))
        self._open[cable] = None
        self.accept(SimStream(cable, 1))
        return SimStream(cable, 0)

    def latency(self) -> float:
        if not self.is_calm and self._rng.random() < self._faults.slow:
            return self._rng.uniform(0, self._faults.slow_seconds)
        return self._rng.uniform(0, USUAL_SECONDS)

    def _destiny(self, safely: bool) -> tuple[Fate | None, int, int]:
        """How a connection ends, the direction in which it does, and after how many bytes."""
        chance = 1.0 if safely or self.is_calm else self._rng.random()
        fate: Fate | None = None
        if chance < self._faults.cut:
            fate = "reset"
        elif chance < self._faults.cut + self._faults.half_open:
            fate = "silent"
        return fate, self._rng.randrange(2), int(CUT_BYTES_MAX ** self._rng.random())

    def split(self, size: int) -> int:
        """Where a chunk is torn in two on its way."""
        return self._rng.randrange(1, size) if size > 1 and self._rng.random() < 0.1 else size

    def loses_what_is_under_way(self) -> bool:
        return self._rng.random() < 0.5

    def cut_all(self) -> None:
        """Every connection breaks at once: the machine at one end has died."""
        for cable in list(self._open):
            cable.cut()

    def cut(self, cable: _Cable, what: str) -> None:
        self._tell(f"network: {what}")
        self.forget(cable)

    def forget(self, cable: _Cable) -> None:
        self._open.pop(cable, None)


class _Wire:
    """One direction: what is under way, with the time at which it arrives. None ends it, an error breaks it."""

    def __init__(self) -> None:
        self.under_way: deque[tuple[float, bytes | Exception | None]] = deque()
        self.last_at = 0.0
        self.is_silent = False
        self.came = anyio.Event()

    def put(self, what: bytes | Exception | None, seconds: float) -> None:
        if self.is_silent:
            return
        self.last_at = max(self.last_at, anyio.current_time() + seconds)
        self.under_way.append((self.last_at, what))
        self.came.set()


class _Cable:
    """Both directions of one connection. Wire 0 carries what the client sends."""

    def __init__(self, network: Network, fate: Fate | None, direction: int, after_bytes: int) -> None:
        self.network = network
        self.wires = (_Wire(), _Wire())
        self._fate = fate
        self._direction = direction
        self._left = after_bytes
        self.is_cut = False

    def carry(self, direction: int, data: bytes) -> None:
        if self._fate is not None and direction == self._direction:
            self._left -= len(data)
            if self._left <= 0:
                self._put(direction, data[: self._left + len(data)])
                self._break(self._fate)
                return
        self._put(direction, data)

    def _put(self, direction: int, data: bytes) -> None:
        while data:
            size = self.network.split(len(data))
            self.wires[direction].put(data[:size], self.network.latency())
            data = data[size:]

    def _break(self, fate: Fate) -> None:
        self._fate = None
        if fate == "reset":
            self.cut()
            return
        self.network.cut(self, "a connection goes silent")
        self.wires[self._direction].is_silent = True
        if self.network.loses_what_is_under_way():
            self.wires[1 - self._direction].is_silent = True

    def cut(self) -> None:
        if self.is_cut:
            return
        self.is_cut = True
        self.network.cut(self, "a connection is cut")
        for wire in self.wires:
            if self.network.loses_what_is_under_way():
                wire.under_way.clear()
            wire.put(ConnectionResetError("cut"), self.network.latency())


class SimStream(ByteStream):
    """One end of a connection."""

    def __init__(self, cable: _Cable, end: int) -> None:
        self._cable = cable
        self._end = end
        self._out, self._in = cable.wires[end], cable.wires[1 - end]
        self._is_closed = False

    async def send(self, item: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        if self._is_closed:
            raise anyio.ClosedResourceError
        if self._cable.is_cut:
            raise anyio.BrokenResourceError
        self._cable.carry(self._end, item)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        await anyio.lowlevel.checkpoint()
        while True:
            if self._is_closed:
                raise anyio.ClosedResourceError
            if not self._in.under_way:
                self._in.came = anyio.Event()
                await self._in.came.wait()
                continue
            at, what = self._in.under_way[0]
            if at > anyio.current_time():
                await anyio.sleep_until(at)
                continue
            if isinstance(what, Exception):
                raise anyio.BrokenResourceError from what
            if what is None:
                raise anyio.EndOfStream
            self._in.under_way.popleft()
            if len(what) > max_bytes:
                self._in.under_way.appendleft((at, what[max_bytes:]))
            return what[:max_bytes]

    async def send_eof(self) -> None:
        self._out.put(None, self._cable.network.latency())

    async def aclose(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._out.put(None, self._cable.network.latency())
            self._cable.network.forget(self._cable)
            self._in.came.set()
        await anyio.lowlevel.checkpoint()
