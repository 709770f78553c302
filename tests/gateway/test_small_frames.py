"""Small frames are cut as the protocol of `websockets` cuts them, and all else is left alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from kraty_actors.gateway.frames import FIN_BINARY
from kraty_actors.gateway.small_frames import small_frames

frames = st.lists(
    st.builds(
        Frame,
        st.sampled_from([Opcode.BINARY, Opcode.BINARY, Opcode.BINARY, Opcode.TEXT, Opcode.PING]),
        st.binary(max_size=130).map(lambda data: data if len(data) != 126 else data[:125]),
    ),
    max_size=8,
)


@given(frames, st.integers(0, 12))
def test_what_is_cut_is_what_the_protocol_would_cut(sent: list[Frame], missing: int) -> None:
    sent = [frame for frame in sent if frame.opcode is not Opcode.PING or len(frame.data) <= 125]
    data = b"".join(frame.serialize(mask=True) for frame in sent)
    data = data[: max(0, len(data) - missing)]
    payloads, taken = small_frames(data, FIN_BINARY)
    protocol = ServerProtocol(state=OPEN)
    protocol.receive_data(data[:taken])
    assert [bytes(event.data) for event in protocol.events_received()] == payloads
    assert not protocol.data_to_send()
    assert not protocol.reader.buffer


@given(st.binary(max_size=400))
def test_any_bytes_are_cut_or_left(data: bytes) -> None:
    payloads, taken = small_frames(data, FIN_BINARY)
    assert taken == sum(len(payload) + 6 for payload in payloads) <= len(data)
