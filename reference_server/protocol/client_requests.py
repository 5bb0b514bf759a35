"""The requests of clients: posts, and commands on a WebSocket; and the refusal of a request."""

import re
from typing import Literal

import msgspec

from reference_server.protocol.protocol_limits import Limits


class Refused(Exception):
    """A request that gets a failure as its answer: ``code`` for programs, ``detail`` for people."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail

    def body(self) -> bytes:
        return msgspec.json.encode({"ok": False, "error": self.code, "detail": self.detail})

    def event(self) -> bytes:
        return msgspec.json.encode({"type": "error", "error": self.code, "detail": self.detail})


INTERNAL_ERROR = Refused(500, "internal_error", "the server failed unexpectedly; its log has the traceback")
"""Use it as an answer; do not raise it, because this one object would collect tracebacks."""


class Post(msgspec.Struct, frozen=True, gc=False):
    """The body of ``chat.postMessage``."""

    channel: str
    text: str
    client_msg_id: str | None = None


class Command(msgspec.Struct, frozen=True, gc=False):
    """A command of a client on its WebSocket."""

    op: Literal["subscribe", "unsubscribe"]
    channel: str
    since: int | None = None


class Requests:
    """Decodes and checks the requests of clients. Every method raises Refused."""

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
    # The protocol has one code for "not a JSON object" and another for "a JSON object with wrong fields". msgspec
    # raises ValidationError for both, and names no path where the outermost value is not an object.
    detail = str(error)
    if isinstance(error, msgspec.ValidationError) and not detail.startswith("Expected `object`, got"):
        return _invalid(detail)
    if isinstance(error, msgspec.ValidationError) and " - at `" in detail:
        return _invalid(detail)
    return Refused(400, "invalid_json", f"the {what} is not a JSON object in UTF-8: {detail}")
