"""One WebSocket of one client: it stamps every delivery and appends it as a row; everything else goes to the dialogue."""

from array import array
from collections.abc import Callable
from socket import SO_RCVBUF, SOL_SOCKET
from time import monotonic_ns

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from harness.load.frames import FrameTable
from harness.load.protocol.dialogue import Dialogue, State

_TEXT = WSMsgType.TEXT
_CONTINUATION = WSMsgType.CONTINUATION
_CLOSE = WSMsgType.CLOSE

PAUSED_BUFFER_BYTES = 65_536
LOST = 1006
"""Close code of a connection that ended without one (RFC 6455 §7.4.1)."""


class Sink:
    """Collects the deliveries of all clients of a worker: 16 bytes each, in the layout of deliveries-NN.npy."""

    __slots__ = ("append", "frames", "rows")

    def __init__(self, frames: FrameTable) -> None:
        self.frames = frames
        self.rows = array("Q")
        self.append = self.rows.append


class Client(WSListener):
    """A client and its present connection. ``on_change`` is called when the subscription is confirmed, when the server sent
    something that does not belong here (`Dialogue.trouble`), and when the connection is lost.

    A delivery costs: taking its bytes out of picows' buffer, one dictionary look-up, one look at the clock, two
    appends to an array of machine words. No object outlives the call.
    """

    __slots__ = (
        "_append",
        "_known",
        "_parts",
        "close_code",
        "connected_ns",
        "dialogue",
        "index",
        "last_frame",
        "on_change",
        "server",
        "sink",
        "subscribed_ns",
        "transport",
    )

    def __init__(
        self, index: int, server: int, dialogue: Dialogue, sink: Sink, on_change: "Callable[[Client], None]"
    ) -> None:
        self.index = index
        self.server = server
        self.dialogue = dialogue
        self.sink = sink
        self.on_change = on_change
        self.transport: WSTransport | None = None
        self.connected_ns = 0
        self.subscribed_ns = 0
        self.close_code = 0
        self.last_frame = -1
        self._append = sink.append
        self._known = sink.frames.lookup()
        self._parts: list[bytes] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self.connected_ns = monotonic_ns()
        self.close_code = 0
        transport.send(_TEXT, self.dialogue.connected())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        # The look-up comes first: a hit is a whole message verified before, and asking for the frame's type costs as
        # much as the look-up itself (0.1 µs).
        payload = frame.get_payload_as_bytes()
        number = self._known(payload)
        if number is None:
            number = self._on_unknown_frame(transport, frame, payload)
            if number is None:
                return
        self.last_frame = number
        append = self._append
        append(self.index | number << 32)
        append(monotonic_ns())

    def pause_reading(self) -> None:
        """Stop reading from the socket: a slow consumer, as its server sees it. Does nothing without a connection."""
        if self.transport is None:
            return
        transport = self.transport.underlying_transport
        transport.pause_reading()
        # Otherwise the kernel would take megabytes in the client's place, and the server would notice only after minutes.
        transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_RCVBUF, PAUSED_BUFFER_BYTES)

    def resume_reading(self) -> None:
        """Read again. Does nothing without a connection."""
        if self.transport is not None:
            self.transport.underlying_transport.resume_reading()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if self.last_frame >= 0:
            self.dialogue.lost(self.sink.frames.seqs[self.last_frame])
        else:
            self.dialogue.lost(0)
        self.transport = None
        if not self.close_code:
            self.close_code = LOST
        self.on_change(self)

    def _on_unknown_frame(self, transport: WSTransport, frame: WSFrame, payload: bytes) -> int | None:
        """The number of a delivery not seen lately; None for anything else: other frames, close frames, fragments."""
        kind = frame.msg_type
        if kind is _CLOSE:
            self.close_code = int.from_bytes(payload[:2], "big") or LOST
            return None
        if kind is _CONTINUATION and self._parts is not None:
            self._parts.append(payload)
            if not frame.fin:
                return None
            payload, self._parts = b"".join(self._parts), None
        elif kind is not _TEXT:
            return None
        elif not frame.fin:
            self._parts = [payload]
            return None
        try:
            return self.sink.frames.number(payload)
        except ValueError:
            self._on_dialogue(transport, payload)
            return None

    def _on_dialogue(self, transport: WSTransport, payload: bytes) -> None:
        confirmed = self.dialogue.received(payload)
        if confirmed:
            self.subscribed_ns = monotonic_ns()
        if reply := self.dialogue.take_reply():
            transport.send(_TEXT, reply)
        if confirmed or self.dialogue.trouble:
            self.on_change(self)

    @property
    def live(self) -> bool:
        return self.dialogue.state is State.LIVE
