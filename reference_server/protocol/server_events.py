"""The events that the server sends on a WebSocket, and the frames that carry them."""

import struct

import msgspec


class Subscribed(msgspec.Struct, tag="subscribed", tag_field="type", gc=False):
    channel: str
    seq: int


class Unsubscribed(msgspec.Struct, tag="unsubscribed", tag_field="type", gc=False):
    channel: str


class Message(msgspec.Struct, tag="message", tag_field="type", gc=False):
    channel: str
    seq: int
    text: str


class Gap(msgspec.Struct, tag="gap", tag_field="type", gc=False):
    channel: str
    seq: int


_ENCODER = msgspec.json.Encoder()
encode = _ENCODER.encode


def text_frame(payload: bytes) -> bytes:
    """A complete WebSocket frame from server to client (RFC 6455 §5.2): final, text, unmasked, uncompressed.

    Such a frame is the same for every receiver, so the server encodes a message once and writes it to all of them.
    """
    size = len(payload)
    if size < 126:
        return b"\x81" + bytes((size,)) + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


def frame_payload(frame: bytes) -> bytes:
    """The payload of a frame that ``text_frame`` made."""
    head = {126: 4, 127: 10}.get(frame[1], 2)
    return frame[head:]


def gap_frame(channel: str, seq: int) -> bytes:
    """The message ``seq`` is lost: it will never come."""
    return text_frame(encode(Gap(channel, seq)))


def is_gap(frame: bytes) -> bool:
    return b'{"type":"gap"' in frame[:17]  # behind the two or four bytes of a small frame's header


def message_frame(channel: str, seq: int, text: str) -> bytes:
    return text_frame(encode(Message(channel, seq, text)))
