"""The protocol of docs/protocol.md as values: what clients may say, what they are told, and how frames are encoded."""

import re
import struct
from typing import Literal

import msgspec

from reference_server.settings import Limits


class Refused(Exception):
    """A request that is answered with a failure: ``code`` for programs, ``detail`` for people."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail

    def body(self) -> bytes:
        return msgspec.json.encode({"ok": False, "error": self.code, "detail": self.detail})

    def event(self) -> bytes:
        return msgspec.json.encode({"type": "error", "error": self.code, "detail": self.detail})


class Post(msgspec.Struct, frozen=True, gc=False):
    """The body of ``chat.postMessage``."""

    channel: str
    text: str
    client_msg_id: str | None = None


class Command(msgspec.Struct, frozen=True, gc=False):
    """What a client says on its WebSocket."""

    op: Literal["subscribe", "unsubscribe"]
    channel: str
    since: int | None = None


class Posted(msgspec.Struct, gc=False):
    """The answer to a post that is committed."""

    ok: bool
    channel: str
    seq: int
    duplicate: bool


class Subscribed(msgspec.Struct, tag="subscribed", tag_field="type", gc=False):
    channel: str
    seq: int


class Unsubscribed(msgspec.Struct, tag="unsubscribed", tag_field="type", gc=False):
    channel: str


class Message(msgspec.Struct, tag="message", tag_field="type", gc=False):
    channel: str
    seq: int
    text: str


_ENCODER = msgspec.json.Encoder()
encode = _ENCODER.encode


class Requests:
    """Decodes and checks what clients send; raises Refused."""

    def __init__(self, limits: Limits) -> None:
        self._post = msgspec.json.Decoder(Post)
        self._command = msgspec.json.Decoder(Command)
        self._text_bytes = limits.text_bytes
        self._channel_chars = limits.channel_chars
        self._id_chars = limits.client_msg_id_chars
        self._channel_name = re.compile(rf"[A-Za-z0-9._:-]{{1,{limits.channel_chars}}}").fullmatch
        self._client_msg_id = re.compile(rf"[A-Za-z0-9._:-]{{1,{limits.client_msg_id_chars}}}").fullmatch

    def post(self, body: bytes) -> Post:
        try:
            post = self._post.decode(body)
        except ValueError as error:
            raise _undecodable(error, "body") from None
        self.check_channel(post.channel)
        text = post.text
        if not text:
            raise _invalid(f"text: expected 1 to {self._text_bytes} bytes, found none")
        if len(text) > self._text_bytes or (not text.isascii() and len(text.encode()) > self._text_bytes):
            raise _invalid(f"text: expected at most {self._text_bytes} bytes of UTF-8, found {len(text.encode())}")
        if "\0" in text:
            raise _invalid("text: must not contain U+0000, which PostgreSQL cannot store")
        if post.client_msg_id is not None and not self._client_msg_id(post.client_msg_id):
            raise _invalid(f"client_msg_id: expected 1 to {self._id_chars} characters out of A-Z a-z 0-9 . _ : -")
        return post

    def command(self, frame: str) -> Command:
        try:
            command = self._command.decode(frame)
        except ValueError as error:
            raise _undecodable(error, "frame") from None
        self.check_channel(command.channel)
        if command.since is not None and not 0 <= command.since < 2**63:
            raise _invalid("since: expected a seq, 0 or more")
        return command

    def check_channel(self, name: str) -> None:
        if not self._channel_name(name):
            raise _invalid(f"channel: expected 1 to {self._channel_chars} characters out of A-Z a-z 0-9 . _ : -")


def _invalid(detail: str) -> Refused:
    return Refused(400, "invalid_request", detail)


def _undecodable(error: ValueError, what: str) -> Refused:
    # The protocol tells "not a JSON object" from "a JSON object with wrong fields"; msgspec raises ValidationError for
    # both, and names no path where the outermost value is not an object.
    detail = str(error)
    if isinstance(error, msgspec.ValidationError) and not detail.startswith("Expected `object`, got"):
        return _invalid(detail)
    if isinstance(error, msgspec.ValidationError) and " - at `" in detail:
        return _invalid(detail)
    return Refused(400, "invalid_json", f"the {what} is not a JSON object in UTF-8: {detail}")


def text_frame(payload: bytes) -> bytes:
    """A complete WebSocket frame from server to client (RFC 6455 §5.2): final, text, unmasked, uncompressed.

    Such a frame is the same for every receiver, so that a message is encoded once and written to all of them.
    """
    size = len(payload)
    if size < 126:
        return b"\x81" + bytes((size,)) + payload
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size) + payload
    return struct.pack("!BBQ", 0x81, 127, size) + payload


def message_frame(channel: str, seq: int, text: str) -> bytes:
    return text_frame(encode(Message(channel, seq, text)))
