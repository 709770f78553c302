"""The frames that nearly all messages come in, cut without a state machine.

A small frame that is whole (FIN, one opcode, masked, at most 125 bytes: RFC 6455, section 5.2) needs none of what the
protocol of `websockets` keeps in mind, and cutting it here takes a quarter of the time. Everything else, whatever it
is, is left to that protocol.
"""

from __future__ import annotations

try:
    from websockets.speedups import apply_mask
except ImportError:  # a build without the compiled part
    from websockets.utils import apply_mask

HEADER_BYTES = 6
MASKED = 0x80
LONGEST = MASKED + 125


def small_frames(data: bytes, first_byte: int) -> tuple[list[bytes], int]:
    """The payloads of the small whole frames with which `data` begins, and how many bytes they took."""
    payloads = []
    at, length = 0, len(data)
    while length - at >= HEADER_BYTES and data[at] == first_byte and MASKED <= data[at + 1] <= LONGEST:
        body = at + HEADER_BYTES
        end = body + data[at + 1] - MASKED
        if end > length:
            break
        payloads.append(apply_mask(data[body:end], data[at + 2 : body]))
        at = end
    return payloads, at
