"""HTTP and WebSocket byte by byte, for requests that no correct client sends."""

import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.reference_server.stack import TIMEOUT_S, TOKEN, Server

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
CONTINUATION = 0
AUTHORIZED = f"Authorization: Bearer {TOKEN}"
UPGRADE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    f"Sec-WebSocket-Key: {b64encode(bytes(16)).decode()}",
    "Sec-WebSocket-Version: 13",
)
MASK = b"mask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.content)

    @property
    def code(self) -> str:
        """The `error` of a failure. The failure must have the form that the contract demands."""
        assert self.body["ok"] is False
        assert self.body["detail"]
        return str(self.body["error"])


class RawClient:
    """One TCP connection."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), TIMEOUT_S)
        self._rest = b""

    def write(self, data: bytes) -> None:
        self._socket.sendall(data)

    def request(self, method: str, path: str, *headers: str, body: bytes | None = None) -> Answer:
        lines = [f"{method} {path} HTTP/1.1", "Host: test", *headers]
        if body is not None:
            lines.append(f"Content-Length: {len(body)}")
        self.write("\r\n".join((*lines, "", "")).encode() + (body or b""))
        return self.answer(without_body=method == "HEAD")

    def answer(self, *, without_body: bool = False) -> Answer:
        """The next answer."""
        while b"\r\n\r\n" not in self._rest:
            self._read()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        content = b"" if without_body else self.take(int(headers.get("content-length", "0")))
        return Answer(status=int(status.split()[1]), headers=headers, content=content)

    def open_websocket(self) -> None:
        assert self.request("GET", "/v1/ws", AUTHORIZED, *UPGRADE).status == 101

    def send(self, command: Any) -> None:
        self.send_frame(TEXT, json.dumps(command).encode())

    def send_frame(self, opcode: int, payload: bytes, *, final: bool = True, masked: bool = True, rsv: int = 0) -> None:
        size = len(payload)
        head = bytes([final << 7 | rsv | opcode])
        head += bytes([masked << 7 | min(size, 126)]) + (size.to_bytes(2) if size > 125 else b"")
        if masked:
            payload = bytes(byte ^ MASK[n % 4] for n, byte in enumerate(payload))
        self.write(head + (MASK if masked else b"") + payload)

    def frame(self) -> tuple[int, bytes]:
        """The opcode and the payload of the next frame, which must be final, unmasked and without extensions."""
        first, size = self.take(2)
        assert first & 0xF0 == 0x80
        assert size < 128
        if size > 125:
            size = int.from_bytes(self.take(2 if size == 126 else 8))
        return first & 0x0F, self.take(size)

    def event(self) -> Any:
        opcode, payload = self.frame()
        assert opcode == TEXT
        return json.loads(payload)

    def close_code(self) -> int | None:
        """The code of the next frame, which must be a close frame, or None if the frame has no code. The server must
        then end the connection."""
        opcode, payload = self.frame()
        assert opcode == CLOSE
        assert self.at_end()
        return int.from_bytes(payload[:2]) if payload else None

    def at_end(self) -> bool:
        return not self._rest and self._socket.recv(1) == b""

    def take(self, size: int) -> bytes:
        while len(self._rest) < size:
            self._read()
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _read(self) -> None:
        data = self._socket.recv(65_536)
        assert data, f"the server closed the connection after {self._rest!r}"
        self._rest += data

    def close(self) -> None:
        self._socket.close()


@contextmanager
def connected(server: Server, *, websocket: bool = False) -> Iterator[RawClient]:
    client = RawClient(server)
    try:
        if websocket:
            client.open_websocket()
        yield client
    finally:
        client.close()
