"""WebSocket frames (RFC 6455 §5.2) as bytes and back. Pure: no sockets."""

import os
from typing import NamedTuple

CONTINUATION, TEXT, BINARY, CLOSE, PING = 0x0, 0x1, 0x2, 0x8, 0x9


class WebSocketFrame(NamedTuple):
    """``raw`` is the whole frame as it was read; ``payload`` is unmasked."""

    opcode: int
    final: bool
    payload: bytes
    raw: bytes


class FrameReader:
    """Cuts a stream of bytes into frames, masked or not."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[WebSocketFrame]:
        """The frames that ``data`` completes."""
        self._buffer += data
        found = []
        while (frame := _first_frame(self._buffer)) is not None:
            found.append(frame)
            self._buffer = self._buffer[len(frame.raw) :]
        return found


def _first_frame(data: bytes) -> WebSocketFrame | None:
    if len(data) < 2:
        return None
    length, start = data[1] & 0x7F, 2
    if length >= 126:
        size = 2 if length == 126 else 8
        length, start = int.from_bytes(data[2 : 2 + size], "big"), 2 + size
    masked = bool(data[1] & 0x80)
    end = start + 4 * masked + length
    if len(data) < start or len(data) < end:
        return None
    payload = data[end - length : end]
    if masked:
        payload = _mask(payload, data[start : start + 4])
    return WebSocketFrame(data[0] & 0x0F, bool(data[0] & 0x80), payload, data[:end])


def server_frame(payload: bytes, *, opcode: int = TEXT, final: bool = True) -> bytes:
    """A frame as a server sends it: without a mask."""
    return bytes((opcode | final << 7,)) + _length(len(payload), masked=False) + payload


def client_frame(payload: bytes, *, opcode: int = TEXT) -> bytes:
    """A frame as a client sends it: with a mask."""
    key = os.urandom(4)
    return bytes((opcode | 0x80,)) + _length(len(payload), masked=True) + key + _mask(payload, key)


def _length(size: int, *, masked: bool) -> bytes:
    bit = 0x80 if masked else 0
    if size < 126:
        return bytes((bit | size,))
    if size < 1 << 16:
        return bytes((bit | 126,)) + size.to_bytes(2, "big")
    return bytes((bit | 127,)) + size.to_bytes(8, "big")


def _mask(payload: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
