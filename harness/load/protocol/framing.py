"""WebSocket frames (RFC 6455 §5), as a client sends and receives them. No I/O.

A client that finds a broken frame must close the connection (§7.1.7): `FramingError` carries the close code.
"""

import os
from collections.abc import Iterator

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
OPCODES = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
FIN = 0x80
_RESERVED = 0x70
_MASKED = 0x80

NORMAL, PROTOCOL_ERROR, NOT_UTF8, TOO_BIG = 1000, 1002, 1007, 1009
"""Close codes that the client sends (§7.4.1)."""
NO_CODE, LOST = 1005, 1006
"""Close codes of a connection whose close frame had no code, and of one that ended without a close frame."""
MESSAGE_LIMIT_BYTES = 262_144
"""The longest text of docs/protocol.md, with every character escaped, fits twice."""
_CONTROL_LIMIT_BYTES = 125
_FORBIDDEN_CODES = frozenset((1004, NO_CODE, LOST, 1015))


class FramingError(Exception):
    """The server broke RFC 6455. ``code`` is what the client closes the connection with."""

    def __init__(self, reason: str, code: int = PROTOCOL_ERROR) -> None:
        super().__init__(reason)
        self.code = code


class Splitter:
    """Cuts what arrives from a socket into whole frames, with their headers. Keeps at most one unfinished frame."""

    __slots__ = ("_needed", "_rest")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._needed = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is kept: the next bytes begin a frame."""
        return not self._rest

    def split(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole now. Raises FramingError behind the last frame before a broken one."""
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
        at, size = 0, len(data)
        while at < size:
            end = at + _frame_bytes(data, at)
            if end > size:
                self._rest += data[at:]
                self._needed = end - at
                return
            yield data[at:end]
            at = end


def _frame_bytes(data: bytes, at: int) -> int:
    """The length of the frame at ``at``, or, where its header is not whole, of the part that is needed to go on."""
    left = len(data) - at
    if left < 2:
        return 2
    first, length = data[at], data[at + 1]
    opcode = first & 0x0F
    if first & _RESERVED:
        raise FramingError("reserved bits are set, and no extension was agreed on")
    if opcode not in OPCODES:
        raise FramingError(f"unknown opcode {opcode:#x}")
    if length & _MASKED:
        raise FramingError("a server's frame is masked")
    if opcode >= CLOSE and (not first & FIN or length > _CONTROL_LIMIT_BYTES):
        raise FramingError("a control frame is fragmented or longer than 125 bytes")
    if length < 126:
        return 2 + length
    size, least = (2, 126) if length == 126 else (8, 65_536)
    if left < 2 + size:
        return 2 + size
    length = int.from_bytes(data[at + 2 : at + 2 + size], "big")
    if length < least:
        raise FramingError("a length is not written in its shortest form")
    if length > MESSAGE_LIMIT_BYTES:
        raise FramingError(f"a frame is longer than {MESSAGE_LIMIT_BYTES:,} bytes", TOO_BIG)
    return 2 + size + length


def payload_of(frame: bytes) -> bytes:
    """The payload of a whole frame of a server."""
    length = frame[1]
    return frame[2 if length < 126 else 4 if length == 126 else 10 :]


def server_frame(opcode: int, payload: bytes) -> bytes:
    """One whole frame, as a server sends it."""
    return _header(opcode, len(payload), 0) + payload


def client_frame(opcode: int, payload: bytes) -> bytes:
    """One whole frame, masked as a client must (§5.3)."""
    mask = os.urandom(4)
    size = len(payload)
    stretched = (mask * (size // 4 + 1))[:size]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(stretched, "big")).to_bytes(size, "big")
    return _header(opcode, size, _MASKED) + mask + masked


def _header(opcode: int, size: int, masked: int) -> bytes:
    if size < 126:
        return bytes((FIN | opcode, masked | size))
    if size < 65_536:
        return bytes((FIN | opcode, masked | 126)) + size.to_bytes(2, "big")
    return bytes((FIN | opcode, masked | 127)) + size.to_bytes(8, "big")


def close_code(payload: bytes) -> int:
    """The code of a close frame; NO_CODE if it has none. Raises FramingError for a payload that breaks §5.5.1."""
    if not payload:
        return NO_CODE
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or not 1000 <= code < 5000 or code in _FORBIDDEN_CODES:
        raise FramingError(f"a close frame has the code {code}")
    try:
        payload[2:].decode()
    except UnicodeDecodeError as error:
        raise FramingError("the reason of a close frame is not UTF-8", NOT_UTF8) from error
    return code


def close_payload(code: int) -> bytes:
    """What answers a close frame with ``code`` (§5.5.1: the same code)."""
    return b"" if code == NO_CODE else code.to_bytes(2, "big")
