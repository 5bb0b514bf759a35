import socket

from tests.reference_server.stack import TOKEN, Server


class StalledClient:
    """A client that subscribes and then reads nothing. Its receive buffer in the kernel is small."""

    def __init__(self, server: Server, channel: str) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.sendall(
            b"GET /v1/ws HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
        )
        self._until(b"\r\n\r\n")
        command = b'{"op": "subscribe", "channel": "%s"}' % channel.encode()
        self.socket.sendall(bytes((0x81, 0x80 | len(command))) + bytes(4) + command)
        self._until(b'"subscribed"')

    def _until(self, expected: bytes) -> None:
        heard = b""
        while expected not in heard:
            heard += self.socket.recv(4_096)

    def rest(self) -> bytes:
        """Everything that still arrives until the connection ends."""
        heard = b""
        try:
            while data := self.socket.recv(1 << 20):
                heard += data
        except ConnectionResetError:
            pass
        self.socket.close()
        return heard
