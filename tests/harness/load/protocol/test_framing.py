"""WebSocket frames, checked against RFC 6455 and against another implementation, the package websockets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from harness.load.protocol import framing
from harness.load.protocol.framing import FramingError, Splitter

PAYLOADS = st.one_of(st.binary(max_size=300), st.sampled_from((125, 126, 65_535, 65_536)).map(lambda size: b"x" * size))


@given(st.lists(PAYLOADS, max_size=4), st.integers(1, 200))
def test_frames_are_cut_out_wherever_the_network_splits_them(payloads: list[bytes], piece: int) -> None:
    """The frames and their order do not depend on the size of the pieces."""
    frames = [framing.server_frame(framing.TEXT, payload) for payload in payloads]
    stream, found, splitter = b"".join(frames), [], Splitter()
    for at in range(0, len(stream), max(piece, len(stream) // 500)):
        found += splitter.split(stream[at : at + max(piece, len(stream) // 500)])
    assert found == frames
    assert splitter.empty
    assert [framing.payload_of(frame) for frame in found] == payloads


@given(PAYLOADS)
def test_frames_are_those_of_another_implementation(payload: bytes) -> None:
    """A server's frame has the bytes that the package websockets writes. That package can read a client's frame."""
    assert framing.server_frame(framing.TEXT, payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
    server = ServerProtocol(state=OPEN)
    server.receive_data(framing.client_frame(framing.BINARY, payload))
    (event,) = server.events_received()
    assert (event.opcode, event.data) == (Opcode.BINARY, payload)  # type: ignore[union-attr]  # a frame


BROKEN = {
    "reserved bit 1": b"\xc1\x01x",
    "reserved bit 2": b"\xa1\x01x",
    "reserved bit 3": b"\x91\x01x",
    "unknown opcode": b"\x83\x01x",
    "unknown control opcode": b"\x8b\x00",
    "masked": b"\x81\x81\x00\x00\x00\x00x",
    "fragmented ping": b"\x09\x00",
    "long ping": b"\x89\x7e\x00\x7e" + b"x" * 126,
    "16 bits for a short length": b"\x81\x7e\x00\x05hello",
    "64 bits for a short length": b"\x81\x7f" + (5).to_bytes(8, "big") + b"hello",
    "highest bit of the length": b"\x81\x7f\xff" + bytes(7),
    "too long": b"\x81\x7f" + (framing.MESSAGE_LIMIT_BYTES + 1).to_bytes(8, "big"),
}


LENIENT = ("16 bits for a short length", "64 bits for a short length")
"""The frames that the other implementation accepts, although RFC 6455 §5.2 requires the shortest form."""


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_frame_is_refused_behind_the_sound_ones(name: str) -> None:
    """The frame is refused as soon as its header has arrived. The other implementation refuses it too, except those in
    LENIENT."""
    data = BROKEN[name]
    sound, splitter = framing.server_frame(framing.TEXT, b"sound"), Splitter()
    frames = splitter.split(sound + data)
    assert next(frames) == sound
    with pytest.raises(FramingError):
        next(frames)
    other = ClientProtocol(parse_uri("ws://x/"), state=OPEN, max_size=framing.MESSAGE_LIMIT_BYTES)
    other.receive_data(data)
    assert (other.parser_exc is not None) == (name not in LENIENT)


def test_an_unfinished_frame_is_not_copied_again_and_again() -> None:
    """A long frame that comes in small pieces is put together once."""
    frame, splitter = framing.server_frame(framing.TEXT, b"x" * 200_000), Splitter()
    found = [whole for at in range(0, len(frame), 7) for whole in splitter.split(frame[at : at + 7])]
    assert found == [frame]


@pytest.mark.parametrize(
    ("payload", "code"), [(b"", 1005), (b"\x03\xe8", 1000), (b"\x03\xf4later", 1012), ((4008).to_bytes(2, "big"), 4008)]
)
def test_close_codes(payload: bytes, code: int) -> None:
    """The answer to a close frame has the same code. If the close frame has no code, the answer has none either."""
    assert framing.close_code(payload) == code
    assert framing.close_payload(code) == payload[:2]


@pytest.mark.parametrize("payload", [b"\x03", b"\x00\x00", b"\x03\xed", b"\x03\xee", b"\x13\x88", b"\x03\xe8\xff"])
def test_close_frames_that_break_the_rules(payload: bytes) -> None:
    """Half a code, a code that may not be sent, and a reason that is not UTF-8 are refused."""
    with pytest.raises(FramingError):
        framing.close_code(payload)
