"""A WebSocket client from another library than the server's."""

import json
from typing import Any, Self

from websockets.sync.client import connect

from tests.reference_server.stack import TIMEOUT_S, TOKEN, Server


class Client:
    """A WebSocket client from another library than the server's. Events are dictionaries, and each wait has a time
    limit."""

    def __init__(self, server: Server, token: str = TOKEN) -> None:
        self._connecting = connect(
            f"ws://{server.address}/v1/ws",
            additional_headers={"Authorization": f"Bearer {token}"},
            compression=None,
            open_timeout=TIMEOUT_S,
            close_timeout=2,
            max_queue=None,  # frames that the test has not read yet must not hide a close
        )
        self.socket = self._connecting.__enter__()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connecting.__exit__(None, None, None)

    def send(self, **command: Any) -> None:
        self.socket.send(json.dumps(command))

    def receive(self, timeout_s: float = 5.0) -> dict[str, Any]:
        event = json.loads(self.socket.recv(timeout_s))
        assert isinstance(event, dict)
        return event

    def subscribe(self, channel: str, since: int | None = None) -> int:
        """Subscribes and returns the seq that the server confirms."""
        self.send(op="subscribe", channel=channel, **({} if since is None else {"since": since}))
        event = self.receive()
        assert (event["type"], event["channel"]) == ("subscribed", channel)
        return int(event["seq"])

    def texts(self, count: int, timeout_s: float = 5.0) -> list[str]:
        """The texts of the next messages. Their seqs must follow one another."""
        events = [self.receive(timeout_s) for _ in range(count)]
        seqs = [event["seq"] for event in events]
        assert seqs == list(range(seqs[0], seqs[0] + count))
        return [event["text"] for event in events]
