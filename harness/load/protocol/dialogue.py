"""One client's conversation with a server, without I/O: what to send next, and what an answer means.

Deliveries do not pass through here: `harness.load.client` stamps them on its own. A dialogue handles the rest: opening,
subscription, confirmation, and the resume after a lost connection.
"""

from enum import Enum, auto

from harness.protocol.contract import ClientProtocol, Confirmation, Delivery, Other, Refusal, Welcome


class State(Enum):
    CONNECTING = auto()
    SUBSCRIBING = auto()
    LIVE = auto()
    CLOSED = auto()


class Dialogue:
    """A client that wants one channel for as long as the run lasts, over as many connections as it takes.

    ``last_seq`` is the newest seq that the client has, 0 before the first subscription: from the second connection on it
    resumes after this one. ``position`` is the seq of the newest confirmation. ``trouble`` is what the present connection
    brought that does not belong here, empty for nothing: the caller decides when to give up.
    """

    __slots__ = ("_protocol", "_reply", "_resumes", "channel", "last_seq", "position", "state", "trouble")

    def __init__(self, channel: str, protocol: ClientProtocol) -> None:
        self.channel = channel
        self.state = State.CONNECTING
        self.position = 0
        self.last_seq = 0
        self.trouble = ""
        self._protocol = protocol
        self._resumes = False
        self._reply = b""

    def connected(self) -> bytes:
        """The connection stands: the first frame to send."""
        self.state = State.SUBSCRIBING
        self.trouble = ""
        opening = self._protocol.opening()
        return self._subscribe() if opening is None else opening

    def received(self, payload: bytes) -> bool:
        """A text frame that is no delivery arrived. True when it confirms the subscription."""
        frame = self._protocol.classify(payload)
        if isinstance(frame, Confirmation):
            return self._confirmed(frame)
        if isinstance(frame, Welcome):
            self._reply = self._subscribe()
        elif isinstance(frame, Refusal):
            self.trouble = f"the server refused {self.channel}: {frame.reason}"
        elif isinstance(frame, Other):
            self._reply = frame.reply
            self.trouble = frame.problem or self.trouble
        else:
            assert isinstance(frame, Delivery)
            self.trouble = f"unexpected delivery of {frame.channel!r}"
        return False

    def take_reply(self) -> bytes:
        """What the newest frame asks to send back; empty for nothing."""
        reply, self._reply = self._reply, b""
        return reply

    def lost(self, last_seq: int) -> None:
        """The connection is gone; ``last_seq`` is the newest delivery that it brought (0: none)."""
        self.last_seq = max(self.last_seq, last_seq)
        if self.state is not State.CLOSED:
            self.state = State.CONNECTING

    def close(self) -> None:
        """The run is over: the connection may end now."""
        self.state = State.CLOSED

    def _subscribe(self) -> bytes:
        return self._protocol.subscribe(self.channel, self.last_seq if self._resumes else None)

    def _confirmed(self, frame: Confirmation) -> bool:
        if frame.channel != self.channel or self.state is not State.SUBSCRIBING or self.trouble:
            self.trouble = self.trouble or f"unexpected confirmation for channel {frame.channel!r}"
            return False
        self.state = State.LIVE
        self.position = frame.seq
        self.last_seq = max(self.last_seq, frame.seq)
        self._resumes = True
        return True
