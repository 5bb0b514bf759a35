"""One client's conversation with a server, without I/O: what to send next, and what an answer means.

Deliveries do not pass through here: `harness.load.client` stamps them on its own. A dialogue handles the rest: opening,
subscription, confirmation, and the resume after a lost connection.
"""

from enum import Enum, auto

import msgspec

from harness.model.incident import IncidentKind
from harness.protocol.contract import ClientProtocol, Confirmation, Delivery, Frame, Refusal, Violation, Welcome


class State(Enum):
    CONNECTING = auto()
    SUBSCRIBING = auto()
    LIVE = auto()
    CLOSED = auto()


class Reaction(msgspec.Struct, gc=False):
    """What follows from one frame. ``confirmed``: the client is subscribed. ``refused``: the server refused it, see
    `Dialogue.refusal`. ``reply`` is sent back, empty for nothing. ``violation``: the protocol does not allow this frame
    here."""

    confirmed: bool = False
    refused: bool = False
    reply: bytes = b""
    violation: Violation | None = None


class Dialogue:
    """A client that wants one channel for as long as the run lasts, over as many connections as it takes.

    ``last_seq`` is the newest seq that the client has, 0 before the first subscription: from the second connection on
    it resumes after this one. ``position`` is the seq of the newest confirmation. ``refusal`` says why the server
    refused the subscription on the present connection, empty if it did not.
    """

    __slots__ = ("_protocol", "_resumes", "channel", "last_seq", "position", "refusal", "state")

    def __init__(self, channel: str, protocol: ClientProtocol) -> None:
        self.channel = channel
        self.state = State.CONNECTING
        self.position = 0
        self.last_seq = 0
        self.refusal = ""
        self._protocol = protocol
        self._resumes = False

    def connected(self) -> bytes:
        """The connection is open: the first frame to send."""
        self.state = State.SUBSCRIBING
        self.refusal = ""
        opening = self._protocol.opening()
        return self._subscribe() if opening is None else opening

    def received(self, frame: Frame) -> Reaction:
        """A text message arrived that is not a delivery."""
        assert not isinstance(frame, Delivery)
        if isinstance(frame, Confirmation):
            return self._confirmed(frame)
        if isinstance(frame, Violation):
            return Reaction(violation=frame)
        if isinstance(frame, Welcome):
            return Reaction(reply=self._subscribe())
        if isinstance(frame, Refusal):
            return self._refused(frame)
        return Reaction(reply=frame.reply)

    def lost(self, last_seq: int) -> None:
        """The connection is gone; ``last_seq`` is of the newest valid delivery of the channel (0: there was none). A
        delivery with a seq that the client already had does not change its position."""
        self.last_seq = max(last_seq, self.last_seq)
        if self.state is not State.CLOSED:
            self.state = State.CONNECTING

    def close(self) -> None:
        """The run is over: the connection may end now."""
        self.state = State.CLOSED

    def _subscribe(self) -> bytes:
        return self._protocol.subscribe(self.channel, self.last_seq if self._resumes else None)

    def _refused(self, frame: Refusal) -> Reaction:
        if self.state is not State.SUBSCRIBING or self.refusal:
            return Reaction(violation=Violation(IncidentKind.UNASKED, "an error that answers no command"))
        self.refusal = f"the server refused {self.channel}: {frame.reason}"
        return Reaction(refused=True)

    def _confirmed(self, frame: Confirmation) -> Reaction:
        if frame.channel != self.channel or self.state is not State.SUBSCRIBING or self.refusal:
            return Reaction(violation=Violation(IncidentKind.UNASKED, "a confirmation that answers no command"))
        violation = None
        if self._resumes and frame.seq != self.last_seq:
            violation = Violation(IncidentKind.POSITION, "a resume was confirmed at another position than it asked for")
        self.state = State.LIVE
        self.position = frame.seq
        if not self._resumes:
            self.last_seq = frame.seq
        self._resumes = True
        return Reaction(confirmed=True, violation=violation)
