"""One client's conversation with a server, without I/O: what to say next, and what an answer means.

Deliveries do not pass through here: they are far too many, and `connection` stamps them on its own. This is the rest of
the protocol (docs/protocol.md): subscribe, confirmation, resume after a lost connection.
"""

from enum import Enum, auto

import msgspec


class State(Enum):
    CONNECTING = auto()
    SUBSCRIBING = auto()
    LIVE = auto()
    CLOSED = auto()


class Event(msgspec.Struct, gc=False):
    """Any frame of the server but a delivery; fields that a type does not have stay empty."""

    type: str
    channel: str = ""
    seq: int = 0
    error: str = ""
    detail: str = ""


_decode = msgspec.json.Decoder(Event).decode


class Dialogue:
    """A client that wants one channel, for as long as the run lasts, over as many connections as it takes.

    ``last_seq`` is the newest seq it has, 0 before the first subscription: from the second connection on it resumes after
    this one.
    """

    __slots__ = ("channel", "last_seq", "position", "resumes", "state", "trouble")

    def __init__(self, channel: str) -> None:
        self.channel = channel
        self.state = State.CONNECTING
        self.position = 0
        self.last_seq = 0
        self.resumes = False
        self.trouble = ""

    def connected(self) -> bytes:
        """The connection stands: the command to send."""
        self.state = State.SUBSCRIBING
        command: dict[str, object] = {"op": "subscribe", "channel": self.channel}
        if self.resumes:
            command["since"] = self.last_seq
        return msgspec.json.encode(command)

    def received(self, payload: bytes) -> bool:
        """A frame that is no delivery arrived. True when it confirms the subscription.

        What does not belong here is kept as ``trouble``: the caller decides when to give up.
        """
        try:
            event = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self.trouble = f"expected a JSON event, found {payload[:100]!r}"
            return False
        if event.type == "subscribed" and event.channel == self.channel and self.state is State.SUBSCRIBING:
            self.state = State.LIVE
            self.position = event.seq
            self.last_seq = max(self.last_seq, event.seq)
            self.resumes = True
            return True
        if event.type == "error":
            self.trouble = f"the server refused {self.channel}: {event.error}: {event.detail}"
        else:
            self.trouble = f"unexpected {event.type!r} for channel {event.channel!r}"
        return False

    def lost(self, last_seq: int) -> None:
        """The connection is gone; ``last_seq`` is the newest delivery it brought (0: none)."""
        self.last_seq = max(self.last_seq, last_seq)
        if self.state is not State.CLOSED:
            self.state = State.CONNECTING

    def close(self) -> None:
        """The run is over: whatever the connection does now is in order."""
        self.state = State.CLOSED
